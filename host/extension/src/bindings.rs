//! What the contract in `wit/` means in Rust, generated. [`types`] is shared with whoever implements a capability
//! (see [`crate::capability`]); the exports are looked up one interface at a time, since a component may lack any.

/// The generated modules; those below name what is used of them.
#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package occi:host;
            world calls {
                import occi:extension/types@0.1.0;
                export occi:extension/lifecycle@0.1.0;
                export occi:extension/actions@0.1.0;
                export occi:extension/observe@0.1.0;
                export occi:extension/migrate@0.1.0;
            }
        ",
        world: "occi:host/calls",
        with: { "occi:extension/types.entity": crate::subject::Subject },
        imports: { default: trappable },
        exports: { default: async },
        // A capability's functions are asynchronous, and use these types.
        require_store_data_send: true,
    });
}

pub use generated::occi::extension::types;

impl types::Fault {
    /// A refusal with one of the contract's codes, that is about no attribute.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), attribute: None }
    }
}

//! What wit-bindgen makes of `wit/`. The imports are generated once; each of the exported interfaces has a
//! world and a module of its own, so that a component exports exactly those that `export!` names.

/// The interfaces that the host serves.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "occi:extension/imports",
        generate_all,
        additional_derives: [PartialEq],
        runtime_path: "occi_sdk::__wit_bindgen::rt",
    });
}

/// The bindings of one exported interface, on the types of `imports`.
macro_rules! exported {
    ($module:ident, $world:literal) => {
        #[cfg(target_arch = "wasm32")]
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit",
                world: $world,
                with: {
                    "occi:extension/types@0.1.0": crate::bindings::imports::occi::extension::types,
                    "occi:extension/machines@0.1.0": crate::bindings::imports::occi::extension::machines,
                    "occi:extension/volumes@0.1.0": crate::bindings::imports::occi::extension::volumes,
                    "occi:extension/networks@0.1.0": crate::bindings::imports::occi::extension::networks,
                    "wasi:config/store@0.2.0-rc.1": crate::bindings::imports::wasi::config::store,
                    "wasi:keyvalue/store@0.2.0-draft2": crate::bindings::imports::wasi::keyvalue::store,
                    "wasi:logging/logging@0.1.0-draft": crate::bindings::imports::wasi::logging::logging,
                },
                pub_export_macro: true,
                runtime_path: "occi_sdk::__wit_bindgen::rt",
            });
        }
    };
}

exported!(lifecycle, "occi:extension/with-lifecycle");
exported!(actions, "occi:extension/with-actions");
exported!(observe, "occi:extension/with-observe");
exported!(migrate, "occi:extension/with-migrate");

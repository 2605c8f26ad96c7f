//! What wit-bindgen makes of `wit/`. The imports are generated once; each of the exported interfaces has a
//! world and a module of its own, so that a component exports exactly those that `export!` names.

/// The interfaces of the contract itself, and those of WASI that it knows in drafts.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package occi:imported; world contract {
            import occi:extension/machines@0.1.0;
            import occi:extension/volumes@0.1.0;
            import occi:extension/networks@0.1.0;
            import occi:extension/images@0.1.0;
            import occi:extension/entities@0.1.0;
            import occi:extension/extensions@0.1.0;
            import occi:extension/folder@0.1.0;
            import occi:extension/metrics@0.1.0;
            import wasi:config/store@0.2.0-rc.1;
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:logging/logging@0.1.0-draft;
        }",
        world: "occi:imported/contract",
        generate_all,
        additional_derives: [PartialEq],
        runtime_path: "occi_sdk::__wit_bindgen::rt",
    });
}

/// Those of WASI.
pub mod system {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package occi:imported; world system {
            import wasi:clocks/monotonic-clock@0.2.12;
            import wasi:clocks/wall-clock@0.2.12;
            import wasi:http/outgoing-handler@0.2.12;
            import wasi:random/random@0.2.12;
        }",
        world: "occi:imported/system",
        generate_all,
        runtime_path: "occi_sdk::__wit_bindgen::rt",
    });
}

/// The bindings of one exported interface, on the types of `imports`.
macro_rules! exported {
    ($module:ident, $world:literal, $package:literal) => {
        #[cfg(target_arch = "wasm32")]
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit",
                inline: $package,
                world: $world,
                with: {
                    "occi:extension/types@0.1.0": crate::bindings::imports::occi::extension::types,
                },
                pub_export_macro: true,
                runtime_path: "occi_sdk::__wit_bindgen::rt",
            });
        }
    };
}

exported!(
    lifecycle,
    "occi:exported/of-lifecycle",
    "package occi:exported; world of-lifecycle { export occi:extension/lifecycle@0.1.0; }"
);
exported!(
    actions,
    "occi:exported/of-actions",
    "package occi:exported; world of-actions { export occi:extension/actions@0.1.0; }"
);
exported!(
    observe,
    "occi:exported/of-observe",
    "package occi:exported; world of-observe { export occi:extension/observe@0.1.0; }"
);
exported!(
    migrate,
    "occi:exported/of-migrate",
    "package occi:exported; world of-migrate { export occi:extension/migrate@0.1.0; }"
);

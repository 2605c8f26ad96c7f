//! An extension whose next version gives an attribute another name.

use crate::Guest;

/// The attribute of the first version.
pub const COLOUR: &str = "com.example.box.colour";
/// That of the second.
pub const COLOR: &str = "com.example.box.color";

/// A manifest with one Kind of one attribute.
pub fn manifest(version: &str, attribute: &str, kind: &str) -> String {
    format!(
        r#"
        [extension]
        name = "box"
        version = "{version}"
        [[kind]]
        term = "box"
        scheme = "http://example.com/occi#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/box/"
        [kind.attributes."{attribute}"]
        type = "string"
        mutable = true
        {kind}
        "#
    )
}

/// Renames the attribute. A box whose colour begins with a `t` is a trap.
pub fn renaming(version: &str) -> Guest {
    let body = format!(
        r#"
        (import "occi:extension/types@0.1.0" "[method]entity.get" (func $get (param i32 i32 i32 i32)))
        (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
        (data (i32.const 64) "{COLOUR}")
        (data (i32.const 128) "{COLOR}")
        (func (export "occi:extension/migrate@0.1.0#migrate")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (local $turns i32)
            (call $get (local.get $subject) (i32.const 64) (i32.const {old}) (i32.const 2048))
            (call $done (local.get $subject))
            (if (i32.load8_u (i32.const 2048)) (then
                (if (i32.eq (i32.load8_u (i32.load (i32.const 2064))) (i32.const 116)) (then unreachable))
                (if (i32.eq (i32.load8_u (i32.load (i32.const 2064))) (i32.const 115)) (then
                    (loop $again
                        (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
                        (br_if $again (i32.lt_u (local.get $turns) (i32.const 200000000))))))
                ;; set the new one
                (i32.store (i32.const 1032) (i32.const 3072))
                (i32.store (i32.const 1036) (i32.const 1))
                (i32.store (i32.const 3072) (i32.const 128))
                (i32.store (i32.const 3076) (i32.const {new}))
                (i32.store (i32.const 3088) (i32.load (i32.const 2064)))
                (i32.store (i32.const 3092) (i32.load (i32.const 2068)))
                ;; clear the old one
                (i32.store (i32.const 1040) (i32.const 4096))
                (i32.store (i32.const 1044) (i32.const 1))
                (i32.store (i32.const 4096) (i32.const 64))
                (i32.store (i32.const 4100) (i32.const {old}))))
            (i32.const 1024))
        "#,
        old = COLOUR.len(),
        new = COLOR.len(),
    );
    Guest {
        world: "import occi:extension/types@0.1.0; export occi:extension/migrate@0.1.0;",
        body,
        manifest: Some(manifest(version, COLOR, "")),
    }
}

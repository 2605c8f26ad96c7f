//! Extensions made on the spot, of a core module in text form and the contract in `wit/`: for tests alone, in which
//! guests do what no compiler would let them do.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a guest that cannot be made is a test that cannot go on"
)]

pub mod boxes;

use wasm_encoder::{ComponentSection, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve, WorldId};

/// What a guest is made of.
pub struct Guest {
    /// The items of its world, such as `export occi:extension/actions@0.1.0;`.
    pub world: &'static str,
    /// Functions, imports and whatever else the core module has besides memory and allocation.
    pub body: String,
    /// Its manifest; none leaves the section out.
    pub manifest: Option<String>,
}

impl Guest {
    /// A guest with actions alone, each named by its first letter: `ok` (a new state), `refuse`,
    /// `echo`, `nan` and `invalid` (attributes), `spin`, `grow`, `dive` and `trap`; any other does nothing.
    pub fn deeds() -> Self {
        Self {
            world: "import occi:extension/types@0.1.0; export occi:extension/actions@0.1.0;",
            body: DEEDS.into(),
            manifest: Some(manifest("")),
        }
    }

    /// The same with another manifest.
    #[must_use]
    pub fn manifest(self, manifest: impl Into<String>) -> Self {
        Self { manifest: Some(manifest.into()), ..self }
    }

    /// The component, one file as an operator would install it.
    pub fn build(&self) -> Vec<u8> {
        let mut component = self.encode();
        if let Some(manifest) = &self.manifest {
            attach(&mut component, manifest);
        }
        component
    }

    fn encode(&self) -> Vec<u8> {
        let (resolve, world) = world(self.world);
        componentize(self.core(), &resolve, world)
    }

    /// The core module, which is no component yet. Imports come first in its text, so a body begins with them.
    pub fn core(&self) -> Vec<u8> {
        let text = format!("(module {} {ALLOCATION})", self.body);
        wat::parse_str(text).unwrap()
    }
}

/// A component without any code, which says no more than its manifest.
pub fn bare(manifest: &str) -> Vec<u8> {
    let mut component = wat::parse_str("(component)").unwrap();
    attach(&mut component, manifest);
    component
}

/// A component that imports every function of an interface, and calls none.
pub fn importing(interface: &str, manifest: &str) -> Vec<u8> {
    let (resolve, world) = world(&format!("import {interface}; export occi:extension/actions@0.1.0;"));
    let module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    let mut component = componentize(module, &resolve, world);
    attach(&mut component, manifest);
    component
}

/// A world of those items, beside the contract.
fn world(items: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    let text = format!("package test:guest; world guest {{ {items} }}");
    let package = resolve.push_str("guest.wit", &text).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    (resolve, world)
}

fn componentize(mut module: Vec<u8>, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// The custom section in which the host looks for the manifest.
const SECTION: &str = "occi:manifest";

/// Puts a manifest into a component.
pub fn attach(component: &mut Vec<u8>, manifest: &str) {
    let section = CustomSection { name: SECTION.into(), data: manifest.as_bytes().into() };
    section.append_to_component(component);
}

/// A manifest with one Kind, whose actions are the deeds; `more` stands between the extension and the Kind.
pub fn manifest(more: &str) -> String {
    format!(
        r#"
        [extension]
        name = "deeds"
        version = "0.1.0"
        {more}
        [[kind]]
        term = "deed"
        scheme = "http://example.com/occi#"
        parent = "http://schemas.ogf.org/occi/core#link"
        location = "/deed/"
        [[kind.action]]
        term = "ok"
        scheme = "http://example.com/occi/deed/action#"
        "#
    )
}

/// Memory, and an allocator that never frees: a guest lives for one call.
const ALLOCATION: &str = r#"
    (memory (export "memory") 2)
    (global $heap (mut i32) (i32.const 8192))
    (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and
            (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
            (i32.sub (i32.const 0) (local.get $align))))
        (global.set $heap (i32.add (local.get $at) (local.get $size)))
        (local.get $at))
"#;

/// `act` does what the first letter of the action says. The answer stands at 1024: a `change` of nothing if untouched.
const DEEDS: &str = r#"
    (import "occi:extension/types@0.1.0" "[method]entity.get" (func $get (param i32 i32 i32 i32)))
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
    (data (i32.const 16) "on")
    (data (i32.const 32) "conflict")
    (data (i32.const 48) "not today")
    (data (i32.const 64) "com.example.note")
    (data (i32.const 96) "a b")
    (func $dive (param i32) (result i32)
        (i32.add (call $dive (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (func (export "occi:extension/actions@0.1.0#act")
        (param i32 i32 i32 i32) (param $subject i32) (param $action i32) (param i32 i32 i32) (result i32)
        (local $deed i32)
        (local.set $deed (i32.load8_u (local.get $action)))
        (if (i32.eq (local.get $deed) (i32.const 111)) (then                 ;; o: a new state, and again in 250 ms
            (i32.store8 (i32.const 1048) (i32.const 1))
            (i32.store (i32.const 1052) (i32.const 16))
            (i32.store (i32.const 1056) (i32.const 2))
            (i32.store8 (i32.const 1072) (i32.const 1))
            (i64.store (i32.const 1080) (i64.const 250))))
        (if (i32.eq (local.get $deed) (i32.const 114)) (then                 ;; r: refuse
            (i32.store8 (i32.const 1024) (i32.const 1))
            (i32.store (i32.const 1032) (i32.const 32))
            (i32.store (i32.const 1036) (i32.const 8))
            (i32.store (i32.const 1040) (i32.const 48))
            (i32.store (i32.const 1044) (i32.const 9))
            (i32.store8 (i32.const 1048) (i32.const 1))
            (i32.store (i32.const 1052) (i32.const 64))
            (i32.store (i32.const 1056) (i32.const 16))))
        (if (i32.eq (local.get $deed) (i32.const 101)) (then                 ;; e: set the note to what it is
            (call $get (local.get $subject) (i32.const 64) (i32.const 16) (i32.const 2048))
            (i32.store (i32.const 1032) (i32.const 2048))
            (i32.store (i32.const 1036) (i32.load8_u (i32.const 2048)))
            (i32.store (i32.const 2048) (i32.const 64))
            (i32.store (i32.const 2052) (i32.const 16))))
        (if (i32.eq (local.get $deed) (i32.const 110)) (then                 ;; n: a number that is none
            (i32.store (i32.const 1032) (i32.const 2048))
            (i32.store (i32.const 1036) (i32.const 1))
            (i32.store (i32.const 2048) (i32.const 64))
            (i32.store (i32.const 2052) (i32.const 16))
            (i32.store8 (i32.const 2056) (i32.const 2))
            (f64.store (i32.const 2064) (f64.const nan))))
        (if (i32.eq (local.get $deed) (i32.const 105)) (then                 ;; i: a name that is none
            (i32.store (i32.const 1032) (i32.const 2048))
            (i32.store (i32.const 1036) (i32.const 1))
            (i32.store (i32.const 2048) (i32.const 96))
            (i32.store (i32.const 2052) (i32.const 3))
            (i32.store8 (i32.const 2056) (i32.const 3))))
        (if (i32.eq (local.get $deed) (i32.const 115)) (then (loop $for_ever (br $for_ever))))   ;; s: spin
        (if (i32.eq (local.get $deed) (i32.const 103)) (then                 ;; g: grow to 1 GiB, a MiB at a time
            (loop $more
                (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
                (br_if $more (i32.lt_u (memory.size) (i32.const 16384))))))
        (if (i32.eq (local.get $deed) (i32.const 100)) (then (drop (call $dive (i32.const 0)))))  ;; d: dive
        (if (i32.eq (local.get $deed) (i32.const 116)) (then unreachable))   ;; t: trap
        (call $done (local.get $subject))
        (i32.const 1024))
"#;

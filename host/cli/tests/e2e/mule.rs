//! An extension whose entities can be stubborn: such a one refuses to walk, to go and to take a burden. There is a mule,
//! whose extension reaches outside of the store, and a donkey, whose extension does not.

use crate::occi::body;
use crate::server::{Server, extensions};
use occi_guest::Guest;
use tempfile::TempDir;

pub(crate) const BURDEN: &str =
    r#"Category: burden; scheme="http://example.com/mule#"; class="mixin"; location="/mixin/burden/""#;
/// A link of the mule's extension.
pub(crate) const ROPE: &str = r#"Category: rope; scheme="http://example.com/mule#"; class="kind""#;
/// What an animal carries, as an array.
pub(crate) const LOADS: &str = "com.example.mule.loads";
pub(crate) const WEIGHT: &str = "com.example.mule.weight";

/// A server with mules and donkeys beside all that there is else.
pub(crate) fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["infrastructure.wasm", "note.wasm"] {
        std::fs::copy(extensions().join(name), folder.path().join(name)).unwrap();
    }
    let mut mule = outside("mule");
    mule.manifest.as_mut().unwrap().push_str(MORE);
    let donkey = guest("donkey", "[limits]\nconcurrency = 1\n").build();
    for (name, bytes) in [("mule.wasm", mule.build()), ("donkey.wasm", donkey)] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    (Server::of(&folder, ""), folder)
}

/// A version of the donkeys' extension.
pub(crate) fn donkey(version: &str) -> Vec<u8> {
    let mut guest = guest("donkey", "");
    guest.manifest = guest.manifest.map(|text| text.replace("0.1.0", version));
    guest.build()
}

/// One that imports what its manifest does not ask for.
pub(crate) fn trespasser() -> Vec<u8> {
    let mut guest = outside("donkey");
    guest.manifest = guest.manifest.map(|text| text.replace("[capabilities.networks]", ""));
    guest.build()
}

/// An extension like the mule's, whose deletions never end.
pub(crate) fn ox() -> Vec<u8> {
    let mut ox = outside("ox");
    let never = "(if (call $is_stubborn (local.get $subject)) (then (call $refuse (i32.const 1028))))";
    assert!(ox.body.contains(never));
    ox.body = ox.body.replace(never, "(loop (br 0))");
    ox.build()
}

/// A new animal at a path such as `/stable/mule/1`; the path.
#[track_caller]
pub(crate) fn animal(server: &Server, path: &str, is_stubborn: bool) -> String {
    let attribute = format!("com.example.mule.stubborn={is_stubborn}");
    let body = body(&[&category(term(path))], &[&attribute]);
    server.put(path).text(body).answers(201).location()
}

/// The body that asks all animals of a term to walk.
pub(crate) fn walk(term: &str) -> String {
    format!("Category: walk; scheme=\"http://example.com/{term}/action#\"; class=\"action\"")
}

/// What an animal does.
#[track_caller]
pub(crate) fn state(server: &Server, path: &str) -> String {
    let shown = server.get(path).answers(200);
    shown.attribute("com.example.mule.state").unwrap().trim_matches('"').to_owned()
}

fn term(path: &str) -> &str {
    path.split('/').nth(2).unwrap()
}

/// What names a Kind of animals.
pub(crate) fn category(term: &str) -> String {
    format!("Category: {term}; scheme=\"http://example.com/{term}#\"; class=\"kind\"")
}

/// An extension that reaches outside of the store.
fn outside(term: &str) -> Guest {
    let mut guest = guest(term, "[capabilities.networks]\n[limits]\nconcurrency = 1\n");
    guest.world = "import occi:extension/types@0.1.0; import occi:extension/networks@0.1.0; \
                   export occi:extension/lifecycle@0.1.0; export occi:extension/actions@0.1.0;";
    let reaches = r#"(import "occi:extension/networks@0.1.0" "[static]network.open" (func (param i32 i32)))"#;
    guest.body.insert_str(0, reaches);
    guest
}

fn guest(term: &str, more: &str) -> Guest {
    let manifest = format!(
        r#"
        [extension]
        name = "{term}"
        version = "0.1.0"
        {more}
        [[kind]]
        term = "{term}"
        scheme = "http://example.com/{term}#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/stable/{term}/"
        [kind.states]
        attribute = "com.example.mule.state"
        values = ["stands", "walks"]
        initial = "stands"
        [kind.attributes."com.example.mule.state"]
        type = "string"
        [kind.attributes."com.example.mule.stubborn"]
        type = "boolean"
        mutable = true
        default = false
        [kind.attributes."com.example.mule.loads"]
        type = "array"
        mutable = true
        [[kind.action]]
        term = "walk"
        scheme = "http://example.com/{term}/action#"
        from = ["stands"]
        "#
    );
    Guest {
        world: "import occi:extension/types@0.1.0; export occi:extension/lifecycle@0.1.0; \
                export occi:extension/actions@0.1.0;",
        body: STUBBORN.into(),
        manifest: Some(manifest),
    }
}

/// What mules have beside what donkeys have.
const MORE: &str = r#"
[[kind]]
term = "rope"
scheme = "http://example.com/mule#"
parent = "http://schemas.ogf.org/occi/core#link"
location = "/stable/rope/"
[[mixin]]
term = "burden"
scheme = "http://example.com/mule#"
location = "/mixin/burden/"
[mixin.attributes."com.example.mule.weight"]
type = "integer"
mutable = true
"#;

/// The answer stands at 1024: a `change` of nothing, or nothing at all, if untouched. A fault is at 1032 where there could
/// be a change, and at 1028 where not.
const STUBBORN: &str = r#"
    (import "occi:extension/types@0.1.0" "[method]entity.get" (func $get (param i32 i32 i32 i32)))
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
    (data (i32.const 16) "walks")
    (data (i32.const 32) "conflict")
    (data (i32.const 48) "I will not")
    (data (i32.const 64) "com.example.mule.stubborn")
    (func $answer (param $subject i32) (result i32) (call $done (local.get $subject)) (i32.const 1024))
    (func $is_stubborn (param $subject i32) (result i32)
        (call $get (local.get $subject) (i32.const 64) (i32.const 25) (i32.const 2048))
        (i32.and
            (i32.load8_u (i32.const 2048))                      ;; some
            (i32.load8_u (i32.const 2064))))                    ;; true
    (func $refuse (param $at i32)
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store (local.get $at) (i32.const 32))
        (i32.store offset=4 (local.get $at) (i32.const 8))
        (i32.store offset=8 (local.get $at) (i32.const 48))
        (i32.store offset=12 (local.get $at) (i32.const 10)))
    (func (export "occi:extension/lifecycle@0.1.0#create")
        (param i32 i32) (param $role i32) (param $length i32) (param $subject i32) (result i32)
        ;; As `burden`, whose last letter is an n.
        (if (i32.and
                (i32.eq (i32.const 110)
                    (i32.load8_u (i32.sub (i32.add (local.get $role) (local.get $length)) (i32.const 1))))
                (call $is_stubborn (local.get $subject)))
            (then (call $refuse (i32.const 1032))))
        (call $answer (local.get $subject)))
    (func (export "occi:extension/lifecycle@0.1.0#update")
        (param i32 i32 i32 i32) (param $subject i32) (param i32 i32) (result i32)
        (call $answer (local.get $subject)))
    (func (export "occi:extension/lifecycle@0.1.0#delete")
        (param i32 i32 i32 i32) (param $subject i32) (result i32)
        (if (call $is_stubborn (local.get $subject)) (then (call $refuse (i32.const 1028))))
        (call $answer (local.get $subject)))
    (func (export "occi:extension/actions@0.1.0#act")
        (param i32 i32 i32 i32) (param $subject i32) (param i32 i32 i32 i32) (result i32)
        (if (call $is_stubborn (local.get $subject))
            (then (call $refuse (i32.const 1032)))
            (else
                (i32.store8 (i32.const 1048) (i32.const 1))     ;; the new state
                (i32.store (i32.const 1052) (i32.const 16))
                (i32.store (i32.const 1056) (i32.const 5))))
        (call $answer (local.get $subject)))
"#;

//! Extensions that keep data of their own: each call sees what those before it in the operation have written, and none
//! keeps more than it may.

use crate::server::Server;
use occi_guest::Guest;
use tempfile::TempDir;

const BOX: &str = r#"Category: box; scheme="http://example.com/data#"; class="kind""#;
const NUMBER: &str = "com.example.data.number";

const MANIFEST: &str = r#"
    [extension]
    name = "boxes"
    version = "0.1.0"
    [capabilities.keyvalue]
    [[kind]]
    term = "box"
    scheme = "http://example.com/data#"
    parent = "http://schemas.ogf.org/occi/core#resource"
    location = "/box/"
    attributes."com.example.data.number" = { type = "integer" }
    [[kind.action]]
    term = "count"
    scheme = "http://example.com/data/action#"
    [[kind.action]]
    term = "fill"
    scheme = "http://example.com/data/action#"
    [[kind.action]]
    term = "empty"
    scheme = "http://example.com/data/action#"
"#;

/// `count` adds one to a number that all boxes share, as does each that comes; each that goes takes one. `fill` keeps
/// 200,000 bytes under the box's own id, and `empty` removes them.
const BOXES: &str = r#"
    (import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
    (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
    (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
    (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.delete" (func $remove (param i32 i32 i32 i32)))
    (import "wasi:keyvalue/store@0.2.0-draft2" "[resource-drop]bucket" (func $close (param i32)))
    (import "occi:extension/types@0.1.0" "[method]entity.id" (func $id (param i32 i32)))
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
    (data (i32.const 64) "com.example.data.number")
    (data (i32.const 96) "n")
    (func $bucket (result i32)
        (call $open (i32.const 0) (i32.const 0) (i32.const 2048))
        (if (i32.load8_u (i32.const 2048)) (then unreachable))
        (i32.load (i32.const 2052)))
    ;; Adds to the number, which has one byte, and answers it as an attribute.
    (func $add (param $more i32) (result i32)
        (local $bucket i32) (local $number i32)
        (local.set $bucket (call $bucket))
        (call $get (local.get $bucket) (i32.const 96) (i32.const 1) (i32.const 2048))
        (if (i32.load8_u (i32.const 2052)) (then
            (local.set $number (i32.load8_u (i32.load (i32.const 2056))))))
        (local.set $number (i32.add (local.get $number) (local.get $more)))
        (i32.store8 (i32.const 2100) (local.get $number))
        (call $set (local.get $bucket) (i32.const 96) (i32.const 1) (i32.const 2100) (i32.const 1) (i32.const 2048))
        (if (i32.load8_u (i32.const 2048)) (then unreachable))
        (call $close (local.get $bucket))
        (i32.store (i32.const 1032) (i32.const 3072))
        (i32.store (i32.const 1036) (i32.const 1))
        (i32.store (i32.const 3072) (i32.const 64))
        (i32.store (i32.const 3076) (i32.const 23))
        (i32.store8 (i32.const 3080) (i32.const 1))
        (i64.store (i32.const 3088) (i64.extend_i32_u (local.get $number)))
        (i32.const 1024))
    (func (export "occi:extension/lifecycle@0.1.0#create") (param i32 i32 i32 i32) (param $subject i32) (result i32)
        (call $done (local.get $subject))
        (call $add (i32.const 1)))
    (func (export "occi:extension/lifecycle@0.1.0#update")
        (param i32 i32 i32 i32) (param $subject i32) (param i32 i32) (result i32)
        (call $done (local.get $subject))
        (i32.const 1024))
    (func (export "occi:extension/lifecycle@0.1.0#delete") (param i32 i32 i32 i32) (param $subject i32) (result i32)
        (call $done (local.get $subject))
        (drop (call $add (i32.const -1)))
        (i32.store (i32.const 1032) (i32.const 0))
        (i32.const 1024))
    (func (export "occi:extension/actions@0.1.0#act")
        (param i32 i32 i32 i32) (param $subject i32) (param $action i32) (param i32 i32 i32) (result i32)
        (local $bucket i32) (local $letter i32)
        (local.set $letter (i32.load8_u (local.get $action)))
        (call $id (local.get $subject) (i32.const 2200))
        (call $done (local.get $subject))
        (if (i32.eq (local.get $letter) (i32.const 99)) (then (return (call $add (i32.const 1)))))
        (local.set $bucket (call $bucket))
        (if (i32.eq (local.get $letter) (i32.const 102)) (then
            (drop (memory.grow (i32.const 4)))
            (call $set (local.get $bucket) (i32.load (i32.const 2200)) (i32.load (i32.const 2204))
                (i32.const 131072) (i32.const 200000) (i32.const 2048)))
          (else
            (call $remove (local.get $bucket) (i32.load (i32.const 2200)) (i32.load (i32.const 2204)) (i32.const 2048))))
        (if (i32.load8_u (i32.const 2048)) (then unreachable))
        (call $close (local.get $bucket))
        (i32.const 1024))
"#;

fn server(config: &str) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let boxes = Guest {
        world: "import occi:extension/types@0.1.0; import wasi:keyvalue/store@0.2.0-draft2; \
                export occi:extension/lifecycle@0.1.0; export occi:extension/actions@0.1.0;",
        body: BOXES.into(),
        manifest: Some(MANIFEST.into()),
    };
    std::fs::write(folder.path().join("boxes.wasm"), boxes.build()).unwrap();
    (Server::of(&folder, config), folder)
}

fn boxes<const N: usize>(server: &Server) -> [String; N] {
    [(); N].map(|()| server.post("/box/").text(BOX).answers(201).location())
}

fn act(server: &Server, path: &str, action: &str) -> crate::http::Answer {
    let text = format!("Category: {action}; scheme=\"http://example.com/data/action#\"; class=\"action\"");
    server.post(&format!("{path}?action={action}")).text(text).send()
}

/// None of them overwrites what another has just written.
#[test]
fn members_of_a_collection_see_what_those_before_them_wrote() {
    let (server, _folder) = server("");
    let [one, ..] = boxes::<20>(&server);
    act(&server, "/box/", "count").is(200);
    assert_eq!(act(&server, &one, "count").is(200).attribute(NUMBER), Some("41"));
    server.delete("/box/").answers(200);
    let [one] = boxes(&server);
    assert_eq!(server.get(&one).answers(200).attribute(NUMBER), Some("22"));
}

#[test]
fn an_extension_keeps_no_more_than_it_may() {
    let (mut server, _folder) = server("[sandbox]\nkeyvalue-mib = 1\n");
    let all = boxes::<8>(&server);
    let fills = |path: &str| act(&server, path, "fill").status == 200;
    // All at once, so that each finds room before the others have taken theirs.
    let filled: Vec<bool> = std::thread::scope(|scope| {
        let clients: Vec<_> = all.iter().map(|path| scope.spawn(|| fills(path))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(filled.iter().filter(|is_full| **is_full).count(), 5);
    let (full, empty): (Vec<_>, Vec<_>) = all.iter().zip(filled).partition(|(_, is_full)| *is_full);
    // A collection is filled or not, as a whole; what it says names whose room it is.
    let refused = act(&server, "/box/", "fill").is(507);
    assert!(refused.body.contains("boxes") && refused.body.contains("keyvalue-mib"), "{refused}");
    // What is replaced takes no more, and what is removed leaves room; both are so after a restart, too.
    act(&server, full[0].0, "fill").is(200);
    server.kill();
    server.begin();
    act(&server, empty[0].0, "fill").is(507);
    act(&server, full[0].0, "empty").is(200);
    act(&server, empty[0].0, "fill").is(200);
    act(&server, empty[1].0, "fill").is(507);
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

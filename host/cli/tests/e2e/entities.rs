//! Extensions that read other entities: those of the Kinds that they ask for, and no others.

use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, extensions};
use occi_guest::Guest;
use tempfile::TempDir;

const VIEWER: &str = r#"Category: viewer; scheme="http://example.com/view#"; class="kind""#;
const NOTE_KIND: &str = "http://example.com/occi/note#note";

const MANIFEST: &str = r#"
    [extension]
    name = "viewer"
    version = "0.1.0"
    [capabilities.entities]
    kinds = ["http://example.com/occi/note#note"]
    [[kind]]
    term = "viewer"
    scheme = "http://example.com/view#"
    parent = "http://schemas.ogf.org/occi/core#resource"
    location = "/viewer/"
    [kind.attributes]
    "com.example.view.title" = { type = "string" }
    "com.example.view.count" = { type = "integer" }
    [[kind.action]]
    term = "find"
    scheme = "http://example.com/view/action#"
    attributes."com.example.view.of" = { type = "string", required = true }
    [[kind.action]]
    term = "members"
    scheme = "http://example.com/view/action#"
    attributes."com.example.view.of" = { type = "string", required = true }
    [[kind.action]]
    term = "links"
    scheme = "http://example.com/view/action#"
    [[kind]]
    term = "sight"
    scheme = "http://example.com/view#"
    parent = "http://schemas.ogf.org/occi/core#link"
    location = "/sight/"
    [[mixin]]
    term = "shown"
    scheme = "http://example.com/view#"
    location = "/mixin/shown/"
"#;

/// `find` answers the title of the entity at a location, `members` how many a collection shows, `links` how many links
/// leave the viewer itself.
const BODY: &str = r#"
    (import "occi:extension/entities@0.1.0" "find" (func $find (param i32 i32 i32)))
    (import "occi:extension/entities@0.1.0" "[static]listing.members" (func $members (param i32 i32 i32)))
    (import "occi:extension/entities@0.1.0" "[static]listing.links-from" (func $links (param i32 i32)))
    (import "occi:extension/entities@0.1.0" "[method]listing.next" (func $next (param i32 i32)))
    (import "occi:extension/entities@0.1.0" "[resource-drop]listing" (func $close (param i32)))
    (import "occi:extension/types@0.1.0" "[method]entity.get" (func $get (param i32 i32 i32 i32)))
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
    (data (i32.const 64) "com.example.view.title")
    (data (i32.const 96) "com.example.view.count")
    (data (i32.const 128) "occi.core.title")
    ;; The fault at 2048 is the answer.
    (func $refuse (result i32)
        (i32.store8 (i32.const 1024) (i32.const 1))
        (memory.copy (i32.const 1032) (i32.const 2052) (i32.const 28))
        (i32.const 1024))
    ;; How many are in the listing that was opened at 2048.
    (func $count (result i32)
        (local $listing i32) (local $count i64) (local $left i32) (local $at i32)
        (if (i32.load8_u (i32.const 2048)) (then (return (call $refuse))))
        (local.set $listing (i32.load (i32.const 2052)))
        (block $end (loop $more
            (call $next (local.get $listing) (i32.const 2048))
            (if (i32.load8_u (i32.const 2048)) (then unreachable))
            (br_if $end (i32.eqz (i32.load8_u (i32.const 2052))))
            (local.set $at (i32.load (i32.const 2056)))
            (local.set $left (i32.load (i32.const 2060)))
            (block $page_end (loop $each
                (br_if $page_end (i32.eqz (local.get $left)))
                (call $done (i32.load (local.get $at)))
                (local.set $at (i32.add (local.get $at) (i32.const 4)))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (local.set $count (i64.add (local.get $count) (i64.const 1)))
                (br $each)))
            (br $more)))
        (call $close (local.get $listing))
        (i32.store (i32.const 1032) (i32.const 3072))
        (i32.store (i32.const 1036) (i32.const 1))
        (i32.store (i32.const 3072) (i32.const 96))
        (i32.store (i32.const 3076) (i32.const 22))
        (i32.store8 (i32.const 3080) (i32.const 1))
        (i64.store (i32.const 3088) (local.get $count))
        (i32.const 1024))
    (func (export "occi:extension/actions@0.1.0#act")
        (param i32 i32 i32 i32) (param $subject i32) (param $action i32) (param i32) (param $given i32) (param i32)
        (result i32)
        (local $letter i32)
        (local.set $letter (i32.load8_u (local.get $action)))
        (if (i32.eq (local.get $letter) (i32.const 108)) (then
            (call $links (local.get $subject) (i32.const 2048))
            (call $done (local.get $subject))
            (return (call $count))))
        (call $done (local.get $subject))
        (if (i32.eq (local.get $letter) (i32.const 109)) (then
            (call $members (i32.load offset=16 (local.get $given)) (i32.load offset=20 (local.get $given)) (i32.const 2048))
            (return (call $count))))
        (call $find (i32.load offset=16 (local.get $given)) (i32.load offset=20 (local.get $given)) (i32.const 2048))
        (if (i32.load8_u (i32.const 2048)) (then (return (call $refuse))))
        (call $get (i32.load (i32.const 2052)) (i32.const 128) (i32.const 15) (i32.const 2112))
        (call $done (i32.load (i32.const 2052)))
        (i32.store (i32.const 1032) (i32.const 3072))
        (i32.store (i32.const 1036) (i32.const 1))
        (i32.store (i32.const 3072) (i32.const 64))
        (i32.store (i32.const 3076) (i32.const 22))
        (i64.store (i32.const 3088) (i64.load (i32.const 2128)))
        (i32.const 1024))
"#;

const LAMP: &str = r#"
    [extension]
    name = "lamp"
    version = "0.1.0"
    [[kind]]
    term = "lamp"
    scheme = "http://example.com/home#"
    parent = "http://schemas.ogf.org/occi/core#resource"
    location = "/lamp/"
"#;

fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let viewer = Guest {
        world: "import occi:extension/types@0.1.0; import occi:extension/entities@0.1.0; \
                export occi:extension/actions@0.1.0;",
        body: BODY.into(),
        manifest: Some(MANIFEST.into()),
    };
    std::fs::write(folder.path().join("viewer.wasm"), viewer.build()).unwrap();
    std::fs::write(folder.path().join("lamp.toml"), LAMP).unwrap();
    for name in ["note.wasm", "extensions.wasm"] {
        std::fs::copy(extensions().join(name), folder.path().join(name)).unwrap();
    }
    (Server::of(&folder, ""), folder)
}

fn act(server: &Server, viewer: &str, action: &str, of: &str) -> Answer {
    let category = format!(r#"Category: {action}; scheme="http://example.com/view/action#"; class="action""#);
    let of = format!("com.example.view.of={of:?}");
    let parameters = if of.ends_with("\"\"") { vec![] } else { vec![&*of] };
    server.post(&format!("{viewer}?action={action}")).text(body(&[&category], &parameters)).send()
}

fn is_denied(answer: &Answer, status: u16, reason: &str) {
    assert!(answer.status == status && answer.body.contains(reason), "{answer}");
}

#[test]
fn an_extension_reads_the_entities_that_it_asks_for() {
    let (server, _folder) = server();
    let viewer = server.post("/viewer/").text(body(&[VIEWER], &["occi.core.title=\"itself\""]));
    let viewer = viewer.answers(201).location();
    let note = server.note("a");
    server.post(&note).text(body(&[], &["occi.core.title=\"a note\""])).answers(200);
    let lamp = r#"Category: lamp; scheme="http://example.com/home#"; class="kind""#;
    let lamp =
        server.post("/lamp/").text(body(&[lamp], &["occi.core.title=\"a lamp\""])).answers(201).location();

    let title = |of: &str| {
        let answer = act(&server, &viewer, "find", of).is(200);
        answer.attribute("com.example.view.title").unwrap().to_owned()
    };
    assert_eq!((title(&viewer), title(&note)), ("\"itself\"".into(), "\"a note\"".into()));
    is_denied(&act(&server, &viewer, "find", &lamp), 403, "home#lamp; add that to `kinds`");
    is_denied(&act(&server, &viewer, "find", "/no/such"), 409, "there is nothing at /no/such");
    is_denied(&act(&server, &viewer, "find", "no path"), 400, "no path");
    // What stands for an extension is as if it were not there.
    server.get("/extension/note").answers(200);
    is_denied(&act(&server, &viewer, "find", "/extension/note"), 409, "there is nothing at /extension/note");

    // By its own Mixin a client gives it what it does not read otherwise.
    let shown = format!("X-OCCI-Location: {}{lamp}\n", server.base());
    server.post("/mixin/shown/").text(shown).answers(200);
    assert_eq!(title(&lamp), "\"a lamp\"");
}

#[test]
fn collections_and_links_are_read_page_by_page() {
    let (server, _folder) = server();
    let [viewer, other] = [(); 2].map(|()| server.post("/viewer/").text(VIEWER).answers(201).location());
    let count = |action: &str, of: &str| {
        let answer = act(&server, &viewer, action, of).is(200);
        answer.attribute("com.example.view.count").unwrap().parse::<usize>().unwrap()
    };
    assert_eq!((count("members", NOTE_KIND), count("links", "")), (0, 0));
    for number in 0..205 {
        server.note(&number.to_string());
    }
    assert_eq!(count("members", NOTE_KIND), 205);
    assert_eq!(count("members", "http://example.com/view#viewer"), 2);
    let sight = r#"Category: sight; scheme="http://example.com/view#"; class="kind""#;
    let ends = [format!("occi.core.source={viewer:?}"), format!("occi.core.target={other:?}")];
    let ends: Vec<_> = ends.iter().map(String::as_str).collect();
    for _ in 0..3 {
        server.post("/sight/").text(body(&[sight], &ends)).answers(201);
    }
    assert_eq!(count("links", ""), 3);
    for (category, status, reason) in [
        ("http://example.com/home#lamp", 403, "add that to `kinds`"),
        ("http://example.org/occi/extension#extension", 403, "add that to `kinds`"),
        ("http://example.com/no#such", 400, "no Kind and no Mixin"),
        ("nonsense", 400, "nonsense"),
    ] {
        is_denied(&act(&server, &viewer, "members", category), status, reason);
    }
}

//! Extensions that have links made and ended: once the request is committed, once each, and however often the server is killed.

use crate::http::Answer;
use crate::occi::body;
use crate::rehearsal::{scenario, test};
use crate::server::{Server, eventually};
use occi_guest::Guest;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

const STACK: &str = r#"Category: stack; scheme="http://example.com/stack#"; class="kind""#;
const ROPE: &str = "http://example.com/rope#rope";

const MANIFEST: &str = r#"
    [extension]
    name = "stack"
    version = "0.1.0"
    [capabilities.entities]
    links = ["http://example.com/rope#rope"]
    [[kind]]
    term = "stack"
    scheme = "http://example.com/stack#"
    parent = "http://schemas.ogf.org/occi/core#resource"
    location = "/stack/"
    [kind.attributes]
    "com.example.net" = { type = "string", mutable = true }
    "com.example.rope" = { type = "string" }
    "com.example.cut" = { type = "string" }
    "com.example.seen" = { type = "string" }
    [[kind.action]]
    term = "cut"
    scheme = "http://example.com/stack/action#"
    [[kind.action]]
    term = "many"
    scheme = "http://example.com/stack/action#"
"#;

/// A new stack is linked to the net that it names. `cut` ends that link, `many` wants 17 more. Where a link is refused it asks
/// again, and tells why it may not any more.
fn stack() -> Guest {
    let body = format!(
        r#"
        (import "occi:extension/entities@0.1.0" "link" (func $link (param i32 i32 i32 i32 i32 i32 i32)))
        (import "occi:extension/entities@0.1.0" "unlink" (func $unlink (param i32 i32 i32)))
        (import "occi:extension/types@0.1.0" "[method]entity.get" (func $get (param i32 i32 i32 i32)))
        (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
        (data (i32.const 64) "com.example.net")
        (data (i32.const 96) "com.example.rope")
        (data (i32.const 128) "com.example.cut")
        (data (i32.const 160) "com.example.seen")
        (data (i32.const 192) "{ROPE}")
        ;; The fault at 2308 is the answer.
        (func $refuse (result i32)
            (i32.store8 (i32.const 1024) (i32.const 1))
            (memory.copy (i32.const 1032) (i32.const 2308) (i32.const 28))
            (i32.const 1024))
        ;; An attribute gets a text.
        (func $set (param $name i32) (param $length i32) (param $text i32) (param $size i32) (result i32)
            (i32.store (i32.const 1032) (i32.const 3072))
            (i32.store (i32.const 1036) (i32.const 1))
            (i32.store (i32.const 3072) (local.get $name))
            (i32.store (i32.const 3076) (local.get $length))
            (i32.store (i32.const 3088) (local.get $text))
            (i32.store (i32.const 3092) (local.get $size))
            (i32.const 1024))
        ;; Asks for a link to the net, whose name is at 2064; the answer is at 2304.
        (func $ask
            (call $link (i32.const 192) (i32.const {rope}) (i32.load (i32.const 2064)) (i32.load (i32.const 2068))
                (i32.const 0) (i32.const 0) (i32.const 2304)))
        ;; Whether there is a net.
        (func $net (param $subject i32) (result i32)
            (call $get (local.get $subject) (i32.const 64) (i32.const 15) (i32.const 2048))
            (i32.load8_u (i32.const 2048)))
        (func $linked (result i32)
            (call $set (i32.const 96) (i32.const 16) (i32.load (i32.const 2308)) (i32.load (i32.const 2312))))
        (func (export "occi:extension/lifecycle@0.1.0#create")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (if (call $net (local.get $subject)) (then
                (call $ask)
                (call $done (local.get $subject))
                (if (i32.load8_u (i32.const 2304)) (then (return (call $refuse))))
                (return (call $linked))))
            (call $done (local.get $subject))
            (i32.const 1024))
        (func (export "occi:extension/lifecycle@0.1.0#update")
            (param i32 i32 i32 i32) (param $subject i32) (param i32 i32) (result i32)
            (call $done (local.get $subject))
            (i32.const 1024))
        (func (export "occi:extension/lifecycle@0.1.0#delete")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (call $done (local.get $subject))
            (i32.const 1024))
        (func (export "occi:extension/actions@0.1.0#act")
            (param i32 i32 i32 i32) (param $subject i32) (param $action i32) (param i32 i32 i32) (result i32)
            (local $times i32)
            (if (i32.eq (i32.load8_u (local.get $action)) (i32.const 109)) (then
                (drop (call $net (local.get $subject)))
                (call $done (local.get $subject))
                (loop $more
                    (call $ask)
                    (if (i32.load8_u (i32.const 2304)) (then (return (call $refuse))))
                    (local.set $times (i32.add (local.get $times) (i32.const 1)))
                    (br_if $more (i32.lt_u (local.get $times) (i32.const 17))))
                (return (i32.const 1024))))
            (call $get (local.get $subject) (i32.const 96) (i32.const 16) (i32.const 2048))
            (call $done (local.get $subject))
            (call $unlink (i32.load (i32.const 2064)) (i32.load (i32.const 2068)) (i32.const 2304))
            (if (i32.load8_u (i32.const 2304)) (then (return (call $refuse))))
            (call $set (i32.const 128) (i32.const 15) (i32.load (i32.const 2064)) (i32.load (i32.const 2068))))
        (func (export "occi:extension/observe@0.1.0#observe")
            (param i32 i32) (param $subject i32) (param $cause i32) (param i32) (result i32)
            ;; `refused` is the one whose third letter is an f
            (if (i32.ne (i32.load8_u offset=2 (local.get $cause)) (i32.const 102)) (then
                (call $done (local.get $subject))
                (return (i32.const 1024))))
            (drop (call $net (local.get $subject)))
            (call $done (local.get $subject))
            (call $ask)
            (if (i32.load8_u (i32.const 2304)) (then
                (return (call $set (i32.const 160) (i32.const 16)
                    (i32.load (i32.const 2308)) (i32.load (i32.const 2312))))))
            (call $linked))
        "#,
        rope = ROPE.len(),
    );
    Guest {
        world: "import occi:extension/types@0.1.0; import occi:extension/entities@0.1.0; \
                export occi:extension/lifecycle@0.1.0; export occi:extension/actions@0.1.0; \
                export occi:extension/observe@0.1.0;",
        body,
        manifest: Some(MANIFEST.into()),
    }
}

/// Refuses a link to a net whose name ends in an `x`.
fn rope() -> Guest {
    let body = r#"
        (import "occi:extension/types@0.1.0" "[method]entity.target" (func $target (param i32 i32)))
        (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
        (data (i32.const 64) "conflict")
        (data (i32.const 96) "no rope holds there")
        (func (export "occi:extension/lifecycle@0.1.0#create")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (call $target (local.get $subject) (i32.const 2048))
            (call $done (local.get $subject))
            (if (i32.eq (i32.const 120) (i32.load8_u (i32.sub
                (i32.add (i32.load (i32.const 2052)) (i32.load (i32.const 2056))) (i32.const 1)))) (then
                (i32.store8 (i32.const 1024) (i32.const 1))
                (i32.store (i32.const 1032) (i32.const 64))
                (i32.store (i32.const 1036) (i32.const 8))
                (i32.store (i32.const 1040) (i32.const 96))
                (i32.store (i32.const 1044) (i32.const 19))))
            (i32.const 1024))
        (func (export "occi:extension/lifecycle@0.1.0#update")
            (param i32 i32 i32 i32) (param $subject i32) (param i32 i32) (result i32)
            (call $done (local.get $subject))
            (i32.const 1024))
        (func (export "occi:extension/lifecycle@0.1.0#delete")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (call $done (local.get $subject))
            (i32.const 1024))
    "#;
    let manifest = r#"
        [extension]
        name = "rope"
        version = "0.1.0"
        [[kind]]
        term = "rope"
        scheme = "http://example.com/rope#"
        parent = "http://schemas.ogf.org/occi/core#link"
        location = "/rope/"
    "#;
    Guest {
        world: "import occi:extension/types@0.1.0; export occi:extension/lifecycle@0.1.0;",
        body: body.into(),
        manifest: Some(manifest.into()),
    }
}

const NET: &str = r#"
    [extension]
    name = "net"
    version = "0.1.0"
    [[kind]]
    term = "net"
    scheme = "http://example.com/net#"
    parent = "http://schemas.ogf.org/occi/core#resource"
    location = "/net/"
"#;

fn lay_out(folder: &Path) {
    std::fs::write(folder.join("stack.wasm"), stack().build()).unwrap();
    std::fs::write(folder.join("rope.wasm"), rope().build()).unwrap();
    std::fs::write(folder.join("net.toml"), NET).unwrap();
}

/// One with the nets `/net/a` and `/net/x`.
fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path());
    let server = Server::of(&folder, "");
    for name in ["a", "x"] {
        let net = r#"Category: net; scheme="http://example.com/net#"; class="kind""#;
        server.put(&format!("/net/{name}")).text(net).answers(201);
    }
    (server, folder)
}

fn description(net: &str) -> String {
    body(&[STACK], &[&format!("com.example.net={net:?}")])
}

fn act(server: &Server, stack: &str, action: &str) -> Answer {
    let category =
        format!(r#"Category: {action}; scheme="http://example.com/stack/action#"; class="action""#);
    server.post(&format!("{stack}?action={action}")).text(category).send()
}

fn text(answer: &Answer, name: &str) -> Option<String> {
    Some(answer.attribute(&format!("com.example.{name}"))?.trim_matches('"').to_owned())
}

fn is_there(server: &Server, path: &str) -> bool {
    server.get(path).send().status == 200
}

/// The ropes that there are.
fn ropes(server: &Server) -> usize {
    server.get("/rope/").accept("text/uri-list").answers(200).body.lines().count()
}

#[test]
fn a_link_is_made_with_the_request_that_asks_for_it_or_not_at_all() {
    let (server, _folder) = server();
    let stack = server.post("/stack/").text(description("/net/a")).answers(201).location();
    let rope = text(&server.get(&stack).answers(200), "rope").unwrap();
    eventually("the link is made", || is_there(&server, &rope));
    let link = server.get(&rope).answers(200);
    assert_eq!(link.attribute("occi.core.source"), Some(&*format!("{stack:?}")), "{link}");
    assert_eq!(link.attribute("occi.core.target"), Some("\"/net/a\""), "{link}");

    // What is refused at once is the request's answer, and leaves nothing.
    let missing = server.post("/stack/").text(description("/net/b")).send();
    assert!(missing.status == 409 && missing.body.contains("nothing at /net/b"), "{missing}");
    let many = act(&server, &stack, "many");
    assert!(many.status == 400 && many.body.contains("16 links"), "{many}");

    act(&server, &stack, "cut").is(200);
    eventually("the link has gone", || !is_there(&server, &rope));
    // Twice does no harm.
    act(&server, &stack, "cut").is(200);
    assert_eq!(ropes(&server), 0);
    assert!(!server.log().contains(" WARN "), "{}", server.log());
}

/// Who asks again each time that it is refused may do so a few times.
#[test]
fn what_is_refused_later_is_told_and_does_not_go_on_for_ever() {
    let (mut server, _folder) = server();
    let stack = server.post("/stack/").text(description("/net/x")).answers(201).location();
    let seen = |server: &Server| text(&server.get(&stack).answers(200), "seen");
    eventually("it may not ask any more", || seen(&server).as_deref() == Some("denied"));
    let refused = |server: &Server| {
        let log = server.log();
        let lines =
            log.lines().filter(|line| line.contains("was refused: extension rope: no rope holds there"));
        assert!(lines.clone().all(|line| line.contains("extension=\"stack\"")), "{log}");
        lines.count()
    };
    assert_eq!((refused(&server), ropes(&server)), (4, 0));
    // Nothing of it is left.
    server.restart();
    assert_eq!((refused(&server), ropes(&server)), (4, 0));
}

/// What the server says of its stacks and ropes.
struct Listed {
    /// Those with a net that holds ropes: where theirs are to be, and whether they are cut.
    stacks: BTreeMap<String, (String, bool)>,
    /// What they leave, by where they are.
    ropes: BTreeMap<String, String>,
    /// Whether a stack whose net holds no rope has not asked to the end.
    is_asking: bool,
}

fn list(server: &Server) -> Listed {
    let all = server.get("/").accept("application/json").answers(200).json();
    let path = |text: &Value| {
        let text = text.as_str().unwrap();
        text.strip_prefix(server.base()).unwrap_or(text).to_owned()
    };
    let place = |above: &str, entity: &Value| {
        format!("{above}{}", entity["id"].as_str().unwrap().trim_start_matches("urn:uuid:"))
    };
    let entities = |name: &str| all.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (mut stacks, mut is_asking) = (BTreeMap::new(), false);
    for stack in entities("resources") {
        let attributes = &stack["attributes"];
        if attributes.get("com.example.net").is_some_and(|net| net == "/net/x") {
            is_asking |= attributes.get("com.example.seen").is_none_or(|seen| seen != "denied");
        } else if let Some(rope) = stack["attributes"].get("com.example.rope") {
            let is_cut = stack["attributes"].get("com.example.cut").is_some();
            stacks.insert(place("/stack/", &stack), (path(rope), is_cut));
        }
    }
    let links = entities("links").into_iter();
    let ropes = links.map(|rope| (place("/rope/", &rope), path(&rope["source"]["location"]))).collect();
    Listed { stacks, ropes, is_asking }
}

/// Each stack that is not cut has the one link that it was told it would have, and no other has any; and those whose net
/// holds no rope have asked for as long as they may.
fn is_settled(Listed { stacks, ropes, is_asking }: &Listed) -> bool {
    let wanted = stacks.iter().filter(|(_, (_, is_cut))| !is_cut);
    let wanted: BTreeMap<_, _> = wanted.map(|(stack, (rope, _))| (rope.clone(), stack.clone())).collect();
    wanted == *ropes && !is_asking
}

#[test]
fn links_are_neither_lost_nor_doubled_however_often_the_server_is_killed() {
    let kills = std::env::var("OCCI_TEST_KILLS").map_or(15, |kills| kills.parse::<u64>().unwrap());
    let (mut server, _folder) = server();
    let acknowledged = Mutex::new(BTreeSet::new());
    for kill in 0..kills {
        std::thread::scope(|scope| {
            for client in 0..4 {
                let (server, acknowledged) = (&server, &acknowledged);
                scope.spawn(move || {
                    for number in 0.. {
                        let is_in_vain = (number + client) % 8 == 7;
                        let net = if is_in_vain { "/net/x" } else { "/net/a" };
                        let made = server.post("/stack/").text(description(net)).try_send();
                        let Ok(made) = made else { return };
                        let stack = made.is(201).location();
                        if is_in_vain {
                            continue;
                        }
                        acknowledged.lock().unwrap().insert(stack.clone());
                        if (number + client) % 3 == 0 {
                            let cut =
                                r#"Category: cut; scheme="http://example.com/stack/action#"; class="action""#;
                            let done = server.post(&format!("{stack}?action=cut")).text(cut).try_send();
                            let Ok(done) = done else { return };
                            done.is(200);
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(20 + kill * 37 % 130));
            server.send_kill();
        });
        server.kill();
        server.begin();
        // A rope that no stack wants, or a second one, would be seen here and never go.
        eventually("all links are as they were asked for", || is_settled(&list(&server)));
        let stacks = list(&server).stacks;
        assert!(acknowledged.lock().unwrap().iter().all(|stack| stacks.contains_key(stack)), "one is lost");
    }
    assert!(list(&server).ropes.len() > 1, "there were some");
    server.delete("/stack/").answers(200);
    assert_eq!(ropes(&server), 0);
    let log = server.log();
    let complaints = log.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR "));
    let expected = ["was not closed properly", "no rope holds there"];
    let complaints: Vec<_> =
        complaints.filter(|line| !expected.iter().any(|expected| line.contains(expected))).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A step is over when the links are made that it has asked for.
#[test]
fn a_rehearsal_waits_for_links_and_lets_them_fail() {
    let (folder, file) = scenario(
        r#"
        with = ["rope.wasm", "net.toml"]
        [[step]]
        request = "PUT /net/a"
        body = 'Category: net; scheme="http://example.com/net#"; class="kind"'
        [[step]]
        request = "POST /stack/"
        body = '''
Category: stack; scheme="http://example.com/stack#"; class="kind"
X-OCCI-Attribute: com.example.net="/net/a"
'''
        save.stack = "Location"
        [[step]]
        request = "GET {{stack}}"
        save.rope = "com.example.rope"
        [[step]]
        request = "GET {{rope}}"
        expect.shows = ['X-OCCI-Attribute: occi.core.target="/net/a"']
        [[step]]
        request = "POST {{stack}}?action=cut"
        body = 'Category: cut; scheme="http://example.com/stack/action#"; class="action"'
        expect.status = 403
        [[step.fault]]
        capability = "entities"
        function = "unlink"
        code = "denied"
        [[step]]
        request = "POST {{stack}}?action=cut"
        body = 'Category: cut; scheme="http://example.com/stack/action#"; class="action"'
        [[step]]
        request = "GET {{rope}}"
        expect.status = 404
        [[step]]
        request = "POST /stack/"
        body = '''
Category: stack; scheme="http://example.com/stack#"; class="kind"
X-OCCI-Attribute: com.example.net="/net/a"
'''
        expect.status = 409
        [[step.fault]]
        capability = "entities"
        function = "link"
        code = "conflict"
        "#,
    );
    lay_out(folder.path());
    let (is_well, said) = test(&folder.path().join("stack.wasm"), &[&file]);
    assert!(is_well, "{said}");
}

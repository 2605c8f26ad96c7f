//! The C SDK, by an extension that uses all of it (sdk/c/tests/echo) and is compiled by `cargo xtask test`.

use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, eventually, extensions};
use serde_json::json;
use tempfile::TempDir;

const ECHO: &str = r#"Category: echo; scheme="http://example.com/echo#"; class="kind""#;
const TEXT: &str = "com.example.echoed.text";

fn server() -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let built = extensions().with_file_name("test-extensions").join("echo.wasm");
    std::fs::copy(built, folder.path().join("echo.wasm")).expect("`cargo xtask test` makes it");
    (Server::of(&folder, ""), folder)
}

fn echo(server: &Server, attributes: &[&str]) -> String {
    server.post("/echo/").text(body(&[ECHO], attributes)).answers(201).location()
}

fn act(server: &Server, path: &str, term: &str, parameters: &[&str]) -> Answer {
    let category = format!(r#"Category: {term}; scheme="http://example.com/echo/action#"; class="action""#);
    server.post(&format!("{path}?action={term}")).text(body(&[&category], parameters)).send()
}

#[test]
fn attributes_of_every_type_go_both_ways() {
    let (server, _folder) = server();
    let said = json!({
        "com.example.echo.text": "ä \"x\"",
        "com.example.echo.integer": i64::MIN,
        "com.example.echo.number": -0.125,
        "com.example.echo.boolean": true,
        "com.example.echo.array": [1, "x", {"y": false}],
    });
    let item = json!({
        "kind": "http://example.com/echo#echo",
        "mixins": ["http://example.com/echo#loud"],
        "attributes": said,
    });
    server.put("/echo/one").body("application/occi+json", item.to_string()).answers(201);
    let shown = server.get("/echo/one").accept("application/occi+json").answers(200).json();
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(shown["attributes"][name.replace("echo", "echoed")], *value, "{name}");
    }
    assert_eq!(shown["attributes"]["com.example.echoed.loud"], true);

    for figure in ["made_total{0} 2", "last{0} -0.125"] {
        let line = figure.replace("{0}", "{extension=\"echo\",tenant=\"default\"}");
        assert!(server.metrics().contains(&line), "{line}: {}", server.metrics());
    }

    // What an update says goes over what is shown; and an empty text is one.
    let updated = server.post("/echo/one").text(body(&[], &["com.example.echo.text=\"\""])).answers(200);
    assert_eq!(updated.attribute(TEXT), Some("\"\""));
    assert_eq!(updated.attribute("com.example.echoed.number"), Some("-0.125"));
    eventually("it is observed again", || {
        server.get("/echo/one").answers(200).attribute("com.example.echoed.cause") == Some("\"timer\"")
    });
}

/// What an extension wants to be asked later is asked, though the server is killed meanwhile.
#[test]
fn a_timer_outlives_the_server() {
    let (mut server, _folder) = server();
    let path = echo(&server, &[]);
    server.kill_and_restart();
    eventually("it is observed again", || {
        server.get(&path).answers(200).attribute("com.example.echoed.cause") == Some("\"timer\"")
    });
}

/// Calls for different entities that write one key at once: no one's is lost.
#[test]
fn no_write_is_lost() {
    let (server, _folder) = server();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let path = echo(&server, &[]);
                for _ in 0..25 {
                    act(&server, &path, "count", &[]).is(200);
                }
            });
        }
    });
    let last = act(&server, &echo(&server, &[]), "count", &[]).is(200);
    assert_eq!(last.attribute("com.example.echoed.keys"), Some("201"));
}

/// No C string can hold it, and half of it would be another text.
#[test]
fn a_text_with_a_zero_byte_is_none() {
    let (server, _folder) = server();
    let item =
        json!({"kind": "http://example.com/echo#echo", "attributes": {"com.example.echo.text": "a\0b"}});
    server.put("/echo/one").body("application/occi+json", item.to_string()).answers(201);
    assert_eq!(server.get("/echo/one").answers(200).attribute(TEXT), None);
}

#[test]
fn keys_are_written_read_listed_and_deleted() {
    let (server, _folder) = server();
    let path = echo(&server, &[]);
    // More than a page of them, and none.
    for (count, left) in [("count=350", "349"), ("count=0", "349")] {
        let kept = act(&server, &path, "keep", &[count]).is(200);
        assert_eq!(kept.attribute("com.example.echoed.keys"), Some(left));
    }
}

#[test]
fn faults_of_capabilities_are_handed_on_and_a_trap_is_contained() {
    let (server, _folder) = server();
    let path = echo(&server, &[]);
    let refused = act(&server, &path, "refuse", &["how=\"store\""]).is(409);
    assert!(refused.body.contains("no key-value store of that name"), "{refused}");
    let refused = act(&server, &path, "refuse", &["how=\"volume\""]).is(409);
    assert!(refused.body.contains("volume"), "{refused}");
    let refused = act(&server, &path, "refuse", &["how=\"usage\""]).is(409);
    assert!(refused.body.contains("no machine"), "{refused}");
    let refused = act(&server, &path, "refuse", &["how=\"readings\""]).is(409);
    assert!(refused.body.contains("no machine"), "{refused}");
    let refused = act(&server, &path, "refuse", &["how=\"figure\""]).is(403);
    assert!(refused.body.contains("does not declare"), "{refused}");
    act(&server, &path, "refuse", &["how=\"trap\""]).is(500);
    act(&server, &path, "keep", &["count=1"]).is(200);
}

//! The JavaScript SDK, by two extensions that use all of it (sdk/javascript/tests/{mirror,herald}) and are made by `cargo xtask
//! test`. One server for each: an engine comes with the extension, and to compile it takes seconds.

use crate::elsewhere::Elsewhere;
use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, eventually, extensions};
use serde_json::{Value, json};

const MIRROR: &str = r#"Category: mirror; scheme="http://example.com/mirror#"; class="kind""#;

fn act(server: &Server, path: &str, term: &str, parameter: &str) -> Answer {
    let category = format!(r#"Category: {term}; scheme="http://example.com/mirror/action#"; class="action""#);
    server.post(&format!("{path}?action={term}")).text(body(&[&category], &[parameter])).send()
}

#[test]
fn all_that_the_sdk_has() {
    let folder = tempfile::tempdir().unwrap();
    let built = extensions().with_file_name("test-extensions").join("mirror.wasm");
    std::fs::copy(built, folder.path().join("mirror.wasm")).expect("`cargo xtask test` makes it");
    let server = Server::of(&folder, "[settings.mirror]\ngreeting = \"good morning\"\n");
    attributes_of_every_type_go_both_ways(&server);
    keys_are_written_read_listed_and_deleted(&server);
    what_is_refused_thrown_or_exhausted_ends_that_request_alone(&server);
}

fn attributes_of_every_type_go_both_ways(server: &Server) {
    let said = json!({
        "com.example.mirror.text": "ä \"x\" \u{1f600}",
        "com.example.mirror.integer": i64::MIN,
        "com.example.mirror.number": -0.125,
        "com.example.mirror.boolean": true,
        "com.example.mirror.array": [1, "x", {"y": false}],
    });
    let item = json!({
        "kind": "http://example.com/mirror#mirror",
        "mixins": ["http://example.com/mirror#loud"],
        "attributes": said,
    });
    server.put("/mirror/one").body("application/occi+json", item.to_string()).answers(201);
    let shown = server.get("/mirror/one").accept("application/occi+json").answers(200).json();
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(shown["attributes"][name.replace("mirror", "mirrored")], *value, "{name}");
    }
    assert_eq!(shown["attributes"]["com.example.mirrored.loud"], true);
    assert_eq!(shown["attributes"]["com.example.mirrored.greeting"], "good morning");
    assert!(server.log().contains("/mirror/one is made"), "{}", server.log());

    for figure in ["made_total{0} 2", "last{0} -0.125"] {
        let line = figure.replace("{0}", "{extension=\"mirror\",tenant=\"default\"}");
        assert!(server.metrics().contains(&line), "{line}: {}", server.metrics());
    }

    // What an update says goes over what is shown; an empty text is one, and a whole number is a number.
    let (text, number) = ("com.example.mirror.text=\"\"", "com.example.mirror.number=3");
    let updated = server.post("/mirror/one").text(body(&[], &[text, number])).answers(200);
    assert_eq!(updated.attribute("com.example.mirrored.text"), Some("\"\""));
    assert_eq!(updated.attribute("com.example.mirrored.number"), Some("3.0"));
    assert_eq!(updated.attribute("com.example.mirrored.boolean"), Some("true"));
    eventually("it is observed again", || {
        server.get("/mirror/one").answers(200).attribute("com.example.mirrored.cause") == Some("\"timer\"")
    });
}

fn keys_are_written_read_listed_and_deleted(server: &Server) {
    let path = server.post("/mirror/").text(body(&[MIRROR], &[])).answers(201).location();
    // More than a page of them, and none.
    for (count, left) in [("count=350", "349"), ("count=0", "349")] {
        let kept = act(server, &path, "keep", count).is(200);
        assert_eq!(kept.attribute("com.example.mirrored.keys"), Some(left));
    }
}

fn what_is_refused_thrown_or_exhausted_ends_that_request_alone(server: &Server) {
    let path = server.post("/mirror/").text(body(&[MIRROR], &[])).answers(201).location();
    for (how, status, why) in [
        ("store", 409, "no key-value store of that name"),
        ("volume", 409, "volume"),
        ("usage", 409, "no machine"),
        ("readings", 409, "no machine"),
        ("figure", 403, "does not declare"),
        ("slip", 500, "TypeError"),
        // The engine would answer with the time of the build, and with the same number in each call.
        ("clock", 500, "there is no clock"),
        ("chance", 500, "there is no chance"),
        ("recursion", 500, "too much recursion"),
    ] {
        let refused = act(server, &path, "refuse", &format!("how={how:?}")).is(status);
        assert!(refused.body.contains(why), "{refused}");
    }
    act(server, &path, "refuse", "how=\"loop\"").is(503);
    act(server, &path, "refuse", "how=\"memory\"").is(500);
    act(server, &path, "keep", "count=1").is(200);
}

#[test]
fn clocks_randomness_and_other_servers() {
    let folder = tempfile::tempdir().unwrap();
    let built = extensions().with_file_name("test-extensions").join("herald.wasm");
    std::fs::copy(built, folder.path().join("herald.wasm")).expect("`cargo xtask test` makes it");
    let elsewhere =
        Elsewhere::start(|asked| (418, format!("{} {}", asked.body.len(), asked.headers.join("\n"))));
    let mut server = Server::of(&folder, &elsewhere.grant("herald", folder.path()));
    server.put("/herald/one").text(body(&[HERALD], &[])).answers(201);
    clocks_go_and_chance_differs_from_call_to_call(&mut server);
    servers_are_asked_where_the_operator_lets_it(&server, &elsewhere);
}

const HERALD: &str = r#"Category: herald; scheme="http://example.com/herald#"; class="kind""#;

fn herald(server: &Server, term: &str, parameters: &[&str]) -> Answer {
    let category = format!(r#"Category: {term}; scheme="http://example.com/herald/action#"; class="action""#);
    server.post(&format!("/herald/one?action={term}")).text(body(&[&category], parameters)).send()
}

fn found(server: &Server) -> Value {
    let mut shown = server.get("/herald/one").accept("application/occi+json").answers(200).json();
    shown["attributes"]["com.example.herald.answer"].take()
}

fn clocks_go_and_chance_differs_from_call_to_call(server: &mut Server) {
    let look = |server: &Server| {
        herald(server, "look", &[]).is(200);
        found(server)
    };
    let [first, second] = [(); 2].map(|()| look(server));
    // Each server begins with the engine as it was built.
    server.restart();
    for (one, other) in [(&first, &second), (&second, &look(server))] {
        assert!(one["now"].as_str() < other["now"].as_str(), "{one} {other}");
        let [drawn, again] = [one, other].map(|seen| seen["drawn"].as_array().unwrap());
        assert_eq!((drawn.len(), again.len()), (3, 3));
        assert!(drawn.iter().zip(again).all(|(one, other)| one != other), "{one} {other}");
    }
}

fn servers_are_asked_where_the_operator_lets_it(server: &Server, elsewhere: &Elsewhere) {
    let url = format!("url=\"{}/a?b=c\"", elsewhere.url());
    // None, and more than a stream takes at a time.
    for size in [0, 100_000] {
        herald(server, "ask", &[&url, "method=\"POST\"", &format!("size={size}")]).is(200);
        let (asked, answer) = (elsewhere.asked().remove(0), found(server));
        assert_eq!((&*asked.method, &*asked.path, asked.body.len()), ("POST", "/a?b=c", size));
        assert_eq!(answer["status"], 418);
        assert!(answer["body"].as_str().unwrap().contains("authorization: Bearer s3cret"), "{answer}");
    }
    for (url, status, why) in [
        ("http://127.0.0.1:1/", 403, "does not let the extension ask that server"),
        ("nowhere", 400, "no URL with a scheme and a host"),
    ] {
        let refused = herald(server, "ask", &[&format!("url=\"{url}\"")]).is(status);
        assert!(refused.body.contains(why), "{refused}");
    }
}

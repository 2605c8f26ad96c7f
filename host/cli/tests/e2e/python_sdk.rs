//! The Python SDK, by two extensions that use all of it (sdk/python/tests/{replica,envoy}) and are made by `cargo xtask test`.
//! One server for each: an interpreter comes with the extension, and to compile it takes seconds.

use crate::elsewhere::Elsewhere;
use crate::http::Answer;
use crate::occi::body;
use crate::server::{Server, eventually, extensions};
use serde_json::{Value, json};

const REPLICA: &str = r#"Category: replica; scheme="http://example.com/replica#"; class="kind""#;

fn act(server: &Server, path: &str, term: &str, parameter: &str) -> Answer {
    let category =
        format!(r#"Category: {term}; scheme="http://example.com/replica/action#"; class="action""#);
    server.post(&format!("{path}?action={term}")).text(body(&[&category], &[parameter])).send()
}

#[test]
fn all_that_the_sdk_has() {
    let folder = tempfile::tempdir().unwrap();
    let built = extensions().with_file_name("test-extensions").join("replica.wasm");
    std::fs::copy(built, folder.path().join("replica.wasm")).expect("`cargo xtask test` makes it");
    let server = Server::of(&folder, "[settings.replica]\ngreeting = \"good morning\"\n");
    attributes_of_every_type_go_both_ways(&server);
    keys_are_written_read_listed_and_deleted(&server);
    what_is_refused_thrown_or_exhausted_ends_that_request_alone(&server);
}

fn attributes_of_every_type_go_both_ways(server: &Server) {
    let said = json!({
        "com.example.replica.text": "ä \"x\" \u{1f600}",
        "com.example.replica.integer": i64::MIN,
        "com.example.replica.number": -0.125,
        "com.example.replica.boolean": true,
        "com.example.replica.array": [1, "x", {"y": false}],
    });
    let item = json!({
        "kind": "http://example.com/replica#replica",
        "mixins": ["http://example.com/replica#loud"],
        "attributes": said,
    });
    server.put("/replica/one").body("application/occi+json", item.to_string()).answers(201);
    let shown = server.get("/replica/one").accept("application/occi+json").answers(200).json();
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(shown["attributes"][name.replace("replica", "replicated")], *value, "{name}");
    }
    assert_eq!(shown["attributes"]["com.example.replicated.loud"], true);
    assert_eq!(shown["attributes"]["com.example.replicated.greeting"], "good morning");
    assert!(server.log().contains("/replica/one is made"), "{}", server.log());

    for figure in ["made_total{0} 2", "last{0} -0.125"] {
        let line = figure.replace("{0}", "{extension=\"replica\",tenant=\"default\"}");
        assert!(server.metrics().contains(&line), "{line}: {}", server.metrics());
    }

    // What an update says goes over what is shown; an empty text is one, and a whole number is a number.
    let (text, number) = ("com.example.replica.text=\"\"", "com.example.replica.number=3");
    let updated = server.post("/replica/one").text(body(&[], &[text, number])).answers(200);
    assert_eq!(updated.attribute("com.example.replicated.text"), Some("\"\""));
    assert_eq!(updated.attribute("com.example.replicated.number"), Some("3.0"));
    assert_eq!(updated.attribute("com.example.replicated.boolean"), Some("true"));
    eventually("it is observed again", || {
        server.get("/replica/one").answers(200).attribute("com.example.replicated.cause") == Some("\"timer\"")
    });
}

fn keys_are_written_read_listed_and_deleted(server: &Server) {
    let path = server.post("/replica/").text(body(&[REPLICA], &[])).answers(201).location();
    // More than a page of them, and none.
    for (count, left) in [("count=350", "349"), ("count=0", "349")] {
        let kept = act(server, &path, "keep", count).is(200);
        assert_eq!(kept.attribute("com.example.replicated.keys"), Some(left));
    }
}

fn what_is_refused_thrown_or_exhausted_ends_that_request_alone(server: &Server) {
    let path = server.post("/replica/").text(body(&[REPLICA], &[])).answers(201).location();
    for (how, status, why) in [
        ("store", 409, "no key-value store of that name"),
        ("volume", 409, "volume"),
        ("usage", 409, "no machine"),
        ("readings", 409, "no machine"),
        ("figure", 403, "does not declare"),
        ("slip", 500, "AttributeError"),
        // The interpreter would end the call without a word, or answer with the same number in each call.
        ("clock", 500, "there is no clock"),
        ("now", 500, "there is no clock"),
        ("chance", 500, "there is no chance"),
        ("secret", 500, "there is no chance"),
        ("file", 500, "there is no file"),
        ("late", 500, "import it at the head of a module"),
        ("recursion", 500, "RecursionError"),
        ("memory", 500, "MemoryError"),
    ] {
        let refused = act(server, &path, "refuse", &format!("how={how:?}")).is(status);
        assert!(refused.body.contains(why), "{refused}");
    }
    act(server, &path, "refuse", "how=\"loop\"").is(503);
    act(server, &path, "keep", "count=1").is(200);
}

#[test]
fn clocks_randomness_and_other_servers() {
    let folder = tempfile::tempdir().unwrap();
    let built = extensions().with_file_name("test-extensions").join("envoy.wasm");
    std::fs::copy(built, folder.path().join("envoy.wasm")).expect("`cargo xtask test` makes it");
    let elsewhere =
        Elsewhere::start(|asked| (418, format!("{} {}", asked.body.len(), asked.headers.join("\n"))));
    let server = Server::of(&folder, &elsewhere.grant("envoy", folder.path()));
    server.put("/envoy/one").text(body(&[ENVOY], &[])).answers(201);
    clocks_go_and_chance_differs_from_call_to_call(&server);
    servers_are_asked_where_the_operator_lets_it(&server, &elsewhere);
}

const ENVOY: &str = r#"Category: envoy; scheme="http://example.com/envoy#"; class="kind""#;

fn envoy(server: &Server, term: &str, parameters: &[&str]) -> Answer {
    let category = format!(r#"Category: {term}; scheme="http://example.com/envoy/action#"; class="action""#);
    server.post(&format!("/envoy/one?action={term}")).text(body(&[&category], parameters)).send()
}

fn found(server: &Server) -> Value {
    let mut shown = server.get("/envoy/one").accept("application/occi+json").answers(200).json();
    shown["attributes"]["com.example.envoy.answer"].take()
}

fn clocks_go_and_chance_differs_from_call_to_call(server: &Server) {
    let [first, second] = [(); 2].map(|()| {
        envoy(server, "look", &[]).is(200);
        found(server)
    });
    assert!(first["now"].as_str() < second["now"].as_str(), "{first} {second}");
    for (one, other) in first["drawn"].as_array().unwrap().iter().zip(second["drawn"].as_array().unwrap()) {
        assert_ne!(one, other);
    }
}

fn servers_are_asked_where_the_operator_lets_it(server: &Server, elsewhere: &Elsewhere) {
    let url = format!("url=\"{}/a?b=c\"", elsewhere.url());
    // More than a stream takes at a time.
    envoy(server, "ask", &[&url, "method=\"POST\"", "size=100000"]).is(200);
    let (asked, answer) = (elsewhere.asked().remove(0), found(server));
    assert_eq!((&*asked.method, &*asked.path, asked.body.len()), ("POST", "/a?b=c", 100_000));
    assert_eq!(answer["status"], 418);
    assert!(answer["body"].as_str().unwrap().contains("authorization: Bearer s3cret"), "{answer}");
    for (url, status, why) in [
        ("http://127.0.0.1:1/", 403, "does not let the extension ask that server"),
        ("nowhere", 400, "no URL with a scheme and a host"),
    ] {
        let refused = envoy(server, "ask", &[&format!("url=\"{url}\"")]).is(status);
        assert!(refused.body.contains(why), "{refused}");
    }
}

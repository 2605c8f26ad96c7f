//! What every refusal has: its status, and a message that says what to change, as the client speaks.

use crate::http::Request;
use crate::occi::{NOTE, body, kind, kind_id};
use crate::server::Server;
use serde_json::json;

/// HTTP section 3: a request that is refused, with the status and a part of the message.
type Case<'a> = (&'static str, Box<dyn Fn() -> Request + 'a>, u16, &'static str);

fn cases<'a>(server: &'a Server, note: &'a str, compute: &'a str) -> Vec<Case<'a>> {
    let text = |method, path: &'a str, text: &'a str| -> Box<dyn Fn() -> Request + 'a> {
        Box::new(move || server.request(method, path).text(text))
    };
    vec![
        ("a line that is none", text("POST", "/note/", "Kategory: note"), 400, "line 1"),
        ("a quote that is open", text("POST", "/note/", "Category: note; scheme=\"x"), 400, "column"),
        (
            "JSON that ends early",
            Box::new(|| server.post("/note/").body("application/json", "{\"kind\"")),
            400,
            "line 1",
        ),
        (
            "JSON of another form",
            Box::new(|| server.post("/note/").body("application/json", "[1]")),
            400,
            "expected a string",
        ),
        (
            "bytes that are no text",
            Box::new(|| server.post("/note/").body("text/plain", &b"\xff\xfe"[..])),
            400,
            "UTF-8",
        ),
        ("a body with nothing", text("POST", "/note/", "\n"), 400, "Category"),
        (
            "an immutable attribute",
            text("POST", note, "X-OCCI-Attribute: com.example.note.words=9"),
            403,
            "immutable",
        ),
        ("nothing there", Box::new(|| server.get("/note/none")), 404, "/note/none"),
        ("nothing there to delete", Box::new(|| server.delete("/note/none")), 404, "/note/none"),
        (
            "nothing there to change",
            text("POST", "/note/none", "X-OCCI-Attribute: occi.core.title=\"x\""),
            404,
            "/note/none",
        ),
        ("PUT of a Kind", text("PUT", "/note/", NOTE), 405, "GET"),
        ("PUT of the query interface", text("PUT", "/-/", NOTE), 405, "POST"),
        ("a method that nobody knows", Box::new(move || server.request("PATCH", note)), 405, "PATCH"),
        (
            "an action in the wrong state",
            Box::new(move || {
                let stop = body(&[&crate::occi::action("compute", "stop")], &[]);
                server.post(&format!("{compute}?action=stop")).text(stop)
            }),
            409,
            "active",
        ),
        (
            "a revision of yesterday",
            Box::new(move || server.delete(note).header("If-Match", "\"9999p\"")),
            412,
            "fetch it again",
        ),
        ("a page too large", Box::new(|| server.get("/note/?page=1&number=99999999")), 413, "10000"),
        (
            "a body of another type",
            Box::new(|| server.post("/note/").body("image/png", "x")),
            415,
            "text/plain",
        ),
        (
            "a newer version",
            Box::new(|| server.get("/note/").header("User-Agent", "OCCI/1.3")),
            501,
            "OCCI/1.2",
        ),
    ]
}

/// Q-27, RFC 9457, README: one line in text renderings, a problem in JSON; the same message in both.
#[test]
fn every_refusal_says_what_to_change() {
    let server = Server::start();
    let (note, compute) = (server.note("a"), server.create("compute", &[]));
    for (what, request, status, said) in cases(&server, &note, &compute) {
        let text = request().accept("text/plain").answers(status);
        assert_eq!(text.header("content-type"), "text/plain", "{what}");
        assert!(text.body.contains(said), "{what}: {text}");
        assert_eq!(text.body.matches("\r\n").count(), 1, "one line: {text}");
        assert!(text.body.ends_with("\r\n"), "{text}");
        for media_type in ["application/occi+json", "application/json"] {
            let json = request().accept(media_type).answers(status);
            assert_eq!(json.header("content-type"), "application/problem+json", "{what}");
            let problem = json.json();
            assert_eq!(problem["status"], status, "{what}");
            assert_eq!(problem["detail"], text.body.trim_end(), "{what}");
            assert!(!problem["title"].as_str().unwrap().is_empty(), "{what}");
        }
        let occi = request().accept("text/occi").answers(status);
        assert_eq!(occi.body, text.body, "{what}: the headers have no place for a sentence");
    }
    assert_eq!(server.get("/").answers(200).locations().len(), 2, "nothing was done by any of them");
}

/// Q-22, H11-25: the Accept that nobody can serve is answered in text.
#[test]
fn an_unknown_rendering_is_406() {
    let server = Server::start();
    for accept in ["image/png", "application/xml;q=0.9", "text/plain;q=0"] {
        let answer = server.get("/note/").accept(accept).answers(406);
        assert!(answer.body.contains("application/occi+json"), "{answer}");
        assert_eq!(answer.header("content-type"), "text/plain");
    }
    server.post("/note/").accept("image/png").text(NOTE).answers(406);
    assert_eq!(server.get("/note/").answers(200).body, "", "said before anything is done");
}

/// RFC 9110: a 405 lists what is possible.
#[test]
fn method_not_allowed_lists_the_others() {
    let server = Server::start();
    for (method, path) in [("PUT", "/note/"), ("PUT", "/-/"), ("PATCH", "/"), ("TRACE", "/note/")] {
        let answer = server.request(method, path).answers(405);
        assert!(answer.header("allow").contains("GET"), "{answer}");
        assert!(!answer.header("allow").contains(method), "{answer}");
    }
}

/// TXT-06: an answer that does not fit into headers is refused, not cut; and a change that is done is told all the same.
#[test]
fn headers_are_not_cut() {
    let server = Server::start();
    let notes: Vec<_> = (0..250).map(|number| server.note(&number.to_string())).collect();
    let answer = server.get("/note/").accept("text/occi").answers(406);
    assert!(answer.body.contains("bytes"), "{answer}");
    // Whoever would take it in another form gets that.
    for others in ["text/occi, text/plain;q=0.9", "text/occi, */*;q=0.1"] {
        assert_eq!(server.get("/note/").accept(others).answers(200).locations(), notes);
    }
    server.get("/note/").accept("text/occi, application/occi+json;q=0.5").answers(200).json();
    assert_eq!(server.get("/note/").accept("text/plain").answers(200).locations(), notes);
    server.get("/note/?page=1&number=50").accept("text/occi").answers(200);
}

/// Status of the extension's own no.
#[test]
fn an_extension_says_no() {
    let server = Server::start();
    let answer =
        server.post("/network/").text(body(&[&kind("network")], &["occi.network.vlan=4095"])).answers(400);
    assert!(answer.body.contains("4094") && answer.body.contains("occi.network.vlan"), "{answer}");
}

/// What is wrong is named by its part of the request.
#[test]
fn a_part_of_a_request_is_named() {
    let server = Server::start();
    let compute = kind_id("compute");
    let batch = json!({"resources": [{"kind": compute}, {"kind": compute, "attributes": {"occi.compute.cores": "x"}}]});
    let answer = server.post("/compute/").json(&batch).answers(400);
    assert!(answer.body.contains("entity 2 of 2: occi.compute.cores takes an integer"), "{answer}");
    let wrong = json!({"kind": compute, "attributes": {"occi.compute.cores": 0}});
    let unknown = json!({"kind": "http://example.com/no#kind"});
    for (second, says) in [(wrong, "at least 1"), (unknown.clone(), "no#kind is not known")] {
        let first = if second == unknown { &unknown } else { &batch["resources"][1] };
        let answer =
            server.post("/").json(&json!({"resources": [first, {"kind": compute}, second]})).answers(400);
        let is_all = answer.body.contains("entity 1 of 3: ") && answer.body.contains("; entity 3 of 3: ");
        assert!(is_all && answer.body.contains(says) && !answer.body.contains("entity 2"), "{answer}");
    }
    let line = |rest: &str| format!("{}\nLink: </storage/1>{rest}\n", kind("compute"));
    for (rest, says) in [
        ("", "the link to `/storage/1`: its Kind is missing"),
        ("; category=\"http://example.com/no#link\"", "the link to `/storage/1`: the Kind is missing"),
        ("; category=\"http://example.com/no#link\"", "http://example.com/no#link is not known"),
    ] {
        let answer = server.post("/compute/").text(line(rest)).answers(400);
        assert!(answer.body.contains(says), "{answer}");
    }
    let answer =
        server.post("/compute/").text(body(&[&kind("compute")], &["occi.compute.cores=1e300"])).answers(400);
    assert!(answer.body.contains("not 1e300"), "{answer}");
    assert_eq!(server.get("/compute/").answers(200).body, "");
}

/// H11-02, Q-34: what may be another server's filter spares nothing here, so the request is refused and nothing is done.
#[test]
fn a_query_that_is_not_known_changes_nothing() {
    let server = Server::start();
    server.note("a");
    for query in ["q=occi.core.title=r0", "atribute=occi.core.title%3Dr0", "category"] {
        server.delete(&format!("/note/?{query}")).answers(400);
    }
    let stamp = "Category: stamp; scheme=\"http://example.com/occi/note/action#\"; class=\"action\"";
    server.post("/note/?action=stamp&q=a").text(stamp).answers(400);
    server.post("/note/?action=stamp&action=stamp").text(stamp).answers(400);
    server.get("/note/?page=1&page=2&number=1").answers(400);
    assert_eq!(server.get("/note/?_=1").answers(200).locations().len(), 1);
}

/// RFC 9110, section 8.4.1: what is encoded is not what it is encoded from.
#[test]
fn an_encoded_body_is_not_read() {
    let server = Server::start();
    let answer =
        server.post("/compute/").header("Content-Encoding", "gzip").text(kind("compute")).answers(415);
    assert!(answer.body.contains("Content-Encoding"), "{answer}");
    server.post("/compute/").header("Content-Encoding", "identity").text(kind("compute")).answers(201);
}

/// A browser on this machine reaches the server, whichever page it shows.
#[test]
fn pages_of_other_sites_change_nothing() {
    let server = Server::start();
    let note = server.note("a");
    let evil = ("Origin", "http://evil.example");
    for request in [
        server.post("/compute/").text(kind("compute")),
        server.delete(&note),
        server.post("/compute/").header("Host", "evil.example").text(kind("compute")),
    ] {
        let answer = request.header(evil.0, evil.1).answers(403);
        assert!(answer.body.contains("a page of another site"), "{answer}");
    }
    server.delete(&note).header("Sec-Fetch-Site", "cross-site").answers(403);
    server.get(&note).header(evil.0, evil.1).answers(200);
    assert_eq!(server.get("/compute/").answers(200).body, "");
    server.delete(&note).header("Origin", server.base()).header("Sec-Fetch-Site", "same-origin").answers(200);
}

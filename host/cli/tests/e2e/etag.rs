//! Conditional requests (RFC 9110, section 13), on entities that change by nobody else's hand.

use crate::occi::{NOTE, body};
use crate::server::Server;

const TEXT: &str = "com.example.note.text";

fn text(value: &str) -> String {
    body(&[], &[&format!("{TEXT}=\"{value}\"")])
}

/// A tag for each rendering; what the client has need not be sent.
#[test]
fn what_is_known_is_not_sent_again() {
    let server = Server::start();
    let note = server.note("a");
    let mut tags = Vec::new();
    for accept in ["text/plain", "text/occi", "application/occi+json"] {
        let tag = server.get(&note).accept(accept).answers(200).header("etag");
        assert!(tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".into()] {
            let answer = server.get(&note).accept(accept).header("If-None-Match", &known).answers(304);
            assert_eq!((answer.body.as_str(), answer.header("etag")), ("", tag.clone()));
            server.request("HEAD", &note).accept(accept).header("If-None-Match", &known).answers(304);
        }
        tags.push(tag);
    }
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{tags:?}");
    server.get(&note).accept("text/occi").header("If-None-Match", &tags[0]).answers(200);
    server.post(&note).text(text("b")).answers(200);
    let answer = server.get(&note).header("If-None-Match", &tags[0]).answers(200);
    assert_ne!(answer.header("etag"), tags[0]);
}

/// A change is made to what the client has seen, in whichever rendering, or not at all.
#[test]
fn a_change_can_be_bound_to_a_revision() {
    let server = Server::start();
    let note = server.note("a");
    let tag = |accept: &str| server.get(&note).accept(accept).answers(200).header("etag");
    let (stale, seen) = (tag("text/plain"), tag("application/occi+json"));
    let answer = server.post(&note).header("If-Match", &seen).text(text("b")).answers(200);
    assert_eq!(answer.header("etag"), tag("text/plain"), "the answer's tag is the new one");

    let full = body(&[NOTE], &[&format!("{TEXT}=\"c\"")]);
    let stamp = r#"Category: stamp; scheme="http://example.com/occi/note/action#"; class="action""#;
    let act = format!("{note}?action=stamp");
    for request in [
        server.post(&note).text(text("c")),
        server.put(&note).text(&full),
        server.post(&act).text(stamp),
        server.delete(&note),
    ] {
        request.header("If-Match", &stale).answers(412);
    }
    assert_eq!(server.get(&note).answers(200).attribute(TEXT), Some("\"b\""));
    server.put(&note).header("If-Match", &tag("text/plain")).text(&full).answers(200);
    server.post(&act).header("If-Match", &tag("text/occi")).text(stamp).answers(200);
    server.delete(&note).header("If-Match", &format!("\"1p\", {}", tag("text/plain"))).answers(200);
}

/// `*` stands for whether there is anything at all.
#[test]
fn a_put_can_be_bound_to_presence() {
    let server = Server::start();
    let note = body(&[NOTE], &[&format!("{TEXT}=\"a\"")]);
    server.put("/note/mine").header("If-Match", "*").text(&note).answers(412);
    server.get("/note/mine").answers(404);
    let made = server.put("/note/mine").header("If-None-Match", "*").text(&note).answers(201);
    assert_eq!(made.header("etag"), server.get("/note/mine").answers(200).header("etag"));
    server.put("/note/mine").header("If-None-Match", "*").text(&note).answers(412);
    server.put("/note/mine").header("If-Match", "*").text(&note).answers(200);
}

/// What a client sees of a resource includes its links, so its tag changes with them.
#[test]
fn a_link_changes_the_tag_of_its_source() {
    let server = Server::start();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let tag = |path: &str| server.get(path).answers(200).header("etag");
    let before = tag(&compute);
    let link = server.link("networkinterface", &compute, &network);
    let with = tag(&compute);
    assert_ne!(before, with);
    let mac = "occi.networkinterface.mac=\"52:54:00:aa:bb:cc\"";
    server.post(&link).text(body(&[], &[mac])).answers(200);
    let changed = tag(&compute);
    assert_ne!(with, changed);
    server.post(&compute).header("If-Match", &with).text(body(&[], &["occi.core.title=\"x\""])).answers(412);
    server.delete(&link).answers(200);
    assert_ne!(tag(&compute), changed);
}

/// RFC 9110, section 13.1.2: a change that is not to be made to what the client has seen, in whichever rendering.
#[test]
fn a_change_can_be_bound_to_another_revision() {
    let server = Server::start();
    let note = server.note("a");
    let seen = server.get(&note).accept("application/occi+json").answers(200).header("etag");
    let full = body(&[NOTE], &[&format!("{TEXT}=\"c\"")]);
    for tags in [seen.clone(), format!("W/{seen}"), format!("\"999999p\", {seen}"), "*".into()] {
        for request in
            [server.post(&note).text(text("c")), server.put(&note).text(&full), server.delete(&note)]
        {
            request.header("If-None-Match", &tags).answers(412);
        }
    }
    server.post(&note).header("If-None-Match", "\"999999p\", \"x\"").text(text("b")).answers(200);
    server.post(&note).header("If-None-Match", &seen).text(text("c")).answers(200);
    // Both must hold (section 13.2.2).
    let now = server.get(&note).answers(200).header("etag");
    let both = |request: crate::http::Request| request.header("If-Match", &now).header("If-None-Match", &now);
    both(server.post(&note).text(text("d"))).answers(412);
    both(server.delete(&note)).answers(412);
    assert_eq!(server.get(&note).answers(200).attribute(TEXT), Some("\"c\""));
    // What is not there is in no revision.
    server.put("/note/new").header("If-None-Match", &now).text(&full).answers(201);
    // A collection has no tag, so it is in none of those named.
    server.post("/note/").header("If-None-Match", &now).text(&full).answers(201);
    server.post("/note/").header("If-Match", &now).text(&full).answers(412);
}

/// A condition that no revision of ours can meet is not met; one that was sent is never overlooked.
#[test]
fn a_tag_of_somebody_elses_is_no_match() {
    let server = Server::start();
    let note = server.note("a");
    for tag in ["\"nope\"", "", "\"\u{e9}\""] {
        server.delete(&note).header("If-Match", tag).answers(412);
        server.get(&note).header("If-Match", tag).answers(412);
    }
    let tag = server.get(&note).answers(200).header("etag");
    server.get(&note).header("If-Match", &tag).answers(200);
    server.get(&note).header("If-Match", "*").answers(200);
}

/// RFC 9110, section 13.1.2: 304 is for reads; a change that was asked for is not done instead.
#[test]
fn a_change_is_not_answered_with_not_modified() {
    let server = Server::start();
    let note = server.note("a");
    let tag = server.get(&note).answers(200).header("etag");
    server.post(&note).header("If-None-Match", &tag).text(text("b")).answers(412);
    server.post(&note).header("If-None-Match", &tag).text(text("a")).answers(412);
    assert_eq!(server.get(&note).answers(200).attribute(TEXT), Some("\"a\""));
}

//! Clients that are at it at the same time.

use crate::http::{Answer, Request};
use crate::occi::{NOTE, body, kind, kind_id, tag};
use crate::server::{Options, Server};
use occi_services::service;

/// Sends all at once; the answers in the same order.
fn together<const N: usize>(requests: [Request; N]) -> [Answer; N] {
    std::thread::scope(|scope| {
        let sent = requests.map(|request| scope.spawn(|| request.send()));
        sent.map(|thread| thread.join().unwrap())
    })
}

fn statuses<const N: usize>(answers: &[Answer; N]) -> [u16; N] {
    let mut statuses = answers.each_ref().map(|answer| answer.status);
    statuses.sort_unstable();
    statuses
}

fn note(text: &str) -> String {
    body(&[NOTE], &[&format!("com.example.note.text={text:?}")])
}

/// HTTP-24, HTTP-25: of two PUTs to one path, one makes it and the other changes it.
#[test]
fn two_puts_to_one_path() {
    let server = Server::start();
    for round in 0..40 {
        let path = format!("/note/{round}");
        let answers = together(["a", "b"].map(|text| server.put(&path).text(note(text))));
        assert_eq!(statuses(&answers), [200, 201], "{answers:?}");
        let last = answers.iter().position(|answer| answer.status == 200).unwrap();
        let shown = server.get(&path).answers(200);
        assert_eq!(shown.attribute("com.example.note.text"), Some(["\"a\"", "\"b\""][last]));
        assert_eq!(server.get("/note/").answers(200).locations().len(), round + 1);
    }
}

/// HTTP-24, HTTP-28: a PUT beside a DELETE changes what is there, or makes it anew.
#[test]
fn a_put_beside_a_delete() {
    let server = Server::start();
    let network = || server.put("/network/one").text(body(&[&kind("network")], &["occi.core.title=\"x\""]));
    network().answers(201);
    for _ in 0..40 {
        let [put, delete] = together([network(), server.delete("/network/one")]);
        assert!(matches!(put.status, 200 | 201) && matches!(delete.status, 200 | 404), "{put} {delete}");
        // It was made again, or changed and then ended.
        server.get("/network/one").answers(if put.status == 201 { 200 } else { 404 });
        assert_eq!(server.inspect()["networks"].as_array().unwrap().len(), usize::from(put.status == 201));
        network().send();
    }
}

/// RFC 9110, section 13.1.1: of two changes that are bound to one revision, one is made, be it one that brings links.
#[test]
fn two_changes_of_one_revision() {
    let server = Server::start();
    let network = server.create("network", &[]);
    let link = format!(
        "Link: <{network}>; rel=\"{}\"; category=\"{}\"\n",
        kind_id("network"),
        kind_id("networkinterface")
    );
    let compute = server.create("compute", &[]);
    for round in 0..40 {
        let before = server.get(&compute).answers(200);
        let tag = before.header("etag");
        let title = |who: &str| body(&[], &[&format!("occi.core.title=\"{who} {round}\"")]);
        let linking = title("linking") + &link;
        let other = match round % 3 {
            0 => server.post(&compute).text(title("other") + &link),
            1 => server.post(&compute).text(title("other")),
            _ => server
                .put(&compute)
                .text(body(&[&kind("compute")], &[&format!("occi.core.title=\"other {round}\"")])),
        };
        let answers = together(
            [server.post(&compute).text(linking), other].map(|request| request.header("If-Match", &tag)),
        );
        assert_eq!(statuses(&answers), [200, 412], "{answers:?}");
        let winner = answers.into_iter().find(|answer| answer.status == 200).unwrap();
        let shown = server.get(&compute).answers(200);
        assert_eq!((&shown.body, shown.header("etag")), (&winner.body, winner.header("etag")));
        let is_linked = shown.links().len() - before.links().len();
        let linked = shown.attribute("occi.core.title").unwrap().starts_with("\"linking") || round % 3 == 0;
        assert_eq!(is_linked, usize::from(linked), "{shown}");
    }
    assert_eq!(
        server.get("/networkinterface/").answers(200).locations().len(),
        server.get(&compute).answers(200).links().len(),
        "nothing is left of those that came too late"
    );
}

/// HTTP-21, H11-08: a tag that is removed is on nobody, though one is given it at the same time.
#[test]
fn a_tag_removed_while_it_is_given() {
    let server = Server::start();
    let path = server.note("a");
    for _ in 0..40 {
        server.post("/-/").text(tag("red")).answers(200);
        let line = format!("X-OCCI-Location: {}{path}", server.base());
        let [given, updated, removed] = together([
            server.post("/tags/red/").text(line),
            server.post(&path).text(tag("red")),
            server.delete("/-/").text(tag("red")),
        ]);
        assert_eq!(removed.status, 200, "{removed}");
        // Before, in the middle of it, or after; where there is nothing any more, nothing can be sent to.
        assert!(matches!(given.status, 200 | 400 | 404 | 409), "{given}");
        assert!(matches!(updated.status, 200 | 400 | 409), "{updated}");
        assert!(!server.get(&path).answers(200).body.contains("red"));
        server.get("/tags/red/").answers(404);
        server.post("/-/").text(tag("red")).answers(200);
        assert_eq!(server.get("/tags/red/").answers(200).body, "");
        server.delete("/-/").text(tag("red")).answers(200);
    }
}

/// HTTP-21, HTTP-32: a Mixin goes and comes while entities are put into its collection, and while those that have it change
/// in another way. Each is done before it or after it: nobody is told that the server cannot.
#[test]
fn a_tag_goes_while_it_is_used() {
    let server = Server::start();
    let notes = ["a", "b"].map(|text| server.note(text));
    for round in 0..40 {
        server.post("/-/").text(tag("race")).answers(200);
        let location = |note: &str| format!("X-OCCI-Location: {note}");
        let joined = server.post("/tags/race/").text(location(&notes[0]));
        joined.answers(200);
        let text = body(&[], &[&format!("com.example.note.text=\"{round}\"")]);
        let [removed, joined, put, changed] = together([
            server.delete("/-/").text(tag("race")),
            server.post("/tags/race/").text(location(&notes[1])),
            server.put("/tags/race/").text(location(&notes[1])),
            server.post(&notes[0]).text(text),
        ]);
        assert_eq!((removed.status, changed.status), (200, 200), "{removed} {changed}");
        assert!(matches!(joined.status, 200 | 404 | 409), "{joined}");
        assert!(matches!(put.status, 200 | 404 | 405 | 409), "{put}");
        for note in &notes {
            assert!(!server.get(note).answers(200).body.contains("race"));
        }
    }
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

/// The pool that they share is made for the first of them, be there several.
#[test]
fn the_first_volumes() {
    let Some(uri) = service("OCCI_TEST_QEMU_URI") else { return };
    for _ in 0..3 {
        let volumes = tempfile::tempdir().unwrap();
        let config = format!(
            "[hypervisor]\npool = \"occi-test-{}\"\nvolumes = {:?}\n",
            uuid::Uuid::new_v4(),
            volumes.path().join("pool")
        );
        let hypervisor = Some(uri.clone());
        let server = Server::with(Options { config, hypervisor, ..Options::default() });
        let made: Vec<_> = std::thread::scope(|scope| {
            let create = || server.create("storage", &["occi.storage.size=0.01"]);
            let clients: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        for storage in made {
            server.delete(&storage).answers(200);
        }
    }
}

//! Entities and collections as they are shown.

use crate::mule::{LOADS, animal, server as stable};
use crate::occi::{NOTE, NOTE_ID, action, body, kind, kind_id, tag};
use crate::server::Server;
use serde_json::json;

/// HTTP-23, H11-17, TXT-10, TXT-12, JSON-03: the same entity in all renderings.
#[test]
fn an_entity_in_all_renderings() {
    let server = Server::start();
    let path = server.create("compute", &["occi.core.title=\"web\"", "occi.compute.memory=2.25"]);
    let id = format!("urn:uuid:{}", path.rsplit('/').next().unwrap());
    let start = "http://schemas.ogf.org/occi/infrastructure/compute/action#start";

    let text = server.get(&path).accept("text/plain").answers(200);
    assert_eq!(
        text.body.replace("\r\n", "\n"),
        format!("{}\nLink: <{path}?action=start>; rel=\"{start}\"\n", kind("compute"))
            + &body(
                &[],
                &[
                    &format!("occi.core.id=\"{id}\""),
                    "occi.core.title=\"web\"",
                    "occi.compute.architecture=\"x64\"",
                    "occi.compute.cores=1",
                    "occi.compute.memory=2.25",
                    "occi.compute.state=\"inactive\"",
                ]
            )
    );
    let occi = server.get(&path).accept("text/occi").answers(200);
    assert_eq!(occi.body, "OK");
    assert_eq!(format!("Category: {}", occi.header("category")), kind("compute"));
    assert_eq!(occi.header("link"), format!("<{path}?action=start>; rel=\"{start}\""));
    assert!(occi.header("x-occi-attribute").contains("occi.core.title=\"web\""), "{occi}");
    let json = server.get(&path).accept("application/occi+json").answers(200).json();
    assert_eq!(
        json,
        json!({
            "kind": kind_id("compute"), "id": id, "title": "web",
            "attributes": {
                "occi.compute.architecture": "x64", "occi.compute.cores": 1, "occi.compute.memory": 2.25,
                "occi.compute.state": "inactive",
            },
            "actions": [start],
        })
    );
    // TXT-07, Q-52
    server.get(&path).accept("text/uri-list").answers(400);
}

/// TXT-05: what is written comes back as it was, through every rendering.
#[test]
fn awkward_values_come_back_unchanged() {
    let server = Server::start();
    let title = r#"How's your quotes escaping? ", occi.compute.memory=1.0 \ ; Grüße, 世界"#;
    let escaped = title.replace('\\', "\\\\").replace('"', "\\\"");
    let text =
        body(&[&kind("compute")], &[&format!("occi.core.title=\"{escaped}\""), "occi.compute.memory=3.6"]);
    let path = server.post("/compute/").text(text).answers(201).location();
    let json = server.get(&path).accept("application/occi+json").answers(200).json();
    assert_eq!(json["title"], title);
    assert_eq!(json["attributes"]["occi.compute.memory"], 3.6);
    let shown = server.get(&path).answers(200);
    assert_eq!(shown.attribute("occi.core.title").unwrap(), format!("\"{escaped}\""));
}

/// HTTP-29, TXT-08, TXT-14, Q-46: a collection in all renderings names the same entities.
#[test]
fn a_collection_in_all_renderings() {
    let server = Server::start();
    let notes = [server.note("one"), server.note("two")];
    let urls = notes.each_ref().map(|path| format!("{}{path}", server.base()));
    let text = server.get("/note/").accept("text/plain").answers(200);
    assert_eq!(text.locations(), notes);
    let occi = server.get("/note/").accept("text/occi").answers(200);
    assert_eq!(occi.header("x-occi-location"), urls.join(", "));
    let list = server.get("/note/").accept("text/uri-list").answers(200);
    assert_eq!(list.body, format!("{}\r\n{}\r\n", urls[0], urls[1]));
    // JSON-06, Q-31: whole objects.
    let json = server.get("/note/").accept("application/occi+json").answers(200).json();
    let texts: Vec<_> = json["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| &note["attributes"]["com.example.note.text"])
        .collect();
    assert_eq!(texts, ["one", "two"]);
}

/// HTTP-29, Q-26: an empty collection is a collection.
#[test]
fn an_empty_collection_is_there() {
    let server = Server::start();
    for path in ["/compute/", "/storagelink/", "/mixin/ipnetwork/", "/mixin/", "/"] {
        for accept in ["text/plain", "text/uri-list"] {
            assert_eq!(server.get(path).accept(accept).answers(200).body, "");
        }
        assert_eq!(server.get(path).accept("text/occi").answers(200).body, "OK");
        let json = server.get(path).accept("application/occi+json").answers(200).json();
        assert!(json.as_object().unwrap().values().all(|list| *list == json!([])), "{path}: {json}");
    }
}

/// HTTP-12, HTTP-13, HTTP-14, Q-33
#[test]
fn a_collection_in_pages() {
    let server = Server::start();
    let notes: Vec<_> = (0..5).map(|number| server.note(&number.to_string())).collect();
    let page = |query: &str| server.get(&format!("/note/?{query}"));
    assert_eq!(page("page=1&number=2").answers(200).locations(), notes[..2]);
    assert_eq!(page("page=2&number=2").answers(200).locations(), notes[2..4]);
    assert_eq!(page("number=2&page=3").answers(200).locations(), notes[4..]);
    assert_eq!(page("page=4&number=2").answers(200).body, "");
    assert_eq!(page("page=99999999999999999999&number=2").answers(200).body, "");
    for (query, status) in [
        ("page=1", 400),
        ("number=1", 400),
        ("page=0&number=1", 400),
        ("page=1&number=0", 400),
        ("page=one&number=1", 400),
        ("page=-1&number=1", 400),
        ("page=1&number=1000000", 413),
    ] {
        page(query).answers(status);
    }
}

/// HTTP-16, H11-03: what the headers name narrows a collection.
#[test]
fn a_collection_filtered() {
    let server = Server::start();
    let (one, two) = (server.note("one"), server.note("two"));
    let with = |text: &str| {
        let value = format!("com.example.note.text=\"{text}\"");
        server.get("/note/").header("X-OCCI-Attribute", &value).answers(200)
    };
    assert_eq!(with("two").locations(), std::slice::from_ref(&two));
    assert_eq!(with("three").body, "");
    let filter = server.get("/note/").header("X-OCCI-Attribute", "com.example.note.words=\"many\"");
    assert!(filter.answers(400).body.contains("integer"));
    // HTTP-17, and H11-03: by category.
    server.post("/-/").text(tag("red")).answers(200);
    server.post("/tags/red/").text(format!("X-OCCI-Location: {}{one}", server.base())).answers(200);
    let red = tag("red").replace("Category: ", "");
    assert_eq!(
        server.get("/note/").header("Category", &red).answers(200).locations(),
        std::slice::from_ref(&one)
    );
    assert_eq!(server.get("/tags/red/").answers(200).locations(), std::slice::from_ref(&one));
    let note = NOTE.replace("Category: ", "");
    assert_eq!(server.get("/").header("Category", &note).answers(200).locations(), [one, two]);
    // Q-09: a Content-Type on a GET says nothing.
    assert_eq!(server.get("/note/").header("Content-Type", "application/json").answers(200).lines().len(), 2);
}

/// H11-02, HTTP-04: a path above entities lists all that is below it.
#[test]
fn a_namespace_lists_what_is_below() {
    let server = Server::start();
    let (note, compute) = (server.note("a"), server.create("compute", &[]));
    let mut listed = server.get("/").answers(200).locations();
    listed.sort_unstable();
    assert_eq!(listed, [compute, note]);
    let json = server.get("/").accept("application/occi+json").answers(200).json();
    let mut kinds: Vec<_> = json["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["kind"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [NOTE_ID, &kind_id("compute")]);
    server.get("/nowhere/").answers(404);
}

/// RFC 9110: HEAD is GET without its body, and OPTIONS names what is possible.
#[test]
fn head_and_options() {
    let server = Server::start();
    let note = server.note("a");
    for path in [&*note, "/note/", "/-/", "/"] {
        let (get, head) = (server.get(path).answers(200), server.request("HEAD", path).answers(200));
        assert_eq!(head.body, "");
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
    for (path, allowed) in [
        (&*note, &["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"][..]),
        ("/note/", &["GET", "HEAD", "OPTIONS", "POST", "DELETE"]),
        ("/mixin/os_tpl/", &["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"]),
        ("/-/", &["GET", "HEAD", "OPTIONS", "POST", "DELETE"]),
    ] {
        let answer = server.request("OPTIONS", path).answers(200);
        let header = answer.header("allow");
        let mut given: Vec<_> = header.split(", ").collect();
        let mut allowed = allowed.to_vec();
        given.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(given, allowed, "{path}");
    }
    assert_eq!(server.get("/healthz").answers(200).body, "ok\r\n");
    let refused = server.delete("/healthz").answers(405);
    assert!(refused.header("allow").contains("GET"), "{refused}");
}

/// An array or an object stands in text as a quoted string of its JSON, and is read back as what it is.
#[test]
fn an_array_in_text_is_read_as_it_was_written() {
    let (server, _folder) = stable();
    let mule = animal(&server, "/stable/mule/1", false);
    let loads = format!("{LOADS}=\"[1, \\\"two\\\", {{\\\"three\\\": [4.5]}}]\"");
    server.post(&mule).text(body(&[], &[&loads])).answers(200);
    let expected = json!([1, "two", {"three": [4.5]}]);
    assert_eq!(
        server.get(&mule).accept("application/json").answers(200).json()["attributes"][LOADS],
        expected
    );
    let shown = server.get(&mule).answers(200);
    assert_eq!(server.put(&mule).text(&shown.body).answers(200).body, shown.body);
    let given = shown.attribute(LOADS).unwrap();
    let filtered = |value: &str| {
        let filter = format!("{LOADS}={value}");
        server.get("/stable/mule/").occi(&[("X-OCCI-Attribute", &filter)]).answers(200).locations()
    };
    assert_eq!(filtered(given).len(), 1);
    assert_eq!(filtered("\"[]\"").len(), 0);
    server.post(&mule).text(body(&[], &[&format!("{LOADS}=\"one\"")])).answers(400);
}

/// Q-53: the slash that some clients put after an entity's path.
#[test]
fn an_entity_is_found_with_a_slash_after_its_path() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    let shown = server.get(&compute).answers(200);
    assert_eq!(server.get(&format!("{compute}/")).answers(200).body, shown.body);
    server.post(&format!("{compute}/?action=start")).text(action("compute", "start")).answers(200);
    // But not to be deleted: there the path is what is below it, also when that is gone (H11-02).
    for name in ["a", "a/b", "a/c/d"] {
        server
            .put(&format!("/note/{name}"))
            .text(body(&[NOTE], &["com.example.note.text=\"x\""]))
            .answers(201);
    }
    server.delete("/note/a/").answers(200);
    let again = server.delete("/note/a/").answers(404);
    assert!(again.body.contains("its own path, /note/a"), "{again}");
    server.get("/note/a/b").answers(404);
    server.delete("/note/a").answers(200);
    server.get("/note/a/").answers(404);
}

/// TXT-07 is about what is there: of what is not, that is said, whatever form of answer is asked for.
#[test]
fn what_is_not_there_is_not_found_in_any_form() {
    let server = Server::start();
    for accept in ["text/plain", "text/occi", "application/json", "text/uri-list"] {
        server.get("/compute/none").accept(accept).answers(404);
    }
    let note = server.note("a");
    server.get(&note).accept("text/uri-list").answers(400);
}

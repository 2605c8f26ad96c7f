//! The end of entities.

use crate::mule::{ROPE, animal, server as stable};
use crate::occi::body;
use crate::server::Server;
use serde_json::json;

/// HTTP-28, Q-25: gone, in the store and at the hypervisor; a second time there is nothing.
#[test]
fn an_entity_goes() {
    let server = Server::start();
    for (path, list) in [
        (server.create("compute", &[]), "machines"),
        (server.create("storage", &["occi.storage.size=1"]), "volumes"),
        (server.create("network", &[]), "networks"),
    ] {
        assert_eq!(server.inspect()[list].as_array().unwrap().len(), 1);
        assert_eq!(server.delete(&path).answers(200).body, "");
        server.get(&path).answers(404);
        server.delete(&path).answers(404);
        assert_eq!(server.inspect()[list], json!([]));
    }
    assert_eq!(server.get("/").answers(200).body, "");
}

/// README: DELETE of an active compute stops and removes it; a network goes though it is up.
#[test]
fn an_active_entity_goes() {
    let server = Server::start();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    server.act(&compute, "start", &[]).is(200);
    server.act(&network, "up", &[]).is(200);
    server.delete(&compute).answers(200);
    server.delete(&network).answers(200);
    let left = server.inspect();
    assert_eq!((&left["machines"], &left["networks"]), (&json!([]), &json!([])));
}

/// HTTP-34: all of a Kind.
#[test]
fn a_collection_goes() {
    let server = Server::start();
    let (one, two, note) = (server.create("compute", &[]), server.create("compute", &[]), server.note("a"));
    server.act(&two, "start", &[]).is(200);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    server.link("storagelink", &one, &storage);
    server.delete("/compute/").answers(200);
    assert_eq!(server.get("/compute/").answers(200).body, "");
    assert_eq!(server.get("/storagelink/").answers(200).body, "");
    assert_eq!(server.inspect()["machines"], json!([]));
    server.get(&note).answers(200);
    server.delete("/compute/").answers(200);
    // H11-02: all that is below a path.
    server.delete("/").answers(200);
    assert_eq!(server.get("/").answers(200).body, "");
    assert_eq!(server.inspect()["volumes"], json!([]));
}

/// HTTP-34, H11-12: a deletion within the store is of all or none.
#[test]
fn a_deletion_within_the_store_is_of_all_or_none() {
    let (server, _folder) = stable();
    let names: Vec<_> = (0..3).map(|number| format!("/stable/donkey/{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        animal(&server, name, number == 1);
    }
    let ends = [format!("occi.core.source={:?}", names[0]), format!("occi.core.target={:?}", names[2])];
    let link = r#"Category: link; scheme="http://schemas.ogf.org/occi/core#"; class="kind""#;
    let link = server.post("/link/").text(body(&[link], &[&ends[0], &ends[1]])).answers(201).location();
    let answer = server.delete("/stable/donkey/").answers(409);
    assert!(answer.body.starts_with("refused by 1 of 4 entities, so nothing was changed"), "{answer}");
    assert_eq!(server.get("/stable/donkey/").answers(200).locations(), names);
    server.get(&link).answers(200);
    server.post(&names[1]).text(body(&[], &["com.example.mule.stubborn=false"])).answers(200);
    let answer = server.delete("/stable/donkey/").accept("application/occi+json").answers(200);
    assert_eq!(answer.body, "{}");
    server.get(&link).answers(404);
    assert_eq!(server.get("/").answers(200).body, "");
}

/// HTTP-34, H11-02: what has ended outside is gone, with its links; the others stay, with theirs.
#[test]
fn a_deletion_outside_is_told_of_each() {
    let (server, _folder) = stable();
    let first = server.create("compute", &[]);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    let gone = server.link("storagelink", &first, &storage);
    let mule = animal(&server, "/stable/mule/1", true);
    let (last, network) = (server.create("compute", &[]), server.create("network", &[]));
    let kept = server.link("networkinterface", &last, &network);
    let all = [&first, &storage, &gone, &mule, &last, &network, &kept];

    let problem = server.delete("/").accept("application/json").answers(409).json();
    let results = problem["results"].as_array().unwrap();
    assert_eq!(results.len(), all.len(), "{problem}");
    for result in results {
        let path = result["location"].as_str().unwrap();
        let status = result["status"].as_str().unwrap();
        server.get(path).answers(if status == "done" { 404 } else { 200 });
        let list = match path.split('/').nth(1).unwrap() {
            "compute" => "machines",
            "storage" => "volumes",
            "network" => "networks",
            _ => continue,
        };
        let is_there = server.inspect()[list].to_string().contains(path.rsplit('/').next().unwrap());
        assert_eq!(is_there, status != "done", "{path}: {problem}");
    }
    let status = |path: &str| {
        let of_path = results.iter().find(|result| result["location"] == path);
        of_path.unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (status(&first), status(&gone), status(&mule)),
        ("done".into(), "done".into(), "refused".into())
    );
    server.post(&mule).text(body(&[], &["com.example.mule.stubborn=false"])).answers(200);
    server.delete("/").answers(200);
    assert_eq!(server.get("/").answers(200).body, "");
    let left = server.inspect();
    assert_eq!(
        [&left["machines"], &left["volumes"], &left["networks"]],
        [&json!([]), &json!([]), &json!([])]
    );
}

/// HTTP-34, CORE-42: a link that had ended before its resource refused is made again.
#[test]
fn a_resource_that_stays_keeps_its_links() {
    let (server, _folder) = stable();
    let (mule, note) = (animal(&server, "/stable/mule/1", true), server.note("a"));
    let ends = [format!("occi.core.source={mule:?}"), format!("occi.core.target={note:?}")];
    let rope =
        server.post("/stable/rope/").text(body(&[ROPE], &[&ends[0], &ends[1]])).answers(201).location();
    let before = server.get(&mule).answers(200);
    let answer = server.delete("/stable/mule/").answers(409);
    assert!(answer.body.contains(&format!("nothing was changed\r\n{mule}: refused")), "{answer}");
    let after = server.get(&mule).answers(200);
    assert_eq!((&after.body, after.header("etag")), (&before.body, before.header("etag")));
    assert!(after.links()[0].contains(&rope), "{after}");
    assert!(!server.log().contains("ERROR"), "{}", server.log());
    // A member of the collection itself, it was to go with the mule, too.
    let answer = server.delete("/stable/").answers(409);
    assert!(answer.body.contains(&format!("nothing was changed\r\n{mule}: refused")), "{answer}");
    assert!(server.get(&mule).answers(200).links()[0].contains(&rope));
    server.delete(&rope).answers(200);
    assert!(server.get(&mule).answers(200).links().is_empty());
}

/// HTTP-34, CORE-42: a link that went with its resource is no error, whichever of them is the member.
#[test]
fn members_that_go_with_another() {
    let server = Server::start();
    let (one, two) = (server.create("compute", &[]), server.create("compute", &[]));
    let network = server.create("network", &[]);
    for compute in [&one, &two, &two] {
        server.link("networkinterface", compute, &network);
    }
    server.act(&one, "start", &[]).is(200);
    let before = server.get(&one).answers(200).header("etag");
    server.delete("/network/").answers(200);
    assert_eq!(server.get("/networkinterface/").answers(200).body, "");
    // H11-20: both ends are without it.
    let shown = server.get(&one).answers(200);
    assert!(shown.links().is_empty(), "{shown}");
    assert_ne!(shown.header("etag"), before);
    server.delete("/").answers(200);
    assert_eq!(server.inspect()["machines"], json!([]));
}

/// What seems to say which of them is meant must not end in the loss of all.
#[test]
fn a_filter_does_not_delete_everything() {
    let server = Server::start();
    let (one, two) = (server.note("one"), server.note("two"));
    let term = "/note/?action=toggle&attribute=com.example.note.text%3Done";
    let refused = [
        server.delete("/note/?attribute=com.example.note.text%3Done"),
        server.delete("/note/?page=1&number=1"),
        server.delete("/?category=http%3A%2F%2Fexample.com%2Focci%2Fnote%23note"),
        server.delete("/note/").header("X-OCCI-Attribute", "com.example.note.text=\"one\""),
        server.delete("/note/").text(format!("X-OCCI-Location: {one}")),
        server
            .post(term)
            .text("Category: toggle; scheme=\"http://example.com/occi/note/action#\"; class=\"action\""),
    ];
    for request in refused {
        let answer = request.answers(400);
        assert!(answer.body.contains("own path"), "{answer}");
    }
    for path in [one, two] {
        server.get(&path).answers(200);
    }
}

/// HTTP-28: what a request says beside the path may be meant to spare the entity.
#[test]
fn an_entity_goes_only_as_a_whole() {
    let server = Server::start();
    let note = server.note("a");
    let red = crate::occi::tag("red");
    server.post("/-/").text(&red).answers(200);
    server.post("/tags/red/").text(format!("X-OCCI-Location: {}{note}", server.base())).answers(200);
    let said = server.delete(&note).text(&red).answers(400).body;
    assert!(said.contains("take a mixin off"), "{said}");
    server.delete(&note).occi(&[("Category", &red.replace("Category: ", ""))]).answers(400);
    server.delete(&note).answers(200);
}

/// HTTP-28, HTTP-34, H11-02: only a request that says nothing at all means all; one whose list came out empty may mean none.
#[test]
fn a_body_that_says_nothing_is_not_all() {
    let server = Server::start();
    let note = server.note("a");
    for (media_type, body) in [
        ("application/occi+json", "{}"),
        ("application/occi+json", "[]"),
        ("application/json", r#"{"resources": []}"#),
        ("application/json", r#"{"locations": []}"#),
        ("application/json", "\n"),
        ("text/uri-list", "# nothing\r\n"),
        ("text/plain", "\r\n"),
        ("text/occi", "OK"),
    ] {
        for path in ["/note/", "/", &note] {
            let answer = server.delete(path).body(media_type, body).answers(400);
            assert!(answer.body.contains("without a body"), "{answer}");
        }
        // HTTP-21
        server.delete("/-/").body(media_type, body).answers(400);
    }
    server.get(&note).answers(200);
    server.delete(&note).header("Content-Type", "application/json").answers(200);
    let other = server.note("b");
    server.delete("/note/").header("Content-Type", "text/uri-list").answers(200);
    server.get(&other).answers(404);
}

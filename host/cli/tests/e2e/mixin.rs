//! Mixins of extensions: associated at creation (create.rs) or later, and taken off again.

use crate::mule::{self, BURDEN};
use crate::occi::{action, body, kind, kind_id, tag};
use crate::server::Server;
use serde_json::json;

const STAMP: &str = "Category: stamp; scheme=\"http://example.com/occi/note/action#\"; class=\"action\"";
const ADDRESS: &str = "occi.network.address";
const IPNETWORK: &str =
    "Category: ipnetwork; scheme=\"http://schemas.ogf.org/occi/infrastructure/network#\"; class=\"mixin\"";

/// HTTP-32, H11-11, CORE-23, INF-07: members of a Mixin's collection come later, too.
#[test]
fn associated_later_and_dissociated() {
    let server = Server::start();
    let network = server.create("network", &[]);
    let location = format!("X-OCCI-Location: {}{network}", server.base());
    let answer = server.post("/mixin/ipnetwork/").text(&location).answers(200);
    assert_eq!(answer.locations(), std::slice::from_ref(&network), "HTTP-32: an entity collection");
    assert!(server.get(&network).answers(200).body.contains("Category: ipnetwork;"));
    let address = format!("{ADDRESS}=\"10.7.0.0/24\"");
    server.post(&network).text(body(&[], &[&address])).answers(200);
    assert_eq!(server.get(&network).answers(200).attribute(ADDRESS), Some("\"10.7.0.0/24\""));

    // HTTP-35: the entity stays, without what the Mixin brought.
    server.delete("/mixin/ipnetwork/").text(&location).answers(200);
    let shown = server.get(&network).answers(200);
    assert!(!shown.body.contains("ipnetwork") && shown.attribute(ADDRESS).is_none(), "{shown}");
    let answer = server.post(&network).text(body(&[], &[&address])).answers(400);
    assert!(answer.body.contains(ADDRESS), "{answer}");
}

/// HTTP-30: PUT says who the members are.
#[test]
fn the_members_replaced() {
    let server = Server::start();
    let networks = [server.create("network", &[]), server.create("network", &[])];
    let line = |path: &String| format!("X-OCCI-Location: {}{path}\n", server.base());
    server
        .post(&networks[0])
        .text(body(&[IPNETWORK], &["occi.network.address=\"10.7.0.0/24\""]))
        .answers(200);
    let answer = server.put("/mixin/ipnetwork/").text(line(&networks[1])).answers(200);
    assert_eq!(answer.locations(), [networks[1].clone()], "HTTP-30: an entity collection");
    assert_eq!(server.get("/mixin/ipnetwork/").answers(200).locations(), [networks[1].clone()]);
    assert_eq!(server.get(&networks[0]).answers(200).attribute(ADDRESS), None);
}

/// HTTP-30: of two who say at the same time who the members are, one is right in the end.
#[test]
fn the_members_replaced_by_two_at_once() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let notes: Vec<_> = (0..6).map(|_| server.note("a")).collect();
    let line = |path: &String| format!("X-OCCI-Location: {}{path}", server.base());
    let lines = |paths: &[String]| paths.iter().map(line).collect::<Vec<_>>().join("\n");
    for _ in 0..20 {
        std::thread::scope(|scope| {
            for half in notes.chunks(3) {
                scope.spawn(|| server.put("/tags/red/").text(lines(half)).answers(200));
            }
        });
        let mut members = server.get("/tags/red/").answers(200).locations();
        members.sort_unstable();
        assert!(notes.chunks(3).any(|half| members == half), "{members:?}");
    }
}

/// CORE-21, CORE-22, Q-41: where it does not apply, it is refused; of several, all are.
#[test]
fn where_it_does_not_apply() {
    let server = Server::start();
    let (network, note) = (server.create("network", &[]), server.note("a"));
    let lines = format!("X-OCCI-Location: {0}{network}\nX-OCCI-Location: {0}{note}\n", server.base());
    let answer = server.post("/mixin/ipnetwork/").text(&lines).answers(400);
    assert!(answer.body.contains("ipnetwork") && answer.body.contains("note#note"), "{answer}");
    assert!(answer.body.contains(&format!("{note}: refused")) && !answer.body.contains(&network), "{answer}");
    server.put("/mixin/ipnetwork/").text(&lines).answers(400);
    assert_eq!(server.get("/mixin/ipnetwork/").answers(200).body, "");
    server.post("/mixin/ipnetwork/").text("X-OCCI-Location: /network/none").answers(404);
    let answer = server.post("/mixin/ipnetwork/").answers(400);
    assert!(answer.body.contains("X-OCCI-Location"), "{answer}");
}

/// Q-67: members named in JSON, and as a list of URIs.
#[test]
fn members_named_in_json() {
    let server = Server::start();
    let network = server.create("network", &[]);
    let shown = server.get(&network).accept("application/occi+json").answers(200).json();
    let url = format!("{}{network}", server.base());
    for named in [
        json!({"resources": [shown]}),
        json!({"resources": [{"kind": shown["kind"], "id": shown["id"]}]}),
        json!([url]),
        json!({"locations": [url]}),
        json!({"term": "ipnetwork", "scheme": "http://schemas.ogf.org/occi/infrastructure/network#", "locations": [network]}),
    ] {
        let answer = server.post("/mixin/ipnetwork/").json(&named).answers(200).json();
        assert_eq!(answer["resources"].as_array().unwrap().len(), 1, "{named}");
        server.delete("/mixin/ipnetwork/").json(&named).answers(200);
        assert_eq!(server.get("/mixin/ipnetwork/").answers(200).body, "", "{named}");
    }
    server.post("/mixin/ipnetwork/").body("text/uri-list", format!("{url}\r\n")).answers(200);
    assert_eq!(server.get("/mixin/ipnetwork/").answers(200).locations(), [network]);
}

/// HTTP-32, HTTP-30, HTTP-35: who is described otherwise than it is would lose what is said; nothing is done.
#[test]
fn members_described_otherwise() {
    let server = Server::start();
    let network = server.create("network", &["occi.core.title=\"a\""]);
    let shown = server.get(&network).accept("application/occi+json").answers(200).json();
    let gone = "http://example.com/none#gone";
    for (member, value, named) in [
        ("title", json!("b"), "occi.core.title"),
        ("attributes", json!({"occi.network.vlan": 7}), "occi.network.vlan"),
        ("attributes", json!({ADDRESS: "10.7.0.0/24"}), ADDRESS),
        ("attributes", json!({"com.example.none": 1}), "com.example.none"),
        ("mixins", json!([gone]), gone),
        ("kind", json!(kind_id("compute")), "infrastructure#compute"),
        ("links", json!([{"kind": kind_id("networkinterface"), "target": "/a"}]), "links"),
    ] {
        let mut described = json!({"kind": shown["kind"], "id": shown["id"]});
        described[member] = value;
        for method in ["POST", "PUT", "DELETE"] {
            let request = server.request(method, "/mixin/ipnetwork/");
            let answer = request.json(&json!({"resources": [described]})).answers(400);
            assert!(answer.body.contains(named) && answer.body.contains("own path"), "{answer}");
        }
    }
    let id = format!("occi.core.id={}", shown["id"]);
    for attribute in ["occi.core.title=\"b\"".to_owned(), format!("{ADDRESS}=\"10.7.0.0/24\"")] {
        let text = body(&[&kind("network")], &[&id, &attribute]);
        server.post("/mixin/ipnetwork/").text(text).answers(400);
    }
    assert_eq!(server.get("/mixin/ipnetwork/").answers(200).body, "");
}

/// HTTP-32, HTTP-35, Q-67: who is described as it is, links and all, is named by it.
#[test]
fn members_described_as_they_are() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let link = server.link("networkinterface", &compute, &network);
    for path in [&compute, &link] {
        let text = server.get(path).answers(200).body;
        let entity = server.get(path).accept("application/occi+json").answers(200).json();
        let list = if path == &link { "links" } else { "resources" };
        let json = json!({list: [entity]}).to_string();
        for (media_type, body) in [("text/plain", &text), ("application/json", &json)] {
            server.post("/tags/red/").body(media_type, body.as_str()).answers(200);
            let members = server.get("/tags/red/").answers(200).locations();
            assert_eq!(members, std::slice::from_ref(path), "{media_type}");
            server.delete("/tags/red/").body(media_type, body.as_str()).answers(200);
            assert_eq!(server.get("/tags/red/").answers(200).body, "", "{media_type}");
        }
    }
}

/// HTTP-32, HTTP-30, HTTP-35, H11-11: members of several Kinds; a Mixin's attributes go with it.
#[test]
fn members_of_several_kinds() {
    let (server, _folder) = mule::server();
    let compute = server.create("compute", &[]);
    let (network, storage) =
        (server.create("network", &[]), server.create("storage", &["occi.storage.size=1"]));
    let line = |path: &String| format!("X-OCCI-Location: {}{path}\n", server.base());
    let members = |path: &str| {
        let mut locations = server.get(path).answers(200).locations();
        locations.sort_unstable();
        locations
    };
    let weight = |path: &str| server.get(path).answers(200).attribute(mule::WEIGHT).map(str::to_owned);
    for place in ["/mixin/burden/", "/tags/red/"] {
        if place == "/tags/red/" {
            server.post("/-/").text(tag("red")).answers(200);
        }
        let answer = server.post(place).text([&compute, &network, &storage].map(line).concat()).answers(200);
        assert_eq!(answer.locations().len(), 3);
        assert_eq!(members(place), [&*compute, &network, &storage]);
    }
    for path in [&compute, &network, &storage] {
        let text = body(&[], &[&format!("{}=7", mule::WEIGHT)]);
        server.post(path).text(text).answers(200);
    }
    // HTTP-30: those that are not listed lose it, those that are keep what they have.
    for place in ["/mixin/burden/", "/tags/red/"] {
        server.put(place).text([&network, &storage].map(line).concat()).answers(200);
        assert_eq!(members(place), [&*network, &storage]);
    }
    assert_eq!([&compute, &network, &storage].map(|path| weight(path).is_some()), [false, true, true]);
    // HTTP-35: one, then all that are left; nobody goes by it.
    for (text, left) in [(line(&network), vec![storage.clone()]), (String::new(), vec![])] {
        for place in ["/mixin/burden/", "/tags/red/"] {
            let answer = server.delete(place).text(&text).answers(200);
            assert_eq!((answer.body.as_str(), members(place)), ("", left.clone()));
        }
    }
    for path in [&compute, &network, &storage] {
        let shown = server.get(path).answers(200);
        assert!(!shown.body.contains("burden") && !shown.body.contains("tags#"), "{shown}");
        assert!(shown.attribute(mule::WEIGHT).is_none(), "{shown}");
    }
    assert_eq!(server.put("/mixin/burden/").json(&json!([])).answers(200).body, r#"{"resources":[]}"#);
}

/// H11-12, HTTP-32, HTTP-30: where the extension refuses the third of the members, none of them changes.
#[test]
fn one_refusal_is_for_all() {
    let (server, _folder) = mule::server();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let stubborn = mule::animal(&server, "/stable/mule/1", true);
    let burdened = mule::animal(&server, "/stable/mule/2", false);
    let line = |path: &String| format!("X-OCCI-Location: {}{path}\n", server.base());
    server.post("/mixin/burden/").text(line(&burdened)).answers(200);
    server.post(&burdened).text(body(&[], &[&format!("{}=7", mule::WEIGHT)])).answers(200);
    let all = [&compute, &network, &stubborn];
    let before = all.map(|path| server.get(path).answers(200).body);
    for request in [server.post("/mixin/burden/"), server.put("/mixin/burden/")] {
        let answer = request.text(all.map(line).concat()).answers(409);
        assert!(
            answer.body.contains(&format!("{stubborn}: refused: extension mule: I will not")),
            "{answer}"
        );
        assert_eq!(all.map(|path| server.get(path).answers(200).body), before);
        assert_eq!(server.get("/mixin/burden/").answers(200).locations(), std::slice::from_ref(&burdened));
        assert_eq!(server.get(&burdened).answers(200).attribute(mule::WEIGHT), Some("7"));
    }
    // At creation and by an update, too.
    server.post(&stubborn).text(BURDEN).answers(409);
    assert_eq!(server.get(&stubborn).answers(200).body, before[2]);
}

/// HTTP-04: a path above the locations of mixins is the union of their collections, each member once.
#[test]
fn a_path_above_mixins() {
    let server = Server::start();
    let deep = |term: &str| {
        format!(
            "Category: {term}; scheme=\"http://example.com/v#\"; class=\"mixin\"; location=\"/v/deep/{term}/\""
        )
    };
    for term in ["one", "two"] {
        server.post("/-/").text(deep(term)).answers(200);
    }
    let (note, compute) = (server.note("a"), server.create("compute", &[]));
    let line = |path: &str| format!("X-OCCI-Location: {}{path}\n", server.base());
    server.note("b");
    assert_eq!(server.get("/v/").answers(200).body, "");
    server.post("/v/deep/one/").text(line(&note)).answers(200);
    server.post("/v/deep/two/").text(line(&note) + &line(&compute)).answers(200);
    for path in ["/v/", "/v/deep/"] {
        let mut found = server.get(path).answers(200).locations();
        found.sort();
        assert_eq!(found, [compute.clone(), note.clone()]);
        let json = server.get(path).accept("application/occi+json").answers(200).json();
        assert_eq!(json["resources"].as_array().unwrap().len(), 2);
    }
    let pages: Vec<_> = (1..=3)
        .flat_map(|page| server.get(&format!("/v/?page={page}&number=1")).answers(200).locations())
        .collect();
    assert_eq!(pages.len(), 2);
    assert_ne!(pages[0], pages[1]);
    // An action is on all of them, or none; they are not deleted by a path that is a mixin's.
    server.post("/v/?action=start").text(action("compute", "start")).answers(400);
    server.delete("/v/").answers(400);
    server.post(&format!("{note}?action=stamp")).text(STAMP).answers(200);
    server.get(&note).answers(200);
}

/// HTTP-35: all members lose it where nothing is said, and none where the request says nothing of them.
#[test]
fn nothing_named_is_not_all() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let note = server.note("a");
    server.post("/tags/red/").text(format!("X-OCCI-Location: {}{note}", server.base())).answers(200);
    for body in [r#"{"resources": []}"#, "{}"] {
        server.delete("/tags/red/").body("application/occi+json", body).answers(400);
    }
    server.put("/tags/red/").body("application/occi+json", "{}").answers(400);
    for (media_type, blank) in [
        ("text/plain", "\r\n"),
        ("text/occi", "OK"),
        ("text/occi", "[]"),
        ("text/uri-list", "# nothing\r\n"),
        ("application/json", "\n"),
    ] {
        let refused = server.put("/tags/red/").body(media_type, blank).answers(400);
        assert!(refused.body.contains("send DELETE"), "{refused}");
    }
    // Lists of categories say nothing of members.
    for body in [r#"{"mixins": []}"#, r#"{"kinds": [], "actions": []}"#, r#"{"resources": [], "mixins": []}"#]
    {
        server.put("/tags/red/").body("application/json", body).answers(400);
    }
    assert_eq!(server.get("/tags/red/").answers(200).locations().len(), 1);
    server.delete("/tags/red/").answers(200);
    assert_eq!(server.get("/tags/red/").answers(200).body, "");
    // That nobody shall be left can be said.
    for nobody in ["[]", r#"{"resources": []}"#] {
        server.post("/tags/red/").text(format!("X-OCCI-Location: {}{note}", server.base())).answers(200);
        server.put("/tags/red/").body("application/json", nobody).answers(200);
        assert_eq!(server.get("/tags/red/").answers(200).body, "");
    }
}

/// Q-09: what headers say is heard, whichever type is named of a body that is not there.
#[test]
fn headers_without_a_body_are_heard() {
    let server = Server::start();
    server.post("/-/").text(tag("red")).answers(200);
    let notes = ["a", "b"].map(|text| server.note(text));
    let location = |path: &str| format!("{}{path}", server.base());
    for media_type in
        ["text/plain", "text/plain,text/occi", "application/occi+json", "text/uri-list", "image/png"]
    {
        let lines = notes.each_ref().map(|path| format!("X-OCCI-Location: {}\n", location(path))).concat();
        server.post("/tags/red/").text(lines).answers(200);
        let delete = |path: &str| server.delete(path).header("content-type", media_type);
        delete("/tags/red/").header("x-occi-location", &location(&notes[0])).answers(200);
        assert_eq!(server.get("/tags/red/").answers(200).locations(), [&*notes[1]], "{media_type}");
        delete("/note/").header("x-occi-attribute", "com.example.note.text=\"b\"").answers(400);
        delete(&notes[0]).header("category", &tag("red").replace("Category: ", "")).answers(400);
        assert_eq!(server.get("/note/").answers(200).locations().len(), 2, "{media_type}");
    }
}

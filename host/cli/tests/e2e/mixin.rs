//! Mixins of extensions: associated at creation (create.rs) or later, and taken off again.

use crate::occi::body;
use crate::server::Server;
use serde_json::json;

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

/// CORE-21, CORE-22, Q-41: where it does not apply, it is refused; of several, all are.
#[test]
fn where_it_does_not_apply() {
    let server = Server::start();
    let (network, note) = (server.create("network", &[]), server.note("a"));
    let lines = format!("X-OCCI-Location: {0}{network}\nX-OCCI-Location: {0}{note}\n", server.base());
    let answer = server.post("/mixin/ipnetwork/").text(&lines).answers(400);
    assert!(answer.body.contains("ipnetwork") && answer.body.contains("note#note"), "{answer}");
    assert_eq!(server.get("/mixin/ipnetwork/").answers(200).body, "");
    server.post("/mixin/ipnetwork/").text("X-OCCI-Location: /network/none").answers(404);
    let answer = server.post("/mixin/ipnetwork/").answers(400);
    assert!(answer.body.contains("X-OCCI-Location"), "{answer}");
}

/// members named in JSON, and as a list of URIs.
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
    ] {
        let answer = server.post("/mixin/ipnetwork/").json(&named).answers(200).json();
        assert_eq!(answer["resources"].as_array().unwrap().len(), 1, "{named}");
        server.delete("/mixin/ipnetwork/").json(&named).answers(200);
        assert_eq!(server.get("/mixin/ipnetwork/").answers(200).body, "", "{named}");
    }
    server.post("/mixin/ipnetwork/").body("text/uri-list", format!("{url}\r\n")).answers(200);
    assert_eq!(server.get("/mixin/ipnetwork/").answers(200).locations(), [network]);
}

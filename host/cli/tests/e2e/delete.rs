//! The end of entities.

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

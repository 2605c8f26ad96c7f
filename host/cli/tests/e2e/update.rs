//! Partial and full updates.

use crate::occi::{NOTE, NOTE_ID, body, kind, kind_id};
use crate::server::Server;
use serde_json::json;

const TEXT: &str = "com.example.note.text";
const WORDS: &str = "com.example.note.words";

/// HTTP-26, H11-18, CORE-02: what is named changes, and what the extension makes of it; the rest stays.
#[test]
fn a_partial_update_changes_what_it_names() {
    let server = Server::start();
    let note = server.note("one");
    let answer = server.post(&note).text(body(&[], &["occi.core.title=\"mine\""])).answers(200);
    assert_eq!(answer.attribute("occi.core.title"), Some("\"mine\""), "H11-16: the answer shows it");
    let answer = server.post(&note).text(body(&[], &[&format!("{TEXT}=\"two words\"")])).answers(200);
    assert_eq!((answer.attribute(WORDS), answer.attribute("occi.core.title")), (Some("2"), Some("\"mine\"")));
    assert_eq!(server.get(&note).answers(200).body, answer.body);

    let answer =
        server.post(&note).json(&json!({"attributes": {TEXT: "now three words"}})).answers(200).json();
    assert_eq!(answer["attributes"][WORDS], 3);
    let attribute = format!("{TEXT}=\"four\"");
    let answer = server.post(&note).occi(&[("X-OCCI-Attribute", &attribute)]).answers(200);
    assert_eq!(answer.attribute(TEXT), Some("\"four\""));
}

/// HTTP-26 at the hypervisor: a volume grows.
#[test]
fn an_update_reaches_the_hypervisor() {
    let server = Server::start();
    let storage = server.create("storage", &["occi.storage.size=1"]);
    let shrink = server.post(&storage).text(body(&[], &["occi.storage.size=0.5"])).answers(400);
    assert!(shrink.body.contains("only grow"), "{shrink}");
    assert_eq!(server.get(&storage).answers(200).attribute("occi.storage.size"), Some("1.0"));
    assert_eq!(server.at_hypervisor("volumes", &storage, "capacity").unwrap(), 1_u64 << 30);
}

/// CORE-03, CORE-04, Q-40: an immutable attribute does not change, but may be sent back as it is.
#[test]
fn an_immutable_attribute_stays() {
    let server = Server::start();
    let note = server.note("one two");
    let answer = server.post(&note).text(body(&[], &[&format!("{WORDS}=9")])).answers(403);
    assert!(answer.body.contains(WORDS) && answer.body.contains("immutable"), "{answer}");
    let both = body(&[], &[&format!("{WORDS}=9"), &format!("{TEXT}=\"x\"")]);
    server.post(&note).text(both).answers(403);
    assert_eq!(server.get(&note).answers(200).attribute(TEXT), Some("\"one two\""), "nothing of it was done");
    server.post(&note).text(body(&[], &[&format!("{WORDS}=2")])).answers(200);
    let id = server.get(&note).answers(200).attribute("occi.core.id").unwrap().to_owned();
    server.post(&note).text(body(&[], &[&format!("occi.core.id={id}")])).answers(200);
    let other = "occi.core.id=\"urn:uuid:11111111-2222-3333-4444-555555555555\"";
    server.post(&note).text(body(&[], &[other])).answers(403);
}

/// H11-18, CORE-15: an entity stays of its Kind.
#[test]
fn the_kind_stays() {
    let server = Server::start();
    let note = server.note("one");
    server.post(&note).text(body(&[NOTE], &[&format!("{TEXT}=\"x\"")])).answers(200);
    for method in ["POST", "PUT"] {
        let answer = server.request(method, &note).text(kind("compute")).send();
        assert!(matches!(answer.status, 400 | 403 | 409), "{answer}");
        assert!(answer.body.contains("note#note"), "{answer}");
    }
}

/// HTTP-25, H11-19: a full update takes away what it leaves out.
#[test]
fn a_full_update_replaces() {
    let server = Server::start();
    let note = server.note("one");
    server.post(&note).text(body(&[], &["occi.core.title=\"mine\"", "occi.core.summary=\"s\""])).answers(200);
    let full = body(&[NOTE], &[&format!("{TEXT}=\"one two\""), "occi.core.summary=\"s\""]);
    let answer = server.put(&note).text(full).answers(200);
    assert_eq!(answer.attribute("occi.core.title"), None);
    assert_eq!(answer.attribute("occi.core.summary"), Some("\"s\""));
    assert_eq!(answer.attribute(WORDS), Some("2"));
    // What is required cannot be left out (CORE-11).
    let answer = server.put(&note).text(NOTE).answers(400);
    assert!(answer.body.contains(TEXT), "{answer}");
    let wanted = json!({"kind": NOTE_ID, "title": "json", "attributes": {TEXT: "x"}});
    let answer = server.put(&note).json(&wanted).answers(200).json();
    assert_eq!((&answer["title"], answer.get("summary")), (&json!("json"), None));
}

/// HTTP-24, H11-19: a full update names the Kind, since what it leaves out goes; with a Mixin alone it adds that (Q-05).
#[test]
fn a_full_update_names_the_kind() {
    let server = Server::start();
    let network = server.create("network", &["occi.network.vlan=7"]);
    let ipnetwork =
        r#"Category: ipnetwork; scheme="http://schemas.ogf.org/occi/infrastructure/network#"; class="mixin""#;
    for text in
        ["X-OCCI-Attribute: occi.core.title=\"x\"".into(), body(&[ipnetwork], &["occi.core.title=\"x\""])]
    {
        let refused = server.put(&network).text(text).answers(400);
        assert!(refused.body.contains("name its kind"), "{refused}");
    }
    server.put(&network).json(&json!({"title": "only"})).answers(400);
    let answer = server.put(&network).text(body(&[ipnetwork], &[])).answers(200);
    assert!(answer.body.contains("Category: ipnetwork;"), "{answer}");
    assert_eq!(answer.attribute("occi.network.vlan"), Some("7"));
}

/// HTTP-25, Q-38: links stay, and may be sent back; others are refused.
#[test]
fn a_full_update_keeps_the_links() {
    let server = Server::start();
    let (compute, storage) =
        (server.create("compute", &[]), server.create("storage", &["occi.storage.size=1"]));
    let link = server.link("storagelink", &compute, &storage);
    let before = server.get(&compute).answers(200);
    assert_eq!(before.links().len(), 1);

    let answer = server.put(&compute).text(body(&[&kind("compute")], &["occi.compute.cores=2"])).answers(200);
    assert_eq!(answer.links(), before.links());
    // All of what GET gave, actions and links among it.
    let answer = server.put(&compute).text(&before.body).answers(200);
    assert_eq!(answer.body, before.body);
    let json = server.get(&compute).accept("application/occi+json").answers(200).json();
    server.put(&compute).json(&json).answers(200);
    assert_eq!(server.get(&compute).answers(200).body, before.body);
    server.get(&link).answers(200);

    let other = server.create("storage", &["occi.storage.size=1"]);
    let new =
        format!("Link: <{other}>; rel=\"{}\"; category=\"{}\"\n", kind_id("storage"), kind_id("storagelink"));
    let answer = server.put(&compute).text(body(&[&kind("compute")], &[]) + &new).answers(400);
    assert!(answer.body.contains("create a link"), "{answer}");
    assert_eq!(server.get("/storagelink/").answers(200).locations(), [link]);
}

/// HTTP-24, H11-15: a PUT where nothing is makes it there, below its Kind's location.
#[test]
fn a_put_creates_at_a_chosen_path() {
    let server = Server::start();
    let note = body(&[NOTE], &[&format!("{TEXT}=\"x\"")]);
    let answer = server.put("/note/mine").text(&note).answers(201);
    assert_eq!(answer.location(), "/note/mine");
    server.put("/note/shelf/2").text(&note).answers(201);
    assert_eq!(server.get("/note/mine").answers(200).attribute(WORDS), Some("1"));
    server.put("/note/mine").text(&note).answers(200);
    assert_eq!(server.get("/note/").answers(200).locations(), ["/note/mine", "/note/shelf/2"]);
    assert_eq!(server.get("/note/shelf/").answers(200).locations(), ["/note/shelf/2"]);
    let answer = server.put("/elsewhere/mine").text(&note).answers(400);
    assert!(answer.body.contains("/note/"), "{answer}");
    let answer = server.put("/note/empty").answers(400);
    assert!(!answer.body.is_empty());
    server.put("/compute/web1").text(kind("compute")).answers(201);
    let id = server.get("/compute/web1").accept("application/json").answers(200).json()["id"].clone();
    let id = id.as_str().unwrap().trim_start_matches("urn:uuid:").to_owned();
    assert!(server.at_hypervisor("machines", &id, "state").is_some());
}

/// H11-18, Q-05, Q-39: an update may bring a Mixin or a link.
#[test]
fn an_update_brings_mixins_and_links() {
    let server = Server::start();
    let network = server.create("network", &[]);
    let ipnetwork =
        r#"Category: ipnetwork; scheme="http://schemas.ogf.org/occi/infrastructure/network#"; class="mixin""#;
    let answer = server
        .post(&network)
        .text(body(&[ipnetwork], &["occi.network.address=\"10.7.0.0/24\""]))
        .answers(200);
    assert_eq!(answer.attribute("occi.network.address"), Some("\"10.7.0.0/24\""));
    let os_tpl = r#"Category: os_tpl; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="mixin""#;
    let compute = server.create("compute", &[]);
    assert!(server.post(&compute).text(os_tpl).answers(200).body.contains("Category: os_tpl;"));
    let link = format!(
        "Link: <{network}>; rel=\"{}\"; category=\"{}\"\n",
        kind_id("network"),
        kind_id("networkinterface")
    );
    assert_eq!(server.post(&compute).text(&link).answers(200).links().len(), 1);
    let own = server.get("/networkinterface/").answers(200).locations();
    server.post(&own[0]).text(&link).answers(400);
    // All or nothing: the extension refuses the attribute, so the link that came with it is not made (H11-12).
    let other = server.create("compute", &[]);
    server.post(&other).text(body(&[], &["occi.compute.memory=0"]) + &link).answers(400);
    assert!(server.get(&other).answers(200).links().is_empty());
    assert_eq!(server.get("/networkinterface/").answers(200).locations(), own);
}

/// A storage that is in what was saved of its machine grows all the same, under the machine and without it.
#[test]
fn a_storage_grows_after_its_machine_was_saved() {
    let Some(server) = Server::on_qemu() else { return };
    let compute = server.create("compute", &[]);
    let storage = server.create("storage", &["occi.storage.size=0.1"]);
    server.link("storagelink", &compute, &storage);
    server.act(&compute, "start", &[]).is(200);
    server.act(&compute, "save", &[]).is(200);
    for (before, size, bytes) in [("start", 0.2, 214_748_672_u64), ("stop", 0.3, 322_122_752)] {
        server.act(&compute, before, &[]);
        server.post(&storage).text(body(&[], &[&format!("occi.storage.size={size}")])).answers(200);
        assert_eq!(server.at_hypervisor("volumes", &storage, "capacity"), Some(bytes.into()));
    }
    server.delete(&compute).answers(200);
    server.post(&storage).text(body(&[], &["occi.storage.size=0.4"])).answers(200);
    server.delete(&storage).answers(200);
}

/// A size is as the client has written it, also when the server has asked what there is.
#[test]
fn a_size_stays_as_it_was_written() {
    let Some(mut server) = Server::on_qemu() else { return };
    let sizes = ["0.7", "0.002", "1.7", "0.1"];
    let storages = sizes.map(|size| server.create("storage", &[&format!("occi.storage.size={size}")]));
    server.restart();
    for (size, storage) in sizes.iter().zip(&storages) {
        let again = body(&[], &[&format!("occi.storage.size={size}")]);
        let answer = server.post(storage).text(again).answers(200);
        assert_eq!(answer.attribute("occi.storage.size"), Some(*size));
    }
    server.delete("/storage/").answers(200);
}

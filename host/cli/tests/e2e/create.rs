//! New entities, in every form in which clients ask for them.

use crate::occi::{NOTE, NOTE_ID, body, kind, kind_id};
use crate::server::Server;
use serde_json::json;
use uuid::Uuid;

/// HTTP-31, H11-14, Q-23: 201, Location, and the same as a line in the body.
#[test]
fn in_text_plain() {
    let server = Server::start();
    let text = body(&[&kind("compute")], &["occi.compute.cores=2", "occi.core.title=\"web\""]);
    let answer = server.post("/compute/").text(text).answers(201);
    let url = answer.header("location");
    assert_eq!(answer.body, format!("X-OCCI-Location: {url}\r\n"));
    assert!(url.starts_with(&format!("{}/compute/", server.base())), "{url}");
    let compute = server.get(&answer.location()).answers(200);
    assert_eq!(compute.attribute("occi.compute.cores"), Some("2"));
    assert_eq!(compute.attribute("occi.core.title"), Some("\"web\""));
}

/// TXT-03, TXT-04, H11-27: headers, as lists or repeated, in any case.
#[test]
fn in_text_occi() {
    let server = Server::start();
    let category = kind("compute").replace("Category: ", "");
    let attributes = ["occi.compute.cores=3", "occi.core.title=\"a, b; c\""];
    for request in [
        server.post("/compute/").occi(&[
            ("Category", &category),
            ("X-OCCI-Attribute", attributes[0]),
            ("X-OCCI-Attribute", attributes[1]),
        ]),
        server
            .post("/compute/")
            .occi(&[("category", &category), ("x-occi-attribute", &attributes.join(", "))]),
    ] {
        let answer = request.accept("text/occi").answers(201);
        assert_eq!(answer.body, "OK");
        assert_eq!(answer.header("x-occi-location"), answer.header("location"));
        let compute = server.get(&answer.location()).answers(200);
        assert_eq!(compute.attribute("occi.compute.cores"), Some("3"));
        assert_eq!(compute.attribute("occi.core.title"), Some("\"a, b; c\""));
    }
}

/// JSON-10, JSON-04, Q-21, Q-69: an object without an id, under both media types.
#[test]
fn in_json() {
    let server = Server::start();
    let wanted = json!({
        "kind": kind_id("compute"), "title": "web", "summary": "front end",
        "attributes": {"occi.compute.cores": 2, "occi.compute.memory": 1.5},
    });
    for media_type in ["application/occi+json", "application/json"] {
        let request = server.post("/compute/").body(media_type, wanted.to_string());
        let path = request.accept(media_type).answers(201).location();
        let compute = server.get(&path).accept("application/occi+json").answers(200).json();
        assert_eq!(compute["title"], "web");
        assert_eq!(compute["summary"], "front end");
        assert_eq!(compute["attributes"]["occi.compute.memory"], 1.5);
        assert_eq!(compute["attributes"]["occi.compute.state"], "inactive", "INF-04");
    }
}

/// Acceptance of the main job: the entity is a machine, a volume, a network at the hypervisor.
#[test]
fn it_exists_at_the_hypervisor() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    let storage = server.create("storage", &["occi.storage.size=0.5"]);
    let network = server.create("network", &[]);
    assert_eq!(server.at_hypervisor("machines", &compute, "state").unwrap(), "off");
    assert_eq!(server.at_hypervisor("volumes", &storage, "capacity").unwrap(), 1_u64 << 29);
    assert_eq!(server.at_hypervisor("networks", &network, "active").unwrap(), false);
}

/// JSON-07, CORE-11, JSON-08: defaults where the client says nothing, and a refusal where there is none.
#[test]
fn defaults_are_filled_in_and_what_is_required_is_asked_for() {
    let server = Server::start();
    let compute = server.get(&server.create("compute", &[])).answers(200);
    assert_eq!(compute.attribute("occi.compute.cores"), Some("1"));
    assert_eq!(compute.attribute("occi.compute.architecture"), Some("\"x64\""));
    let answer = server.post("/storage/").text(kind("storage")).answers(400);
    assert!(answer.body.contains("occi.storage.size"), "{answer}");
}

/// Q-03: a client's id is adopted where it is a free UUID, else ignored.
#[test]
fn a_client_may_choose_the_id() {
    let server = Server::start();
    let id = Uuid::new_v4().to_string();
    let create = |id: &str| {
        let attributes = [format!("occi.core.id=\"{id}\""), "com.example.note.text=\"x\"".to_owned()];
        server.post("/note/").text(body(&[NOTE], &[&attributes[0], &attributes[1]])).answers(201).location()
    };
    assert_eq!(create(&id), format!("/note/{id}"));
    assert_ne!(create(&id), format!("/note/{id}"), "it is taken");
    let urn = Uuid::new_v4().to_string();
    assert_eq!(create(&format!("urn:uuid:{urn}")), format!("/note/{urn}"));
    create("my own name");
    let asked = Uuid::new_v4().to_string();
    let made = server
        .post("/note/")
        .json(&json!({"kind": NOTE_ID, "id": asked, "attributes": {"com.example.note.text": "x"}}));
    assert_eq!(made.answers(201).location(), format!("/note/{asked}"));
    // A path that belongs to an id is made with it, and one that somebody else has is no way for the id.
    let put = Uuid::new_v4().to_string();
    let note = body(&[NOTE], &["com.example.note.text=\"x\""]);
    let made = server.put(&format!("/note/{put}")).text(&note).accept("application/json").answers(201).json();
    assert_eq!(made["id"], json!(format!("urn:uuid:{put}")), "{made}");
    let (other, wanted) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let with_id = body(&[NOTE], &["com.example.note.text=\"x\"", &format!("occi.core.id=\"{other}\"")]);
    server.put(&format!("/note/{wanted}")).text(with_id).answers(201);
    assert_ne!(create(&wanted), format!("/note/{wanted}"));
}

/// INF-05: a network as large as its address says; DHCP gives out as much of it as the hypervisor can.
#[test]
fn networks_of_any_size() {
    let server = Server::start();
    for address in ["10.0.0.0/8", "10.2.0.0/15", "10.4.0.0/16", "fd00:1::/64", "fd00:2::/48", "fd00:3::/112"]
    {
        let network = json!({
            "kind": kind_id("network"),
            "mixins": ["http://schemas.ogf.org/occi/infrastructure/network#ipnetwork"],
            "attributes": {"occi.network.address": address, "occi.network.allocation": "dynamic"},
        });
        server.post("/network/").json(&network).answers(201);
    }
}

/// Q-68: at the root, too; and not at any other path.
#[test]
fn at_the_root() {
    let server = Server::start();
    let location = server.post("/").text(kind("compute")).answers(201).location();
    assert!(location.starts_with("/compute/"));
    let answer = server.post("/nowhere/").text(kind("compute")).answers(400);
    assert!(answer.body.contains("Kind's location"), "{answer}");
}

/// H11-12, JSON-06: many at once, or none of them.
#[test]
fn several_at_once_or_none() {
    let server = Server::start();
    let compute =
        |cores: i64| json!({"kind": kind_id("compute"), "attributes": {"occi.compute.cores": cores}});
    let answer = server.post("/compute/").json(&json!({"resources": [compute(1), compute(0)]})).answers(400);
    assert!(answer.json()["detail"].as_str().unwrap().contains("occi.compute.cores"), "{answer}");
    assert_eq!(server.get("/compute/").answers(200).body, "");
    assert_eq!(server.inspect()["machines"], json!([]));

    let both = json!({"resources": [compute(1), compute(2)]});
    let answer = server.post("/compute/").accept("text/plain").body("application/json", both.to_string());
    let made = answer.answers(201).locations();
    let mut listed = server.get("/compute/").answers(200).locations();
    listed.sort_unstable();
    assert_eq!(made.len(), 2);
    assert!(made.iter().all(|path| listed.contains(path)), "{made:?} {listed:?}");
    assert_eq!(server.inspect()["machines"].as_array().unwrap().len(), 2);
}

/// CORE-25, INF-07: a Mixin from the beginning, with its attributes.
#[test]
fn with_a_mixin() {
    let server = Server::start();
    let ipnetwork =
        r#"Category: ipnetwork; scheme="http://schemas.ogf.org/occi/infrastructure/network#"; class="mixin""#;
    let attributes = ["occi.network.address=\"10.9.0.0/24\"", "occi.network.gateway=\"10.9.0.1\""];
    let text = body(&[&kind("network"), ipnetwork], &attributes);
    let network = server.post("/network/").text(text).answers(201).location();
    let shown = server.get(&network).answers(200);
    assert_eq!(shown.attribute("occi.network.address"), Some("\"10.9.0.0/24\""));
    assert!(shown.lines()[1].starts_with("Category: ipnetwork;"), "TXT-10: {shown}");
    assert_eq!(server.get("/mixin/ipnetwork/").answers(200).locations(), [network]);
    // What the Mixin's extension refuses is refused whole.
    let attributes = ["occi.network.address=\"10.9.0.0/24\"", "occi.network.gateway=\"10.8.0.1\""];
    let text = body(&[&kind("network"), ipnetwork], &attributes);
    let answer = server.post("/network/").text(text).answers(400);
    assert!(answer.body.contains("gateway"), "{answer}");
    assert_eq!(server.inspect()["networks"].as_array().unwrap().len(), 1);
}

/// Q-01, Q-06, Q-08, Q-50, Q-51, Q-04: the forms that real clients send.
#[test]
fn in_the_forms_of_real_clients() {
    let server = Server::start();
    let scheme = "http://schemas.ogf.org/occi/infrastructure#";
    for text in [
        format!("Category: compute;scheme=\"{scheme}\""),
        format!("Category: compute; scheme=\"{scheme}\"; class=\"kind\";"),
        format!(
            "Category: compute; scheme=\"{scheme}\"; class=kind\r\nX-OCCI-Attribute: occi.compute.cores=\"2\""
        ),
        format!(
            "category: compute; scheme=\"{scheme}\"; class=\"kind\"\nx-occi-attribute: occi.compute.hostname=web"
        ),
        // A whole category, as the query interface renders it.
        format!(
            "Category: compute; scheme=\"{scheme}\"; class=\"kind\"; title=\"Compute Resource\"; location=\"/compute/\""
        ),
        format!(
            "Category: compute; scheme=\"{scheme}\"; class=\"kind\"\nX-OCCI-Attribute: occi.compute.memory=1e0"
        ),
    ] {
        server.post("/compute/").body("text/plain,text/occi", text.as_str()).answers(201);
    }
    let nested = json!({"resources": [{"kind": kind_id("compute"), "mixins": [],
        "attributes": {"occi": {"compute": {"cores": 4}}}}]});
    let path = server.post("/compute/").json(&nested).answers(201).location();
    assert_eq!(server.get(&path).answers(200).attribute("occi.compute.cores"), Some("4"));
}

/// HTTP section 3: what is wrong is said, and what to change; nothing is made.
#[test]
fn what_cannot_be_is_refused() {
    let server = Server::start();
    let compute = kind("compute");
    let unknown = r#"Category: nothing; scheme="http://example.com/none#"; class="kind""#;
    let os_tpl = r#"Category: os_tpl; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="mixin""#;
    for (place, text, status, said) in [
        ("/compute/", String::new(), 400, "name its Kind"),
        ("/compute/", body(&[unknown], &[]), 400, "http://example.com/none#nothing"),
        // H11-13, Q-49
        ("/compute/", body(&[&compute, &kind("storage")], &[]), 400, "exactly one"),
        ("/compute/", body(&[], &["occi.compute.cores=1"]), 400, "Kind"),
        ("/compute/", body(&[&kind("network")], &[]), 400, "/network/"),
        // CORE-40
        (
            "/",
            body(&[r#"Category: entity; scheme="http://schemas.ogf.org/occi/core#"; class="kind""#], &[]),
            400,
            "entity",
        ),
        ("/compute/", body(&[&compute], &["occi.compute.speed=2"]), 400, "occi.compute.speed"),
        ("/compute/", body(&[&compute], &["occi.compute.cores=\"two\""]), 400, "occi.compute.cores"),
        ("/compute/", body(&[&compute], &["occi.compute.architecture=\"arm\""]), 400, "x86"),
        ("/compute/", body(&[&compute], &["occi.compute.hostname=\"a b\""]), 400, "occi.compute.hostname"),
        ("/compute/", body(&[&compute], &["occi.compute.memory=-1"]), 400, "occi.compute.memory"),
        // The extension's own check.
        ("/compute/", body(&[&compute], &["occi.compute.memory=0"]), 400, "1 MiB"),
        // CORE-04
        ("/compute/", body(&[&compute], &["occi.compute.state=\"active\""]), 403, "occi.compute.state"),
        // CORE-21, CORE-22, Q-41
        ("/network/", body(&[&kind("network"), os_tpl], &[]), 400, "os_tpl"),
    ] {
        let answer = server.post(place).text(&text).answers(status);
        assert!(answer.body.contains(said), "{text}: {answer}");
    }
    // All the faults at once.
    let text = body(&[&compute], &["occi.compute.cores=0", "occi.compute.memory=\"much\""]);
    let answer = server.post("/compute/").text(text).answers(400);
    assert!(answer.body.contains("cores") && answer.body.contains("memory"), "{answer}");
    assert_eq!(server.get("/").answers(200).body, "");
    assert_eq!(server.inspect()["machines"], json!([]));
}

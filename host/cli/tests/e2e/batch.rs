//! Several resources and links in one request, all of them or none (H11-12, HTTP-31, JSON-06).

use crate::mule;
use crate::occi::{NOTE_ID, kind_id};
use crate::server::Server;
use serde_json::{Value, json};
use uuid::Uuid;

fn resource(term: &str, id: Uuid) -> Value {
    let attributes = if term == "storage" { json!({"occi.storage.size": 1}) } else { json!({}) };
    json!({"kind": kind_id(term), "id": format!("urn:uuid:{id}"), "attributes": attributes})
}

fn link(term: &str, source: impl Into<String>, target: impl Into<String>) -> Value {
    json!({"kind": kind_id(term), "source": {"location": source.into()}, "target": {"location": target.into()}})
}

fn is_empty(server: &Server) {
    assert_eq!(server.get("/").answers(200).body, "");
    let left = server.inspect();
    for list in ["machines", "volumes", "networks"] {
        assert_eq!(left[list], json!([]), "{list}");
    }
}

/// HTTP-31, JSON-12: links join what the same request describes, in whichever way they name it, and what is there
/// already; in the answer each has its location.
#[test]
fn links_between_resources_of_the_same_request() {
    let server = Server::start();
    let network = server.create("network", &[]);
    for round in 0..4 {
        let (compute, storage) = (Uuid::new_v4(), Uuid::new_v4());
        let (source, target) = match round {
            0 => (format!("urn:uuid:{compute}"), format!("urn:uuid:{storage}")),
            1 => (compute.to_string(), storage.to_string()),
            2 => (format!("/compute/{compute}"), format!("/storage/{storage}")),
            _ => (
                format!("{}/compute/{compute}", server.base()),
                format!("{}/storage/{storage}", server.base()),
            ),
        };
        let links = [link("storagelink", &source, target), link("networkinterface", source, &network)];
        let resources = [resource("compute", compute), resource("storage", storage)];
        // JSON-06: an object has no order, and here the links come first.
        let text = format!("{{\"links\":{},\"resources\":{}}}", json!(links), json!(resources));
        let request = server.post("/").accept("text/plain").body("application/occi+json", text);
        let made = request.answers(201).locations();
        assert_eq!(made[..2], [format!("/compute/{compute}"), format!("/storage/{storage}")]);
        assert_eq!(made.len(), 4, "{made:?}");
        let shown = server.get(&made[0]).accept("application/occi+json").answers(200).json();
        let ends: Vec<_> =
            shown["links"].as_array().unwrap().iter().map(|link| &link["target"]["location"]).collect();
        assert_eq!(ends, [&*made[1], &*network]);
        assert_eq!(server.get(&made[2]).answers(200).attribute("occi.storagelink.deviceid"), Some("\"vda\""));
    }
    server.delete("/").answers(200);
    is_empty(&server);
}

/// what a request calls its resources is good for its links, whether or not the server takes it over.
#[test]
fn names_that_are_good_for_one_request() {
    let server = Server::start();
    let id = Uuid::new_v4();
    let make = || {
        let link = link("networkinterface", format!("urn:uuid:{id}"), "/network/lan");
        let mut network = resource("network", Uuid::new_v4());
        network["location"] = json!("/network/lan");
        let body = json!({"resources": [resource("compute", id), network], "links": [link]});
        server
            .post("/")
            .accept("text/plain")
            .body("application/json", body.to_string())
            .answers(201)
            .locations()
    };
    let (first, second) = (make(), make());
    assert_eq!(first[0], format!("/compute/{id}"));
    assert_ne!(second[0], first[0], "the id is taken");
    for made in [first, second] {
        let link = server.get(&made[2]).answers(200);
        assert_eq!(link.attribute("occi.core.source"), Some(&*format!("{:?}", made[0])));
        assert_eq!(link.attribute("occi.core.target"), Some(&*format!("{:?}", made[1])));
    }
    server.get("/network/lan").answers(404);
}

/// a request that is sent again is about what it makes itself, not about what the first one has made; and an
/// id that the server could never take over is good for the request's links.
#[test]
fn a_request_that_is_sent_again() {
    let server = Server::start();
    for (machine, network) in
        [(Uuid::new_v4().to_string(), Uuid::new_v4().to_string()), ("vm1".into(), "urn:net:1".into())]
    {
        let resource = |term: &str, id: &str| json!({"kind": kind_id(term), "id": id});
        for named in [
            [machine.clone(), network.clone()],
            [format!("/compute/{machine}"), format!("{}/network/{network}", server.base())],
        ] {
            let link = link("networkinterface", named[0].clone(), named[1].clone());
            let resources = [resource("compute", &machine), resource("network", &network)];
            let body = json!({"resources": resources, "links": [link]}).to_string();
            for _ in 0..2 {
                let request = server.post("/").accept("text/plain").body("application/json", body.clone());
                let made = request.answers(201).locations();
                let link = server.get(&made[2]).answers(200);
                assert_eq!(link.attribute("occi.core.source"), Some(&*format!("{:?}", made[0])), "{named:?}");
                assert_eq!(link.attribute("occi.core.target"), Some(&*format!("{:?}", made[1])), "{named:?}");
            }
        }
    }
}

/// an id that is there twice is adopted once; a link that names it is refused.
#[test]
fn an_id_that_is_there_twice() {
    let server = Server::start();
    let id = Uuid::new_v4();
    let note = json!({"kind": NOTE_ID, "id": id.to_string(), "attributes": {"com.example.note.text": "x"}});
    let both = json!({"resources": [note, note]});
    let made = server.post("/").accept("text/plain").body("application/json", both.to_string());
    let made = made.answers(201).locations();
    assert_eq!(made[0], format!("/note/{id}"));
    assert!(made.len() == 2 && made[1] != made[0], "{made:?}");
    server.delete("/note/").answers(200);

    let target = server.create("network", &[]);
    let twice = json!({"resources": [resource("compute", id), resource("compute", id)],
        "links": [link("networkinterface", id.to_string(), target)]});
    let answer = server.post("/").json(&twice).answers(400);
    assert!(answer.body.contains(&id.to_string()), "{answer}");
    server.delete("/").answers(200);
    is_empty(&server);
}

/// H11-12: the last of the request is refused by its extension; nothing is left of the others.
#[test]
fn a_refusal_in_the_last() {
    let server = Server::start();
    let [compute, network, storage] = [(); 3].map(|()| Uuid::new_v4());
    let resources =
        [resource("compute", compute), resource("network", network), resource("storage", storage)];
    let source = format!("urn:uuid:{compute}");
    let good = [
        link("networkinterface", &source, format!("urn:uuid:{network}")),
        link("storagelink", &source, format!("urn:uuid:{storage}")),
    ];
    // A network is no volume.
    let bad = link("storagelink", &source, format!("urn:uuid:{network}"));
    let answer = server
        .post("/")
        .json(&json!({"resources": resources, "links": [good[0], good[1], bad]}))
        .answers(400);
    assert!(answer.body.contains("target"), "{answer}");
    is_empty(&server);
    // One that names nothing is found before anything is done.
    let bad = link("storagelink", &source, format!("urn:uuid:{}", Uuid::new_v4()));
    server.post("/").json(&json!({"resources": resources, "links": [good[0], bad]})).answers(400);
    is_empty(&server);
    // The ids are free again.
    server.post("/").json(&json!({"resources": resources, "links": good})).answers(201);
    assert_eq!(server.get("/").answers(200).locations().len(), 5);
}

/// H11-12: so it is where the last is refused for its Mixin, by another extension than the others'.
#[test]
fn a_refusal_by_another_extension() {
    let (server, _folder) = mule::server();
    let mule = json!({"kind": "http://example.com/mule#mule", "mixins": ["http://example.com/mule#burden"],
        "attributes": {"com.example.mule.stubborn": true}});
    let resources = json!([resource("compute", Uuid::new_v4()), resource("network", Uuid::new_v4()), mule]);
    let answer = server.post("/").json(&json!({"resources": resources})).answers(409);
    assert!(answer.body.contains("I will not"), "{answer}");
    is_empty(&server);
}

/// JSON-10: in JSON the answer to a creation is what was made, and to what has no answer an empty object.
#[test]
fn nothing_to_say_is_an_empty_object() {
    let server = Server::start();
    let note = json!({"kind": NOTE_ID, "attributes": {"com.example.note.text": "x"}});
    for accept in ["application/json", "application/occi+json"] {
        let created =
            server.post("/note/").accept(accept).body("application/json", note.to_string()).answers(201);
        let stamp = json!({"action": "http://example.com/occi/note/action#stamp"});
        let acted =
            server.post("/note/?action=stamp").accept(accept).body("application/json", stamp.to_string());
        let gone = server.delete(&created.location()).accept(accept);
        let all_gone = server.delete("/note/").accept(accept);
        let dissociated = server.delete("/mixin/ipnetwork/").accept(accept);
        let shown = server.get(&created.location()).accept(accept).answers(200).body;
        assert_eq!((&created.body, created.header("content-type")), (&shown, accept.to_owned()), "{created}");
        for answer in [acted.answers(200), gone.answers(200), all_gone.answers(200), dissociated.answers(200)]
        {
            assert_eq!(
                (answer.body.as_str(), answer.header("content-type")),
                ("{}", accept.to_owned()),
                "{answer}"
            );
        }
    }
}

//! The Compute Resource Templates Profile (GFD.222), an extension without code: `plugins/templates`.

use crate::occi::{body, kind};
use crate::server::Server;
use serde_json::Value;

const SCHEME: &str = "http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#";
const SIZE: &str = "occi.compute.ephemeral_storage.size";
const DEVICE: &str = "occi.compute.ephemeral_storage.deviceid";

fn template(term: &str) -> String {
    format!("Category: {term}; scheme=\"{SCHEME}\"; class=\"mixin\"")
}

/// A compute by a template; its path.
fn made_by(server: &Server, term: &str) -> String {
    let asked = body(&[&kind("compute"), &template(term)], &[]);
    server.post("/compute/").text(asked).answers(201).location()
}

/// The sizes that a compute shows.
fn sizes(server: &Server, compute: &str) -> (i64, f64, f64) {
    let shown: Value =
        serde_json::from_str(&server.get(compute).accept("application/occi+json").answers(200).body).unwrap();
    let attributes = &shown["attributes"];
    (
        attributes["occi.compute.cores"].as_i64().unwrap(),
        attributes["occi.compute.memory"].as_f64().unwrap(),
        attributes[SIZE].as_f64().unwrap(),
    )
}

/// R0306 to R0311, R0304, R0305: each gives a compute its sizes, and the disk that lives as long.
#[test]
fn each_gives_a_compute_its_sizes() {
    let server = Server::start();
    for (term, expected) in [
        ("small", (1, 1.0, 10.0)),
        ("medium", (2, 2.0, 20.0)),
        ("large", (4, 4.0, 40.0)),
        ("mem_small", (1, 4.0, 10.0)),
        ("mem_medium", (2, 8.0, 20.0)),
        ("mem_large", (4, 16.0, 40.0)),
    ] {
        let compute = made_by(&server, term);
        assert_eq!(sizes(&server, &compute), expected, "{term}");
        assert_eq!(server.get(&compute).answers(200).attribute(DEVICE), Some("\"vda\""), "{term}");
        assert_eq!(server.at_hypervisor("machines", &compute, "cores"), Some(expected.0.into()), "{term}");
        let members = server.get(&format!("/mixin/resource_tpl/{term}/")).answers(200).locations();
        assert_eq!(members, std::slice::from_ref(&compute), "{term}");
        server.delete(&compute).answers(200);
    }
    assert_eq!(server.inspect()["own_disks"], serde_json::json!([]), "they went with their machines");
}

/// R0401 to R0405: every answer names the profile; and no longer once the extension is gone.
#[test]
fn answers_name_the_profile() {
    let server = Server::start();
    let named = |answer: &crate::http::Answer| answer.header("server");
    let with = "OCCI/1.2 OCCI/1.1 OCCI-CRTP-EP/1.1 OCCI-CRTP/1.1";
    for path in ["/-/", "/compute/", "/healthz"] {
        assert!(named(&server.get(path).answers(200)).ends_with(with), "{path}");
    }
    for (path, status) in [("/compute/none", 404), ("/compute/?number=x", 400)] {
        assert!(named(&server.get(path).answers(status)).ends_with(with), "{path}");
    }
    let data = server.data();
    crate::server::ext(&["disable", "templates", "--data", data.to_str().unwrap()]).unwrap();
    let answer = server.get("/-/").answers(200);
    assert!(named(&answer).ends_with("OCCI/1.2 OCCI/1.1"), "{answer}");
}

/// INF-14: what a template says goes before what the client does; and it cannot be changed while it has it.
#[test]
fn a_template_goes_before_what_the_client_says() {
    let server = Server::start();
    let both = body(&[&kind("compute"), &template("medium")], &["occi.compute.cores=7"]);
    let compute = server.post("/compute/").text(both).answers(201).location();
    assert_eq!(sizes(&server, &compute), (2, 2.0, 20.0));
    let answer = server.post(&compute).text(body(&[], &["occi.compute.cores=7"])).send();
    assert!(matches!(answer.status, 400 | 403), "{answer}");
    assert_eq!(sizes(&server, &compute), (2, 2.0, 20.0));
}

/// INF-17, R0302: another template takes the place of the one there is, and the machine follows.
#[test]
fn another_template_takes_its_place() {
    let server = Server::start();
    let compute = made_by(&server, "small");
    server.act(&compute, "start", &[]).is(200);
    server.post(&compute).text(body(&[&template("large")], &[])).answers(200);
    assert_eq!(sizes(&server, &compute), (4, 4.0, 40.0));
    assert_eq!(server.at_hypervisor("machines", &compute, "cores"), Some(4.into()));
    let shown = server.get(&compute).answers(200).body;
    assert!(shown.contains("Category: large;") && !shown.contains("Category: small;"), "{shown}");
    // By the collection, too.
    let line = format!("X-OCCI-Location: {}{compute}", server.base());
    server.post("/mixin/resource_tpl/mem_small/").text(line).answers(200);
    assert_eq!(sizes(&server, &compute).1.to_bits(), 4.0_f64.to_bits());
    assert_eq!(server.get("/mixin/resource_tpl/large/").answers(200).locations(), Vec::<String>::new());
    // Two at once are none.
    let two = body(&[&kind("compute"), &template("small"), &template("large")], &[]);
    server.post("/compute/").text(two).answers(400);
}

//! What a tenant may have at most.

use crate::occi::{body, kind};
use crate::server::Server;

const CONFIG: &str = r#"
[[quota]]
category = "http://schemas.ogf.org/occi/infrastructure#compute"
attribute = "occi.compute.cores"
most = 8

[[quota]]
category = "http://schemas.ogf.org/occi/infrastructure#compute"
attribute = "occi.compute.memory"
most = 4.5

[[quota]]
category = "http://schemas.ogf.org/occi/infrastructure#storage"
most = 2

[[quota]]
category = "http://schemas.ogf.org/occi/infrastructure/network#ipnetwork"
most = 1
"#;

const IP_NETWORK: &str =
    "Category: ipnetwork; scheme=\"http://schemas.ogf.org/occi/infrastructure/network#\"; class=\"mixin\"";

#[test]
fn no_more_than_it_may_have() {
    let mut server = Server::configured(CONFIG);
    let first = server.create("compute", &["occi.compute.cores=4"]);
    let second = server.create("compute", &["occi.compute.cores=3", "occi.compute.memory=2.25"]);
    let asked = body(&[&kind("compute")], &["occi.compute.cores=2"]);
    let answer = server.post("/compute/").text(&asked).answers(409);
    let said =
        "this would take 2, and 1 is left of what you may have, which is 8 of occi.compute.cores in all of";
    assert!(answer.body.contains(said), "{answer}");
    assert_eq!(server.inspect()["machines"].as_array().unwrap().len(), 2, "nothing was begun");
    // An update counts as well, and may give back.
    server.post(&first).text(body(&[], &["occi.compute.cores=6"])).answers(409);
    server.post(&first).text(body(&[], &["occi.compute.cores=5"])).answers(200);
    server.post(&first).text(body(&[], &["occi.compute.memory=2.3"])).answers(409);
    server.post(&first).text(body(&[], &["occi.compute.memory=2.25"])).answers(200);
    server.post(&second).text(body(&[], &["occi.compute.cores=1"])).answers(200);
    server.post(&first).text(body(&[], &["occi.compute.memory=1", "occi.compute.cores=1"])).answers(200);

    // It is the same after a restart.
    server.kill_and_restart();
    server.post("/compute/").text(body(&[&kind("compute")], &["occi.compute.cores=7"])).answers(409);
    let third = server.create("compute", &["occi.compute.cores=6"]);
    server.delete(&third).answers(200);
    server.create("compute", &["occi.compute.cores=6"]);

    // Entities are counted, too, and those who have a Mixin.
    server.create("storage", &["occi.storage.size=1"]);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    server.post("/storage/").text(body(&[&kind("storage")], &["occi.storage.size=1"])).answers(409);
    server.delete(&storage).answers(200);
    server.create("storage", &["occi.storage.size=1"]);
    let address = ["occi.network.address=\"10.7.0.0/24\""];
    let networks = [server.create("network", &[]), server.create("network", &[])];
    server.post(&networks[0]).text(body(&[IP_NETWORK], &address)).answers(200);
    server.post(&networks[1]).text(body(&[IP_NETWORK], &address)).answers(409);
    let line = format!("X-OCCI-Location: {}{}", server.base(), networks[1]);
    server.post("/mixin/ipnetwork/").text(&line).answers(409);
    server.delete(&networks[0]).answers(200);
    server.post("/mixin/ipnetwork/").text(&line).answers(200);
}

/// Those who ask at once get no more together than one after the other.
#[test]
fn all_at_once_no_more_than_it_may_have() {
    let server = Server::configured(CONFIG);
    let asked = body(&[&kind("compute")], &["occi.compute.cores=1", "occi.compute.memory=0.001"]);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    (0..4).map(|_| server.post("/compute/").text(&asked).send().status).collect::<Vec<_>>()
                })
            })
            .collect();
        asking.into_iter().flat_map(|asked| asked.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let made = server.get("/compute/").answers(200).locations().len();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), made);
    // A claim that is not yet given back may keep one out who comes at that moment; none too many get in.
    assert!((1..=8).contains(&made), "{made}");
    for _ in made..8 {
        server.post("/compute/").text(&asked).answers(201);
    }
    server.post("/compute/").text(&asked).answers(409);
}

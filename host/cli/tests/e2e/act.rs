//! Actions and the states that they lead to.

use crate::occi::{action, body, kind};
use crate::server::Server;
use serde_json::json;

const STATE: &str = "occi.compute.state";

/// INF-05 and the state diagram: each method of each action leads where it shall, in the store and at the hypervisor;
/// H11-17: exactly the actions that are possible are shown.
#[test]
fn every_method_of_every_action_of_a_compute() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    assert_eq!(server.get(&compute).answers(200).actions(), ["start"]);
    let walk = [
        ("start", None, "active", "running"),
        ("suspend", None, "suspended", "paused"),
        ("start", None, "active", "running"),
        ("suspend", Some("suspend"), "suspended", "paused"),
        ("start", None, "active", "running"),
        ("suspend", Some("hibernate"), "suspended", "saved"),
        ("start", None, "active", "running"),
        ("restart", None, "active", "running"),
        ("restart", Some("graceful"), "active", "running"),
        ("restart", Some("warm"), "active", "running"),
        ("restart", Some("cold"), "active", "running"),
        ("save", Some("hot"), "active", "running"),
        ("save", Some("deferred"), "active", "running"),
        //
        ("save", Some("deffered"), "active", "running"),
        ("stop", None, "inactive", "off"),
        ("start", None, "active", "running"),
        ("stop", Some("graceful"), "inactive", "off"),
        ("start", None, "active", "running"),
        ("stop", Some("acpioff"), "inactive", "off"),
        ("start", None, "active", "running"),
        ("stop", Some("poweroff"), "inactive", "off"),
    ];
    for (term, method, state, machine) in walk {
        let method = method.map(|method| format!("method=\"{method}\""));
        // HTTP-27: 200, and the entity; but what was saved is an OS template (INF-06, in images.rs).
        let answer = server.act(&compute, term, &method.as_deref().into_iter().collect::<Vec<_>>()).is(200);
        let answer = if term == "save" { server.get(&compute).answers(200) } else { answer };
        assert_eq!(answer.attribute(STATE), Some(&*format!("{state:?}")), "{term} {method:?}: {answer}");
        assert_eq!(
            server.at_hypervisor("machines", &compute, "state").unwrap(),
            machine,
            "{term} {method:?}"
        );
        let possible: &[_] = match state {
            "active" => &["restart", "save", "stop", "suspend"],
            _ => &["start"],
        };
        assert_eq!(server.get(&compute).answers(200).actions(), possible);
    }
}

/// INF-05: networks and storages.
#[test]
fn the_actions_of_networks_and_storages() {
    let server = Server::start();
    let network = server.create("network", &[]);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    for (path, term, attribute, state, next) in [
        (&network, "up", "occi.network.state", "active", "down"),
        (&network, "down", "occi.network.state", "inactive", "up"),
        (&storage, "online", "occi.storage.state", "online", "offline"),
        (&storage, "offline", "occi.storage.state", "offline", "online"),
    ] {
        let answer = server.act(path, term, &[]).is(200);
        assert_eq!(answer.attribute(attribute), Some(&*format!("{state:?}")));
        assert_eq!(answer.actions(), [next]);
        let shown = server.get(path).answers(200);
        assert_eq!(shown.attribute(attribute), Some(&*format!("{state:?}")));
        if path == &network {
            assert_eq!(server.at_hypervisor("networks", path, "active").unwrap(), state == "active");
        }
    }
}

/// README, CORE-29: an action that the state does not allow is a conflict, and nothing changes.
#[test]
fn an_action_in_the_wrong_state_changes_nothing() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    for (term, allowed) in
        [("stop", "active"), ("suspend", "active"), ("restart", "active"), ("save", "active")]
    {
        let before = server.get(&compute).answers(200);
        let answer = server.act(&compute, term, &[]).is(409);
        assert!(answer.body.contains(term) && answer.body.contains(allowed), "{answer}");
        let after = server.get(&compute).answers(200);
        assert_eq!(
            (after.body.as_str(), after.header("etag")),
            (before.body.as_str(), before.header("etag"))
        );
    }
    assert_eq!(server.at_hypervisor("machines", &compute, "state").unwrap(), "off");
    server.act(&compute, "start", &[]).is(200);
    server.act(&compute, "start", &[]).is(409);
    server.act(&compute, "suspend", &[]).is(200);
    // No arrow leads from suspended to inactive.
    server.act(&compute, "stop", &[]).is(409);
    assert_eq!(server.at_hypervisor("machines", &compute, "state").unwrap(), "paused");
}

/// HTTP-27, H11-21, Q-06, Q-30, TXT-12, JSON-14: how an invocation is written, and how not.
#[test]
fn how_an_invocation_is_written() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    let start = action("compute", "start");
    let url = |term: &str| format!("{compute}?action={term}");
    for (query, text, said) in [
        ("start", String::new(), "start"),
        ("stop", start.clone(), "action=stop"),
        ("start", kind("compute"), "start"),
        ("fly", action("compute", "fly"), "fly"),
        ("up", action("network", "up"), "up"),
        ("start", body(&[&start], &["method=\"cold\""]), "method"),
    ] {
        let answer = server.post(&url(query)).text(&text).answers(400);
        assert!(answer.body.contains(said), "{text}: {answer}");
    }
    let answer = server.get(&url("start")).answers(400);
    assert!(answer.body.contains("POST"), "{answer}");
    assert_eq!(server.get(&compute).answers(200).attribute(STATE), Some("\"inactive\""));

    let id = "http://schemas.ogf.org/occi/infrastructure/compute/action#";
    let json = json!({"action": format!("{id}start"), "attributes": {}});
    let answer = server.post(&url("start")).json(&json).answers(200).json();
    assert_eq!(answer["attributes"][STATE], "active");
    let answer = server.act(&compute, "stop", &["method=\"soon\""]).is(400);
    assert!(answer.body.contains("poweroff"), "{answer}");
    let json = json!({"action": format!("{id}stop"), "attributes": {"method": "poweroff"}});
    server.post(&url("stop")).json(&json).answers(200);
    // without its class; and in headers.
    server.post(&url("start")).text(start.replace("; class=\"action\"", "")).answers(200);
    let stop = action("compute", "stop").replace("Category: ", "");
    let headers = [("Category", &*stop), ("X-OCCI-Attribute", "method=\"poweroff\"")];
    assert_eq!(server.post(&url("stop")).occi(&headers).answers(200).attribute(STATE), Some("\"inactive\""));
}

/// HTTP-33, CORE-30, H11-10: an action on a collection is on all of it, or on none.
#[test]
fn an_action_on_a_collection() {
    let server = Server::start();
    let computes = [server.create("compute", &[]), server.create("compute", &[])];
    let start = action("compute", "start");
    server.post("/compute/?action=start").text(&start).answers(200);
    let state = |path: &String| server.get(path).answers(200).attribute(STATE).unwrap().to_owned();
    assert_eq!(computes.each_ref().map(state), ["\"active\"", "\"active\""]);

    server.act(&computes[1], "stop", &["method=\"poweroff\""]).is(200);
    let stop = body(&[&action("compute", "stop")], &["method=\"poweroff\""]);
    server.post("/compute/?action=stop").text(stop).answers(409);
    assert_eq!(computes.each_ref().map(state), ["\"active\"", "\"inactive\""], "all are checked first");
}

/// The links of a compute follow it.
#[test]
fn links_follow_their_compute() {
    let server = Server::start();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let link = server.link("networkinterface", &compute, &network);
    let state = || {
        let shown = server.get(&link).answers(200);
        shown.attribute("occi.networkinterface.state").unwrap().to_owned()
    };
    assert_eq!(state(), "\"inactive\"");
    let answer = server.act(&compute, "start", &[]).is(200);
    assert_eq!(state(), "\"active\"");
    assert!(answer.links()[0].contains("occi.networkinterface.state=\"active\""), "{answer}");
    server.act(&compute, "stop", &["method=\"poweroff\""]).is(200);
    assert_eq!(state(), "\"inactive\"");
}

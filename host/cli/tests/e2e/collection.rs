//! Actions on all members of a collection: all of it, or nothing, or what was done said of each. What of a deletion is
//! in delete.rs is the same, and is cut short here as an action is.

use crate::mule::{animal, server as stable, state, walk};
use crate::occi::{action, body, kind, kind_id, tag};
use crate::server::Server;
use serde_json::json;
use std::time::Duration;

const STATE: &str = "occi.compute.state";

/// CORE-30, HTTP-33, H11-12: an action that a member does not allow is done on none, and all such are named.
#[test]
fn an_action_names_every_member_that_does_not_allow_it() {
    let server = Server::start();
    let computes: Vec<_> = (0..4).map(|_| server.create("compute", &[])).collect();
    server.post("/compute/?action=start").text(action("compute", "start")).answers(200);
    for off in &computes[1..3] {
        server.act(off, "stop", &["method=\"poweroff\""]).is(200);
    }
    let stop = body(&[&action("compute", "stop")], &["method=\"poweroff\""]);
    let answer = server.post("/compute/?action=stop").text(&stop).answers(409);
    assert!(answer.body.starts_with("refused by 2 of 4 entities, so nothing was changed\r\n"), "{answer}");
    for (number, path) in computes.iter().enumerate() {
        let is_off = (1..3).contains(&number);
        assert_eq!(answer.body.contains(&format!("{path}: refused: `stop`")), is_off, "{answer}");
        let machine = server.at_hypervisor("machines", path, "state").unwrap();
        assert_eq!(machine, if is_off { "off" } else { "running" });
    }
    let json = json!({"action": "http://schemas.ogf.org/occi/infrastructure/compute/action#stop",
        "attributes": {"method": "poweroff"}});
    let problem = server.post("/compute/?action=stop").json(&json).answers(409).json();
    let refused: Vec<_> =
        problem["results"].as_array().unwrap().iter().map(|result| &result["location"]).collect();
    assert_eq!(refused, [&*computes[1], &*computes[2]]);

    // All members must have it (CORE-30); where one is of another Kind, none is acted on.
    server.post("/-/").text(tag("red")).answers(200);
    let note = server.note("a");
    let lines = format!("X-OCCI-Location: {0}{note}\nX-OCCI-Location: {0}{1}\n", server.base(), computes[0]);
    server.post("/tags/red/").text(lines).answers(200);
    let answer = server.post("/tags/red/?action=stop").text(&stop).answers(400);
    assert!(answer.body.contains(&note) && !answer.body.contains(&computes[0]), "{answer}");
    assert_eq!(server.get(&computes[0]).answers(200).attribute(STATE), Some("\"active\""));
}

/// H11-10, HTTP-27: what is wrong with the invocation itself is said once; it is wrong for no members, too.
#[test]
fn an_invocation_that_is_wrong_for_all() {
    let server = Server::start();
    for is_empty in [true, false] {
        for (path, text, said) in [
            ("/compute/?action=fly", action("compute", "fly"), "fly"),
            ("/compute/?action=up", action("network", "up"), "up"),
            ("/compute/?action=stop", action("compute", "start"), "action=stop"),
            ("/compute/?action=start", kind("compute"), "start"),
            ("/compute/?action=start", String::new(), "start"),
        ] {
            let answer = server.post(path).text(&text).answers(400);
            assert!(answer.body.contains(said), "{answer}");
        }
        if is_empty {
            server.post("/compute/?action=start").text(action("compute", "start")).answers(200);
            server.post("/nowhere/?action=start").text(action("compute", "start")).answers(404);
            server.create("compute", &[]);
            server.create("compute", &[]);
        }
    }
    let text = body(&[&action("compute", "start")], &["method=\"cold\""]);
    let answer = server.post("/compute/?action=start").text(text).answers(400);
    assert_eq!(answer.lines().len(), 1, "said once: {answer}");
}

/// HTTP-33: links follow those that were acted on.
#[test]
fn links_follow_an_action_on_a_collection() {
    let server = Server::start();
    let network = server.create("network", &[]);
    let links: Vec<_> = (0..10)
        .map(|_| {
            let compute = server.create("compute", &[]);
            server.link("networkinterface", &compute, &network)
        })
        .collect();
    server.post("/compute/?action=start").text(action("compute", "start")).answers(200);
    for link in &links {
        let shown = server.get(link).answers(200);
        assert_eq!(shown.attribute("occi.networkinterface.state"), Some("\"active\""));
    }
}

/// HTTP-33, H11-12: an extension that refuses while nothing but the store would change: all or nothing.
#[test]
fn an_action_within_the_store_is_on_all_or_none() {
    let (server, _folder) = stable();
    let names: Vec<_> = (0..3).map(|number| format!("/stable/donkey/{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        animal(&server, name, number == 1);
    }
    let answer = server.post("/stable/donkey/?action=walk").text(walk("donkey")).answers(409);
    let expected = format!(
        "refused by 1 of 3 entities, so nothing was changed\r\n{}: refused: extension donkey: I will not\r\n",
        names[1]
    );
    assert_eq!(answer.body, expected);
    assert!(names.iter().all(|name| state(&server, name) == "stands"));
    server.post(&names[1]).text(body(&[], &["com.example.mule.stubborn=false"])).answers(200);
    let answer = server.post("/stable/donkey/?action=walk").accept("application/json").text(walk("donkey"));
    assert_eq!(answer.answers(200).body, "{}");
    assert!(names.iter().all(|name| state(&server, name) == "walks"));
}

/// HTTP-33: what was done outside cannot be taken back; the answer says what became of each.
#[test]
fn an_action_outside_is_told_of_each() {
    let (server, _folder) = stable();
    let names: Vec<_> = (0..3).map(|number| format!("/stable/mule/{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        animal(&server, name, number == 1);
    }
    let request = server.post("/stable/mule/?action=walk").accept("application/json").text(walk("mule"));
    let problem = request.answers(409).json();
    assert_eq!(problem["title"], "Conflict");
    let why = "extension mule: I will not";
    assert_eq!(
        problem["results"],
        json!([
            {"location": names[0], "status": "done"},
            {"location": names[1], "status": "refused", "detail": why},
            {"location": names[2], "status": "not tried"},
        ])
    );
    assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    assert_eq!(names.each(|name| state(&server, name)), ["walks", "stands", "stands"]);
    // In text, a line for each; the first that refuses leaves nothing to tell of the others.
    server.delete(&names[0]).answers(200);
    let answer = server.post("/stable/mule/?action=walk").text(walk("mule")).answers(409);
    assert_eq!(answer.lines().len(), 2, "{answer}");
    animal(&server, &names[0], false);
    server.delete(&names[2]).answers(200);
    server.post(&names[1]).text(body(&[], &["com.example.mule.stubborn=false"])).answers(200);
    server.post("/stable/mule/?action=walk").text(walk("mule")).answers(200);
}

trait Each {
    fn each<T>(&self, of: impl Fn(&str) -> T) -> Vec<T>;
}

impl Each for Vec<String> {
    fn each<T>(&self, of: impl Fn(&str) -> T) -> Vec<T> {
        self.iter().map(|name| of(name)).collect()
    }
}

/// H11-12, invariant 1: a kill in the middle leaves all or none, and the hypervisor agrees.
#[test]
fn a_kill_in_the_middle() {
    const MEMBERS: usize = 12;
    let mut server = Server::start();
    let resources = vec![json!({"kind": kind_id("compute")}); MEMBERS];
    let count = |server: &Server, state: &str| {
        let machines = server.inspect()["machines"].clone();
        machines.as_array().unwrap().iter().filter(|machine| machine["state"] == state).count()
    };
    for round in 0..8_u64 {
        server.post("/compute/").json(&json!({"resources": resources})).answers(201);
        let wait = Duration::from_millis(3 + 9 * round);
        let cut_short = |server: &Server, request: crate::http::Request| {
            std::thread::scope(|scope| {
                scope.spawn(|| _ = request.try_send());
                std::thread::sleep(wait);
                server.send_kill();
            });
        };
        cut_short(&server, server.post("/compute/?action=start").text(action("compute", "start")));
        server.kill_and_restart();
        let active = server.get("/compute/").header("X-OCCI-Attribute", &format!("{STATE}=\"active\""));
        let active = active.answers(200).locations().len();
        assert!(active == 0 || active == MEMBERS, "{active} of {MEMBERS} are active");
        assert_eq!((count(&server, "running"), count(&server, "off")), (active, MEMBERS - active));

        cut_short(&server, server.delete("/compute/"));
        server.kill_and_restart();
        let left = server.get("/compute/").answers(200).locations().len();
        assert!(left == 0 || left == MEMBERS, "{left} of {MEMBERS} are left");
        assert_eq!(server.inspect()["machines"].as_array().unwrap().len(), left);
        server.delete("/compute/").answers(200);
    }
}

//! What is there after the server ended, in order or by force.

use crate::occi::{body, kind, kind_id};
use crate::server::{Server, extensions};
use serde_json::json;
use std::time::Duration;

/// One of everything, in several states.
struct Cloud {
    running: String,
    suspended: String,
    off: String,
    up: String,
    down: String,
    storage: String,
    note: String,
    links: [String; 2],
}

impl Cloud {
    fn make(server: &Server) -> Self {
        let compute = || server.create("compute", &["occi.compute.cores=2"]);
        let cloud = Self {
            running: compute(),
            suspended: compute(),
            off: compute(),
            up: server.create("network", &["occi.network.label=\"lan\""]),
            down: server.create("network", &[]),
            storage: server.create("storage", &["occi.storage.size=0.25"]),
            note: server.note("buy milk"),
            links: Default::default(),
        };
        let links = [
            server.link("storagelink", &cloud.running, &cloud.storage),
            server.link("networkinterface", &cloud.running, &cloud.up),
        ];
        for (path, term) in [
            (&cloud.running, "start"),
            (&cloud.suspended, "start"),
            (&cloud.suspended, "suspend"),
            (&cloud.up, "up"),
            (&cloud.storage, "online"),
        ] {
            server.act(path, term, &[]).is(200);
        }
        Self { links, ..cloud }
    }

    fn all(&self) -> [&String; 9] {
        let Self { running, suspended, off, up, down, storage, note, links: [first, second] } = self;
        [running, suspended, off, up, down, storage, note, first, second]
    }

    /// Everything as clients see it, without what only tells why it is so: a machine that was made again is running
    /// for another reason.
    fn shown(&self, server: &Server) -> Vec<String> {
        let lines = |path: &&String| {
            let answer = server.get(path).answers(200);
            answer.body.lines().filter(|line| !line.contains(".state.message")).collect::<Vec<_>>().join("\n")
        };
        self.all().iter().map(lines).collect()
    }

    fn check_hypervisor(&self, server: &Server) {
        for (path, state) in [(&self.running, "running"), (&self.suspended, "paused"), (&self.off, "off")] {
            assert_eq!(server.at_hypervisor("machines", path, "state").unwrap(), state);
        }
        for (path, active) in [(&self.up, true), (&self.down, false)] {
            assert_eq!(server.at_hypervisor("networks", path, "active").unwrap(), active);
        }
        assert_eq!(server.at_hypervisor("volumes", &self.storage, "capacity").unwrap(), 1_u64 << 28);
        assert_eq!(server.inspect()["machines"].as_array().unwrap().len(), 3);
    }

    /// The volume is attached again: the next one gets the next device; and it can be detached.
    fn check_links(&self, server: &Server) {
        let other = server.create("storage", &["occi.storage.size=0.25"]);
        let link = server.link("storagelink", &self.running, &other);
        assert_eq!(server.get(&link).answers(200).attribute("occi.storagelink.deviceid"), Some("\"vdb\""));
        server.delete(&link).answers(200);
        server.delete(&other).answers(200);
        assert!(!server.log().contains("not known"), "{}", server.log());
    }
}

/// SIGTERM: everything is kept, and on a hypervisor that forgets it is made again, running what ran.
#[test]
fn a_stop_keeps_everything() {
    let mut server = Server::start();
    let cloud = Cloud::make(&server);
    let before = cloud.shown(&server);
    cloud.check_hypervisor(&server);
    for _ in 0..2 {
        server.restart();
        assert_eq!(cloud.shown(&server), before);
        cloud.check_hypervisor(&server);
    }
    cloud.check_links(&server);
    for path in [&cloud.running, &cloud.storage, &cloud.up] {
        server.delete(path).answers(200);
    }
}

/// SIGKILL: what was acknowledged is on disk.
#[test]
fn a_kill_keeps_everything() {
    let mut server = Server::start();
    let cloud = Cloud::make(&server);
    let before = cloud.shown(&server);
    for _ in 0..3 {
        server.kill_and_restart();
        assert_eq!(cloud.shown(&server), before);
        cloud.check_hypervisor(&server);
    }
    cloud.check_links(&server);
    // What it does afterwards is as durable.
    server.act(&cloud.running, "stop", &["method=\"poweroff\""]).is(200);
    server.delete(&cloud.suspended).answers(200);
    server.kill_and_restart();
    assert_eq!(server.at_hypervisor("machines", &cloud.running, "state").unwrap(), "off");
    assert_eq!(server.at_hypervisor("machines", &cloud.suspended, "state"), None);
    server.get(&cloud.suspended).answers(404);
}

/// More than is made again at once, and each link after what it joins.
#[test]
fn a_start_makes_many_things_again() {
    let mut server = Server::start();
    let network = server.create("network", &[]);
    server.act(&network, "up", &[]).is(200);
    let links: Vec<_> = (0..40)
        .map(|_| {
            let compute = server.create("compute", &[]);
            server.act(&compute, "start", &[]).is(200);
            server.link("networkinterface", &compute, &network)
        })
        .collect();
    server.kill_and_restart();
    let log = server.log();
    assert!(log.contains("recreated: 81"), "{log}");
    assert!(!log.contains("not known"), "{log}");
    for link in links {
        let shown = server.get(&link).answers(200);
        assert_eq!(shown.attribute("occi.networkinterface.state"), Some("\"active\""), "{shown}");
    }
    assert_eq!(server.inspect()["machines"].as_array().unwrap().len(), 40);
}

/// Invariant 2: SIGTERM ends what has begun before it ends the server.
#[test]
fn a_stop_lets_requests_end() {
    let mut server = Server::start();
    let names: Vec<_> = (0..16).map(|number| format!("/compute/c{number}")).collect();
    let done: Vec<_> = std::thread::scope(|scope| {
        let put = |name: &String| {
            let name = name.clone();
            let (server, text) = (&server, body(&[&kind("compute")], &[]));
            scope.spawn(move || {
                server.put(&name).text(text).try_send().is_ok_and(|answer| answer.status == 201)
            })
        };
        let threads: Vec<_> = names.iter().map(put).collect();
        std::thread::sleep(Duration::from_millis(10));
        server.terminate();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(server.stop().success(), "{}", server.log());
    server.begin();
    for (name, done) in names.iter().zip(done) {
        // Those that came too late had no connection; the others had their answer.
        server.get(name).answers(if done { 200 } else { 404 });
    }
    let log = server.log();
    assert!(log.contains("undone: 0, finished: 0, refused: 0, asked: 0"), "nothing was cut short: {log}");
}

/// An entity whose extension is gone can be read but not changed; with the extension it is itself again.
#[test]
fn an_entity_outlives_its_extension() {
    let mut server = Server::start();
    let note = server.note("a");
    let compute = server.create("compute", &["occi.core.title=\"web\""]);
    server.act(&compute, "start", &[]).is(200);
    let forgotten = server.create("compute", &[]);
    for network in [server.create("network", &[]), server.create("network", &[])] {
        server.link("networkinterface", &forgotten, &network);
    }
    server.stop();
    server.set_config("capabilities = [\"logging\"]\n");
    server.begin();
    let shown = server.get(&compute).answers(200);
    assert_eq!(shown.attribute("occi.core.title"), Some("\"web\""));
    assert!(shown.body.starts_with(&kind("compute")), "{shown}");
    for request in
        [server.delete(&compute), server.post(&compute).text(body(&[], &["occi.core.title=\"x\""]))]
    {
        let answer = request.answers(503);
        assert!(answer.body.contains(&kind_id("compute")), "{answer}");
    }
    // An administrator forgets it.
    let forget = |what: &str| crate::extensions::ext(&server, &["forget", what]);
    let refused = forget(&note).unwrap_err();
    assert!(refused.contains("it can be deleted by a plain request"), "{refused}");
    assert!(forget("/note/none").unwrap_err().contains("nothing at /note/none"));
    assert!(forget("none").unwrap_err().contains("none"));
    assert_eq!(forget(&forgotten).unwrap(), format!("{forgotten}: 1 forgotten\n"));
    server.get(&forgotten).answers(404);
    assert_eq!(forget(&kind_id("network")).unwrap(), format!("{}: 2 forgotten\n", kind_id("network")));
    server.delete(&note).answers(200);
    server.stop();
    server.set_config("");
    server.begin();
    assert_eq!(server.at_hypervisor("machines", &compute, "state").unwrap(), "running");
    server.delete(&compute).answers(200);
}

/// What a forgotten entity has at the hypervisor is neither taken over by one that is made at its path, nor taken away where
/// that is refused.
#[test]
fn what_stands_at_the_hypervisor_is_nobodys() {
    let folder = tempfile::tempdir().unwrap();
    let name = "infrastructure.wasm";
    std::fs::copy(extensions().join(name), folder.path().join(name)).unwrap();
    let server = Server::of(&folder, "");
    let ext = |args: &[&str]| crate::extensions::ext(&server, args).unwrap();
    let made = [
        server.create("compute", &[]),
        server.create("storage", &["occi.storage.size=0.25"]),
        server.create("network", &[]),
    ];
    server.act(&made[0], "start", &[]).is(200);
    ext(&["disable", "infrastructure", "--leave-entities"]);
    for path in &made {
        ext(&["forget", path]);
    }
    ext(&["enable", "infrastructure"]);
    let sized = ["occi.storage.size=0.5"];
    for (path, term, attributes) in
        [(&made[0], "compute", &[][..]), (&made[1], "storage", &sized), (&made[2], "network", &[])]
    {
        let refused = server.put(path).text(body(&[&kind(term)], attributes)).answers(409);
        assert!(refused.body.contains("at the hypervisor"), "{refused}");
        let id = format!("occi.core.id=\"{}\"", path.rsplit('/').next().unwrap());
        let attributes = [&[id.as_str()], attributes].concat();
        server.post(&format!("/{term}/")).text(body(&[&kind(term)], &attributes)).answers(409);
        server.get(path).answers(404);
    }
    // Neither by a link that comes with its resource.
    let id = made[1].rsplit('/').next().unwrap();
    let target = server.create("network", &[]);
    let link = json!({"kind": kind_id("networkinterface"), "id": id, "target": {"location": target}});
    server.post("/compute/").json(&json!({"kind": kind_id("compute"), "links": [link]})).answers(409);
    assert_eq!(server.at_hypervisor("machines", &made[0], "state").unwrap(), "running");
    assert_eq!(server.at_hypervisor("volumes", &made[1], "capacity").unwrap(), 1_u64 << 28);
    assert!(server.at_hypervisor("networks", &made[2], "active").is_some());
}

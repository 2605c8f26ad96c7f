//! Several hypervisors: where things come to be, how they meet, and what becomes of them while one is away.

use crate::http::Answer;
use crate::occi::{body, kind};
use crate::qemu::{domain, virsh};
use crate::server::{GuestSystem, Options, Server, eventually};
use crate::wire::Wire;
use occi_services::service;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use uuid::Uuid;

const PLACEMENT: &str =
    "Category: placement; scheme=\"http://example.org/occi/infrastructure#\"; class=\"mixin\"";

/// For those on the QEMU of the other daemon: one of them empties it.
pub(crate) static OTHER: Mutex<()> = Mutex::new(());

/// The part of a configuration that names two nodes; `more` is for both.
fn nodes(north: &str, south: &str, more: &str) -> String {
    format!("[hypervisor]\n{more}\n{}", reached_nodes(north, south, "tcp://127.0.0.1"))
}

/// The nodes alone, with where each is reached by the other.
pub(crate) fn reached_nodes(north: &str, south: &str, at: &str) -> String {
    format!(
        "[[hypervisor.node]]\nname = \"north\"\nuri = {north:?}\nlabels = [\"ssd\", \"gpu\"]\nmigration = {at:?}\n\
         [[hypervisor.node]]\nname = \"south\"\nuri = {south:?}\nlabels = [\"tape\"]\nmigration = {at:?}\n"
    )
}

/// A server with two imitations of its own, of which each has 3 GiB of memory.
struct Imitated {
    server: Server,
    _folder: TempDir,
}

impl Imitated {
    fn new() -> Self {
        Self::with("")
    }

    /// The same, and `more` in its configuration.
    fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = |name: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, "<node/>").unwrap();
            format!("test://{}", file.display())
        };
        let server = Server::configured(&(nodes(&node("north.xml"), &node("south.xml"), "") + more));
        Self { server, _folder: folder }
    }
}

pub(crate) fn node_of(server: &Server, list: &str, path: &str) -> String {
    server.at_hypervisor(list, path, "node").unwrap().as_str().unwrap().to_owned()
}

/// All nodes where something of an entity is. Others use the same hypervisors.
pub(crate) fn nodes_of(server: &Server, list: &str, path: &str) -> Vec<String> {
    let name = domain(path);
    let all = server.inspect()[list].as_array().unwrap().clone();
    let ours = all.iter().filter(|found| found["name"] == *name);
    ours.map(|found| found["node"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn compute_at(server: &Server, attributes: &[&str]) -> Answer {
    server.post("/compute/").text(body(&[&kind("compute"), PLACEMENT], attributes)).send()
}

#[test]
fn what_is_new_comes_to_be_where_there_is_room_and_where_it_is_wanted() {
    let Imitated { server, .. } = &Imitated::new();
    let large = server.create("compute", &["occi.compute.memory=2"]);
    assert_eq!(node_of(server, "machines", &large), "north", "of two that are alike the first");
    for _ in 0..2 {
        let small = server.create("compute", &["occi.compute.memory=0.5"]);
        assert_eq!(node_of(server, "machines", &small), "south", "it has more memory");
    }

    let tape = compute_at(server, &["org.example.placement.labels=\"tape\""]).is(201).location();
    assert_eq!(node_of(server, "machines", &tape), "south");
    let near = format!("org.example.placement.near=\"/compute/nobody, {large}\"");
    assert!(compute_at(server, &[&near]).is(400).body.contains("there is no resource at /compute/nobody"));
    let near = compute_at(server, &[&format!("org.example.placement.near={large:?}")]).is(201).location();
    assert_eq!(node_of(server, "machines", &near), "north");
    let shown = server.get(&near).answers(200);
    assert!(shown.body.contains("org.example.placement.node=\"north\""), "{}", shown.body);
    let apart = compute_at(server, &[&format!("org.example.placement.apart={tape:?}")]).is(201).location();
    assert_eq!(node_of(server, "machines", &apart), "north");

    let nowhere = compute_at(server, &["org.example.placement.labels=\"ssd,tape\""]).is(409);
    assert!(nowhere.body.contains("no hypervisor with all of these labels"), "{}", nowhere.body);
    let both =
        [format!("org.example.placement.near={large:?}"), format!("org.example.placement.apart=\"{near}\"")];
    compute_at(server, &[&both[0], &both[1]]).is(409);
    assert_eq!(server.inspect()["machines"].as_array().unwrap().len(), 6, "nothing is left of those");

    // What it wants later moves it while it is off.
    let away = format!("org.example.placement.near={tape:?}");
    server.post(&near).text(body(&[], &[&away])).answers(200);
    assert_eq!(node_of(server, "machines", &near), "south");
    assert!(server.get(&near).answers(200).body.contains("org.example.placement.node=\"south\""));
    server.act(&near, "start", &[]).is(200);
    let back = format!("org.example.placement.near={large:?}");
    let refused = server.post(&near).text(body(&[], &[&back])).send().is(409);
    assert!(refused.body.contains("not off"), "one that runs stays: {}", refused.body);
    assert_eq!(node_of(server, "machines", &near), "south");
}

#[test]
fn what_is_joined_comes_together() {
    let Imitated { server, .. } = &Imitated::new();
    // All of the north's memory is taken, so that all else comes to be in the south unless there is a reason.
    let filler = server.create("compute", &["occi.compute.memory=3"]);
    let lone = server.create("compute", &["occi.compute.memory=0.1"]);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    let network = server.create("network", &[]);
    assert_eq!(
        [("machines", &filler), ("machines", &lone), ("volumes", &storage), ("networks", &network)]
            .map(|(list, path)| node_of(server, list, path)),
        ["north", "south", "south", "south"]
    );

    // Nobody uses the volume or the network: they come to the machine.
    server.link("storagelink", &filler, &storage);
    server.link("networkinterface", &filler, &network);
    assert_eq!(node_of(server, "volumes", &storage), "north");
    assert_eq!(node_of(server, "networks", &network), "north");
    let all = server.inspect();
    assert_eq!(all["volumes"].as_array().unwrap().len(), 1, "{all}");
    assert_eq!(all["networks"].as_array().unwrap().len(), 1, "{all}");

    // The network is in use now, so a machine that is off comes to it, with all that it has.
    let disk = server.create("storage", &["occi.storage.size=1"]);
    server.link("storagelink", &lone, &disk);
    assert_eq!(node_of(server, "volumes", &disk), "south");
    let interface = server.link("networkinterface", &lone, &network);
    assert_eq!(node_of(server, "machines", &lone), "north");
    assert_eq!(node_of(server, "volumes", &disk), "north");
    assert_eq!(server.inspect()["attachments"].as_array().unwrap().len(), 4);
    server.delete(&interface).answers(200);

    // One that runs stays, and is told why it cannot have it.
    let runs = server.create("compute", &["occi.compute.memory=0.1"]);
    assert_eq!(node_of(server, "machines", &runs), "south");
    server.act(&runs, "start", &[]).is(200);
    let ends = [format!("occi.core.source={runs:?}"), format!("occi.core.target={network:?}")];
    let refused =
        server.post("/networkinterface/").text(body(&[&kind("networkinterface")], &[&ends[0], &ends[1]]));
    let refused = refused.send().is(409);
    assert!(
        refused.body.contains("at another hypervisor") && refused.body.contains("stop it first"),
        "{}",
        refused.body
    );
    let ends = [format!("occi.core.source={runs:?}"), format!("occi.core.target={disk:?}")];
    let refused = server
        .post("/storagelink/")
        .text(body(&[&kind("storagelink")], &[&ends[0], &ends[1]]))
        .send()
        .is(409);
    assert!(refused.body.contains("detach it there first"), "{}", refused.body);

    // What is described with its links comes to be where these lead.
    let link = format!(
        "Link: <{network}>; rel=\"http://schemas.ogf.org/occi/infrastructure#network\"; \
         category=\"http://schemas.ogf.org/occi/infrastructure#networkinterface\""
    );
    let text = format!("{}\n{link}\n", body(&[&kind("compute")], &["occi.compute.memory=0.1"]).trim_end());
    let joined = server.post("/compute/").text(text).answers(201).location();
    assert_eq!(node_of(server, "machines", &joined), "north");

    server.delete("/").answers(200);
    let all = server.inspect();
    for list in ["machines", "volumes", "networks", "attachments", "strays"] {
        assert_eq!(all[list], serde_json::json!([]), "{list}");
    }
}

#[test]
fn a_network_on_a_bridge_is_where_machines_use_it() {
    let Imitated { server, .. } =
        &Imitated::with("[[hypervisor.bridge]]\nname = \"public\"\ndevice = \"br0\"\n");
    let bridge =
        "Category: public; scheme=\"http://example.org/occi/infrastructure/bridge#\"; class=\"mixin\"";
    let network =
        server.post("/network/").text(body(&[&kind("network"), bridge], &[])).answers(201).location();
    server.act(&network, "up", &[]).is(200);
    let at = |labels: &str| {
        compute_at(server, &[&format!("org.example.placement.labels={labels:?}")]).is(201).location()
    };
    let computes = [at("ssd"), at("tape")];
    for compute in &computes {
        server.act(compute, "start", &[]).is(200);
        server.link("networkinterface", compute, &network);
    }
    assert_eq!(computes.each_ref().map(|path| node_of(server, "machines", path)), ["north", "south"]);
    let networks = || {
        let all = server.inspect()["networks"].as_array().unwrap().clone();
        let mut all: Vec<_> =
            all.iter().map(|found| (found["node"].to_string(), found["active"].to_string())).collect();
        all.sort();
        all
    };
    let both = |active: &str| {
        [("\"north\"", active), ("\"south\"", active)].map(|(node, is)| (node.to_owned(), is.to_owned()))
    };
    assert_eq!(networks(), both("true"));
    server.act(&network, "down", &[]).is(409);
    for compute in &computes {
        server.act(compute, "stop", &["method=\"poweroff\""]).is(200);
    }
    server.act(&network, "down", &[]).is(200);
    assert_eq!(networks(), both("false"));
    server.delete("/").answers(200);
    assert_eq!(networks(), []);
}

#[test]
fn while_one_is_away_the_others_serve_and_afterwards_all_is_as_it_was() {
    let Some(north) = service("OCCI_TEST_LIBVIRT_TEST_URI") else { return };
    let Some(south) = service("OCCI_TEST_OTHER_LIBVIRT_TEST_URI") else { return };
    let wire = Wire::new(&north);
    let pool = format!("occi-nodes-{}", Uuid::new_v4());
    let config = nodes(&wire.uri, &south, &format!("pool = \"{pool}\"\nvolumes = \"/{pool}\"\n"));
    let mut server = Server::configured(&config);
    let at = |server: &Server, labels: &str| {
        compute_at(server, &[&format!("org.example.placement.labels={labels:?}")]).is(201).location()
    };
    let (here, there) = (at(&server, "ssd"), at(&server, "tape"));
    let storage = server.create("storage", &["occi.storage.size=1"]);
    server.link("storagelink", &here, &storage);
    server.act(&storage, "online", &[]).is(200);
    for compute in [&here, &there] {
        server.act(compute, "start", &[]).is(200);
    }
    let state = |server: &Server, path: &str| server.get(path).answers(200).body;
    let is = |server: &Server, path: &str, of: &str| {
        state(server, path).contains(&format!("compute.state=\"{of}\""))
    };

    wire.cut();
    eventually("it is known that nothing is known of it", || is(&server, &here, "error"));
    assert!(state(&server, &here).contains("the hypervisor does not answer"), "{}", state(&server, &here));
    assert!(is(&server, &there, "active"));
    assert!(state(&server, &storage).contains("occi.storage.state=\"online\""));
    server.act(&there, "stop", &["method=\"poweroff\""]).is(200);
    // What is new is made at the other, and what is away is refused and stays.
    let new = server.create("compute", &[]);
    assert_eq!(node_of(&server, "machines", &new), "south");
    server.delete(&here).send().is(503);
    compute_at(&server, &["org.example.placement.labels=\"ssd\""]).is(503);
    let inspected = server.inspect();
    let problems: Vec<_> =
        inspected["nodes"].as_array().unwrap().iter().map(|node| !node["problem"].is_null()).collect();
    assert_eq!(problems, [true, false]);
    server.get("/-/").answers(200);

    // Also one that is started meanwhile.
    server.restart();
    eventually("it is not known either", || is(&server, &here, "error"));
    server.act(&there, "start", &[]).is(200);
    server.delete(&here).send().is(503);

    wire.mend();
    eventually("it is as it was", || is(&server, &here, "active"));
    assert!(state(&server, &storage).contains("occi.storage.state=\"online\""));
    assert_eq!(node_of(&server, "volumes", &storage), "north");
    server.act(&here, "stop", &["method=\"poweroff\""]).is(200);
    for path in [&here, &there, &new, &storage] {
        server.delete(path).answers(200);
    }
}

#[test]
fn the_bytes_of_a_volume_go_with_it() {
    let Some(GuestSystem { uri, .. }) = GuestSystem::find() else { return };
    let Some(other) = service("OCCI_TEST_OTHER_QEMU_URI") else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = format!("occi-nodes-{}", Uuid::new_v4());
    // Within what each daemon has for itself.
    let more = format!("pool = \"{pool}\"\nvolumes = \"/var/lib/occi/{pool}\"\ndomain-type = \"qemu\"\n");
    let server = Server::with(Options { config: nodes(&uri, &other, &more), ..Options::default() });
    let at = |labels: &str| {
        compute_at(&server, &[&format!("org.example.placement.labels={labels:?}")]).is(201).location()
    };
    let (here, there) = (at("ssd"), at("tape"));
    let storage = server.create("storage", &["occi.storage.size=0.0625"]);
    let link = server.link("storagelink", &here, &storage);
    assert_eq!(node_of(&server, "volumes", &storage), "north");

    let content = Content::written(&uri, &pool, &storage);
    server.delete(&link).answers(200);
    server.link("storagelink", &there, &storage);
    assert_eq!(node_of(&server, "volumes", &storage), "south");
    assert_eq!(nodes_of(&server, "volumes", &storage).len(), 1, "it is there alone");
    content.is_at(&other);
    server.act(&there, "start", &[]).is(200);
    server.act(&there, "stop", &["method=\"poweroff\""]).is(200);
    server.delete("/").answers(200);
}

#[test]
fn a_machine_that_runs_is_moved_and_a_node_is_emptied() {
    let Some(system) = GuestSystem::find() else { return };
    let Some(other) = service("OCCI_TEST_OTHER_QEMU_URI") else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let (pool, sockets) = (format!("occi-nodes-{}", Uuid::new_v4()), tempfile::tempdir().unwrap());
    let more = format!("pool = \"{pool}\"\nvolumes = \"/var/lib/occi/{pool}\"\ndomain-type = \"qemu\"\n");
    let at = format!("unix://{}", sockets.path().display());
    let nodes = reached_nodes(&system.uri, &other, &at);
    let config = format!("[hypervisor]\n{more}{nodes}{}", system.boot());
    let server = Server::with(Options { config, ..Options::default() });
    let north = |memory: &str| {
        let memory = format!("occi.compute.memory={memory}");
        compute_at(&server, &["org.example.placement.labels=\"ssd\"", &memory]).is(201).location()
    };
    let (web, idle) = (north("0.25"), north("0.125"));
    let storage = server.create("storage", &["occi.storage.size=0.0625"]);
    let network = server.create("network", &[]);
    server.act(&network, "up", &[]).is(200);
    server.link("storagelink", &web, &storage);
    server.link("networkinterface", &web, &network);
    server.act(&web, "start", &[]).is(200);
    server.prints(&web, "OCCI guest up");
    let node = |arguments: &[&str]| server.node(arguments);
    let where_all_is = || {
        [("machines", &web), ("volumes", &storage), ("networks", &network), ("machines", &idle)]
            .map(|(list, path)| node_of(&server, list, path))
    };

    let (is_done, said) = node(&["move", &web, "south"]);
    assert!(is_done && said.contains(&format!("{web} is at south")) && said.contains(&storage), "{said}");
    assert_eq!(where_all_is(), ["south", "south", "south", "north"]);
    assert_eq!(
        (nodes_of(&server, "machines", &web).len(), nodes_of(&server, "volumes", &storage).len()),
        (1, 1)
    );
    eventually("it shows where it is", || {
        server.get(&web).answers(200).body.contains("placement.node=\"south\"")
    });
    let shown = server.get(&web).answers(200);
    assert!(shown.body.contains("occi.compute.state=\"active\""), "{}", shown.body);
    // It is the same guest that goes on, and hears what it is told.
    server.act(&web, "stop", &["method=\"graceful\""]).is(200);
    server.act(&web, "start", &[]).is(200);

    let (is_done, said) = node(&["move", "/compute/nobody", "south"]);
    assert!(!is_done && said.contains("/compute/nobody"), "{said}");
    let (is_done, said) = node(&["move", &idle, "west"]);
    assert!(!is_done && said.contains("north, south"), "{said}");

    // All of it goes to the other, whether it runs or not, and nothing new comes.
    let joined = server.link("networkinterface", &idle, &network);
    assert_eq!(where_all_is(), ["south", "south", "south", "south"]);
    let (is_done, said) = node(&["drain", "south"]);
    assert!(is_done && said.contains("south is empty"), "{said}");
    assert_eq!(where_all_is(), ["north", "north", "north", "north"]);
    compute_at(&server, &["org.example.placement.labels=\"tape\""]).is(409);
    let (_, listed) = node(&["list"]);
    assert!(listed.contains("not taken"), "{listed}");
    node(&["resume", "south"]);
    let new = compute_at(&server, &["org.example.placement.labels=\"tape\""]).is(201).location();
    assert_eq!(node_of(&server, "machines", &new), "south");
    server.delete(&joined).answers(200);
    server.delete("/").answers(200);
    for (list, path) in
        [("machines", &web), ("volumes", &storage), ("networks", &network), ("machines", &idle)]
    {
        assert_eq!(nodes_of(&server, list, path), [""; 0], "{list}");
    }
}

/// What is in a volume of 64 MiB: several messages and pieces, with holes.
pub(crate) struct Content {
    folder: TempDir,
    pool: String,
    name: String,
}

impl Content {
    /// Writes it at a hypervisor.
    pub(crate) fn written(uri: &str, pool: &str, storage: &str) -> Self {
        let name = domain(storage);
        let content = Self { folder: tempfile::tempdir().unwrap(), pool: pool.into(), name };
        let mut bytes = vec![0; 64 << 20];
        for (number, byte) in bytes[10 << 20..21 << 20].iter_mut().enumerate() {
            *byte = u8::try_from(number.wrapping_mul(2_654_435_761) >> 13 & 0xff).unwrap();
        }
        std::fs::write(content.file("raw"), &bytes).unwrap();
        let (raw, written) = (content.file("raw"), content.file("written"));
        run("qemu-img", &["convert", "-O", "qcow2", "-o", "compat=1.1", &raw, &written]);
        content.virsh(uri, "vol-upload", &written);
        content
    }

    #[track_caller]
    pub(crate) fn is_at(&self, uri: &str) {
        let (raw, read) = (self.file("raw"), self.file("read"));
        self.virsh(uri, "vol-download", &read);
        run("qemu-img", &["compare", "-f", "raw", "-F", "qcow2", &raw, &read]);
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn virsh(&self, uri: &str, command: &str, file: &str) {
        virsh(uri, &[command, "--pool", &self.pool, &self.name, file]);
    }
}

/// What is left of a move is cleared up by the comparison that is made now and then, here each second.
#[test]
fn a_server_that_is_killed_while_something_moves_loses_nothing() {
    let Some(system) = GuestSystem::find() else { return };
    let Some(other) = service("OCCI_TEST_OTHER_QEMU_URI") else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let (pool, sockets) = (format!("occi-nodes-{}", Uuid::new_v4()), tempfile::tempdir().unwrap());
    let more = format!(
        "pool = \"{pool}\"\nvolumes = \"/var/lib/occi/{pool}\"\ndomain-type = \"qemu\"\nreconcile-seconds = 1\n"
    );
    let at = format!("unix://{}", sockets.path().display());
    let nodes = reached_nodes(&system.uri, &other, &at);
    let config = format!("[hypervisor]\n{more}{nodes}{}", system.boot());
    let mut server = Server::with(Options { config, ..Options::default() });
    let wanted = ["org.example.placement.labels=\"ssd\"", "occi.compute.memory=0.125"];
    let compute = compute_at(&server, &wanted).is(201).location();
    let storage = server.create("storage", &["occi.storage.size=0.0625"]);
    server.link("storagelink", &compute, &storage);
    let content = Content::written(&system.uri, &pool, &storage);
    let state = |server: &Server| {
        let shown = server.get(&compute).answers(200);
        shown.attribute("occi.compute.state").unwrap_or_default().to_owned()
    };
    for (number, moment) in [0, 60, 120, 200, 300, 450, 40, 90, 160, 250, 380, 600].into_iter().enumerate() {
        let runs = number >= 6;
        if runs && state(&server) == "\"inactive\"" {
            server.act(&compute, "start", &[]).is(200);
        }
        let from = node_of(&server, "machines", &compute);
        let to = if from == "north" { "south" } else { "north" };
        let data = server.data();
        let arguments = ["node", "--data", data.to_str().unwrap(), "move", &compute, to];
        let mut mover = Command::new(crate::server::OCCI);
        mover.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let mut mover = mover.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(moment));
        server.kill_and_restart();
        mover.wait().unwrap();
        let expected = if runs { "\"active\"" } else { "\"inactive\"" };
        eventually("it is what it was", || state(&server) == expected);
        eventually("it is at one node, with what it has", || {
            let machine = nodes_of(&server, "machines", &compute);
            server.get(&storage).answers(200).body.contains("occi.storage.state=\"offline\"")
                && machine.len() == 1
                && nodes_of(&server, "volumes", &storage) == machine
        });
        if !runs {
            let uri = if node_of(&server, "volumes", &storage) == "north" { &system.uri } else { &other };
            content.is_at(uri);
        }
        eprintln!("killed after {moment} ms, {from} to {to}: at {}", node_of(&server, "machines", &compute));
    }
    // A migration that breaks off late pauses it for a moment.
    eventually("it can be stopped", || server.act(&compute, "stop", &["method=\"poweroff\""]).status == 200);
    let uri = if node_of(&server, "volumes", &storage) == "north" { &system.uri } else { &other };
    content.is_at(uri);
    server.delete("/").answers(200);
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).stdout(Stdio::null()).status().unwrap();
    assert!(done.success(), "{program} {arguments:?}");
}

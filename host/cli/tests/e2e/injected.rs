//! Every call of libvirt that fails, in every operation: whatever the client is answered, store and hypervisor agree afterwards,
//! and nothing is left that nobody knows of.

use crate::http::Answer;
use crate::occi::{body, kind};
use crate::server::{Options, Server, eventually};
use crate::wire::{Fault, Wire};
use serde_json::Value;

const NODE: &str = "<node><cpu><mhz>1000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>2</sockets>\
    <cores>4</cores><threads>1</threads></cpu><memory>8388608</memory></node>";
const SMALL: &str = "Category: small; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#\"; class=\"mixin\"";
const MEDIUM: &str = "Category: medium; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#\"; class=\"mixin\"";
const IMAGE: &str =
    "Category: tiny; scheme=\"http://example.org/occi/infrastructure/os_tpl#\"; class=\"mixin\"";
const KEY: &str =
    "Category: ssh_key; scheme=\"http://schemas.ogf.org/occi/infrastructure/credentials#\"; class=\"mixin\"";

/// A server whose hypervisor is at the end of a wire; none where there is no libvirtd to test with.
fn server() -> Option<(Wire, Server, tempfile::TempDir)> {
    let Ok(uri) = std::env::var("OCCI_TEST_LIBVIRT_TEST_URI") else {
        eprintln!("SKIPPED: no OCCI_TEST_LIBVIRT_TEST_URI; `cargo xtask test` sets it");
        return None;
    };
    let daemon = uri.split_once("socket=").unwrap().1.to_owned();
    let wire = Wire::new(daemon);
    let folder = tempfile::tempdir().unwrap();
    let node = folder.path().join("node.xml");
    std::fs::write(&node, NODE).unwrap();
    let hypervisor = format!("test+unix://{}?socket={}", node.display(), wire.socket());
    let server = Server::with(Options { hypervisor: Some(hypervisor), ..Options::default() });
    let images = server.data().join("images");
    std::fs::write(images.join("tiny.qcow2"), "").unwrap();
    std::fs::write(images.join("tiny.toml"), "disk = \"tiny.qcow2\"").unwrap();
    eventually("the image is on offer", || server.get("/-/").answers(200).body.contains("Category: tiny;"));
    Some((wire, server, folder))
}

/// What there is before an operation.
struct Before {
    compute: String,
    network: String,
    storage: String,
    links: [String; 2],
}

impl Before {
    fn make(server: &Server) -> Self {
        let asked = body(&[&kind("compute"), SMALL, IMAGE], &[]);
        let compute = server.post("/compute/").text(asked).answers(201).location();
        let network = server.create("network", &[]);
        let storage = server.create("storage", &["occi.storage.size=1"]);
        let links = [
            server.link("networkinterface", &compute, &network),
            server.link("storagelink", &compute, &storage),
        ];
        Self { compute, network, storage, links }
    }
}

type Operation = (&'static str, fn(&Server, &Before), fn(&Server, &Before) -> Answer);

/// What comes before, and the operation itself.
const OPERATIONS: &[Operation] = &[
    (
        "create a compute by templates",
        |_, _| (),
        |server, _| {
            let key = "occi.credentials.ssh.publickey=\"ssh-rsa AAAAB3NzaC1yc2EAAAA=\"";
            server.post("/compute/").text(body(&[&kind("compute"), SMALL, IMAGE, KEY], &[key])).send()
        },
    ),
    (
        "create a storage",
        |_, _| (),
        |server, _| server.post("/storage/").text(body(&[&kind("storage")], &["occi.storage.size=2"])).send(),
    ),
    (
        "create a network",
        |_, _| (),
        |server, _| server.post("/network/").text(body(&[&kind("network")], &[])).send(),
    ),
    (
        "link a storage",
        |_, _| (),
        |server, before| {
            let storage = server.create("storage", &["occi.storage.size=1"]);
            let ends =
                [format!("occi.core.source={:?}", before.compute), format!("occi.core.target={storage:?}")];
            server.post("/storagelink/").text(body(&[&kind("storagelink")], &[&ends[0], &ends[1]])).send()
        },
    ),
    (
        "link a network",
        |_, _| (),
        |server, before| {
            let ends = [
                format!("occi.core.source={:?}", before.compute),
                format!("occi.core.target={:?}", before.network),
            ];
            server
                .post("/networkinterface/")
                .text(body(&[&kind("networkinterface")], &[&ends[0], &ends[1]]))
                .send()
        },
    ),
    ("end a link", |_, _| (), |server, before| server.delete(&before.links[1]).send()),
    ("start", |_, _| (), |server, before| server.act(&before.compute, "start", &[])),
    ("stop", run, |server, before| server.act(&before.compute, "stop", &["method=\"poweroff\""])),
    ("suspend", run, |server, before| server.act(&before.compute, "suspend", &[])),
    ("hibernate", run, |server, before| server.act(&before.compute, "suspend", &["method=\"hibernate\""])),
    ("save", run, |server, before| server.act(&before.compute, "save", &[])),
    ("another size", run, |server, before| server.post(&before.compute).text(body(&[MEDIUM], &[])).send()),
    (
        "a larger storage",
        |_, _| (),
        |server, before| server.post(&before.storage).text(body(&[], &["occi.storage.size=3"])).send(),
    ),
    ("up", |_, _| (), |server, before| server.act(&before.network, "up", &[])),
    (
        "down",
        |server, before| _ = server.act(&before.network, "up", &[]).is(200),
        |server, before| server.act(&before.network, "down", &[]),
    ),
    ("delete a compute that runs", run, |server, before| server.delete(&before.compute).send()),
    (
        "delete a storage",
        |server, before| _ = server.delete(&before.links[1]).answers(200),
        |server, before| server.delete(&before.storage).send(),
    ),
    ("delete all", run, |server, _| server.delete("/").send()),
];

fn run(server: &Server, before: &Before) {
    server.act(&before.compute, "start", &[]).is(200);
}

/// Why store and hypervisor do not agree; none where they do.
fn disagreement(server: &Server) -> Option<String> {
    let found = server.inspect();
    let strays = found["strays"].as_array().unwrap();
    if !strays.is_empty() {
        return Some(format!("without an entity: {strays:?}"));
    }
    let entities = |collection: &str| -> Vec<Value> {
        let answer = server.get(collection).accept("application/occi+json").answers(200);
        let shown: Value = serde_json::from_str(&answer.body).unwrap();
        shown["resources"].as_array().or(shown["links"].as_array()).cloned().unwrap_or_default()
    };
    let at = |list: &str, id: &Value| -> Option<Value> {
        let name = id.as_str().unwrap().replace("urn:uuid:", "occi-");
        found[list].as_array().unwrap().iter().find(|thing| thing["name"] == *name).cloned()
    };
    let mut count = 0;
    for compute in entities("/compute/") {
        let attributes = &compute["attributes"];
        let Some(machine) = at("machines", &compute["id"]) else {
            return Some(format!("no machine of {compute}"));
        };
        let state = match machine["state"].as_str().unwrap() {
            "running" => "active",
            "off" => "inactive",
            _ => "suspended",
        };
        if attributes["occi.compute.state"] != state || attributes["occi.compute.cores"] != machine["cores"] {
            return Some(format!("{machine} is {attributes}"));
        }
        // The disks of a compute by templates.
        let own = found["own_disks"].as_array().unwrap().iter();
        let prefix = machine["name"].as_str().unwrap();
        let own: Vec<_> = own.filter(|disk| disk["name"].as_str().unwrap().starts_with(prefix)).collect();
        let seed = usize::from(!attributes["occi.credentials.ssh.publickey"].is_null());
        if own.len() != 2 + seed {
            return Some(format!("{prefix} has the disks {own:?}"));
        }
        let size = attributes["occi.compute.ephemeral_storage.size"].as_f64().unwrap();
        let has = own.iter().find(|disk| disk["name"].as_str().unwrap().ends_with("-scratch"));
        #[expect(clippy::cast_precision_loss, reason = "some GiB")]
        let has = has.map(|disk| disk["capacity"].as_u64().unwrap() as f64 / f64::from(1 << 30));
        if has != Some(size) {
            return Some(format!("{prefix} has {has:?} GiB, not {size}"));
        }
        count += own.len();
    }
    if found["own_disks"].as_array().unwrap().len() != count {
        return Some(format!("disks of no machine: {}", found["own_disks"]));
    }
    for network in entities("/network/") {
        let Some(there) = at("networks", &network["id"]) else {
            return Some(format!("no network of {network}"));
        };
        if (network["attributes"]["occi.network.state"] == "active") != (there["active"] == true) {
            return Some(format!("{there} is {network}"));
        }
    }
    for storage in entities("/storage/") {
        let Some(volume) = at("volumes", &storage["id"]) else {
            return Some(format!("no volume of {storage}"));
        };
        let size = storage["attributes"]["occi.storage.size"].as_f64().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "some GiB")]
        let has = volume["capacity"].as_u64().unwrap() as f64 / f64::from(1 << 30);
        if (size - has).abs() > f64::EPSILON {
            return Some(format!("{volume} is {storage}"));
        }
    }
    let links = entities("/storagelink/").len() + entities("/networkinterface/").len();
    let attached =
        found["attachments"].as_array().unwrap().iter().filter(|found| found["live"] == false).count();
    (links != attached).then(|| format!("{links} links, and attached are {}", found["attachments"]))
}

/// Fails each call of each operation in turn.
fn sweep(fault: Fault) {
    let Some((wire, server, _folder)) = server() else { return };
    let mut failed = 0;
    for (name, prepare, operation) in OPERATIONS {
        for number in 0.. {
            let before = Before::make(&server);
            prepare(&server, &before);
            let (answer, was_due) = wire.fail(number, fault, || operation(&server, &before));
            let said = format!("{name}, call {number}: {answer}");
            assert!(answer.status != 500, "{said}");
            if !was_due {
                assert!(answer.status < 300, "{said}");
            }
            let mut why = None;
            let began = std::time::Instant::now();
            while let Some(disagreement) = disagreement(&server) {
                why = Some(disagreement);
                assert!(began.elapsed() < crate::server::PATIENCE, "{said}\nafterwards: {}", why.unwrap());
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            drop(why);
            eventually("all can be deleted", || server.delete("/").send().status == 200);
            eventually("nothing is left", || disagreement(&server).is_none());
            let saved = std::fs::read_dir(server.data().join("images")).unwrap();
            for file in saved.map(|file| file.unwrap().path()) {
                if !file.file_stem().unwrap().to_str().unwrap().starts_with("tiny") {
                    std::fs::remove_file(file).unwrap();
                }
            }
            if !was_due {
                break;
            }
            failed += 1;
        }
    }
    eprintln!("{failed} calls of {} operations failed by {fault:?}", OPERATIONS.len());
    assert!(failed > 3 * OPERATIONS.len());
}

#[test]
fn calls_that_are_refused() {
    sweep(Fault::Refused);
}

#[test]
fn calls_that_are_late() {
    sweep(Fault::Late);
}

#[test]
fn connections_that_break_before_a_call() {
    sweep(Fault::LostBefore);
}

#[test]
fn connections_that_break_after_a_call() {
    sweep(Fault::LostAfter);
}

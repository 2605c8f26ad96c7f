//! Every call of libvirt that fails, in every operation: whatever the client is answered, store and hypervisor agree afterwards,
//! and nothing is left that nobody knows of.

use crate::http::Answer;
use crate::occi::{body, kind};
use crate::server::{Options, Server, eventually};
use crate::wire::{Fault, Wire};
use serde_json::Value;
use uuid::Uuid;

const SMALL: &str = "Category: small; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#\"; class=\"mixin\"";
const MEDIUM: &str = "Category: medium; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#\"; class=\"mixin\"";
const IMAGE: &str =
    "Category: tiny; scheme=\"http://example.org/occi/infrastructure/os_tpl#\"; class=\"mixin\"";
const KEY: &str =
    "Category: ssh_key; scheme=\"http://schemas.ogf.org/occi/infrastructure/credentials#\"; class=\"mixin\"";

/// A server whose hypervisor is at the end of a wire. Others use it too, so what is ours there is known by how its ids begin.
struct Stage {
    wire: Wire,
    server: Server,
    ours: String,
}

impl Stage {
    /// None where there is no libvirtd to test with.
    fn new() -> Option<Self> {
        let Ok(uri) = std::env::var("OCCI_TEST_LIBVIRT_TEST_URI") else {
            eprintln!("SKIPPED: no OCCI_TEST_LIBVIRT_TEST_URI; `cargo xtask test` sets it");
            return None;
        };
        let (before, daemon) = uri.split_once("socket=").unwrap();
        let wire = Wire::new(daemon.to_owned());
        let hypervisor = Some(format!("{before}socket={}", wire.socket()));
        let pool = format!("occi-faults-{}", Uuid::new_v4());
        let config = format!("[hypervisor]\npool = \"{pool}\"\nvolumes = \"/{pool}\"\n");
        let server = Server::with(Options { config, hypervisor, ..Options::default() });
        let images = server.data().join("images");
        std::fs::write(images.join("tiny.qcow2"), "").unwrap();
        std::fs::write(images.join("tiny.toml"), "disk = \"tiny.qcow2\"").unwrap();
        eventually("it is on offer", || server.get("/-/").answers(200).body.contains("Category: tiny;"));
        let ours = Uuid::new_v4().to_string()[..8].to_owned();
        Some(Self { wire, server, ours })
    }

    /// An entity of that Kind, asked for by an id of ours; its path.
    fn put(&self, term: &str, mixins: &[&str], attributes: &[&str]) -> (String, Answer) {
        let path = format!("/{term}/{}{}", self.ours, &Uuid::new_v4().to_string()[8..]);
        let kind = kind(term);
        let categories: Vec<_> = std::iter::once(&*kind).chain(mixins.iter().copied()).collect();
        let answer = self.server.put(&path).text(body(&categories, attributes)).send();
        (path, answer)
    }

    #[track_caller]
    fn create(&self, term: &str, mixins: &[&str], attributes: &[&str]) -> String {
        let (path, answer) = self.put(term, mixins, attributes);
        answer.is(201);
        path
    }

    /// What there is before an operation.
    fn prepare(&self) -> Before {
        let compute = self.create("compute", &[SMALL, IMAGE], &[]);
        let network = self.create("network", &[], &[]);
        let storage = self.create("storage", &[], &["occi.storage.size=1"]);
        let links = [
            self.server.link("networkinterface", &compute, &network),
            self.server.link("storagelink", &compute, &storage),
        ];
        Before { compute, network, storage, links }
    }
}

/// What there is before an operation.
struct Before {
    compute: String,
    network: String,
    storage: String,
    links: [String; 2],
}

type Operation = (&'static str, fn(&Stage, &Before), fn(&Stage, &Before) -> Answer);

/// What comes before, and the operation itself.
const OPERATIONS: &[Operation] = &[
    ("create a compute by templates", nothing, |stage, _| {
        let key = "occi.credentials.ssh.publickey=\"ssh-rsa AAAAB3NzaC1yc2EAAAA=\"";
        stage.put("compute", &[SMALL, IMAGE, KEY], &[key]).1
    }),
    ("create a storage", nothing, |stage, _| stage.put("storage", &[], &["occi.storage.size=2"]).1),
    ("create a network", nothing, |stage, _| stage.put("network", &[], &[]).1),
    ("link a network", nothing, |stage, before| {
        link(stage, "networkinterface", &before.compute, &before.network)
    }),
    ("end the link of a storage", nothing, |stage, before| stage.server.delete(&before.links[1]).send()),
    ("end the link of a network", nothing, |stage, before| stage.server.delete(&before.links[0]).send()),
    ("link a storage", end_link, |stage, before| {
        link(stage, "storagelink", &before.compute, &before.storage)
    }),
    ("start", nothing, |stage, before| stage.server.act(&before.compute, "start", &[])),
    ("stop", run, |stage, before| stage.server.act(&before.compute, "stop", &["method=\"poweroff\""])),
    ("suspend", run, |stage, before| stage.server.act(&before.compute, "suspend", &[])),
    ("hibernate", run, |stage, before| {
        stage.server.act(&before.compute, "suspend", &["method=\"hibernate\""])
    }),
    ("save", run, |stage, before| stage.server.act(&before.compute, "save", &[])),
    ("another size", run, |stage, before| {
        stage.server.post(&before.compute).text(body(&[MEDIUM], &[])).send()
    }),
    ("up", nothing, |stage, before| stage.server.act(&before.network, "up", &[])),
    ("down", up, |stage, before| stage.server.act(&before.network, "down", &[])),
    ("delete a compute that runs", run, |stage, before| stage.server.delete(&before.compute).send()),
    ("delete a storage", end_link, |stage, before| stage.server.delete(&before.storage).send()),
    ("delete all", run, |stage, _| stage.server.delete("/").send()),
];

fn nothing(_: &Stage, _: &Before) {}

fn run(stage: &Stage, before: &Before) {
    stage.server.act(&before.compute, "start", &[]).is(200);
}

fn up(stage: &Stage, before: &Before) {
    stage.server.act(&before.network, "up", &[]).is(200);
}

fn end_link(stage: &Stage, before: &Before) {
    stage.server.delete(&before.links[1]).answers(200);
}

fn link(stage: &Stage, term: &str, source: &str, target: &str) -> Answer {
    let ends = [format!("occi.core.source={source:?}"), format!("occi.core.target={target:?}")];
    stage.server.post(&format!("/{term}/")).text(body(&[&kind(term)], &[&ends[0], &ends[1]])).send()
}

/// Why store and hypervisor do not agree; none where they do.
fn disagreement(stage: &Stage) -> Option<String> {
    let server = &stage.server;
    let mut found = server.inspect();
    for list in ["machines", "networks", "attachments", "strays"] {
        found[list]
            .as_array_mut()
            .unwrap()
            .retain(|thing| thing.to_string().contains(&format!("occi-{}", stage.ours)));
    }
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
        // One that has grown for what was refused afterwards does not shrink.
        if has.is_none_or(|has| has < size) {
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
    let Some(stage) = Stage::new() else { return };
    let server = &stage.server;
    let mut failed = 0;
    for (name, prepare, operation) in OPERATIONS {
        // What goes with its machine leaves that its device, which it has to its end, should it stay after all.
        if fault == Fault::Refused && *name == "delete all" {
            continue;
        }
        for number in 0.. {
            let before = stage.prepare();
            prepare(&stage, &before);
            let (answer, was_due) = stage.wire.fail(number, fault, || operation(&stage, &before));
            let said = format!("{name}, call {number}: {answer}");
            // What libvirt refuses by no reason that is known is the server's trouble, and not the client's.
            assert!(answer.status != 500 || fault == Fault::Refused, "{said}");
            if !was_due {
                assert!(answer.status < 300, "{said}");
            }
            let mut why = None;
            let began = std::time::Instant::now();
            while let Some(disagreement) = disagreement(&stage) {
                why = Some(disagreement);
                assert!(began.elapsed() < crate::server::PATIENCE, "{said}\nafterwards: {}", why.unwrap());
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            drop(why);
            eventually("all can be deleted", || server.delete("/").send().status == 200);
            eventually("nothing is left", || disagreement(&stage).is_none());
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

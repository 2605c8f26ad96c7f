//! Operations that go wrong half-way: what there is before each of them, and whether store and hypervisor agree afterwards.

use crate::http::Request;
use crate::occi::{action, body, kind};
use crate::server::{GuestSystem, Options, PATIENCE, Server, eventually};
use serde_json::Value;
use std::collections::HashSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use uuid::Uuid;

const SMALL: &str = "Category: small; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#\"; class=\"mixin\"";
const MEDIUM: &str = "Category: medium; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#\"; class=\"mixin\"";
const IMAGE: &str =
    "Category: tiny; scheme=\"http://example.org/occi/infrastructure/os_tpl#\"; class=\"mixin\"";
const KEY: &str =
    "Category: ssh_key; scheme=\"http://schemas.ogf.org/occi/infrastructure/credentials#\"; class=\"mixin\"";

/// A server, whose hypervisor others use, too: what is ours there is known by how its ids begin.
pub(crate) struct Stage {
    pub(crate) server: Server,
    ours: String,
}

impl Stage {
    /// On a hypervisor, or those that are configured by `more`, with an image that is described so, whose files are put into its
    /// folder before.
    pub(crate) fn new(
        hypervisor: Option<String>,
        volumes: &str,
        more: &str,
        image: &str,
        files: impl FnOnce(&Path),
    ) -> Self {
        let pool = format!("occi-faults-{}", Uuid::new_v4());
        let config = format!("[hypervisor]\npool = \"{pool}\"\nvolumes = \"{volumes}/{pool}\"\n{more}");
        let server = Server::with(Options { config, hypervisor, ..Options::default() });
        let ours = Uuid::new_v4().to_string()[..8].to_owned();
        let stage = Self { server, ours };
        files(&stage.images());
        std::fs::write(stage.images().join("tiny.toml"), image).unwrap();
        let server = &stage.server;
        eventually("it is on offer", || server.get("/-/").answers(200).body.contains("Category: tiny;"));
        stage
    }

    /// On QEMU, with an image that boots.
    pub(crate) fn on_qemu(system: &GuestSystem, hypervisor: Option<String>, more: &str) -> Self {
        Self::on_qemu_within(system, hypervisor, "/var/lib/occi", more)
    }

    /// The same, with its volumes below a folder.
    pub(crate) fn on_qemu_within(
        system: &GuestSystem,
        hypervisor: Option<String>,
        volumes: &str,
        more: &str,
    ) -> Self {
        let line = GuestSystem::COMMAND_LINE;
        let image =
            format!("disk = \"tiny.qcow2\"\nkernel = \"vmlinuz\"\ninitrd = \"initrd\"\ncmdline = {line:?}\n");
        let more = format!("domain-type = \"qemu\"\n{more}");
        Self::new(hypervisor, volumes, &more, &image, |images| {
            symlink(&system.kernel, images.join("vmlinuz")).unwrap();
            symlink(&system.initrd, images.join("initrd")).unwrap();
            let mut make = Command::new("qemu-img");
            make.args(["create", "-q", "-f", "qcow2"]).arg(images.join("tiny.qcow2")).arg("16M");
            assert!(make.status().unwrap().success());
        })
    }

    /// The folder of images.
    pub(crate) fn images(&self) -> PathBuf {
        self.server.data().join("images")
    }

    /// How the names of what is ours at the hypervisor begin.
    pub(crate) fn ours(&self) -> String {
        format!("occi-{}", self.ours)
    }

    /// Deletes everything, and what was saved; nothing is left.
    pub(crate) fn clear(&self) {
        let mut said = String::new();
        eventually("all can be deleted", || {
            let answer = self.server.delete("/").send();
            if answer.status != 200 && said != answer.body {
                said.clone_from(&answer.body);
                eprintln!("not all can be deleted yet: {said}");
            }
            answer.status == 200
        });
        eventually("nothing is left", || self.disagreement().is_none());
        for file in std::fs::read_dir(self.images()).unwrap().map(|file| file.unwrap().path()) {
            if file.file_stem().unwrap().to_str().unwrap().starts_with("saved") {
                std::fs::remove_file(file).unwrap();
            }
        }
    }

    /// Waits until store and hypervisor agree.
    #[track_caller]
    pub(crate) fn agrees(&self, said: &str) {
        let began = Instant::now();
        while let Some(why) = self.disagreement() {
            assert!(began.elapsed() < PATIENCE, "{why}\nafter {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// An entity of that Kind, asked for by an id of ours; its path.
    fn put(&self, term: &str, mixins: &[&str], attributes: &[&str]) -> (String, Request) {
        let path = format!("/{term}/{}{}", self.ours, &Uuid::new_v4().to_string()[8..]);
        let kind = kind(term);
        let categories: Vec<_> = std::iter::once(&*kind).chain(mixins.iter().copied()).collect();
        let request = self.server.put(&path).text(body(&categories, attributes));
        (path, request)
    }

    fn act(&self, path: &str, term: &str, parameters: &[&str]) -> Request {
        let kind = path.split('/').nth(1).unwrap();
        self.server.post(&format!("{path}?action={term}")).text(body(&[&action(kind, term)], parameters))
    }

    #[track_caller]
    fn create(&self, term: &str, mixins: &[&str], attributes: &[&str]) -> String {
        let (path, request) = self.put(term, mixins, attributes);
        request.answers(201);
        path
    }

    /// Has an entity's thing go to the other of two hypervisors, north and south; whether it did, and what was said.
    pub(crate) fn moves(&self, path: &str) -> (bool, String) {
        let list = match path.split('/').nth(1) {
            Some("compute") => "machines",
            Some("storage") => "volumes",
            _ => "networks",
        };
        let is_north = self.server.at_hypervisor(list, path, "node") == Some("north".into());
        let to = if is_north { "south" } else { "north" };
        let (is_done, said) = self.server.node(&["move", path, to]);
        (is_done, format!("to {to}: {said}"))
    }

    /// Has what there is before an operation run.
    pub(crate) fn start(&self, before: &Before) {
        run(self, before);
    }

    /// What there is before an operation.
    pub(crate) fn prepare(&self) -> Before {
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
pub(crate) struct Before {
    pub(crate) compute: String,
    network: String,
    pub(crate) storage: String,
    pub(crate) links: [String; 2],
}

/// Its name, what comes before, and the operation itself.
pub(crate) type Operation = (&'static str, fn(&Stage, &Before), fn(&Stage, &Before) -> Request);

pub(crate) const OPERATIONS: &[Operation] = &[
    ("create a compute by templates", nothing, |stage, _| {
        let key = "occi.credentials.ssh.publickey=\"ssh-rsa AAAAB3NzaC1yc2EAAAA=\"";
        stage.put("compute", &[SMALL, IMAGE, KEY], &[key]).1
    }),
    ("create a storage", nothing, |stage, _| stage.put("storage", &[], &["occi.storage.size=2"]).1),
    ("create a network", nothing, |stage, _| stage.put("network", &[], &[]).1),
    ("link a network", nothing, |stage, before| {
        link(stage, "networkinterface", &before.compute, &before.network)
    }),
    ("end the link of a storage", nothing, |stage, before| stage.server.delete(&before.links[1])),
    ("end the link of a network", nothing, |stage, before| stage.server.delete(&before.links[0])),
    ("link a storage", end_link, |stage, before| {
        link(stage, "storagelink", &before.compute, &before.storage)
    }),
    ("start", up, |stage, before| stage.act(&before.compute, "start", &[])),
    ("stop", run, |stage, before| stage.act(&before.compute, "stop", &["method=\"poweroff\""])),
    ("suspend", run, |stage, before| stage.act(&before.compute, "suspend", &[])),
    ("hibernate", run, |stage, before| stage.act(&before.compute, "suspend", &["method=\"hibernate\""])),
    ("save", run, |stage, before| stage.act(&before.compute, "save", &[])),
    ("another size", run, |stage, before| stage.server.post(&before.compute).text(body(&[MEDIUM], &[]))),
    ("up", nothing, |stage, before| stage.act(&before.network, "up", &[])),
    ("down", up, |stage, before| stage.act(&before.network, "down", &[])),
    ("delete a compute that runs", run, |stage, before| stage.server.delete(&before.compute)),
    ("delete a storage", end_link, |stage, before| stage.server.delete(&before.storage)),
    ("delete all", run, |stage, _| stage.server.delete("/")),
];

/// What an operator has go to another hypervisor: its name, what comes before, and which it is.
pub(crate) type Move = (&'static str, fn(&Stage, &Before), fn(&Before) -> &str);

pub(crate) const MOVES: &[Move] = &[
    ("a machine that is off", nothing, |before| &before.compute),
    ("a machine that runs", run, |before| &before.compute),
    ("a volume", end_link, |before| &before.storage),
    ("a network", end_interface, |before| &before.network),
];

/// What brings one thing to another.
pub(crate) const ACROSS: Operation = (
    "link a storage that is elsewhere",
    |stage, before| {
        end_link(stage, before);
        let (is_done, said) = stage.moves(&before.storage);
        assert!(is_done, "{said}");
    },
    |stage, before| link(stage, "storagelink", &before.compute, &before.storage),
);

fn nothing(_: &Stage, _: &Before) {}

fn run(stage: &Stage, before: &Before) {
    up(stage, before);
    stage.server.act(&before.compute, "start", &[]).is(200);
}

fn up(stage: &Stage, before: &Before) {
    stage.server.act(&before.network, "up", &[]).is(200);
}

fn end_link(stage: &Stage, before: &Before) {
    stage.server.delete(&before.links[1]).answers(200);
}

fn end_interface(stage: &Stage, before: &Before) {
    stage.server.delete(&before.links[0]).answers(200);
}

fn link(stage: &Stage, term: &str, source: &str, target: &str) -> Request {
    let ends = [format!("occi.core.source={source:?}"), format!("occi.core.target={target:?}")];
    stage.server.post(&format!("/{term}/")).text(body(&[&kind(term)], &[&ends[0], &ends[1]]))
}

impl Stage {
    /// Why store and hypervisor do not agree; none where they do.
    fn disagreement(&self) -> Option<String> {
        let server = &self.server;
        let mut found = match server.try_inspect() {
            Ok(found) => found,
            Err(error) => return Some(error),
        };
        for list in ["machines", "networks", "attachments", "strays"] {
            found[list].as_array_mut().unwrap().retain(|thing| thing.to_string().contains(&self.ours()));
        }
        for list in ["machines", "networks", "volumes"] {
            let names: Vec<_> =
                found[list].as_array().unwrap().iter().map(|thing| thing["name"].as_str().unwrap()).collect();
            let mut seen = HashSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(**name)) {
                return Some(format!("{twice} is twice among the {list}: {}", found[list]));
            }
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
                // As when its QEMU was killed.
                "crashed" => "error",
                _ => "suspended",
            };
            if attributes["occi.compute.state"] != state
                || attributes["occi.compute.cores"] != machine["cores"]
            {
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
        for link in entities("/storagelink/") {
            let at = |list: &str, end: &str| {
                let path = link[end]["location"].as_str().unwrap();
                let name = format!("occi-{}", path.rsplit('/').next().unwrap());
                let all = found[list].as_array().unwrap();
                all.iter().find(|thing| thing["name"] == *name).map(|thing| thing["node"].clone())
            };
            if at("machines", "source") != at("volumes", "target") {
                return Some(format!("{link} joins what is apart: {found}"));
            }
        }
        let links = entities("/storagelink/").len() + entities("/networkinterface/").len();
        let attached =
            found["attachments"].as_array().unwrap().iter().filter(|found| found["live"] == false).count();
        (links != attached).then(|| format!("{links} links, and attached are {}", found["attachments"]))
    }
}

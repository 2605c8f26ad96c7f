//! The story itself, a chapter a function: what a client asks of the server, what it answers, and what libvirt then
//! says. An answer other than the expected one ends it. Where systems boot, `templates` goes on.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::client::{Answer, Client, Request};
use super::proof::Proof;
use super::server::Server;
use super::show::{self, Show, Told};
use super::stage::Stage;

const JSON: &str = "application/occi+json";

/// The machine's name, which its guest system tells back on its console.
const HOSTNAME: &str = "web1.example.org";

/// The lines that say what something is.
pub(super) const NETWORK: &str =
    r#"network; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind""#;
const IP_NETWORK: &str =
    r#"ipnetwork; scheme="http://schemas.ogf.org/occi/infrastructure/network#"; class="mixin""#;
pub(super) const STORAGE: &str =
    r#"storage; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind""#;
pub(super) const STORAGE_LINK: &str =
    r#"storagelink; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind""#;

/// How long a machine may take to boot or to shut down, emulated on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Tells it from beginning to end.
pub(super) fn tell(stage: &Stage, show: &Show) -> Result<Told> {
    show.stage(&format!("OCCI on {}", stage.title));
    show.say(&format!("data, configuration and logs: {}", stage.folder.display()));
    let server = Server::start(stage)?;
    let mut story = Story {
        stage,
        show,
        client: Client::new(stage.address),
        printed: HashMap::new(),
        told: Told { title: stage.title.clone(), chapters: Vec::new(), exchanges: 0 },
    };

    story.discover()?;
    let network = story.create_network()?;
    let storage = story.create_storage()?;
    let machine = story.create_machine()?;
    let all = [&network, &storage, &machine];
    story.prove("Proof: libvirt has all three", &all, &[])?;
    story.start(&network, &storage, &machine)?;
    story.link(&network, &storage, &machine)?;
    story.retrieve(&machine)?;
    story.update(&machine)?;
    let server = story.survive(server, &machine, &all)?;
    story.stop(&machine)?;
    story.refuse(&machine)?;
    story.delete(&all)?;
    story.prove("Proof: libvirt has nothing left", &[], &all)?;
    if stage.consoles.is_some() {
        story.by_templates()?;
    }
    server.end()?;
    Ok(story.told)
}

pub(super) struct Story<'a> {
    pub(super) stage: &'a Stage,
    pub(super) show: &'a Show,
    client: Client,
    /// How much of each machine's console was shown, in bytes.
    printed: HashMap<String, usize>,
    told: Told,
}

impl Story<'_> {
    fn discover(&mut self) -> Result<()> {
        self.chapter("The query interface tells what can be made");
        let answer = self.send(&Request::get("/-/", "text/plain"))?;
        self.show.answer(&answer, Some(8));
        expect(&answer, 200)?;
        for kind in ["compute;", "network;", "storage;", "storagelink;", "networkinterface;"] {
            ensure!(answer.body.contains(kind), "the query interface does not tell of '{kind}'");
        }
        Ok(())
    }

    fn create_network(&mut self) -> Result<String> {
        self.chapter("A network, asked for in text/plain");
        self.created(&Request::post_text(
            "/network/",
            &[
                &format!("Category: {NETWORK}"),
                &format!("Category: {IP_NETWORK}"),
                r#"X-OCCI-Attribute: occi.core.title="demonstration""#,
                r#"X-OCCI-Attribute: occi.network.address="192.168.77.0/24""#,
                r#"X-OCCI-Attribute: occi.network.allocation="dynamic""#,
            ],
        ))
    }

    fn create_storage(&mut self) -> Result<String> {
        self.chapter("A storage, asked for in text/occi: all of it in headers");
        self.created(&Request::post_headers(
            "/storage/",
            &[
                ("Category", STORAGE),
                ("X-OCCI-Attribute", r#"occi.storage.size=0.25, occi.core.title="a quarter of a gibibyte""#),
            ],
        ))
    }

    fn create_machine(&mut self) -> Result<String> {
        self.chapter("A compute, asked for in JSON");
        self.created(&Request::post_json(
            "/compute/",
            &json!({
                "kind": "http://schemas.ogf.org/occi/infrastructure#compute",
                "title": "web server",
                "attributes": {
                    "occi.compute.cores": 1,
                    "occi.compute.memory": 0.25,
                    "occi.compute.hostname": HOSTNAME,
                },
            }),
        ))
    }

    fn start(&mut self, network: &str, storage: &str, machine: &str) -> Result<()> {
        self.chapter("Start: the network goes up, the storage online, the machine runs");
        self.act(network, "network", "up")?;
        self.state(network, "occi.network.state", "active")?;
        self.act(storage, "storage", "online")?;
        self.state(storage, "occi.storage.state", "online")?;
        let action = "http://schemas.ogf.org/occi/infrastructure/compute/action#start";
        self.ask(&Request::post_json(&format!("{machine}?action=start"), &json!({ "action": action })), 200)?;
        self.state(machine, "occi.compute.state", "active")?;
        if self.stage.consoles.is_some() {
            let proof = Proof::of_type(self.stage, id_of(machine))?;
            self.show_proof(&proof);
            self.show.say(if proof.has("type='kvm'") {
                "The machine's hardware runs it, by KVM."
            } else {
                "It is emulated, which is slow: the server found no KVM here that runs a guest."
            });
        }
        self.console(machine, &format!("OCCI guest up: {HOSTNAME}"))
    }

    fn link(&mut self, network: &str, storage: &str, machine: &str) -> Result<()> {
        self.chapter("Link the storage and the network to the running machine");
        self.created(&Request::post_text(
            "/storagelink/",
            &[
                &format!("Category: {STORAGE_LINK}"),
                &format!(r#"X-OCCI-Attribute: occi.core.source="{machine}""#),
                &format!(r#"X-OCCI-Attribute: occi.core.target="{storage}""#),
            ],
        ))?;
        self.created(&Request::post_json(
            "/networkinterface/",
            &json!({
                "kind": "http://schemas.ogf.org/occi/infrastructure#networkinterface",
                "source": { "location": machine },
                "target": { "location": network },
            }),
        ))?;
        if let Some(proof) = Proof::of_attachments(self.stage, id_of(machine))? {
            self.show_proof(&proof);
            ensure!(proof.has(id_of(storage)), "libvirt has not attached the storage");
            ensure!(proof.has(id_of(network)), "libvirt has not attached the network");
        }
        self.console(machine, "disks: vd")?;
        self.console(machine, "network interfaces: eth")
    }

    fn retrieve(&mut self, machine: &str) -> Result<()> {
        self.chapter("The compute in every rendering");
        for rendering in ["text/plain", "text/occi", JSON] {
            self.ask(&Request::get(machine, rendering), 200)?;
        }
        let listed = self.ask(&Request::get("/compute/", "text/uri-list"), 200)?;
        ensure!(listed.body.trim_end().ends_with(machine), "the list does not end with {machine}");
        Ok(())
    }

    fn update(&mut self, machine: &str) -> Result<()> {
        self.chapter("A partial update: another title, and nothing else changes");
        let title = r#"X-OCCI-Attribute: occi.core.title="web server, renamed""#;
        self.ask(&Request::post_text(machine, &[title]), 200)?;
        let entity = self.entity(machine)?;
        ensure!(entity["title"] == "web server, renamed", "the title is {}", entity["title"]);
        ensure!(entity["attributes"]["occi.compute.hostname"] == HOSTNAME, "the host name changed, too");
        Ok(())
    }

    /// The server is killed and started again; the answer is the new one.
    fn survive(&mut self, server: Server, machine: &str, all: &[&String]) -> Result<Server> {
        self.chapter("kill -9, half-way");
        let before = all.iter().map(|path| self.entity(path)).collect::<Result<Vec<_>>>()?;
        self.show.say(&format!("kill -9 {}", server.id()));
        server.kill();
        let server = Server::start(self.stage)?;
        self.show.say(&format!("started again, as process {}", server.id()));
        self.ask(&Request::get(machine, JSON), 200)?;
        for (path, before) in all.iter().zip(before) {
            let after = self.entity(path)?;
            ensure!(after == before, "{path} was\n{before:#}\nand is now\n{after:#}");
        }
        self.show.say("Its JSON and that of the others are equal to what they were before.");
        self.prove("Proof: libvirt has them all, too", all, &[])?;
        Ok(server)
    }

    fn stop(&mut self, machine: &str) -> Result<()> {
        self.chapter("Stop: the guest system is asked to shut down");
        let action = "http://schemas.ogf.org/occi/infrastructure/compute/action#stop";
        let body = json!({ "action": action, "attributes": { "method": "graceful" } });
        self.ask(&Request::post_json(&format!("{machine}?action=stop"), &body), 200)?;
        self.state(machine, "occi.compute.state", "inactive")?;
        self.console(machine, "powering off")
    }

    fn refuse(&mut self, machine: &str) -> Result<()> {
        self.chapter("An action that the state does not allow is refused, and changes nothing");
        let stop =
            r#"stop; scheme="http://schemas.ogf.org/occi/infrastructure/compute/action#"; class="action""#;
        let request = Request::post_text(&format!("{machine}?action=stop"), &[&format!("Category: {stop}")]);
        self.ask(&request, 409)?;
        self.state(machine, "occi.compute.state", "inactive")
    }

    fn delete(&mut self, all: &[&String]) -> Result<()> {
        self.chapter("Delete; the links go with what they link");
        // The machine first: what is in use stays.
        for path in all.iter().rev() {
            self.ask(&Request::delete(path), 200)?;
            self.ask(&Request::get(path, "text/plain"), 404)?;
        }
        for collection in ["/storagelink/", "/networkinterface/"] {
            let left = self.client.send(&Request::get(collection, "text/uri-list"))?;
            ensure!(left.body.trim().is_empty(), "{collection} still has {}", left.body);
        }
        Ok(())
    }

    /// What libvirt says: it has these, and not those.
    pub(super) fn prove(
        &mut self,
        title: &'static str,
        these: &[&String],
        not_those: &[&String],
    ) -> Result<()> {
        self.chapter(title);
        let proof = Proof::of_everything(self.stage)?;
        self.show_proof(&proof);
        for path in these {
            ensure!(proof.has(id_of(path)), "libvirt has nothing for {path}");
        }
        for path in not_those {
            ensure!(!proof.has(id_of(path)), "libvirt still has something for {path}");
        }
        Ok(())
    }

    pub(super) fn show_proof(&self, proof: &Proof) {
        for (asked, said) in &proof.listings {
            self.show.say(&format!("$ {asked}"));
            show::quote(said.trim_end());
        }
    }

    pub(super) fn chapter(&mut self, title: &'static str) {
        self.show.chapter(title);
        self.told.chapters.push(title);
    }

    /// One exchange, shown whole.
    pub(super) fn ask(&mut self, request: &Request, status: u16) -> Result<Answer> {
        let answer = self.send(request)?;
        self.show.answer(&answer, None);
        expect(&answer, status)?;
        Ok(answer)
    }

    pub(super) fn created(&mut self, request: &Request) -> Result<String> {
        self.ask(request, 201)?.location()
    }

    pub(super) fn act(&mut self, path: &str, kind: &str, term: &str) -> Result<Answer> {
        let category = format!(
            r#"Category: {term}; scheme="http://schemas.ogf.org/occi/infrastructure/{kind}/action#"; class="action""#
        );
        self.ask(&Request::post_text(&format!("{path}?action={term}"), &[&category]), 200)
    }

    pub(super) fn send(&mut self, request: &Request) -> Result<Answer> {
        self.show.request(request);
        self.told.exchanges += 1;
        self.client.send(request)
    }

    /// An entity as it is now, asked for behind the scenes.
    fn entity(&self, path: &str) -> Result<serde_json::Value> {
        let answer = self.client.send(&Request::get(path, JSON))?;
        expect(&answer, 200).with_context(|| path.to_owned())?;
        answer.json()
    }

    /// Waits until an entity is in a state. An action's answer may come before its effect does.
    pub(super) fn state(&self, path: &str, attribute: &str, wanted: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let entity = self.entity(path)?;
            let state = entity["attributes"][attribute].as_str().unwrap_or_default().to_owned();
            if state == wanted {
                self.show.say(&format!("{attribute} is '{state}'"));
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "{attribute} of {path} is '{state}', not '{wanted}'");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until a machine that boots has printed something to its console, and shows what is new there.
    pub(super) fn console(&mut self, machine: &str, wanted: &str) -> Result<()> {
        let Some(folder) = &self.stage.consoles else {
            return Ok(());
        };
        let file = folder.join(id_of(machine)).with_extension("log");
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let log = std::fs::read(&file).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            if log.contains(wanted) {
                let printed = self.printed.entry(machine.to_owned()).or_default();
                let fresh = log.get(*printed..).unwrap_or(&log);
                if !fresh.trim().is_empty() {
                    self.show.say("The machine's console:");
                    show::quote(fresh.trim_start());
                }
                *printed = log.len();
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("the machine did not print '{wanted}' to its console, {}", file.display())
    }
}

fn expect(answer: &Answer, status: u16) -> Result<()> {
    ensure!(answer.status.as_u16() == status, "the answer is {}, and {status} was expected", answer.status);
    Ok(())
}

/// The id at the end of an entity's path.
pub(super) fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

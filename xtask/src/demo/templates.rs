//! The second part of the story, where systems boot: a compute that templates make, from its first boot to a second one that
//! begins as it was saved.

use anyhow::{Context, Result, ensure};

use super::client::Request;
use super::proof::Proof;
use super::stage::IMAGE;
use super::story::{NETWORK, STORAGE, STORAGE_LINK, Story, id_of};

const COMPUTE: &str = r#"compute; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind""#;
const NETWORK_INTERFACE: &str =
    r#"networkinterface; scheme="http://schemas.ogf.org/occi/infrastructure#"; class="kind""#;
const USER_DATA: &str =
    r#"user_data; scheme="http://schemas.ogf.org/occi/infrastructure/compute#"; class="mixin""#;
const SSH_KEY: &str =
    r#"ssh_key; scheme="http://schemas.ogf.org/occi/infrastructure/credentials#"; class="mixin""#;

/// What the system does when it boots, and prints.
const SCRIPT: &str = r"#!/bin/sh\necho I was told to say $((40 + 2))";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOcciDemonstrationKeyOnly me@example.org";

fn os_template(term: &str) -> String {
    format!(r#"Category: {term}; scheme="http://example.org/occi/infrastructure/os_tpl#"; class="mixin""#)
}

fn resource_template(term: &str) -> String {
    format!(
        r#"Category: {term}; scheme="http://schemas.ogf.org/occi/infrastructure/compute/template/1.1#"; class="mixin""#
    )
}

impl Story<'_> {
    pub(super) fn by_templates(&mut self) -> Result<()> {
        let machine = self.make_by_templates()?;
        let (network, storage) = self.surround(&machine)?;
        self.suspend_and_resume(&machine)?;
        self.resize(&machine)?;
        let saved = self.save(&machine)?;
        let second = self.begin_as(&saved, &machine)?;
        self.remove(&[&second, &machine, &storage, &network], &saved)
    }

    fn make_by_templates(&mut self) -> Result<String> {
        self.chapter("A compute by templates, with user data");
        let query = format!("/-/?category=http://example.org/occi/infrastructure/os_tpl%23{IMAGE}");
        let answer = self.ask(&Request::get(&query, "text/plain"), 200)?;
        ensure!(answer.body.contains(IMAGE), "the query interface does not tell of the image '{IMAGE}'");
        let machine = self.created(&Request::post_text(
            "/compute/",
            &[
                &format!("Category: {COMPUTE}"),
                &os_template(IMAGE),
                &resource_template("small"),
                &format!("Category: {USER_DATA}"),
                &format!("Category: {SSH_KEY}"),
                r#"X-OCCI-Attribute: occi.compute.hostname="web2.example.org""#,
                &format!(r#"X-OCCI-Attribute: occi.compute.userdata="{SCRIPT}""#),
                &format!(r#"X-OCCI-Attribute: occi.credentials.ssh.publickey="{KEY}""#),
            ],
        ))?;
        self.prove("Proof: libvirt has it, with disks of its own", &[&machine], &[])?;
        self.chapter("It boots, and its console shows what it was told");
        self.act(&machine, "compute", "start")?;
        for told in ["OCCI guest up: web2.example.org", KEY, "OCCI guest runs: I was told to say 42"] {
            self.console(&machine, told)?;
        }
        Ok(machine)
    }

    fn surround(&mut self, machine: &str) -> Result<(String, String)> {
        self.chapter("It gets a network and a volume");
        let network = self.created(&Request::post_text("/network/", &[&format!("Category: {NETWORK}")]))?;
        self.act(&network, "network", "up")?;
        let size = "X-OCCI-Attribute: occi.storage.size=0.125";
        let storage =
            self.created(&Request::post_text("/storage/", &[&format!("Category: {STORAGE}"), size]))?;
        for (kind, target) in [(NETWORK_INTERFACE, &network), (STORAGE_LINK, &storage)] {
            let path = if kind == STORAGE_LINK { "/storagelink/" } else { "/networkinterface/" };
            self.created(&Request::post_text(
                path,
                &[
                    &format!("Category: {kind}"),
                    &format!(r#"X-OCCI-Attribute: occi.core.source="{machine}""#),
                    &format!(r#"X-OCCI-Attribute: occi.core.target="{target}""#),
                ],
            ))?;
        }
        let proof = Proof::of_attachments(self.stage, id_of(machine))?.context("libvirt is asked")?;
        self.show_proof(&proof);
        for attached in [&network, &storage] {
            ensure!(proof.has(id_of(attached)), "libvirt has not attached {attached}");
        }
        self.console(machine, "=134217728; network interfaces: eth")?;
        Ok((network, storage))
    }

    fn suspend_and_resume(&mut self, machine: &str) -> Result<()> {
        self.chapter("Suspended, and resumed");
        self.act(machine, "compute", "suspend")?;
        self.state(machine, "occi.compute.state", "suspended")?;
        self.prove_state(machine, "paused")?;
        self.act(machine, "compute", "start")?;
        self.state(machine, "occi.compute.state", "active")?;
        self.prove_state(machine, "running")
    }

    fn resize(&mut self, machine: &str) -> Result<()> {
        self.chapter("Another resource template takes the place of the first, while it runs");
        self.ask(&Request::post_text(machine, &[&resource_template("medium")]), 200)?;
        self.console(machine, "processors: 2")?;
        let proof = Proof::of_size(self.stage, id_of(machine))?;
        self.show_proof(&proof);
        for wanted in ["CPU(s):         2", "Max memory:     2097152 KiB"] {
            ensure!(proof.has(wanted), "libvirt does not say '{wanted}'");
        }
        Ok(())
    }

    /// The name of the new OS template.
    fn save(&mut self, machine: &str) -> Result<String> {
        self.chapter("Saved as a template, while it runs");
        let folder = self.stage.images();
        self.show_proof(&Proof::of_folder(&folder)?);
        let save =
            r#"save; scheme="http://schemas.ogf.org/occi/infrastructure/compute/action#"; class="action""#;
        let name = r#"X-OCCI-Attribute: name="as it was""#;
        let lines = [&*format!("Category: {save}"), name];
        let answer = self.ask(&Request::post_text(&format!("{machine}?action=save"), &lines), 200)?;
        let named = answer.body.strip_prefix("Category: ").and_then(|rest| rest.split(';').next());
        let name = named.context("the answer does not render the new template")?.to_owned();
        self.prove_state(machine, "running")?;
        self.chapter("Proof: the image is a file of its own");
        let listed = Proof::of_folder(&folder)?;
        let disk = Proof::of_disk(&folder.join(&name).with_extension("qcow2"))?;
        for proof in [&listed, &disk] {
            self.show_proof(proof);
        }
        ensure!(listed.has(&format!("{name}.toml")), "the image has no description");
        ensure!(disk.has("file format: qcow2"), "the image is no disk of QEMU's");
        ensure!(disk.has("virtual size: 64 MiB"), "the image is not as large as the first one's disk");
        ensure!(!disk.has("backing file"), "the image rests on another file");
        self.show.say("It names no 'backing file': it needs nothing of the compute that it was made of.");
        Ok(name)
    }

    fn begin_as(&mut self, template: &str, first: &str) -> Result<String> {
        self.chapter("A second compute begins as the first was saved");
        let hostname = r#"X-OCCI-Attribute: occi.compute.hostname="web3.example.org""#;
        let lines = [&*format!("Category: {COMPUTE}"), &os_template(template), hostname];
        let second = self.created(&Request::post_text("/compute/", &lines))?;
        self.act(&second, "compute", "start")?;
        // The first has booted it once.
        for told in ["OCCI guest up: web3.example.org", "boots its disk for the time number 2"] {
            self.console(&second, told)?;
        }
        self.chapter("Proof: both run, each on a disk of its own");
        let saved = format!("{template}.qcow2");
        for (machine, other, image, file) in
            [(first, &*second, IMAGE, "disk.raw"), (&*second, first, template, &*saved)]
        {
            self.prove_state(machine, "running")?;
            let proof = Proof::of_disks(self.stage, id_of(machine), image)?;
            self.show_proof(&proof);
            let system = format!("occi-{}-system-{image}", id_of(machine));
            ensure!(proof.all_have(&system), "{machine} does not boot from '{system}'");
            ensure!(!proof.has(id_of(other)), "{machine} has a disk of {other}");
            let file = self.stage.images().join(file).display().to_string();
            ensure!(proof.has(&file), "the disk of {machine} does not rest on {file}");
            self.show.say("What it has written is in the first file; what it began as is in the second.");
        }
        Ok(second)
    }

    fn remove(&mut self, all: &[&String], template: &str) -> Result<()> {
        self.chapter("All is removed, the template too");
        for path in all {
            self.ask(&Request::delete(path), 200)?;
        }
        self.ask(&Request::delete_text("/-/", &os_template(template)), 200)?;
        self.prove("Proof: libvirt has nothing left of it, and the image's files are gone", &[], all)?;
        let left = Proof::of_folder(&self.stage.images())?;
        self.show_proof(&left);
        ensure!(left.has(IMAGE) && !left.has(template), "of the saved image something is left");
        Ok(())
    }

    fn prove_state(&mut self, machine: &str, wanted: &str) -> Result<()> {
        let proof = Proof::of_state(self.stage, id_of(machine))?;
        self.show_proof(&proof);
        ensure!(proof.is(wanted), "libvirt does not say '{wanted}'");
        Ok(())
    }
}

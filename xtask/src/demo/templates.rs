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
        let second = self.begin_as(&saved)?;
        self.remove(&[&second, &machine, &storage, &network], &saved)
    }

    fn make_by_templates(&mut self) -> Result<String> {
        self.chapter("A compute by templates, with user data");
        let answer = self.send(&Request::get(
            "/-/?category=http://example.org/occi/infrastructure/os_tpl%23linux",
            "text/plain",
        ))?;
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
        self.prove_machine(machine, "paused")?;
        self.act(machine, "compute", "start")?;
        self.state(machine, "occi.compute.state", "active")?;
        self.prove_machine(machine, "running")
    }

    fn resize(&mut self, machine: &str) -> Result<()> {
        self.chapter("Another resource template takes the place of the first, while it runs");
        self.ask(&Request::post_text(machine, &[&resource_template("medium")]), 200)?;
        self.console(machine, "processors: 2")?;
        self.prove_machine(machine, "CPU(s):         2")
    }

    /// The name of the new OS template.
    fn save(&mut self, machine: &str) -> Result<String> {
        self.chapter("Saved as a template, while it runs");
        let save =
            r#"save; scheme="http://schemas.ogf.org/occi/infrastructure/compute/action#"; class="action""#;
        let name = r#"X-OCCI-Attribute: name="as it was""#;
        let lines = [&*format!("Category: {save}"), name];
        let answer = self.ask(&Request::post_text(&format!("{machine}?action=save"), &lines), 200)?;
        let named = answer.body.strip_prefix("Category: ").and_then(|rest| rest.split(';').next());
        Ok(named.context("the answer does not render the new template")?.to_owned())
    }

    fn begin_as(&mut self, template: &str) -> Result<String> {
        self.chapter("A second compute begins as the first was saved");
        let lines = [&*format!("Category: {COMPUTE}"), &os_template(template)];
        let second = self.created(&Request::post_text("/compute/", &lines))?;
        self.act(&second, "compute", "start")?;
        self.console(&second, "boots its disk for the time number 2")?;
        Ok(second)
    }

    fn remove(&mut self, all: &[&String], template: &str) -> Result<()> {
        self.chapter("All is removed, the template too");
        for path in all {
            self.ask(&Request::delete(path), 200)?;
        }
        self.ask(&Request::delete_text("/-/", &os_template(template)), 200)?;
        self.prove("Proof: libvirt has nothing left of it", &[], all)
    }

    fn prove_machine(&mut self, machine: &str, wanted: &str) -> Result<()> {
        let proof = Proof::of_machine(self.stage, id_of(machine))?;
        self.show_proof(&proof);
        ensure!(proof.has(wanted), "libvirt does not say '{wanted}'");
        Ok(())
    }
}

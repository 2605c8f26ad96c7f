//! Whether what the server shows is what there is.

use super::{Stage, is_saved};
use crate::qemu::domain;
use serde_json::Value;
use std::collections::{BTreeSet, HashSet};

impl Stage {
    /// Why store and hypervisor do not agree; none where they do.
    pub(super) fn disagreement(&self) -> Option<String> {
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
            let is_told = |attribute: &str| !attributes[attribute].is_null();
            let seed =
                usize::from(is_told("occi.credentials.ssh.publickey") || is_told("occi.compute.userdata"));
            let template = "http://example.org/occi/infrastructure/os_tpl#";
            let image = compute["mixins"]
                .as_array()
                .unwrap()
                .iter()
                .find_map(|mixin| mixin.as_str().unwrap().strip_prefix(template));
            let system = format!("{prefix}-system-{}", image.unwrap());
            if own.len() != 2 + seed || !own.iter().any(|disk| disk["name"] == *system) {
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
        let storages = entities("/storagelink/");
        let links = [storages.clone(), entities("/networkinterface/")].concat();
        apart(&found, &storages)
            .or_else(|| self.misattached(&found, &links))
            .or_else(|| self.unknown_images())
    }

    /// Each link's device is at its machine, as it is defined and, where it has power, as it runs; and no other.
    fn misattached(&self, found: &Value, links: &[Value]) -> Option<String> {
        let (mut expected, mut running) = (BTreeSet::new(), BTreeSet::new());
        for link in links {
            let end = |end: &str| {
                let path = link[end]["location"].as_str().unwrap();
                domain(path)
            };
            let id = link["id"].as_str().unwrap().trim_start_matches("urn:uuid:").to_owned();
            let mut machines = found["machines"].as_array().unwrap().iter();
            let machine = machines.find(|machine| machine["name"] == *end("source"));
            let Some(machine) = machine else { return Some(format!("{link} is of no machine")) };
            // The imitation says how machines are defined, and no more.
            if self.boots() && ["running", "paused"].contains(&machine["state"].as_str().unwrap()) {
                running.insert((end("source"), id.clone(), end("target")));
            }
            expected.insert((end("source"), id, end("target")));
        }
        for (live, expected) in [(false, expected), (true, running)] {
            let attached = found["attachments"].as_array().unwrap().iter();
            let attached: Vec<_> = attached
                .filter(|attached| attached["live"] == live)
                .map(|attached| {
                    let [machine, link, to] =
                        ["machine", "link", "to"].map(|name| attached[name].as_str().unwrap().to_owned());
                    (machine, link, to.trim_end_matches(".raw").to_owned())
                })
                .collect();
            if attached.len() != expected.len() || attached.into_iter().collect::<BTreeSet<_>>() != expected {
                return Some(format!(
                    "live {live}: expected are {expected:?}, and attached {}",
                    found["attachments"]
                ));
            }
        }
        None
    }

    /// A copy that is not whole, or that nobody knows of.
    fn unknown_images(&self) -> Option<String> {
        let files = std::fs::read_dir(self.images()).unwrap().map(|file| file.unwrap().path());
        let unknown: Vec<_> =
            files.filter(|file| is_saved(file) && !file.with_extension("toml").exists()).collect();
        (!unknown.is_empty()).then(|| format!("files of no image: {unknown:?}"))
    }
}

/// A volume that is at another hypervisor than the machine that has it.
fn apart(found: &Value, storages: &[Value]) -> Option<String> {
    for link in storages {
        let at = |list: &str, end: &str| {
            let path = link[end]["location"].as_str().unwrap();
            let name = domain(path);
            let all = found[list].as_array().unwrap();
            all.iter().find(|thing| thing["name"] == *name).map(|thing| thing["node"].clone())
        };
        if at("machines", "source") != at("volumes", "target") {
            return Some(format!("{link} joins what is apart: {found}"));
        }
    }
    None
}

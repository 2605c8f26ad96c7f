//! What of ours is at the hypervisors, in libvirt's own words, and what of it no entity knows.

use super::Answer;
use axum::http::StatusCode;
use occi_capability::Nodes;
use occi_capability::libvirt::{self, Attached};
use occi_operation::{Core, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use uuid::Uuid;

/// What is at all of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inventory {
    pub(crate) nodes: Vec<Node>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) volumes: Vec<Volume>,
    /// Those that machines have by themselves.
    pub(crate) own_disks: Vec<Volume>,
    pub(crate) networks: Vec<Network>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) arrivals: Vec<Arrival>,
    /// What of all that is there for no entity: it is made or ended at this moment, or was left by an extension that did
    /// not end it.
    pub(crate) strays: Vec<String>,
}

/// A hypervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// libvirt's URI.
    pub(crate) uri: String,
    /// Why it does not say what it has.
    pub(crate) problem: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) node: String,
    pub(crate) name: String,
    pub(crate) state: String,
    /// How many virtual CPUs it is defined with.
    pub(crate) cores: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) node: String,
    pub(crate) name: String,
    /// In bytes.
    pub(crate) capacity: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Network {
    pub(crate) node: String,
    pub(crate) name: String,
    pub(crate) active: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) node: String,
    /// The domain's name.
    pub(crate) machine: String,
    /// The id of the link that it is attached for.
    pub(crate) link: String,
    /// The name of the volume or network.
    pub(crate) to: String,
    /// Whether the running domain has it, or the definition that its next start takes.
    pub(crate) live: bool,
}

/// What came from another node, or is coming, and may still be there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Arrival {
    pub(crate) node: String,
    /// The name of the volume, or of the machine that has some by itself.
    pub(crate) name: String,
    pub(crate) is_whole: bool,
}

/// Asks all of them; those that do not answer are said. An error where none does.
pub(super) async fn read(nodes: &Nodes, core: &Core) -> Answer<Inventory> {
    let mut inventory = Inventory::default();
    for node in nodes.all() {
        let problem = match node.hypervisor().inventory().await {
            Ok(found) => {
                let strays = strays(core, &found);
                let strays =
                    strays.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
                inventory.add(node.name(), found, strays);
                None
            }
            Err(error) => Some(error.to_string()),
        };
        let (name, uri) = (node.name().to_owned(), node.hypervisor().uri().to_owned());
        inventory.nodes.push(Node { name, uri, problem });
    }
    if nodes.all().iter().any(|node| node.hypervisor().shares_volumes()) {
        inventory.fold_volumes();
    }
    let problems: Vec<_> = inventory.nodes.iter().filter_map(|node| node.problem.clone()).collect();
    if problems.len() == inventory.nodes.len() {
        return Err((StatusCode::BAD_GATEWAY, problems.join("; ")));
    }
    Ok(inventory)
}

impl Inventory {
    fn add(&mut self, node: &str, found: libvirt::Inventory, strays: Vec<String>) {
        let node = || node.to_owned();
        self.machines.extend(found.machines.into_iter().map(|found| Machine {
            node: node(),
            name: name(found.machine),
            state: found.state.as_str().into(),
            cores: found.cores,
        }));
        let volume = |(name, capacity)| Volume { node: node(), name, capacity };
        self.volumes.extend(found.volumes.into_iter().map(|found| volume((found.name, found.capacity))));
        self.own_disks.extend(found.own_disks.into_iter().map(|disk| volume((disk.name, disk.capacity))));
        let network = |(id, active)| Network { node: node(), name: name(id), active };
        self.networks.extend(found.networks.into_iter().map(network));
        self.attachments.extend(found.attachments.into_iter().map(|found| Attachment {
            node: node(),
            machine: name(found.machine),
            link: found.attachment.to_string(),
            to: found.to,
            live: found.live,
        }));
        let arrival = |libvirt::Arrival { name, is_whole }| Arrival { node: node(), name, is_whole };
        self.arrivals.extend(found.arrivals.into_iter().map(arrival));
        self.strays.extend(strays);
    }

    /// Has each volume that all nodes have be there once: where a machine has it, else where it was found first.
    fn fold_volumes(&mut self) {
        for volume in &mut self.volumes {
            if let Some(attached) = self.attachments.iter().find(|found| found.to == volume.name) {
                volume.node.clone_from(&attached.node);
            }
        }
        for disk in &mut self.own_disks {
            if let Some(machine) = self.machines.iter().find(|found| disk.name.starts_with(&found.name)) {
                disk.node.clone_from(&machine.node);
            }
        }
        let mut seen = HashSet::new();
        self.volumes.retain(|volume| seen.insert(volume.name.clone()));
        self.own_disks.retain(|disk| seen.insert(disk.name.clone()));
        let mut said = HashSet::new();
        self.strays.retain(|stray| said.insert(stray.clone()));
    }
}

fn name(entity: Uuid) -> String {
    format!("occi-{entity}")
}

/// What is there for no entity.
pub(crate) fn strays(core: &Core, found: &libvirt::Inventory) -> Result<Vec<String>, Refusal> {
    let machines = found.machines.iter().map(|found| (found.machine, name(found.machine)));
    let volumes = found.volumes.iter().map(|found| (found.volume, found.name.clone()));
    let networks = found.networks.iter().map(|(id, _)| (*id, name(*id)));
    let own_disks = found.own_disks.iter().map(|disk| (disk.machine, disk.name.clone()));
    let attachments = found.attachments.iter().map(|Attached { machine, attachment, to, .. }| {
        (*attachment, format!("{to} at {}, for the link {attachment}", name(*machine)))
    });
    let mut strays = Vec::new();
    for (entity, said) in machines.chain(volumes).chain(own_disks).chain(networks).chain(attachments) {
        if !core.has_entity(entity)? && !strays.contains(&said) {
            strays.push(said);
        }
    }
    Ok(strays)
}

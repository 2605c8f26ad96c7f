//! What an operator moves: one thing to a node, or all that is at one away from it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{Node, Nodes, Wishes};
use crate::libvirt::{Error, Hypervisor, Inventory, Result};

impl Nodes {
    /// The one by that name; 'missing' with the names of all where there is none.
    pub fn named(&self, name: &str) -> Result<&Node> {
        self.all.iter().find(|node| node.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.all.iter().map(Node::name).collect();
            Error::Missing(format!("there is no node {name:?}, but {}", names.join(", ")))
        })
    }

    /// Has an entity's things be at a node, with all that is attached to its machine; the entities whose things have moved. A machine
    /// that runs goes on running. 'conflict' where it shares a network with others, unless these are to be apart for a while
    /// (`alone`).
    pub async fn send(self: &Arc<Self>, entity: Uuid, to: &Node, alone: bool) -> Result<Vec<Uuid>> {
        let (nodes, there, reached_at) = (Arc::clone(self), to.hypervisor.clone(), to.reached_at.clone());
        let mut entities = self.of(entity).await?.machine(entity).what_goes_along().await?;
        entities.push(entity);
        self.to_the_end(entities, Duration::MAX, async move {
            nodes.carry(entity, &there, reached_at.as_deref(), alone).await
        })
        .await
    }

    async fn carry(
        &self,
        entity: Uuid,
        there: &Hypervisor,
        reached_at: Option<&str>,
        alone: bool,
    ) -> Result<Vec<Uuid>> {
        let missing = || Error::Missing(format!("no hypervisor has anything of {entity}"));
        let home = self.home(entity).await?.ok_or_else(missing)?;
        let here = &self.all[home].hypervisor;
        if here.is(there) {
            return Ok(Vec::new());
        }
        let (machine, volume) = (here.machine(entity), here.volume(entity));
        if machine.is_there().await? {
            let moved = machine.migrate_to(there, reached_at, alone).await?;
            self.have_moved(&moved, there);
            return Ok(moved.entities);
        } else if volume.is_there().await? {
            volume.move_to(there, u64::MAX).await?;
        } else if here.network(entity).is_there().await? {
            here.network(entity).move_to(there).await?;
        } else {
            self.forget(entity);
            return Err(missing());
        }
        self.has_moved(entity, there);
        Ok(vec![entity])
    }

    /// The node where an entity's things are to go that are at one, by what they are joined with and by memory; none where these are not
    /// those that count.
    pub async fn other_for(&self, entity: Uuid, node: &Node, joined: Vec<Uuid>) -> Result<Option<&Node>> {
        let home = self.home(entity).await?;
        if home.is_none_or(|home| !std::ptr::eq(&raw const self.all[home], node)) {
            return Ok(None);
        }
        let wishes = Wishes { joined, ..Wishes::default() };
        Ok(Some(&self.all[self.choose(&wishes).await?]))
    }

    /// What is at a node, in the order in which it can go, and with what each machine shares a network: machines first, with which
    /// most of the rest goes.
    pub async fn guests_of(&self, node: &Node) -> Result<Vec<(Uuid, Vec<Uuid>)>> {
        let Inventory { machines, volumes, networks, attachments, .. } = node.hypervisor.inventory().await?;
        let mut at: BTreeMap<&str, HashSet<Uuid>> = BTreeMap::new();
        for attached in &attachments {
            at.entry(&attached.to).or_default().insert(attached.machine);
        }
        let joined = |machine: Uuid| {
            let shared = at.values().filter(|machines| machines.contains(&machine)).flatten();
            let others: HashSet<Uuid> = shared.copied().filter(|other| *other != machine).collect();
            others.into_iter().collect()
        };
        let machines = machines.iter().map(|found| (found.machine, joined(found.machine)));
        // What all have is there, too.
        let volumes = volumes.iter().filter(|_| !node.hypervisor.shares_volumes());
        let volumes = volumes.map(|found| (found.volume, Vec::new()));
        let networks = networks.iter().map(|(id, _)| (*id, Vec::new()));
        Ok(machines.chain(volumes).chain(networks).collect())
    }
}

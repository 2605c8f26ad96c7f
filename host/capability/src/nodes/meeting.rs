//! A machine and what is attached to it are at one node. Where they are not, the one moves that nobody uses.

use std::sync::Arc;

use uuid::Uuid;

use super::{Nodes, Wishes};
use crate::libvirt::{BRIEFLY, Error, Hypervisor, Machine, Moved, Network, Result, Volume};

impl Nodes {
    /// Has a volume be where a machine is.
    pub async fn bring_volume(self: &Arc<Self>, machine: &Machine, volume: &Volume) -> Result<()> {
        let (nodes, here, volume) = (Arc::clone(self), machine.hypervisor().clone(), volume.clone());
        self.to_the_end(vec![volume.entity()], here.patience(), async move {
            // Another may have brought it meanwhile.
            let volume = nodes.of(volume.entity()).await?.volume(volume.entity());
            if here.is(volume.hypervisor()) {
                return Ok(());
            }
            volume.move_to(&here, BRIEFLY).await?;
            nodes.has_moved(volume.entity(), &here);
            Ok(())
        })
        .await
    }

    /// Has a network be where a machine is, or the machine where the network is; the machine then.
    pub async fn bring_network(self: &Arc<Self>, machine: &Machine, network: &Network) -> Result<Machine> {
        let (nodes, machine, network) = (Arc::clone(self), machine.clone(), network.clone());
        let mut entities = machine.what_goes_along().await?;
        entities.extend([machine.entity(), network.entity()]);
        self.to_the_end(entities, machine.hypervisor().patience(), async move {
            nodes.together(&machine, &network).await
        })
        .await
    }

    async fn together(&self, machine: &Machine, network: &Network) -> Result<Machine> {
        let network = &self.of(network.entity()).await?.network(network.entity());
        let (here, there) = (machine.hypervisor(), network.hypervisor());
        // An operator may have moved the machine and left others behind, with which it shares the network.
        if here.network(network.entity()).is_there().await? || network.reach(here).await? {
            return Ok(machine.clone());
        }
        match network.move_to(here).await {
            Ok(()) => {
                self.has_moved(network.entity(), here);
                return Ok(machine.clone());
            }
            Err(Error::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
        let moved = machine.move_to(there, BRIEFLY).await.map_err(|error| match error {
            Error::Conflict(why) => Error::Conflict(format!(
                "the network is at another hypervisor, where it is in use, and the machine cannot go there: {why}"
            )),
            error => error,
        })?;
        self.have_moved(&moved, there);
        Ok(there.machine(machine.entity()))
    }

    /// Whether a machine is where it is wanted.
    pub async fn suits(&self, machine: &Machine, wishes: &Wishes) -> Result<bool> {
        let Some(home) = self.number_of(machine.hypervisor()).filter(|_| wishes.are_particular()) else {
            return Ok(true);
        };
        Ok(wishes.allow(home, &self.all[home].labels, &self.homes_of(wishes).await?))
    }

    /// Has a machine be where it is wanted; the machine then.
    pub async fn move_by(self: &Arc<Self>, machine: &Machine, wishes: &Wishes) -> Result<Machine> {
        let chosen = self.choose(wishes).await?;
        let (nodes, machine, there) =
            (Arc::clone(self), machine.clone(), self.all[chosen].hypervisor.clone());
        let mut entities = machine.what_goes_along().await?;
        entities.push(machine.entity());
        self.to_the_end(entities, there.patience(), async move {
            let moved = machine.move_to(&there, BRIEFLY).await?;
            nodes.have_moved(&moved, &there);
            Ok(there.machine(machine.entity()))
        })
        .await
    }

    pub(super) fn has_moved(&self, entity: Uuid, to: &Hypervisor) {
        match self.number_of(to) {
            Some(home) => self.remember(entity, home),
            None => self.forget(entity),
        }
    }

    /// Of what is left in part where it was, the nodes are asked once more.
    pub(super) fn have_moved(&self, moved: &Moved, to: &Hypervisor) {
        for entity in &moved.entities {
            if moved.is_whole {
                self.has_moved(*entity, to);
            } else {
                self.forget(*entity);
            }
        }
    }
}

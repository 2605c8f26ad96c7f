//! A network at several nodes: one that is joined to a bridge, where machines use it, or one whose machines are being moved. What is done
//! to it is done at each of them, and last where it is known to be, so that it is not done before it is done at all.

use super::Nodes;
use crate::libvirt::{Network, NetworkPlan, Result};

impl Nodes {
    /// Defines it. 'conflict' where it is to be joined to no bridge any more, and machines at several nodes use it.
    pub async fn define_network(&self, network: &Network, plan: NetworkPlan) -> Result<()> {
        let others = self.others(network).await?;
        let leaves_bridge = !others.is_empty() && plan.bridge.is_none() && network.is_bridged().await?;
        for other in others {
            if leaves_bridge {
                other.remove().await?;
            } else {
                other.define(plan.clone()).await?;
            }
        }
        network.define(plan).await
    }

    /// Has it carry traffic.
    pub async fn network_up(&self, network: &Network) -> Result<()> {
        for other in self.others(network).await? {
            other.up().await?;
        }
        network.up().await
    }

    /// Has it carry none.
    pub async fn network_down(&self, network: &Network) -> Result<()> {
        let others = self.unused(network, true).await?;
        for other in others {
            other.down().await?;
        }
        network.down().await
    }

    /// Takes it down and forgets its definition.
    pub async fn remove_network(&self, network: &Network) -> Result<()> {
        let others = self.unused(network, false).await?;
        for other in others {
            other.remove().await?;
        }
        network.remove().await?;
        self.forget(network.entity());
        Ok(())
    }

    /// The same as the others, of which none is used, nor that one: before anything is done to any of them.
    async fn unused(&self, network: &Network, running: bool) -> Result<Vec<Network>> {
        let others = self.others(network).await?;
        if !others.is_empty() {
            for each in others.iter().chain([network]) {
                each.check_unused(running).await?;
            }
        }
        Ok(others)
    }

    /// It at other nodes than the one where it is known to be. 'unavailable' where one does not answer that may have it, as it is joined
    /// to a bridge.
    async fn others(&self, network: &Network) -> Result<Vec<Network>> {
        let mut others = Vec::new();
        if self.all.len() == 1 {
            return Ok(others);
        }
        let is_bridged = network.is_bridged().await?;
        for node in self.all.iter().filter(|node| !node.hypervisor.is(network.hypervisor())) {
            let other = node.hypervisor.network(network.entity());
            if (is_bridged || !node.hypervisor.is_away()) && other.is_there().await? {
                others.push(other);
            }
        }
        Ok(others)
    }
}

//! The capability `networks`: `wit/networks.wit` over [`libvirt`](crate::libvirt), and the [bridges](Bridges) on offer.

mod bridges;

use std::sync::Arc;

use occi_extension::bindings::types::{End, Fault};
use occi_extension::{CallState, Capability, Lent, Offers};
use uuid::Uuid;
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::libvirt::{Network, NetworkPlan};
use crate::nodes::{Nodes, Wishes};
use crate::objects::{open, place, ruled, standing};
pub use bridges::Bridges;
use generated::occi::extension::networks::{self, Host, HostNetwork, HostPlan};

/// Also for the capabilities whose functions take a network.
#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
pub(crate) mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world networks { import occi:extension/networks@0.1.0; }",
        world: "occi:lent/networks",
        imports: { default: async | trappable },
        with: {
            "occi:extension/types": occi_extension::bindings::types,
            "occi:extension/networks.network": crate::libvirt::Network,
            "occi:extension/networks.plan": super::NetworkDraft,
        },
    });
}

/// Virtual networks, one for each entity.
#[derive(Debug)]
pub struct Networks {
    forgets: bool,
}

impl Networks {
    /// Those of hypervisors, which are lent to the calls as well.
    pub fn new(nodes: &Nodes) -> Self {
        Self { forgets: nodes.forgets() }
    }
}

#[async_trait::async_trait]
impl Capability for Networks {
    fn name(&self) -> &'static str {
        "networks"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/networks@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        networks::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["network.define", "network.open", "network.active", "network.up", "network.down", "network.remove"]
    }

    fn has_outside_effects(&self) -> bool {
        true
    }

    fn forgets(&self) -> bool {
        self.forgets
    }

    fn offers(&self, lent: &Lent) -> Option<Arc<dyn Offers>> {
        Some(lent.get::<Bridges>()?)
    }

    async fn standing(&self, lent: &Lent, entity: Uuid) -> Result<Option<&'static str>, Fault> {
        standing("a network at the hypervisor", lent, move |hypervisor| async move {
            hypervisor.network(entity).is_there().await
        })
        .await
    }
}

impl Host for CallState {}

/// A plan as a guest fills it in.
#[derive(Debug, Default)]
pub struct NetworkDraft {
    plan: NetworkPlan,
    /// The name of the bridge.
    bridge: Option<String>,
}

impl HostPlan for CallState {
    async fn new(&mut self) -> wasmtime::Result<Resource<NetworkDraft>> {
        Ok(self.table().push(NetworkDraft::default())?)
    }

    async fn vlan(&mut self, plan: Resource<NetworkDraft>, id: u16) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.vlan = Some(id);
        Ok(())
    }

    async fn address(&mut self, plan: Resource<NetworkDraft>, cidr: String) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.address = Some(cidr);
        Ok(())
    }

    async fn gateway(&mut self, plan: Resource<NetworkDraft>, address: String) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.gateway = Some(address);
        Ok(())
    }

    async fn dhcp(&mut self, plan: Resource<NetworkDraft>, enabled: bool) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.dhcp = enabled;
        Ok(())
    }

    async fn title(&mut self, plan: Resource<NetworkDraft>, text: String) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.plan.title = Some(text);
        Ok(())
    }

    async fn bridge(&mut self, plan: Resource<NetworkDraft>, name: String) -> wasmtime::Result<()> {
        self.table().get_mut(&plan)?.bridge = Some(name);
        Ok(())
    }

    async fn drop(&mut self, plan: Resource<NetworkDraft>) -> wasmtime::Result<()> {
        self.table().delete(plan)?;
        Ok(())
    }
}

impl HostNetwork for CallState {
    async fn define(
        &mut self,
        of: End,
        plan: Resource<NetworkDraft>,
    ) -> wasmtime::Result<Result<Resource<Network>, Fault>> {
        begin!(self, "networks", "network.define");
        let network = match place(self, of, Wishes::default())?.await {
            Ok(place) => place.hypervisor.network(place.entity),
            Err(fault) => return Ok(Err(fault)),
        };
        let NetworkDraft { plan, bridge } = self.table().get(&plan)?;
        let (mut plan, bridge) = (plan.clone(), bridge.clone());
        if let Some(name) = bridge {
            plan.bridge = match self.lent::<Bridges>()?.find(&name) {
                Ok(bridge) => Some(bridge),
                Err(error) => return Ok(Err(error.into())),
            };
        }
        match self.lent::<Nodes>()?.define_network(&network, plan).await {
            Ok(()) => Ok(Ok(self.table().push(network)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn open(&mut self, of: End) -> wasmtime::Result<Result<Resource<Network>, Fault>> {
        begin!(self, "networks", "network.open");
        match open::<Network>(self, of)?.await {
            Ok(network) => Ok(Ok(self.table().push(network)?)),
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn active(&mut self, network: Resource<Network>) -> wasmtime::Result<Result<bool, Fault>> {
        begin!(self, "networks", "network.active");
        let network = self.table().get(&network)?.clone();
        Ok(network.active().await.map_err(Fault::from))
    }

    async fn up(&mut self, network: Resource<Network>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "networks", "network.up");
        Ok(match ruled(self, &network)? {
            Ok(network) => self.lent::<Nodes>()?.network_up(&network).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn down(&mut self, network: Resource<Network>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "networks", "network.down");
        Ok(match ruled(self, &network)? {
            Ok(network) => self.lent::<Nodes>()?.network_down(&network).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn remove(&mut self, network: Resource<Network>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "networks", "network.remove");
        Ok(match ruled(self, &network)? {
            Ok(network) => self.lent::<Nodes>()?.remove_network(&network).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.table().delete(network)?;
        Ok(())
    }
}

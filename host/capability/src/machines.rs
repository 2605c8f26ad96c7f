//! The capability `machines`: `wit/machines.wit` over [`libvirt`](crate::libvirt).
//!
//! A machine has devices for other entities than its own. Such a device always belongs to the entity that the call is
//! about, so a guest can take away none but that one's.

mod plan;

use std::sync::Arc;
use std::time::Duration;

use occi_extension::bindings::types::{End, Fault};
use occi_extension::{CallContext, CallState, Capability, Console, Lent};
use uuid::Uuid;
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::images::Images;
use crate::libvirt::{Error, Machine, Network, Nic, Volume};
use crate::nodes::{Nodes, Wishes};
use crate::objects::{home, may_change, open, place, ruled, standing};
use generated::occi::extension::machines::{self, Host, HostMachine};
pub use plan::DraftPlan;

/// Also for the capability whose function takes a machine.
#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; the words are those of wit/")]
pub(crate) mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world machines { import occi:extension/machines@0.1.0; }",
        world: "occi:lent/machines",
        imports: { default: async | trappable },
        with: {
            "occi:extension/types": occi_extension::bindings::types,
            "occi:extension/volumes": crate::volumes::generated::occi::extension::volumes,
            "occi:extension/networks": crate::networks::generated::occi::extension::networks,
            "occi:extension/machines.machine": crate::libvirt::Machine,
            "occi:extension/machines.plan": super::plan::DraftPlan,
            "occi:extension/machines.nic": crate::libvirt::Nic,
        },
    });
}

/// Virtual machines, one for each entity.
#[derive(Debug)]
pub struct Machines {
    forgets: bool,
}

impl Machines {
    /// Those of hypervisors, which are lent to the calls as well.
    pub fn new(nodes: &Nodes) -> Self {
        Self { forgets: nodes.forgets() }
    }
}

#[async_trait::async_trait]
impl Capability for Machines {
    fn name(&self) -> &'static str {
        "machines"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/machines@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        machines::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn functions(&self) -> &'static [&'static str] {
        &[
            "machine.define",
            "machine.open",
            "machine.discard",
            "machine.node",
            "machine.scratch",
            "machine.state",
            "machine.reason",
            "machine.start",
            "machine.shutdown",
            "machine.power-off",
            "machine.reboot",
            "machine.restart",
            "machine.reset",
            "machine.pause",
            "machine.save",
            "machine.snapshot",
            "machine.attach-volume",
            "machine.detach-volume",
            "machine.attach-network",
            "machine.reserve-address",
            "machine.give-address",
            "machine.detach-network",
            "machine.remove",
        ]
    }

    fn has_outside_effects(&self) -> bool {
        true
    }

    fn forgets(&self) -> bool {
        self.forgets
    }

    fn has_consoles(&self) -> bool {
        true
    }

    async fn console(&self, lent: &Lent, entity: Uuid) -> Result<Option<Arc<dyn Console>>, Fault> {
        let Some(nodes) = lent.get::<Nodes>() else { return Ok(None) };
        let console = nodes.of(entity).await?.machine(entity).console();
        Ok(Some(Arc::new(console) as Arc<dyn Console>))
    }

    async fn standing(&self, lent: &Lent, entity: Uuid) -> Result<Option<&'static str>, Fault> {
        standing("a machine at the hypervisor", lent, move |hypervisor| async move {
            hypervisor.machine(entity).is_there().await
        })
        .await
    }
}

impl Host for CallState {}

impl HostMachine for CallState {
    async fn define(
        &mut self,
        of: End,
        plan: Resource<DraftPlan>,
    ) -> wasmtime::Result<Result<Resource<Machine>, Fault>> {
        begin!(self, "machines", "machine.define");
        let DraftPlan { plan, image, wishes } = self.table().get(&plan)?;
        let (mut plan, image, wishes) = (plan.clone(), image.clone(), wishes.clone());
        let wishes = Wishes { memory: plan.memory.unwrap_or_default(), ..wishes };
        let machine = match place(self, of, wishes.clone())?.await {
            Ok(place) => {
                plan.is_there = place.is_there;
                place.hypervisor.machine(place.entity)
            }
            Err(fault) => return Ok(Err(fault)),
        };
        if let Some(name) = image {
            plan.image = match self.lent::<Images>()?.find(&name).await {
                Ok(image) => Some(image),
                Err(error) => return Ok(Err(error.into())),
            };
        }
        let machine = match suited(self, machine, &wishes).await? {
            Ok(machine) => machine,
            Err(error) => return Ok(Err(error.into())),
        };
        match machine.define(plan).await {
            Ok(()) => Ok(Ok(self.table().push(machine)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn open(&mut self, of: End) -> wasmtime::Result<Result<Resource<Machine>, Fault>> {
        begin!(self, "machines", "machine.open");
        match open::<Machine>(self, of)?.await {
            Ok(machine) => Ok(Ok(self.table().push(machine)?)),
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn discard(&mut self, of: End) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.discard");
        let machine = match open::<Machine>(self, of)?.await {
            // What it had by itself may be left where it would be.
            Err(fault) if fault.code == "missing" => match home(self, of)?.await {
                Ok((hypervisor, entity)) => hypervisor.machine(entity),
                Err(fault) => return Ok(Err(fault)),
            },
            Ok(machine) => machine,
            Err(fault) => return Ok(Err(fault)),
        };
        match may_change(self, machine) {
            Ok(machine) => remove(self, &machine).await,
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn is_away(&mut self, of: End) -> wasmtime::Result<bool> {
        let nodes = self.lent::<Nodes>()?;
        Ok(self.call().end(of).is_ok_and(|entity| nodes.is_away(entity)))
    }

    async fn node(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<String, Fault>> {
        begin!(self, "machines", "machine.node");
        let machine = self.table().get(&machine)?.clone();
        let nodes = self.lent::<Nodes>()?;
        Ok(Ok(nodes.name_of(machine.hypervisor()).to_owned()))
    }

    async fn scratch(
        &mut self,
        machine: Resource<Machine>,
    ) -> wasmtime::Result<Result<Option<String>, Fault>> {
        begin!(self, "machines", "machine.scratch");
        let machine = self.table().get(&machine)?.clone();
        Ok(machine.scratch().await.map_err(Fault::from))
    }

    async fn state(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<String, Fault>> {
        begin!(self, "machines", "machine.state");
        let machine = self.table().get(&machine)?.clone();
        Ok(machine.state().await.map(|state| state.as_str().into()).map_err(Fault::from))
    }

    async fn reason(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<String, Fault>> {
        begin!(self, "machines", "machine.reason");
        let machine = self.table().get(&machine)?.clone();
        Ok(machine.reason().await.map_err(Fault::from))
    }

    async fn start(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.start");
        Ok(match ruled(self, &machine)? {
            Ok(machine) => machine.start().await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn shutdown(
        &mut self,
        machine: Resource<Machine>,
        wait: u64,
    ) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.shutdown");
        let machine = match ruled(self, &machine)? {
            Ok(machine) => machine,
            Err(fault) => return Ok(Err(fault)),
        };
        let shutdown = machine.shutdown(Duration::from_millis(wait));
        // A guest system takes its time, or does not listen at all.
        Ok(self.aside(shutdown).await.map_err(Fault::from))
    }

    async fn power_off(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.power-off");
        Ok(match ruled(self, &machine)? {
            Ok(machine) => machine.power_off().await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn reboot(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.reboot");
        Ok(match ruled(self, &machine)? {
            Ok(machine) => machine.reboot().await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn restart(
        &mut self,
        machine: Resource<Machine>,
        wait: u64,
    ) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.restart");
        let machine = match ruled(self, &machine)? {
            Ok(machine) => machine,
            Err(fault) => return Ok(Err(fault)),
        };
        let restart = machine.restart(Duration::from_millis(wait));
        // As with 'shutdown'.
        Ok(self.aside(restart).await.map_err(Fault::from))
    }

    async fn reset(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.reset");
        Ok(match ruled(self, &machine)? {
            Ok(machine) => machine.reset().await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn pause(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.pause");
        Ok(match ruled(self, &machine)? {
            Ok(machine) => machine.pause().await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn save(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.save");
        Ok(match ruled(self, &machine)? {
            Ok(machine) => machine.save().await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn snapshot(
        &mut self,
        machine: Resource<Machine>,
        name: String,
    ) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.snapshot");
        Ok(match ruled(self, &machine)? {
            Ok(machine) => machine.snapshot(&name).await.map_err(Fault::from),
            Err(fault) => Err(fault),
        })
    }

    async fn attach_volume(
        &mut self,
        machine: Resource<Machine>,
        volume: Resource<Volume>,
    ) -> wasmtime::Result<Result<String, Fault>> {
        begin!(self, "machines", "machine.attach-volume");
        let (subject, volume) = (self.call().entity, self.table().get(&volume)?.clone());
        let machine = self.table().get(&machine)?.clone();
        if !machine.hypervisor().is(volume.hypervisor()) {
            let nodes = self.lent::<Nodes>()?;
            if let Err(error) = self.aside(nodes.bring_volume(&machine, &volume)).await {
                return Ok(Err(error.into()));
            }
        }
        let volume = volume.entity();
        Ok(machine.attach_volume(subject, volume).await.map_err(Fault::from))
    }

    async fn detach_volume(
        &mut self,
        machine: Resource<Machine>,
        volume: Resource<Volume>,
    ) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.detach-volume");
        let (subject, volume) = (self.call().entity, self.table().get(&volume)?.entity());
        let machine = self.table().get(&machine)?.clone();
        let goes = goes(self.call(), &machine);
        // A guest system takes its time to let it go.
        let detach = machine.detach_volume(subject, volume, goes);
        Ok(self.aside(detach).await.map_err(Fault::from))
    }

    async fn attach_network(
        &mut self,
        machine: Resource<Machine>,
        network: Resource<Network>,
        mac: Option<String>,
    ) -> wasmtime::Result<Result<Resource<Nic>, Fault>> {
        begin!(self, "machines", "machine.attach-network");
        let (subject, network) = (self.call().entity, self.table().get(&network)?.clone());
        let handle = machine;
        let mut machine = self.table().get(&handle)?.clone();
        if !machine.hypervisor().is(network.hypervisor()) {
            let nodes = self.lent::<Nodes>()?;
            machine = match self.aside(nodes.bring_network(&machine, &network)).await {
                Ok(machine) => machine,
                Err(error) => return Ok(Err(error.into())),
            };
            // The guest goes on with it where it is now.
            *self.table().get_mut(&handle)? = machine.clone();
        }
        let network = network.entity();
        match machine.attach_network(subject, network, mac.as_deref()).await {
            Ok(nic) => Ok(Ok(self.table().push(nic)?)),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn reserve_address(
        &mut self,
        machine: Resource<Machine>,
        network: Resource<Network>,
        address: Option<String>,
    ) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.reserve-address");
        if address.is_none() && self.call().going.entity {
            // The guest system may not let the interface go.
            return Ok(Ok(()));
        }
        let (subject, network) = (self.call().entity, self.table().get(&network)?.entity());
        let machine = self.table().get(&machine)?.clone();
        Ok(machine.reserve_address(subject, network, address).await.map_err(Fault::from))
    }

    async fn give_address(
        &mut self,
        machine: Resource<Machine>,
        network: Resource<Network>,
    ) -> wasmtime::Result<Result<Option<String>, Fault>> {
        begin!(self, "machines", "machine.give-address");
        let (subject, network) = (self.call().entity, self.table().get(&network)?.entity());
        let machine = self.table().get(&machine)?.clone();
        Ok(machine.give_address(subject, network).await.map_err(Fault::from))
    }

    async fn detach_network(
        &mut self,
        machine: Resource<Machine>,
        network: Resource<Network>,
    ) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.detach-network");
        let (subject, network) = (self.call().entity, self.table().get(&network)?.entity());
        let machine = self.table().get(&machine)?.clone();
        let goes = goes(self.call(), &machine);
        let detach = machine.detach_network(subject, network, goes);
        Ok(self.aside(detach).await.map_err(Fault::from))
    }

    async fn remove(&mut self, machine: Resource<Machine>) -> wasmtime::Result<Result<(), Fault>> {
        begin!(self, "machines", "machine.remove");
        match ruled(self, &machine)? {
            Ok(machine) => remove(self, &machine).await,
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn drop(&mut self, machine: Resource<Machine>) -> wasmtime::Result<()> {
        self.table().delete(machine)?;
        Ok(())
    }
}

/// Whether a machine goes in the same operation as what is attached to it.
fn goes(call: &CallContext, machine: &Machine) -> bool {
    call.going.source && call.source == Some(machine.entity())
}

/// The machine where it is as it should be; it moves where it is not.
async fn suited(
    state: &mut CallState,
    machine: Machine,
    wishes: &Wishes,
) -> wasmtime::Result<Result<Machine, Error>> {
    let nodes = state.lent::<Nodes>()?;
    Ok(match nodes.suits(&machine, wishes).await {
        Ok(true) => Ok(machine),
        Ok(false) => state.aside(nodes.move_by(&machine, wishes)).await,
        Err(error) => Err(error),
    })
}

async fn remove(state: &mut CallState, machine: &Machine) -> wasmtime::Result<Result<(), Fault>> {
    let removed = machine.remove().await;
    if removed.is_ok() {
        state.lent::<Nodes>()?.forget(machine.entity());
    }
    Ok(removed.map_err(Fault::from))
}

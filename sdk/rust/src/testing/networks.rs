//! The fake of the capability `networks`.

use super::world::{self, World, world};
use crate::{End, Fault, Result};
use std::cell::RefCell;
use std::net::Ipv4Addr;

/// What a network should be, gathered in the form of the network itself.
pub(crate) struct Plan(RefCell<world::Network>);

impl Plan {
    pub(crate) fn new() -> Self {
        Self(RefCell::default())
    }

    pub(crate) fn vlan(&self, id: u16) {
        self.0.borrow_mut().vlan = Some(id);
    }

    pub(crate) fn address(&self, cidr: &str) {
        self.0.borrow_mut().address = Some(cidr.into());
    }

    pub(crate) fn gateway(&self, address: &str) {
        self.0.borrow_mut().gateway = Some(address.into());
    }

    pub(crate) fn dhcp(&self, enabled: bool) {
        self.0.borrow_mut().dhcp = Some(enabled);
    }

    pub(crate) fn bridge(&self, name: &str) {
        self.0.borrow_mut().bridge = Some(name.into());
    }

    pub(crate) fn title(&self, text: &str) {
        self.0.borrow_mut().title = Some(text.into());
    }
}

/// The network of the entity with that id.
pub(crate) struct Network(String);

impl Network {
    pub(crate) fn define(of: End, plan: &Plan) -> Result<Self> {
        world(|world| {
            world.enter("network.define")?;
            let id = world.id(of)?;
            let active = world.networks.get(&id).is_some_and(|network| network.active);
            world.networks.insert(id.clone(), world::Network { active, ..plan.0.borrow().clone() });
            Ok(Self(id))
        })
    }

    pub(crate) fn open(of: End) -> Result<Self> {
        world(|world| {
            world.question("network.open")?;
            let network = Self(world.id(of)?);
            network.find(world)?;
            Ok(network)
        })
    }

    pub(crate) fn active(&self) -> Result<bool> {
        world(|world| {
            world.question("network.active")?;
            Ok(self.find(world)?.active)
        })
    }

    pub(crate) fn up(&self) -> Result<()> {
        world(|world| {
            world.enter("network.up")?;
            self.find(world)?.active = true;
            Ok(())
        })
    }

    pub(crate) fn down(&self) -> Result<()> {
        world(|world| {
            world.enter("network.down")?;
            self.must_be_free(world, |machine| machine.state == "running")?;
            self.find(world)?.active = false;
            Ok(())
        })
    }

    pub(crate) fn remove(&self) -> Result<()> {
        world(|world| {
            world.enter("network.remove")?;
            self.must_be_free(world, |_| true)?;
            world.networks.remove(&self.0);
            Ok(())
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.0
    }

    pub(super) fn find<'a>(&self, world: &'a mut World) -> Result<&'a mut world::Network> {
        world.networks.get_mut(&self.0).ok_or_else(|| Fault::missing("there is no such network"))
    }

    /// Refuse while one of those machines uses the network.
    fn must_be_free(&self, world: &World, counts: impl Fn(&world::Machine) -> bool) -> Result<()> {
        let uses = |machine: &world::Machine| machine.interfaces.values().any(|nic| nic.network == self.0);
        if world.machines.values().any(|machine| counts(machine) && uses(machine)) {
            return Err(Fault::conflict("a machine uses the network"));
        }
        Ok(())
    }
}

impl world::Network {
    /// The addresses that it gives out, the lowest first; none where it gives out none of IPv4.
    pub(super) fn range(&self) -> Option<impl Iterator<Item = String> + use<>> {
        let gives = self.dhcp == Some(true) && self.bridge.is_none();
        let (address, prefix) = self.address.as_deref().filter(|_| gives)?.split_once('/')?;
        let address: Ipv4Addr = address.parse().ok()?;
        let hosts = u32::MAX.checked_shr(prefix.parse().ok()?)?;
        let name = address.to_bits() & !hosts;
        let gateway = self.gateway.as_deref().and_then(|gateway| gateway.parse().ok());
        let own = gateway.map_or(name | 1, Ipv4Addr::to_bits);
        let free = ((name | 1)..(name | hosts)).filter(move |address| *address != own);
        Some(free.map(|address| Ipv4Addr::from_bits(address).to_string()))
    }
}

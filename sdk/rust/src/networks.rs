//! Virtual networks: the capability `networks`. A network belongs to an entity; the host derives its name and bridge
//! from that entity.

use crate::fault::{Result, found};
use crate::outside::networks as outside;
use crate::subject::End;

/// What a network should be.
pub struct Plan(outside::Plan);

impl Plan {
    /// A network without addresses.
    pub fn new() -> Self {
        Self(outside::Plan::new())
    }

    /// The 802.1q id, 1 to 4094.
    #[must_use]
    pub fn vlan(self, id: u16) -> Self {
        self.0.vlan(id);
        self
    }

    /// The address of the network in CIDR notation, such as `192.168.7.0/24`.
    #[must_use]
    pub fn address(self, cidr: &str) -> Self {
        self.0.address(cidr);
        self
    }

    /// The gateway's address within it.
    #[must_use]
    pub fn gateway(self, address: &str) -> Self {
        self.0.gateway(address);
        self
    }

    /// Whether machines are given addresses by DHCP.
    #[must_use]
    pub fn dhcp(self, enabled: bool) -> Self {
        self.0.dhcp(enabled);
        self
    }

    /// The bridge of the hypervisor's host that the network is joined to, by the name that the capability offers it under
    /// (`[[offer]]` in the manifest). Its addresses are then others' to give out.
    #[must_use]
    pub fn bridge(self, name: &str) -> Self {
        self.0.bridge(name);
        self
    }

    /// A title for people who look at the hypervisor.
    #[must_use]
    pub fn title(self, text: &str) -> Self {
        self.0.title(text);
        self
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

/// The network of an entity.
pub struct Network(outside::Network);

impl Network {
    /// Define the network of an entity, or change its definition to the plan.
    pub fn define(of: End, plan: &Plan) -> Result<Self> {
        outside::Network::define(of, &plan.0).map(Self)
    }

    /// The network of an entity; 'missing' if there is none.
    pub fn open(of: End) -> Result<Self> {
        outside::Network::open(of).map(Self)
    }

    /// The network of an entity, or none.
    pub fn find(of: End) -> Result<Option<Self>> {
        found(Self::open(of))
    }

    /// Whether it carries traffic.
    pub fn active(&self) -> Result<bool> {
        self.0.active()
    }

    /// Succeeds on an active network.
    pub fn up(&self) -> Result<()> {
        self.0.up()
    }

    /// 'conflict' while a running machine uses it. Succeeds on an inactive network.
    pub fn down(&self) -> Result<()> {
        self.0.down()
    }

    /// Take it down and forget its definition; 'conflict' while a machine uses it.
    pub fn remove(&self) -> Result<()> {
        self.0.remove()
    }

    pub(crate) fn outside(&self) -> &outside::Network {
        &self.0
    }
}

//! The thread's world: what the fake hypervisor holds, what it was asked, and what it shall refuse.

use super::entities::Order;
use super::extensions::Installed;
use super::types::Entity;
use crate::http::{Request, Response};
use crate::logging::Level;
use crate::{End, Fault, Result};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// Look at the thread's world, or change it. `within` must not do so itself.
pub(super) fn world<R>(within: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(within)
}

/// A machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// One of the contract's states.
    pub state: String,
    /// Why it is in that state.
    pub reason: String,
    /// Whether its guest system hears no ACPI, so that it neither shuts down nor restarts when asked.
    pub deaf: bool,
    /// Virtual CPUs.
    pub cores: Option<u32>,
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Relative weight.
    pub shares: Option<u32>,
    /// `x86_64` or `i686`.
    pub architecture: Option<String>,
    /// The guest system's name.
    pub hostname: Option<String>,
    /// A title for people.
    pub title: Option<String>,
    /// The name of the image that its system began as.
    pub image: Option<String>,
    /// The disk for what need not last, in bytes.
    pub scratch: Option<u64>,
    /// The files that its system is told when it boots, by their names.
    pub seed: BTreeMap<String, Vec<u8>>,
    /// Where it was wanted to be.
    pub wishes: Wishes,
    /// Names of snapshots.
    pub snapshots: Vec<String>,
    /// What is attached, by the id of the link that attached it.
    pub disks: BTreeMap<String, Disk>,
    /// What is attached, by the id of the link that attached it.
    pub interfaces: BTreeMap<String, Interface>,
}

/// Where a machine is wanted to be, among several hypervisors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What the operator is to say of the hypervisor.
    pub labels: Vec<String>,
    /// The locations of entities with one of which it is to share one.
    pub near: Vec<String>,
    /// The locations of entities with none of which it is to share one.
    pub apart: Vec<String>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// In bytes.
    pub capacity: u64,
    /// `qcow2` or `raw`.
    pub format: String,
    /// The name of the image that it began as.
    pub image: Option<String>,
}

impl Volume {
    pub(super) fn new(capacity: u64, format: Option<&str>, image: Option<&str>) -> Self {
        Self { capacity, format: format.unwrap_or("qcow2").into(), image: image.map(Into::into) }
    }
}

/// A volume that is attached to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The id of the volume's entity.
    pub volume: String,
    /// Such as `vdb`.
    pub device: String,
}

/// An interface of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The id of the network's entity.
    pub network: String,
    /// Such as `eth0`.
    pub device: String,
    /// The hardware address.
    pub mac: String,
    /// The address that the network's DHCP keeps for it.
    pub address: Option<String>,
}

/// A network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Whether it carries traffic.
    pub active: bool,
    /// The 802.1q id.
    pub vlan: Option<u16>,
    /// In CIDR notation.
    pub address: Option<String>,
    /// The gateway's address.
    pub gateway: Option<String>,
    /// Whether machines are given addresses.
    pub dhcp: Option<bool>,
    /// The name of the bridge that it is joined to.
    pub bridge: Option<String>,
    /// A title for people.
    pub title: Option<String>,
}

/// What a machine uses. All but the memory is counted since it has power.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// What its CPUs have computed, all of them together.
    pub cpu_time: Duration,
    /// Memory that it has now, in bytes.
    pub memory: u64,
    /// Bytes from its disks.
    pub disk_read: u64,
    /// Bytes to its disks.
    pub disk_written: u64,
    /// Bytes that have come to its interfaces.
    pub network_received: u64,
    /// Bytes that its interfaces have sent.
    pub network_sent: u64,
}

/// Everything there is.
#[derive(Default)]
pub(super) struct World {
    /// The entity that the extension is called for now.
    pub(super) subject: Option<Entity>,
    /// Whether the hypervisor has not answered for a while.
    pub(super) is_away: bool,
    pub(super) machines: BTreeMap<String, Machine>,
    pub(super) volumes: BTreeMap<String, Volume>,
    pub(super) networks: BTreeMap<String, Network>,
    /// The names of images that were made of machines.
    pub(super) images: Vec<String>,
    /// Those that were made of volumes, and how many bytes they have.
    pub(super) volume_images: BTreeMap<String, u64>,
    /// Whether the subject comes to be in the operation.
    pub(super) is_new: bool,
    pub(super) stores: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    pub(super) config: BTreeMap<String, String>,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) counters: BTreeMap<String, u64>,
    pub(super) gauges: BTreeMap<String, f64>,
    pub(super) usages: BTreeMap<String, Usage>,
    pub(super) readings: BTreeMap<String, BTreeMap<String, f64>>,
    pub(super) extensions: Vec<Installed>,
    /// Those that the extension sees beside the one that it is called for.
    pub(super) entities: Vec<Entity>,
    /// The links that the call wants to be made and ended.
    pub(super) orders: Vec<Order>,
    /// Who answers requests by HTTP.
    pub(super) server: Option<fn(&Request) -> Result<Response>>,
    pub(super) requests: Vec<Request>,
    /// Since 1970.
    pub(super) time: Duration,
    pub(super) random: u64,
    pub(super) calls: Vec<String>,
    pub(super) log: Vec<(Level, String)>,
    pub(super) faults: Vec<(String, Fault)>,
    names: u32,
}

impl World {
    /// A name that nothing else in this world has.
    pub(super) fn next(&mut self) -> String {
        self.names += 1;
        format!("00000000-0000-4000-8000-{:012}", self.names)
    }

    /// Take note of a call, and fail it where the test asks for that.
    pub(super) fn enter(&mut self, call: &str) -> Result<()> {
        self.calls.push(call.into());
        self.question(call)
    }

    /// A call that changes nothing: it may fail, and leaves no note.
    pub(super) fn question(&mut self, call: &str) -> Result<()> {
        match self.faults.iter().position(|(planned, _)| planned == call) {
            Some(planned) => Err(self.faults.remove(planned).1),
            None => Ok(()),
        }
    }

    /// The id of the entity at that end.
    pub(super) fn id(&self, of: End) -> Result<String> {
        let subject = self.subject.as_ref().ok_or_else(|| Fault::denied("no call is under way"))?;
        let location = match of {
            End::Subject => return Ok(subject.id.clone()),
            End::Source => subject.source.as_deref(),
            End::Target => subject.target.as_deref(),
        };
        let location =
            location.ok_or_else(|| Fault::invalid("the subject is no link, so it has no such end"))?;
        Ok(location.rsplit('/').next().unwrap_or_default().into())
    }
}

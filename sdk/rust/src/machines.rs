//! Virtual machines: the capability `machines`. A machine belongs to an entity; the host derives its name from that
//! entity, so that an extension can reach no other.

use crate::entities::Entity;
use crate::fault::{Result, found};
use crate::networks::Network;
use crate::outside::machines as outside;
use crate::subject::End;
use crate::volumes::Volume;
use std::time::Duration;

/// What a machine should be. What is not set takes the operator's default.
pub struct Plan(outside::Plan);

impl Plan {
    /// All by the operator's defaults.
    pub fn new() -> Self {
        Self(outside::Plan::new())
    }

    /// Virtual CPUs.
    #[must_use]
    pub fn cores(self, count: u32) -> Self {
        self.0.cores(count);
        self
    }

    /// Memory in bytes.
    #[must_use]
    pub fn memory(self, bytes: u64) -> Self {
        self.0.memory(bytes);
        self
    }

    /// The weight in the hypervisor's CPU scheduling, relative to other machines.
    #[must_use]
    pub fn shares(self, weight: u32) -> Self {
        self.0.shares(weight);
        self
    }

    /// `x86_64` or `i686`.
    #[must_use]
    pub fn architecture(self, name: &str) -> Self {
        self.0.architecture(name);
        self
    }

    /// The fully qualified name that the guest system should use.
    #[must_use]
    pub fn hostname(self, name: &str) -> Self {
        self.0.hostname(name);
        self
    }

    /// A title for people who look at the hypervisor.
    #[must_use]
    pub fn title(self, text: &str) -> Self {
        self.0.title(text);
        self
    }

    /// The image that its system begins as ([`crate::images`]): on a disk of its own, which goes with it. On a machine that
    /// began as another one it begins anew; that is 'conflict' unless the machine is off. Left out, it keeps what it has.
    #[must_use]
    pub fn image(self, name: &str) -> Self {
        self.0.image(name);
        self
    }

    /// A disk for what need not last, of so many bytes at least; it goes with the machine. It grows, and does not shrink.
    #[must_use]
    pub fn scratch(self, bytes: u64) -> Self {
        self.0.scratch(bytes);
        self
    }

    /// Where there are several hypervisors: it is to be at one of which the operator says all of these. This, [`Plan::near`] and
    /// [`Plan::apart`] hold where the machine comes to be. One that is there moves where it is at another and is off; else they are
    /// 'conflict'.
    #[must_use]
    pub fn labels<L: Into<String>>(self, labels: impl IntoIterator<Item = L>) -> Self {
        let labels: Vec<String> = labels.into_iter().map(L::into).collect();
        self.0.labels(&labels);
        self
    }

    /// It is to be at the hypervisor of another entity's machine, volume or network: of one of those that are named.
    #[must_use]
    pub fn near(self, other: &Entity) -> Self {
        self.0.near(other.outside());
        self
    }

    /// It is not to be at the hypervisor of that entity's.
    #[must_use]
    pub fn apart(self, other: &Entity) -> Self {
        self.0.apart(other.outside());
        self
    }

    /// A file of at most 1 MiB on a small disk with the label `cidata`, to be read only: where cloud-init looks for what a
    /// machine is to be. From its next start on the machine has the files that are given; where none is, no such disk.
    #[must_use]
    pub fn seed(self, name: &str, content: &[u8]) -> Self {
        self.0.seed(name, content);
        self
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

/// What a machine does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Its CPUs run.
    Running,
    /// Its CPUs are stopped and its memory is in place.
    Paused,
    /// Its memory is on disk.
    Saved,
    /// It is switched off.
    Off,
    /// It broke down.
    Crashed,
    /// A state that a later version of the contract adds.
    Other(String),
}

/// A network interface of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// The device's name as the machine sees it, such as `eth0`.
    pub device: String,
    /// The hardware address, such as `52:54:00:12:34:56`.
    pub mac: String,
}

/// The machine of an entity.
pub struct Machine(outside::Machine);

impl Machine {
    /// Define the machine of an entity, or change its definition to the plan. A machine that is defined already
    /// keeps its state and what is attached to it.
    pub fn define(of: End, plan: &Plan) -> Result<Self> {
        outside::Machine::define(of, &plan.0).map(Self)
    }

    /// The machine of an entity; 'missing' if there is none.
    pub fn open(of: End) -> Result<Self> {
        outside::Machine::open(of).map(Self)
    }

    /// The machine of an entity, or none.
    pub fn find(of: End) -> Result<Option<Self>> {
        found(Self::open(of))
    }

    /// Destroy the machine of an entity, and all that was made for it; volumes that are attached stay. Succeeds where there
    /// is none.
    pub fn discard(of: End) -> Result<()> {
        outside::Machine::discard(of)
    }

    /// Whether nobody knows what the machine of an entity does: the hypervisor that it may be at has not answered for some
    /// seconds. The entity is observed when that begins, and when it is over.
    pub fn is_away(of: End) -> bool {
        outside::Machine::is_away(of)
    }

    /// The operator's name for the hypervisor that it is at.
    pub fn node(&self) -> Result<String> {
        self.0.node()
    }

    /// The disk for what need not last as the machine sees it, such as `vdb`; none where it has none.
    pub fn scratch(&self) -> Result<Option<String>> {
        self.0.scratch()
    }

    /// What it does.
    pub fn state(&self) -> Result<State> {
        Ok(match self.0.state()?.as_str() {
            "running" => State::Running,
            "paused" => State::Paused,
            "saved" => State::Saved,
            "off" => State::Off,
            "crashed" => State::Crashed,
            other => State::Other(other.into()),
        })
    }

    /// Why it is in that state, in the hypervisor's words, such as `destroyed`.
    pub fn reason(&self) -> Result<String> {
        self.0.reason()
    }

    /// Start, resume or restore, whichever leads to [`State::Running`]. Succeeds on a running machine.
    pub fn start(&self) -> Result<()> {
        self.0.start()
    }

    /// Ask the guest system by ACPI to shut down and wait until it is off; 'timeout' after that time, counted in
    /// milliseconds. Succeeds on a machine that is off.
    pub fn shutdown(&self, wait: Duration) -> Result<()> {
        self.0.shutdown(crate::milliseconds(wait))
    }

    /// Take the power away. Succeeds on a machine that is off.
    pub fn power_off(&self) -> Result<()> {
        self.0.power_off()
    }

    /// Ask the guest system by ACPI to restart.
    pub fn reboot(&self) -> Result<()> {
        self.0.reboot()
    }

    /// The same, and wait until the machine begins anew; 'timeout' after that time, counted in milliseconds.
    pub fn restart(&self, wait: Duration) -> Result<()> {
        self.0.restart(crate::milliseconds(wait))
    }

    /// Press the reset button.
    pub fn reset(&self) -> Result<()> {
        self.0.reset()
    }

    /// Stop the CPUs and keep the memory in place.
    pub fn pause(&self) -> Result<()> {
        self.0.pause()
    }

    /// Write the memory to disk and stop.
    pub fn save(&self) -> Result<()> {
        self.0.save()
    }

    /// Keep the present state of the machine and its disks under a name. An older one of that name gives way.
    pub fn snapshot(&self, name: &str) -> Result<()> {
        self.0.snapshot(name)
    }

    /// Attach a volume for the subject of the call: the device's name as the machine sees it, such as `vdb`.
    /// Attaching what is attached already answers its device.
    pub fn attach_volume(&self, volume: &Volume) -> Result<String> {
        self.0.attach_volume(volume.outside())
    }

    /// Succeeds where the volume is not attached.
    pub fn detach_volume(&self, volume: &Volume) -> Result<()> {
        self.0.detach_volume(volume.outside())
    }

    /// Attach an interface to a network for the subject of the call, with that hardware address or one that the
    /// host makes. Attaching what is attached already answers the interface.
    pub fn attach_network(&self, network: &Network, mac: Option<&str>) -> Result<Nic> {
        let nic = self.0.attach_network(network.outside(), mac)?;
        Ok(Nic { device: nic.device(), mac: nic.mac() })
    }

    /// Have the network's DHCP keep an address for the interface of the subject of the call; none for none any more, as
    /// does [`Self::detach_network`]. 'invalid' where it is not a host's in the network, 'conflict' where another interface
    /// or the network itself has it. Does nothing on a network without IPv4 addresses, or with an address of IPv6: the
    /// guest system has to take it by itself.
    pub fn reserve_address(&self, network: &Network, address: Option<&str>) -> Result<()> {
        self.0.reserve_address(network.outside(), address)
    }

    /// The same with an address that the host chooses, of those that the network gives out: the lowest that nobody has. One that
    /// is kept already for the interface stays, so that asking again answers the same. None, and nothing is kept anew, where
    /// the network gives out no addresses of IPv4; 'conflict' where none is free.
    pub fn give_address(&self, network: &Network) -> Result<Option<String>> {
        self.0.give_address(network.outside())
    }

    /// Take away the interface of the subject of the call. Succeeds where there is none.
    pub fn detach_network(&self, network: &Network) -> Result<()> {
        self.0.detach_network(network.outside())
    }

    /// Destroy the machine and forget its definition; volumes stay.
    pub fn remove(&self) -> Result<()> {
        self.0.remove()
    }

    pub(crate) fn outside(&self) -> &outside::Machine {
        &self.0
    }
}

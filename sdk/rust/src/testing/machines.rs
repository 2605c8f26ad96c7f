//! The fake of the capability `machines`.

use super::networks::Network;
use super::types::Entity;
use super::volumes::Volume;
use super::world::{self, Disk, Interface, World, world};
use crate::{End, Fault, Result};
use std::cell::RefCell;

/// What a machine should be, gathered in the form of the machine itself.
pub(crate) struct Plan(RefCell<world::Machine>);

impl Plan {
    pub(crate) fn new() -> Self {
        Self(RefCell::default())
    }

    pub(crate) fn cores(&self, count: u32) {
        self.0.borrow_mut().cores = Some(count);
    }

    pub(crate) fn memory(&self, bytes: u64) {
        self.0.borrow_mut().memory = Some(bytes);
    }

    pub(crate) fn shares(&self, weight: u32) {
        self.0.borrow_mut().shares = Some(weight);
    }

    pub(crate) fn architecture(&self, name: &str) {
        self.0.borrow_mut().architecture = Some(name.into());
    }

    pub(crate) fn hostname(&self, name: &str) {
        self.0.borrow_mut().hostname = Some(name.into());
    }

    pub(crate) fn title(&self, text: &str) {
        self.0.borrow_mut().title = Some(text.into());
    }

    pub(crate) fn image(&self, name: &str) {
        self.0.borrow_mut().image = Some(name.into());
    }

    pub(crate) fn scratch(&self, bytes: u64) {
        self.0.borrow_mut().scratch = Some(bytes);
    }

    pub(crate) fn labels(&self, labels: &[String]) {
        self.0.borrow_mut().wishes.labels.extend_from_slice(labels);
    }

    pub(crate) fn near(&self, other: &Entity) {
        self.0.borrow_mut().wishes.near.push(other.location());
    }

    pub(crate) fn apart(&self, other: &Entity) {
        self.0.borrow_mut().wishes.apart.push(other.location());
    }

    pub(crate) fn seed(&self, name: &str, content: &[u8]) {
        self.0.borrow_mut().seed.insert(name.into(), content.into());
    }
}

pub(crate) struct Nic(Interface);

impl Nic {
    pub(crate) fn device(&self) -> String {
        self.0.device.clone()
    }

    pub(crate) fn mac(&self) -> String {
        self.0.mac.clone()
    }
}

/// The machine of the entity with that id.
pub(crate) struct Machine(String);

impl Machine {
    pub(crate) fn define(of: End, plan: &Plan) -> Result<Self> {
        world(|world| {
            world.enter("machine.define")?;
            let id = world.id(of)?;
            let old = world.machines.remove(&id).unwrap_or_else(|| world::Machine {
                state: "off".into(),
                reason: "unknown".into(),
                ..world::Machine::default()
            });
            let plan = plan.0.borrow();
            if plan.image.is_some() && plan.image != old.image && old.state != "off" {
                world.machines.insert(id, old);
                return Err(Fault::conflict("the machine's system is in use: stop the machine first"));
            }
            let new = world::Machine {
                image: plan.image.clone().or(old.image),
                scratch: plan.scratch.max(old.scratch),
                seed: plan.seed.clone(),
                cores: plan.cores,
                memory: plan.memory,
                shares: plan.shares,
                architecture: plan.architecture.clone(),
                hostname: plan.hostname.clone(),
                title: plan.title.clone(),
                wishes: if plan.wishes == world::Wishes::default() {
                    old.wishes
                } else {
                    plan.wishes.clone()
                },
                ..old
            };
            world.machines.insert(id.clone(), new);
            Ok(Self(id))
        })
    }

    pub(crate) fn open(of: End) -> Result<Self> {
        world(|world| {
            world.question("machine.open")?;
            let machine = Self(world.id(of)?);
            machine.find(world)?;
            Ok(machine)
        })
    }

    pub(crate) fn discard(of: End) -> Result<()> {
        world(|world| {
            world.enter("machine.discard")?;
            let id = world.id(of)?;
            world.machines.remove(&id);
            Ok(())
        })
    }

    pub(crate) fn is_away(_of: End) -> bool {
        world(|world| world.is_away)
    }

    pub(crate) fn node(&self) -> Result<String> {
        world(|world| {
            world.question("machine.node")?;
            self.find(world)?;
            Ok("default".into())
        })
    }

    pub(crate) fn scratch(&self) -> Result<Option<String>> {
        world(|world| {
            world.question("machine.scratch")?;
            Ok(self.find(world)?.scratch.map(|_| "vda".to_owned()))
        })
    }

    pub(crate) fn state(&self) -> Result<String> {
        world(|world| {
            world.question("machine.state")?;
            Ok(self.find(world)?.state.clone())
        })
    }

    pub(crate) fn reason(&self) -> Result<String> {
        world(|world| {
            world.question("machine.reason")?;
            Ok(self.find(world)?.reason.clone())
        })
    }

    pub(crate) fn start(&self) -> Result<()> {
        self.alter("machine.start", |machine| {
            machine.turn(match machine.state.as_str() {
                "running" => return Ok(()),
                "paused" => ("running", "unpaused"),
                "saved" => ("running", "restored"),
                _ => ("running", "booted"),
            })
        })
    }

    pub(crate) fn shutdown(&self, wait_ms: u64) -> Result<()> {
        self.alter("machine.shutdown", |machine| match machine.state.as_str() {
            "off" => Ok(()),
            "running" if machine.deaf => Err(Fault::timeout(format!("still running after {wait_ms} ms"))),
            "running" => machine.turn(("off", "shutdown")),
            other => Err(Fault::conflict(format!("a machine that is {other} cannot shut down"))),
        })
    }

    pub(crate) fn power_off(&self) -> Result<()> {
        self.alter("machine.power-off", |machine| match machine.state.as_str() {
            "off" => Ok(()),
            _ => machine.turn(("off", "destroyed")),
        })
    }

    pub(crate) fn reboot(&self) -> Result<()> {
        self.alter("machine.reboot", |machine| machine.must_run())
    }

    pub(crate) fn restart(&self, wait_ms: u64) -> Result<()> {
        self.alter("machine.restart", |machine| {
            machine.must_run()?;
            if machine.deaf {
                return Err(Fault::timeout(format!("not restarted after {wait_ms} ms")));
            }
            machine.turn(("running", "booted"))
        })
    }

    pub(crate) fn reset(&self) -> Result<()> {
        self.alter("machine.reset", |machine| machine.must_run())
    }

    pub(crate) fn pause(&self) -> Result<()> {
        self.alter("machine.pause", |machine| match machine.state.as_str() {
            "paused" => Ok(()),
            _ => {
                machine.must_run()?;
                machine.turn(("paused", "user"))
            }
        })
    }

    pub(crate) fn save(&self) -> Result<()> {
        self.alter("machine.save", |machine| match machine.state.as_str() {
            "saved" => Ok(()),
            "paused" => machine.turn(("saved", "saved")),
            _ => {
                machine.must_run()?;
                machine.turn(("saved", "saved"))
            }
        })
    }

    pub(crate) fn snapshot(&self, name: &str) -> Result<()> {
        self.alter("machine.snapshot", |machine| {
            machine.snapshots.retain(|older| older != name);
            machine.snapshots.push(name.into());
            Ok(())
        })
    }

    pub(crate) fn attach_volume(&self, volume: &Volume) -> Result<String> {
        world(|world| {
            world.enter("machine.attach-volume")?;
            let link = world.id(End::Subject)?;
            let machine = self.find(world)?;
            if let Some(disk) = machine.disks.get(&link) {
                return Ok(disk.device.clone());
            }
            // 'vda' is the disk that a system boots from.
            let device =
                free("vd", 'b'..='z', |device| machine.disks.values().any(|disk| disk.device == device))?;
            machine.disks.insert(link, Disk { volume: volume.id().into(), device: device.clone() });
            Ok(device)
        })
    }

    pub(crate) fn detach_volume(&self, _volume: &Volume) -> Result<()> {
        world(|world| {
            world.enter("machine.detach-volume")?;
            let link = world.id(End::Subject)?;
            self.find(world)?.disks.remove(&link);
            Ok(())
        })
    }

    pub(crate) fn attach_network(&self, network: &Network, mac: Option<&str>) -> Result<Nic> {
        world(|world| {
            world.enter("machine.attach-network")?;
            let link = world.id(End::Subject)?;
            let machine = self.find(world)?;
            if let Some(interface) = machine.interfaces.get(&link) {
                return Ok(Nic(interface.clone()));
            }
            let device =
                free("eth", '0'..='9', |device| machine.interfaces.values().any(|nic| nic.device == device))?;
            let interface = Interface {
                network: network.id().into(),
                mac: mac
                    .map_or_else(|| format!("52:54:00:00:00:{:02x}", machine.interfaces.len()), Into::into),
                device,
                address: None,
            };
            machine.interfaces.insert(link, interface.clone());
            Ok(Nic(interface))
        })
    }

    pub(crate) fn reserve_address(&self, network: &Network, address: Option<&str>) -> Result<()> {
        world(|world| {
            world.enter("machine.reserve-address")?;
            let link = world.id(End::Subject)?;
            let is_others = |(other, interface): (&String, &Interface)| {
                *other != link && interface.network == network.id() && interface.address.as_deref() == address
            };
            let mut interfaces = world.machines.values().flat_map(|machine| &machine.interfaces);
            if address.is_some() && interfaces.any(is_others) {
                return Err(Fault::conflict("another interface has the address"));
            }
            let interface = self.find(world)?.interfaces.get_mut(&link);
            let interface = interface.ok_or_else(|| Fault::missing("the machine has no such interface"))?;
            interface.address = address.map(Into::into);
            Ok(())
        })
    }

    pub(crate) fn give_address(&self, network: &Network) -> Result<Option<String>> {
        world(|world| {
            world.enter("machine.give-address")?;
            let link = world.id(End::Subject)?;
            let Some(mut range) = network.find(world)?.range() else { return Ok(None) };
            let interfaces = world.machines.values().flat_map(|machine| &machine.interfaces);
            let others = interfaces.filter(|(other, nic)| **other != link && nic.network == network.id());
            let taken: Vec<_> = others.filter_map(|(_, nic)| nic.address.clone()).collect();
            let interface = self.find(world)?.interfaces.get_mut(&link);
            let interface = interface.ok_or_else(|| Fault::missing("the machine has no such interface"))?;
            if interface.address.is_none() {
                let free = range.find(|address| !taken.contains(address));
                let full = || Fault::conflict("the network has no free address");
                interface.address = Some(free.ok_or_else(full)?);
            }
            Ok(interface.address.clone())
        })
    }

    pub(crate) fn detach_network(&self, _network: &Network) -> Result<()> {
        world(|world| {
            world.enter("machine.detach-network")?;
            let link = world.id(End::Subject)?;
            self.find(world)?.interfaces.remove(&link);
            Ok(())
        })
    }

    pub(crate) fn remove(&self) -> Result<()> {
        world(|world| {
            world.enter("machine.remove")?;
            world.machines.remove(&self.0);
            Ok(())
        })
    }

    fn alter(&self, call: &str, alter: impl FnOnce(&mut world::Machine) -> Result<()>) -> Result<()> {
        world(|world| {
            world.enter(call)?;
            alter(self.find(world)?)
        })
    }

    pub(super) fn find<'a>(&self, world: &'a mut World) -> Result<&'a mut world::Machine> {
        world.machines.get_mut(&self.0).ok_or_else(|| Fault::missing("there is no such machine"))
    }
}

impl world::Machine {
    #[allow(clippy::unnecessary_wraps, reason = "the last step of calls that can fail")]
    fn turn(&mut self, (state, reason): (&str, &str)) -> Result<()> {
        self.state = state.into();
        self.reason = reason.into();
        Ok(())
    }

    fn must_run(&self) -> Result<()> {
        match self.state.as_str() {
            "running" => Ok(()),
            other => Err(Fault::conflict(format!("the machine is {other}, not running"))),
        }
    }
}

/// The first device name that is not taken.
fn free(
    prefix: &str,
    mut suffixes: impl Iterator<Item = char>,
    taken: impl Fn(&str) -> bool,
) -> Result<String> {
    suffixes
        .find_map(|suffix| Some(format!("{prefix}{suffix}")).filter(|device| !taken(device)))
        .ok_or_else(|| Fault::conflict("the machine has no room for another device"))
}

//! The fake of the capability `metrics`. Which names the manifest declares it does not know.

use super::world::{self, world};
use crate::{End, Fault, Result};

pub(crate) fn count(name: &str, by: u64) -> Result<()> {
    world(|world| {
        world.question("metrics.count")?;
        let counter = world.counters.entry(name.into()).or_default();
        *counter = counter.wrapping_add(by);
        Ok(())
    })
}

pub(crate) fn gauge(name: &str, value: f64) -> Result<()> {
    world(|world| {
        world.question("metrics.gauge")?;
        if !value.is_finite() {
            return Err(Fault::invalid(format!("the gauge {name} is set to {value}, which is no figure")));
        }
        world.gauges.insert(name.into(), value);
        Ok(())
    })
}

/// As in the contract.
pub(crate) struct Reading {
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// Those which the test has set.
pub(crate) fn readings(of: End) -> Result<Vec<Reading>> {
    world(|world| {
        world.question("metrics.readings")?;
        let id = world.id(of)?;
        let machine = world.machines.get(&id);
        let is_attached = of == End::Subject
            && world
                .machines
                .values()
                .any(|machine| machine.disks.contains_key(&id) || machine.interfaces.contains_key(&id));
        let set = world.readings.get(&id);
        if machine.is_none() && !is_attached && set.is_none() {
            return Err(Fault::missing("there is no such machine, and no such device"));
        }
        let set = set.filter(|_| machine.is_none_or(has_power)).into_iter().flatten();
        Ok(set.map(|(name, value)| Reading { name: name.clone(), value: *value }).collect())
    })
}

fn has_power(machine: &world::Machine) -> bool {
    matches!(&*machine.state, "running" | "paused")
}

pub(crate) struct Usage(world::Usage);

impl Usage {
    /// That which the test has set. A machine that is not the extension's own is known by that alone.
    pub(crate) fn read(of: End) -> Result<Self> {
        world(|world| {
            world.question("metrics.read")?;
            let id = world.id(of)?;
            let machine = world.machines.get(&id);
            let used = world.usages.get(&id);
            if machine.is_none() && used.is_none() {
                return Err(Fault::missing("there is no such machine"));
            }
            Ok(Self(used.filter(|_| machine.is_none_or(has_power)).cloned().unwrap_or_default()))
        })
    }

    pub(crate) fn cpu_time(&self) -> u64 {
        crate::milliseconds(self.0.cpu_time)
    }

    pub(crate) fn memory(&self) -> u64 {
        self.0.memory
    }

    pub(crate) fn disk_read(&self) -> u64 {
        self.0.disk_read
    }

    pub(crate) fn disk_written(&self) -> u64 {
        self.0.disk_written
    }

    pub(crate) fn network_received(&self) -> u64 {
        self.0.network_received
    }

    pub(crate) fn network_sent(&self) -> u64 {
        self.0.network_sent
    }
}

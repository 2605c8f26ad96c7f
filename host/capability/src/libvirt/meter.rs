//! What a machine uses, in figures.

use std::time::Duration;

use virt::domain::Domain;

use super::device::Devices;
use super::error::{Error, Result};
use super::machine::{self, Machine};
use super::worker::{Hold, Lane};

/// What a machine uses. All but the memory is counted since it has power.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

impl Machine {
    /// What it uses: nothing where it has no power.
    pub async fn usage(&self) -> Result<Usage> {
        let entity = self.entity;
        self.call(Lane::Short, Hold::Nothing, move |live| read(&machine::find(live, entity)?)).await
    }
}

fn read(domain: &Domain) -> Result<Usage> {
    // The test driver, and QEMU for the memory, have figures of a machine without power, too.
    if !domain.is_active()? {
        return Ok(Usage::default());
    }
    let info = domain.get_info()?;
    let mut usage = Usage {
        cpu_time: Duration::from_nanos(info.cpu_time),
        memory: info.memory.saturating_mul(1 << 10),
        ..Usage::default()
    };
    for device in Devices::running(domain)?.all() {
        // Of a file system neither is there, and an interface has a target as well.
        if let Some(mac) = &device.mac {
            if let Some(stats) = counted(domain.interface_stats(mac))? {
                add(&mut usage.network_received, stats.rx_bytes);
                add(&mut usage.network_sent, stats.tx_bytes);
            }
        } else if let Some(target) = &device.target
            && let Some(stats) = counted(domain.get_block_stats(target))?
        {
            add(&mut usage.disk_read, stats.rd_bytes);
            add(&mut usage.disk_written, stats.wr_bytes);
        }
    }
    Ok(usage)
}

/// What libvirt has counted of a device; nothing of one that went while we looked, or that it cannot count.
fn counted<T>(answer: Result<T, virt::error::Error>) -> Result<Option<T>> {
    match answer.map_err(Error::from) {
        Ok(stats) => Ok(Some(stats)),
        Err(error @ (Error::Unavailable(_) | Error::Timeout(_))) => Err(error),
        Err(error) => {
            tracing::debug!(%error, "a device has no figures");
            Ok(None)
        }
    }
}

/// libvirt has -1 for what it does not know.
fn add(sum: &mut u64, bytes: i64) {
    *sum = sum.saturating_add(u64::try_from(bytes).unwrap_or(0));
}

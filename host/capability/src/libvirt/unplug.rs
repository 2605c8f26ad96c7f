//! Devices that leave a machine while it runs: its guest system is asked to let them go, and may take its time or never do it.
//!
//! `virt` asks and waits in one call, which would keep others from the hypervisor meanwhile; so this file calls libvirt's C
//! function that only asks, and looks again until the device is gone.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use uuid::Uuid;
use virt::domain::Domain;
use virt::error::Error as Refused;
use virt::sys;

use super::connection::Driver;
use super::device::{Device, Devices};
use super::error::{Error, Result};
use super::machine::{Machine, find};
use super::saved;
use super::worker::{Hold, Lane};

/// How long a guest system may take. One that works needs a fraction of a second.
const LET_GO: Duration = Duration::from_secs(10);

/// How often it is looked whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Machine {
    /// Have the machine, where it runs, let go what was attached for an entity, if that is what is `meant`. `conflict` where
    /// its guest system does not, or cannot as it is suspended.
    pub(super) async fn unplug(
        &self,
        attachment: Uuid,
        meant: impl Fn(&Device) -> bool + Send + 'static,
    ) -> Result<()> {
        let entity = self.entity;
        // With the time that it takes to be asked: a call of an extension has an end.
        let end = Instant::now() + LET_GO;
        let asked = self
            .call(Lane::Long, Hold::Entity(entity), move |live| match live.driver {
                Driver::Test => Ok(false),
                Driver::Qemu => ask(&find(live, entity)?, attachment, &meant),
            })
            .await?;
        if !asked {
            return Ok(());
        }
        loop {
            sleep(LOOK_AGAIN).await;
            let gone = move |domain: &Domain| -> Result<bool> {
                Ok(!domain.is_active()? || Devices::running(domain)?.of(attachment).is_none())
            };
            if self.call(Lane::Short, Hold::Nothing, move |live| gone(&find(live, entity)?)).await? {
                return Ok(());
            }
            if Instant::now() >= end {
                // Not a time-out, which would be the hypervisor's.
                return Err(Error::Conflict(
                    "the guest system does not let the device go: try again, or stop the machine first"
                        .into(),
                ));
            }
        }
    }

    /// Plug into a machine that was just restored, and is as it was when it was saved, what was attached since.
    pub(super) async fn settle(&self) -> Result<()> {
        let (entity, handovers) = (self.entity, self.hypervisor.handovers().clone());
        let plug = self.call(Lane::Long, Hold::Entity(entity), move |live| {
            let domain = find(live, entity)?;
            let (defined, running) = (Devices::defined(&domain)?, Devices::running(&domain)?);
            let has = |volume: &&str| running.volumes().any(|has| has == *volume);
            let volumes: Vec<_> = defined.volumes().filter(|volume| !has(volume)).collect();
            let (handover, mut settled) = match handovers.take(live, entity, volumes.iter().copied()) {
                Ok(handover) => (Some(handover), Ok(())),
                Err(refused) => (None, Err(refused)),
            };
            for device in defined.lacking_in(&running) {
                if handover.is_none() && volumes.iter().any(|volume| device.contains(volume)) {
                    continue;
                }
                // One that cannot be plugged keeps none of the others out.
                let plugged = domain.attach_device_flags(&device, sys::VIR_DOMAIN_AFFECT_LIVE);
                settled = settled.and(plugged.map(drop).map_err(Error::from));
            }
            settled
        });
        plug.await
    }
}

/// Asks a guest system to let a device go; false where the machine is without it.
fn ask(domain: &Domain, attachment: Uuid, meant: impl Fn(&Device) -> bool) -> Result<bool> {
    if !domain.is_active()? {
        // It would be back with the memory; with one that cannot be read nothing comes back.
        let is_kept = domain.has_managed_save(0)?
            && saved::description(domain)
                .and_then(Devices::read)
                .is_ok_and(|saved| saved.of(attachment).is_some_and(meant));
        return if is_kept {
            Err(Error::Conflict("the machine is saved with the device: start it first".into()))
        } else {
            Ok(false)
        };
    }
    let devices = Devices::running(domain)?;
    let Some(device) = devices.of(attachment).filter(|device| meant(device)) else { return Ok(false) };
    let silent = match domain.get_state()?.0 {
        sys::VIR_DOMAIN_PAUSED => Some("is paused"),
        sys::VIR_DOMAIN_CRASHED => Some("has crashed"),
        _ => None,
    };
    if let Some(silent) = silent {
        return Err(Error::Conflict(format!(
            "the machine {silent}, and its guest system lets no device go: start it first"
        )));
    }
    let alias = CString::new(device.alias()).map_err(|_| Error::Failed("an alias holds a NUL".into()))?;
    // SAFETY: the domain is alive as long as it is borrowed, and the alias is a C string that libvirt only reads.
    let answer = unsafe {
        sys::virDomainDetachDeviceAlias(domain.as_ptr(), alias.as_ptr(), sys::VIR_DOMAIN_AFFECT_LIVE)
    };
    if answer >= 0 {
        return Ok(true);
    }
    let refused = Refused::last_error();
    // QEMU has no code for it. Whoever asked before went away before the guest system answered.
    if refused.message().contains("already in the process of unplug") {
        Ok(true)
    } else {
        Err(refused.into())
    }
}

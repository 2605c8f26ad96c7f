//! Volumes of machines that start or are saved. QEMU locks them for those alone that have power; but the memory of one that is
//! saved knows what is in its volumes, so nobody else may write to them until it is back.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;
use virt::sys;

use super::connection::{Driver, Live};
use super::device::Devices;
use super::error::{Error, Result};
use super::{name, saved};

/// So long a worker waits at most for another machine's: most are over by then, and others want to be served, too.
const PATIENCE: Duration = Duration::from_secs(2);

/// The volumes, by name, of machines that are being started or saved, or get one while they run.
#[derive(Debug, Clone, Default)]
pub(super) struct Handovers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    volumes: Mutex<HashSet<String>>,
    /// Told when one has ended.
    ended: Condvar,
}

/// For as long as it is there, nobody else comes to have these volumes, or gives them up.
#[derive(Debug)]
pub(super) struct Handover {
    all: Handovers,
    own: Vec<String>,
}

impl Handovers {
    /// Begins it, as for a machine that is saved. 'conflict' where another one has begun with one of these volumes, and is not
    /// done with it soon.
    pub(super) fn begin<'a>(&self, live: &Live, volumes: impl Iterator<Item = &'a str>) -> Result<Handover> {
        let own: HashSet<String> = match live.driver {
            Driver::Test => HashSet::new(),
            Driver::Qemu => volumes.map(str::to_owned).collect(),
        };
        let is_taken = |all: &mut HashSet<String>| own.iter().any(|volume| all.contains(volume));
        let waited = self.0.ended.wait_timeout_while(self.all(), PATIENCE, is_taken);
        let (mut all, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(Error::Conflict(
                "a volume is in use by another machine that is just being started or saved, or is just being copied: try again"
                    .into(),
            ));
        }
        all.extend(own.iter().cloned());
        Ok(Handover { all: self.clone(), own: own.into_iter().collect() })
    }

    /// The same for a machine that comes to use them. 'conflict' also where another one was saved with one.
    pub(super) fn take<'a>(
        &self,
        live: &Live,
        machine: Uuid,
        volumes: impl Iterator<Item = &'a str>,
    ) -> Result<Handover> {
        let handover = self.begin(live, volumes)?;
        if !handover.own.is_empty() {
            handover.check_not_saved(live, machine)?;
        }
        Ok(handover)
    }

    fn all(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.volumes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handover {
    fn check_not_saved(&self, live: &Live, machine: Uuid) -> Result<()> {
        let machine = name::of(machine);
        for domain in live.connect.list_all_domains(sys::VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)? {
            if domain.get_name().is_ok_and(|name| name == machine) {
                continue;
            }
            // It was restored, or went, while we looked.
            let Ok(saved) = saved::description(&domain) else { continue };
            if !self.own.iter().any(|volume| saved.contains(volume)) {
                continue;
            }
            let devices = Devices::read(saved)?;
            if devices.volumes().any(|volume| self.own.iter().any(|own| own == volume)) {
                return Err(Error::Conflict(
                    "a volume of the machine is in use by another one that is saved: start that one first, or delete it"
                        .into(),
                ));
            }
        }
        Ok(())
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        let mut all = self.all.all();
        for volume in &self.own {
            all.remove(volume);
        }
        self.all.0.ended.notify_all();
    }
}

//! A machine that runs goes to another hypervisor, and goes on there: QEMU copies its memory and, where the hypervisors do not have
//! the same volumes, its disks, while it runs. QEMU at the one connects to QEMU at the other.

use uuid::Uuid;
use virt::domain::MigrateParameters;
use virt::sys;

use super::carry;
use super::connection::{Driver, Live};
use super::error::{Error, Result};
use super::load::{Load, say};
use super::machine::{Machine, State, find, state};
use super::own_disk::{self, Own};
use super::relocate::Moved;
use super::side::Side;
use super::volume::Place;
use super::worker::Lane;
use super::{Hypervisor, name};

impl Machine {
    /// Has the machine be at another hypervisor, with its disks, the volumes that are attached to it, and the networks that it alone is
    /// attached to; what has moved is answered. One that runs goes on running, one that is off is carried. `reached_at` is where
    /// QEMU there is reached, as `tcp://10.0.0.2`, or a folder of both hosts as `unix:///run/occi`; left out, by its host's name.
    /// 'conflict' where it shares a network with others, unless it may go `alone`: then that is at both for a while.
    pub async fn migrate_to(
        &self,
        other: &Hypervisor,
        reached_at: Option<&str>,
        alone: bool,
    ) -> Result<Moved> {
        match self.state().await? {
            State::Off | State::Crashed => return self.carry_to(other, u64::MAX, alone).await,
            State::Running | State::Paused => {}
            State::Saved => {
                return Err(Error::Conflict("the machine is saved: start it first, or power it off".into()));
            }
        }
        let (entity, here, there) = (self.entity, self.hypervisor.clone(), other.clone());
        let parameters = parameters(entity, reached_at);
        let (hold, goes_along) = self.with_what_goes_along().await?;
        let work = move |live: &Live| {
            if live.driver == Driver::Test {
                return Err(Error::Unsupported(
                    "libvirt's test driver migrates no machine that runs: stop it first".into(),
                ));
            }
            let domain = find(live, entity)?;
            if state(&domain)? == State::Off {
                return Err(Error::Conflict("the machine has just stopped: try again".into()));
            }
            let here = Place::of(here.config());
            let from = Side { live, place: &here };
            let load = Load::of(from, &domain, entity, alone)?;
            load.check_is(&goes_along)?;
            there.over_there(|live, place| {
                let to = Side { live, place };
                load.check(from, to, true)?;
                let migrated = room_for(&load, from, to).and_then(|()| {
                    load.define_networks(to)?;
                    domain
                        .migrate3(&live.connect, parameters.clone(), flags(here.is_shared()))
                        .map_err(|error| refused(&error))
                });
                migrated.inspect_err(|_| load.withdraw(to))?;
                say(load.mark_arrived(to));
                Ok(load.leave(from, to))
            })
        };
        self.hypervisor.between(other, Lane::Move, hold, work).await
    }
}

fn parameters(entity: Uuid, reached_at: Option<&str>) -> MigrateParameters {
    let name = name::of(entity);
    let (uri, disks_uri) = match reached_at {
        // Each machine has sockets of its own.
        Some(folder) if folder.starts_with("unix:") => {
            let folder = folder.trim_end_matches('/');
            (Some(format!("{folder}/{name}")), Some(format!("{folder}/{name}.disks")))
        }
        Some(address) => (Some(address.to_owned()), None),
        None => (None, None),
    };
    MigrateParameters { uri, disks_uri, ..MigrateParameters::default() }
}

fn flags(volumes_are_shared: bool) -> u32 {
    let flags = sys::VIR_MIGRATE_LIVE
        | sys::VIR_MIGRATE_PERSIST_DEST
        | sys::VIR_MIGRATE_UNDEFINE_SOURCE
        // One that writes faster than it is copied is slowed down, so that it comes to an end.
        | sys::VIR_MIGRATE_AUTO_CONVERGE;
    // Disks are copied whole, also where they began as an image: libvirt 9.0 does not find the volume that awaits the rest of one.
    // That they are shared the operator says, and it is seen; libvirt knows of some file systems alone that they are.
    flags | if volumes_are_shared { sys::VIR_MIGRATE_UNSAFE } else { sys::VIR_MIGRATE_NON_SHARED_DISK }
}

/// Makes a volume for each of the machine's, into which QEMU copies; what it only reads is carried.
fn room_for(load: &Load, from: Side<'_>, to: Side<'_>) -> Result<()> {
    if from.place.is_shared() {
        return Ok(());
    }
    load.announce(to)?;
    load.volumes.names.iter().try_for_each(|volume| {
        if own_disk::kind_of(volume) == Some(Own::Seed) {
            return carry::carry(volume, from, to);
        }
        carry::begin(volume, from, to).map(drop)
    })
}

/// The operator reads it, who can do something about it.
fn refused(error: &virt::error::Error) -> Error {
    Error::Failed(format!("the machine was not migrated: {}", error.message().trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_has_sockets_of_its_own() {
        let entity = Uuid::from_u128(7);
        let at = |place| parameters(entity, place);
        assert_eq!((at(None).uri, at(None).disks_uri), (None, None));
        assert_eq!(at(Some("tcp://10.0.0.2")).uri.as_deref(), Some("tcp://10.0.0.2"));
        let unix = at(Some("unix:///run/occi/"));
        assert_eq!(unix.uri, Some(format!("unix:///run/occi/occi-{entity}")));
        assert_eq!(unix.disks_uri, Some(format!("unix:///run/occi/occi-{entity}.disks")));
    }
}

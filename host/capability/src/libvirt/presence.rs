//! Whether a hypervisor is the one where an entity's things are, and how much room it has for more.

use uuid::Uuid;
use virt::error::ErrorNumber;
use virt::sys;

use super::carry::{self, Side};
use super::connection::Live;
use super::device::Devices;
use super::error::{Error, Result};
use super::volume::Place;
use super::worker::{Hold, Lane};
use super::{Hypervisor, machine, name, network, own_disk, volume};

/// What a hypervisor has of an entity. The greater says more surely that it is the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// Nothing.
    Absent,
    /// What comes from another one, and is whole where that has it no more.
    Coming,
    /// Something that nobody uses now.
    Idle,
    /// What came from another one, and is whole: a machine that runs, or a volume that a machine is defined with. It counts where that
    /// one has it no more, or nobody uses it there.
    Arrived,
    /// Something with power, or that a machine is defined to use.
    InUse,
}

impl Hypervisor {
    /// What it has of an entity, behind what is still being done to that: a call that nobody waits for any more may yet make it.
    pub async fn presence(&self, entity: Uuid) -> Result<Presence> {
        let place = Place::of(self.config());
        let look = move |live: &Live| {
            let machine = of_machine(Side { live, place: &place }, entity)?;
            if machine != Presence::Absent {
                return Ok(machine);
            }
            let network = of_network(live, entity)?;
            if network != Presence::Absent {
                return Ok(network);
            }
            match volume::presence(live, &place, entity)? {
                Presence::Absent if is_coming(Side { live, place: &place }, entity)? => Ok(Presence::Coming),
                presence => Ok(presence),
            }
        };
        self.workers().call(Lane::Short, Hold::Entity(entity), look).await
    }

    /// What of an entity is [`Presence::Coming`] or has [arrived](Presence::Arrived) has come: the other one has it no more.
    pub async fn has_come(&self, entity: Uuid) -> Result<()> {
        let place = Place::of(self.config());
        let work = move |live: &Live| {
            let side = Side { live, place: &place };
            match machine::find(live, entity) {
                Ok(domain) => {
                    // A volume that is attached to it may still be where that was.
                    let devices = Devices::defined(&domain)?;
                    let mut own = devices.volumes().filter(|volume| own_disk::owner(volume) == Some(entity));
                    own.try_for_each(|volume| carry::has_come(side, volume))?;
                    carry::has_come(side, &name::of(entity))
                }
                Err(Error::Missing(_) | Error::Conflict(_)) => match place.find(live, entity) {
                    Ok(kept) => carry::has_come(side, &kept.name),
                    Err(Error::Missing(_)) => carry::has_come(side, &name::of(entity)),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            }
        };
        self.workers().call(Lane::Long, Hold::Entity(entity), work).await
    }

    /// What of an entity is [`Presence::Coming`] or has [arrived](Presence::Arrived), or is a network that nobody uses, is not needed: the
    /// other one has it. A volume with which a machine is defined stays.
    pub async fn withdraw(&self, entity: Uuid) -> Result<()> {
        let place = Place::of(self.config());
        let work = move |live: &Live| {
            let side = Side { live, place: &place };
            match machine::find(live, entity) {
                Ok(domain) => {
                    match of_machine(side, entity)? {
                        Presence::Arrived => machine::cut(&domain)?,
                        Presence::Coming if !domain.is_active()? => {}
                        _ => return Ok(()),
                    }
                    let devices = Devices::defined(&domain)?;
                    domain.undefine_flags(sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)?;
                    devices.volumes().try_for_each(|volume| carry::withdraw(side, volume))?;
                    return not_coming(side, entity);
                }
                Err(Error::Missing(_) | Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
            match of_network(live, entity)? {
                Presence::Absent => {}
                Presence::Idle => return network::discard(live, entity),
                _ => return Ok(()),
            }
            match place.find(live, entity) {
                // Its mark has that name, too.
                Ok(kept) => carry::withdraw(side, &kept.name),
                Err(Error::Missing(_)) => not_coming(side, entity),
                Err(error) => Err(error),
            }
        };
        self.workers().call(Lane::Long, Hold::Unused(entity), work).await
    }

    /// Whether the entity's machine, or its volume, came from elsewhere, where something of it may still be.
    pub async fn has_arrived(&self, entity: Uuid) -> Result<bool> {
        let place = Place::of(self.config());
        let look = move |live: &Live| is_coming(Side { live, place: &place }, entity);
        self.workers().call(Lane::Short, Hold::Entity(entity), look).await
    }

    /// Deletes what an entity's machine had by itself, which is at another one. 'conflict' while it is here.
    pub async fn leave(&self, entity: Uuid) -> Result<()> {
        let place = Place::of(self.config());
        let work = move |live: &Live| match machine::find(live, entity) {
            Ok(_) => Err(Error::Conflict("the machine is still here".into())),
            Err(Error::Missing(_) | Error::Conflict(_)) => own_disk::discard_left(live, &place, entity),
            Err(error) => Err(error),
        };
        self.workers().call(Lane::Long, Hold::Entity(entity), work).await
    }

    /// Its memory in bytes less that of all machines that are defined there, ours or not; below zero where these have been
    /// given more than there is.
    pub async fn unclaimed_memory(&self) -> Result<i128> {
        self.workers()
            .call(Lane::Long, Hold::Nothing, |live| {
                let mut claimed = 0;
                for domain in live.connect.list_all_domains(0)? {
                    claimed += match domain.get_info() {
                        Ok(info) => kib(info.max_mem),
                        // It went while we looked.
                        Err(error) if error.code() == ErrorNumber::NoDomain => 0,
                        Err(error) => return Err(error.into()),
                    };
                }
                Ok(kib(live.connect.get_node_info()?.memory) - claimed)
            })
            .await
    }
}

/// Whether a machine, or a volume of that name, came or is coming.
fn is_coming(side: Side<'_>, entity: Uuid) -> Result<bool> {
    match carry::is_coming(side, &name::of(entity)) {
        // Where the pool cannot be made there is none.
        Err(_) if !side.place.is_there(side.live)? => Ok(false),
        found => found,
    }
}

/// A machine does not come after all: deletes what it would have by itself. One that is here stays as it is.
pub(super) fn not_coming(side: Side<'_>, entity: Uuid) -> Result<()> {
    if !is_coming(side, entity)? {
        return Ok(());
    }
    match machine::find(side.live, entity) {
        Ok(_) => Ok(()),
        Err(Error::Missing(_) | Error::Conflict(_)) => {
            own_disk::discard_left(side.live, side.place, entity)?;
            carry::has_come(side, &name::of(entity))
        }
        Err(error) => Err(error),
    }
}

fn of_machine(side: Side<'_>, entity: Uuid) -> Result<Presence> {
    let domain = match machine::find(side.live, entity) {
        Ok(domain) => domain,
        // Something else of that name is not the entity's.
        Err(Error::Missing(_) | Error::Conflict(_)) => return Ok(Presence::Absent),
        Err(error) => return Err(error),
    };
    let state = domain.get_state()?;
    let is_off = state.0 == sys::VIR_DOMAIN_SHUTOFF && !domain.has_managed_save(0)?;
    if !is_off {
        // One that is only coming is not defined for good yet; one that has gone waits to be told so.
        let is_leaving = state == (sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_MIGRATION.cast_signed());
        return Ok(match (domain.is_persistent()?, is_leaving) {
            (false, _) => Presence::Coming,
            (true, true) => Presence::Idle,
            (true, false) if is_coming(side, entity)? => Presence::Arrived,
            (true, false) => Presence::InUse,
        });
    }
    let own = name::of(entity);
    for name in Devices::defined(&domain)?.volumes().chain([own.as_str()]) {
        if carry::is_coming(side, name)? {
            return Ok(Presence::Coming);
        }
    }
    Ok(Presence::Idle)
}

fn of_network(live: &Live, entity: Uuid) -> Result<Presence> {
    match network::find(live, entity) {
        Ok(_) if network::is_used(live, entity)? => Ok(Presence::InUse),
        Ok(_) => Ok(Presence::Idle),
        Err(Error::Missing(_) | Error::Conflict(_)) => Ok(Presence::Absent),
        Err(error) => Err(error),
    }
}

fn kib(number: u64) -> i128 {
    i128::from(number) << 10
}

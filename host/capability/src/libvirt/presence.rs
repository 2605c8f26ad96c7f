//! Whether a hypervisor is the one where an entity's things are, and how much room it has for more.

use std::collections::HashSet;

use uuid::Uuid;
use virt::error::ErrorNumber;
use virt::sys;

use super::connection::Live;
use super::device::Devices;
use super::error::{Error, Result, ours};
use super::image::DiskFormat;
use super::side::{Mark, Side};
use super::volume::Place;
use super::worker::{Hold, Lane};
use super::{Hypervisor, machine, name, network, own_disk, volume};

/// What a hypervisor has of an entity. The greater says more surely that it is the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// Nothing.
    Absent,
    /// What comes from another one, and is not whole.
    Partial,
    /// A machine that has gone to another one, or not: libvirt has not been told.
    Leaving,
    /// What comes from another one, and is whole; it counts where that has it no more.
    Coming,
    /// Something that nobody uses now.
    Idle,
    /// What came from another one, and is whole: a machine that runs, or has run, or a volume that a machine is defined with. It counts where that
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
                Presence::Absent if is_marked(Side { live, place: &place }, entity)? => Ok(Presence::Partial),
                presence => Ok(presence),
            }
        };
        self.workers().call(Lane::Short, Hold::Entity(entity), look).await
    }

    /// What of an entity is [`Presence::Coming`] or has [arrived](Presence::Arrived) is here for good: the other one has it no more.
    pub async fn settle(&self, entity: Uuid) -> Result<()> {
        let place = Place::of(self.config());
        let work = move |live: &Live| {
            let side = Side { live, place: &place };
            if let Some(domain) = ours(machine::find(live, entity))? {
                // A volume that is attached to it may still be where that was.
                let devices = Devices::defined(&domain)?;
                let mut own = devices.volumes().filter(|volume| own_disk::owner(volume) == Some(entity));
                own.try_for_each(|volume| side.settle(volume))?;
                return side.settle(&name::of(entity));
            }
            match place.find(live, entity) {
                Ok(kept) => side.settle(&kept.name),
                Err(Error::Missing(_)) => marks(entity).iter().try_for_each(|name| side.settle(name)),
                Err(error) => Err(error),
            }
        };
        self.workers().call(Lane::Long, Hold::Entity(entity), work).await
    }

    /// What of an entity came or is coming, or is a network that nobody uses, is not needed: the other one has it. A volume with which a
    /// machine is defined stays.
    pub async fn withdraw(&self, entity: Uuid) -> Result<()> {
        let place = Place::of(self.config());
        let work = move |live: &Live| {
            let side = Side { live, place: &place };
            if let Some(domain) = ours(machine::find(live, entity))? {
                match of_machine(side, entity)? {
                    Presence::Arrived => machine::cut(&domain)?,
                    Presence::Partial | Presence::Coming if !domain.is_active()? => {}
                    _ => return Ok(()),
                }
                let devices = Devices::defined(&domain)?;
                domain.undefine_flags(sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)?;
                devices.volumes().try_for_each(|volume| side.withdraw(volume))?;
                return not_coming(side, entity);
            }
            match of_network(live, entity)? {
                Presence::Absent => {}
                Presence::Idle => return network::discard(live, entity),
                _ => return Ok(()),
            }
            match place.find(live, entity) {
                // Its mark has that name, too.
                Ok(kept) => side.withdraw(&kept.name),
                Err(Error::Missing(_)) => not_coming(side, entity),
                Err(error) => Err(error),
            }
        };
        self.workers().call(Lane::Long, Hold::Unused(entity), work).await
    }

    /// The entities whose volumes are here in part alone.
    pub async fn partial(&self) -> Result<HashSet<Uuid>> {
        let place = Place::of(self.config());
        let look = move |live: &Live| {
            let mut partial = HashSet::new();
            if !place.is_there(live)? {
                return Ok(partial);
            }
            for marker in place.within(live, |pool| pool.list_all_volumes(0))? {
                let marker = marker.get_name()?;
                if let Some((entity, _)) = Mark::of(&marker).and_then(name::of_volume)
                    && volume::presence(live, &place, entity)? == Presence::Partial
                {
                    partial.insert(entity);
                }
            }
            Ok(partial)
        };
        self.workers().call(Lane::Long, Hold::Nothing, look).await
    }

    /// Whether the entity's machine, or its volume, came from elsewhere, where something of it may still be.
    pub async fn is_marked(&self, entity: Uuid) -> Result<bool> {
        let place = Place::of(self.config());
        let look = move |live: &Live| is_marked(Side { live, place: &place }, entity);
        self.workers().call(Lane::Short, Hold::Entity(entity), look).await
    }

    /// Whether the entity's machine is known to have come from elsewhere while it ran.
    pub async fn has_run(&self, entity: Uuid) -> Result<bool> {
        let place = Place::of(self.config());
        let look = move |live: &Live| {
            let is_here = ours(machine::find(live, entity))?.is_some();
            Ok(is_here && Side { live, place: &place }.mark(&name::of(entity))? == Some(Mark::Arrived))
        };
        self.workers().call(Lane::Short, Hold::Entity(entity), look).await
    }

    /// Deletes what an entity's machine had by itself, which is at another one. 'conflict' while it is here, or comes here.
    pub async fn leave(&self, entity: Uuid) -> Result<()> {
        let place = Place::of(self.config());
        let work = move |live: &Live| {
            let side = Side { live, place: &place };
            if ours(machine::find(live, entity))?.is_some() {
                return Err(Error::Conflict("the machine is still here".into()));
            }
            if is_marked(side, entity)? {
                return Err(Error::Conflict(
                    "the machine is coming here, or both have the same folder of volumes".into(),
                ));
            }
            own_disk::discard_left(side, entity)
        };
        self.workers().call(Lane::Long, Hold::Entity(entity), work).await
    }

    /// Forgets a machine, or deletes a volume, that nobody uses here any more, as it is at another one and counts there. Volumes that
    /// all have stay.
    pub async fn forsake(&self, entity: Uuid) -> Result<()> {
        let place = Place::of(self.config());
        let work = move |live: &Live| {
            let side = Side { live, place: &place };
            let Some(domain) = ours(machine::find(live, entity))? else { return Ok(false) };
            if !matches!(of_machine(side, entity)?, Presence::Idle | Presence::Leaving) {
                return Err(Error::Conflict("the machine has power at two hypervisors".into()));
            }
            let devices = Devices::defined(&domain)?;
            machine::cut(&domain)?;
            domain.undefine_flags(sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)?;
            if !place.is_shared() {
                own_disk::discard(side, entity, &devices)?;
            }
            Ok(true)
        };
        let was_machine = self.workers().call(Lane::Long, Hold::Entity(entity), work).await?;
        if was_machine || self.shares_volumes() {
            return Ok(());
        }
        self.volume(entity).remove().await
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

/// Of which names marks are that an entity's machine or volume came, or is coming.
fn marks(entity: Uuid) -> [String; 2] {
    DiskFormat::ALL.map(|format| name::volume(entity, format))
}

/// Whether an entity's machine or volume came, or is coming.
fn is_marked(side: Side<'_>, entity: Uuid) -> Result<bool> {
    for name in marks(entity) {
        match side.mark(&name) {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(true),
            // Where the pool cannot be made there is none.
            Err(_) if !side.place.is_there(side.live)? => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// A machine does not come after all: deletes what it would have by itself. One that is here stays as it is.
pub(super) fn not_coming(side: Side<'_>, entity: Uuid) -> Result<()> {
    if !is_marked(side, entity)? {
        return Ok(());
    }
    if ours(machine::find(side.live, entity))?.is_some() {
        return Ok(());
    }
    // What has no mark did not come.
    for volume in own_disk::left(side, entity)?.iter().filter_map(|name| Mark::of(name)) {
        side.withdraw(volume)?;
    }
    marks(entity).iter().try_for_each(|name| side.settle(name))
}

fn of_machine(side: Side<'_>, entity: Uuid) -> Result<Presence> {
    let Some(domain) = ours(machine::find(side.live, entity))? else { return Ok(Presence::Absent) };
    let state = domain.get_state()?;
    let is_off = state.0 == sys::VIR_DOMAIN_SHUTOFF && !domain.has_managed_save(0)?;
    if !is_off {
        // One that is only coming is not defined for good yet; one that has gone waits to be told so.
        let is_leaving = state == (sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_MIGRATION.cast_signed());
        return Ok(match (domain.is_persistent()?, is_leaving) {
            (false, _) => Presence::Partial,
            (true, true) => Presence::Leaving,
            (true, false) if is_marked(side, entity)? => Presence::Arrived,
            (true, false) => Presence::InUse,
        });
    }
    match side.mark(&name::of(entity))? {
        // It has run here.
        Some(Mark::Arrived) => return Ok(Presence::Arrived),
        Some(Mark::Coming) => return Ok(Presence::Coming),
        None => {}
    }
    for volume in Devices::defined(&domain)?.volumes() {
        if side.mark(volume)?.is_some() {
            return Ok(Presence::Coming);
        }
    }
    Ok(Presence::Idle)
}

fn of_network(live: &Live, entity: Uuid) -> Result<Presence> {
    if ours(network::find(live, entity))?.is_none() {
        return Ok(Presence::Absent);
    }
    Ok(if network::is_used(live, entity)? { Presence::InUse } else { Presence::Idle })
}

fn kib(number: u64) -> i128 {
    i128::from(number) << 10
}

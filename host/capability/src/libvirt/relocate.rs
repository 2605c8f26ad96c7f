//! What is at one hypervisor comes to be at another one. Each of them is asked over its own connection, by this process: they need
//! not reach one another.
//!
//! What goes is made at the other side first, and taken away here once it is there whole; by its volumes it is known which of two
//! counts after a crash in between (`side`). Where all hypervisors have the same volumes, these stay where they are.

use uuid::Uuid;
use virt::sys;

use super::connection::Live;
use super::device::{Device, Devices};
use super::error::{Error, Result, ours};
use super::load::{Load, Volumes, say};
use super::machine::{Machine, State, find, state};
use super::network_move::NetworkMove;
use super::side::Side;
use super::usage::Among;
use super::volume::Place;
use super::worker::{Hold, Lane};
use super::{Hypervisor, Network, Volume, name, network, volume};

/// What has moved with a machine.
#[derive(Debug)]
pub struct Moved {
    /// The entities whose things have.
    pub entities: Vec<Uuid>,
    /// Whether nothing of it is left where it was, as far as is known.
    pub is_whole: bool,
}

/// So much is carried while a client waits.
pub const BRIEFLY: u64 = 1 << 30;

/// What a client waits for does not wait for what operators move.
fn lane(most: u64) -> Lane {
    if most <= BRIEFLY { Lane::Carry } else { Lane::Move }
}

impl Volume {
    /// Has it be at another hypervisor. 'conflict' while a machine uses it, or where it takes more than `most` bytes.
    pub async fn move_to(&self, other: &Hypervisor, most: u64) -> Result<()> {
        let (entity, there, here) = (self.entity(), other.clone(), Place::of(self.hypervisor().config()));
        let work = move |live: &Live| {
            if volume::user(live, Among::All, entity)?.is_some() {
                return Err(Error::Conflict(
                    "a machine at another hypervisor uses the volume: detach it there first".into(),
                ));
            }
            let from = Side { live, place: &here };
            let named = here.find(live, entity)?.name;
            let volumes = Volumes { names: vec![named] };
            volumes.check_size(from, most)?;
            there.over_there(|live, place| {
                let to = Side { live, place };
                volumes.check(&name::of(entity), from, to)?;
                volumes.arrive(from, to).inspect_err(|_| {
                    say(volumes.withdraw(to));
                })?;
                // Whether the one here is gone is not known otherwise, and it counts for as long as it is not.
                volumes.leave(from, to)
            })
        };
        self.hypervisor().between(other, lane(most), Hold::Unused(entity), work).await
    }
}

impl Network {
    /// Has it be at another hypervisor as well, if it is joined to a bridge there and here, so that machines at both are on one wire;
    /// whether it is.
    pub async fn reach(&self, other: &Hypervisor) -> Result<bool> {
        let (entity, there) = (self.entity(), other.clone());
        let work = move |live: &Live| {
            let moving = NetworkMove::of(live, entity)?;
            if moving.is_bridged {
                there.over_there(|live, _| moving.arrive(live))?;
            }
            Ok(moving.is_bridged)
        };
        self.hypervisor().between(other, Lane::Carry, Hold::Entity(entity), work).await
    }

    /// Has it be at another hypervisor, as active as it is. 'conflict' while a machine is defined to use it.
    pub async fn move_to(&self, other: &Hypervisor) -> Result<()> {
        let (entity, there) = (self.entity(), other.clone());
        let work = move |live: &Live| {
            if network::is_used(live, entity)? {
                return Err(Error::Conflict(
                    "machines at another hypervisor use the network: detach them there first".into(),
                ));
            }
            let moving = NetworkMove::of(live, entity)?;
            there.over_there(|live, _| moving.arrive(live))?;
            moving.leave()
        };
        self.hypervisor().between(other, Lane::Carry, Hold::Unused(entity), work).await
    }
}

impl Machine {
    /// Has a machine that is off be at another hypervisor, with its disks, the volumes that are attached to it, and the networks that
    /// it alone is attached to. What has moved is answered. 'conflict' where it is not off, where a network or a volume is used by
    /// others, too, or where all of it takes more than `most` bytes.
    pub async fn move_to(&self, other: &Hypervisor, most: u64) -> Result<Moved> {
        self.carry_to(other, most, false).await
    }

    /// The same. One that may go `alone` leaves others behind with which it shares a network.
    pub(super) async fn carry_to(&self, other: &Hypervisor, most: u64, alone: bool) -> Result<Moved> {
        let (entity, here, there) = (self.entity, self.hypervisor.clone(), other.clone());
        let (hold, goes_along) = self.with_what_goes_along().await?;
        let work = move |live: &Live| {
            let domain = find(live, entity)?;
            // One that has crashed may have its power, for whoever looks into it.
            match state(&domain)? {
                State::Off => {}
                State::Crashed if !domain.is_active()? => {}
                _ => return Err(Error::Conflict("the machine is not off: stop it first".into())),
            }
            let here = Place::of(here.config());
            let from = Side { live, place: &here };
            let load = Load::of(from, &domain, entity, alone)?;
            load.check_is(&goes_along)?;
            load.volumes.check_size(from, most)?;
            there.over_there(|live, place| {
                let to = Side { live, place };
                load.check(from, to, false)?;
                let arrived = load
                    .arrive(from, to, there.processors(live))
                    .and_then(|()| Ok(domain.undefine_flags(sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)?));
                arrived.inspect_err(|_| load.withdraw(to))?;
                Ok(load.leave(from, to))
            })
        };
        self.hypervisor.between(other, lane(most), hold, work).await
    }

    /// What must stay as it is while the machine moves, and the entities whose things go along.
    pub(super) async fn with_what_goes_along(&self) -> Result<(Hold, Vec<Uuid>)> {
        let entity = self.entity;
        let look = move |live: &Live| Ok(entities_of(&Devices::defined(&find(live, entity)?)?));
        let found = self.call(Lane::Short, Hold::Nothing, look).await?;
        Ok((Hold::Moving(entity, found.clone()), found))
    }

    /// The entities whose volumes and networks it has; none where it is not there.
    pub async fn what_goes_along(&self) -> Result<Vec<Uuid>> {
        Ok(ours(self.with_what_goes_along().await)?.map(|(_, along)| along).unwrap_or_default())
    }
}

/// The entities whose volumes and networks a machine has.
pub(super) fn entities_of(devices: &Devices) -> Vec<Uuid> {
    let of = |device: &Device| {
        let volume = device.volume.as_deref().and_then(name::of_volume).map(|(entity, _)| entity);
        volume.or_else(|| device.network.as_deref().and_then(name::entity))
    };
    devices.all().iter().filter_map(of).collect()
}

impl Hypervisor {
    /// Runs `work` once, which does something at another one, too, where the same is held.
    pub(super) async fn between<T, W>(&self, other: &Self, lane: Lane, hold: Hold, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Live) -> Result<T> + Send + 'static,
    {
        if self.is_away() || other.is_away() {
            return Err(Error::away());
        }
        self.workers().call_between(other.workers(), lane, hold, work).await
    }

    /// Does something here, from within a call at another hypervisor.
    pub(super) fn over_there<T>(&self, work: impl FnOnce(&Live, &Place) -> Result<T>) -> Result<T> {
        let place = Place::of(self.config());
        self.workers().at_once(|live| work(live, &place))
    }
}

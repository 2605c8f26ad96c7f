//! What is at one hypervisor comes to be at another one. Each of them is asked over its own connection, by this process: they need
//! not reach one another.
//!
//! What goes is made at the other side first, and taken away here once it is there whole; by its volumes it is known which of two
//! counts after a crash in between (`carry`). Where all hypervisors have the same volumes, these stay where they are.

use std::cell::Cell;

use uuid::Uuid;
use virt::domain::Domain;
use virt::network::Network as Bridge;
use virt::sys;

use super::carry::{self, Side, allocation};
use super::connection::{Driver, Live};
use super::device::{Device, Devices};
use super::error::{Error, Result};
use super::machine::{Machine, State, find, state};
use super::machine_xml::{self, Processors};
use super::usage::{self, Among};
use super::volume::Place;
use super::worker::{Hold, Lane};
use super::{Hypervisor, Network, Volume, name, network, presence, volume};

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

/// What a client waits for does not wait for what operators move, and is not done once nobody waits for it.
fn lane(most: u64) -> Lane {
    if most <= BRIEFLY { Lane::Long } else { Lane::Move }
}

impl Volume {
    /// Has it be at another hypervisor. 'conflict' while a machine uses it, or where it takes more than `most` bytes.
    pub async fn move_to(&self, other: &Hypervisor, most: u64) -> Result<()> {
        let (entity, other, here) = (self.entity(), other.clone(), Place::of(self.hypervisor().config()));
        let work = move |live: &Live| {
            if volume::user(live, Among::All, entity)?.is_some() {
                return Err(Error::Conflict(
                    "a machine at another hypervisor uses the volume: detach it there first".into(),
                ));
            }
            let from = Side { live, place: &here };
            let named = here.find(live, entity)?.name;
            let volumes = Volumes { names: vec![named], are_shared: here.is_shared() };
            volumes.check_size(from, most)?;
            other.over_there(|live, place| {
                let to = Side { live, place };
                volumes.arrive(from, to).inspect_err(|_| {
                    say(volumes.withdraw(to));
                })?;
                // Whether the one here is gone is not known otherwise, and it counts for as long as it is not.
                volumes.leave(from, to)
            })
        };
        self.hypervisor().workers().call_once(lane(most), Hold::Unused(entity), work).await
    }
}

impl Network {
    /// Has it be at another hypervisor as well, if it is joined to a bridge there and here, so that machines at both are on one wire;
    /// whether it is.
    pub async fn reach(&self, other: &Hypervisor) -> Result<bool> {
        let (entity, other) = (self.entity(), other.clone());
        let work = move |live: &Live| {
            let moving = Moving::of(live, entity)?;
            if moving.is_bridged {
                other.over_there(|live, _| moving.arrive(live))?;
            }
            Ok(moving.is_bridged)
        };
        self.hypervisor().workers().call(Lane::Long, Hold::Entity(entity), work).await
    }

    /// Has it be at another hypervisor, as active as it is. 'conflict' while a machine is defined to use it.
    pub async fn move_to(&self, other: &Hypervisor) -> Result<()> {
        let (entity, other) = (self.entity(), other.clone());
        let work = move |live: &Live| {
            if network::is_used(live, entity)? {
                return Err(Error::Conflict(
                    "machines at another hypervisor use the network: detach them there first".into(),
                ));
            }
            let moving = Moving::of(live, entity)?;
            other.over_there(|live, _| moving.arrive(live))?;
            moving.leave()
        };
        self.hypervisor().workers().call_once(Lane::Long, Hold::Unused(entity), work).await
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
        let (entity, here, other) = (self.entity, self.hypervisor.clone(), other.clone());
        let (hold, goes_along) = self.with_what_goes_along().await?;
        let work = move |live: &Live| {
            let domain = find(live, entity)?;
            if state(&domain)? != State::Off {
                return Err(Error::Conflict("the machine is not off: stop it first".into()));
            }
            let here = Place::of(here.config());
            let load = Load::of(live, &domain, entity, (here.is_shared(), alone))?;
            load.check_is(&goes_along)?;
            let from = Side { live, place: &here };
            load.volumes.check_size(from, most)?;
            other.over_there(|live, place| {
                let to = Side { live, place };
                let arrived = load
                    .arrive(from, to, other.processors(live))
                    .and_then(|()| Ok(domain.undefine_flags(sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)?));
                arrived.inspect_err(|_| load.withdraw(to))?;
                Ok(load.leave(from, to))
            })
        };
        self.hypervisor.workers().call_once(lane(most), hold, work).await
    }

    /// What must stay as it is while the machine moves, and the entities whose things go along.
    pub(super) async fn with_what_goes_along(&self) -> Result<(Hold, Vec<Uuid>)> {
        let entity = self.entity;
        let look = move |live: &Live| Ok(entities_of(&Devices::defined(&find(live, entity)?)?));
        let found = self.call(Lane::Short, Hold::Nothing, look).await?;
        Ok((Hold::Moving(entity, found.clone()), found))
    }
}

/// The entities whose volumes and networks a machine has.
fn entities_of(devices: &Devices) -> Vec<Uuid> {
    let of = |device: &Device| {
        let volume = device.volume.as_deref().and_then(name::of_volume).map(|(entity, _)| entity);
        volume.or_else(|| device.network.as_deref().and_then(name::entity))
    };
    devices.all().iter().filter_map(of).collect()
}

impl Hypervisor {
    /// Does something here, from within a call at another hypervisor.
    pub(super) fn over_there<T>(&self, work: impl FnOnce(&Live, &Place) -> Result<T>) -> Result<T> {
        let place = Place::of(self.config());
        self.workers().at_once(|live| work(live, &place))
    }
}

/// Volumes that go.
pub(super) struct Volumes {
    pub(super) names: Vec<String>,
    pub(super) are_shared: bool,
}

impl Volumes {
    /// That they are not too much to be carried.
    fn check_size(&self, from: Side<'_>, most: u64) -> Result<()> {
        if self.are_shared {
            return Ok(());
        }
        let bytes = self.names.iter().map(|volume| allocation(from, volume)).sum::<Result<u64>>()?;
        if bytes <= most {
            return Ok(());
        }
        Err(Error::Conflict(format!(
            "{bytes} bytes would have to be carried to another hypervisor, which takes longer than you can wait: have the operator \
             move it"
        )))
    }

    pub(super) fn arrive(&self, from: Side<'_>, to: Side<'_>) -> Result<()> {
        if self.are_shared {
            // It has yet to see what the others have made.
            to.refresh();
            return Ok(());
        }
        self.names.iter().try_for_each(|volume| carry::carry(volume, from, to))
    }

    /// The other side has them for good. What cannot be deleted here stays marked there, so that it is known which counts.
    fn leave(&self, from: Side<'_>, to: Side<'_>) -> Result<()> {
        let leave = |volume: &String| from.delete(volume).and_then(|()| carry::has_come(to, volume));
        let left: Vec<_> = self.names.iter().filter(|_| !self.are_shared).map(leave).collect();
        left.into_iter().collect()
    }

    /// What of them has come is not needed after all.
    fn withdraw(&self, to: Side<'_>) -> Result<()> {
        let withdrawn: Vec<_> = self.names.iter().map(|volume| carry::withdraw(to, volume)).collect();
        withdrawn.into_iter().collect()
    }
}

/// What goes with a machine.
pub(super) struct Load {
    machine: Uuid,
    entities: Vec<Uuid>,
    description: String,
    pub(super) volumes: Volumes,
    networks: Vec<Moving>,
}

impl Load {
    pub(super) fn of(
        live: &Live,
        domain: &Domain,
        machine: Uuid,
        (volumes_are_shared, alone): (bool, bool),
    ) -> Result<Self> {
        if !domain.list_all_snapshots(0)?.is_empty() {
            return Err(Error::Conflict(
                "the machine has snapshots, which do not go to another hypervisor: have them deleted there first".into(),
            ));
        }
        let devices = Devices::defined(domain)?;
        let names: Vec<String> = devices.volumes().map(str::to_owned).collect();
        let mut networks: Vec<Moving> = Vec::new();
        for network in devices.all().iter().filter_map(|device| device.network.as_deref()) {
            let Some(entity) = name::entity(network) else {
                return Err(Error::Conflict(format!(
                    "the machine is attached to the network {network}, which is not of this service"
                )));
            };
            if networks.iter().all(|moving| moving.entity != entity) {
                let moving = Moving::of(live, entity)?;
                if !alone && !moving.is_bridged {
                    check_alone(live, machine, network, "network", |device| device.network.as_deref())?;
                }
                networks.push(moving);
            }
        }
        for volume in &names {
            check_alone(live, machine, volume, "volume", |device| device.volume.as_deref())?;
        }
        let description = domain.get_xml_desc(sys::VIR_DOMAIN_XML_INACTIVE | sys::VIR_DOMAIN_XML_SECURE)?;
        let entities = entities_of(&devices);
        Ok(Self {
            machine,
            entities,
            description,
            volumes: Volumes { names, are_shared: volumes_are_shared },
            networks,
        })
    }

    /// That it is what is held.
    pub(super) fn check_is(&self, held: &[Uuid]) -> Result<()> {
        if self.entities.iter().all(|entity| held.contains(entity)) {
            return Ok(());
        }
        Err(Error::Conflict("something has just been attached to the machine: try again".into()))
    }

    /// That it comes, if it is not known already what came of an earlier attempt.
    pub(super) fn announce(&self, to: Side<'_>) -> Result<()> {
        if self.volumes.are_shared { Ok(()) } else { carry::announce(to, &name::of(self.machine)) }
    }

    /// Makes all of it at the other side.
    fn arrive(&self, from: Side<'_>, to: Side<'_>, processors: Processors) -> Result<()> {
        self.announce(to)?;
        self.volumes.arrive(from, to)?;
        self.define_networks(to)?;
        let description = machine_xml::as_run_by(&self.description, processors);
        Ok(Domain::define_xml(&to.live.connect, &description).map(drop)?)
    }

    pub(super) fn define_networks(&self, to: Side<'_>) -> Result<()> {
        self.networks.iter().try_for_each(|moving| moving.define(to.live))
    }

    /// What of it is at the other side is not needed after all.
    pub(super) fn withdraw(&self, to: Side<'_>) {
        for moving in &self.networks {
            say(moving.withdraw(to.live));
        }
        say(self.volumes.withdraw(to).and_then(|()| presence::not_coming(to, self.machine)));
    }

    /// The other side has all of it for good, whatever comes of what is still here; what has moved.
    pub(super) fn leave(&self, from: Side<'_>, to: Side<'_>) -> Moved {
        let networks = self.leave_networks(from.live);
        let volumes = self.volumes.leave(from, to);
        let volumes = volumes.and_then(|()| carry::has_come(to, &name::of(self.machine)));
        let is_whole = networks.is_ok() && volumes.is_ok();
        say(volumes);
        let networks = networks.unwrap_or_else(|error| {
            say(Err(error));
            Vec::new()
        });
        let volumes = self.volumes.names.iter().filter_map(|volume| Some(name::of_volume(volume)?.0));
        Moved { entities: std::iter::once(self.machine).chain(volumes).chain(networks).collect(), is_whole }
    }

    /// Once nobody is there any more; the entities of those that are gone.
    fn leave_networks(&self, live: &Live) -> Result<Vec<Uuid>> {
        let mut gone = Vec::new();
        for moving in &self.networks {
            if !network::is_used(live, moving.entity)? {
                moving.leave()?;
                gone.push(moving.entity);
            }
        }
        Ok(gone)
    }
}

fn say(done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "something of what moves, or does not, stays where it should not be");
    }
}

/// A network that goes.
struct Moving {
    entity: Uuid,
    bridge: Bridge,
    description: String,
    is_active: bool,
    /// Whether its machines are on a wire that others share.
    is_bridged: bool,
    /// Whether it was not at the other side before.
    is_made: Cell<bool>,
}

impl Moving {
    fn of(live: &Live, entity: Uuid) -> Result<Self> {
        let bridge = network::find(live, entity)?;
        let side = match live.driver {
            Driver::Test => 0,
            Driver::Qemu => sys::VIR_NETWORK_XML_INACTIVE,
        };
        let (description, is_active) = (bridge.get_xml_desc(side)?, bridge.is_active()?);
        let is_bridged = network::is_bridged(&description);
        Ok(Self { entity, bridge, description, is_active, is_bridged, is_made: Cell::new(false) })
    }

    /// Makes it at another side, or leaves nothing there.
    fn arrive(&self, live: &Live) -> Result<()> {
        self.define(live).inspect_err(|_| {
            say(self.withdraw(live));
        })
    }

    /// One that machines use there already is as it is.
    fn define(&self, live: &Live) -> Result<()> {
        let made = match network::find(live, self.entity) {
            Ok(there) if network::is_used(live, self.entity)? => there,
            Ok(_) => Bridge::define_xml(&live.connect, &self.description)?,
            Err(Error::Missing(_)) => {
                let made = Bridge::define_xml(&live.connect, &self.description)?;
                self.is_made.set(true);
                made
            }
            Err(error) => return Err(error),
        };
        if self.is_active && !made.is_active()? {
            made.create()?;
        }
        Ok(())
    }

    fn withdraw(&self, live: &Live) -> Result<()> {
        if !self.is_made.get() || network::is_used(live, self.entity)? {
            return Ok(());
        }
        network::discard(live, self.entity)
    }

    fn leave(&self) -> Result<()> {
        network::cut(&self.bridge)?;
        Ok(self.bridge.undefine()?)
    }
}

/// That no other machine is defined to use it.
fn check_alone(
    live: &Live,
    machine: Uuid,
    named: &str,
    what: &str,
    of: impl Fn(&Device) -> Option<&str>,
) -> Result<()> {
    let own = name::of(machine);
    let other = usage::users(live, named, |device| of(device) == Some(named))?;
    if other.iter().all(|user| *user == own) {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "the machine shares a {what} with others at its hypervisor, so it cannot go to another one: detach it first"
    )))
}

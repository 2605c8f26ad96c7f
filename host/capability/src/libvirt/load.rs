//! What goes with a machine that moves to another hypervisor.

use std::path::PathBuf;

use uuid::Uuid;
use virt::domain::Domain;
use virt::sys;

use super::carry::{self, allocation};
use super::connection::Live;
use super::device::{Device, Devices};
use super::error::{Error, Result};
use super::machine::find;
use super::machine_xml::{self, Processors};
use super::network_move::NetworkMove;
use super::own_disk::{self, Own};
use super::relocate::{Moved, entities_of};
use super::side::Side;
use super::{host_file, name, network, presence, usage};

/// Volumes that go.
pub(super) struct Volumes {
    pub(super) names: Vec<String>,
}

impl Volumes {
    /// That they can go, as what is of that name does.
    pub(super) fn check(&self, name: &str, from: Side<'_>, to: Side<'_>) -> Result<()> {
        if from.place.is_shared() {
            return from.check_shared(to);
        }
        self.names.iter().map(String::as_str).chain([name]).try_for_each(|name| from.check_settled(name))?;
        to.check_room(&self.names)
    }

    /// That nothing of them is lost where QEMU copies what they are now.
    fn check_snapshots(&self, from: Side<'_>) -> Result<()> {
        if from.place.is_shared() {
            return Ok(());
        }
        for volume in &self.names {
            if carry::has_snapshots(from, volume)? {
                return Err(Error::Conflict(format!(
                    "snapshots of a machine that had it before are in the volume {volume}, which would not go along while the machine \
                     runs: stop it first"
                )));
            }
        }
        Ok(())
    }

    /// That they are not too much to be carried.
    pub(super) fn check_size(&self, from: Side<'_>, most: u64) -> Result<()> {
        if from.place.is_shared() {
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
        if from.place.is_shared() {
            return Ok(());
        }
        self.names.iter().try_for_each(|volume| carry::carry(volume, from, to))
    }

    /// The other side has them for good. What cannot be deleted here stays marked there, so that it is known which counts.
    pub(super) fn leave(&self, from: Side<'_>, to: Side<'_>) -> Result<()> {
        if from.place.is_shared() {
            return Ok(());
        }
        let leave = |volume: &String| from.delete(volume).and_then(|()| to.settle(volume));
        let left: Vec<_> = self.names.iter().map(leave).collect();
        left.into_iter().collect()
    }

    /// What of them has come is not needed after all.
    pub(super) fn withdraw(&self, to: Side<'_>) -> Result<()> {
        let withdrawn: Vec<_> = self.names.iter().map(|volume| to.withdraw(volume)).collect();
        withdrawn.into_iter().collect()
    }
}

/// What goes with a machine.
pub(super) struct Load {
    machine: Uuid,
    entities: Vec<Uuid>,
    description: String,
    pub(super) volumes: Volumes,
    /// Files beside that.
    boot: Vec<PathBuf>,
    images: Vec<PathBuf>,
    networks: Vec<NetworkMove>,
}

impl Load {
    /// One that may go `alone` leaves others behind with which it shares a network.
    pub(super) fn of(from: Side<'_>, domain: &Domain, machine: Uuid, alone: bool) -> Result<Self> {
        let live = from.live;
        if !domain.list_all_snapshots(0)?.is_empty() {
            return Err(Error::Conflict(
                "the machine has snapshots, which do not go to another hypervisor: have them deleted there first".into(),
            ));
        }
        let devices = Devices::defined(domain)?;
        let names: Vec<String> = devices.volumes().map(str::to_owned).collect();
        let mut networks: Vec<NetworkMove> = Vec::new();
        for network in devices.all().iter().filter_map(|device| device.network.as_deref()) {
            let Some(entity) = name::entity(network) else {
                return Err(Error::Conflict(format!(
                    "the machine is attached to the network {network}, which is not of this service"
                )));
            };
            if networks.iter().all(|moving| moving.entity != entity) {
                let moving = NetworkMove::of(live, entity)?;
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
        let boot = host_file::boot(&description)?;
        let mut images = Vec::new();
        for volume in names.iter().filter(|volume| own_disk::kind_of(volume) == Some(Own::System)) {
            images.extend(host_file::backing(&from.find(volume)?)?);
        }
        let entities = entities_of(&devices);
        Ok(Self { machine, entities, description, volumes: Volumes { names }, boot, images, networks })
    }

    /// That it can go. Disks that are copied `whole` do not need their images there.
    pub(super) fn check(&self, from: Side<'_>, to: Side<'_>, whole: bool) -> Result<()> {
        match find(to.live, self.machine) {
            Ok(_) | Err(Error::Missing(_)) => {}
            Err(foreign) => return Err(foreign),
        }
        self.volumes.check(&name::of(self.machine), from, to)?;
        if whole {
            self.volumes.check_snapshots(from)?;
        }
        let images = if whole && !from.place.is_shared() { &[] } else { &*self.images };
        host_file::check(from.live, to.live, &[&*self.boot, images].concat())
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
        to.announce(&name::of(self.machine))
    }

    /// Makes all of it at the other side.
    pub(super) fn arrive(&self, from: Side<'_>, to: Side<'_>, processors: Processors) -> Result<()> {
        self.announce(to)?;
        self.volumes.arrive(from, to)?;
        self.define_networks(to)?;
        let description = machine_xml::as_run_by(&self.description, processors);
        Ok(Domain::define_xml(&to.live.connect, &description).map(drop)?)
    }

    pub(super) fn define_networks(&self, to: Side<'_>) -> Result<()> {
        self.networks.iter().try_for_each(|moving| moving.define(to.live))
    }

    /// It runs at the other side, and counts there from now on, whatever becomes of it.
    pub(super) fn mark_arrived(&self, to: Side<'_>) -> Result<()> {
        self.volumes.names.iter().try_for_each(|volume| to.mark_arrived(volume))?;
        to.mark_arrived(&name::of(self.machine))
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
        let volumes = volumes.and_then(|()| to.settle(&name::of(self.machine)));
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

pub(super) fn say(done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "something of what moves, or does not, stays where it should not be");
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

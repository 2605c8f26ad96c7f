//! Block storage: a volume for each entity, in one pool.

use uuid::Uuid;
use virt::error::ErrorNumber;
use virt::sys;

use super::connection::{Driver, Live};
use super::device::Device;
use super::error::{self, Error, Result};
use super::image::{DiskFormat, ImageDisk};
use super::place::{Kept, capacity};
pub(super) use super::place::{Place, sectors};
use super::side::{Mark, Side};
use super::usage::{self, Among};
use super::worker::{Hold, Lane};
use super::{Arrival, FoundVolume, Hypervisor, Inventory, OwnDisk, Presence, name, own_disk};

/// The volume of an entity, whether it exists or not.
#[derive(Debug, Clone)]
pub struct Volume {
    pub(super) hypervisor: Hypervisor,
    pub(super) entity: Uuid,
}

/// How the disks that machines have by themselves are written: the one format that their snapshots can live in.
pub(super) const FORMAT: &str = DiskFormat::Qcow2.as_str();

/// What a new volume is to be.
#[derive(Debug, Clone)]
struct Wanted {
    bytes: u64,
    format: DiskFormat,
    image: Option<ImageDisk>,
}

impl Volume {
    pub(super) fn new(hypervisor: Hypervisor, entity: Uuid) -> Self {
        Self { hypervisor, entity }
    }

    /// The entity whose volume it is.
    pub fn entity(&self) -> Uuid {
        self.entity
    }

    /// Where it is.
    pub fn hypervisor(&self) -> &Hypervisor {
        &self.hypervisor
    }

    /// Create it with so many bytes, in whole sectors of 512. One that exists already with that size is answered;
    /// with another size it is 'conflict'.
    pub async fn create(&self, bytes: u64) -> Result<()> {
        self.create_as(bytes, None, None).await
    }

    /// The same in a format, if not in the operator's, and as a copy of an image.
    pub async fn create_as(
        &self,
        bytes: u64,
        format: Option<DiskFormat>,
        image: Option<ImageDisk>,
    ) -> Result<()> {
        let format = format.unwrap_or(self.hypervisor.config().format);
        let (entity, is_copied) = (self.entity, image.is_some());
        let wanted = Wanted { bytes: sectors(bytes)?, format, image };
        let place = Place::of(self.hypervisor.config());
        let (workers, hold) = (self.hypervisor.workers(), Hold::Entity(entity));
        let create = move |live: &Live| create(live, &place, entity, &wanted);
        // Of a copy whose connection broke nobody knows how far it came.
        if is_copied {
            workers.call_once(Lane::Long, hold, create).await
        } else {
            workers.call(Lane::Long, hold, create).await
        }
    }

    /// 'missing' if there is none.
    pub async fn exists(&self) -> Result<()> {
        let entity = self.entity;
        // Behind what is still being done to it: a call that nobody waits for any more may yet make it.
        self.run(Lane::Short, Hold::Entity(entity), move |live, place| place.find(live, entity).map(drop))
            .await
    }

    /// Whether there is one, behind what is still being done to it. The pool is made for that where it does not exist: its
    /// folder may hold some.
    pub async fn is_there(&self) -> Result<bool> {
        let entity = self.entity;
        self.run(Lane::Short, Hold::Entity(entity), move |live, place| match place.find(live, entity) {
            // Where the pool cannot be made there is none.
            Err(_) if !place.is_there(live)? => Ok(false),
            found => error::is_there(found),
        })
        .await
    }

    /// Its capacity in bytes.
    pub async fn capacity(&self) -> Result<u64> {
        let entity = self.entity;
        self.run(Lane::Short, Hold::Nothing, move |live, place| place.find(live, entity)?.capacity(live))
            .await
    }

    /// How it is written.
    pub async fn format(&self) -> Result<DiskFormat> {
        let entity = self.entity;
        self.run(Lane::Short, Hold::Nothing, move |live, place| Ok(place.find(live, entity)?.format)).await
    }

    /// Change the capacity, under a running machine too. Shrinking is 'invalid'.
    pub async fn resize(&self, bytes: u64) -> Result<()> {
        let bytes = sectors(bytes)?;
        let entity = self.entity;
        let is_running = self.run(Lane::Long, Hold::Idle(entity), move |live, place| {
            let kept = place.find(live, entity)?;
            let present = kept.capacity(live)?;
            if bytes == present {
                return Ok(false);
            }
            if bytes < present {
                return Err(Error::Invalid(format!(
                    "the volume has {present} bytes and does not shrink to {bytes}"
                )));
            }
            match live.driver {
                Driver::Test => {
                    tracing::debug!("this hypervisor resizes no volume: it holds no data, and is made anew");
                    kept.volume.delete(0)?;
                    place.make(live, &kept.name, bytes, kept.format)?;
                }
                Driver::Qemu if user(live, Among::Running, entity)?.is_some() => return Ok(true),
                Driver::Qemu => kept.grow(bytes)?,
            }
            Ok(false)
        });
        if !is_running.await? {
            return Ok(());
        }
        // While a machine writes to it, only that machine's QEMU may touch it; which may hang, so it keeps nobody from starting.
        self.run(Lane::Long, Hold::Unused(entity), move |live, _| match user(live, Among::Running, entity)? {
            Some((domain, disk)) => {
                Ok(domain.block_resize(&disk, bytes, sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES).map(drop)?)
            }
            None => Err(Error::Conflict(
                "the machine that uses the volume has stopped just now: try again".into(),
            )),
        })
        .await
    }

    /// Delete the volume and its data; 'conflict' while a machine uses it. Succeeds where there is none.
    pub async fn remove(&self) -> Result<()> {
        let entity = self.entity;
        self.run(Lane::Long, Hold::Unused(entity), move |live, place| {
            let volume = match place.find(live, entity) {
                // Where the pool cannot be made there is none either.
                Err(_) if !place.is_there(live)? => return Ok(()),
                found => found,
            };
            let removed = volume.and_then(|kept| {
                if user(live, Among::All, entity)?.is_some() {
                    return Err(Error::Conflict("a machine uses the volume: detach it first".into()));
                }
                Ok(kept.volume.delete(0)?)
            });
            error::gone(removed, || place.find(live, entity))
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        hold: Hold,
        work: impl Fn(&Live, &Place) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = Place::of(self.hypervisor.config());
        self.hypervisor.workers().call(lane, hold, move |live| work(live, &place)).await
    }
}

/// What is there of an entity's volume.
pub(super) fn presence(live: &Live, place: &Place, entity: Uuid) -> Result<Presence> {
    match place.find(live, entity) {
        Ok(kept) => {
            let mark = Side { live, place }.mark(&kept.name)?;
            Ok(match (mark, user(live, Among::All, entity)?.is_some()) {
                // Whoever is defined with one has it whole.
                (Some(_), true) => Presence::Arrived,
                (Some(Mark::Arrived), false) => Presence::Coming,
                (Some(Mark::Coming), false) => Presence::Partial,
                (None, true) => Presence::InUse,
                (None, false) => Presence::Idle,
            })
        }
        Err(Error::Missing(_)) => Ok(Presence::Absent),
        // Where the pool cannot be made there is none.
        Err(_) if !place.is_there(live)? => Ok(Presence::Absent),
        Err(error) => Err(error),
    }
}

/// Makes what is wanted, or goes on where that was begun. One that is there already is as it is wanted, or in the way.
fn create(live: &Live, place: &Place, entity: Uuid, wanted: &Wanted) -> Result<()> {
    let Wanted { bytes, format, image } = wanted;
    let name = name::volume(entity, *format);
    let copy = image.as_ref().filter(|_| live.driver == Driver::Qemu);
    let begun =
        if (live.driver, *format) == (Driver::Qemu, DiskFormat::Qcow2) { begun(*bytes) } else { *bytes };
    let (kept, is_new) = match place.find(live, entity) {
        Ok(kept) => (kept, false),
        Err(Error::Missing(_)) => {
            let volume = match copy {
                Some(image) => place.begin_as_copy(live, &name, *bytes, *format, image)?,
                None => place.make(live, &name, begun, *format)?,
            };
            (Kept { volume, name, format: *format }, true)
        }
        Err(error) => return Err(error),
    };
    let present = kept.capacity(live)?;
    let may_grow = present < *bytes && (is_new || present == begun);
    if kept.format != *format || present != *bytes && !may_grow {
        return Err(Error::Conflict(format!(
            "the volume exists as {} with {present} bytes, not as {} with {bytes}",
            kept.format.as_str(),
            format.as_str()
        )));
    }
    // What is still being copied refuses that, so that a copy which is found is whole.
    if may_grow || copy.is_some() && !is_new { kept.grow(*bytes) } else { Ok(()) }
}

/// With how many bytes a qcow2 begins that is to have so many: libvirt has it made in whole KiB, and made larger in sectors.
fn begun(bytes: u64) -> u64 {
    const KIB: u64 = 1024;
    if bytes < KIB { bytes } else { bytes / KIB * KIB }
}

/// The machine that uses the volume of an entity, and as which device.
pub(super) fn user(
    live: &Live,
    among: Among,
    volume: Uuid,
) -> Result<Option<(virt::domain::Domain, String)>> {
    usage::user(live, among, &name::of(volume), |device: &Device| device.is_of_volume(volume))
}

/// All volumes of entities, those that machines have by themselves, and what stands beside those that came from elsewhere.
pub(super) fn all(live: &Live, place: &Place) -> Result<Inventory> {
    place.within(live, |pool| {
        let mut found = Inventory::default();
        for volume in pool.list_all_volumes(0)? {
            let name = volume.get_name()?;
            if let Some((mark, beside)) = Mark::read(&name) {
                if name::of_volume(beside).is_some() || own_disk::owner(beside).is_some() {
                    let is_whole = mark == Mark::Arrived;
                    found.arrivals.push(Arrival { name: beside.to_owned(), is_whole });
                }
                continue;
            }
            let (of, machine) = (name::of_volume(&name), own_disk::owner(&name));
            if of.is_none() && machine.is_none() {
                continue;
            }
            let format = of.map_or(DiskFormat::Qcow2, |(_, format)| format);
            let capacity = match capacity(live, &volume, format) {
                Ok(capacity) => capacity,
                // It went while we looked.
                Err(error) if error.code() == ErrorNumber::NoStorageVolume => continue,
                Err(error) => return Err(error),
            };
            if let Some((volume, _)) = of {
                found.volumes.push(FoundVolume { volume, name, capacity });
            } else if let Some(machine) = machine {
                found.own_disks.push(OwnDisk { machine, name, capacity });
            }
        }
        Ok(found)
    })
}

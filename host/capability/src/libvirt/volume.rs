//! Block storage: a volume for each entity, in one pool.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;
use virt::connect::Connect;
use virt::error::ErrorNumber;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt::sys;

use super::carry::{self, Side};
use super::config::HypervisorConfig;
use super::connection::{Driver, Live};
use super::device::Device;
use super::error::{self, Error, Result};
use super::image::ImageDisk;
use super::usage::{self, Among};
use super::worker::{Hold, Lane};
use super::xml::Xml;
use super::{Hypervisor, OwnDisk, Presence, name, own_disk, xml};

/// The volume of an entity, whether it exists or not.
#[derive(Debug, Clone)]
pub struct Volume {
    hypervisor: Hypervisor,
    entity: Uuid,
}

/// How volumes are written: the one format that a machine's snapshot can live in.
pub(super) const FORMAT: &str = "qcow2";

/// What a copy of an image has on libvirt's imitation, in bytes.
const IMITATED: u64 = 1 << 30;

/// A disk has whole sectors of so many bytes.
const SECTOR: u64 = 512;

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
        let bytes = sectors(bytes)?;
        let entity = self.entity;
        self.run(Lane::Long, Hold::Entity(entity), move |live, place| {
            let Err(refused) = place.create(live, entity, bytes) else { return Ok(()) };
            // Most of all because it is there already; libvirt's drivers say so in different ways.
            let present = match place.find(live, entity) {
                Ok(volume) => volume.get_info()?.capacity,
                Err(_) => return Err(refused),
            };
            if present == bytes {
                return Ok(());
            }
            Err(Error::Conflict(format!("the volume exists with {present} bytes, not {bytes}")))
        })
        .await
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
        self.run(Lane::Short, Hold::Nothing, move |live, place| {
            Ok(place.find(live, entity)?.get_info()?.capacity)
        })
        .await
    }

    /// Change the capacity, under a running machine too. Shrinking is 'invalid'.
    pub async fn resize(&self, bytes: u64) -> Result<()> {
        let bytes = sectors(bytes)?;
        let entity = self.entity;
        let is_running = self.run(Lane::Long, Hold::Idle(entity), move |live, place| {
            let volume = place.find(live, entity)?;
            let present = volume.get_info()?.capacity;
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
                    volume.delete(0)?;
                    place.create(live, entity, bytes)?;
                }
                Driver::Qemu if user(live, Among::Running, entity)?.is_some() => return Ok(true),
                Driver::Qemu => drop(volume.resize(bytes, 0)?),
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
            let removed = volume.and_then(|volume| {
                if user(live, Among::All, entity)?.is_some() {
                    return Err(Error::Conflict("a machine uses the volume: detach it first".into()));
                }
                Ok(volume.delete(0)?)
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
        Ok(_) if carry::is_coming(Side { live, place }, &name::of(entity))? => Ok(Presence::Coming),
        Ok(_) if user(live, Among::All, entity)?.is_some() => Ok(Presence::InUse),
        Ok(_) => Ok(Presence::Idle),
        Err(Error::Missing(_)) => Ok(Presence::Absent),
        // Where the pool cannot be made there is none.
        Err(_) if !place.is_there(live)? => Ok(Presence::Absent),
        Err(error) => Err(error),
    }
}

pub(super) fn user(
    live: &Live,
    among: Among,
    volume: Uuid,
) -> Result<Option<(virt::domain::Domain, String)>> {
    let name = name::of(volume);
    usage::user(live, among, &name, |device: &Device| device.volume.as_ref() == Some(&name))
}

/// Volumes of entities with their capacities, and those that machines have by themselves.
type Listed = (Vec<(Uuid, u64)>, Vec<OwnDisk>);

/// All volumes of entities with their capacities, and those that machines have by themselves.
pub(super) fn all(live: &Live, place: &Place) -> Result<Listed> {
    place.within(live, |pool| {
        let (mut volumes, mut own_disks) = (Vec::new(), Vec::new());
        for volume in pool.list_all_volumes(0)? {
            let name = volume.get_name()?;
            let (entity, machine) = (name::entity(&name), own_disk::owner(&name));
            if entity.is_none() && machine.is_none() {
                continue;
            }
            let capacity = match volume.get_info() {
                Ok(info) => info.capacity,
                // It went while we looked.
                Err(error) if error.code() == ErrorNumber::NoStorageVolume => continue,
                Err(error) => return Err(error),
            };
            volumes.extend(entity.map(|entity| (entity, capacity)));
            own_disks.extend(machine.map(|machine| OwnDisk { machine, name, capacity }));
        }
        Ok((volumes, own_disks))
    })
}

/// The pool that holds our volumes.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pool: String,
    folder: PathBuf,
    is_shared: bool,
}

impl Place {
    pub(super) fn of(config: &HypervisorConfig) -> Self {
        Self { pool: config.pool.clone(), folder: config.volumes.clone(), is_shared: config.shares_volumes }
    }

    /// Whether other hypervisors have the same folder.
    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The pool's name.
    pub(super) fn pool(&self) -> &str {
        &self.pool
    }

    /// Whether there is such a pool.
    pub(super) fn is_there(&self, live: &Live) -> Result<bool> {
        match StoragePool::lookup_by_name(&live.connect, &self.pool) {
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorNumber::NoStoragePool => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The volume of an entity.
    pub(super) fn find(&self, live: &Live, entity: Uuid) -> Result<StorageVol> {
        let found = self.within(live, |pool| StorageVol::lookup_by_name(pool, &name::of(entity)));
        found.map_err(|error| match error {
            Error::Missing(_) => Error::Missing(format!("the hypervisor has no volume for {entity}")),
            other => other,
        })
    }

    fn create(&self, live: &Live, entity: Uuid, bytes: u64) -> Result<()> {
        self.make(live, &name::of(entity), bytes, FORMAT).map(drop)
    }

    /// A volume of no entity, which holds its bytes as they are.
    pub(super) fn create_raw(&self, live: &Live, name: &str, bytes: usize) -> Result<StorageVol> {
        self.make(live, name, bytes as u64, "raw")
    }

    /// A volume that begins as an image, of which it keeps only what differs.
    pub(super) fn begin_as(&self, live: &Live, name: &str, image: &ImageDisk) -> Result<StorageVol> {
        // It is as large as the image; libvirt's imitation cannot know how large that is.
        let bytes = if live.driver == Driver::Test { Some(IMITATED) } else { None };
        let description = description(name, bytes, FORMAT, |xml| {
            xml::node(xml, "backingStore", &[], |xml| {
                xml::text(xml, "path", &[], &image.file.to_string_lossy())?;
                xml::leaf(xml, "format", &[("type", image.format.as_str())])
            })
        })?;
        self.within(live, |pool| StorageVol::create_xml(pool, &description, 0))
    }

    pub(super) fn make(&self, live: &Live, name: &str, bytes: u64, format: &str) -> Result<StorageVol> {
        let description = description(name, Some(bytes), format, |_| Ok(()))?;
        self.within(live, |pool| StorageVol::create_xml(pool, &description, 0))
    }

    /// A copy of a volume of ours, as one of that name in another pool.
    pub(super) fn copy(&self, live: &Live, volume: &str, to: &StoragePool, name: &str) -> Result<StorageVol> {
        let source = self.within(live, |pool| StorageVol::lookup_by_name(pool, volume))?;
        let description = description(name, Some(source.get_info()?.capacity), FORMAT, |_| Ok(()))?;
        Ok(StorageVol::create_xml_from(to, &description, &source, 0)?)
    }

    /// Do something within the pool; again where it turns out that the pool has stopped since it was last used.
    pub(super) fn within<T>(
        &self,
        live: &Live,
        work: impl Fn(&StoragePool) -> Result<T, virt::error::Error>,
    ) -> Result<T> {
        match work(&*live.pool(|connect| self.ready(connect))?) {
            Err(error)
                if matches!(error.code(), ErrorNumber::OperationInvalid | ErrorNumber::NoStoragePool) =>
            {
                live.forget_pool();
                Ok(work(&*live.pool(|connect| self.ready(connect))?)?)
            }
            answer => Ok(answer?),
        }
    }

    /// The pool that is another folder.
    pub(super) fn beside(&self, folder: &Path) -> Self {
        Self { pool: format!("{}-images", self.pool), folder: folder.to_owned(), is_shared: false }
    }

    /// The pool, defined, built and started.
    pub(super) fn ready(&self, connect: &Connect) -> Result<StoragePool> {
        let pool = match StoragePool::lookup_by_name(connect, &self.pool) {
            Ok(pool) => pool,
            Err(error) if error.code() == ErrorNumber::NoStoragePool => {
                let description = xml::document(|xml| {
                    xml::node(xml, "pool", &[("type", "dir")], |xml| {
                        xml::text(xml, "name", &[], &self.pool)?;
                        xml::node(xml, "target", &[], |xml| {
                            xml::text(xml, "path", &[], &self.folder.to_string_lossy())
                        })
                    })
                })?;
                let made = StoragePool::define_xml(connect, &description, 0);
                // Others may have made it meanwhile.
                let made =
                    made.or_else(|error| StoragePool::lookup_by_name(connect, &self.pool).map_err(|_| error));
                // That it cannot be made is the operator's concern, not the client's.
                let pool = made.map_err(|error| {
                    Error::Failed(format!("the storage pool {} cannot be made: {error}", self.pool))
                })?;
                // After a restart of the host the volumes should be where they were.
                pool.set_autostart(true)?;
                pool
            }
            Err(error) => return Err(error.into()),
        };
        if !pool.is_active()? {
            // Makes the folder; one that is there is none of its trouble.
            if let Err(error) = pool.build(0) {
                tracing::debug!(%error, "the storage pool is not built anew");
            }
            match pool.create(0) {
                Err(error) if !pool.is_active()? => return Err(error.into()),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(pool)
    }
}

/// How libvirt is told of a volume; `more` is what only some have.
fn description(
    name: &str,
    bytes: Option<u64>,
    format: &str,
    more: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> Result<String> {
    xml::document(|xml| {
        xml::node(xml, "volume", &[], |xml| {
            xml::text(xml, "name", &[], name)?;
            if let Some(bytes) = bytes {
                xml::text(xml, "capacity", &[("unit", "bytes")], &bytes.to_string())?;
            }
            // What a guest has not written takes no room.
            xml::text(xml, "allocation", &[], "0")?;
            xml::node(xml, "target", &[], |xml| {
                xml::leaf(xml, "format", &[("type", format)])?;
                // Of an older qcow2 one that has snapshots does not grow.
                if format == FORMAT { xml::text(xml, "compat", &[], "1.1") } else { Ok(()) }
            })?;
            more(xml)
        })
    })
}

/// So many bytes as whole sectors.
pub(super) fn sectors(bytes: u64) -> Result<u64> {
    if bytes == 0 {
        return Err(Error::Invalid("a volume needs a size above zero".into()));
    }
    bytes.checked_next_multiple_of(SECTOR).filter(|bytes| i64::try_from(*bytes).is_ok()).ok_or_else(|| {
        Error::Invalid(format!("a volume of {bytes} bytes is beyond what any file system holds"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_sectors_and_within_reason() {
        assert_eq!(sectors(1), Ok(512));
        assert_eq!(sectors(512), Ok(512));
        assert_eq!(sectors(1 << 30), Ok(1 << 30));
        for wrong in [0, u64::MAX, u64::MAX - 511, 1 << 63] {
            assert_eq!(sectors(wrong).map_err(|error| error.code()), Err("invalid"), "{wrong}");
        }
    }
}

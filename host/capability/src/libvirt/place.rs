//! The storage pool: a folder of volumes, made where it does not exist.
//!
//! How a volume is written stands in its name, since libvirt tells that of a raw one from what a guest has written to it.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;
use virt::connect::Connect;
use virt::error::ErrorNumber;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt::sys;

use super::config::HypervisorConfig;
use super::connection::{Driver, Live};
use super::error::{Error, Result};
use super::host_file::LOOK;
use super::image::{DiskFormat, ImageDisk};
use super::name;
use super::xml::{self, Xml};

/// What a copy of an image has on libvirt's imitation, in bytes.
const IMITATED: u64 = 1 << 30;

/// A disk has whole sectors of so many bytes.
const SECTOR: u64 = 512;

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
    pub(super) fn find(&self, live: &Live, entity: Uuid) -> Result<Kept> {
        let found = self.within(live, |pool| {
            for format in DiskFormat::ALL {
                let name = name::volume(entity, format);
                match StorageVol::lookup_by_name(pool, &name) {
                    Ok(volume) => return Ok(Some(Kept { volume, name, format })),
                    Err(error) if error.code() == ErrorNumber::NoStorageVolume => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(None)
        });
        found?.ok_or_else(|| Error::Missing(format!("the hypervisor has no volume for {entity}")))
    }

    /// A volume of no entity, which holds its bytes as they are.
    pub(super) fn create_raw(&self, live: &Live, name: &str, bytes: usize) -> Result<StorageVol> {
        self.make(live, name, bytes as u64, DiskFormat::Raw)
    }

    /// A volume that begins as an image, of which it keeps only what differs.
    pub(super) fn begin_as(&self, live: &Live, name: &str, image: &ImageDisk) -> Result<StorageVol> {
        // It is as large as the image; libvirt's imitation cannot know how large that is.
        let bytes = if live.driver == Driver::Test { Some(IMITATED) } else { None };
        let description = description(name, bytes, DiskFormat::Qcow2, |xml| {
            xml::node(xml, "backingStore", &[], |xml| {
                xml::text(xml, "path", &[], &image.file.to_string_lossy())?;
                xml::leaf(xml, "format", &[("type", image.format.as_str())])
            })
        })?;
        self.within(live, |pool| StorageVol::create_xml(pool, &description, 0))
    }

    pub(super) fn make(&self, live: &Live, name: &str, bytes: u64, format: DiskFormat) -> Result<StorageVol> {
        let description = description(name, Some(bytes), format, |_| Ok(()))?;
        self.within(live, |pool| StorageVol::create_xml(pool, &description, 0))
    }

    /// A copy of a volume of ours, as one of that name in another pool.
    pub(super) fn copy(&self, live: &Live, volume: &str, to: &StoragePool, name: &str) -> Result<StorageVol> {
        let source = self.within(live, |pool| StorageVol::lookup_by_name(pool, volume))?;
        if let Some((_, format)) = name::of_volume(volume) {
            check_format(&source, format)?;
        }
        let description =
            description(name, Some(source.get_info()?.capacity), DiskFormat::Qcow2, |_| Ok(()))?;
        Ok(StorageVol::create_xml_from(to, &description, &source, 0)?)
    }

    /// A volume with so many bytes that begins as a copy of an image.
    pub(super) fn begin_as_copy(
        &self,
        live: &Live,
        name: &str,
        bytes: u64,
        format: DiskFormat,
        image: &ImageDisk,
    ) -> Result<StorageVol> {
        let source = self.beside(image.folder()).file(live, &image.name(), image.format)?;
        let capacity = source.get_info()?.capacity;
        if capacity > bytes {
            return Err(Error::Invalid(format!(
                "a volume that begins as an image of {capacity} bytes has no less than these, and {bytes} are asked for"
            )));
        }
        let description = description(name, Some(bytes), format, |_| Ok(()))?;
        self.within(live, |pool| StorageVol::create_xml_from(pool, &description, &source, 0))
    }

    /// A file of the pool's folder, which somebody may just have put there, or in the place of another.
    fn file(&self, live: &Live, name: &str, format: DiskFormat) -> Result<StorageVol> {
        let pool = self.ready(&live.connect)?;
        let find = || {
            let found = StorageVol::lookup_by_name(&pool, name)?;
            check_format(&found, format).map(|()| found)
        };
        find().or_else(|_| {
            pool.refresh(0)?;
            find()
        })
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

    /// Whether the folder was a pool for as long as somebody looked at it, who may have been killed; it is one no more.
    fn is_looked_at(&self, connect: &Connect) -> bool {
        let pool = StoragePool::lookup_by_target_path(connect, &self.folder.to_string_lossy());
        let looked_at = pool.ok().filter(|pool| pool.get_name().is_ok_and(|name| name.starts_with(LOOK)));
        looked_at.is_some_and(|pool| pool.destroy().is_ok())
    }

    /// The pool, defined, built and started.
    pub(super) fn ready(&self, connect: &Connect) -> Result<StoragePool> {
        let pool = match StoragePool::lookup_by_name(connect, &self.pool) {
            Ok(pool) => pool,
            Err(error) if error.code() == ErrorNumber::NoStoragePool => {
                let description = folder_as_pool(&self.pool, &self.folder.to_string_lossy())?;
                let mut made = StoragePool::define_xml(connect, &description, 0);
                if made.is_err() && self.is_looked_at(connect) {
                    made = StoragePool::define_xml(connect, &description, 0);
                }
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

/// A volume that is there.
pub(super) struct Kept {
    pub(super) volume: StorageVol,
    /// By which libvirt knows it.
    pub(super) name: String,
    /// How it is written, as its name says.
    pub(super) format: DiskFormat,
}

impl Kept {
    /// How many bytes a machine finds on it.
    pub(super) fn capacity(&self, live: &Live) -> Result<u64> {
        Ok(capacity(live, &self.volume, self.format)?)
    }

    /// Has it grow to so many bytes, where no machine writes to it.
    pub(super) fn grow(&self, bytes: u64) -> Result<()> {
        check_format(&self.volume, self.format)?;
        Ok(self.volume.resize(bytes, 0).map(drop)?)
    }
}

/// How many bytes a machine finds on a volume. Of a raw one that is what the file has, whatever its content looks like.
pub(super) fn capacity(
    live: &Live,
    volume: &StorageVol,
    format: DiskFormat,
) -> Result<u64, virt::error::Error> {
    Ok(match (live.driver, format) {
        (Driver::Qemu, DiskFormat::Raw) => {
            volume.get_info_flags(sys::VIR_STORAGE_VOL_GET_PHYSICAL)?.allocation
        }
        (Driver::Qemu, DiskFormat::Qcow2) | (Driver::Test, _) => volume.get_info()?.capacity,
    })
}

/// When it looks at its pool anew, libvirt takes a volume for what its content looks like. To a raw one a guest may have written
/// the beginning of a qcow2 that names a file of the host's; what libvirt then does with it by itself would read that.
fn check_format(volume: &StorageVol, format: DiskFormat) -> Result<()> {
    let taken_for = xml::first_attribute(&volume.get_xml_desc(0)?, "format", "type")?;
    if taken_for.as_deref().is_none_or(|taken_for| taken_for == format.as_str()) {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "what is there as {} looks like {}, and the hypervisor takes it for that: it is neither copied nor resized but while a \
         machine runs with it",
        format.as_str(),
        taken_for.unwrap_or_default()
    )))
}

/// How libvirt is told of a folder as a pool.
pub(super) fn folder_as_pool(name: &str, folder: &str) -> Result<String> {
    xml::document(|xml| {
        xml::node(xml, "pool", &[("type", "dir")], |xml| {
            xml::text(xml, "name", &[], name)?;
            xml::node(xml, "target", &[], |xml| xml::text(xml, "path", &[], folder))
        })
    })
}

/// How libvirt is told of a volume; `more` is what only some have.
fn description(
    name: &str,
    bytes: Option<u64>,
    format: DiskFormat,
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
                xml::leaf(xml, "format", &[("type", format.as_str())])?;
                // Of an older qcow2 one that has snapshots does not grow.
                if format == DiskFormat::Qcow2 { xml::text(xml, "compat", &[], "1.1") } else { Ok(()) }
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

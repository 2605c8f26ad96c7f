//! Files of a hypervisor's host that a machine needs beside its volumes: the image that its disk began as, and the kernel that it
//! boots.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use uuid::Uuid;
use virt::error::ErrorNumber;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;
use virt::sys;

use super::connection::{Driver, Live};
use super::error::{Error, Result};
use super::place::folder_as_pool;
use super::xml;

/// How the pool is named by which a folder is looked at that has none: one folder is one pool's alone.
pub(super) const LOOK: &str = "occi-look-";

/// How often a folder is looked at where others do, too, and the time between.
const LOOKS: u32 = 5;
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The kernel that a machine boots, and what it is given with that, by its description.
pub(super) fn boot(description: &str) -> Result<Vec<PathBuf>> {
    let of = |element| xml::first_text(description, "os", element);
    Ok([of("kernel")?, of("initrd")?].into_iter().flatten().map(PathBuf::from).collect())
}

/// What a volume keeps only the difference to.
pub(super) fn backing(volume: &StorageVol) -> Result<Option<PathBuf>> {
    Ok(xml::first_text(&volume.get_xml_desc(0)?, "backingStore", "path")?.map(PathBuf::from))
}

/// 'conflict' where the other host does not have one of them, or another one by that name, as far as its length tells.
pub(super) fn check(here: &Live, there: &Live, files: &[PathBuf]) -> Result<()> {
    // What libvirt's imitation boots and copies is nowhere.
    if (here.driver, there.driver) != (Driver::Qemu, Driver::Qemu) {
        return Ok(());
    }
    for file in files {
        let name = file.file_name().unwrap_or_default().display();
        let Some(found) = length(there, file)? else {
            return Err(Error::Conflict(format!(
                "the other hypervisor does not have {name}, which the machine needs: put it there first"
            )));
        };
        let needed = length(here, file)?;
        if needed.is_some_and(|needed| needed != found) {
            return Err(Error::Conflict(format!(
                "the other hypervisor has another file {name} than the one that the machine needs: put that there first"
            )));
        }
    }
    Ok(())
}

/// How many bytes a file has on the host; none where there is none.
fn length(live: &Live, file: &Path) -> Result<Option<u64>> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Ok(None) };
    let (folder, name) = (folder.to_string_lossy(), name.to_string_lossy());
    let mut left = LOOKS;
    loop {
        left -= 1;
        match look(live, &folder, &name) {
            // Another one looks there as well, and is just beginning, or done with it.
            Err(error) if left > 0 && !matches!(error, Error::Unavailable(_)) => {
                tracing::debug!(%folder, %error, "a folder is looked at again");
                sleep(LOOK_AGAIN);
            }
            found => return found,
        }
    }
}

fn look(live: &Live, folder: &str, name: &str) -> Result<Option<u64>> {
    let found = |pool: &StoragePool| match StorageVol::lookup_by_name(pool, name) {
        Ok(file) => Ok(Some(file.get_info_flags(sys::VIR_STORAGE_VOL_GET_PHYSICAL)?.allocation)),
        Err(error) if error.code() == ErrorNumber::NoStorageVolume => Ok(None),
        Err(error) => Err(error.into()),
    };
    match StoragePool::lookup_by_target_path(&live.connect, folder) {
        Ok(pool) if pool.is_active()? => {
            // One that was taken away may not be missed yet.
            pool.refresh(0)?;
            return found(&pool);
        }
        Ok(_) => {}
        Err(error) if error.code() == ErrorNumber::NoStoragePool => {}
        Err(error) => return Err(error.into()),
    }
    // A pool for as long as is looked.
    let description = folder_as_pool(&format!("{LOOK}{}", Uuid::new_v4()), folder)?;
    let pool = match StoragePool::create_xml(&live.connect, &description, 0) {
        Ok(pool) => pool,
        // It has no such folder.
        Err(error) if error.code() == ErrorNumber::SystemError => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let length = found(&pool);
    pool.destroy()?;
    length
}

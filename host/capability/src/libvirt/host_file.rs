//! Files of a hypervisor's host that a machine needs beside its volumes: the image that its disk began as, and the kernel that it
//! boots.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use uuid::Uuid;
use virt::error::ErrorNumber;
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;

use super::connection::{Driver, Live};
use super::error::{self, Error, Result};
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

/// 'conflict' where the host does not have one of them.
pub(super) fn check(live: &Live, files: &[PathBuf]) -> Result<()> {
    // What libvirt's imitation boots and copies is nowhere.
    if live.driver == Driver::Test {
        return Ok(());
    }
    for file in files {
        if !has(live, file)? {
            return Err(Error::Conflict(format!(
                "the other hypervisor does not have {}, which the machine needs: put it there first",
                file.file_name().unwrap_or_default().display()
            )));
        }
    }
    Ok(())
}

fn has(live: &Live, file: &Path) -> Result<bool> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Ok(false) };
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

fn look(live: &Live, folder: &str, name: &str) -> Result<bool> {
    let found =
        |pool: &StoragePool| error::is_there(StorageVol::lookup_by_name(pool, name).map_err(Into::into));
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
        Err(error) if error.code() == ErrorNumber::SystemError => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let is_there = found(&pool);
    pool.destroy()?;
    is_there
}

//! Images: what a machine's system or a volume begins as, and how one is made of these.

#![allow(unsafe_code)]

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::iter;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use virt::domain::Domain;
use virt::storage_vol::StorageVol;
use virt::sys;

use super::config::Boot;
use super::connection::{Driver, Live};
use super::device::Devices;
use super::error::{Error, Result};
use super::machine::{Machine, find};
use super::usage::Among;
use super::volume::{Place, Volume, user};
use super::worker::{Hold, Lane};
use super::xml::{self, leaf, node};
use super::{local, own_disk, qcow2};

/// What a machine's system begins as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// By which it is known.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// The disk that machines begin with a copy of.
    pub disk: Option<ImageDisk>,
    /// The kernel that they boot; without one they boot from that disk.
    pub boot: Option<Boot>,
}

/// A file with a disk, on the hypervisor's host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDisk {
    /// Its whole path.
    pub file: PathBuf,
    /// How it is written.
    pub format: DiskFormat,
}

/// How a disk is written to a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskFormat {
    /// QEMU's own, in which what nobody has written takes no room.
    #[default]
    Qcow2,
    /// As it is.
    Raw,
}

impl ImageDisk {
    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// What it is called there.
    pub(super) fn name(&self) -> Cow<'_, str> {
        self.file.file_name().unwrap_or_default().to_string_lossy()
    }
}

impl DiskFormat {
    /// Both, the more usual first.
    pub(super) const ALL: [Self; 2] = [Self::Qcow2, Self::Raw];

    /// The one by that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// The word for it, libvirt's and the contract's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
        }
    }
}

/// A copy of the disk that a machine boots from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskCopy {
    /// The image that the machine began as.
    pub began_as: Option<String>,
    /// Whether there is a disk; a machine may have none.
    pub has_disk: bool,
}

/// How long what libvirt began goes on without it, where the copy is small; one that is larger fails for want of the file.
const AFTER_ALL: Duration = Duration::from_millis(500);

/// How often it is looked whether a copy is whole.
const LOOK: Duration = Duration::from_millis(50);

impl Machine {
    /// Copies the disk that the machine boots from into a new file on the hypervisor's host, as QEMU's qcow2 that stands by
    /// itself: of a machine that runs, as the disk is at one moment. Nothing is left of one that was not copied to its end. `held` is
    /// until the hypervisor is done with the file, which it may be later than it is waited for.
    pub async fn copy_disk(&self, file: &Path, held: impl Send + 'static) -> Result<DiskCopy> {
        let (entity, file) = (self.entity, file.to_owned());
        let (place, patience) = (Place::of(self.hypervisor.config()), self.hypervisor.config().long.patience);
        self.hypervisor
            .workers()
            .call_once(Lane::Long, Hold::Entity(entity), move |live| {
                _ = &held;
                let domain = find(live, entity)?;
                let devices = Devices::defined(&domain)?;
                let system = devices.system();
                let began_as = system.and_then(|system| own_disk::image(entity, system.volume.as_deref()?));
                let boots_from =
                    system.or_else(|| devices.all().iter().find(|device| device.volume.is_some()));
                let Some(disk) = boots_from else { return Ok(DiskCopy { began_as, has_disk: false }) };
                let (volume, target) = (disk.volume.as_deref(), disk.target.as_deref());
                let copied = match (live.driver, domain.is_active()?) {
                    (Driver::Qemu, true) => {
                        copy_running(&domain, target.unwrap_or_default(), &file, patience)
                    }
                    (Driver::Qemu, false) => copy_resting(live, &place, volume.unwrap_or_default(), &file),
                    (Driver::Test, _) => imitate(&file, 0),
                };
                whole_or_none(&file, copied).map(|()| DiskCopy { began_as, has_disk: true })
            })
            .await
    }
}

impl Volume {
    /// Copies what is on the volume into a new file on the hypervisor's host, as QEMU's qcow2 that stands by itself: as it is
    /// at one moment, also while a machine uses it. Nothing is left of one that was not copied to its end. `held` is until the
    /// hypervisor is done with the file, which it may be later than it is waited for.
    pub async fn copy_to(&self, file: &Path, held: impl Send + 'static) -> Result<()> {
        let (entity, file) = (self.entity, file.to_owned());
        let (place, patience) = (Place::of(self.hypervisor.config()), self.hypervisor.config().long.patience);
        let handovers = self.hypervisor.handovers().clone();
        // Nobody attaches it or takes it away meanwhile.
        let copy = move |live: &Live| {
            _ = &held;
            let kept = place.find(live, entity)?;
            // A machine that would start with it would write to it while it is copied.
            let _handover = handovers.begin(live, iter::once(&*kept.name))?;
            let copied = match live.driver {
                Driver::Test => imitate(&file, kept.capacity(live)?),
                Driver::Qemu => match user(live, Among::Running, entity)? {
                    Some((domain, target)) => copy_running(&domain, &target, &file, patience),
                    None => copy_resting(live, &place, &kept.name, &file),
                },
            };
            whole_or_none(&file, copied)
        };
        self.hypervisor.workers().call_once(Lane::Long, Hold::Unused(entity), copy).await
    }
}

fn whole_or_none(file: &Path, copied: Result<()>) -> Result<()> {
    if let Err(error) = &copied {
        local::remove(file, "a copy that is not whole");
        if matches!(error, Error::Unavailable(_)) {
            // What a daemon that was killed has begun goes on for a moment, and may have made it just then.
            sleep(AFTER_ALL);
            local::remove(file, "a copy that is not whole");
        }
    }
    copied
}

/// QEMU copies while the machine goes on to write, until both are the same; that is the moment.
fn copy_running(domain: &Domain, target: &str, file: &Path, patience: Duration) -> Result<()> {
    let destination = xml::document(|xml| {
        node(xml, "disk", &[("type", "file")], |xml| {
            leaf(xml, "driver", &[("type", DiskFormat::Qcow2.as_str())])?;
            leaf(xml, "source", &[("file", &file.to_string_lossy())])
        })
    })?;
    let (name, destination) = (c_string(target)?, c_string(&destination)?);
    if mirror(domain, target)?.is_some() {
        // One that broke off when it was to be ended, with which QEMU would go on for ever.
        end_copy(domain, &name)?;
    }
    let flags = sys::VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB;
    // SAFETY: the domain is valid for as long as it is borrowed, and libvirt copies both texts, which end with a zero; no
    // parameters are passed.
    let begun = unsafe {
        sys::virDomainBlockCopy(
            domain.as_ptr(),
            name.as_ptr(),
            destination.as_ptr(),
            std::ptr::null_mut(),
            0,
            flags,
        )
    };
    if begun != 0 {
        return Err(virt::error::Error::last_error().into());
    }
    // Before the caller gives up, so that nothing is copied that nobody waits for.
    let looks = patience.saturating_sub(Duration::from_secs(1)).as_millis() / LOOK.as_millis();
    let mut outcome = Err(Error::Conflict(
        "the disk is too large to be copied in the time that a call has: stop the machine first, or have the operator \
         raise `hypervisor.long-seconds`"
            .into(),
    ));
    for _ in 0..looks {
        match is_mirrored(domain, target) {
            Ok(false) => sleep(LOOK),
            Ok(true) => {
                outcome = Ok(());
                break;
            }
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    // The machine goes on with its own disk, and the copy stays as it is.
    let ended = end_copy(domain, &name);
    outcome.and(ended)
}

/// Has QEMU copy a disk no more.
fn end_copy(domain: &Domain, target: &CStr) -> Result<()> {
    // SAFETY: the domain is valid for as long as it is borrowed, and libvirt copies the text, which ends with a zero.
    let ended = unsafe { sys::virDomainBlockJobAbort(domain.as_ptr(), target.as_ptr(), 0) };
    if ended == 0 { Ok(()) } else { Err(virt::error::Error::last_error().into()) }
}

/// Whether a copy is the same as its disk; an error where it is no longer made.
fn is_mirrored(domain: &Domain, target: &str) -> Result<bool> {
    mirror(domain, target)?.ok_or_else(|| Error::Failed("the copy of the machine's disk broke off".into()))
}

/// The copy that is being made of a disk: whether it is the same.
fn mirror(domain: &Domain, target: &str) -> Result<Option<bool>> {
    let running = Devices::running(domain)?;
    Ok(running
        .all()
        .iter()
        .find(|device| device.target.as_deref() == Some(target))
        .and_then(|disk| disk.mirror))
}

/// A disk that nobody writes to is copied as a volume.
fn copy_resting(live: &Live, place: &Place, volume: &str, file: &Path) -> Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let pool = place.beside(file.parent().unwrap_or(Path::new("/"))).ready(&live.connect)?;
    // One of that name which was removed from the folder the hypervisor may not have missed yet.
    if !file.exists()
        && let Ok(gone) = StorageVol::lookup_by_name(&pool, &name)
    {
        gone.delete(0)?;
    }
    place.copy(live, volume, &pool, &name).map(drop)
}

/// The disks of libvirt's imitation hold nothing.
fn imitate(file: &Path, bytes: u64) -> Result<()> {
    std::fs::write(file, qcow2::empty(bytes))
        .map_err(|error| Error::Failed(format!("the copy of the machine's disk could not be made: {error}")))
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Invalid("a name for the hypervisor has a zero in it".into()))
}

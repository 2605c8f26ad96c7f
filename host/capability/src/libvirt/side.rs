//! A pool at a hypervisor, into which something comes from another one, or from which it goes.
//!
//! Until something is where it came from no more, a small volume stands beside what came, so that a crash leaves no doubt about which of
//! two counts. While it is copied that is a mark of one kind, once it is whole of another. A mark with a machine's name says that the
//! machine is coming, or came. Where all hypervisors have the same volumes, none is copied and nothing is marked.

use std::thread::sleep;
use std::time::Duration;

use virt::storage_vol::StorageVol;

use super::connection::Live;
use super::device::Device;
use super::error::{self, Error, Result};
use super::place::Place;
use super::usage::{self, Among};
use super::{own_disk, probe};

/// A pool at a hypervisor.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) live: &'a Live,
    pub(super) place: &'a Place,
}

/// What stands beside something that came from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is not whole.
    Coming,
    /// It is whole, and may still be where it came from.
    Arrived,
}

/// How often a pool is told to look at its folder, and the time between.
const REFRESHES: u32 = 10;
const REFRESH_AGAIN: Duration = Duration::from_millis(200);

impl Mark {
    const ALL: [Self; 2] = [Self::Coming, Self::Arrived];

    fn suffix(self) -> &'static str {
        match self {
            Self::Coming => ".coming",
            Self::Arrived => ".arrived",
        }
    }

    fn beside(self, name: &str) -> String {
        format!("{name}{}", self.suffix())
    }

    /// What a mark of that name stands beside; none where it is no mark.
    pub(super) fn of(name: &str) -> Option<&str> {
        Self::read(name).map(|(_, beside)| beside)
    }

    /// The same, and which it is.
    pub(super) fn read(name: &str) -> Option<(Self, &str)> {
        Self::ALL.into_iter().find_map(|mark| Some((mark, name.strip_suffix(mark.suffix())?)))
    }
}

impl Side<'_> {
    pub(super) fn find(&self, volume: &str) -> Result<StorageVol> {
        self.place.within(self.live, |pool| StorageVol::lookup_by_name(pool, volume))
    }

    pub(super) fn has(&self, volume: &str) -> Result<bool> {
        error::is_there(self.find(volume))
    }

    /// Has the pool look at its folder. libvirt refuses that while a volume is being made there, which is over soon.
    pub(super) fn look(&self) -> Result<()> {
        for _ in 1..REFRESHES {
            if self.place.within(self.live, |pool| pool.refresh(0)).is_ok() {
                return Ok(());
            }
            sleep(REFRESH_AGAIN);
        }
        self.place.within(self.live, |pool| pool.refresh(0)).map(drop).map_err(|error| match error {
            Error::Unavailable(_) => error,
            busy => Error::Unavailable(format!("the folder of volumes cannot be read anew now: {busy}")),
        })
    }

    /// The same, where what the pool does not know then is found missing.
    pub(super) fn refresh(&self) {
        if let Err(error) = self.look() {
            tracing::debug!(%error, "a pool is not refreshed");
        }
    }

    /// Deletes a volume. Succeeds where there is none.
    pub(super) fn delete(&self, volume: &str) -> Result<()> {
        own_disk::delete(self.live, self.place, volume)
    }

    /// Whether something of that name, a volume or a machine, came from elsewhere or is coming, and may still be there.
    pub(super) fn mark(&self, name: &str) -> Result<Option<Mark>> {
        if self.place.is_shared() {
            return Ok(None);
        }
        // The later one first: for a moment both are there.
        for mark in [Mark::Arrived, Mark::Coming] {
            if self.has(&mark.beside(name))? {
                return Ok(Some(mark));
            }
        }
        Ok(None)
    }

    /// Something is about to come from elsewhere.
    pub(super) fn announce(&self, name: &str) -> Result<()> {
        if self.mark(name)?.is_some() {
            return Ok(());
        }
        self.make_mark(Mark::Coming, name)
    }

    /// It is whole.
    pub(super) fn mark_arrived(&self, name: &str) -> Result<()> {
        if self.mark(name)? != Some(Mark::Arrived) {
            self.make_mark(Mark::Arrived, name)?;
        }
        self.delete(&Mark::Coming.beside(name))
    }

    /// It is where it came from no more, or does not come after all.
    pub(super) fn settle(&self, name: &str) -> Result<()> {
        // The one last that says that it is whole.
        Mark::ALL.iter().try_for_each(|mark| self.delete(&mark.beside(name)))
    }

    /// A volume that came, or a part of it, is not needed after all. What came not, or a machine is defined with, stays.
    pub(super) fn withdraw(&self, volume: &str) -> Result<()> {
        let is_meant = |device: &Device| device.volume.as_deref() == Some(volume);
        if self.mark(volume)?.is_none() || usage::user(self.live, Among::All, volume, is_meant)?.is_some() {
            return Ok(());
        }
        self.delete(volume)?;
        self.settle(volume)
    }

    /// 'conflict' where one of these volumes is here that did not come: it may be the same one, where two hypervisors have one folder and
    /// nobody said so.
    pub(super) fn check_room(&self, volumes: &[String]) -> Result<()> {
        self.look()?;
        for volume in volumes {
            if self.mark(volume)?.is_none() && self.has(volume)? {
                return Err(Error::Conflict(format!(
                    "the other hypervisor has a volume {volume} already; where both have the same folder of volumes, the operator \
                     says so by `hypervisor.shared-volumes = true`"
                )));
            }
        }
        Ok(())
    }

    /// 'conflict' where the other one does not have this folder, though all are said to.
    pub(super) fn check_shared(&self, other: Side<'_>) -> Result<()> {
        let seen = probe::name();
        self.place.create_raw(self.live, &seen, MARK)?;
        let is_seen = other.look().and_then(|()| other.has(&seen));
        self.delete(&seen)?;
        if is_seen? {
            return Ok(());
        }
        Err(Error::Conflict(
            "the other hypervisor does not see this folder of volumes: the operator has it be there, too, or leaves out \
             `hypervisor.shared-volumes`"
                .into(),
        ))
    }

    /// 'unavailable' where it is not known yet what came of an earlier move.
    pub(super) fn check_settled(&self, name: &str) -> Result<()> {
        match self.mark(name)? {
            None => Ok(()),
            Some(_) => Err(Error::Unavailable(
                "it came from another hypervisor, and may still be there: try again once that one answers"
                    .into(),
            )),
        }
    }

    fn make_mark(&self, mark: Mark, name: &str) -> Result<()> {
        if self.place.is_shared() {
            return Ok(());
        }
        self.place.create_raw(self.live, &mark.beside(name), MARK).map(drop)
    }
}

/// The bytes of a mark.
const MARK: usize = 512;

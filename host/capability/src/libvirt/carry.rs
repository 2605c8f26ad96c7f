//! A volume's bytes from one hypervisor to another, by way of this process.
//!
//! Until a volume is where it came from no more, a small one stands beside what came. So a crash leaves no doubt about which of two
//! counts: the one that did not come, and where there is none, that which came is whole. One of the machine's name tells the same of all
//! that the machine has by itself.

use std::thread::sleep;
use std::time::Duration;

use virt::storage_vol::StorageVol;
use virt::stream::Stream;

use super::connection::{Driver, Live};
use super::device::Device;
use super::error::{self, Error, Result};
use super::image::DiskFormat;
use super::name;
use super::own_disk::{self, Own};
use super::place::{self, Place};
use super::usage::{self, Among};

/// A pool at a hypervisor.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) live: &'a Live,
    pub(super) place: &'a Place,
}

/// How often a pool is told to look at its folder, and the time between.
const REFRESHES: u32 = 10;
const REFRESH_AGAIN: Duration = Duration::from_millis(200);

/// libvirt's messages carry no more.
const MESSAGE: usize = 256 << 10;
/// So many bytes of a raw volume are one piece, which is left out where it holds nothing.
const PIECE: usize = 4 << 20;

/// What stands beside something that came from elsewhere, until it is there no more.
fn marker(volume: &str) -> String {
    format!("{volume}.coming")
}

/// Something is about to come from elsewhere.
pub(super) fn announce(side: Side<'_>, volume: &str) -> Result<()> {
    if is_coming(side, volume)? {
        return Ok(());
    }
    side.place.create_raw(side.live, &marker(volume), 512).map(drop)
}

/// Whether a volume, or a machine by its name, came, or is coming, from where it still is.
pub(super) fn is_coming(side: Side<'_>, volume: &str) -> Result<bool> {
    side.has(&marker(volume))
}

/// It is where it came from no more, or does not come after all.
pub(super) fn has_come(side: Side<'_>, volume: &str) -> Result<()> {
    side.delete(&marker(volume))
}

/// What came, or a part of it, is not needed after all. What a machine is defined with stays.
pub(super) fn withdraw(side: Side<'_>, volume: &str) -> Result<()> {
    let is_meant = |device: &Device| device.volume.as_deref() == Some(volume);
    if !is_coming(side, volume)? || usage::user(side.live, Among::All, volume, is_meant)?.is_some() {
        return Ok(());
    }
    side.delete(volume)?;
    side.delete(&marker(volume))
}

impl Side<'_> {
    fn find(&self, volume: &str) -> Result<StorageVol> {
        self.place.within(self.live, |pool| StorageVol::lookup_by_name(pool, volume))
    }

    fn has(&self, volume: &str) -> Result<bool> {
        error::is_there(self.find(volume))
    }

    /// Has the pool look at its folder. libvirt refuses that while a volume is being made there, which is over soon; what the
    /// pool does not know then is found missing.
    pub(super) fn refresh(&self) {
        for _ in 0..REFRESHES {
            match self.place.within(self.live, |pool| pool.refresh(0)) {
                Ok(_) => return,
                Err(error) => tracing::debug!(%error, "a pool is not refreshed"),
            }
            sleep(REFRESH_AGAIN);
        }
    }

    /// Deletes a volume. Succeeds where there is none.
    pub(super) fn delete(&self, volume: &str) -> Result<()> {
        own_disk::delete(self.live, self.place, volume)
    }
}

/// How much a volume takes at a hypervisor, in bytes.
pub(super) fn allocation(side: Side<'_>, volume: &str) -> Result<u64> {
    Ok(side.find(volume)?.get_info()?.allocation)
}

/// Makes a volume be at the other side as it is at the one, where it stays; nobody may use it meanwhile. It [is coming](is_coming)
/// until [`has_come`]. 'conflict' where a volume of that name is at the other side, which did not come.
pub(super) fn carry(volume: &str, from: Side<'_>, to: Side<'_>) -> Result<()> {
    let Begun { source, copy, capacity, format } = begin(volume, from, to)?;
    if (from.live.driver, to.live.driver) == (Driver::Qemu, Driver::Qemu) {
        let bytes = Stream::new(&from.live.connect, 0)?;
        source.download(&bytes, 0, 0, 0)?;
        let pumped = pump(&bytes, &copy, to.live, format);
        // Else the daemon goes on to send, to nobody.
        let ended = if pumped.is_ok() { bytes.finish() } else { bytes.abort() };
        pumped?;
        ended?;
        to.refresh();
    }
    let came = place::capacity(to.live, &to.find(volume)?, format)?;
    if came != capacity {
        return Err(Error::Failed(format!("a volume of {capacity} bytes came as one of {came}")));
    }
    Ok(())
}

/// A volume that comes, into which nothing has been copied.
pub(super) struct Begun {
    source: StorageVol,
    copy: StorageVol,
    capacity: u64,
    format: DiskFormat,
}

/// Begins to carry: makes the volume that comes.
pub(super) fn begin(volume: &str, from: Side<'_>, to: Side<'_>) -> Result<Begun> {
    let source = from.find(volume)?;
    let format = format_of(volume);
    let capacity = place::capacity(from.live, &source, format)?;
    to.refresh();
    // What a carrying that was cut short has left.
    withdraw(to, volume)?;
    if to.has(volume)? {
        return Err(Error::Conflict(format!(
            "the other hypervisor has a volume {volume} already; where all have the same folder of volumes, the operator says so by \
             `hypervisor.shared-volumes`"
        )));
    }
    announce(to, volume)?;
    let copy = to.place.make(to.live, volume, capacity, format)?;
    Ok(Begun { source, copy, capacity, format })
}

/// How a volume is written, as its name says: its content may be made by a guest.
fn format_of(volume: &str) -> DiskFormat {
    match (name::of_volume(volume), own_disk::kind_of(volume)) {
        (Some((_, format)), _) => format,
        (None, Some(Own::Seed)) => DiskFormat::Raw,
        (None, _) => DiskFormat::Qcow2,
    }
}

/// What has been written of a copy.
struct Copy<'a> {
    volume: &'a StorageVol,
    live: &'a Live,
    at: u64,
    /// One that goes on from where the last bytes were written.
    open: Option<Stream>,
}

impl Drop for Copy<'_> {
    /// One that is still open has come to no good end.
    fn drop(&mut self) {
        if let Some(stream) = self.open.take()
            && let Err(error) = stream.abort()
        {
            tracing::debug!(%error, "a stream to a hypervisor is not ended");
        }
    }
}

impl Copy<'_> {
    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        let stream = match self.open.take() {
            Some(stream) => stream,
            None => {
                let stream = Stream::new(&self.live.connect, 0)?;
                self.volume.upload(&stream, self.at, 0, 0)?;
                stream
            }
        };
        self.at += bytes.len() as u64;
        let stream = self.open.insert(stream);
        while !bytes.is_empty() {
            let sent = stream.send(&bytes[..bytes.len().min(MESSAGE)])?;
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    fn leave_out(&mut self, bytes: usize) -> Result<()> {
        self.at += bytes as u64;
        self.close()
    }

    fn close(&mut self) -> Result<()> {
        Ok(self.open.take().map_or(Ok(()), Stream::finish)?)
    }
}

/// Writes to a volume what comes. Of a raw one pieces that hold nothing are left out: it is as long as it should be.
fn pump(bytes: &Stream, volume: &StorageVol, live: &Live, format: DiskFormat) -> Result<()> {
    let mut copy = Copy { volume, live, at: 0, open: None };
    let mut piece = vec![0; PIECE];
    loop {
        let mut filled = 0;
        while filled < PIECE {
            let end = (filled + MESSAGE).min(PIECE);
            match bytes.recv(&mut piece[filled..end])? {
                0 => break,
                more => filled += more,
            }
        }
        let came = &piece[..filled];
        if came.is_empty() {
            return copy.close();
        }
        if format == DiskFormat::Raw && came.iter().all(|byte| *byte == 0) {
            copy.leave_out(filled)?;
        } else {
            copy.write(came)?;
        }
    }
}

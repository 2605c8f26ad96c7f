//! A volume's bytes from one hypervisor to another, by way of this process.

use virt::storage_vol::StorageVol;
use virt::stream::Stream;

use super::connection::{Driver, Live};
use super::error::{Error, Result};
use super::image::DiskFormat;
use super::own_disk::{self, Own};
use super::side::Side;
use super::{name, place, qcow2};

/// libvirt's messages carry no more.
const MESSAGE: usize = 256 << 10;
/// So many bytes of a raw volume are one piece, which is left out where it holds nothing.
const PIECE: usize = 4 << 20;

/// How much a volume takes at a hypervisor, in bytes.
pub(super) fn allocation(side: Side<'_>, volume: &str) -> Result<u64> {
    Ok(side.find(volume)?.get_info()?.allocation)
}

/// Whether snapshots are in a volume, which QEMU does not copy with what it is now.
pub(super) fn has_snapshots(side: Side<'_>, volume: &str) -> Result<bool> {
    if format_of(volume) != DiskFormat::Qcow2 {
        return Ok(false);
    }
    let bytes = Stream::new(&side.live.connect, 0)?;
    side.find(volume)?.download(&bytes, 0, qcow2::HEAD as u64, 0)?;
    // One more than comes, so that the end is seen.
    let (mut head, mut filled) = ([0; qcow2::HEAD + 1], 0);
    loop {
        match bytes.recv(&mut head[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) => {
                _ = bytes.abort();
                return Err(error.into());
            }
        }
    }
    bytes.finish()?;
    Ok(qcow2::snapshots(&head[..filled]) != Some(0))
}

/// Makes a volume be at the other side as it is at the one, where it stays; nobody may use it meanwhile. It is marked
/// until it is [settled](Side::settle). There is [room for it](Side::check_room).
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
    to.mark_arrived(volume)
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
    // What a carrying that was cut short has left.
    to.withdraw(volume)?;
    to.announce(volume)?;
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

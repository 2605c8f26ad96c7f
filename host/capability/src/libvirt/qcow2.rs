//! What the beginning of a file says that is written as QEMU's qcow2 has it.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};

use super::image::{DiskFormat, ImageDisk};

const MAGIC: [u8; 4] = *b"QFI\xfb";
/// Where the number of bytes stands, of which the disk has so many, the highest first.
const SIZE: std::ops::Range<usize> = 24..32;
/// Where the number of snapshots stands that are in it, the highest byte first.
const SNAPSHOTS: std::ops::Range<usize> = 60..64;

/// So many bytes of the beginning tell all of this.
pub(super) const HEAD: usize = SNAPSHOTS.end;

impl ImageDisk {
    /// How many bytes a machine finds on it, in whole sectors.
    pub fn bytes(&self) -> Result<u64> {
        let mut file = File::open(&self.file)?;
        let bytes = match self.format {
            DiskFormat::Raw => file.metadata()?.len(),
            DiskFormat::Qcow2 => {
                let mut head = [0; SIZE.end];
                let read = file.read_exact(&mut head);
                read.map_err(|_| Error::new(ErrorKind::InvalidData, "it is no qcow2"))?;
                size(head).ok_or_else(|| Error::new(ErrorKind::InvalidData, "it is no qcow2"))?
            }
        };
        Ok(bytes.checked_next_multiple_of(512).unwrap_or(bytes))
    }
}

/// How many snapshots are in one that begins so; none where that is no beginning of one.
pub(super) fn snapshots(head: &[u8]) -> Option<u32> {
    let number: [u8; 4] = head.get(SNAPSHOTS)?.try_into().ok()?;
    head.starts_with(&MAGIC).then(|| u32::from_be_bytes(number))
}

fn size(head: [u8; SIZE.end]) -> Option<u64> {
    let bytes: [u8; 8] = head[SIZE].try_into().ok()?;
    head.starts_with(&MAGIC).then(|| u64::from_be_bytes(bytes))
}

/// The beginning of one that holds nothing.
pub(super) fn empty(bytes: u64) -> [u8; SIZE.end] {
    let mut head = [0; SIZE.end];
    head[..MAGIC.len()].copy_from_slice(&MAGIC);
    head[7] = 3;
    head[SIZE].copy_from_slice(&bytes.to_be_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_how_large_its_disk_is() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = |format, content: &[u8]| {
            let file = folder.path().join("disk");
            std::fs::write(&file, content).unwrap();
            ImageDisk { file, format }.bytes().map_err(|error| error.to_string())
        };
        assert_eq!(bytes(DiskFormat::Qcow2, &empty(3 << 30)), Ok(3 << 30));
        assert_eq!(bytes(DiskFormat::Raw, &empty(3 << 30)), Ok(512));
        assert_eq!(bytes(DiskFormat::Raw, &[0; 513]), Ok(1024));
        for wrong in [&b""[..], b"QFI\xfb", &[0; 512]] {
            assert_eq!(bytes(DiskFormat::Qcow2, wrong), Err("it is no qcow2".into()));
        }
    }

    #[test]
    fn it_says_how_many_snapshots_are_in_it() {
        let mut head = [0; HEAD];
        head[..SIZE.end].copy_from_slice(&empty(1 << 20));
        assert_eq!(snapshots(&head), Some(0));
        head[SNAPSHOTS.end - 1] = 2;
        assert_eq!(snapshots(&head), Some(2));
        assert_eq!(snapshots(&head[..HEAD - 1]), None);
        assert_eq!(snapshots(&[0; HEAD]), None);
    }
}

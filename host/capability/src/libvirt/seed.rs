//! The disk with what a machine's system is to be told when it boots: an ISO 9660 file system with the label that cloud-init
//! looks for (`NoCloud`).

use std::io::Cursor;
use std::sync::Arc;

use hadris_iso::joliet::JolietLevel;
use hadris_iso::read::PathSeparator;
use hadris_iso::write::options::{CreationFeatures, IsoFormatOptions};
use hadris_iso::write::{File, InputFiles, IsoImageWriter};
use sha2::{Digest, Sha256};

use super::error::{Error, Result};

/// How the disk is known to the machine's system.
const LABEL: &str = "CIDATA";

/// A file system's sector, in bytes.
const SECTOR: usize = 2048;

/// The most that one file has, in bytes.
const FILE: usize = 1 << 20;
/// The most files.
const FILES: usize = 16;

/// Whether these can be the files of such a disk.
pub(super) fn check(files: &[(String, Vec<u8>)]) -> Result<()> {
    if files.len() > FILES {
        return Err(Error::Invalid(format!("a machine is told at most {FILES} files")));
    }
    for (nth, (name, content)) in files.iter().enumerate() {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = (1..=32).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with('.');
        if !is_name || files[..nth].iter().any(|(other, _)| other == name) {
            return Err(Error::Invalid(format!(
                "{name:?} is no name of a file that a machine is told, or is there twice"
            )));
        }
        if content.len() > FILE {
            return Err(Error::Invalid(format!(
                "the file {name} that the machine is told has more than {FILE} bytes"
            )));
        }
    }
    Ok(())
}

/// What tells these files from others; none of none.
pub(super) fn digest(files: &[(String, Vec<u8>)]) -> Option<String> {
    if files.is_empty() {
        return None;
    }
    let mut digest = Sha256::new();
    for part in files.iter().flat_map(|(name, content)| [name.as_bytes(), content]) {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    Some(digest.finalize()[..8].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

/// The disk with these files.
pub(super) fn disk(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let file = |(name, contents): &(String, Vec<u8>)| File::File {
        name: Arc::new(name.clone()),
        contents: contents.clone(),
    };
    // Both ways to have names that are longer than eight letters: Linux reads the one, others the other.
    let features = CreationFeatures { joliet: Some(JolietLevel::Level3), ..CreationFeatures::rock_ridge() };
    let options = IsoFormatOptions {
        volume_name: LABEL.into(),
        system_id: None,
        volume_set_id: None,
        publisher_id: None,
        preparer_id: None,
        application_id: None,
        sector_size: SECTOR,
        features,
        path_separator: PathSeparator::ForwardSlash,
        strict_charset: false,
    };
    let files =
        InputFiles { path_separator: PathSeparator::ForwardSlash, files: files.iter().map(file).collect() };
    let mut disk = Cursor::new(Vec::new());
    IsoImageWriter::create(&mut disk, files, options)
        .map_err(|error| Error::Failed(format!("the disk with what the machine is told: {error}")))?;
    Ok(disk.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hadris_iso::read::IsoImage;

    fn files(names: &[&str]) -> Vec<(String, Vec<u8>)> {
        names.iter().map(|name| ((*name).to_owned(), format!("content of {name}").into_bytes())).collect()
    }

    #[test]
    fn the_files_are_on_the_disk() {
        let given = files(&["user-data", "meta-data", "network-config"]);
        let disk = disk(&given).unwrap();
        assert_eq!(disk.len() % SECTOR, 0);
        assert!(disk.windows(LABEL.len()).any(|window| window == LABEL.as_bytes()));
        for (name, content) in &given {
            for part in [name.as_bytes(), content.as_slice()] {
                assert!(disk.windows(part.len()).any(|window| window == part), "{name}");
            }
        }
        IsoImage::open(Cursor::new(disk)).unwrap();
    }

    #[test]
    fn other_files_have_another_digest() {
        assert_eq!(digest(&[]), None);
        let one = digest(&files(&["a", "b"]));
        assert_eq!(one, digest(&files(&["a", "b"])));
        for other in [files(&["a"]), files(&["b", "a"]), vec![("a".into(), vec![])]] {
            assert_ne!(one, digest(&other));
        }
    }

    #[test]
    fn what_can_be_no_such_disk_is_refused() {
        assert_eq!(check(&files(&["user-data", "meta-data"])), Ok(()));
        let large = vec![("a".to_owned(), vec![0; FILE + 1])];
        for wrong in
            [files(&["a", "a"]), files(&["../a"]), files(&[""]), files(&[".a"]), large, files(&["a"; 17])]
        {
            assert_eq!(check(&wrong).map_err(|error| error.code()), Err("invalid"));
        }
    }
}

//! An image that is being made has a file beside it that says so. What comes to no end goes with that file: once nobody makes it any
//! more, or at the next start.

use std::fs::{self, File};
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

/// How that file ends.
const MAKING: &str = "making";

/// The file, which is there as long as this value, and locked, as others may have the same folder. Whoever waits for the disk and
/// whoever copies it share it, so that it is there until both are done.
pub(super) struct Making {
    file: PathBuf,
    _locked: File,
}

impl Making {
    /// 'already exists' where another one makes an image of that name.
    pub(super) fn begin(folder: &Path, name: &str) -> Result<Self> {
        let file = folder.join(name).with_extension(MAKING);
        let locked = File::create_new(&file)?;
        locked.lock()?;
        Ok(Self { file, _locked: locked })
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if let Err(error) = end(&self.file) {
            tracing::warn!(file = %self.file.display(), "what is left of an image that was made stays: {error}");
        }
    }
}

/// Nobody makes it any more: a disk that is not described goes.
fn end(making: &Path) -> Result<()> {
    if !making.with_extension("toml").exists() {
        let disk = making.with_extension("qcow2");
        match fs::remove_file(&disk) {
            Ok(()) => {
                tracing::info!(disk = %disk.display(), "an image that was not made to its end is removed");
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    fs::remove_file(making)
}

/// Removes what was being made when the server was killed. Other disks without a description are the operator's.
pub(super) fn clear_up(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let making = entry?.path();
        if making.extension().is_none_or(|extension| extension != MAKING) {
            continue;
        }
        // One that is made by another server is locked, or made by now.
        if File::open(&making).is_ok_and(|file| file.try_lock().is_err()) || !making.exists() {
            continue;
        }
        end(&making)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_server_was_making_goes() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for name in [
            "half.qcow2",
            "half.making",
            "begun.making",
            "made.qcow2",
            "made.toml",
            "made.making",
            "own.qcow2",
        ] {
            fs::write(file(name), "").unwrap();
        }
        clear_up(folder.path()).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["made.qcow2", "made.toml", "own.qcow2"]);
    }

    #[test]
    fn it_is_there_while_one_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let making = Making::begin(folder.path(), "web").unwrap();
        fs::write(folder.path().join("web.qcow2"), "").unwrap();
        assert!(Making::begin(folder.path(), "web").is_err(), "another server makes it");
        clear_up(folder.path()).unwrap();
        assert!(folder.path().join("web.making").exists() && folder.path().join("web.qcow2").exists());
        fs::write(folder.path().join("web.toml"), "").unwrap();
        drop(making);
        assert!(!folder.path().join("web.making").exists() && folder.path().join("web.qcow2").exists());

        let making = Making::begin(folder.path(), "half").unwrap();
        fs::write(folder.path().join("half.qcow2"), "").unwrap();
        drop(making);
        assert!(!folder.path().join("half.making").exists() && !folder.path().join("half.qcow2").exists());
    }
}

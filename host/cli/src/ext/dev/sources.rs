//! The files that an author writes, and when each was written last.
//!
//! They are looked at again and again, which for the few that there are costs nothing to speak of, goes on where folders come and
//! go, and sees no difference where an editor's own file came and went.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files that belong to tools, beside those whose names begin with a dot: the SDK, what is built, and what is installed.
const OTHERS: [&str; 7] =
    ["occi", "target", "node_modules", "__pycache__", "occi-data", "Cargo.lock", "package-lock.json"];

/// The files of a folder, with the time and the size of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sources(BTreeMap<PathBuf, (SystemTime, u64)>);

impl Sources {
    /// As they are now. What cannot be read is not there.
    pub(super) fn of(folder: &Path) -> Self {
        // Where this program's output is kept in the folder, nothing is changed by it.
        let (stdout, stderr) = (io::stdout(), io::stderr());
        Self::but([stdout.as_fd(), stderr.as_fd()].map(identity), folder)
    }

    fn but(output: [Option<(u64, u64)>; 2], folder: &Path) -> Self {
        let mut sources = Self::default();
        sources.gather(output, folder);
        sources
    }

    fn gather(&mut self, output: [Option<(u64, u64)>; 2], folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || OTHERS.contains(&&*name) {
                continue;
            }
            // Of a link its own, so that nobody walks in circles.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                self.gather(output, &entry.path());
            } else if let Ok(written) = metadata.modified()
                && !output.contains(&Some(number(&metadata)))
            {
                self.0.insert(entry.path(), (written, metadata.len()));
            }
        }
    }
}

fn number(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Which file that is.
fn identity(open: BorrowedFd<'_>) -> Option<(u64, u64)> {
    let file = File::from(open.try_clone_to_owned().ok()?);
    file.metadata().ok().as_ref().map(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_the_author_writes_is_seen_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write("src/lib.rs", "a");
        let before = Sources::of(folder.path());
        for other in ["target/x", "occi/sdk/x", ".git/x", "src/.lib.rs.swp", "Cargo.lock"] {
            write(other, "");
        }
        assert_eq!(Sources::of(folder.path()), before);
        write("dev.log", "");
        let log = File::open(folder.path().join("dev.log")).unwrap();
        assert_eq!(Sources::but([None, identity(log.as_fd())], folder.path()), before);
        assert_ne!(Sources::of(folder.path()), before);
        fs::remove_file(folder.path().join("dev.log")).unwrap();
        write("src/lib.rs", "ab");
        let changed = Sources::of(folder.path());
        assert_ne!(changed, before);
        write("src/more/new.rs", "");
        assert_ne!(Sources::of(folder.path()), changed);
        fs::remove_dir_all(folder.path().join("src/more")).unwrap();
        assert_eq!(Sources::of(folder.path()), changed);
    }
}

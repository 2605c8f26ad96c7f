//! Files that can be written by another name than the folder's: behind symbolic links, and with several names. Nobody tells of
//! it, so they are looked at now and then.

use crate::catalogue::aside;
use crate::file::{self, Seen};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Those files, each as it was seen last, and whether it was spoken of since.
#[derive(Default)]
pub(crate) struct Linked(HashMap<PathBuf, (Seen, bool)>);

impl Linked {
    /// Those that are others than before. One that is seen to change counts when it has stopped to: half of a file is not
    /// looked at.
    pub(crate) async fn changed(&mut self, folder: &Path) -> Vec<PathBuf> {
        let folder = folder.to_owned();
        // That the folder cannot be read is said where all of it is.
        let seen = aside(move || Ok(file::in_folder(&folder)?.into_iter().filter_map(see).collect())).await;
        let seen: HashMap<PathBuf, Seen> = seen.unwrap_or_default();
        let mut changed = Vec::new();
        let before = std::mem::take(&mut self.0);
        for (path, now) in seen {
            let (is_still, was_told) = match before.get(&path) {
                Some((seen, was_told)) => (*seen == now, *was_told),
                None => (false, false),
            };
            if is_still && !was_told {
                changed.push(path.clone());
            }
            self.0.insert(path, (now, is_still));
        }
        changed
    }
}

/// None of a file that has one name alone.
fn see(path: PathBuf) -> Option<(PathBuf, Seen)> {
    let is_link = path.is_symlink();
    path.metadata().ok().filter(|metadata| is_link || metadata.nlink() > 1)?;
    let seen = file::see(&path)?;
    Some((path, seen))
}

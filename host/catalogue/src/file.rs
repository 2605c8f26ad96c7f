//! Files: those of the folder that says what serves, and copies of all that may have to serve again.

use crate::refused::Refused;
use crate::source::Source;
use occi_extension::{Digest, LoadError, MAX_SIZE, Outline};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// A folder of extensions: each file that ends in `.wasm` or `.toml` is one. Names that begin with a dot are of files
/// that somebody is about to rename.
pub(crate) fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Refused> {
    let failed = |error| Refused::File { path: folder.into(), error };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if is_extension(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file is looked at, by its name.
pub(crate) fn is_extension(path: &Path) -> bool {
    let is_hidden = name(path).starts_with('.');
    !is_hidden && matches!(path.extension().and_then(OsStr::to_str), Some("wasm" | "toml"))
}

/// The last part of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A file's content, where it is one.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    let failed = |error| Refused::File { path: path.into(), error };
    open(path)?.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Whether a file holds an extension, and of another name.
pub(crate) fn holds_another(path: &Path, name: &str) -> bool {
    let outline = read(path).ok().and_then(|bytes| Outline::read(&bytes).ok());
    outline.is_some_and(|outline| *outline.manifest.name != *name)
}

/// What is no file is not read, and what is too large for any extension neither.
fn open(path: &Path) -> Result<io::Take<File>, Refused> {
    let failed = |error| Refused::File { path: path.into(), error };
    let metadata = path.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is not a regular file")));
    }
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if size > MAX_SIZE {
        return Err(LoadError::TooLarge { most: MAX_SIZE }.into());
    }
    let limit = u64::try_from(MAX_SIZE).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).map(|file| file.take(limit)).map_err(failed)
}

fn digest(path: &Path) -> Result<String, Refused> {
    let failed = |error| Refused::File { path: path.into(), error };
    Digest::of_all(open(path)?).map(|digest| digest.to_string()).map_err(failed)
}

/// What a file has been read as. Its content is not held.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) path: PathBuf,
    pub(crate) digest: String,
    seen: Arc<Mutex<Option<Seen>>>,
}

impl Read {
    /// Reads it.
    pub(crate) fn new(path: PathBuf) -> Result<Self, Refused> {
        // In this order: what is written while it is read has a later time.
        let (seen, digest) = (see(&path), digest(&path)?);
        Ok(Self { path, digest, seen: Arc::new(Mutex::new(seen)) })
    }

    /// Whether it is still so.
    pub(crate) fn is_still(&self) -> bool {
        let (mut seen, now) = (self.seen.lock().unwrap_or_else(PoisonError::into_inner), see(&self.path));
        if now.is_some() && now == *seen {
            return true;
        }
        // Its times may have been set, no more.
        let has_content = digest(&self.path).is_ok_and(|digest| digest == self.digest);
        if has_content {
            *seen = now;
        }
        has_content
    }

    /// Its content, where it is still that.
    pub(crate) fn content(&self) -> Result<Vec<u8>, Refused> {
        let bytes = read(&self.path)?;
        if Digest::of(&bytes).to_string() == self.digest {
            Ok(bytes)
        } else {
            Err(LoadError::Unfinished("its file has changed".into()).into())
        }
    }
}

/// How a file is seen: its device and number, size, and time of change, which nobody can set.
pub(crate) type Seen = (u64, u64, u64, (i64, i64));

/// None of one that is not there.
pub(crate) fn see(path: &Path) -> Option<Seen> {
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.len(), (metadata.ctime(), metadata.ctime_nsec())))
}

/// Writes a file as a whole: whoever looks sees the old content or the new one, also after a crash.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let failed = |error| Refused::File { path: path.into(), error };
    let written = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let unfinished = folder.join(format!(".{}.new", name(path)));
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        File::open(folder)?.sync_all()
    };
    written().map_err(failed)
}

/// What a file was before it is written, whatever that is.
pub(crate) struct Before {
    path: PathBuf,
    /// Another name of it; none where there was no file.
    kept: Option<PathBuf>,
}

impl Before {
    pub(crate) fn of(path: &Path) -> Result<Self, Refused> {
        let kept = path.with_file_name(format!(".{}.before", name(path)));
        remove(&kept)?;
        let kept = match fs::hard_link(path, &kept) {
            Ok(()) => Some(kept),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) if path.is_dir() => {
                let error = io::Error::other("it is not a regular file");
                return Err(Refused::File { path: path.into(), error });
            }
            Err(error) => return Err(Refused::File { path: path.into(), error }),
        };
        Ok(Self { path: path.into(), kept })
    }

    /// Makes it so again.
    pub(crate) fn restore(self) -> Result<(), Refused> {
        match self.kept {
            Some(kept) => {
                fs::rename(kept, &self.path).map_err(|error| Refused::File { path: self.path, error })
            }
            None => remove(&self.path),
        }
    }

    pub(crate) fn forget(self) -> Result<(), Refused> {
        self.kept.map_or(Ok(()), |kept| remove(&kept))
    }
}

/// Removes a file; that it is gone already is no error.
pub(crate) fn remove(path: &Path) -> Result<(), Refused> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Refused::File { path: path.into(), error })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Copies of what serves and of what served before, by digest: the folder may hold something else by now, or nothing.
#[derive(Debug, Clone)]
pub(crate) struct Copies {
    folder: PathBuf,
    /// Two must not write the same at the same time.
    writing: Arc<Mutex<()>>,
}

impl Copies {
    pub(crate) fn open(folder: PathBuf) -> Result<Self, Refused> {
        fs::create_dir_all(&folder).map_err(|error| Refused::File { path: folder.clone(), error })?;
        Ok(Self { folder, writing: Arc::default() })
    }

    pub(crate) fn read(&self, digest: &str) -> Result<Vec<u8>, Refused> {
        read(&self.folder.join(digest))
    }

    pub(crate) fn keep(&self, digest: &str, source: &Source) -> Result<(), Refused> {
        let path = self.folder.join(digest);
        let _writing = self.writing();
        if !path.exists() {
            return write(&path, &source.read()?);
        }
        // It is as if it was written now.
        let failed = |error| Refused::File { path: path.clone(), error };
        File::options()
            .append(true)
            .open(&path)
            .and_then(|file| file.set_modified(SystemTime::now()))
            .map_err(failed)
    }

    /// How much they take, in bytes.
    pub(crate) fn size(&self) -> u64 {
        let Ok(entries) = fs::read_dir(&self.folder) else { return 0 };
        entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes one that is not needed any more.
    pub(crate) fn forget(&self, digest: &str) {
        if let Err(error) = remove(&self.folder.join(digest)) {
            tracing::warn!("an extension that is not used any more stays: {error}");
        }
    }

    /// Removes all but those, and what was kept within this time. What cannot be removed only takes room.
    pub(crate) fn retain(&self, digests: &HashSet<String>, within: Duration) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let _writing = self.writing();
        let is_old = |path: &Path| {
            let kept = path.metadata().and_then(|metadata| metadata.modified());
            within.is_zero() || kept.is_ok_and(|kept| kept.elapsed().is_ok_and(|age| age > within))
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if !digests.contains(&name(&path))
                && is_old(&path)
                && let Err(error) = remove(&path)
            {
                tracing::warn!("an extension that is not used any more stays: {error}");
            }
        }
    }
}

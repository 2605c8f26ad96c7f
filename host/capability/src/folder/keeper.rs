//! The folders behind the capability: which there are, what is in each, and that none is larger than it may be.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use occi_extension::bindings::types::Fault;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How many names are answered at a time.
const PAGE: usize = 100;
/// The longest name, in bytes.
const NAME: usize = 128;
/// The largest file, in bytes. It goes over in one call of the host.
const FILE: usize = 1 << 20;
/// What is written before it takes its name. No guest can name it.
const NEW: &str = ".new";

/// How much the folder of one extension and one tenant may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderQuota {
    /// Files.
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// All folders, as they are lent to the calls.
#[derive(Debug)]
pub struct Folders {
    root: PathBuf,
    quota: FolderQuota,
    open: Mutex<HashMap<PathBuf, Arc<Mutex<Option<Kept>>>>>,
}

/// One folder, with the sizes of its files by their names.
#[derive(Debug)]
pub(super) struct Kept {
    dir: Dir,
    files: BTreeMap<String, u64>,
    quota: FolderQuota,
}

impl Folders {
    /// Folders below `root`, which is made as soon as something is kept there.
    pub fn new(root: PathBuf, quota: FolderQuota) -> Self {
        Self { root, quota, open: Mutex::default() }
    }

    /// Does something in the folder of an extension and a tenant; nobody else does anything there meanwhile.
    pub(super) fn with<T>(
        &self,
        tenant: &str,
        extension: &str,
        act: impl FnOnce(&mut Kept) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let path = self.root.join(segment(tenant)).join(segment(extension));
        let held = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(open.entry(path.clone()).or_default())
        };
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match held.take() {
            Some(kept) => kept,
            None => Kept::open(&path, self.quota).map_err(|error| unusable(&path, &error))?,
        };
        act(held.insert(kept))
    }
}

impl Kept {
    fn open(path: &Path, quota: FolderQuota) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        let mut files = BTreeMap::new();
        for entry in dir.entries()? {
            let entry = entry?;
            // What is no file of a guest's is not there for it, such as one that a crash left half written.
            let Ok(name) = entry.file_name().into_string() else { continue };
            if check(&name).is_ok() && entry.file_type()?.is_file() {
                files.insert(name, entry.metadata()?.len());
            }
        }
        Ok(Self { dir, files, quota })
    }

    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        if !self.files.contains_key(name) {
            return Ok(None);
        }
        let read = || -> io::Result<_> {
            let mut content = Vec::new();
            self.dir.open(name)?.take(FILE as u64).read_to_end(&mut content)?;
            Ok(content)
        };
        read().map(Some).map_err(|error| unusable(Path::new(name), &error))
    }

    pub(super) fn write(&mut self, name: &str, content: &[u8]) -> Result<(), Fault> {
        if content.len() > FILE {
            return Err(Fault::new("invalid", format!("a file has at most {FILE} bytes")));
        }
        let FolderQuota { files, bytes } = self.quota;
        let (is_new, others) = (!self.files.contains_key(name), self.files.len());
        let held: u64 = self.files.iter().filter(|(other, _)| *other != name).map(|(_, size)| size).sum();
        let size = content.len() as u64;
        if is_new && others >= files || held.saturating_add(size) > bytes {
            let message = format!(
                "the folder may hold {files} files with {bytes} bytes, and would hold more: remove something, or ask the \
                 operator for more (`sandbox.folder-files` and `sandbox.folder-mib`)"
            );
            return Err(Fault::new("conflict", message));
        }
        self.put(name, content).map_err(|error| unusable(Path::new(name), &error))?;
        self.files.insert(name.to_owned(), size);
        Ok(())
    }

    /// On disk under its name, or not at all.
    fn put(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut file = self.dir.create(NEW)?;
        file.write_all(content)?;
        file.sync_all()?;
        self.dir.rename(NEW, &self.dir, name)?;
        self.sync()
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<(), Fault> {
        if !self.files.contains_key(name) {
            return Ok(());
        }
        match self.dir.remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(unusable(Path::new(name), &error));
            }
            Ok(()) | Err(_) => {}
        }
        self.files.remove(name);
        self.sync().map_err(|error| unusable(Path::new(name), &error))
    }

    fn sync(&self) -> io::Result<()> {
        // A handle that can be synchronised: the one that names are looked up by cannot.
        self.dir.open(".")?.sync_all()
    }

    pub(super) fn names(&self, after: Option<&str>) -> Vec<String> {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = self.files.range::<str, _>((behind, Bound::Unbounded));
        names.take(PAGE).map(|(name, _)| name.clone()).collect()
    }
}

/// Whether a guest's file can have that name.
pub(super) fn check(name: &str) -> Result<(), Fault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > NAME || name.starts_with('.') || !name.bytes().all(fits) {
        let message = format!(
            "the name of a file has 1 to {NAME} letters, digits, `-`, `_` and `.`, and does not begin with `.`"
        );
        return Err(Fault::new("invalid", message));
    }
    Ok(())
}

/// A folder's name for any text, of its own and never `.` or `..`.
fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let written = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    text.bytes().map(written).collect()
}

/// How the disk fails is for the operator.
fn unusable(path: &Path, error: &dyn fmt::Display) -> Fault {
    tracing::error!(path = %path.display(), "an extension's folder cannot be used: {error}");
    Fault::new("unavailable", "the folder cannot be used now")
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: FolderQuota = FolderQuota { files: 3, bytes: 10 };

    fn folders(root: &Path) -> Folders {
        Folders::new(root.to_owned(), QUOTA)
    }

    fn write(folders: &Folders, name: &str, content: &str) -> Result<(), String> {
        let written = folders.with("t", "e", |kept| {
            check(name)?;
            kept.write(name, content.as_bytes())
        });
        written.map_err(|fault| fault.code)
    }

    fn read(folders: &Folders, name: &str) -> Option<Vec<u8>> {
        folders.with("t", "e", |kept| kept.read(name)).unwrap()
    }

    #[test]
    fn what_is_written_is_there_after_a_restart_and_for_nobody_else() {
        let root = tempfile::tempdir().unwrap();
        let first = folders(root.path());
        write(&first, "a", "old").unwrap();
        write(&first, "a", "new").unwrap();
        write(&first, "b.txt", "").unwrap();
        // As a crash would leave it.
        std::fs::write(root.path().join("t/e/.new"), "half").unwrap();
        let second = folders(root.path());
        assert_eq!(read(&second, "a").as_deref(), Some(&b"new"[..]));
        assert_eq!(second.with("t", "e", |kept| Ok(kept.names(None))).unwrap(), ["a", "b.txt"]);
        assert_eq!(second.with("t", "e", |kept| Ok(kept.names(Some("a")))).unwrap(), ["b.txt"]);
        for (tenant, extension) in [("t", "e2"), ("t2", "e"), ("..", "e"), ("t/e", "")] {
            assert_eq!(second.with(tenant, extension, |kept| kept.read("a")).unwrap(), None);
        }
        assert!(root.path().join("%2e%2e").is_dir());
    }

    #[test]
    fn a_folder_holds_no_more_than_it_may() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        write(&folders, "a", "12345").unwrap();
        write(&folders, "b", "12345").unwrap();
        assert_eq!(write(&folders, "c", "1").unwrap_err(), "conflict");
        write(&folders, "a", "54321").unwrap();
        write(&folders, "a", "1").unwrap();
        write(&folders, "c", "1234").unwrap();
        assert_eq!(write(&folders, "d", "").unwrap_err(), "conflict");
        folders.with("t", "e", |kept| kept.remove("b")).unwrap();
        write(&folders, "d", "12345").unwrap();
        let again = self::folders(root.path());
        assert_eq!(write(&again, "d", "123456").unwrap_err(), "conflict", "counted after a restart, too");
    }

    #[test]
    fn no_name_leads_out() {
        let root = tempfile::tempdir().unwrap();
        let outside = root.path().join("secret");
        std::fs::write(&outside, "secret").unwrap();
        let folders = folders(&root.path().join("folders"));
        for name in ["", ".", "..", "../secret", "/etc/passwd", "a/b", "a\0b", ".new", "ä", &"n".repeat(129)]
        {
            assert_eq!(write(&folders, name, "x").unwrap_err(), "invalid", "{name:?}");
        }
        // Somebody else has put a way out there.
        let link = root.path().join("folders/t/e/link");
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        assert_eq!(read(&folders, "link"), None);
        let again = self::folders(&root.path().join("folders"));
        assert_eq!(read(&again, "link"), None);
        write(&again, "link", "mine").unwrap();
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "secret");
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "mine");
        assert!(!link.is_symlink());
    }
}

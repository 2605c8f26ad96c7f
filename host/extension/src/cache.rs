//! Compiled code, kept on disk from one start to the next. Whoever can write compiled code can make the host run
//! anything, so it is taken from one folder alone, which only the host's user may write, and only as the host left
//! it: a file that is not exactly what was written is compiled anew.

use crate::digest::{Digest, DigestHasher};
use crate::error::LoadError;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, MetadataExt, OpenOptions, OpenOptionsExt, PermissionsExt};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The folder cannot be trusted, or not be used.
#[derive(Debug, thiserror::Error)]
#[error("code cache {}: {fault}", path.display())]
pub struct CacheError {
    path: PathBuf,
    fault: CacheFault,
}

#[derive(Debug, thiserror::Error)]
enum CacheFault {
    #[error("others may write to it; run `chmod 700` on it, or name another folder")]
    WritableByOthers,
    #[error("it belongs to another user; name another folder")]
    NotOurs,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The folder with compiled code.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: Dir,
}

impl Cache {
    /// Opens the folder, or makes it, for this user alone.
    pub(crate) fn open(path: &Path) -> Result<Self, CacheError> {
        let error = |fault| CacheError { path: path.to_owned(), fault };
        let dir = open_private(path).map_err(error)?;
        Ok(Self { dir })
    }

    /// The compiled component, from the folder or else from `compile`, and then kept. A folder that fails costs time
    /// and a line in the log, nothing else.
    pub(crate) fn get_or_compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        digest: &Digest,
        compile: impl FnOnce() -> Result<Vec<u8>, LoadError>,
    ) -> Result<Component, LoadError> {
        let key = key(engine, digest);
        match self.load(engine, &key) {
            Ok(Some(component)) => {
                tracing::debug!(%digest, bytes = bytes.len(), "compiled code taken from the cache");
                return Ok(component);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%digest, "compiled code in the cache is no good, compiling anew: {error:#}");
            }
        }
        let code = compile()?;
        if let Err(error) = self.keep(&key, &code) {
            tracing::warn!(%digest, "cannot keep compiled code: {error:#}");
        }
        load(engine, &code).map_err(|error| LoadError::Compile(format!("{error:#}")))
    }

    /// Whether the compiled component is there. What is there may prove to be no good.
    pub(crate) fn has(&self, engine: &Engine, digest: &Digest) -> bool {
        let (_, seal) = names(&key(engine, digest));
        self.dir.exists(seal)
    }

    /// None where there is none of that key; an error where what is there is not what was kept.
    fn load(&self, engine: &Engine, key: &Digest) -> wasmtime::Result<Option<Component>> {
        let (name, seal) = names(key);
        let Some(code) = self.read(&name)? else { return Ok(None) };
        let Some(kept) = self.read(&seal)? else { return Ok(None) };
        if kept != seal_of(key, &code).as_bytes() {
            wasmtime::bail!("{name} is not what was kept");
        }
        load(engine, &code).map(Some)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self.dir.open(name) {
            Ok(mut file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The code first: a seal without its code is never seen, and code without its seal is not trusted.
    fn keep(&self, key: &Digest, code: &[u8]) -> io::Result<()> {
        let (name, seal) = names(key);
        self.replace(&name, code)?;
        self.replace(&seal, seal_of(key, code).as_bytes())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = format!("{name}.{}.{number}", std::process::id());
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = self
            .dir
            .open_with(&temporary, &options)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| self.dir.rename(&temporary, &self.dir, name));
        if written.is_err() {
            // It was never anybody's; that it cannot go either is said already.
            let _ = self.dir.remove_file(&temporary);
        }
        written
    }
}

/// Loads what this engine's compiler gave, or one with equal settings and version.
fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    #[allow(unsafe_code, reason = "there is no other way to load compiled code")]
    // SAFETY: the bytes are what a compiler gave just now, our own or in a process of this very program, to which nobody
    // else writes; or what `keep` got from one: they come out of a folder that no other user may write, and their digest,
    // sealed with the key, is that of what was written. They were checked in our own memory, and that copy is what is
    // loaded, so nobody can exchange them in between or later.
    unsafe {
        Component::deserialize(engine, code)
    }
}

fn open_private(path: &Path) -> Result<Dir, CacheFault> {
    let authority = ambient_authority();
    let dir = match Dir::open_ambient_dir(path, authority) {
        Ok(dir) => dir,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or(error)?;
            let parent =
                path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Dir::create_ambient_dir_all(parent, authority)?;
            let parent = Dir::open_ambient_dir(parent, authority)?;
            let mut builder = DirBuilder::new();
            builder.mode(0o700);
            parent.create_dir_with(name, &builder)?;
            parent.open_dir(name)?
        }
        Err(error) => return Err(error.into()),
    };
    let metadata = dir.dir_metadata()?;
    if metadata.permissions().mode() & 0o022 != 0 {
        return Err(CacheFault::WritableByOthers);
    }
    // A file that we make belongs to whom we are.
    let probe = format!("probe.{}", std::process::id());
    let made = dir.create(&probe)?.metadata()?;
    dir.remove_file(&probe)?;
    if made.uid() != metadata.uid() {
        return Err(CacheFault::NotOurs);
    }
    Ok(dir)
}

/// Code is good for one component and for one way to compile it.
fn key(engine: &Engine, digest: &Digest) -> Digest {
    let mut hasher = DigestHasher::default();
    hasher.write(digest.as_bytes());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.digest()
}

fn seal_of(key: &Digest, code: &[u8]) -> Digest {
    let mut hasher = DigestHasher::default();
    hasher.write(key.as_bytes());
    hasher.write(code);
    hasher.digest()
}

fn names(key: &Digest) -> (String, String) {
    (format!("{key}.cwasm"), format!("{key}.sha256"))
}

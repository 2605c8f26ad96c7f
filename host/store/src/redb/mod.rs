//! The engine for one host: a redb file, read through one shared view, written by one thread.
//!
//! redb has one writer at a time and pays an fsync for each commit, so the commits that wait are put together
//! (`intake`, `writer`). Readers share the view that the writer publishes after each commit (`snapshot`): a read
//! begins with the load of a pointer, and sees what was acknowledged.

#[cfg(test)]
mod disk_tests;
mod intake;
mod snapshot;
#[cfg(test)]
mod tests;
mod writer;

use crate::contract::{Batch, ReadView, Revision, Store};
use crate::error::StoreError;
use crate::memo::Memo;
use crate::watch::{History, Watch};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use intake::{Intake, Message, Request};
use redb::backends::InMemoryBackend;
use redb::{Builder, Database, DatabaseError, StorageError};
use snapshot::Snapshot;
use std::fs::{File, OpenOptions};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};
use writer::Writer;

/// How often it is told how far a check of the store is.
const TELL_EVERY: Duration = Duration::from_secs(3);

/// How a [`RedbStore`] uses the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// At most so much memory for pages of the file, in bytes. It is taken as pages are read and written.
    pub cache: usize,
    /// About so much memory for entities in their decoded form, in bytes, taken as they are read.
    pub memo: usize,
    /// At most so many commits wait; who comes then waits to be one of them.
    pub queue: usize,
    /// At most so many commits share one fsync: the first of them waits for the work of all.
    pub group: usize,
    /// At most so many bytes of changed keys are remembered for watchers.
    pub history: usize,
    /// Whether each page of the file is checked when it is opened, which reads all of it. After a crash that is done
    /// anyhow; otherwise it is for a file that may have been changed by others, since a damaged page may go unseen
    /// until it is read.
    pub verify: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache: 256 << 20, memo: 32 << 20, queue: 1024, group: 512, history: 8 << 20, verify: false }
    }
}

/// A store in one file.
#[derive(Debug)]
pub struct RedbStore {
    present: Arc<ArcSwap<Snapshot>>,
    history: Arc<History>,
    /// Bounds how many wait in the queue.
    places: Arc<Semaphore>,
    /// None once it is being dropped.
    queue: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl RedbStore {
    /// Opens the store in a file, which is made if it is not there, for its owner alone; its folder must be there.
    ///
    /// After a crash the whole file is read and checked first, which takes about two seconds for each gigabyte; the
    /// log shows how far it is. It blocks until that is done.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if path.exists() && !is_there(path) {
            tracing::warn!(path = %path.display(), "the store's file is empty, so this is a new store; if it was not to be, stop and restore it");
        }
        let database =
            if is_there(path) { Self::open_at(path, options)? } else { Self::create(path, options)? };
        // Else a power cut could take the name of a new file with all that was acknowledged in it.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| StoreError::engine("synced the folder of its file", error))?;
        Self::start(database, path, options)
    }

    /// A new file has its name when it is whole, so that one whose making was broken off is never taken for the store.
    fn create(path: &Path, options: &Options) -> Result<Database, StoreError> {
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(".new");
        let fresh = Path::new(&fresh);
        let system = |error: std::io::Error| refused(fresh, DatabaseError::Storage(error.into()));
        let database = match Self::open_at(fresh, options) {
            Err(StoreError::Damaged { .. }) => {
                std::fs::remove_file(fresh).map_err(system)?;
                Self::open_at(fresh, options)?
            }
            opened => opened?,
        };
        // Whoever makes the file holds its lock until it has its name, so it is there now if another was quicker.
        if is_there(path) {
            std::fs::remove_file(fresh).map_err(system)?;
            return Self::open_at(path, options);
        }
        std::fs::rename(fresh, path).map_err(system)?;
        Ok(database)
    }

    fn open_at(path: &Path, options: &Options) -> Result<Database, StoreError> {
        reserve(path).map_err(|error| refused(path, DatabaseError::Storage(error.into())))?;
        guarded(path, || {
            let mut builder = Builder::new();
            let name = path.to_owned();
            builder.set_cache_size(options.cache).set_check_integrity_on_open(options.verify);
            // Said once, and of a large store how far it is.
            let told = Mutex::new(None);
            builder.set_repair_callback(move |session| {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                if told.is_none_or(|told: Instant| told.elapsed() > TELL_EVERY) {
                    *told = Some(Instant::now());
                    let (store, percent) = (name.display(), session.progress() * 100.0);
                    tracing::warn!(%store, "the store was not closed properly; checking it: {percent:.0} %");
                }
            });
            builder.create(path).map_err(|error| refused(path, error))
        })
    }

    /// A store that is gone when it is dropped, for tests and trials.
    pub fn in_memory(options: &Options) -> Result<Self, StoreError> {
        let mut builder = Builder::new();
        let database = builder
            .set_cache_size(options.cache)
            .create_with_backend(InMemoryBackend::new())
            .map_err(|error| StoreError::engine("opened", error))?;
        Self::start(database, Path::new("memory"), options)
    }

    fn start(database: Database, path: &Path, options: &Options) -> Result<Self, StoreError> {
        let present = guarded(path, || {
            writer::prepare(&database, path)?;
            Snapshot::take(&database, Arc::from(path), Arc::new(Memo::new(options.memo)))
        })?;
        let history = History::new(present.revision(), options.history);
        let present = Arc::new(ArcSwap::from_pointee(present));
        let places = Arc::new(Semaphore::new(options.queue.clamp(1, Semaphore::MAX_PERMITS)));
        let (queue, requests) = mpsc::channel();
        let intake = Intake::new(requests, places.clone(), options.group.max(1));
        let writer = Writer::new(database, present.clone(), history.clone());
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run(intake))
            .map_err(|error| StoreError::engine("started its writer", error))?;
        Ok(Self { present, history, places, queue: Some(queue), thread: Some(thread) })
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(message).map_err(|_| StoreError::Closed)
    }
}

#[async_trait]
impl Store for RedbStore {
    fn read(&self) -> Result<Arc<dyn ReadView>, StoreError> {
        Ok(self.present.load_full())
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, StoreError> {
        batch.check()?;
        let (answer, answered) = oneshot::channel();
        let place = self.places.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        self.send(Message::Commit(Request { batch, answer }, place))?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    fn watch(&self, from: Revision) -> Result<Watch, StoreError> {
        self.history.watch(from)
    }

    async fn close(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        match self.send(Message::Close(answer)) {
            Ok(()) => answered.await.map_err(|_| StoreError::Closed)?,
            // Closed already.
            Err(_) => Ok(()),
        }
    }
}

impl Drop for RedbStore {
    /// Waits for the commits that are under way, so that the file is free when it returns.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was reported when it happened.
            let _ = thread.join();
        }
    }
}

/// Whether there is anything in the file.
fn is_there(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

/// Makes the file if it is not there, readable for its owner alone: it holds what tenants entrust to us.
fn reserve(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn refused(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::InUse { path: path.to_owned() }
        }
        DatabaseError::Storage(StorageError::Corrupted(reason)) => damaged(path, &reason),
        DatabaseError::Storage(StorageError::Io(error))
            if matches!(
                error.kind(),
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
            ) =>
        {
            damaged(path, &error.to_string())
        }
        error @ DatabaseError::UpgradeRequired(_) => damaged(path, &error.to_string()),
        DatabaseError::Storage(StorageError::Io(source)) => {
            StoreError::engine("opened its file", PathError { path: path.to_owned(), error: source })
        }
        error => StoreError::engine("opened its file", error),
    }
}

/// Does something with a store's file. redb promises errors, not panics, for every file that it wrote itself. For one that
/// someone else has changed it does not, and the way to stop a server is not a panic.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    std::panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(damaged(path, "a page has an impossible content; the log has more")))
}

fn damaged(path: &Path, reason: &str) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), reason: reason.into() }
}

/// An error of the system, and the file that it is about.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
struct PathError {
    path: PathBuf,
    error: std::io::Error,
}

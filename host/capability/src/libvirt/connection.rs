//! The connections to the hypervisor, opened again when they break.
//!
//! One hears the events. Each call has another for itself: a libvirt connection may be used by many threads at once, but in
//! libvirt before 10.0 one thread may miss that another has sent a call, and then both wait for the answer that comes first
//! ("rpc: fix race in waking up client event loop"). Next to a call that hangs, each of the others took five seconds. What
//! libvirt's imitation knows belongs to a connection, so there one is for all.
//!
//! What is done over them is not known here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;
use virt::connect::Connect;
use virt::storage_pool::StoragePool;

use super::error::{self, Error, Result};
use super::events::{Event, Herald, Watch};

/// How long the reason why a connection could not be opened is repeated before it is tried again: callers should not
/// queue up behind a host that does not answer.
const REST: Duration = Duration::from_millis(300);

/// What stands behind the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    /// libvirt's own imitation of a hypervisor.
    Test,
    /// QEMU, with or without KVM.
    Qemu,
}

impl Driver {
    /// The driver that a URI names, through whatever transport.
    pub(super) fn of(uri: &str) -> Result<Self> {
        let scheme = uri.split_once("://").map(|(scheme, _)| scheme);
        match scheme.and_then(|scheme| scheme.split('+').next()) {
            Some("test") => Ok(Driver::Test),
            Some("qemu") => Ok(Driver::Qemu),
            Some(_) | None => Err(Error::Invalid(format!(
                "{uri:?} leads to no hypervisor that is known here: use QEMU, as qemu:///system, or libvirt's imitation, as test:///default"
            ))),
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) connect: Connect,
    pub(super) driver: Driver,
    pool: Mutex<Option<Arc<StoragePool>>>,
    /// On the one that hears the events.
    watch: Option<Watch>,
    herald: Herald,
}

impl Live {
    fn open(uri: &str, herald: &Herald, hears: bool) -> Result<Self> {
        let driver = Driver::of(uri)?;
        let connect = Connect::open(Some(uri))?;
        // No keep-alive of libvirt's: where it ends a connection that does not answer, libvirt 9.0 brings the process
        // down with it if two calls wait there. Callers stop to wait by themselves, and a daemon that dies is noticed
        // by its socket; one whose host has vanished, only when TCP gives up.
        let watch = hears.then(|| Watch::start(&connect, herald));
        Ok(Self { connect, driver, pool: Mutex::new(None), watch, herald: herald.clone() })
    }

    /// The answer to a question for something of an entity. Where it is missing, its return is news.
    pub(super) fn ask_for<T>(&self, entity: Uuid, find: impl FnOnce(&Self, Uuid) -> Result<T>) -> Result<T> {
        let found = find(self, entity);
        if matches!(found, Err(Error::Missing(_))) {
            self.herald.is_missing(entity);
        }
        found
    }

    /// The storage pool, found or made by `make` once for the connection.
    pub(super) fn pool(
        &self,
        make: impl FnOnce(&Connect) -> Result<StoragePool>,
    ) -> Result<Arc<StoragePool>> {
        let mut pool = lock(&self.pool);
        if let Some(pool) = &*pool {
            return Ok(Arc::clone(pool));
        }
        Ok(Arc::clone(pool.insert(Arc::new(make(&self.connect)?))))
    }

    /// Look for the pool again at the next call: an operator has stopped or removed it.
    pub(super) fn forget_pool(&self) {
        *lock(&self.pool) = None;
    }

    fn alive(&self) -> bool {
        self.connect.is_alive().unwrap_or(false)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.stop(&self.connect);
        }
        // The bindings leave it open. One that has broken stays so, which is a little memory: to close it while libvirt's own thread
        // of events is about to do so has brought the process down.
        if self.alive()
            && let Err(error) = self.connect.close()
        {
            tracing::debug!(%error, "a connection to the hypervisor is not closed");
        }
    }
}

/// The connections, present or not.
#[derive(Debug)]
pub(super) struct Connections {
    uri: String,
    pub(super) herald: Herald,
    state: Mutex<State>,
    /// Those that no call has now.
    free: Mutex<Vec<Arc<Live>>>,
}

#[derive(Debug, Default)]
struct State {
    /// The one that hears the events.
    live: Option<Arc<Live>>,
    refused: Option<(Instant, Error)>,
    /// There was a connection before this one, or should have been: events may be lost.
    gap: bool,
}

impl Connections {
    pub(super) fn new(uri: String) -> Self {
        Self { uri, herald: Herald::new(), state: Mutex::default(), free: Mutex::default() }
    }

    /// The open connection that hears the events; opens one where there is none that works.
    pub(super) fn live(&self) -> Result<Arc<Live>> {
        // Held while the connection opens, so that there is one; those who wait need it too.
        let mut state = lock(&self.state);
        match &state.live {
            Some(live) if live.alive() => return Ok(Arc::clone(live)),
            Some(_) => tracing::warn!(uri = self.uri, "the connection to the hypervisor has broken"),
            None => {}
        }
        if let Some((when, why)) = &state.refused
            && when.elapsed() < REST
        {
            return Err(why.clone());
        }
        // A new one registers for events that the broken one must not hear as well.
        state.live = None;
        match Live::open(&self.uri, &self.herald, true) {
            Ok(live) => {
                if state.gap {
                    tracing::info!(uri = self.uri, "the hypervisor is back");
                    self.herald.tell(Event::Missed);
                }
                *state = State { live: None, refused: None, gap: true };
                Ok(Arc::clone(state.live.insert(Arc::new(live))))
            }
            Err(why) => {
                let why = away(why);
                *state = State { live: None, refused: Some((Instant::now(), why.clone())), gap: true };
                Err(why)
            }
        }
    }

    /// What `work` answers over a connection that no other call has meanwhile, and whether the connection broke under it;
    /// then the answer says nothing about the work.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Live) -> Result<T>) -> (Result<T>, bool) {
        let live = match self.take() {
            Ok(live) => live,
            Err(why) => return (Err(why), false),
        };
        let answer = work(&live);
        // A break that nobody was told of is found here.
        let is_broken = matches!(answer, Err(Error::Unavailable(_))) && !live.alive();
        if live.watch.is_none() && !is_broken {
            lock(&self.free).push(live);
        }
        (answer, is_broken)
    }

    /// A connection for somebody who keeps it.
    pub(super) fn apart(&self) -> Result<Live> {
        // Where that one is known to be away, nobody waits to find it out once more.
        self.live()?;
        Live::open(&self.uri, &self.herald, false).map_err(away)
    }

    fn take(&self) -> Result<Arc<Live>> {
        // Whatever is to be done, its events shall be heard.
        let hears = self.live()?;
        if hears.driver == Driver::Test && !is_of_all(&self.uri) {
            return Ok(hears);
        }
        // In a statement of its own, so that nobody waits while one is opened.
        let free = {
            let mut free = lock(&self.free);
            free.retain(|live| live.alive());
            free.pop()
        };
        free.map_or_else(|| Live::open(&self.uri, &self.herald, false).map(Arc::new).map_err(away), Ok)
    }
}

/// Whether all connections to libvirt's imitation have the same: what is in a daemon by its usual name. Calls then need not share
/// one, which libvirt 9.0 does not survive where it breaks under two of them.
fn is_of_all(uri: &str) -> bool {
    let path = uri.strip_prefix("test+unix://").and_then(|rest| rest.split('?').next());
    path == Some("/default")
}

/// What a caller is told who needed a connection. A URI that libvirt cannot read stays `Invalid`.
fn away(why: Error) -> Error {
    match why {
        // The log says already what is in the way.
        Error::Invalid(_) | Error::Unsupported(_) | Error::Unavailable(_) => why,
        Error::Missing(_) | Error::Conflict(_) | Error::Denied(_) | Error::Timeout(_) | Error::Failed(_) => {
            error::say_no_way(&why);
            Error::away()
        }
    }
}

/// Nothing can be half-done under these locks, so one that a panic has poisoned is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

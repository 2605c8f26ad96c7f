//! What operations could not undo, since something outside was away or did not answer. Their intents are kept, and tried again
//! until they are settled: at growing intervals, and at once where a capability says that it is back.

use crate::core::Core;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;

/// How long after an operation it is first tried again; twice as long after each attempt that leaves something.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest interval.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// Operations that could not be undone.
#[derive(Default)]
pub(crate) struct Left {
    /// The ids of what each may have left.
    operations: Mutex<HashMap<Uuid, HashSet<Uuid>>>,
    /// That there is something to do, or that it may be done now.
    news: Notify,
}

impl Left {
    /// Notes what an operation may have left behind; its intent is kept, and nobody else gets these ids.
    pub(crate) fn note(&self, operation: Uuid, ids: HashSet<Uuid>) {
        let mut operations = self.operations();
        // Who waits for the others already is not hurried by one more.
        if operations.is_empty() {
            self.news.notify_one();
        }
        operations.insert(operation, ids);
    }

    /// Forgets what an operation may have left behind, since it is settled.
    pub(crate) fn forget(&self, operation: Uuid) {
        self.operations().remove(&operation);
    }

    /// Whether an operation has left something behind.
    pub(crate) fn has(&self, operation: Uuid) -> bool {
        self.operations().contains_key(&operation)
    }

    /// Whether something with this id may have been left behind.
    pub(crate) fn holds(&self, id: Uuid) -> bool {
        self.operations().values().any(|ids| ids.contains(&id))
    }

    /// Has all of them tried again now, as what was away may be back.
    pub(crate) fn hurry(&self) {
        self.news.notify_one();
    }

    /// Has them tried again until the core is gone.
    pub(crate) fn start(self: &Arc<Self>, core: &Arc<Core>) {
        let (left, core) = (Arc::clone(self), Arc::downgrade(core));
        tokio::spawn(async move {
            loop {
                left.news.notified().await;
                let mut delay = FIRST_DELAY;
                while !left.operations().is_empty() {
                    _ = timeout(delay, left.news.notified()).await;
                    let Some(core) = core.upgrade() else { return };
                    core.settle_left().await;
                    delay = (delay * 2).min(LONGEST_DELAY);
                }
            }
        });
    }

    fn operations(&self) -> MutexGuard<'_, HashMap<Uuid, HashSet<Uuid>>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What operations could not undo, since something outside was away or did not answer. Their intents are kept, and tried again
//! until they are settled: at growing intervals, and at once where a capability says that it is back.

use crate::Refusal;
use crate::core::Core;
use crate::intent::Verb;
use occi_extension::TimeSource;
use occi_model::Entity;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

/// How long after an operation it is first tried again; twice as long after each attempt that leaves something.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest interval.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// Operations that could not be undone.
pub(crate) struct Left {
    time: Arc<dyn TimeSource>,
    /// What each was to do, and the ids of what it may have left.
    operations: Mutex<HashMap<Uuid, (Verb, HashSet<Uuid>)>>,
    /// When they are tried next; not later than now while they are.
    next: Mutex<Option<Instant>>,
    /// That there is something to do, or that it may be done now.
    news: Notify,
    /// That all were tried once more.
    tried: Notify,
}

impl Left {
    pub(crate) fn new(time: Arc<dyn TimeSource>) -> Self {
        Self {
            time,
            operations: Mutex::default(),
            next: Mutex::default(),
            news: Notify::new(),
            tried: Notify::new(),
        }
    }

    /// Notes what an operation may have left behind; its intent is kept, and nobody else gets these ids.
    pub(crate) fn note<'a>(
        &self,
        operation: Uuid,
        verb: Verb,
        entities: impl IntoIterator<Item = &'a Entity>,
    ) {
        let ids = entities.into_iter().map(|entity| entity.id).collect();
        let mut operations = self.operations();
        // Who waits for the others already is not hurried by one more.
        if operations.is_empty() {
            self.news.notify_one();
        }
        operations.insert(operation, (verb, ids));
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
        self.operations().values().any(|(_, ids)| ids.contains(&id))
    }

    /// Whether a deletion of all of these is left.
    pub(crate) fn has_deletion_of(&self, ids: impl IntoIterator<Item = Uuid>) -> bool {
        let ids: HashSet<Uuid> = ids.into_iter().collect();
        self.operations().values().any(|(verb, left)| *verb == Verb::Delete && ids.is_subset(left))
    }

    /// An entity whose deletion was begun, and is yet to be finished, is not changed any more, nor is anything joined to it:
    /// that would end with it, although it was acknowledged.
    pub(crate) fn check_stays(&self, id: Uuid) -> Result<(), Refusal> {
        let is_going = |(verb, ids): &(Verb, HashSet<Uuid>)| *verb == Verb::Delete && ids.contains(&id);
        if self.operations().values().any(is_going) {
            return Err(Refusal::Conflict(format!(
                "the deletion of urn:uuid:{id} was begun and not answered, and goes on as soon as it is; until then it \
                 can only be read, or deleted once more"
            )));
        }
        Ok(())
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
                let (mut delay, mut round) = (FIRST_DELAY, 0);
                while !left.operations().is_empty() {
                    let next = left.time.instant() + delay;
                    left.set_next(Some(next));
                    tokio::select! {
                        () = left.time.wait_until(next) => {}
                        () = left.news.notified() => {}
                    }
                    let Some(core) = core.upgrade() else { return };
                    core.settle_left(round).await;
                    delay = (delay * 2).min(LONGEST_DELAY);
                    round += 1;
                }
                left.set_next(None);
            }
        });
    }

    /// When they are tried next.
    pub(crate) fn next(&self) -> Option<Instant> {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are none, or their time is yet to come.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.operations().is_empty() || self.next().is_some_and(|next| next > self.time.instant())
    }

    /// Waits until it is so.
    pub(crate) async fn rest(&self) {
        loop {
            let tried = self.tried.notified();
            if self.is_at_rest() {
                return;
            }
            tried.await;
        }
    }

    fn set_next(&self, next: Option<Instant>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = next;
        self.tried.notify_waiters();
    }

    fn operations(&self) -> MutexGuard<'_, HashMap<Uuid, (Verb, HashSet<Uuid>)>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

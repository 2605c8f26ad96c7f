//! What operations could not undo, since something outside was away or did not answer. Their intents are kept, and tried again
//! until they are settled: at growing intervals, and at once where a capability says that it is back.

use crate::Refusal;
use crate::core::Core;
use crate::intent::{Intent, Verb};
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
/// By then something outside has most likely done what it was asked before a crash, or never will.
pub(crate) const SETTLED: Duration = Duration::from_secs(20);

/// Operations that could not be undone.
pub(crate) struct Left {
    time: Arc<dyn TimeSource>,
    operations: Mutex<HashMap<Uuid, LeftBehind>>,
    /// When they are tried next; not later than now while they are.
    next: Mutex<Option<Instant>>,
    /// That there is something to do, or that it may be done now.
    news: Notify,
    /// That all were tried once more.
    tried: Notify,
}

/// What an operation was to do.
struct LeftBehind {
    verb: Verb,
    /// Of what may be there still.
    ids: HashSet<Uuid>,
    /// Until when more of it may come: what a process that is gone has asked for is carried out all the same.
    comes_until: Option<Instant>,
}

impl LeftBehind {
    fn is_deletion_of(&self, id: Uuid) -> bool {
        self.verb == Verb::Delete && self.ids.contains(&id)
    }
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
        self.add(operation, LeftBehind { verb, ids, comes_until: None });
    }

    /// The same of an operation that a crash cut short.
    pub(crate) fn note_found(&self, intent: &Intent) {
        let is_free = intent.verb == Verb::Gone;
        let ids = intent.entities.iter().filter(|_| !is_free).map(|entity| entity.id).collect();
        let comes_until = Some(self.time.instant() + SETTLED);
        self.add(intent.operation, LeftBehind { verb: intent.verb, ids, comes_until });
    }

    fn add(&self, operation: Uuid, left: LeftBehind) {
        let mut operations = self.operations();
        // Who waits for the others already is not hurried by one more.
        if operations.is_empty() {
            self.news.notify_one();
        }
        operations.insert(operation, left);
    }

    /// Whether more of what an operation has left may come yet.
    pub(crate) fn may_grow(&self, operation: Uuid) -> bool {
        let until = self.operations().get(&operation).and_then(|left| left.comes_until);
        until.is_some_and(|until| self.time.instant() < until)
    }

    /// Notes that of what an operation has left only these are there still. Of the rest more may come, which is noted under
    /// another name.
    pub(crate) fn follow(&self, operation: Uuid, echo: Option<Uuid>, rest: &HashSet<Uuid>) {
        let mut operations = self.operations();
        let Some(mut left) = operations.remove(&operation) else { return };
        if let Some(echo) = echo {
            let comes_until = left.comes_until;
            operations.insert(echo, LeftBehind { verb: Verb::Gone, ids: HashSet::new(), comes_until });
        }
        left.ids.retain(|id| rest.contains(id));
        if !rest.is_empty() {
            operations.insert(operation, left);
        }
    }

    /// Whether an operation has left something behind.
    pub(crate) fn has(&self, operation: Uuid) -> bool {
        self.operations().contains_key(&operation)
    }

    /// Whether something with this id may have been left behind.
    pub(crate) fn holds(&self, id: Uuid) -> bool {
        self.operations().values().any(|left| left.ids.contains(&id))
    }

    /// Whether a deletion of all of these is left.
    pub(crate) fn has_deletion_of(&self, ids: impl IntoIterator<Item = Uuid>) -> bool {
        let ids: HashSet<Uuid> = ids.into_iter().collect();
        self.operations().values().any(|left| left.verb == Verb::Delete && ids.is_subset(&left.ids))
    }

    /// An entity whose deletion was begun, and is yet to be finished, is not changed any more, nor is anything joined to it:
    /// that would end with it, although it was acknowledged.
    pub(crate) fn check_stays(&self, id: Uuid) -> Result<(), Refusal> {
        if self.operations().values().any(|left| left.is_deletion_of(id)) {
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

    fn operations(&self) -> MutexGuard<'_, HashMap<Uuid, LeftBehind>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

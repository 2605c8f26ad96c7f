//! The heart: the store, the snapshot, the locks; and the one function that every operation goes through.

use crate::locks::Locks;
use crate::observer::{Cause, Observations, Observer};
use crate::refusal::Refusal;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::{Caller, Collection, Operation, Reply};
use arc_swap::ArcSwap;
use occi_extension::Extension;
use occi_store::{Batch, ReadView, Revision, Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// All that operations need. Shared by everything that serves requests.
pub struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) locks: Locks,
    /// Ids that creations are about to adopt. Taken before all other locks, and by nobody else.
    pub(crate) adoptions: Locks,
    /// Paths at which clients are about to make entities. Taken before adoptions, and by nobody else.
    pub(crate) paths: Locks,
    pub(crate) observations: Observations,
    /// One definition of tags at a time, since each makes a new snapshot of the one before.
    pub(crate) defining: tokio::sync::Mutex<()>,
    /// Operations that could not be undone, whose intents are kept, with the ids of what they may have left.
    left: Mutex<HashMap<Uuid, HashSet<Uuid>>>,
    changes: TaskTracker,
    is_broken: AtomicBool,
}

impl Core {
    /// Puts the store and the extensions together, and starts to follow what happens outside. Call
    /// [`Core::recover`] before the first operation.
    pub fn start(store: Arc<dyn Store>, extensions: Vec<Arc<Extension>>) -> Result<Arc<Self>, StartError> {
        let tags = occi_store::tags(&*store.read()?, Caller::DEFAULT_TENANT)?;
        let tags = tags.into_iter().map(|tag| tag.mixin).collect();
        let snapshot = Snapshot::new(extensions, Vec::new())?;
        let snapshot = snapshot.with_tags(snapshot.without_clashes(tags))?;
        let (observations, observer) = Observer::new();
        let core = Arc::new(Self {
            store,
            snapshot: ArcSwap::from_pointee(snapshot),
            locks: Locks::default(),
            adoptions: Locks::default(),
            paths: Locks::default(),
            observations,
            defining: tokio::sync::Mutex::new(()),
            left: Mutex::default(),
            changes: TaskTracker::new(),
            is_broken: AtomicBool::new(false),
        });
        observer.start(&core);
        Ok(core)
    }

    /// What a request that begins now sees.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Carries out an operation. A change goes on to its end, whether or not somebody still waits for it.
    pub async fn execute(self: &Arc<Self>, caller: &Caller, operation: Operation) -> Result<Reply, Refusal> {
        let snapshot = self.snapshot();
        match operation {
            Operation::Query(filter) => Ok(crate::query::query(&snapshot, &filter)),
            Operation::Retrieve(path) => crate::retrieve::retrieve(self, &snapshot, caller, &path),
            Operation::List { collection, filter, page } => {
                crate::list::list(self, &snapshot, caller, &collection, &filter, page)
            }
            change => {
                let core = Arc::clone(self);
                let caller = caller.clone();
                let task = async move { core.change(&snapshot, &caller, change).await };
                self.changes.spawn(task).await.unwrap_or_else(|error| {
                    Err(Refusal::Internal(format!("the operation ended abnormally: {error}")))
                })
            }
        }
    }

    async fn change(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        caller: &Caller,
        operation: Operation,
    ) -> Result<Reply, Refusal> {
        match operation {
            Operation::Create { place, draft } => {
                crate::create::create(self, snapshot, caller, &place, draft).await
            }
            Operation::Put { path, draft, condition } => {
                crate::update::put(self, snapshot, caller, path, draft, &condition).await
            }
            Operation::Update { path, draft, condition } => {
                crate::update::update(self, snapshot, caller, &path, draft, &condition).await
            }
            Operation::Delete { path, condition } => {
                crate::delete::delete(self, snapshot, caller, &path, &condition).await
            }
            Operation::Act { path, term, draft, condition } => {
                crate::act::act(self, snapshot, caller, &path, &term, &draft, &condition).await
            }
            Operation::DeleteAll(Collection::Mixin(mixin)) => {
                crate::mixin::dissociate(self, snapshot, caller, &mixin, &occi_model::Draft::default()).await
            }
            Operation::DeleteAll(collection) => {
                crate::delete_all::delete_all(self, snapshot, caller, &collection).await
            }
            Operation::ActOnAll { collection, term, draft } => {
                crate::act_on_all::act_on_all(self, snapshot, caller, &collection, &term, &draft).await
            }
            Operation::Associate { mixin, draft } => {
                crate::mixin::associate(self, snapshot, caller, &mixin, &draft).await
            }
            Operation::SetMembers { mixin, draft } => {
                crate::mixin::set_members(self, snapshot, caller, &mixin, &draft).await
            }
            Operation::Dissociate { mixin, draft } => {
                crate::mixin::dissociate(self, snapshot, caller, &mixin, &draft).await
            }
            Operation::DefineTags(draft) => crate::tag::define(self, caller, draft).await,
            Operation::RemoveTags(draft) => crate::tag::remove(self, caller, draft).await,
            // These change nothing, and `execute` has answered them.
            Operation::Query(_) | Operation::Retrieve(_) | Operation::List { .. } => {
                Err(Refusal::Internal("a read came where changes are made".into()))
            }
        }
    }

    /// Notes that something outside has changed which belongs to an entity; its extension is asked soon.
    pub fn observe(&self, entity: Uuid, cause: Cause) {
        self.observations.note(entity, cause);
    }

    /// Waits until all changes that have begun are done. No new ones may be sent.
    pub async fn finish(&self) {
        self.changes.close();
        self.changes.wait().await;
    }

    /// Notes what an operation may have left behind; its intent is kept, and nobody else gets these ids.
    pub(crate) fn leave(&self, operation: Uuid, ids: HashSet<Uuid>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(operation, ids);
    }

    /// Forgets what an operation may have left behind, since it is settled.
    pub(crate) fn forget_left(&self, operation: Uuid) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).remove(&operation);
    }

    /// Whether an operation has left something behind.
    pub(crate) fn has_left(&self, operation: Uuid) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&operation)
    }

    /// Whether something with this id may have been left behind.
    pub(crate) fn is_left(&self, id: Uuid) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).values().any(|ids| ids.contains(&id))
    }

    /// Commits a batch; durable when this returns.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Revision, StoreError> {
        let outcome = self.store.commit(batch).await;
        if let Err(StoreError::Engine { .. } | StoreError::Closed) = outcome {
            self.is_broken.store(true, Ordering::Relaxed);
        }
        outcome
    }

    /// Whether changes can be made: not after the store has failed, which takes a restart to mend.
    pub fn is_healthy(&self) -> bool {
        !self.is_broken.load(Ordering::Relaxed)
    }

    pub(crate) fn read(&self) -> Result<Arc<dyn ReadView>, StoreError> {
        self.store.read()
    }
}

/// Why the core cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Extensions or tags contradict each other.
    #[error(transparent)]
    Categories(#[from] SnapshotError),
}

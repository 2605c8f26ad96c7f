//! The heart: the store, the snapshot, the locks; and the functions that every operation goes through.

use crate::allowance::{Allowance, Allowances};
use crate::asked::{self, Asked};
use crate::changes::{Changes, Whole};
use crate::claims::Claims;
use crate::definitions::Definitions;
use crate::left::Left;
use crate::locks::{self, Locks};
use crate::observer::{Cause, Observations, Observer};
use crate::offers::inherit;
use crate::orders::Orders;
use crate::quotas::{Quotas, Room};
use crate::refusal::Refusal;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::{Caller, Change, Collection, Listing, Page, Reply};
use arc_swap::ArcSwap;
use occi_extension::{Console, Extension, MachineTime, TimeSource};
use occi_model::{Draft, Entity, Filter, Location, Target};
use occi_store::{Batch, ReadView, Revision, Store, StoreError};
use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How often an operation begins anew because an extension was replaced meanwhile, or its data changed.
const ANEW: usize = 100;

/// So long it takes at most until what is asked notices that nobody waits for it.
const MOMENT: Duration = Duration::from_millis(500);

/// All that operations need. Shared by everything that serves requests.
pub struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) locks: Locks,
    /// Ids that creations are about to adopt. Taken before all other locks, and by nobody else.
    pub(crate) adoptions: Locks,
    /// Paths at which clients are about to make entities. Taken before adoptions, and by nobody else.
    pub(crate) paths: Locks,
    /// Mixins whose members are about to be replaced, by [`locks::id_of`]. Taken before all other locks, and by nobody else.
    pub(crate) collections: Locks,
    /// Keys of extensions' data about which operations have lost a race. Taken before all other locks, too.
    races: Locks,
    pub(crate) observations: Observations,
    /// One definition of tags, or replacement of an extension, at a time: each makes a new snapshot of the one before.
    pub(crate) defining: tokio::sync::Mutex<()>,
    pub(crate) definitions: Definitions,
    /// All snapshots that serve see it.
    pub(crate) claims: Arc<ArcSwap<Claims>>,
    quotas: Quotas,
    pub(crate) allowances: Arc<Allowances>,
    pub(crate) left: Arc<Left>,
    /// Held by who settles intents, so that none is settled twice.
    pub(crate) settling: Arc<tokio::sync::Mutex<()>>,
    pub(crate) orders: Arc<Orders>,
    changes: TaskTracker,
    is_broken: AtomicBool,
}

impl Core {
    /// Puts the store and the extensions together, and starts to follow what happens outside. Call
    /// [`Core::recover`] before the first operation.
    pub fn start(store: Arc<dyn Store>, extensions: Vec<Arc<Extension>>) -> Result<Arc<Self>, StartError> {
        Self::start_at(Arc::new(MachineTime), store, extensions)
    }

    /// The same, where another time than the machine's says when entities are to be asked.
    pub fn start_at(
        time: Arc<dyn TimeSource>,
        store: Arc<dyn Store>,
        extensions: Vec<Arc<Extension>>,
    ) -> Result<Arc<Self>, StartError> {
        let definitions = Definitions::default();
        let view = store.read()?;
        let (claims, allowances) = (Arc::new(ArcSwap::default()), Arc::default());
        for extension in &extensions {
            inherit(extension, None, &*view)?;
        }
        let snapshot = Snapshot::with_stored_tags(extensions, &*view)?.since(
            &definitions,
            &claims,
            &allowances,
            &*view,
        )?;
        let (observations, observer) = Observer::new(Arc::clone(&time));
        let core = Arc::new(Self {
            store,
            snapshot: ArcSwap::from_pointee(snapshot),
            locks: Locks::default(),
            settling: Arc::default(),
            adoptions: Locks::default(),
            paths: Locks::default(),
            collections: Locks::default(),
            races: Locks::default(),
            observations,
            defining: tokio::sync::Mutex::new(()),
            definitions,
            claims,
            quotas: Quotas::default(),
            allowances,
            left: Arc::new(Left::new(Arc::clone(&time))),
            orders: Arc::new(Orders::new(time)),
            changes: TaskTracker::new(),
            is_broken: AtomicBool::new(false),
        });
        observer.start(&core);
        core.left.start(&core);
        core.orders.start(&core);
        Ok(core)
    }

    /// What a request that begins now sees.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// What each tenant may have at most from now on; who has more already keeps it.
    pub fn set_allowances(&self, allowances: Vec<Allowance>) {
        self.allowances.set(allowances);
    }

    /// What extensions have for themselves from now on, also those that do not serve.
    pub fn set_claims(&self, claims: Claims) {
        self.claims.store(Arc::new(claims));
    }

    /// What stands at a path, and the path that it has itself: an entity's is without the slash that some clients put
    /// at its end, where no collection has that one. A console is where no entity is.
    pub fn resolve(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        path: Location,
    ) -> Result<(Location, Target), Refusal> {
        let target = snapshot.registry().resolve(&path);
        if let Target::Space(space) = &target
            && let Some(entity) = crate::list::entity_instead(&*self.read()?, snapshot, caller, space)?
        {
            return Ok((entity.clone(), Target::Entity(entity)));
        }
        if matches!(target, Target::Entity(_))
            && path.of_console().is_some()
            && let Some(entity) = crate::console::owner(&*self.read()?, snapshot, caller, &path)?
        {
            return Ok((path, Target::Console(entity)));
        }
        Ok((path, target))
    }

    /// The categories that there are, or those that the filter names (HTTP-19).
    pub fn query(&self, filter: &Filter) -> Reply {
        crate::query::query(&self.snapshot(), filter)
    }

    /// The entity at a path (HTTP-23).
    pub fn retrieve(&self, caller: &Caller, path: &Location) -> Result<Reply, Refusal> {
        crate::retrieve::retrieve(self, &self.snapshot(), caller, path)
    }

    /// The console of the entity at a path.
    pub async fn console(&self, caller: &Caller, path: &Location) -> Result<Arc<dyn Console>, Refusal> {
        crate::console::console(self, &self.snapshot(), caller, path).await
    }

    /// The members of a collection that a filter lets pass, all of them or a page (HTTP-12, HTTP-29).
    pub fn list(
        &self,
        caller: &Caller,
        collection: Collection,
        filter: Filter,
        page: Option<Page>,
    ) -> Result<Listing, Refusal> {
        Listing::new(self, self.snapshot(), caller, collection, filter, page)
    }

    /// Carries out a change, however long it takes. See [`Core::change_within`].
    pub async fn change(self: &Arc<Self>, caller: &Caller, change: Change) -> Result<Reply, Refusal> {
        self.change_within(Duration::MAX, pending(), caller, change).await
    }

    /// Carries out a change, or answers after a time that it is late. What has begun goes on to its end, then and where the
    /// future is dropped; what others have kept from beginning never begins, nor once `is_left`: when who asked may have
    /// gone.
    pub async fn change_within(
        self: &Arc<Self>,
        time: Duration,
        is_left: impl Future<Output = ()>,
        caller: &Caller,
        change: Change,
    ) -> Result<Reply, Refusal> {
        let (core, caller, asked) = (Arc::clone(self), caller.clone(), Arc::new(Asked::default()));
        let (waits, began) = (asked.wait(), Instant::now());
        let task = asked.carry_out(async move {
            let (core, caller, change) = (&core, &caller, &change);
            core.anew(|snapshot| async move { core.carry_out(&snapshot, caller, change.clone()).await }).await
        });
        let mut task = pin!(self.going_on(task));
        let waiting = async {
            is_left.await;
            drop(waits);
            pending::<Infallible>().await
        };
        let answer = tokio::select! {
            biased;
            answer = &mut task => answer?,
            never = waiting => match never {},
            () = sleep(time) => {
                // What waits for its turn ends at once.
                match timeout(MOMENT, task).await {
                    Ok(answer) => answer?,
                    Err(_elapsed) => return Err(Refusal::Late { after: time }),
                }
            }
        };
        answer.unwrap_or_else(|| Err(Refusal::Behind { after: began.elapsed() }))
    }

    /// Does what may be overtaken, and does it anew where it was: nothing of it was committed then, so nobody need know.
    pub(crate) async fn anew<T, F: Future<Output = Result<T, Refusal>>>(
        &self,
        attempt: impl Fn(Arc<Snapshot>) -> F,
    ) -> Result<T, Refusal> {
        let mut racing = None;
        for _ in 0..ANEW {
            let outcome = attempt(self.snapshot()).await;
            drop(racing.take());
            match outcome {
                // The replacement may still be under way.
                Err(Refusal::Outdated(_) | Refusal::Retagged) => drop(self.defining.lock().await),
                // Those who lost one after the other: else of many one would lose again and again.
                Err(Refusal::Raced(key)) => racing = Some(self.races.lock([locks::id_of(&key)]).await),
                outcome => return outcome,
            }
        }
        attempt(self.snapshot()).await
    }

    /// Does something to its end, whether or not somebody still waits for it.
    pub(crate) fn going_on<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        task: F,
    ) -> impl Future<Output = Result<T, Refusal>> + use<T, F> {
        let running = self.changes.spawn(task);
        async move {
            let ended = |error| Refusal::Internal(format!("the operation ended abnormally: {error}"));
            running.await.map_err(ended)
        }
    }

    async fn carry_out(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        caller: &Caller,
        change: Change,
    ) -> Result<Reply, Refusal> {
        let outcome = self.carry_out_as_is(snapshot, caller, change).await;
        outcome.map_err(|refusal| snapshot.for_lack_of_what_sleeps(refusal))
    }

    async fn carry_out_as_is(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        caller: &Caller,
        change: Change,
    ) -> Result<Reply, Refusal> {
        // The verbs' futures are of several sizes, up to 24 KiB: a task that held any would be as large as the largest.
        match change {
            Change::Create { place, draft } => {
                Box::pin(crate::create::create(self, snapshot, caller, &place, draft)).await
            }
            Change::Put { path, draft, condition } => {
                Box::pin(crate::update::put(self, snapshot, caller, path, draft, &condition)).await
            }
            Change::Update { path, draft, condition } => {
                Box::pin(crate::update::update(self, snapshot, caller, &path, draft, &condition)).await
            }
            Change::Delete { path, condition } => {
                Box::pin(crate::delete::delete(self, snapshot, caller, &path, &condition, None)).await
            }
            Change::Act { path, term, draft, condition } => {
                Box::pin(crate::act::act(self, snapshot, caller, &path, &term, &draft, &condition)).await
            }
            // never the entities.
            Change::DeleteAll(Collection::Mixin(mixin)) => {
                Box::pin(crate::mixin::dissociate(self, snapshot, caller, &mixin, &Draft::default())).await
            }
            Change::DeleteAll(collection) => {
                Box::pin(crate::delete_all::delete_all(self, snapshot, caller, &collection)).await
            }
            Change::ActOnAll { collection, term, draft } => {
                Box::pin(crate::act_on_all::act_on_all(self, snapshot, caller, &collection, &term, &draft))
                    .await
            }
            Change::Associate { mixin, draft } => {
                Box::pin(crate::mixin::associate(self, snapshot, caller, &mixin, &draft)).await
            }
            Change::SetMembers { mixin, draft } => {
                Box::pin(crate::mixin::set_members(self, snapshot, caller, &mixin, &draft)).await
            }
            Change::Dissociate { mixin, draft } => {
                Box::pin(crate::mixin::dissociate(self, snapshot, caller, &mixin, &draft)).await
            }
            Change::DefineTags(draft) => Box::pin(crate::tag::define(self, caller, draft)).await,
            Change::RemoveTags(draft) => Box::pin(crate::tag::remove(self, caller, draft)).await,
        }
    }

    /// Notes that something outside has changed which belongs to an entity; its extension is asked soon.
    pub fn observe(&self, entity: Uuid, cause: Cause) {
        self.observations.note(entity, cause);
    }

    /// When something is to be done next that no client asks for: an entity to be asked, a link to be made or ended, or what
    /// was left to be tried.
    pub fn next_time(&self) -> Option<Instant> {
        [self.observations.next(), self.orders.next(), self.left.next()].into_iter().flatten().min()
    }

    /// Waits until nothing is being done that no client asks for, and nothing is to be done before the time goes on.
    pub async fn rest(&self) {
        loop {
            self.left.rest().await;
            self.orders.rest().await;
            // What is observed asks for links, and a link that is refused has its resource observed.
            self.observations.rest().await;
            if self.orders.is_at_rest() && self.left.is_at_rest() {
                return;
            }
        }
    }

    /// Waits until all changes that have begun are done. No new ones may be sent.
    pub async fn finish(&self) {
        self.orders.close();
        self.changes.close();
        self.changes.wait().await;
    }

    /// Whether an entity can be changed: its Kind is served, and it is not about to go.
    pub(crate) fn check_changeable(&self, snapshot: &Snapshot, entity: &Entity) -> Result<(), Refusal> {
        snapshot.check_loaded(entity)?;
        self.left.check_stays(entity.id)
    }

    /// Commits a batch; durable when this returns.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Revision, StoreError> {
        asked::begin();
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

    /// Commits the end of an operation, and of its intent. Where it cannot be, since it was overtaken, the intent goes all
    /// the same: it is done anew, or refused, and must not be finished after a crash; and what was begun of these entities
    /// is looked at.
    pub(crate) async fn commit_end(
        &self,
        mut changes: Changes<'_>,
        intent: Option<Uuid>,
        begun: impl IntoIterator<Item = Uuid>,
    ) -> Result<(), Refusal> {
        changes.strike(intent);
        if changes.is_empty() {
            return Ok(());
        }
        let Err(refusal) = self.commit_changes(changes).await else { return Ok(()) };
        // Where the store failed nobody knows.
        if let Some(operation) = intent.filter(|_| !matches!(refusal, Refusal::Store(_))) {
            self.strike(operation).await;
        }
        for entity in begun {
            self.observe(entity, Cause::Restart);
        }
        Err(refusal)
    }

    /// Commits what an operation has gathered; durable when this returns. Refused where an extension would keep more than
    /// it may.
    pub(crate) async fn commit_changes(&self, changes: Changes<'_>) -> Result<Revision, Refusal> {
        let orders = changes.orders();
        let Whole { batch, growths, taken } = changes.into_whole();
        let take = |(owner, growth, most)| self.quotas.take(|| self.read(), owner, growth, most);
        let rooms = growths.into_iter().map(take).collect::<Result<Vec<_>, _>>()?;
        let revision = self.commit(batch).await?;
        rooms.into_iter().for_each(Room::keep);
        self.allowances.keep(taken);
        for (owner, key) in orders {
            self.orders.note(&owner, revision, &key);
        }
        Ok(revision)
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

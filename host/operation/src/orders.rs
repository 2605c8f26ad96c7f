//! Links that extensions have asked for, and those that they want to end: each is made or ended after the commit that asked for
//! it, by an operation like any client's. What waits is known from the store at the start, and from each commit since. What one
//! extension has ordered at one resource is carried out in a line, one after the other, and an order whose needs are away keeps
//! back those behind it, and no others.

mod book;

use crate::changes::Changes;
use crate::core::Core;
use crate::effect::{Writes, is_away, is_plain_no};
use crate::lanes::Lanes;
use crate::order::{Errand, Order, Wish, described, subject_of};
use crate::quotas::Owner;
use crate::refusal::Refusal;
use crate::{Caller, Condition, Snapshot, create, delete, locks, sight};
use book::{Book, Line};
use occi_extension::{CallError, KeyValueChange, KeyValueChanges, LinkOrder, Replaced, TimeSource};
use occi_model::{Entity, Location};
use occi_store::{Bucket, Entities, ReadView, Revision, StoreError, Versioned};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

/// How many are carried out at once, as a rule, each of another line.
const CONCURRENCY: usize = 4;

/// One that waits, or is carried out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    /// The commit that asked for it. Of one commit, those keys come first that were made first.
    revision: Revision,
    key: String,
}

/// All that wait.
pub(crate) struct Orders {
    time: Arc<dyn TimeSource>,
    book: Mutex<Book>,
    news: Notify,
    /// That one was carried out, or tried.
    done: Notify,
}

impl Orders {
    pub(crate) fn new(time: Arc<dyn TimeSource>) -> Self {
        Self { time, book: Mutex::default(), news: Notify::new(), done: Notify::new() }
    }

    /// Notes what a commit holds, or the store.
    pub(crate) fn note(&self, owner: &Owner, revision: Revision, key: &str) {
        let Some(subject) = subject_of(key) else { return };
        let line = Line { subject, owner: owner.clone() };
        self.book().note(line, Waiting { revision, key: key.to_owned() }, self.time.instant());
        self.news.notify_one();
    }

    /// Has all of them tried now, as what was away may be back.
    pub(crate) fn hurry(&self) {
        self.book().hurry(self.time.instant());
        self.news.notify_one();
    }

    /// Those that are not being carried out are left to the next run.
    pub(crate) fn close(&self) {
        self.book().set_open(false);
    }

    /// When the next one is to be tried.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.book().next()
    }

    /// Whether none is carried out, nor is to be before the time goes on.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.book().is_at_rest(self.time.instant())
    }

    /// Waits until it is so.
    pub(crate) async fn rest(&self) {
        loop {
            let done = self.done.notified();
            if self.is_at_rest() {
                return;
            }
            done.await;
        }
    }

    /// Has them carried out until the core is gone, as soon as the book is open.
    pub(crate) fn start(self: &Arc<Self>, core: &Arc<Core>) {
        let (orders, core) = (Arc::clone(self), Arc::downgrade(core));
        tokio::spawn(async move { orders.run(&core).await });
    }

    async fn run(self: Arc<Self>, core: &Weak<Core>) {
        let lanes = Lanes::new(CONCURRENCY);
        loop {
            let Some(place) = lanes.place().await else { return };
            let taken = self.book().take(self.time.instant());
            let Some((line, waiting)) = taken else {
                drop(place);
                self.wait().await;
                if core.strong_count() == 0 {
                    return;
                }
                continue;
            };
            let Some(core) = core.upgrade() else { return };
            let (orders, lanes) = (Arc::clone(&self), lanes.clone());
            tokio::spawn(async move {
                let tried = lanes.run(place, core.serve(&line, &waiting)).await;
                orders.tried(&line, &waiting, tried);
            });
        }
    }

    async fn wait(&self) {
        let next = self.next();
        match next {
            Some(next) => tokio::select! {
                () = self.time.wait_until(next) => {}
                () = self.news.notified() => {}
            },
            None => self.news.notified().await,
        }
    }

    /// Notes what became of one: it is done with, or is tried again later.
    fn tried(&self, line: &Line, waiting: &Waiting, tried: Result<(), Refusal>) {
        let now = self.time.instant();
        match tried {
            Ok(()) => self.book().settled(line, waiting, now),
            Err(refusal) => {
                let failures = self.book().put_back(line, now);
                let Line { subject, owner: (_, extension) } = line;
                // Said once, and not of what is away: that is said elsewhere.
                if failures == 1 && !is_away(&refusal) {
                    tracing::warn!(%extension, entity = %subject, "what it has ordered is tried again later: {refusal}");
                } else {
                    tracing::debug!(%extension, entity = %subject, failures, "what it has ordered is tried again later: {refusal}");
                }
            }
        }
        self.news.notify_one();
        self.done.notify_waiters();
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Has the orders carried out that the last run has left, and those that come from now on.
    pub(crate) fn begin_orders(&self) -> Result<(), Refusal> {
        for extension in self.snapshot().extensions() {
            self.recall_orders(extension.name())?;
        }
        self.orders.book().set_open(true);
        self.orders.news.notify_one();
        Ok(())
    }

    /// Notes what an extension had asked for when it served last.
    pub(crate) fn recall_orders(&self, extension: &Arc<str>) -> Result<(), Refusal> {
        let view = self.read()?;
        for tenant in occi_store::tenants(&*view)? {
            let owner = (tenant, Arc::clone(extension));
            for (key, found) in bucket(&owner).list(&*view, None, usize::MAX)? {
                self.orders.note(&owner, found.revision, &key);
            }
        }
        Ok(())
    }

    /// Carries out an order to its end. Where it answers nothing the order is done with; else it is tried again.
    async fn serve(self: &Arc<Self>, line: &Line, waiting: &Waiting) -> Result<(), Refusal> {
        let (core, line, waiting) = (Arc::clone(self), line.clone(), waiting.clone());
        self.going_on(async move { core.serve_now(&line, &waiting).await }).await?
    }

    async fn serve_now(self: &Arc<Self>, line: &Line, waiting: &Waiting) -> Result<(), Refusal> {
        let (Line { subject, owner }, Waiting { key, .. }) = (line, waiting);
        let extension = &*owner.1;
        if self.snapshot().named(extension).is_none() {
            return Err(Refusal::Internal(format!("the extension {extension} does not serve")));
        }
        let Some(found) = bucket(owner).get(&*self.read()?, key)? else { return Ok(()) };
        let strike = || written(owner, key, &found, None);
        let caller = Caller { tenant: Arc::clone(&owner.0) };
        let order = match Order::read(key, &found.value) {
            Ok(order) => order,
            Err(refusal) => {
                tracing::error!(extension, entity = %subject, "{refusal}");
                return self.write_order(&caller, &strike()).await;
            }
        };
        if self.has_gone(&caller, *subject)? {
            return self.write_order(&caller, &strike()).await;
        }
        let errand = Errand { depth: order.depth + 1, strike: strike() };
        let carried_out = match &order.wish {
            Wish::Link(link) => self.make_link(&caller, extension, link, &errand).await,
            Wish::Unlink { source, location } => {
                self.end_link(&caller, extension, *source, location, &errand).await
            }
            Wish::Hear { .. } => {
                let told = Errand { depth: order.depth, ..errand };
                return match self.tell_refused(*subject, extension, &told).await {
                    // That is an answer as well, and what else was ordered goes on.
                    Err(refusal) if is_plain_no(&refusal) => {
                        tracing::warn!(extension, entity = %subject, "it does not hear that a link was refused: {refusal}");
                        self.write_order(&caller, &told.strike).await
                    }
                    outcome => outcome,
                };
            }
        };
        let refusal = match carried_out {
            Ok(Carried::Out) => return Ok(()),
            Ok(Carried::Before) => return self.write_order(&caller, &errand.strike).await,
            Err(_) if self.is_withdrawn(line, waiting, &order)? => {
                return self.write_order(&caller, &errand.strike).await;
            }
            Err(refusal) if passes(&refusal) => return Err(refusal),
            Err(refusal) => refusal,
        };
        let (link, to_be) = (order.location(), order.wish.told());
        tracing::warn!(extension, entity = %subject, %link, "a link that was to be {to_be} was refused: {refusal}");
        // By one commit, so that it is told whatever comes between.
        let hear = Order { depth: errand.depth, wish: Wish::Hear { location: link.clone() } };
        self.write_order(&caller, &written(owner, key, &found, Some(hear.encode()?))).await
    }

    /// Whether the extension wants a link no more that could not be made yet.
    fn is_withdrawn(&self, line: &Line, waiting: &Waiting, order: &Order) -> Result<bool, Refusal> {
        if !matches!(order.wish, Wish::Link(_)) {
            return Ok(false);
        }
        let view = self.read()?;
        for later in self.orders.book().behind(line, waiting) {
            let found = bucket(&line.owner).get(&*view, &later.key)?;
            let wish =
                found.and_then(|found| Order::read(&later.key, &found.value).ok()).map(|order| order.wish);
            if matches!(wish, Some(Wish::Unlink { location, .. }) if location == *order.location()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_gone(&self, caller: &Caller, subject: Uuid) -> Result<bool, Refusal> {
        Ok(Entities::new(&*self.read()?, &caller.tenant).get(subject)?.is_none())
    }

    /// Strikes or changes an order of which nothing else is to be committed.
    async fn write_order(&self, caller: &Caller, written: &Writes) -> Result<(), Refusal> {
        let snapshot = self.snapshot();
        let mut changes = Changes::new(&snapshot);
        changes.write(&caller.tenant, written);
        self.commit_changes(changes).await.map(drop)
    }

    async fn make_link(
        self: &Arc<Self>,
        caller: &Caller,
        extension: &str,
        link: &Entity,
        errand: &Errand,
    ) -> Result<Carried, Refusal> {
        self.anew(|snapshot| async move {
            let path = &link.location;
            let _path_held = self.paths.lock([locks::id_of(path)]).await;
            let ends = |link: &Entity| link.ends.as_ref().map(|ends| (ends.source_id, ends.target_id));
            if let Some(found) = find(&*self.read()?, caller, path)? {
                check_own(&snapshot, extension, &found, ends(&found) == ends(link))?;
                return Ok(Carried::Before);
            }
            check_links(&snapshot, extension, link)?;
            // Both pass: an extension comes back, and what an attempt has left is ended.
            snapshot.check_loaded(link)?;
            if self.left.holds(link.id) {
                return Err(Refusal::Internal("what an earlier attempt has left is not ended yet".into()));
            }
            let (item, condition) = (described(link), Condition::Absent);
            let made =
                create::create_at(self, &snapshot, caller, path.clone(), item, &condition, Some(errand));
            Box::pin(made).await.map(|_| Carried::Out)
        })
        .await
    }

    async fn end_link(
        self: &Arc<Self>,
        caller: &Caller,
        extension: &str,
        source: Uuid,
        path: &Location,
        errand: &Errand,
    ) -> Result<Carried, Refusal> {
        self.anew(|snapshot| async move {
            let Some(link) = find(&*self.read()?, caller, path)? else { return Ok(Carried::Before) };
            let leaves = link.ends.as_ref().is_some_and(|ends| ends.source_id == source);
            check_own(&snapshot, extension, &link, leaves)?;
            match Box::pin(delete::delete(self, &snapshot, caller, path, &Condition::None, Some(errand)))
                .await
            {
                Ok(_) => Ok(Carried::Out),
                Err(Refusal::NotFound(_)) => Ok(Carried::Before),
                Err(refusal) => Err(refusal),
            }
        })
        .await
    }
}

/// How an order came to be so.
enum Carried {
    /// By this operation, which has struck it.
    Out,
    /// It was so already.
    Before,
}

impl Wish {
    fn told(&self) -> &'static str {
        match self {
            Self::Link(_) => "made",
            Self::Unlink { .. } => "ended",
            Self::Hear { .. } => "told",
        }
    }
}

fn bucket((tenant, extension): &Owner) -> Bucket {
    Bucket::new(tenant, extension, LinkOrder::BUCKET)
}

fn find(view: &dyn ReadView, caller: &Caller, path: &Location) -> Result<Option<Arc<Entity>>, StoreError> {
    Ok(Entities::new(view, &caller.tenant).find_by_path(path)?.map(|stored| stored.entity))
}

/// What becomes of an order that was found: another value, or none.
fn written(owner: &Owner, key: &str, found: &Versioned, value: Option<Vec<u8>>) -> Writes {
    let over = Some(Replaced { revision: found.revision.0, bytes: found.value.len() });
    let changes = KeyValueChanges::one(LinkOrder::BUCKET, key, KeyValueChange { value, over });
    Writes::from([(Arc::clone(&owner.1), Arc::new(changes))])
}

/// Another may be at that path by now.
fn check_own(snapshot: &Snapshot, extension: &str, link: &Entity, is_own: bool) -> Result<(), Refusal> {
    if is_own {
        return check_links(snapshot, extension, link);
    }
    let (kind, location) = (&link.kind, link.location.as_str());
    Err(Refusal::Forbidden(format!("at {location} is another entity by now, of the Kind {kind}")))
}

/// The extension may be another version by now, with other links.
fn check_links(snapshot: &Snapshot, extension: &str, link: &Entity) -> Result<(), Refusal> {
    let found = snapshot.named(extension);
    if found.is_some_and(|found| sight::links(&snapshot.by_category, found, &link.kind)) {
        return Ok(());
    }
    Err(Refusal::Forbidden(format!("the extension {extension} makes and ends no links of {}", link.kind)))
}

/// Whether what kept an order from being carried out passes by itself.
fn passes(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Store(_)
        | Refusal::Internal(_)
        | Refusal::NotLoaded(_)
        | Refusal::Outdated(_)
        | Refusal::Retagged
        | Refusal::Raced(_)
        | Refusal::Extension(CallError::Unavailable { .. } | CallError::Suspended { .. }) => true,
        Refusal::Part { refusal, .. } => passes(refusal),
        other => is_away(other),
    }
}

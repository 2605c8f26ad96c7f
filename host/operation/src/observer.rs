//! What happens outside by itself: a capability's event, a timer. The entity's extensions are asked what the entity is
//! now, and the answer is committed. A question that fails is asked again until it is answered or the entity is gone,
//! since a read shows what the store holds and nobody else would mend that. When which question is asked, the
//! [`agenda`](crate::agenda) knows.

use crate::Caller;
use crate::agenda::{Agenda, Question};
use crate::changes::Changes;
use crate::core::Core;
use crate::effect::{Effects, is_away};
use crate::lanes::Lanes;
use crate::order::Errand;
use crate::refusal::Refusal;
use crate::retrieve::find;
use occi_extension::TimeSource;
use occi_model::{Entity, Location};
use occi_store::{Entities, StoreError, Stored};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

/// Why an entity is asked (`cause` of the contract). The greater asks for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The extension asked for it.
    Timer,
    /// A capability reports a change.
    Event,
    /// The host has started.
    Restart,
    /// The host has started, and what capabilities made is gone.
    Recreate,
}

impl Cause {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Timer => "timer",
            Self::Restart => "restart",
            Self::Recreate => "recreate",
        }
    }
}

/// How often an entity is asked anew at once because its extension's data changed meanwhile.
const RACES: usize = 3;
/// How many entities are asked at once, as a rule.
const CONCURRENCY: usize = 8;

/// Entities that wait to be asked.
#[derive(Clone)]
pub(crate) struct Observations {
    time: Arc<dyn TimeSource>,
    agenda: Arc<Mutex<Agenda>>,
    news: Arc<Notify>,
    /// That a question was asked to its end.
    done: Arc<Notify>,
    /// Whether it was said that something outside is away, and nothing has been answered since.
    is_away: Arc<AtomicBool>,
}

impl Observations {
    fn new(time: Arc<dyn TimeSource>) -> Self {
        let (agenda, news, done, is_away) = Default::default();
        Self { time, agenda, news, done, is_away }
    }

    pub(crate) fn note(&self, entity: Uuid, cause: Cause) {
        self.agenda().note(entity, cause, self.time.instant());
        self.news.notify_one();
    }

    /// Notes that the extension wants to be asked after a while.
    fn note_later(&self, entity: Uuid, delay: Duration) {
        self.agenda().note_later(entity, delay, self.time.instant());
        self.news.notify_one();
    }

    /// Notes again what was asked in vain, for later, and says why.
    pub(crate) fn put_back(&self, entity: Uuid, cause: Cause, failures: u32, why: &Refusal) {
        let cause_name = cause.name();
        // Said once, and not of what is over in a second: a hypervisor that is away for hours is no news, nor that it is so for
        // each of a thousand entities.
        let is_news = failures == 1 && !(is_away(why) && self.is_away.swap(true, Ordering::Relaxed));
        if is_news {
            tracing::warn!(%entity, cause = cause_name, "what it is now is not known; asked again until it is: {why}");
        } else {
            tracing::debug!(%entity, cause = cause_name, failures, "what it is now is still not known: {why}");
        }
        self.agenda().put_back(entity, cause, failures, self.time.instant());
        self.news.notify_one();
    }

    /// Notes that a question was answered.
    fn answered(&self) {
        self.is_away.store(false, Ordering::Relaxed);
    }

    /// The next question whose time has come.
    fn take(&self) -> Option<Asking> {
        let (entity, question) = self.agenda().take(self.time.instant())?;
        Some(Asking { observations: self.clone(), entity, question })
    }

    /// Waits until it may be time for a question.
    async fn wait(&self) {
        let next = self.agenda().next();
        match next {
            Some(next) => tokio::select! {
                () = self.time.wait_until(next) => {}
                () = self.news.notified() => {}
            },
            None => self.news.notified().await,
        }
    }

    /// When the next question is to be asked.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.agenda().next()
    }

    /// Waits until all questions were asked whose time has come.
    pub(crate) async fn rest(&self) {
        loop {
            let done = self.done.notified();
            if self.agenda().is_at_rest(self.time.instant()) {
                return;
            }
            done.await;
        }
    }

    fn agenda(&self) -> MutexGuard<'_, Agenda> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is being asked. However it ends, the entity may then be asked the next one.
struct Asking {
    observations: Observations,
    entity: Uuid,
    question: Question,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.observations.agenda().done(self.entity);
        self.observations.news.notify_one();
        self.observations.done.notify_waiters();
    }
}

/// The task that asks.
pub(crate) struct Observer {
    observations: Observations,
}

impl Observer {
    pub(crate) fn new(time: Arc<dyn TimeSource>) -> (Observations, Self) {
        let observations = Observations::new(time);
        (observations.clone(), Self { observations })
    }

    /// Runs until the core is gone.
    pub(crate) fn start(self, core: &Arc<Core>) {
        let core = Arc::downgrade(core);
        tokio::spawn(async move { self.run(&core).await });
    }

    async fn run(self, core: &Weak<Core>) {
        let lanes = Lanes::new(CONCURRENCY);
        loop {
            let Some(place) = lanes.place().await else { return };
            let Some(asking) = self.observations.take() else {
                drop(place);
                self.observations.wait().await;
                if core.strong_count() == 0 {
                    return;
                }
                continue;
            };
            let Some(core) = core.upgrade() else { return };
            let lanes = lanes.clone();
            tokio::spawn(async move { lanes.run(place, core.answer(&asking)).await });
        }
    }
}

/// What came of asking an entity.
#[derive(Default)]
pub(crate) struct Asked {
    /// The entity as it is now, where that is new.
    pub(crate) changed: Option<Stored>,
    /// Why it is not known in full what the entity is now.
    pub(crate) failed: Option<Refusal>,
}

impl Core {
    /// Asks one entity, and the links at it when its state has changed.
    async fn answer(&self, asking: &Asking) {
        let Asking { entity, question: Question { cause, failures, .. }, .. } = *asking;
        let asked = self.ask_one(entity, cause).await;
        match asked.failed {
            None => self.observations.answered(),
            // The server ends, and will ask at its next start.
            Some(Refusal::Store(StoreError::Closed)) => {}
            Some(refusal) => self.observations.put_back(entity, cause, failures, &refusal),
        }
        if let Some(changed) = asked.changed {
            self.tell_links(&changed);
        }
    }

    /// Has the links at a resource asked whose state has changed.
    fn tell_links(&self, changed: &Stored) {
        if !changed.entity.is_link() {
            for link in self.links_at(changed) {
                self.observe(link, Cause::Event);
            }
        }
    }

    /// Tells an extension that a link was refused which it has asked for at this resource, and commits the answer together
    /// with the end of the errand.
    pub(crate) async fn tell_refused(
        &self,
        id: Uuid,
        extension: &str,
        errand: &Errand,
    ) -> Result<(), Refusal> {
        let _held = self.locks.lock([id]).await;
        let changed = self.anew(|snapshot| async move {
            let Some(stored) = self.find_anywhere(id)? else { return Ok(None) };
            let mut effects = Effects::new(self, &snapshot, Uuid::new_v4()).on(Some(errand));
            let after = effects.hear_refused(&stored.entity, extension).await?;
            let mut changes = Changes::new(&snapshot);
            let is_changed = after != *stored.entity;
            if is_changed {
                changes.replace(&stored, &after, stored.made_by.as_ref())?;
            }
            changes.write(&after.tenant, &effects.writes);
            self.keep_wishes(&mut changes, &effects.again);
            let revision = self.commit_changes(changes).await?;
            self.schedule(&effects.again);
            Ok(is_changed.then(|| Stored { entity: Arc::new(after), revision, ..stored }))
        });
        if let Some(changed) = changed.await? {
            self.tell_links(&changed);
        }
        Ok(())
    }

    /// Asks all links that leave a resource or end at it. One that cannot be asked now is asked later.
    pub(crate) async fn ask_links(self: &Arc<Self>, resource: &Stored, cause: Cause) {
        for link in self.links_at(resource) {
            if let Some(refusal) = self.ask_one(link, cause).await.failed {
                self.observations.put_back(link, cause, 0, &refusal);
            }
        }
    }

    fn links_at(&self, resource: &Stored) -> Vec<Uuid> {
        let (tenant, id) = (&resource.entity.tenant, resource.entity.id);
        let links = || -> Result<Vec<Uuid>, Refusal> {
            let view = self.read()?;
            let all = Entities::new(&*view, tenant);
            let mut links = all.links_from(id)?;
            links.extend(all.links_to(id)?);
            Ok(links.into_iter().map(|link| link.entity.id).collect())
        };
        links().unwrap_or_else(|refusal| {
            tracing::warn!(entity = %id, "its links are not known: {refusal}");
            Vec::new()
        })
    }

    /// Asks an entity what it is now, and commits the answer.
    pub(crate) async fn ask_one(&self, id: Uuid, cause: Cause) -> Asked {
        let _held = self.locks.lock([id]).await;
        self.ask_held(id, cause).await
    }

    /// The same with the entity locked.
    pub(crate) async fn ask_held(&self, id: Uuid, cause: Cause) -> Asked {
        let failed = |refusal| Asked { changed: None, failed: Some(refusal) };
        for _ in 0..RACES {
            match self.ask_extensions(id, cause).await {
                Err(Refusal::Raced(_)) => {}
                outcome => return outcome.unwrap_or_else(failed),
            }
        }
        self.ask_extensions(id, cause).await.unwrap_or_else(failed)
    }

    async fn ask_extensions(&self, id: Uuid, cause: Cause) -> Result<Asked, Refusal> {
        let snapshot = self.snapshot();
        let mut changes = Changes::new(&snapshot);
        let Some(stored) = self.find_anywhere(id)? else {
            if cause == Cause::Timer {
                changes.ask_no_more(id);
                self.commit_changes(changes).await?;
            }
            return Ok(Asked::default());
        };
        let mut effects = Effects::new(self, &snapshot, Uuid::new_v4());
        let (after, failed) = effects.observe(&stored.entity, cause).await;
        // A timer that is set anew and leaves all else as it is costs no commit: the old time in the store is past, and
        // after a crash the question would come at once.
        let is_rewound = cause == Cause::Timer && !effects.again.is_empty();
        let is_changed = after != *stored.entity || !effects.writes.is_empty();
        if is_changed {
            changes.replace(&stored, &after, stored.made_by.as_ref())?;
            changes.write(&after.tenant, &effects.writes);
        }
        if cause == Cause::Timer && failed.is_none() && effects.again.is_empty() {
            changes.ask_no_more(id);
        } else if is_changed || !is_rewound {
            self.keep_wishes(&mut changes, &effects.again);
        }
        let changed = if changes.is_empty() {
            None
        } else {
            let revision = self.commit_changes(changes).await?;
            is_changed.then(|| Stored { entity: Arc::new(after), revision, ..stored })
        };
        self.schedule(&effects.again);
        Ok(Asked { changed, failed })
    }

    /// The id of the entity at a path.
    pub fn id_at(&self, caller: &Caller, path: &Location) -> Result<Uuid, Refusal> {
        Ok(find(&*self.read()?, caller, path)?.entity.id)
    }

    /// Keeps an entity from being changed by others for as long as the answer lives.
    pub async fn keep_still(&self, id: Uuid) -> impl Send + use<> {
        self.locks.lock([id]).await
    }

    /// Whether anybody has an entity of that id.
    pub fn has_entity(&self, id: Uuid) -> Result<bool, Refusal> {
        Ok(occi_store::owner(&*self.read()?, id)?.is_some())
    }

    /// The entities with these ids, of whatever tenant, all as they were at one moment; none where there is none.
    pub fn entities(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Option<Arc<Entity>>>, Refusal> {
        let view = self.read()?;
        let find = |id| {
            let Some(tenant) = occi_store::owner(&*view, id)? else { return Ok(None) };
            Ok(Entities::new(&*view, &tenant).get(id)?.map(|stored| stored.entity))
        };
        ids.into_iter().map(find).collect()
    }

    /// An entity of whatever tenant: what happens outside names only its id.
    pub(crate) fn find_anywhere(&self, id: Uuid) -> Result<Option<Stored>, Refusal> {
        let view = self.read()?;
        let Some(tenant) = occi_store::owner(&*view, id)? else { return Ok(None) };
        Ok(Entities::new(&*view, &tenant).get(id)?)
    }

    /// Adds to what is to be committed when entities' extensions want to be asked; a restart does not forget it.
    pub(crate) fn keep_wishes(&self, changes: &mut Changes<'_>, again: &[(Uuid, Duration)]) {
        let (now, time) = (self.observations.time.instant(), self.observations.time.system_time());
        for &(entity, delay) in again {
            let due = self.observations.agenda().time_of_wish(entity, delay, now);
            changes.ask_again(entity, time + due.saturating_duration_since(now));
        }
    }

    /// Has the entities asked that were to be asked when the last run ended, those whose time is past soon.
    pub(crate) fn recall_wishes(&self) -> Result<(), Refusal> {
        let now = self.observations.time.system_time();
        for (entity, due) in occi_store::timers(&*self.read()?)? {
            self.observations.note_later(entity, due.duration_since(now).unwrap_or_default());
        }
        Ok(())
    }

    /// Has entities asked when their extensions want to be.
    pub(crate) fn schedule(&self, again: &[(Uuid, Duration)]) {
        for &(entity, delay) in again {
            self.observations.note_later(entity, delay);
        }
    }
}

//! What happens outside by itself: a capability's event, a timer. The entity's extension is asked what the entity is
//! now, and the answer is committed. Many events of one entity that wait together are one question.

use crate::changes::Changes;
use crate::core::Core;
use crate::effect::Effects;
use crate::refusal::Refusal;
use occi_store::{Entities, Stored};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

/// Why an entity is asked (`cause` of the contract).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A capability reports a change.
    Event,
    /// The extension asked for it.
    Timer,
    /// The host has started.
    Restart,
    /// The host has started, and what capabilities made is gone.
    Recreate,
}

impl Cause {
    fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Timer => "timer",
            Self::Restart => "restart",
            Self::Recreate => "recreate",
        }
    }
}

/// How many entities are asked at once.
const CONCURRENCY: usize = 8;

/// Entities that wait to be asked.
#[derive(Clone, Default)]
pub(crate) struct Observations {
    waiting: Arc<Mutex<HashMap<Uuid, Cause>>>,
    news: Arc<Notify>,
}

impl Observations {
    pub(crate) fn note(&self, entity: Uuid, cause: Cause) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).entry(entity).or_insert(cause);
        self.news.notify_one();
    }

    fn take(&self) -> HashMap<Uuid, Cause> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The task that asks.
pub(crate) struct Observer {
    observations: Observations,
}

impl Observer {
    pub(crate) fn new() -> (Observations, Self) {
        let observations = Observations::default();
        (observations.clone(), Self { observations })
    }

    /// Runs until the core is gone.
    pub(crate) fn start(self, core: &Arc<Core>) {
        let core = Arc::downgrade(core);
        tokio::spawn(async move { self.run(&core).await });
    }

    async fn run(self, core: &Weak<Core>) {
        let permits = Arc::new(Semaphore::new(CONCURRENCY));
        loop {
            for (entity, cause) in self.observations.take() {
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let Some(core) = core.upgrade() else { return };
                tokio::spawn(async move {
                    core.ask(entity, cause).await;
                    drop(permit);
                });
            }
            self.observations.news.notified().await;
            if core.strong_count() == 0 {
                return;
            }
        }
    }
}

impl Core {
    /// Asks one entity, and the links at it when its state has changed.
    pub(crate) async fn ask(self: &Arc<Self>, entity: Uuid, cause: Cause) {
        match self.ask_one(entity, cause).await {
            Ok(Some(changed)) if !changed.entity.is_link() => self.ask_links(&changed, Cause::Event).await,
            Ok(_) => {}
            Err(refusal) => {
                tracing::warn!(%entity, cause = cause.name(), "what it is now is not known: {refusal}");
            }
        }
    }

    /// Asks all links that leave a resource or end at it.
    pub(crate) async fn ask_links(self: &Arc<Self>, resource: &Stored, cause: Cause) {
        let links = match self.links_at(resource) {
            Ok(links) => links,
            Err(refusal) => {
                tracing::warn!(entity = %resource.entity.id, "its links are not known: {refusal}");
                return;
            }
        };
        for link in links {
            if let Err(refusal) = self.ask_one(link, cause).await {
                tracing::warn!(entity = %link, cause = cause.name(), "what it is now is not known: {refusal}");
            }
        }
    }

    fn links_at(&self, resource: &Stored) -> Result<Vec<Uuid>, Refusal> {
        let view = self.read()?;
        let (tenant, id) = (&resource.entity.tenant, resource.entity.id);
        let all = Entities::new(&*view, tenant);
        let mut links = all.links_from(id)?;
        links.extend(all.links_to(id)?);
        Ok(links.into_iter().map(|link| link.entity.id).collect())
    }

    /// The entity as it is now, where that is new.
    pub(crate) async fn ask_one(self: &Arc<Self>, id: Uuid, cause: Cause) -> Result<Option<Stored>, Refusal> {
        let _held = self.locks.lock([id]).await;
        let Some(stored) = self.find_anywhere(id)? else { return Ok(None) };
        let snapshot = self.snapshot();
        let mut effects = Effects::new(&snapshot, Uuid::new_v4());
        let after = effects.observe(&stored.entity, cause.name()).await?;
        self.schedule(&effects.again);
        if after == *stored.entity && effects.writes.is_empty() {
            return Ok(None);
        }
        let mut changes = Changes::default();
        changes.replace(&stored, &after, stored.made_by.as_ref())?;
        changes.write(&after.tenant, &effects.writes);
        let revision = self.commit(changes.into_batch()).await?;
        Ok(Some(Stored { entity: Arc::new(after), revision, ..stored }))
    }

    /// An entity of whatever tenant: what happens outside names only its id.
    pub(crate) fn find_anywhere(&self, id: Uuid) -> Result<Option<Stored>, Refusal> {
        let view = self.read()?;
        let Some(tenant) = occi_store::owner(&*view, id)? else { return Ok(None) };
        Ok(Entities::new(&*view, &tenant).get(id)?)
    }

    /// Notes the entities again when their time has come.
    pub(crate) fn schedule(&self, again: &[(Uuid, std::time::Duration)]) {
        for &(entity, delay) in again {
            let observations = self.observations.clone();
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                observations.note(entity, Cause::Timer);
            });
        }
    }
}

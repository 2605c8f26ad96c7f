//! Entities that stand for extensions, made and ended by the host itself: by operations like any client's, so that the
//! extension that defines them has its part in it.

use crate::catalogue::Catalogue;
use crate::ledger::{self, Ledger};
use crate::refused::Refused;
use occi_extension::{Digest, Extension};
use occi_model::{AttributeName, CategoryDraft, CategoryId, Draft, Item, Location, core as names};
use occi_operation::{Caller, CannotReplace, Change, Condition, Core, Place, Refusal};
use occi_store::{Entities, Store};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// The capability of those that define such entities.
const CAPABILITY: &str = "extensions";

/// What the host is doing with such entities.
pub(crate) struct Tending {
    pub(crate) store: Arc<dyn Store>,
    /// One at a time, so that it can be waited for.
    at_work: tokio::sync::Mutex<()>,
    doing: Arc<Mutex<Doing>>,
}

#[derive(Default)]
struct Doing {
    making: HashMap<Uuid, String>,
    ending: HashSet<Uuid>,
    /// Extensions that are about to go, with all such entities that they define.
    leaving: HashSet<Arc<str>>,
}

/// Keeps the entities away for as long as the extension that defines them is about to go.
pub(crate) struct Away {
    doing: Arc<Mutex<Doing>>,
    name: Arc<str>,
    news: Arc<Notify>,
}

impl Drop for Away {
    fn drop(&mut self) {
        locked(&self.doing).leaving.remove(&self.name);
        // It may have stayed after all.
        self.news.notify_one();
    }
}

/// The Kind of such entities, where an extension defines it.
pub(crate) fn kind_of(extension: &Extension) -> Option<&CategoryId> {
    let administers = extension.manifest().capabilities.contains(CAPABILITY);
    let mut kinds = extension.kinds().iter().filter(|kind| administers && kind.location.is_some());
    kinds.next().map(|kind| &kind.id)
}

impl Tending {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, at_work: tokio::sync::Mutex::default(), doing: Arc::default() }
    }

    /// The extension for which an entity is being made.
    pub(crate) fn making(&self, entity: Uuid) -> Option<String> {
        locked(&self.doing).making.get(&entity).cloned()
    }

    pub(crate) fn is_ending(&self, entity: Uuid) -> bool {
        locked(&self.doing).ending.contains(&entity)
    }

    /// Makes an entity for an extension, unless the one that defines it is about to go.
    pub(crate) async fn make(
        &self,
        core: &Arc<Core>,
        administrator: &Extension,
        name: &str,
    ) -> Result<(), Refusal> {
        let Some(kind) = administrator.kinds().iter().find(|kind| Some(&kind.id) == kind_of(administrator))
        else {
            return Ok(());
        };
        let _at_work = self.at_work.lock().await;
        if locked(&self.doing).leaving.contains(administrator.name()) {
            return Ok(());
        }
        let id = id_of(administrator.name(), name);
        let path = kind.location.as_ref().and_then(|above| Location::parse(&format!("{above}{name}")).ok());
        if let Some(path) = path {
            let (draft, condition) = (draft(&kind.id, id), Condition::Absent);
            match self.make_as(core, id, name, Change::Put { path, draft, condition }).await {
                // The path, or the id, is another's.
                Err(Refusal::PreconditionFailed(_) | Refusal::Conflict(_) | Refusal::Extension(_)) => {}
                outcome => return outcome,
            }
        }
        let id = Uuid::new_v4();
        let (place, draft) = (Place::Kind(kind.id.clone()), draft(&kind.id, id));
        self.make_as(core, id, name, Change::Create { place, draft }).await
    }

    async fn make_as(&self, core: &Arc<Core>, id: Uuid, name: &str, change: Change) -> Result<(), Refusal> {
        locked(&self.doing).making.insert(id, name.to_owned());
        let made = core.change(&Caller::default(), change).await;
        locked(&self.doing).making.remove(&id);
        made.map(drop)
    }

    /// Ends the entity of an extension that has gone.
    pub(crate) async fn end(
        &self,
        core: &Arc<Core>,
        administrator: &str,
        name: &str,
        id: Uuid,
    ) -> Result<(), Refusal> {
        let _at_work = self.at_work.lock().await;
        self.end_now(core, administrator, name, id).await
    }

    async fn end_now(
        &self,
        core: &Arc<Core>,
        administrator: &str,
        name: &str,
        id: Uuid,
    ) -> Result<(), Refusal> {
        let caller = Caller::default();
        let found = Entities::new(&*self.store.read()?, &caller.tenant).get(id)?;
        let Some(stored) = found else {
            self.store.commit(ledger::forget(administrator, name, id)).await?;
            return Ok(());
        };
        locked(&self.doing).ending.insert(id);
        let (path, condition) = (stored.entity.location.clone(), Condition::None);
        let ended = core.change(&caller, Change::Delete { path, condition }).await;
        locked(&self.doing).ending.remove(&id);
        ended.map(drop)
    }
}

impl Catalogue {
    /// The extension for which the host is making an entity now.
    pub fn making(&self, entity: Uuid) -> Option<String> {
        self.tending.making(entity)
    }

    /// Whether the host is ending that entity now, since its extension has gone.
    pub fn is_ending(&self, entity: Uuid) -> bool {
        self.tending.is_ending(entity)
    }

    /// Ends all entities that stand for extensions and that this one defines, since it is about to go; none are made
    /// until the answer is dropped.
    pub(crate) async fn clear_away(&self, name: &Arc<str>) -> Result<Option<Away>, Refused> {
        let snapshot = self.core.snapshot();
        let found = snapshot.extensions().iter().find(|extension| extension.name() == name);
        if found.and_then(|extension| kind_of(extension)).is_none() {
            return Ok(None);
        }
        let (doing, news) = (Arc::clone(&self.tending.doing), Arc::clone(&self.news));
        locked(&doing).leaving.insert(Arc::clone(name));
        let away = Away { doing, name: Arc::clone(name), news };
        let _at_work = self.tending.at_work.lock().await;
        let refused = |error: Refusal| Refused::Replace(CannotReplace::Refused(error));
        let view = self.tending.store.read().map_err(|error| refused(error.into()))?;
        let ledger = Ledger::read(&*view, name).map_err(|error| refused(error.into()))?;
        for (of, id) in ledger.entities {
            self.tending.end_now(&self.core, name, &of, id).await.map_err(refused)?;
        }
        Ok(Some(away))
    }
}

/// The same for the same extension, on every server and after every restart.
fn id_of(administrator: &str, name: &str) -> Uuid {
    let digest = Digest::of(format!("{administrator}/{name}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn draft(kind: &CategoryId, id: Uuid) -> Draft {
    let id = AttributeName::parse(names::ID).map(|name| (name, id.to_string().into()));
    let item = Item {
        categories: vec![CategoryDraft::new(kind.clone(), None)],
        attributes: id.into_iter().collect(),
        ..Item::default()
    };
    Draft { items: vec![item], ..Draft::default() }
}

pub(crate) fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

//! An extension is put into service, in place of the version that serves or as a new one, or taken out of it.
//!
//! Requests that are under way end with the version that they began with; those that begin see the new one. What the
//! new version defines may not fit entities that are there: then it must bring them over (`migrate`), all of them, or
//! everything stays as it is. That is one commit, with whatever else the caller wants to be known together. It waits for a moment
//! in which no request is under way for them.

mod breaks;
mod trial;

pub use breaks::Breaks;
pub use trial::Tried;

use crate::core::{Core, StartError};
use crate::intent::Verb;
use crate::locks::Held;
use crate::observer::Cause;
use crate::offers::inherit;
use crate::refusal::Refusal;
use crate::snapshot::{Snapshot, SnapshotError};
use occi_extension::Extension;
use occi_model::{AttributeName, CategoryId, Entity, Location};
use occi_store::{Batch, Entities, Portion, ReadView, Set, StoreError, Stored, Tag};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use trial::{Migrated, Trial};

/// For so long others wait for requests that are under way, at first; each time that was in vain, for twice as long.
const MOMENT: Duration = Duration::from_secs(1);
/// The longest that they do.
const LONGEST_MOMENT: Duration = Duration::from_secs(8);

/// For so long at most entities are kept from requests, and the server from other changes of what serves, while those are
/// brought over that have changed since they were tried.
const HELD: Duration = Duration::from_secs(10);

/// What shall serve.
pub struct Replacement {
    /// The extension's name.
    pub name: Arc<str>,
    /// The version that shall serve from now on; none takes it out of service.
    pub next: Option<Arc<Extension>>,
    /// Whether it may go although it has entities. They can then be read, and nothing else.
    pub leaves_entities: bool,
    /// The attributes that it declared when it served last, where it does not now: those that its entities have and it does
    /// not declare any more do not fit.
    pub left: HashSet<AttributeName>,
    /// What [`Core::try_replacement`] has answered; what is not tried, or was tried with others, is brought over while all wait.
    pub tried: Arc<Tried>,
    /// What is committed with it.
    pub record: Batch,
}

/// What was done.
#[derive(Debug)]
pub struct Replaced {
    /// What served until now. Requests that began before may still call it.
    pub was: Option<Arc<Extension>>,
    /// How many entities were brought over to the new version.
    pub migrated: usize,
}

/// How many entities a version has brought over, in the time that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// So many.
    pub brought: usize,
    /// Of how many.
    pub of: usize,
    /// In which time.
    pub within: Duration,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { brought, of, within } = self;
        write!(f, "{brought} of {of} entities in {} s", within.as_secs())
    }
}

/// Why what serves still does, and nothing is changed.
#[derive(Debug, thiserror::Error)]
pub enum CannotReplace {
    /// It contradicts other extensions, or they need what is to go.
    #[error("it does not go with the other extensions: {0}")]
    Clash(#[from] SnapshotError),
    /// There are entities that do not fit what it defines.
    #[error("{0}")]
    Breaks(Breaks),
    /// Requests are under way for what it would bring over.
    #[error(
        "requests are under way for entities that it would bring over, such as {such_as}; it can when there are none, so try again"
    )]
    Busy {
        /// One of these entities.
        such_as: Location,
    },
    /// Its `migrate` takes too long.
    #[error("its `migrate` has brought over only {0}, and has no more time; make it faster")]
    Slow(Progress),
    /// Its `migrate` takes too long for how fast its entities change.
    #[error(
        "entities have changed since its `migrate` was tried on them, and of these it has brought over only {0}, which is all \
         the time that requests for them wait; try again, or make it faster"
    )]
    Restless(Progress),
    /// It has entities, which nobody would serve any more.
    #[error(
        "{entities} of its entities exist, such as {such_as}; delete them first, or say that they shall stay, to be read only"
    )]
    InUse {
        /// How many.
        entities: usize,
        /// One of them.
        such_as: Location,
    },
    /// What it has begun is not ended yet, and nobody else could end it.
    #[error(
        "what it has begun for {such_as} is not ended yet, since that was not answered; it is as soon as it can be, so try \
         again then, or say that its entities shall stay, to be read only"
    )]
    Unsettled {
        /// The entity of one such operation.
        such_as: Location,
    },
    /// The operation itself was not possible.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl CannotReplace {
    /// An entity that is in the way: once it is another, or gone, the answer may be another.
    pub fn such_as(&self) -> Option<&Location> {
        match self {
            Self::Breaks(breaks) => breaks.such_as(),
            Self::Busy { such_as } | Self::InUse { such_as, .. } | Self::Unsettled { such_as } => {
                Some(such_as)
            }
            Self::Slow(_) | Self::Restless(_) | Self::Clash(_) | Self::Refused(_) => None,
        }
    }
}

impl From<StartError> for CannotReplace {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            StartError::Categories(error) => error.into(),
        }
    }
}

impl From<StoreError> for CannotReplace {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl Core {
    /// Replaces what serves under a name, or says why it still does.
    pub async fn replace(self: &Arc<Self>, replacement: Replacement) -> Result<Replaced, CannotReplace> {
        let core = Arc::clone(self);
        let has_offers = replacement.next.as_ref().is_some_and(|next| !next.manifest().offers.is_empty());
        // It goes on to its end, whether or not somebody still waits for it.
        let replaced = async move {
            let replaced = core.replace_now(replacement, HELD).await?;
            if has_offers && let Err(refusal) = core.renew_offers().await {
                tracing::error!("what is on offer stays as it was: {refusal}");
            }
            Ok(replaced)
        };
        self.going_on(replaced).await.unwrap_or_else(|refusal| Err(refusal.into()))
    }

    /// Whether that could be replaced as things are now, once others that are in its way have gone, with what it would make
    /// of entities, as far as it is found in that time, from what was tried before on. Nothing is changed, and nothing waits for it. Entities that come afterwards may yet keep it back.
    pub async fn try_replacement(
        self: &Arc<Self>,
        within: Duration,
        replacement: &Replacement,
        in_its_way: &[Arc<str>],
    ) -> Result<Tried, CannotReplace> {
        let Replacement { name, next, leaves_entities, left, tried, .. } = replacement;
        let was = self.snapshot();
        let mut extensions = was.extensions().to_vec();
        extensions.retain(|extension| !in_its_way.contains(extension.name()));
        let after = Arc::new(self.with_replaced(extensions, name, next.clone())?);
        if next.is_none() && !leaves_entities {
            self.check_settled(&was, name)?;
        }
        if self.breaks_nothing(was.named(name), next.as_ref())? || (*leaves_entities && next.is_none()) {
            return Ok(Tried::default());
        }
        Trial::new(self, &was, &after, name, &Arc::new(left.clone())).all(within, tried).await
    }

    /// `time`: for so long at most entities are brought over while requests for them wait.
    pub(crate) async fn replace_now(
        self: &Arc<Self>,
        replacement: Replacement,
        time: Duration,
    ) -> Result<Replaced, CannotReplace> {
        let Replacement { name, next, leaves_entities, left, tried, record } = replacement;
        let _defining = self.defining.lock().await;
        let was = self.snapshot();
        let old = was.named(&name).cloned();
        let after = Arc::new(self.with_replaced(was.extensions().to_vec(), &name, next.clone())?);
        if next.is_none() && !leaves_entities {
            self.check_settled(&was, &name)?;
        }
        let migrated = if self.breaks_nothing(old.as_ref(), next.as_ref())? {
            self.switch(&after, record).await?;
            0
        } else {
            let trial = Trial::new(self, &was, &after, &name, &Arc::new(left));
            let leaves_entities = leaves_entities && next.is_none();
            let broken = if leaves_entities { Vec::new() } else { trial.broken().await? };
            trial.check_way_over(&broken)?;
            let mut held = self.locks.lock([]).await;
            let moment = (MOMENT * 2_u32.saturating_pow(tried.again())).min(LONGEST_MOMENT);
            hold(&mut held, &broken, Instant::now() + moment).await?;
            self.change_definitions(&name, &was).await?;
            let outcome = if leaves_entities {
                self.switch(&after, record).await.map(|()| 0)
            } else {
                self.bring_over(&trial, held, &tried, record, time).await
            };
            if outcome.is_err() {
                // It serves on, by the definitions that it had.
                self.snapshot.store(Arc::new(Snapshot::clone(&was).since(
                    &self.definitions,
                    &self.claims,
                    &self.allowances,
                    &*self.read()?,
                )?));
            }
            outcome?
        };
        if old.is_none() && next.is_some() {
            self.welcome(&after, &name)?;
        }
        // They may have waited for this.
        self.orders.hurry();
        Ok(Replaced { was: old, migrated })
    }

    /// That an extension which is to go is not needed to end what an operation has left.
    fn check_settled(&self, was: &Snapshot, name: &str) -> Result<(), CannotReplace> {
        let left = self.intents()?.into_iter();
        let left = left.filter(|intent| intent.verb != Verb::Gone && self.left.has(intent.operation));
        let mut entities = left.flat_map(|intent| intent.entities);
        match entities.find(|entity: &Entity| was.is_of(entity, name)) {
            Some(entity) => Err(CannotReplace::Unsettled { such_as: entity.location }),
            None => Ok(()),
        }
    }

    /// What would serve.
    fn with_replaced(
        &self,
        mut extensions: Vec<Arc<Extension>>,
        name: &Arc<str>,
        next: Option<Arc<Extension>>,
    ) -> Result<Snapshot, CannotReplace> {
        let (at, view) = (extensions.iter().position(|extension| extension.name() == name), self.read()?);
        if let Some(next) = &next {
            inherit(next, at.map(|at| &extensions[at]), &*view)?;
        }
        match (at, next) {
            (Some(at), Some(next)) => extensions[at] = next,
            (Some(at), None) => drop(extensions.remove(at)),
            (None, Some(next)) => extensions.push(next),
            (None, None) => {}
        }
        Ok(Snapshot::with_stored_tags(extensions, &*view)?)
    }

    /// From here on nothing is committed that was checked against the old definitions, nor begun.
    async fn change_definitions(&self, name: &Arc<str>, was: &Snapshot) -> Result<(), CannotReplace> {
        let mut batch = Batch::new();
        was.require_definitions_of(&mut batch, name);
        occi_store::change_definitions(&mut batch, name);
        let revision = self.commit(batch).await?;
        self.definitions.changed(name, revision);
        Ok(())
    }

    /// Brings entities over and switches, while nobody changes them. How many they were.
    async fn bring_over(
        self: &Arc<Self>,
        trial: &Trial,
        mut held: Held,
        tried: &Tried,
        record: Batch,
        time: Duration,
    ) -> Result<usize, CannotReplace> {
        let broken = self.hold_broken(trial, &mut held).await?;
        let migrated = trial.migrate(broken, tried, time).await.map_err(|error| match error {
            CannotReplace::Slow(progress) => CannotReplace::Restless(progress),
            error => error,
        })?;
        let maker = trial.maker();
        let mut batch = record;
        for Migrated { before, after } in &migrated {
            occi_store::put_entity(&mut batch, Some(before), after, maker.as_ref())?;
        }
        self.switch(&trial.after, batch).await?;
        for Migrated { before, .. } in &migrated {
            self.observe(before.entity.id, Cause::Event);
        }
        Ok(migrated.len())
    }

    /// Locks all that does not fit, which is told, once the definitions are changed. No new ones come then, but some may have come
    /// before, and may change until they are locked, so they are looked at again until all were.
    async fn hold_broken(&self, trial: &Trial, held: &mut Held) -> Result<Vec<Stored>, CannotReplace> {
        let end = Instant::now() + MOMENT;
        loop {
            let (locked, broken) = (held.ids(), trial.broken().await?);
            if broken.iter().all(|stored| locked.contains(&stored.entity.id)) {
                return Ok(broken);
            }
            // In an order, as these came later, in which others could wait for each other; but not for long.
            hold(held, &broken, end).await?;
        }
    }

    async fn switch(&self, after: &Snapshot, batch: Batch) -> Result<(), CannotReplace> {
        if !batch.is_empty() {
            self.commit(batch).await?;
        }
        let next = after.clone().since(&self.definitions, &self.claims, &self.allowances, &*self.read()?)?;
        self.snapshot.store(Arc::new(next));
        Ok(())
    }

    /// An extension serves that did not: what happened to its entities meanwhile it has not seen.
    fn welcome(self: &Arc<Self>, after: &Snapshot, name: &Arc<str>) -> Result<(), CannotReplace> {
        self.left.hurry();
        self.recall_orders(name)?;
        Ok(self.note_all(Cause::Recreate, |entity| after.is_of(entity, name))?)
    }

    /// Whether it is clear without a look at each of them that every entity stays as it is.
    fn breaks_nothing(
        &self,
        old: Option<&Arc<Extension>>,
        next: Option<&Arc<Extension>>,
    ) -> Result<bool, StoreError> {
        match (old, next) {
            (Some(old), Some(next)) => Ok(next.takes_all_of(old)),
            // An earlier version of it may have left some.
            (None, Some(next)) => Ok(!has_entities_of(&*self.read()?, next)?),
            (None, None) => Ok(true),
            (Some(_), None) => Ok(false),
        }
    }
}

/// Locks entities, or says for which of them something is under way until the end of that time.
async fn hold(held: &mut Held, entities: &[Stored], end: Instant) -> Result<(), CannotReplace> {
    let (links, resources): (Vec<_>, Vec<_>) =
        entities.iter().map(|stored| &stored.entity).partition(|entity| entity.is_link());
    let locking = timeout_at(end, async {
        held.extend(resources.iter().map(|entity| entity.id)).await;
        held.extend(links.iter().map(|entity| entity.id)).await;
    });
    if locking.await.is_ok() {
        return Ok(());
    }
    let locked = held.ids();
    let left = resources.into_iter().chain(links).filter(|entity| !locked.contains(&entity.id));
    match left.min_by_key(|entity| (entity.is_link(), entity.id)) {
        Some(busy) => Err(CannotReplace::Busy { such_as: busy.location.clone() }),
        None => Ok(()),
    }
}

/// Whether there are entities of what an extension defines.
pub fn has_entities_of(view: &dyn ReadView, extension: &Extension) -> Result<bool, StoreError> {
    Ok(an_entity_of(view, &extension.types())?.is_some())
}

/// One of the entities of these Kinds and Mixins, if there are any; also of those that have one by a client's tag.
pub fn an_entity_of(view: &dyn ReadView, types: &[CategoryId]) -> Result<Option<Location>, StoreError> {
    let first = Portion::page(None, 1);
    for tenant in occi_store::tenants(view)? {
        for id in with_tags_on(types, &occi_store::tags(view, &tenant)?) {
            let found = Entities::new(view, &tenant).list(Set::Category(&id), &first)?;
            if let Some(stored) = found.items.into_iter().next() {
                return Ok(Some(stored.entity.location.clone()));
            }
        }
    }
    Ok(None)
}

/// These, and the tags that depend on one of them, be it by others.
fn with_tags_on(types: &[CategoryId], tags: &[Tag]) -> Vec<CategoryId> {
    let mut found = types.to_vec();
    let mut at = 0;
    while let Some(id) = found.get(at) {
        let brings = tags.iter().map(|tag| &tag.mixin).filter(|tag| tag.depends.contains(id));
        let new: Vec<_> = brings.map(|tag| tag.id.clone()).filter(|id| !found.contains(id)).collect();
        found.extend(new);
        at += 1;
    }
    found
}

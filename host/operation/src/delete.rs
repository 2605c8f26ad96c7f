//! The end of an entity. The links that leave a resource, and those that end at it, go with it (CORE-42).
//!
//! Where one refuses, what has ended is made again. Where one does not answer, nobody knows whether it has ended, and it
//! cannot be made again in general: the deletion stays, and is finished once it is answered.

use crate::changes::Changes;
use crate::core::Core;
use crate::effect::{Effects, is_away, is_plain_no, is_unclear};
use crate::intent::Verb;
use crate::locks::Held;
use crate::observer::Cause;
use crate::order::Errand;
use crate::retrieve::{check, find};
use crate::{Caller, Condition, Refusal, Reply, Snapshot};
use occi_model::{Entity, Location, Representation};
use occi_store::{Entities, ReadView, Stored};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// Ends the entity at a path (HTTP-28), for a client or to carry out an order.
pub(crate) async fn delete(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    condition: &Condition,
    errand: Option<&Errand>,
) -> Result<Reply, Refusal> {
    let (_held, doomed) = doom(core, caller, path, condition).await?;
    for stored in &doomed.entities {
        let of_link = |refusal: Refusal| match &stored.entity.location {
            own if own == path => refusal,
            link => refusal.of(format!("its link {link}")),
        };
        snapshot.check_loaded(&stored.entity).map_err(of_link)?;
    }
    let operation = Uuid::new_v4();
    let lasts = doomed.entities.iter().any(|stored| Effects::lasts(snapshot, &stored.entity));
    if lasts {
        core.intend(operation, Verb::Delete, doomed.entities.iter().map(|stored| &*stored.entity)).await?;
    }
    let mut effects = Effects::ending(core, snapshot, operation, doomed.ids()).on(errand);
    for (index, stored) in doomed.entities.iter().enumerate() {
        if let Err(refusal) = effects.delete(&stored.entity).await {
            if lasts && (is_unclear(&refusal) || index > 0 && is_away(&refusal)) {
                leave(core, operation, doomed.entities.iter()).await;
                return Err(unfinished(refusal));
            }
            restore(core, &mut effects, doomed.entities[..index].iter()).await;
            if lasts {
                core.strike(operation).await;
            }
            if !is_plain_no(&refusal) {
                core.observe(stored.entity.id, Cause::Restart);
            }
            return Err(refusal);
        }
    }
    let mut changes = Changes::new(snapshot);
    doomed.remove(&mut changes)?;
    changes.write(&caller.tenant, &effects.writes);
    let begun = doomed.entities.iter().map(|stored| stored.entity.id);
    core.commit_end(changes, lasts.then_some(operation), begun).await?;
    Ok(Reply::new(Representation::Done))
}

/// Makes again what was ended before a later one refused to go. Where something does not answer, whoever is asked what the
/// entities are now does it later.
pub(crate) async fn restore<'a>(
    core: &Core,
    effects: &mut Effects<'_>,
    ended: impl DoubleEndedIterator<Item = &'a Stored>,
) {
    for stored in ended.rev() {
        if !effects.is_stuck
            && let Err(refusal) = effects.create(Entity::clone(&stored.entity)).await
        {
            tracing::error!(entity = %stored.entity.id, "what was ended could not be made again: {refusal}");
        }
        core.observe(stored.entity.id, Cause::Restart);
    }
}

/// Leaves a deletion to be finished later. One that is asked for again and again is left once.
async fn leave<'a>(core: &Core, operation: Uuid, entities: impl Iterator<Item = &'a Stored> + Clone) {
    let entities = || entities.clone().map(|stored| &*stored.entity);
    if core.left.has_deletion_of(entities().map(|entity| entity.id)) {
        core.strike(operation).await;
    } else {
        core.left.note(operation, Verb::Delete, entities());
    }
}

/// Why a deletion is left to be finished later.
pub(crate) fn unfinished(refusal: Refusal) -> Refusal {
    refusal.of(
        "the deletion is begun, and goes on once it is answered; until then the entity can only be read, or deleted once \
         more, and where it is refused then the entity stays"
            .into(),
    )
}

/// What goes together, and the resources that lose a link by it: the links first, then what they leave, and last what they
/// lead to. A machine that goes has its volumes until it is gone.
pub(crate) struct Doomed {
    pub(crate) entities: Vec<Stored>,
    bereft: Vec<Stored>,
}

impl Doomed {
    pub(crate) fn gather(
        view: &dyn ReadView,
        going: impl IntoIterator<Item = Stored>,
    ) -> Result<Self, Refusal> {
        let mut entities = Vec::new();
        let mut gone = HashSet::new();
        for stored in going {
            let all = Entities::new(view, &stored.entity.tenant);
            let id = stored.entity.id;
            let mut together = Vec::new();
            if !stored.entity.is_link() {
                together = all.links_from(id)?;
                together.extend(all.links_to(id)?);
            }
            together.push(stored);
            entities.extend(together.into_iter().filter(|stored| gone.insert(stored.entity.id)));
        }
        Self::of(view, entities)
    }

    /// Just these, which leave no link behind them.
    pub(crate) fn of(view: &dyn ReadView, mut entities: Vec<Stored>) -> Result<Self, Refusal> {
        let sources = sources(&entities);
        entities.sort_by_key(|stored| (!stored.entity.is_link(), !sources.contains(&stored.entity.id)));
        let mut seen: HashSet<Uuid> = entities.iter().map(|stored| stored.entity.id).collect();
        let mut bereft = Vec::new();
        for link in &entities {
            if let Some(ends) = link.entity.ends.as_ref().filter(|ends| seen.insert(ends.source_id)) {
                bereft.extend(Entities::new(view, &link.entity.tenant).get(ends.source_id)?);
            }
        }
        Ok(Self { entities, bereft })
    }

    /// What is committed when all of it has ended.
    pub(crate) fn remove(&self, changes: &mut Changes<'_>) -> Result<(), Refusal> {
        for stored in &self.entities {
            changes.delete(stored)?;
        }
        for stored in &self.bereft {
            changes.touch(stored)?;
        }
        Ok(())
    }

    /// All that go.
    pub(crate) fn ids(&self) -> Arc<HashSet<Uuid>> {
        Arc::new(self.entities.iter().map(|stored| stored.entity.id).collect())
    }

    /// The resources to be locked: those that go, and those that lose a link. What a link led to stays for as long as the
    /// link is locked.
    pub(crate) fn resources(&self) -> HashSet<Uuid> {
        let own = self.entities.iter().filter(|stored| !stored.entity.is_link());
        own.map(|stored| stored.entity.id).chain(sources(&self.entities)).collect()
    }

    /// The links that go.
    pub(crate) fn links(&self) -> HashSet<Uuid> {
        self.entities.iter().filter(|stored| stored.entity.is_link()).map(|stored| stored.entity.id).collect()
    }
}

/// The resources that links among these leave.
pub(crate) fn sources(entities: &[Stored]) -> HashSet<Uuid> {
    entities.iter().filter_map(|stored| Some(stored.entity.ends.as_ref()?.source_id)).collect()
}

/// Locks all that goes with an entity. What belongs to it may change until the locks are held, so it is looked at
/// again until it is what was locked.
pub(crate) async fn doom(
    core: &Core,
    caller: &Caller,
    path: &Location,
    condition: &Condition,
) -> Result<(Held, Doomed), Refusal> {
    loop {
        let seen = {
            let view = core.read()?;
            Doomed::gather(&*view, [find(&*view, caller, path)?])?
        };
        let mut held = core.locks.lock(seen.resources()).await;
        held.extend(seen.links()).await;
        let view = core.read()?;
        let stored = find(&*view, caller, path)?;
        check(&*view, condition, Some(&stored))?;
        let now = Doomed::gather(&*view, [stored])?;
        if now.resources() == seen.resources() && now.links() == seen.links() {
            return Ok((held, now));
        }
    }
}

//! One entity. A read calls no extension: what the store holds is kept true by those who change it.

use crate::basis::Basis;
use crate::core::Core;
use crate::{Caller, Condition, Refusal, Reply, Snapshot};
use occi_model::{Entity, Location, Representation, View};
use occi_store::{Entities, ReadView, Revision, Stored};
use std::sync::Arc;

/// The entity at a path, with its links and the actions that its state allows (HTTP-23, H11-17).
pub(crate) fn retrieve(
    core: &Core,
    snapshot: &Arc<Snapshot>,
    caller: &Caller,
    path: &Location,
) -> Result<Reply, Refusal> {
    let view = core.read()?;
    let stored = find(&*view, caller, path)?;
    let links = links(&*view, &stored.entity)?;
    let basis = Basis::new(snapshot, view.revision(), &stored, &links);
    Ok(Reply { basis: Some(basis), ..of(snapshot, &stored, &links) })
}

/// The entity at a path. Another tenant's is not there.
pub(crate) fn find(view: &dyn ReadView, caller: &Caller, path: &Location) -> Result<Stored, Refusal> {
    Entities::new(view, &caller.tenant).find_by_path(path)?.ok_or_else(|| Refusal::NotFound(path.clone()))
}

/// An answer that shows an entity.
pub(crate) fn reply(view: &dyn ReadView, snapshot: &Snapshot, stored: &Stored) -> Result<Reply, Refusal> {
    Ok(of(snapshot, stored, &links(view, &stored.entity)?))
}

fn of(snapshot: &Snapshot, stored: &Stored, links: &[Stored]) -> Reply {
    Reply {
        revision: Some(revision(stored, links)),
        ..Reply::new(Representation::Entity(show(snapshot, stored, links)))
    }
}

/// The links that leave an entity.
pub(crate) fn links(view: &dyn ReadView, entity: &Entity) -> Result<Vec<Stored>, Refusal> {
    if entity.is_link() {
        return Ok(Vec::new());
    }
    Ok(Entities::new(view, &entity.tenant).links_from(entity.id)?)
}

/// The revision of what a client sees of an entity: its own, or that of a link which changed later. A link that comes
/// or goes writes the resource anew.
pub(crate) fn revision(stored: &Stored, links: &[Stored]) -> Revision {
    links.iter().map(|link| link.revision).fold(stored.revision, Revision::max)
}

/// What a client sees of an entity.
pub(crate) fn show(snapshot: &Snapshot, stored: &Stored, links: &[Stored]) -> View {
    let view = |stored: &Stored, links| View {
        actions: actions(snapshot, &stored.entity),
        console: crate::console::relation(snapshot, &stored.entity),
        entity: Arc::clone(&stored.entity),
        links,
    };
    view(stored, links.iter().map(|link| view(link, Vec::new())).collect())
}

/// The actions that an entity's state allows.
pub(crate) fn actions(snapshot: &Snapshot, entity: &Entity) -> Vec<occi_model::CategoryId> {
    snapshot.registry().applicable_actions(entity).map(|action| action.id.clone()).collect()
}

/// Whether the condition of a request holds for what is there.
pub(crate) fn check(
    view: &dyn ReadView,
    condition: &Condition,
    stored: Option<&Stored>,
) -> Result<(), Refusal> {
    let revision = match stored {
        // Nothing depends on which it is.
        Some(stored) if *condition == Condition::None => Some(stored.revision),
        Some(stored) => Some(revision(stored, &links(view, &stored.entity)?)),
        None => None,
    };
    if holds(condition, revision) { Ok(()) } else { Err(Refusal::PreconditionFailed(revision)) }
}

/// Whether a condition holds for what is in that revision, or is not there.
pub(crate) fn holds(condition: &Condition, revision: Option<Revision>) -> bool {
    match condition {
        Condition::None => true,
        Condition::Exists => revision.is_some(),
        Condition::Absent => revision.is_none(),
        Condition::OneOf(revisions) => revision.is_some_and(|revision| revisions.contains(&revision)),
        Condition::NoneOf(revisions) => revision.is_none_or(|revision| !revisions.contains(&revision)),
        Condition::Both(both) => both.iter().all(|condition| holds(condition, revision)),
    }
}

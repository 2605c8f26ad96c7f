//! The console of an entity. What is said over it changes no entity and is kept nowhere here, so it takes no lock: whoever
//! debugs a machine may do so while it is changed, and when it goes, its console ends.

use crate::core::Core;
use crate::retrieve::find;
use crate::{Caller, Refusal, Snapshot};
use occi_extension::Console;
use occi_model::{CategoryId, Entity, Location};
use occi_store::ReadView;
use std::sync::Arc;

/// What the console of an entity is in links to it; none where its Kind has no console, or is not loaded.
pub(crate) fn relation(snapshot: &Snapshot, entity: &Entity) -> Option<CategoryId> {
    snapshot.registry().kind(&entity.kind)?.kind.console.clone()
}

/// The entity whose console is at a path. An entity that has this very path comes first.
pub(crate) fn owner(
    view: &dyn ReadView,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
) -> Result<Option<Location>, Refusal> {
    let Some(owner) = path.of_console() else { return Ok(None) };
    let is_there = |path| match find(view, caller, path) {
        Ok(stored) => Ok(Some(stored)),
        Err(Refusal::NotFound(_)) => Ok(None),
        Err(refusal) => Err(refusal),
    };
    if is_there(path)?.is_some() {
        return Ok(None);
    }
    let has_console = is_there(&owner)?.is_some_and(|stored| relation(snapshot, &stored.entity).is_some());
    Ok(has_console.then_some(owner))
}

/// The console of the entity at a path. Only what it is asked then says whether it can be reached.
pub(crate) async fn console(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
) -> Result<Arc<dyn Console>, Refusal> {
    let entity = find(&*core.read()?, caller, path)?.entity;
    let not_found = || Refusal::NotFound(path.console());
    relation(snapshot, &entity).ok_or_else(not_found)?;
    let extension = snapshot.extension(&entity.kind).ok_or_else(not_found)?;
    extension.console(entity.id).await.map_err(Refusal::Console)?.ok_or_else(not_found)
}

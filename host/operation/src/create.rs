//! New entities, all of a request or none (HTTP-31, H11-12).

use crate::changes::Changes;
use crate::core::Core;
use crate::effect::Effects;
use crate::ends::{Surroundings, local_ends};
use crate::intent::Verb;
use crate::locks::Held;
use crate::{Caller, Condition, Place, Refusal, Reply, Snapshot};
use occi_model::{Draft, Entity, Identity, Item, Location, Made, Nature, Representation, core as names};
use occi_store::{Batch, Entities, ReadView, Revision, Stored};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// Creates what a draft describes: resources, the links in them, and links.
pub(crate) async fn create(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    place: &Place,
    draft: Draft,
) -> Result<Reply, Refusal> {
    if draft.items.is_empty() {
        return Err(Refusal::Invalid(
            "the request describes no entity; name a Kind, such as `Category: TERM; scheme=\"SCHEME\"; class=\"kind\"`"
                .into(),
        ));
    }
    let mut asked = Vec::new();
    for item in draft.items {
        asked.push(Asked { made: snapshot.registry().classify(&item)?, item, path: None });
    }
    check_place(snapshot, place, &asked)?;
    make(core, snapshot, caller, asked).await
}

/// Creates one entity at a path of the client's choice (HTTP-24).
pub(crate) async fn create_at(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    path: Location,
    item: Item,
    condition: &Condition,
) -> Result<Reply, Refusal> {
    if matches!(condition, Condition::Exists | Condition::OneOf(_)) {
        return Err(Refusal::PreconditionFailed(None));
    }
    let made = snapshot.registry().classify(&item)?;
    let above = made.kind.kind.location.as_ref().map(Location::as_str).unwrap_or_default();
    if !path.as_str().starts_with(above) {
        return Err(Refusal::Invalid(format!(
            "an entity of {} is created below {above}, not at {path}",
            made.kind.kind.id
        )));
    }
    make(core, snapshot, caller, vec![Asked { made, item, path: Some(path) }]).await
}

/// One described entity.
struct Asked {
    made: Made,
    item: Item,
    path: Option<Location>,
}

fn check_place(snapshot: &Snapshot, place: &Place, asked: &[Asked]) -> Result<(), Refusal> {
    let Place::Kind(kind) = place else { return Ok(()) };
    let Some(wanted) = snapshot.registry().kind(kind) else {
        return Err(Refusal::NotLoaded(kind.clone()));
    };
    // Links may come along with the resources that they join.
    for given in asked.iter().map(|asked| &asked.made.kind) {
        if given.nature == wanted.nature && given.kind.id != *kind {
            let right = given.kind.location.as_ref().map_or("/", Location::as_str);
            return Err(Refusal::Invalid(format!(
                "this is the collection of {kind}; send an entity of {} to {right}",
                given.kind.id
            )));
        }
    }
    if asked.iter().any(|asked| asked.made.kind.nature == wanted.nature) {
        return Ok(());
    }
    Err(Refusal::Invalid(format!("this is the collection of {kind}; the request describes none")))
}

async fn make(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    asked: Vec<Asked>,
) -> Result<Reply, Refusal> {
    let wanted: Vec<Uuid> = asked.iter().filter_map(|asked| wanted_id(&asked.item)).collect();
    // No two requests may adopt one id, since what they make outside has its name from it.
    let _adopting = core.adoptions.lock(wanted).await;
    let (_held, planned) = hold(core, snapshot, caller, &asked).await?;
    let sources = sources(&*core.read()?, caller, &planned)?;
    let new: HashSet<Uuid> = planned.iter().map(|entity| entity.id).collect();

    let operation = Uuid::new_v4();
    let outside = planned.iter().any(|entity| Effects::reaches_outside(snapshot, entity));
    if outside {
        core.intend(operation, Verb::Create, &planned).await?;
    }
    let mut effects = Effects::new(snapshot, operation);
    let mut created = Vec::with_capacity(planned.len());
    let mut outcome = Ok(());
    for entity in planned {
        match effects.create(entity).await {
            Ok(entity) => created.push(entity),
            Err(refusal) => {
                outcome = Err(refusal);
                break;
            }
        }
    }
    if outcome.is_ok() {
        let batch = changes(core, snapshot, &created, &sources, &effects, outside.then_some(operation));
        match commit(core, batch).await {
            Ok(revision) => {
                core.schedule(&effects.again);
                let revision = (created.len() == 1).then_some(revision);
                let locations =
                    created.into_iter().filter(|entity| !is_inline(entity, &new)).map(|e| e.location);
                let made = Representation::Created(locations.collect());
                return Ok(Reply { revision, ..Reply::new(made) });
            }
            Err(refusal) => outcome = Err(refusal),
        }
    }
    for entity in created.iter().rev() {
        effects.undo_create(entity).await;
    }
    if outside && effects.left_behind {
        core.leave(operation, new);
    } else if outside {
        core.strike(operation).await;
    }
    outcome.map(|()| Reply::new(Representation::Done))
}

async fn commit(core: &Core, batch: Result<Batch, Refusal>) -> Result<Revision, Refusal> {
    Ok(core.commit(batch?).await?)
}

/// The entities as they would be, with locks on what new links join, so that it stays.
async fn hold(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    asked: &[Asked],
) -> Result<(Held, Vec<Entity>), Refusal> {
    loop {
        let seen = plan(core, &*core.read()?, snapshot, caller, asked)?;
        let ends = outer_ends(&seen);
        let held = core.locks.lock(ends.iter().copied()).await;
        if ends.is_empty() {
            return Ok((held, seen));
        }
        let planned = plan(core, &*core.read()?, snapshot, caller, asked)?;
        if outer_ends(&planned) == ends {
            return Ok((held, planned));
        }
    }
}

/// The resources that new links join and that are not new themselves.
fn outer_ends(planned: &[Entity]) -> Vec<Uuid> {
    let new: HashSet<Uuid> = planned.iter().map(|entity| entity.id).collect();
    planned.iter().flat_map(local_ends).filter(|id| !new.contains(id)).collect()
}

/// A link that came within its resource; only the resource's location is told (H11-22).
fn is_inline(entity: &Entity, new: &HashSet<Uuid>) -> bool {
    entity.ends.as_ref().is_some_and(|ends| new.contains(&ends.source_id))
}

/// The entities as they would be: resources first, then what joins them.
fn plan(
    core: &Core,
    view: &dyn ReadView,
    snapshot: &Snapshot,
    caller: &Caller,
    asked: &[Asked],
) -> Result<Vec<Entity>, Refusal> {
    let registry = snapshot.registry();
    let mut planned: Vec<Entity> = Vec::new();
    let mut inline: Vec<(usize, &Item)> = Vec::new();
    for Asked { made, item, path } in asked.iter().filter(|asked| asked.made.kind.nature != Nature::Link) {
        let identity = identity(core, view, &planned, caller, made, item, path.clone())?;
        planned.push(registry.instantiate(made, item, identity, None)?);
        inline.extend(item.links.iter().map(|link| (planned.len() - 1, link)));
    }
    let resources = planned.len();
    for (source, item) in inline {
        let made = registry.classify(item)?;
        if made.kind.nature != Nature::Link {
            return Err(Refusal::Invalid(format!("{} is not the Kind of a link", made.kind.kind.id)));
        }
        let surroundings = Surroundings { view, registry, caller, new: &planned[..resources] };
        let ends = surroundings.ends(&item.attributes, Some(&planned[source]), None)?;
        let identity = identity(core, view, &planned, caller, &made, item, None)?;
        planned.push(registry.instantiate(&made, item, identity, Some(ends))?);
    }
    for Asked { made, item, path } in asked.iter().filter(|asked| asked.made.kind.nature == Nature::Link) {
        let surroundings = Surroundings { view, registry, caller, new: &planned[..resources] };
        let ends = surroundings.ends(&item.attributes, None, None)?;
        let identity = identity(core, view, &planned, caller, made, item, path.clone())?;
        planned.push(registry.instantiate(made, item, identity, Some(ends))?);
    }
    Ok(planned)
}

/// A client's id is adopted where it is a free UUID, else the server makes one.
fn identity(
    core: &Core,
    view: &dyn ReadView,
    planned: &[Entity],
    caller: &Caller,
    made: &Made,
    item: &Item,
    path: Option<Location>,
) -> Result<Identity, Refusal> {
    let is_free = |id: &Uuid| {
        !planned.iter().any(|entity| entity.id == *id)
            && !core.is_left(*id)
            && matches!(occi_store::owner(view, *id), Ok(None))
    };
    let id = wanted_id(item).filter(is_free).unwrap_or_else(Uuid::now_v7);
    // A Kind without a location has no instances, so `classify` has refused it.
    let location = path.or_else(|| Some(made.kind.kind.location.as_ref()?.child(id)));
    let location =
        location.ok_or_else(|| Refusal::Internal(format!("{} has no location", made.kind.kind.id)))?;
    Ok(Identity { id, location, tenant: Arc::clone(&caller.tenant) })
}

fn wanted_id(item: &Item) -> Option<Uuid> {
    Uuid::parse_str(item.attributes.get(names::ID)?.as_text()?).ok().filter(|id| !id.is_nil())
}

/// The stored resources that new links leave: what a client sees of them changes with their links.
fn sources(view: &dyn ReadView, caller: &Caller, planned: &[Entity]) -> Result<Vec<Stored>, Refusal> {
    let mut seen: HashSet<Uuid> = planned.iter().map(|entity| entity.id).collect();
    let mut sources = Vec::new();
    for ends in planned.iter().filter_map(|entity| entity.ends.as_ref()) {
        if seen.insert(ends.source_id) {
            sources.extend(Entities::new(view, &caller.tenant).get(ends.source_id)?);
        }
    }
    Ok(sources)
}

fn changes(
    core: &Core,
    snapshot: &Snapshot,
    created: &[Entity],
    sources: &[Stored],
    effects: &Effects<'_>,
    intent: Option<Uuid>,
) -> Result<Batch, Refusal> {
    let view = core.read()?;
    let mut changes = Changes::default();
    for entity in created {
        changes.create(entity, snapshot.maker(entity).as_ref())?;
        changes.require_tags(&*view, snapshot, entity)?;
    }
    for source in sources {
        changes.touch(source)?;
    }
    if let Some(entity) = created.first() {
        changes.write(&entity.tenant, &effects.writes);
    }
    changes.strike(intent);
    Ok(changes.into_batch())
}

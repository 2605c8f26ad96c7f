//! Changes of an entity that clients ask for: partial (POST, HTTP-26) and full (PUT, HTTP-24 and HTTP-25).

use crate::changes::Changes;
use crate::core::Core;
use crate::create;
use crate::delete;
use crate::effect::{Effects, is_plain_no};
use crate::ends::{Surroundings, local_ends};
use crate::intent::Verb;
use crate::locks::Held;
use crate::observer::Cause;
use crate::retrieve::{check, find, reply};
use crate::{Caller, Condition, Place, Refusal, Reply, Snapshot};
use occi_model::{Draft, Ends, Entity, Item, Location, Representation, UpdateMode, Updated, core as names};
use occi_store::{Entities, Stored};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use uuid::Uuid;

/// Replaces the entity at a path, or makes it.
pub(crate) async fn put(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    path: Location,
    draft: Draft,
    condition: &Condition,
) -> Result<Reply, Refusal> {
    let item = the_one(draft)?;
    // Of many who make the same path, one makes it and the others change it.
    let path_held = core.paths.lock([path_key(&path)]).await;
    let exists = Entities::new(&*core.read()?, &caller.tenant).find_by_path(&path)?.is_some();
    if !exists {
        return create::create_at(core, snapshot, caller, path, item, condition).await;
    }
    drop(path_held);
    change(core, snapshot, caller, &path, item, UpdateMode::Full, condition).await
}

/// What a path is locked by. That two may share it costs a wait and nothing else.
fn path_key(path: &Location) -> Uuid {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    Uuid::from_u64_pair(hasher.finish(), 0)
}

/// Changes what a draft names of the entity at a path, and adds Mixins and links to it (H11-18, Q-39).
pub(crate) async fn update(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    draft: Draft,
    condition: &Condition,
) -> Result<Reply, Refusal> {
    let mut item = the_one(draft)?;
    if item.links.is_empty() {
        return change(core, snapshot, caller, path, item, UpdateMode::Partial, condition).await;
    }
    let mut links = std::mem::take(&mut item.links);
    // The rest is checked before the links are made, so that a bad request makes none of them.
    {
        let view = core.read()?;
        let stored = find(&*view, caller, path)?;
        check(&*view, condition, Some(&stored))?;
        snapshot.check_loaded(&stored.entity)?;
        if stored.entity.is_link() {
            return Err(vec![occi_model::Violation::LinkOfLink(stored.entity.kind.clone())].into());
        }
        snapshot.registry().update(&stored.entity, &item, UpdateMode::Partial, None)?;
        // What a client sends back as it read it is no new link.
        let held = Entities::new(&*view, &caller.tenant).links_from(stored.entity.id)?;
        links.retain(|link| !is_held(link, &held));
    }
    if links.is_empty() {
        return change(core, snapshot, caller, path, item, UpdateMode::Partial, condition).await;
    }
    let links = links.into_iter().map(|mut link| {
        let source = occi_model::AttributeName::parse(names::SOURCE)?;
        link.attributes.insert(source, path.as_str().into());
        Ok(link)
    });
    let items = links.collect::<Result<Vec<_>, Refusal>>()?;
    let made =
        create::create(core, snapshot, caller, &Place::Root, Draft { items, locations: Vec::new() }).await?;
    let outcome = change(core, snapshot, caller, path, item, UpdateMode::Partial, &Condition::None).await;
    if let (Err(_), Representation::Created(locations)) = (&outcome, &made.representation) {
        // All of the request or nothing.
        for location in locations {
            if let Err(refusal) = delete::delete(core, snapshot, caller, location, &Condition::None).await {
                tracing::error!(%location, "a link of a refused update could not be taken back: {refusal}");
            }
        }
    }
    outcome
}

fn the_one(draft: Draft) -> Result<Item, Refusal> {
    let [item]: [Item; 1] = draft.items.try_into().map_err(|items: Vec<Item>| {
        Refusal::Invalid(format!("describe one entity here, not {}", items.len()))
    })?;
    Ok(item)
}

async fn change(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    item: Item,
    mode: UpdateMode,
    condition: &Condition,
) -> Result<Reply, Refusal> {
    let (_held, stored, ends) = hold(core, snapshot, caller, path, &item).await?;
    let before = &stored.entity;
    {
        let view = core.read()?;
        check(&*view, condition, Some(&stored))?;
        snapshot.check_loaded(before)?;
        if mode == UpdateMode::Full {
            let links = Entities::new(&*view, &caller.tenant).links_from(before.id)?;
            same_links(&item, &links)?;
        }
    }
    let updated = snapshot.registry().update(before, &item, mode, ends)?;
    if updated.is_unchanged(before) {
        return reply(&*core.read()?, snapshot, &stored);
    }
    apply_all(core, snapshot, vec![(stored, updated)]).await?;
    let view = core.read()?;
    reply(&*view, snapshot, &find(&*view, caller, path)?)
}

/// Locks an entity, with the ends that it has and shall have where it is a link.
async fn hold(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    item: &Item,
) -> Result<(Held, Stored, Option<Ends>), Refusal> {
    loop {
        let (seen, ends) = look(core, snapshot, caller, path, item)?;
        let resources = resources(&seen.entity, ends.as_ref());
        let mut held = core.locks.lock(resources.iter().copied()).await;
        held.extend([seen.entity.id]).await;
        let (stored, ends) = look(core, snapshot, caller, path, item)?;
        if stored.entity.id == seen.entity.id && self::resources(&stored.entity, ends.as_ref()) == resources {
            return Ok((held, stored, ends));
        }
    }
}

fn look(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    item: &Item,
) -> Result<(Stored, Option<Ends>), Refusal> {
    let view = core.read()?;
    let stored = find(&*view, caller, path)?;
    let ends = match &stored.entity.ends {
        Some(before) => {
            let surroundings = Surroundings { view: &*view, registry: snapshot.registry(), caller, new: &[] };
            Some(surroundings.ends(&item.attributes, None, Some(before))?)
        }
        None => None,
    };
    Ok((stored, ends))
}

fn resources(entity: &Entity, ends: Option<&Ends>) -> HashSet<Uuid> {
    let new = ends.iter().flat_map(|ends| std::iter::once(ends.source_id).chain(ends.target_id));
    let own = if entity.is_link() { None } else { Some(entity.id) };
    own.into_iter().chain(local_ends(entity)).chain(new).collect()
}

/// A PUT may carry the links that a GET gave; a new or another one is not made by it (H11-19, Q-38).
fn same_links(item: &Item, links: &[Stored]) -> Result<(), Refusal> {
    if item.links.iter().all(|given| is_held(given, links)) {
        return Ok(());
    }
    Err(Refusal::Invalid(
        "a full update keeps the links as they are; create a link at its Kind's location or delete it at its own"
            .into(),
    ))
}

/// Whether a link of a request is one of those that there are.
fn is_held(given: &Item, links: &[Stored]) -> bool {
    let text = |name: &str| given.attributes.get(name).and_then(occi_model::Value::as_text);
    links.iter().any(|link| {
        let path = given.location.as_deref() == Some(link.entity.location.as_str());
        let id = text(names::ID).and_then(|id| Uuid::parse_str(id).ok()) == Some(link.entity.id);
        let target = link.entity.ends.as_ref().map(|ends| ends.target.as_str());
        (path || id) && text(names::TARGET).is_none_or(|given| Some(given) == target)
    })
}

/// Lets the extensions do what updates mean, and commits them: all or none.
pub(crate) async fn apply_all(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    updates: Vec<(Stored, Updated)>,
) -> Result<(), Refusal> {
    for (stored, _) in &updates {
        snapshot.check_loaded(&stored.entity)?;
    }
    let operation = Uuid::new_v4();
    let outside = updates.iter().any(|(stored, updated)| {
        Effects::reaches_outside(snapshot, &stored.entity)
            || Effects::reaches_outside(snapshot, &updated.entity)
    });
    if outside {
        core.intend(operation, Verb::Change, updates.iter().map(|(stored, _)| &*stored.entity)).await?;
    }
    let mut effects = Effects::new(snapshot, operation);
    let mut changes = Changes::default();
    let mut begun = 0;
    let mut outcome = Ok(());
    for (stored, updated) in &updates {
        begun += 1;
        outcome = effect(core, snapshot, &mut effects, &mut changes, stored, updated).await;
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_ok() {
        if let Some((stored, _)) = updates.first() {
            changes.write(&stored.entity.tenant, &effects.writes);
        }
        changes.strike(outside.then_some(operation));
        match core.commit(changes.into_batch()).await {
            Ok(_) => {
                core.schedule(&effects.again);
                return Ok(());
            }
            Err(error) => outcome = Err(error.into()),
        }
    }
    for (stored, updated) in updates[..begun].iter().rev() {
        take_back(&mut effects, &stored.entity, updated).await;
        // What could not be taken back is mended by the extension: it makes what the entity says.
        if effects.left_behind || outcome.as_ref().is_err_and(|refusal| !is_plain_no(refusal)) {
            core.observe(stored.entity.id, Cause::Restart);
        }
    }
    if outside {
        core.strike(operation).await;
    }
    outcome
}

/// What the extensions do for one update, and what is to be committed of it.
async fn effect(
    core: &Core,
    snapshot: &Snapshot,
    effects: &mut Effects<'_>,
    changes: &mut Changes,
    stored: &Stored,
    updated: &Updated,
) -> Result<(), Refusal> {
    let before = &stored.entity;
    let after = if before.ends == updated.entity.ends {
        effects.update(before, updated.clone()).await?
    } else {
        touch_sources(core, changes, before, &updated.entity)?;
        retarget(effects, before, updated.entity.clone()).await?
    };
    changes.require_tags(&*core.read()?, snapshot, &after)?;
    changes.replace(stored, &after, snapshot.maker(&after).as_ref())
}

/// A link with other ends is another link to its extension: it ends at the old ones and begins at the new ones.
async fn retarget(effects: &mut Effects<'_>, before: &Entity, after: Entity) -> Result<Entity, Refusal> {
    effects.delete(before).await?;
    effects.create(after).await
}

/// What a client sees of a resource changes when a link leaves it or comes to it.
fn touch_sources(core: &Core, changes: &mut Changes, before: &Entity, after: &Entity) -> Result<(), Refusal> {
    let view = core.read()?;
    let ids: HashSet<Uuid> =
        [before, after].into_iter().filter_map(|link| Some(link.ends.as_ref()?.source_id)).collect();
    for id in ids {
        if let Some(source) = Entities::new(&*view, &before.tenant).get(id)? {
            changes.touch(&source)?;
        }
    }
    Ok(())
}

/// Undoes what a part of the roles did before another refused.
async fn take_back(effects: &mut Effects<'_>, before: &Entity, updated: &Updated) {
    let outcome = if before.ends == updated.entity.ends {
        let names = updated.wanted.keys().chain(&updated.cleared);
        let backwards = Updated {
            entity: Entity::clone(before),
            wanted: names.filter_map(|name| Some((name.clone(), before.get(name.as_str())?))).collect(),
            cleared: updated
                .wanted
                .keys()
                .filter(|name| before.get(name.as_str()).is_none())
                .cloned()
                .collect(),
            gained: updated.lost.clone(),
            lost: updated.gained.clone(),
        };
        effects.update(&updated.entity, backwards).await
    } else {
        match effects.delete(&updated.entity).await {
            Ok(()) => effects.create(before.clone()).await,
            Err(refusal) => Err(refusal),
        }
    };
    if let Err(refusal) = outcome {
        tracing::error!(entity = %before.id, "a refused update could not be taken back: {refusal}");
        effects.left_behind = true;
    }
}

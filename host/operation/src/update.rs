//! Changes of an entity that clients ask for: partial (POST, HTTP-26) and full (PUT, HTTP-24 and HTTP-25).

use crate::core::Core;
use crate::ends::{Names, Surroundings};
use crate::locks::{Held, Wanted};
use crate::retrieve::{check, find, reply};
use crate::{Caller, Condition, Refusal, Reply, Snapshot, alter, create, extend, locks};
use occi_model::{
    AttributeName, CategoryId, Draft, Ends, Entity, Item, Location, Nature, Registry, UpdateMode, Value,
    core as names,
};
use occi_store::{Entities, Stored};
use std::collections::{HashMap, HashSet};
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
    loop {
        let path_held = core.paths.lock([locks::id_of(&path)]).await;
        let exists = Entities::new(&*core.read()?, &caller.tenant).find_by_path(&path)?.is_some();
        if !exists {
            return create::create_at(core, snapshot, caller, path, item, condition, None).await;
        }
        drop(path_held);
        match change(core, snapshot, caller, &path, item.clone(), UpdateMode::Full, condition).await {
            // Somebody has ended it meanwhile, so it is to be made.
            Err(Refusal::NotFound(gone)) if gone == path => {}
            outcome => return outcome,
        }
    }
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
    let (item, links) = if brings_links_alone(core, snapshot, caller, path, &draft)? {
        (Item::default(), draft.items)
    } else {
        let mut item = the_one(draft)?;
        let links = std::mem::take(&mut item.links);
        (item, links)
    };
    if links.is_empty() {
        return change(core, snapshot, caller, path, item, UpdateMode::Partial, condition).await;
    }
    extend::extend(core, snapshot, caller, path, &item, &links, condition).await
}

/// Whether a draft describes links, and they are to leave the resource to which it was sent. In JSON, an object with
/// `links` alone is a collection of them (JSON-06), and also a resource of which nothing but its links is said.
fn brings_links_alone(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    draft: &Draft,
) -> Result<bool, Refusal> {
    let registry = snapshot.registry();
    let is_link = |item: &Item| {
        if item.is_link {
            return true;
        }
        let mut kinds = item.categories.iter().filter_map(|category| registry.kind(&category.id));
        kinds.any(|kind| kind.nature == Nature::Link)
    };
    if draft.items.is_empty() || !draft.items.iter().all(is_link) {
        return Ok(false);
    }
    Ok(!find(&*core.read()?, caller, path)?.entity.is_link())
}

fn the_one(draft: Draft) -> Result<Item, Refusal> {
    let [item]: [Item; 1] = draft.items.try_into().map_err(|items: Vec<Item>| {
        Refusal::Invalid(match items.len() {
            0 => "the request describes nothing; describe the entity, or what of it shall change".into(),
            many => format!("describe one entity here, not {many}"),
        })
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
    let mode = {
        let view = core.read()?;
        check(&*view, condition, Some(&stored))?;
        core.check_changeable(snapshot, before)?;
        let mode = meant(snapshot, mode, &item)?;
        if mode == UpdateMode::Full {
            let links = Entities::new(&*view, &caller.tenant).links_from(before.id)?;
            same_links(snapshot.registry(), &item, &links)?;
        }
        mode
    };
    let updated = snapshot.registry().update(before, &item, mode, ends)?;
    if updated.is_unchanged(before) {
        return reply(&*core.read()?, snapshot, &stored);
    }
    alter::all(core, snapshot, vec![(stored, updated)]).await.map_err(|unaltered| unaltered.refusal)?;
    let view = core.read()?;
    reply(&*view, snapshot, &find(&*view, caller, path)?)
}

/// A full update says all of an entity, its Kind first of all (HTTP-24, H11-19): one without would reset what it does not
/// name. With Mixins alone it is what some clients send to add them.
fn meant(snapshot: &Snapshot, mode: UpdateMode, item: &Item) -> Result<UpdateMode, Refusal> {
    let names_kind = item.categories.iter().any(|category| snapshot.registry().kind(&category.id).is_some());
    if mode == UpdateMode::Partial || names_kind {
        return Ok(mode);
    }
    if !item.categories.is_empty() && item.attributes.is_empty() && item.links.is_empty() {
        return Ok(UpdateMode::Partial);
    }
    Err(Refusal::Invalid(
        "a PUT describes all of the entity: name its kind, or use POST to change only what you name".into(),
    ))
}

/// Locks an entity; where it is a link, with the resource that it leaves, and those that it shall leave and lead to.
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
        let mut held = core.locks.lock_both(&resources).await;
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
            let registry = snapshot.registry();
            let surroundings =
                Surroundings { view: &*view, registry, caller, new: &[], names: &Names::default() };
            let ends = surroundings.ends(&item.attributes, None, Some(before))?;
            [ends.source_id]
                .into_iter()
                .chain(ends.target_id)
                .try_for_each(|end| core.left.check_stays(end))?;
            Some(ends)
        }
        None => None,
    };
    Ok((stored, ends))
}

/// What a link leads to already stays for as long as the link is locked.
fn resources(entity: &Entity, ends: Option<&Ends>) -> Wanted {
    let Some(before) = &entity.ends else {
        return Wanted { changed: [entity.id].into(), kept: HashSet::new() };
    };
    let target = ends.and_then(|ends| ends.target_id).filter(|id| before.target_id != Some(*id));
    Wanted {
        changed: [before.source_id].into_iter().chain(ends.map(|ends| ends.source_id)).collect(),
        kept: target.into_iter().collect(),
    }
}

/// A PUT may carry the links that a GET gave; a new or another one is not made by it (H11-19, Q-38).
fn same_links(registry: &Registry, item: &Item, links: &[Stored]) -> Result<(), Refusal> {
    let held = HeldLinks::new(registry, links);
    for given in &item.links {
        if !held.has(given)? {
            let text = |name: &str| given.attributes.get(name).and_then(Value::as_text);
            let which =
                given.location.as_deref().or(text(names::ID)).or(text(names::TARGET)).unwrap_or("one");
            return Err(Refusal::Invalid(format!(
                "a full update keeps the links as they are, and `{which}` is none of them; leave it out, create a link at its \
                 Kind's location or delete it at its own"
            )));
        }
    }
    Ok(())
}

/// The links of a resource, by their names.
pub(crate) struct HeldLinks<'a> {
    registry: &'a Registry,
    by_path: HashMap<&'a str, &'a Entity>,
    by_id: HashMap<Uuid, &'a Entity>,
}

impl<'a> HeldLinks<'a> {
    pub(crate) fn new(registry: &'a Registry, links: &'a [Stored]) -> Self {
        let links = || links.iter().map(|stored| &*stored.entity);
        Self {
            registry,
            by_path: links().map(|link| (link.location.as_str(), link)).collect(),
            by_id: links().map(|link| (link.id, link)).collect(),
        }
    }

    /// Whether a link of a request is one of them. It is refused where it says of that one what is not so: a link is changed
    /// at its own path.
    pub(crate) fn has(&self, given: &Item) -> Result<bool, Refusal> {
        let id = given.attributes.get(names::ID).and_then(Value::as_text);
        let id = id.and_then(|id| Uuid::parse_str(id).ok());
        let by_path = given.location.as_deref().and_then(|path| self.by_path.get(path));
        let Some(held) = by_path.or_else(|| self.by_id.get(&id?)) else { return Ok(false) };
        match difference(self.registry, given, held, None) {
            None => Ok(true),
            Some(what) => Err(Refusal::Invalid(format!(
                "the link {} is there already, and {what}; change it at its own path",
                held.location
            ))),
        }
    }
}

/// What a request says of an entity that is otherwise, but for a Mixin that it gives or takes. What clients cannot set it may
/// say as it was when they read it.
pub(crate) fn difference(
    registry: &Registry,
    given: &Item,
    held: &Entity,
    mixin: Option<&CategoryId>,
) -> Option<String> {
    let mut categories = given.categories.iter().map(|category| &category.id);
    let has = |id: &CategoryId| *id == held.kind || held.mixins.contains(id) || Some(id) == mixin;
    if let Some(other) = categories.find(|id| !has(id)) {
        return Some(format!("it has not the category {other}"));
    }
    let id = |value: &Value| value.as_text().and_then(|id| Uuid::parse_str(id).ok());
    let (source, target) =
        held.ends.as_ref().map_or((None, None), |ends| (Some(ends.source_id), ends.target_id));
    // The one path is written in several ways.
    let path = |value: &Value| value.as_text().and_then(|text| Location::parse(text).ok());
    let is_path = |name: &str, value: &Value| {
        path(value).is_some_and(|given| held.get(name).as_ref().and_then(path) == Some(given))
    };
    let differs = |name: &AttributeName, value: &Value| match name.as_str() {
        names::ID => id(value) != Some(held.id),
        // The Kinds of the ends are said in several ways, as by `rel`.
        names::SOURCE_KIND | names::TARGET_KIND => false,
        _ if held.get(name.as_str()).as_ref() == Some(value) => false,
        names::SOURCE | names::TARGET if is_path(name.as_str(), value) => false,
        // An end may be named by its id, too.
        names::SOURCE => id(value).is_none_or(|id| Some(id) != source),
        names::TARGET => id(value).is_none_or(|id| Some(id) != target),
        names::TITLE | names::SUMMARY => true,
        _ => registry.attribute(held, name).is_none_or(|declared| {
            declared.mutable && declared.value_type.accept(value.clone()) != held.get(name.as_str())
        }),
    };
    let mut attributes = given.attributes.iter();
    attributes.find(|(name, value)| differs(name, value)).map(|(name, _)| format!("its {name} is another"))
}

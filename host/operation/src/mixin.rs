//! The members of a Mixin, be it an extension's or a client's: more of them (HTTP-32), these and no others (HTTP-30),
//! fewer of them (HTTP-35). All of a request or nothing of it (H11-12), whatever their Kinds.

use crate::alter;
use crate::core::Core;
use crate::locks::id_of;
use crate::members::{Members, hold};
use crate::retrieve::{find, links, show};
use crate::update::{HeldLinks, difference};
use crate::{Caller, Collection, Refusal, Reply, Snapshot};
use occi_model::{CategoryId, Draft, Item, Location, Representation, Updated, core as names};
use occi_store::{Entities, ReadView, Stored};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// Gives a Mixin to entities (HTTP-32).
pub(crate) async fn associate(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    mixin: &CategoryId,
    draft: &Draft,
) -> Result<Reply, Refusal> {
    let named = named(core, snapshot, caller, mixin, draft)?;
    if named.is_empty() {
        return Err(Refusal::Invalid("name the entities, such as `X-OCCI-Location: http://...`".into()));
    }
    set(core, snapshot, caller, mixin, named.clone(), Vec::new()).await?;
    shown(core, snapshot, caller, &named)
}

/// Makes entities all the members of a Mixin (HTTP-30).
pub(crate) async fn set_members(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    mixin: &CategoryId,
    draft: &Draft,
) -> Result<Reply, Refusal> {
    let named = named(core, snapshot, caller, mixin, draft)?;
    // Of two at once, each finds those whom the other has named, or is found by it.
    let _replacing = core.collections.lock([id_of(&(&caller.tenant, mixin))]).await;
    let mut leaving = crate::list::members(core, snapshot, caller, &Collection::Mixin(mixin.clone()))?;
    leaving.retain(|path| !named.contains(path));
    set(core, snapshot, caller, mixin, named.clone(), leaving).await?;
    shown(core, snapshot, caller, &named)
}

/// Takes a Mixin off entities; off all where none is named (HTTP-35). The entities stay.
pub(crate) async fn dissociate(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    mixin: &CategoryId,
    draft: &Draft,
) -> Result<Reply, Refusal> {
    let mut leaving = named(core, snapshot, caller, mixin, draft)?;
    if leaving.is_empty() {
        leaving = crate::list::members(core, snapshot, caller, &Collection::Mixin(mixin.clone()))?;
    }
    set(core, snapshot, caller, mixin, Vec::new(), leaving).await?;
    Ok(Reply::new(Representation::Done))
}

/// The collection of those that were named, as they are now. One that went meanwhile is no more among them.
fn shown(core: &Core, snapshot: &Snapshot, caller: &Caller, named: &[Location]) -> Result<Reply, Refusal> {
    let view = core.read()?;
    let entities = Entities::new(&*view, &caller.tenant);
    let mut members = named
        .iter()
        .filter_map(|path| entities.find_by_path(path).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    // In the order of all collections.
    members.sort_unstable_by_key(|stored| (stored.created, stored.entity.id));
    let views = members
        .iter()
        .map(|stored| Ok(show(snapshot, stored, &links(&*view, &stored.entity)?)))
        .collect::<Result<_, Refusal>>()?;
    Ok(Reply::new(Representation::Collection(views)))
}

/// The entities that a draft names: by location, or by description.
fn named(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    mixin: &CategoryId,
    draft: &Draft,
) -> Result<Vec<Location>, Refusal> {
    let view = core.read()?;
    let mut paths = Vec::new();
    let at = |text: &str| {
        if !text.starts_with('/') {
            return Err(Refusal::Invalid(format!(
                "`{text}` is not the location of an entity of this server"
            )));
        }
        find(&*view, caller, &Location::parse(text)?)
    };
    for text in &draft.locations {
        paths.push(at(text)?.entity.location.clone());
    }
    // Some clients describe the mixin beside the locations.
    let names_entity = |item: &Item| item.attributes.contains_key(names::ID) || item.location.is_some();
    let names_any = !draft.locations.is_empty() || draft.items.iter().any(names_entity);
    let describes_mixin = |item: &Item| {
        names_any
            && item.attributes.is_empty()
            && item.location.is_none()
            && item.links.is_empty()
            && item.categories.iter().all(|category| category.id == *mixin)
    };
    for item in draft.items.iter().filter(|item| !describes_mixin(item)) {
        let id = item.attributes.get(names::ID).and_then(occi_model::Value::as_text);
        let id = id.and_then(|text| Uuid::parse_str(text).ok());
        let stored = match (id, &item.location) {
            (Some(id), location) => {
                let missing = || Refusal::Invalid(format!("there is no entity urn:uuid:{id}"));
                let stored = Entities::new(&*view, &caller.tenant).get(id)?.ok_or_else(missing)?;
                // A location that is none of ours may be what another server knows it by.
                if let Some(Ok(other)) = location.as_deref().map(at)
                    && other.entity.id != id
                {
                    let place = &other.entity.location;
                    return Err(Refusal::Invalid(format!(
                        "urn:uuid:{id} is not the id of {place}; name one of the two"
                    )));
                }
                Some(stored)
            }
            (None, Some(text)) => Some(at(text)?),
            (None, None) => None,
        };
        let Some(stored) = stored else {
            return Err(Refusal::Invalid(
                match item.categories.iter().find(|category| category.id != *mixin) {
                    Some(other) if id.is_none() && !draft.locations.is_empty() => format!(
                        "this is the collection of {mixin}; leave {} out, or send it to the collection of that one",
                        other.id
                    ),
                    None if id.is_none() && !draft.locations.is_empty() => {
                        "who is named by a location gets the mixin with its defaults; leave attributes and links out, and set \
                         them at each entity's own path"
                            .into()
                    }
                    _ => "each entity is named by its location or by its id; one is not here".into(),
                },
            ));
        };
        check_same(&*view, snapshot, mixin, item, &stored)?;
        paths.push(stored.entity.location.clone());
    }
    paths.sort_unstable();
    paths.dedup();
    Ok(paths)
}

/// A member that is described is as it is described, but for the Mixin: nothing else of it changes here, and what were said
/// of it would be lost.
fn check_same(
    view: &dyn ReadView,
    snapshot: &Snapshot,
    mixin: &CategoryId,
    item: &Item,
    stored: &Stored,
) -> Result<(), Refusal> {
    let what = match difference(snapshot.registry(), item, &stored.entity, Some(mixin)) {
        None if has_links(view, snapshot, item, stored)? => return Ok(()),
        None => "it has not all of those links".into(),
        Some(what) => what,
    };
    Err(Refusal::Invalid(format!(
        "{} is described otherwise than it is: {what}. Here it only gets or loses {mixin}; name it by its location or its id \
         alone, and send what else shall change to its own path, once it has the mixin",
        stored.entity.location
    )))
}

/// Whether all links that a description of an entity holds leave it, and are as they are described.
fn has_links(
    view: &dyn ReadView,
    snapshot: &Snapshot,
    item: &Item,
    stored: &Stored,
) -> Result<bool, Refusal> {
    if item.links.is_empty() {
        return Ok(true);
    }
    let held = links(view, &stored.entity)?;
    let held = HeldLinks::new(snapshot.registry(), &held);
    for given in &item.links {
        if !held.has(given)? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn set(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    mixin: &CategoryId,
    joining: Vec<Location>,
    leaving: Vec<Location>,
) -> Result<(), Refusal> {
    let registry = snapshot.registry();
    if registry.mixin(mixin).is_none() {
        return Err(Refusal::Conflict(format!("the mixin {mixin} was removed meanwhile")));
    }
    let joined: HashSet<Location> = joining.iter().cloned().collect();
    let paths: Vec<_> = joining.into_iter().chain(leaving).collect();
    let (_held, members) = hold(core, caller, &paths).await?;
    let all = members.len();
    let mut updates: Vec<(Stored, Updated)> = Vec::new();
    let mut refused = Vec::new();
    for stored in members {
        let location = &stored.entity.location;
        let updated = core.check_changeable(snapshot, &stored.entity).and_then(|()| {
            Ok(if joined.contains(location) {
                registry.associate(&stored.entity, mixin)?
            } else {
                registry.dissociate(&stored.entity, mixin)?
            })
        });
        match updated {
            Ok(updated) if updated.is_unchanged(&stored.entity) => {}
            Ok(updated) => updates.push((stored, updated)),
            Err(refusal) => refused.push((location.clone(), refusal)),
        }
    }
    if !refused.is_empty() {
        return Err(Members::refused(all, refused));
    }
    // Whoever shares something out among the members has it back before others want it.
    updates.sort_by_key(|(stored, _)| joined.contains(&stored.entity.location));
    alter::all(core, snapshot, updates).await.map_err(|unaltered| match (unaltered.at, unaltered.refusal) {
        // That is no matter of the member: all of it is done anew.
        (_, refusal @ (Refusal::Outdated(_) | Refusal::Retagged)) => refusal,
        (Some(location), refusal) => Members::refused(all, [(location, refusal)]),
        (None, refusal) => refusal,
    })
}

//! Tags: the Mixins that clients define and remove (HTTP-20, HTTP-21). Their members are [`crate::mixin`]'s concern.

use crate::alter::Alteration;
use crate::changes::Changes;
use crate::core::Core;
use crate::members::hold;
use crate::{Caller, Collection, Refusal, Reply, Snapshot};
use occi_model::registry::is_reserved;
use occi_model::{
    CategoryDraft, CategoryId, CategoryView, Class, Draft, Item, Location, Mixin, Origin, Registry,
    Representation, ResolvedMixin, Violation, core as names,
};
use occi_store::{Batch, Entities};
use std::collections::HashSet;
use std::sync::Arc;

/// How many tags there can be: the query interface shows all of them to everybody.
const MAX_TAGS: usize = 1000;

/// Defines tags (H11-07). All of a request or none.
pub(crate) async fn define(core: &Arc<Core>, caller: &Caller, draft: Draft) -> Result<Reply, Refusal> {
    let wanted = categories(draft)?;
    let _defining = core.defining.lock().await;
    let snapshot = core.snapshot();
    let mut tags = snapshot.tags().to_vec();
    let mut batch = Batch::new();
    let mut ids = Vec::new();
    for category in wanted {
        let tag = tag(core, caller, &snapshot, category)?;
        occi_store::put_tag(&mut batch, &caller.tenant, &tag)?;
        ids.push(tag.id.clone());
        tags.push(tag);
    }
    if tags.len() > MAX_TAGS {
        return Err(Refusal::Conflict(format!(
            "there can be {MAX_TAGS} tags, and this would make {}; remove some first",
            tags.len()
        )));
    }
    let next = snapshot.with_tags(tags).map_err(|error| Refusal::Conflict(error.to_string()))?;
    let most = ResolvedMixin::MAX_DEPENDS;
    if let Some(long) = next.registry().mixins().iter().find(|mixin| mixin.depends.len() > most) {
        return Err(Refusal::Invalid(format!(
            "{} would come with more than {most} other mixins; shorten the chain of `rel`",
            long.mixin.id
        )));
    }
    for id in coming_with_others(&snapshot, &next) {
        if !crate::list::members(core, &snapshot, caller, &Collection::Mixin(id.clone()))?.is_empty() {
            return Err(Refusal::Conflict(format!(
                "{id} depends on it already, and its members would come by what this depends on; take {id} off them first"
            )));
        }
    }
    core.commit(batch).await?;
    let views =
        ids.iter().filter_map(|id| next.registry().mixin(id)).map(|tag| CategoryView::Mixin(Arc::clone(tag)));
    let reply = Reply::new(Representation::Categories(views.collect()));
    core.snapshot.store(Arc::new(next));
    Ok(reply)
}

fn categories(draft: Draft) -> Result<Vec<CategoryDraft>, Refusal> {
    let says_more = |item: &Item| !item.attributes.is_empty() || !item.links.is_empty();
    if !draft.locations.is_empty() || draft.items.iter().any(says_more) {
        return Err(Refusal::Invalid(
            "here mixins are defined and removed, and nothing else; leave out locations, attributes and links, and send \
             those of a mixin's members to its location"
                .into(),
        ));
    }
    let categories: Vec<_> = draft.items.into_iter().flat_map(|item| item.categories).collect();
    if categories.is_empty() {
        return Err(Refusal::Invalid(
            "name a mixin, such as `Category: my_tag; scheme=\"http://example.com/tags#\"; class=\"mixin\"; location=\"/my_tag/\"`"
                .into(),
        ));
    }
    Ok(categories)
}

fn tag(core: &Core, caller: &Caller, snapshot: &Snapshot, category: CategoryDraft) -> Result<Mixin, Refusal> {
    let id = category.id;
    if let Some(given) = category.class.filter(|class| *class != Class::Mixin) {
        return Err(Refusal::Invalid(format!("{id}: clients define mixins; this is of class `{given}`")));
    }
    if is_reserved(&id) {
        return Err(Refusal::Forbidden(format!(
            "{id}: the schemes below {} are the standard's; choose one of your own",
            names::RESERVED
        )));
    }
    if category.has_content {
        return Err(Refusal::Invalid(format!(
            "{id}: a mixin that a client defines has no attributes and no actions"
        )));
    }
    let registry = snapshot.registry();
    if registry.mixin(&id).is_some() || registry.kind(&id).is_some() || registry.action(&id).is_some() {
        return Err(Refusal::Conflict(format!("{id} is there already")));
    }
    let claims = core.claims.load();
    let claimed_by = claims.owner_of_scheme(id.scheme()).map(|owner| &**owner);
    if let Some(owner) = snapshot.owner_of_scheme(id.scheme()).or(claimed_by) {
        return Err(Refusal::Conflict(format!(
            "{id}: the scheme is that of the extension {owner}; choose one of your own"
        )));
    }
    let Some(location) = category.location else {
        return Err(Refusal::Invalid(format!(
            "{id}: a location is missing, such as location=\"/{}/\"",
            id.term()
        )));
    };
    let location = Location::parse(&location)?;
    if !location.is_collection() || location.as_str() == "/" {
        return Err(Refusal::Invalid(format!(
            "{id}: the location must be a path of its own that ends in `/`, such as /{}/, not {location}",
            id.term()
        )));
    }
    let reserved = ["/-/", "/.well-known/", "/healthz/", "/metrics/"];
    let shadows = reserved.iter().any(|path| location.as_str().starts_with(path));
    if shadows || registry.kind_above(&location).is_some() {
        return Err(Refusal::Conflict(format!("{id}: {location} is the server's; choose another location")));
    }
    if let Some(hidden) = provided(registry).find(|place| place.as_str().starts_with(location.as_str())) {
        return Err(Refusal::Conflict(format!(
            "{id}: {location} is above {hidden}, which is the server's; choose another location"
        )));
    }
    // One that is not known may come later.
    let is_other = |id: &&CategoryId| registry.kind(id).is_some() || registry.action(id).is_some();
    if let Some(other) = category.related.iter().find(is_other) {
        return Err(Refusal::Invalid(format!("{id} would depend on {other}, which is not a mixin")));
    }
    if let Some(unknown) = category.applies.iter().find(|kind| registry.kind(kind).is_none()) {
        return Err(Refusal::Invalid(format!("{id} would apply to {unknown}, which is not a kind here")));
    }
    let entity = Location::parse(location.as_str().trim_end_matches('/'))?;
    let view = core.read()?;
    let entities = Entities::new(&*view, &caller.tenant);
    let is_taken = entities.find_by_path(&entity)?.is_some() || entities.find_by_path(&location)?.is_some();
    if is_taken {
        return Err(Refusal::Conflict(format!(
            "{id}: there is an entity at {entity}; choose another location"
        )));
    }
    Ok(Mixin {
        title: category.title,
        depends: category.related,
        applies: category.applies,
        attributes: Vec::new(),
        actions: Vec::new(),
        location,
        origin: Origin::Client,
        exclusive: false,
        id,
    })
}

/// Where the collections of the provider's Kinds and Mixins are.
fn provided(registry: &Registry) -> impl Iterator<Item = &Location> {
    let kinds = registry.kinds().iter().filter_map(|kind| kind.kind.location.as_ref());
    let mixins = registry.mixins().iter().map(|mixin| &mixin.mixin);
    kinds.chain(mixins.filter(|mixin| mixin.origin == Origin::Provider).map(|mixin| &mixin.location))
}

/// Removes tags (H11-08), whose members lose them in the same commit; and what clients had had made that is on offer.
pub(crate) async fn remove(core: &Arc<Core>, caller: &Caller, draft: Draft) -> Result<Reply, Refusal> {
    let (mut wanted, mut offers) = (categories(draft)?, Vec::new());
    let offering = core.snapshot();
    wanted.retain(|category| match offering.offering(&category.id) {
        Some(extension) => {
            offers.push((category.id.clone(), Arc::clone(extension)));
            false
        }
        None => true,
    });
    if !wanted.is_empty() {
        remove_tags(core, caller, wanted).await?;
    }
    if !offers.is_empty() {
        core.withdraw_offers(caller, offers).await?;
    }
    Ok(Reply::new(Representation::Done))
}

async fn remove_tags(core: &Arc<Core>, caller: &Caller, wanted: Vec<CategoryDraft>) -> Result<(), Refusal> {
    let _defining = core.defining.lock().await;
    let snapshot = core.snapshot();
    let mut changes = Changes::new(&snapshot);
    let mut removed = HashSet::new();
    for CategoryDraft { id, class, location, .. } in wanted {
        match snapshot.registry().mixin(&id).map(|mixin| mixin.mixin.origin) {
            Some(Origin::Client) => {}
            Some(Origin::Provider) => {
                return Err(Refusal::Forbidden(format!("{id} is the provider's; clients cannot remove it")));
            }
            None if snapshot.registry().kind(&id).is_some() => {
                return Err(Refusal::Forbidden(format!("{id} is a kind; clients cannot remove it")));
            }
            None => return Err(vec![Violation::UnknownCategory(id)].into()),
        }
        if let Some(given) = class.filter(|class| *class != Class::Mixin) {
            return Err(Refusal::Invalid(format!(
                "{id} is a mixin, and the request says that it is of class `{given}`"
            )));
        }
        let held = snapshot.registry().mixin(&id).map(|mixin| mixin.mixin.location.as_str());
        if let Some(given) = location.filter(|given| held != Some(given)) {
            return Err(Refusal::Invalid(format!(
                "{id} is at {}, not at {given}; name the right location or leave it out",
                held.unwrap_or_default()
            )));
        }
        if let Some(tag) = occi_store::tag(&*core.read()?, &caller.tenant, &id)? {
            occi_store::delete_tag(changes.batch(), &caller.tenant, &tag);
        }
        removed.insert(id);
    }
    let tags = snapshot.tags().iter().filter(|tag| !removed.contains(&tag.id)).cloned().collect();
    let next = snapshot.with_tags(tags).map_err(|error| Refusal::Conflict(error.to_string()))?;
    if let Some(left) = coming_with_others(&snapshot, &next).first() {
        return Err(Refusal::Conflict(format!(
            "{left} depends on it; remove that first, or both in one request"
        )));
    }
    strip(core, &snapshot, caller, &removed, changes).await?;
    core.snapshot.store(Arc::new(next));
    // Those who got a tag until it was gone: from now on nobody can.
    strip(core, &snapshot, caller, &removed, Changes::new(&snapshot)).await
}

/// The tags that come with other mixins than before.
fn coming_with_others(before: &Snapshot, after: &Snapshot) -> Vec<CategoryId> {
    let depends = |snapshot: &Snapshot, id| snapshot.registry().mixin(id).map(|tag| tag.depends.clone());
    let both = after.tags().iter().filter(|tag| before.registry().mixin(&tag.id).is_some());
    let changed = both.filter(|tag| depends(before, &tag.id) != depends(after, &tag.id));
    changed.map(|tag| tag.id.clone()).collect()
}

/// Takes tags off all their members, with the attributes that they brought, in one commit with other changes.
async fn strip(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    tags: &HashSet<CategoryId>,
    mut changes: Changes<'_>,
) -> Result<(), Refusal> {
    let mut members = Vec::new();
    for id in tags {
        members.extend(crate::list::members(core, snapshot, caller, &Collection::Mixin(id.clone()))?);
    }
    members.sort_unstable();
    members.dedup();
    let (_held, members) = hold(core, caller, &members).await?;
    let mut updates = Vec::new();
    for stored in members {
        let brings = |id: &CategoryId| {
            tags.contains(id)
                && snapshot.registry().mixin(id).is_some_and(|tag| !tag.mixin.depends.is_empty())
        };
        match snapshot.check_loaded(&stored.entity) {
            Ok(()) => {
                core.left.check_stays(stored.entity.id)?;
                let updated = snapshot.registry().dissociate_all(&stored.entity, tags)?;
                updates.push((stored, updated));
            }
            // What it came with would have to go, too.
            Err(refusal) if stored.entity.mixins.iter().any(brings) => {
                return Err(refusal.of(format!("the member {}", stored.entity.location)));
            }
            Err(_) => {
                // Which attributes are whose is not known.
                let mut entity = occi_model::Entity::clone(&stored.entity);
                entity.mixins.retain(|id| !tags.contains(id));
                changes.replace(&stored, &entity, stored.made_by.as_ref())?;
            }
        }
    }
    let alteration = Alteration::begin(core, snapshot, updates, &mut changes);
    let alteration = alteration.await.map_err(|unaltered| unaltered.refusal)?;
    alteration.finish(core, &mut changes);
    if !changes.is_empty()
        && let Err(refusal) = core.commit_changes(changes).await
    {
        alteration.undo(core).await;
        return Err(refusal);
    }
    alteration.settle(core);
    Ok(())
}

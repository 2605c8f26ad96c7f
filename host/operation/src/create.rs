//! New entities, all of a request or none (HTTP-31, H11-12).

use crate::birth::Birth;
use crate::changes::Changes;
use crate::core::Core;
use crate::intent::{Intent, Verb};
use crate::locks::{Held, Wanted};
use crate::order::Errand;
use crate::plan::{Asked, Plan, Planned, wanted_id};
use crate::retrieve::{actions, holds};
use crate::{Caller, Condition, Place, Refusal, Reply, Snapshot};
use occi_model::{Draft, Entity, Item, Location, Representation, View};
use occi_store::{Entities, ReadView, Revision, Stored};
use std::collections::{HashMap, HashSet};
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
    let all = draft.items.len();
    let asked = Refusal::none_of(draft.items.into_iter().enumerate().map(|(number, item)| {
        let made = snapshot.registry().classify(&item);
        let made = made.map_err(|violations| Asked::named(number, all, violations.into()))?;
        Ok(Asked { made, item, path: None })
    }));
    if let Place::Other(path) = place {
        return Err(match asked.map_err(|refusal| snapshot.for_lack_of_what_sleeps(refusal)) {
            // It may be the place of a Kind that is not loaded now.
            Err(lack) if lack.is_for_absence() => lack,
            _ => Refusal::Invalid(format!(
                "nothing is created at {path}; send the entity to its Kind's location or to /"
            )),
        });
    }
    let asked = asked?;
    if asked.is_empty() {
        return Err(Refusal::Invalid(
            "the request describes no entity; name its Kind, in text by `Category: TERM; scheme=\"SCHEME\"; \
             class=\"kind\"`, in JSON by the member `kind`"
                .into(),
        ));
    }
    check_place(snapshot, place, &asked)?;
    make(core, snapshot, caller, asked, None).await
}

/// Creates one entity at a path of the client's choice (HTTP-24), or of the host's where an order is carried out.
pub(crate) async fn create_at(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    path: Location,
    item: Item,
    condition: &Condition,
    errand: Option<&Errand>,
) -> Result<Reply, Refusal> {
    if !holds(condition, None) {
        return Err(Refusal::PreconditionFailed(None));
    }
    if !item.links.is_empty() {
        // H11-15
        return Err(Refusal::Invalid(
            "a PUT makes no links; create the entity, then its links at their Kind's location".into(),
        ));
    }
    let made = snapshot.registry().classify(&item)?;
    let above = made.kind.kind.location.as_ref().map(Location::as_str).unwrap_or_default();
    if !path.as_str().starts_with(above) {
        return Err(Refusal::Invalid(format!(
            "an entity of {} is created below {above}, not at {path}",
            made.kind.kind.id
        )));
    }
    make(core, snapshot, caller, vec![Asked { made, item, path: Some(path) }], errand).await
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
    errand: Option<&Errand>,
) -> Result<Reply, Refusal> {
    let own = asked.iter().map(|asked| wanted_id(&asked.item, asked.path.as_ref()));
    let inline = asked.iter().flat_map(|asked| &asked.item.links).map(|link| wanted_id(link, None));
    let wanted: HashSet<Uuid> = own.chain(inline).flatten().collect();
    // No two requests may adopt one id, since what they make outside has its name from it.
    let _adopting = core.adoptions.lock(wanted.clone()).await;
    let (_held, planned) = hold(core, snapshot, caller, &asked).await?;
    let Planned { entities, inline } = planned;
    check_nothing_stands(core, snapshot, &entities, &wanted).await?;
    let sources = sources(&*core.read()?, caller, &entities)?;
    let birth = Birth::begin(core, snapshot, entities, errand).await?;
    match commit(core, &birth, &sources).await {
        Ok(revision) => {
            let created = birth.settle(core);
            let revision = (created.len() == 1).then_some(revision);
            Ok(Reply { revision, ..Reply::new(Representation::Created(told(snapshot, created, &inline))) })
        }
        Err(refusal) => {
            Box::pin(birth.undo(core)).await;
            Err(refusal)
        }
    }
}

/// An id that a client has chosen may be the name of something outside that no entity has any more: the new one would take it
/// over as it is, or, where it is refused, take it away.
pub(crate) async fn check_nothing_stands(
    core: &Core,
    snapshot: &Snapshot,
    new: &[Entity],
    wanted: &HashSet<Uuid>,
) -> Result<(), Refusal> {
    for entity in new.iter().filter(|entity| wanted.contains(&entity.id)) {
        for (_, extension) in snapshot.roles(entity) {
            let Some(what) = extension.standing(entity.id).await? else { continue };
            // What comes late from a process that was killed is the new one's.
            let comes_late = |intent: &Intent| {
                intent.verb == Verb::Gone && intent.entities.iter().any(|gone| gone.id == entity.id)
            };
            if !core.intents()?.iter().any(comes_late) {
                return Err(Refusal::Conflict(format!(
                    "{what} bears the name of urn:uuid:{} already, and is of no entity of this server; choose another id, \
                     or remove it there, if it is nobody's",
                    entity.id
                )));
            }
        }
    }
    Ok(())
}

/// The new entities, as a client sees them. A link that is described within a resource is told with it and not beside it
/// (H11-22).
fn told(snapshot: &Snapshot, created: Vec<Entity>, inline: &HashSet<Uuid>) -> Vec<View> {
    let view = |entity: Arc<Entity>, links| View {
        actions: actions(snapshot, &entity),
        console: crate::console::relation(snapshot, &entity),
        entity,
        links,
    };
    let created: Vec<Arc<Entity>> = created.into_iter().map(Arc::new).collect();
    let mut links: HashMap<Uuid, Vec<View>> = HashMap::new();
    for link in &created {
        if let Some(ends) = &link.ends {
            links.entry(ends.source_id).or_default().push(view(Arc::clone(link), Vec::new()));
        }
    }
    let told = created.into_iter().filter(|entity| !inline.contains(&entity.id));
    told.map(|entity| {
        let links = links.remove(&entity.id).unwrap_or_default();
        view(entity, links)
    })
    .collect()
}

async fn commit(core: &Core, birth: &Birth<'_>, sources: &[Stored]) -> Result<Revision, Refusal> {
    let mut changes = Changes::new(birth.snapshot);
    birth.finish(core, &mut changes)?;
    for source in sources {
        changes.touch(source)?;
    }
    core.commit_changes(changes).await
}

/// The entities as they would be, with locks on what new links join, so that it stays.
async fn hold(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    asked: &[Asked],
) -> Result<(Held, Planned), Refusal> {
    let plan = || -> Result<Planned, Refusal> {
        let view = core.read()?;
        let mut plan = Plan::new(core, &*view, snapshot, caller);
        plan.all(asked)?;
        Ok(plan.end())
    };
    loop {
        let seen = plan()?;
        let ends = seen.outer_ends();
        let held = core.locks.lock_both(&ends).await;
        if ends == Wanted::default() {
            return Ok((held, seen));
        }
        let planned = plan()?;
        if planned.outer_ends() == ends {
            return Ok((held, planned));
        }
    }
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

//! The end of all members of a collection (HTTP-34, H11-02), as one operation: all of them and their links are locked
//! and looked at together, and one commit ends it (H11-12). A member that goes with another is no error.
//!
//! Where one refuses, those of which only the store knows stay. What has ended outside is gone, since a volume's data
//! does not come back; that is committed, and the answer says of each member what became of it. One that does not answer is
//! left to be finished, as in the deletion of one alone.

use crate::changes::Changes;
use crate::core::Core;
use crate::delete::{Doomed, restore, sources, unfinished};
use crate::effect::{Effects, Found, Writes, is_away, is_plain_no, is_unclear};
use crate::ends::local_ends;
use crate::intent::{self, Verb};
use crate::locks::Held;
use crate::members::{MemberOutcome, MemberResult, Members};
use crate::observer::Cause;
use crate::side_by_side::{SideBySide, at_once};
use crate::{Caller, Collection, Refusal, Reply, Snapshot};
use occi_model::{Entity, Location, Representation};
use occi_store::{Entities, Stored};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// Ends all members of a collection.
pub(crate) async fn delete_all(
    core: &Arc<Core>,
    snapshot: &Arc<Snapshot>,
    caller: &Caller,
    collection: &Collection,
) -> Result<Reply, Refusal> {
    if let Some(mixin) = collection.mixins_below(snapshot.registry()).first() {
        // The members of a Mixin would be deleted here, and lose it at its own location.
        return Err(Refusal::Invalid(format!(
            "{mixin} has its collection below that path, and whoever has a mixin is not deleted by it; send DELETE to \
             each entity's own path, or to the location of its kind"
        )));
    }
    let (_held, doomed, members) = hold(core, snapshot, caller, collection).await?;
    let unloaded = doomed.entities.iter().filter_map(|stored| {
        let refusal = snapshot.check_loaded(&stored.entity).err()?;
        Some((stored.entity.location.clone(), refusal))
    });
    let unloaded: Vec<_> = unloaded.collect();
    if !unloaded.is_empty() {
        return Err(Members::refused(doomed.entities.len(), unloaded));
    }

    let operation = Uuid::new_v4();
    let is_outside = |stored: &&Stored| Effects::reaches_outside(snapshot, &stored.entity);
    let lasts = doomed.entities.iter().any(|stored| Effects::lasts(snapshot, &stored.entity));
    if lasts {
        core.intend(operation, Verb::Delete, doomed.entities.iter().map(|stored| &*stored.entity)).await?;
    }
    let outcomes = carry_out(core, snapshot, operation, &doomed).await;
    let is_refused = outcomes.iter().any(|outcome| matches!(outcome, Some(Err(_))));

    let mut gone = gone(&doomed.entities, &outcomes, &members);
    let pending = if lasts { pending(&doomed.entities, &outcomes, &gone) } else { HashSet::new() };
    if is_refused {
        let ended =
            doomed.entities.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, Some(Ok(_))));
        if !ended.clone().any(|(stored, _)| gone.contains(&stored.entity.id) && is_outside(&stored)) {
            gone.clear();
        }
        let stays = |stored: &&Stored| {
            let id = stored.entity.id;
            !gone.contains(&id) && !pending.contains(&id) && is_outside(stored)
        };
        let mut effects = Effects::new(core, snapshot, operation);
        // Nor would those be answered that are to be made again.
        effects.is_stuck =
            outcomes.iter().any(|outcome| matches!(outcome, Some(Err(refusal)) if is_away(refusal)));
        restore(core, &mut effects, ended.map(|(stored, _)| stored).filter(stays)).await;
    }
    let mut changes = Changes::new(snapshot);
    let going = doomed.entities.iter().filter(|stored| gone.contains(&stored.entity.id)).cloned();
    Doomed::of(&*core.read()?, going.collect())?.remove(&mut changes)?;
    for (stored, outcome) in doomed.entities.iter().zip(&outcomes) {
        match outcome {
            Some(Ok(writes)) if gone.contains(&stored.entity.id) => changes.write(&caller.tenant, writes),
            Some(Err(refusal)) if !is_plain_no(refusal) && !pending.contains(&stored.entity.id) => {
                core.observe(stored.entity.id, Cause::Restart);
            }
            Some(_) | None => {}
        }
    }
    let (rest, left) = (Uuid::new_v4(), || {
        doomed.entities.iter().map(|stored| &*stored.entity).filter(|entity| pending.contains(&entity.id))
    });
    // One that is asked for again and again is left once.
    let is_left = pending.is_empty() || core.left.has_deletion_of(pending.iter().copied());
    if !is_left {
        intent::put(changes.batch(), rest, Verb::Delete, left())?;
    }
    let begun = doomed.entities.iter().map(|stored| stored.entity.id);
    core.commit_end(changes, lasts.then_some(operation), begun).await?;
    if !is_left {
        core.left.note(rest, Verb::Delete, left());
    }
    if is_refused {
        return Err(refusal(doomed.entities, outcomes, &members, &gone, &pending));
    }
    Ok(Reply::new(Representation::Done))
}

/// What an extension leaves to be written of an entity that has ended.
type Outcome = Option<Result<Writes, Refusal>>;

/// Locks the members of a collection and their links, and says which of them are members. What belongs to a member may
/// change until the locks are held, so it is looked at again until it is among what was locked.
async fn hold(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    collection: &Collection,
) -> Result<(Held, Doomed, HashSet<Uuid>), Refusal> {
    let gather = |paths: Vec<Location>| -> Result<(Doomed, HashSet<Uuid>), Refusal> {
        let view = core.read()?;
        let mut members = Vec::with_capacity(paths.len());
        for path in paths {
            members.extend(Entities::new(&*view, &caller.tenant).find_by_path(&path)?);
        }
        // Whoever empties a path means what clients have made, not what the server is made of: that is ended by itself, or
        // with its Kind's collection.
        if matches!(collection, Collection::Space(_)) {
            members.retain(|stored| !snapshot.is_administered(&stored.entity));
        }
        let ids = members.iter().map(|stored| stored.entity.id).collect();
        Ok((Doomed::gather(&*view, members)?, ids))
    };
    loop {
        let paths = crate::list::members(core, snapshot, caller, collection)?;
        let known: HashSet<Location> = paths.iter().cloned().collect();
        let (seen, _) = gather(paths)?;
        let (resources, links) = (seen.resources(), seen.links());
        let mut held = core.locks.lock(resources.iter().copied()).await;
        held.extend(links.iter().copied()).await;
        // One that joined meanwhile came too late, and one that left is let be.
        let mut paths = crate::list::members(core, snapshot, caller, collection)?;
        paths.retain(|path| known.contains(path));
        let (now, members) = gather(paths)?;
        if now.resources().is_subset(&resources) && now.links().is_subset(&links) {
            return Ok((held, now, members));
        }
    }
}

/// Has the extensions end the entities, until one refuses. Links come before what they join and one after the other, as
/// two may be at one machine; resources side by side, what the links left before what they led to. Where extensions have
/// data of their own, each sees what was written for the entities before.
async fn carry_out(
    core: &Arc<Core>,
    snapshot: &Arc<Snapshot>,
    operation: Uuid,
    doomed: &Doomed,
) -> Vec<Outcome> {
    let (entities, going) = (&doomed.entities, doomed.ids());
    let roles = entities.iter().flat_map(|stored| snapshot.roles(&stored.entity)).map(|(id, _)| id);
    let roles: HashSet<_> = roles.collect();
    let mut work = SideBySide::new(entities.len(), at_once(snapshot, &roles));
    let sources = sources(entities);
    let is_source = |stored: &Stored| sources.contains(&stored.entity.id);
    let mut was_source = false;
    let mut found = Found::default();
    for (number, stored) in entities.iter().enumerate() {
        if std::mem::replace(&mut was_source, is_source(stored)) && !was_source {
            work.settle().await;
        }
        if !work.is_next().await {
            break;
        }
        let (snapshot, entity) = (Arc::clone(snapshot), Arc::clone(&stored.entity));
        let going = Arc::clone(&going);
        if entity.is_link() || Effects::use_data(&snapshot, &entity) {
            work.note(number, end(core, &snapshot, operation, going, &entity, &mut found).await);
        } else {
            let core = Arc::clone(core);
            work.begin(number, async move {
                end(&core, &snapshot, operation, going, &entity, &mut Found::default()).await
            });
        }
    }
    work.end().await
}

async fn end(
    core: &Core,
    snapshot: &Snapshot,
    operation: Uuid,
    going: Arc<HashSet<Uuid>>,
    entity: &Entity,
    found: &mut Found,
) -> Result<Writes, Refusal> {
    let mut effects = Effects::ending(core, snapshot, operation, going).after(std::mem::take(found));
    effects.delete(entity).await?;
    *found = effects.found;
    Ok(effects.writes)
}

/// Those that have ended and stay so: not a link that was to go only with a resource that stays after all. A link that was
/// said to go with what it leaves may have left the end to that, so it stays with it.
fn gone(entities: &[Stored], outcomes: &[Outcome], members: &HashSet<Uuid>) -> HashSet<Uuid> {
    let resources = entities.iter().zip(outcomes).filter(|(stored, _)| !stored.entity.is_link());
    let (ended, stays): (Vec<_>, Vec<_>) = resources.partition(|(_, outcome)| matches!(outcome, Some(Ok(_))));
    let ids = |of: Vec<(&Stored, _)>| of.into_iter().map(|(stored, _)| stored.entity.id).collect();
    let (ended, stays): (HashSet<Uuid>, HashSet<Uuid>) = (ids(ended), ids(stays));
    let goes = |link: &Entity| {
        let is_left = || link.ends.as_ref().is_some_and(|ends| stays.contains(&ends.source_id));
        members.contains(&link.id) && !is_left() || local_ends(link).any(|end| ended.contains(&end))
    };
    let links = entities.iter().zip(outcomes).filter(|(_, outcome)| matches!(outcome, Some(Ok(_))));
    let links = links.map(|(stored, _)| &stored.entity).filter(|entity| entity.is_link() && goes(entity));
    links.map(|link| link.id).chain(ended.iter().copied()).collect()
}

/// Those of which nobody knows whether they have ended, and the links that have ended for the sake of those.
fn pending(entities: &[Stored], outcomes: &[Outcome], gone: &HashSet<Uuid>) -> HashSet<Uuid> {
    let with = |is: fn(&Outcome) -> bool| {
        entities
            .iter()
            .zip(outcomes)
            .filter(move |(_, outcome)| is(outcome))
            .map(|(stored, _)| &stored.entity)
    };
    let unclear = with(|outcome| matches!(outcome, Some(Err(refusal)) if is_unclear(refusal)));
    let mut pending: HashSet<Uuid> = unclear.map(|entity| entity.id).collect();
    let ended = with(|outcome| matches!(outcome, Some(Ok(_)))).filter(|entity| !gone.contains(&entity.id));
    let links: Vec<Uuid> = ended
        .filter(|entity| local_ends(entity).any(|end| pending.contains(&end)))
        .map(|entity| entity.id)
        .collect();
    pending.extend(links);
    pending
}

/// What became of the members, and which of their links refused; of those that refused alone where nothing is gone.
fn refusal(
    entities: Vec<Stored>,
    outcomes: Vec<Outcome>,
    members: &HashSet<Uuid>,
    gone: &HashSet<Uuid>,
    pending: &HashSet<Uuid>,
) -> Refusal {
    let all = entities.len();
    let results = entities.into_iter().zip(outcomes).filter_map(|(stored, outcome)| {
        let is_told = !gone.is_empty() && members.contains(&stored.entity.id);
        let outcome = match outcome {
            Some(Err(refusal)) if pending.contains(&stored.entity.id) => {
                MemberOutcome::Refused(unfinished(refusal))
            }
            Some(Err(refusal)) => MemberOutcome::Refused(refusal),
            Some(Ok(_)) if is_told && gone.contains(&stored.entity.id) => MemberOutcome::Done,
            Some(Ok(_)) | None if is_told => MemberOutcome::NotTried,
            Some(Ok(_)) | None => return None,
        };
        Some(MemberResult { location: stored.entity.location.clone(), outcome })
    });
    Refusal::Members(Members { results: results.collect(), all })
}

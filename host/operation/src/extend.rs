//! A partial update that brings links: the links are made and their resource is changed in one operation (H11-12).

use crate::alter::Alteration;
use crate::birth::Birth;
use crate::changes::Changes;
use crate::core::Core;
use crate::create::check_nothing_stands;
use crate::locks::Held;
use crate::plan::{Plan, Planned, wanted_id};
use crate::retrieve::{check, find, reply};
use crate::update::HeldLinks;
use crate::{Caller, Condition, Refusal, Reply, Snapshot};
use occi_model::{Item, Location, UpdateMode, Violation};
use occi_store::{Entities, Stored};
use std::collections::HashSet;

/// Gives new links to the resource at a path, and changes what the item names.
pub(crate) async fn extend(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    item: &Item,
    links: &[Item],
    condition: &Condition,
) -> Result<Reply, Refusal> {
    let wanted: HashSet<_> = links.iter().filter_map(|link| wanted_id(link, None)).collect();
    let _adopting = core.adoptions.lock(wanted.clone()).await;
    let (_held, stored, planned) = hold(core, snapshot, caller, path, links, condition).await?;
    let updated = snapshot.registry().update(&stored.entity, item, UpdateMode::Partial, None)?;
    if planned.entities.is_empty() && updated.is_unchanged(&stored.entity) {
        return reply(&*core.read()?, snapshot, &stored);
    }
    check_nothing_stands(core, snapshot, &planned.entities, &wanted).await?;
    let birth = Birth::begin(core, snapshot, planned.entities, None).await?;
    let mut changes = Changes::new(snapshot);
    let updates = if updated.is_unchanged(&stored.entity) { vec![] } else { vec![(stored.clone(), updated)] };
    let alteration = match Alteration::after(core, snapshot, birth.found(), updates, &mut changes).await {
        Ok(alteration) => alteration,
        Err(unaltered) => {
            birth.undo(core).await;
            return Err(unaltered.refusal);
        }
    };
    alteration.finish(core, &mut changes);
    let outcome = async {
        // It is seen with its new links, be it changed itself or not.
        changes.touch(&stored)?;
        birth.finish(core, &mut changes)?;
        core.commit_changes(changes).await
    };
    if let Err(refusal) = outcome.await {
        alteration.undo(core).await;
        birth.undo(core).await;
        return Err(refusal);
    }
    alteration.settle(core);
    birth.settle(core);
    let view = core.read()?;
    reply(&*view, snapshot, &find(&*view, caller, path)?)
}

/// Locks the resource and what its new links lead to; the links as they would be. The request's condition is one of
/// the things that hold while the locks are held.
async fn hold(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    links: &[Item],
    condition: &Condition,
) -> Result<(Held, Stored, Planned), Refusal> {
    let look = || -> Result<(Stored, Planned), Refusal> {
        let view = core.read()?;
        let stored = find(&*view, caller, path)?;
        check(&*view, condition, Some(&stored))?;
        core.check_changeable(snapshot, &stored.entity)?;
        if stored.entity.is_link() {
            return Err(vec![Violation::LinkOfLink(stored.entity.kind.clone())].into());
        }
        let held = Entities::new(&*view, &caller.tenant).links_from(stored.entity.id)?;
        let mut plan = Plan::new(core, &*view, snapshot, caller);
        // What a client sends back as it read it is no new link.
        let held = HeldLinks::new(snapshot.registry(), &held);
        for link in links {
            if !held.has(link)? {
                plan.link_from(&stored.entity, link)?;
            }
        }
        Ok((stored, plan.end()))
    };
    let resources = |stored: &Stored, planned: &Planned| {
        let mut resources = planned.outer_ends();
        resources.changed.insert(stored.entity.id);
        resources
    };
    loop {
        let (seen, planned) = look()?;
        let wanted = resources(&seen, &planned);
        let held = core.locks.lock_both(&wanted).await;
        let (stored, planned) = look()?;
        if resources(&stored, &planned).is_within(&wanted) {
            return Ok((held, stored, planned));
        }
    }
}

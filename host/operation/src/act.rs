//! An action on an entity (HTTP-27).

use crate::allowance::Claim;
use crate::changes::Changes;
use crate::core::Core;
use crate::effect::{Effects, is_plain_no};
use crate::intent::Verb;
use crate::locks::Held;
use crate::observer::Cause;
use crate::retrieve::{check, find, reply};
use crate::{Caller, Condition, Refusal, Reply, Snapshot};
use occi_model::{Draft, Entity, Invocation, Item, Location};
use occi_store::Stored;
use std::sync::Arc;
use uuid::Uuid;

/// Invokes an action on the entity at a path; the answer shows the entity.
pub(crate) async fn act(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    caller: &Caller,
    path: &Location,
    term: &str,
    draft: &Draft,
    condition: &Condition,
) -> Result<Reply, Refusal> {
    let item = invocation(draft, term)?;
    let (held, stored) = hold(core, caller, path).await?;
    check(&*core.read()?, condition, Some(&stored))?;
    core.check_changeable(snapshot, &stored.entity)?;
    let invocation = snapshot.registry().invocation(&stored.entity, item, term)?;
    let before = &stored.entity;
    let _claim = claim(core, snapshot, std::iter::once((&**before, &invocation)))?;
    let operation = Uuid::new_v4();
    let lasts =
        snapshot.extension(&invocation.owner).is_some_and(|extension| extension.has_lasting_effects());
    if lasts {
        core.intend(operation, Verb::Change, [&**before]).await?;
    }
    let mut effects = Effects::new(core, snapshot, operation);
    let after = match effects.act(before, &invocation).await {
        Ok(after) => after,
        Err(refusal) => {
            if lasts {
                core.strike(operation).await;
            }
            if !is_plain_no(&refusal) {
                core.observe(before.id, Cause::Restart);
            }
            return Err(refusal);
        }
    };
    let mut changes = Changes::new(snapshot);
    if after != **before {
        changes.replace(&stored, &after, stored.made_by.as_ref())?;
    }
    changes.write(&after.tenant, &effects.writes);
    core.keep_wishes(&mut changes, &effects.again);
    core.commit_end(changes, lasts.then_some(operation), [before.id]).await?;
    core.schedule(&effects.again);
    drop(held);
    let registry = snapshot.registry();
    if !after.is_link() && registry.state(before) != registry.state(&after) {
        let resource = Stored { entity: Arc::new(after), ..stored.clone() };
        core.ask_links(&resource, Cause::Event).await;
    }
    if !effects.made.is_empty() {
        // INF-06: what was made is the answer.
        return core.offers_made(&effects.made).await;
    }
    let view = core.read()?;
    reply(&*view, snapshot, &find(&*view, caller, path)?)
}

/// Locks the entity at a path, whichever it is once the lock is held.
async fn hold(core: &Core, caller: &Caller, path: &Location) -> Result<(Held, Stored), Refusal> {
    loop {
        let id = find(&*core.read()?, caller, path)?.entity.id;
        let held = core.locks.lock([id]).await;
        let stored = find(&*core.read()?, caller, path)?;
        if stored.entity.id == id {
            return Ok((held, stored));
        }
    }
}

/// Claims what entities would take by their actions, as far as the parameters of these say so before anything is done.
pub(crate) fn claim<'e>(
    core: &Core,
    snapshot: &Snapshot,
    actions: impl Iterator<Item = (&'e Entity, &'e Invocation)>,
) -> Result<Claim, Refusal> {
    let become_others = |(before, invocation): (&'e Entity, &Invocation)| {
        let extension = snapshot.extension(&invocation.owner)?;
        let becomes = extension.manifest().becomes.get(&invocation.action.id)?;
        let mut after = before.clone();
        for (parameter, attribute) in becomes {
            if let Some(value) = invocation.parameters.get(parameter) {
                after.attributes.insert(attribute.clone(), value.clone());
            }
        }
        Some((before, after))
    };
    let changes: Vec<_> = actions.filter_map(become_others).collect();
    core.allowances.claim(
        || core.read(),
        snapshot,
        changes.iter().map(|(before, after)| (Some(*before), after)),
    )
}

/// The one item that invokes an action.
pub(crate) fn invocation<'a>(draft: &'a Draft, term: &str) -> Result<&'a Item, Refusal> {
    match &draft.items[..] {
        [item] => Ok(item),
        _ => Err(vec![occi_model::Violation::NoAction { term: term.to_owned() }].into()),
    }
}

//! An action on an entity (HTTP-27).

use crate::changes::Changes;
use crate::core::Core;
use crate::effect::{Effects, is_plain_no};
use crate::intent::Verb;
use crate::locks::Held;
use crate::observer::Cause;
use crate::retrieve::{check, find, reply};
use crate::{Caller, Condition, Refusal, Reply, Snapshot};
use occi_model::{Draft, Item, Location};
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

/// The one item that invokes an action.
pub(crate) fn invocation<'a>(draft: &'a Draft, term: &str) -> Result<&'a Item, Refusal> {
    match &draft.items[..] {
        [item] => Ok(item),
        _ => Err(vec![occi_model::Violation::NoAction { term: term.to_owned() }].into()),
    }
}

//! An action on all members of a collection (HTTP-33), as one operation: all are locked and checked before the first is
//! acted on (CORE-30), and one commit ends it (H11-12).
//!
//! Members are acted on side by side, but for those whose extension has data of its own: each of these sees what the one
//! before wrote.
//!
//! Where one refuses after all, those in which only the store would change are dropped. What was done outside stays: a
//! machine that was stopped is not as it was when it is started again. So it is committed, and the answer says of each
//! member what became of it.

use crate::act::{claim, invocation};
use crate::changes::Changes;
use crate::core::Core;
use crate::effect::{Effects, Found, Writes, is_plain_no};
use crate::intent::Verb;
use crate::members::{MemberOutcome, MemberResult, Members, hold_collection};
use crate::observer::Cause;
use crate::side_by_side::{SideBySide, at_once};
use crate::{Caller, Collection, Refusal, Reply, Snapshot};
use occi_model::{CategoryId, Draft, Entity, Invocation, Item, Registry, Representation, Violation};
use occi_store::Stored;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Invokes an action on all members of a collection.
pub(crate) async fn act_on_all(
    core: &Arc<Core>,
    snapshot: &Arc<Snapshot>,
    caller: &Caller,
    collection: &Collection,
    term: &str,
    draft: &Draft,
) -> Result<Reply, Refusal> {
    let item = invocation(draft, term)?;
    let (held, members) = hold_collection(core, snapshot, caller, collection).await?;
    if members.is_empty() {
        check_action(snapshot.registry(), collection, item, term)?;
    }
    let members = check(core, snapshot, members, item, term)?;
    let _claim =
        claim(core, snapshot, members.iter().map(|member| (&*member.stored.entity, &member.invocation)))?;
    let operation = Uuid::new_v4();
    let lasts = members.iter().any(|member| member.lasts);
    if lasts {
        let entities = members.iter().map(|member| &*member.stored.entity);
        core.intend(operation, Verb::Change, entities).await?;
    }
    let outcomes = carry_out(core, snapshot, operation, &members).await;
    let is_refused = outcomes.iter().any(|outcome| matches!(outcome, Some(Err(_))));
    let stays = !is_refused
        || members.iter().zip(&outcomes).any(|(member, outcome)| member.outside && is_done(outcome));

    let intent = lasts.then_some(operation);
    if let Err(refusal) = commit(core, snapshot, caller, intent, &members, &outcomes, stays).await {
        for (member, outcome) in members.iter().zip(&outcomes) {
            if member.outside && outcome.is_some() {
                core.observe(member.stored.entity.id, Cause::Restart);
            }
        }
        return Err(refusal);
    }
    for (member, outcome) in members.iter().zip(&outcomes) {
        if matches!(outcome, Some(Err(refusal)) if !is_plain_no(refusal)) {
            core.observe(member.stored.entity.id, Cause::Restart);
        }
    }
    drop(held);
    if stays {
        core.schedule(&again(&outcomes));
        ask_links(core, snapshot, &members, &outcomes).await;
    }
    if is_refused { Err(refusal(members, outcomes, stays)) } else { Ok(Reply::new(Representation::Done)) }
}

/// A member and what is asked of it.
struct Member {
    stored: Stored,
    invocation: Invocation,
    /// Whether its extension reaches outside of the store.
    outside: bool,
    /// Whether something of that would outlive a crash.
    lasts: bool,
    /// Whether it has data of its own.
    uses_data: bool,
}

/// What an action made of a member.
struct Acted {
    entity: Entity,
    writes: Writes,
    again: Vec<(Uuid, Duration)>,
}

type Outcome = Option<Result<Acted, Refusal>>;

fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Some(Ok(_)))
}

/// What is asked of each member; or what is wrong with the request, else all members that do not allow it.
fn check(
    core: &Core,
    snapshot: &Snapshot,
    stored: Vec<Stored>,
    item: &Item,
    term: &str,
) -> Result<Vec<Member>, Refusal> {
    let all = stored.len();
    let mut members = Vec::with_capacity(all);
    let mut refused = Vec::new();
    for stored in stored {
        let location = &stored.entity.location;
        if let Err(refusal) = core.check_changeable(snapshot, &stored.entity) {
            refused.push((location.clone(), refusal));
            continue;
        }
        match snapshot.registry().invocation(&stored.entity, item, term) {
            Ok(invocation) => {
                let extension = snapshot.extension(&invocation.owner);
                let outside = extension.is_some_and(|extension| extension.uses_outside_capabilities());
                let lasts = extension.is_some_and(|extension| extension.has_lasting_effects());
                let uses_data = extension.is_some_and(|extension| extension.uses_data());
                members.push(Member { stored, invocation, outside, lasts, uses_data });
            }
            Err(violations) => {
                let (of_member, of_request): (Vec<_>, Vec<_>) =
                    violations.into_iter().partition(is_of_member);
                // It is the same for all members, so it is said once.
                if !of_request.is_empty() {
                    return Err(of_request.into());
                }
                refused.push((location.clone(), of_member.into()));
            }
        }
    }
    if refused.is_empty() { Ok(members) } else { Err(Members::refused(all, refused)) }
}

/// Whether another entity might be without this violation.
fn is_of_member(violation: &Violation) -> bool {
    matches!(
        violation,
        Violation::NoSuchAction { .. } | Violation::NotInState { .. } | Violation::UnknownCategory(_)
    )
}

/// Whether a collection without members could have some that have the action (H11-10).
fn check_action(
    registry: &Registry,
    collection: &Collection,
    item: &Item,
    term: &str,
) -> Result<(), Refusal> {
    let [category] = &item.categories[..] else {
        return Err(vec![Violation::NoAction { term: term.to_owned() }].into());
    };
    let id = &category.id;
    if id.term() != term {
        return Err(vec![Violation::ActionMismatch { term: term.to_owned(), id: id.clone() }].into());
    }
    let known: Vec<&CategoryId> = match collection {
        Collection::Kind(kind) => registry.kind(kind).iter().flat_map(|kind| &kind.actions).collect(),
        Collection::Mixin(mixin) => {
            registry.mixin(mixin).iter().flat_map(|mixin| &mixin.mixin.actions).collect()
        }
        Collection::Space(_) => registry.actions().iter().map(|action| &action.id).collect(),
    };
    if known.contains(&id) {
        return Ok(());
    }
    let known: Vec<_> = known.into_iter().map(|id| format!("`{}`", id.term())).collect();
    Err(Refusal::Invalid(match &known[..] {
        [] => format!("{id} is no action of this collection, and there is none"),
        known => format!("{id} is no action of this collection; {} are", known.join(", ")),
    }))
}

/// Has the extensions act on the members, until one refuses.
async fn carry_out(
    core: &Arc<Core>,
    snapshot: &Arc<Snapshot>,
    operation: Uuid,
    members: &[Member],
) -> Vec<Outcome> {
    let owners = members.iter().map(|member| &member.invocation.owner);
    let mut work = SideBySide::new(members.len(), at_once(snapshot, owners));
    let mut found = Found::default();
    for (number, member) in members.iter().enumerate() {
        if !work.is_next().await {
            break;
        }
        let (snapshot, entity) = (Arc::clone(snapshot), Arc::clone(&member.stored.entity));
        let invocation = member.invocation.clone();
        if member.uses_data {
            work.note(number, act(core, &snapshot, operation, &entity, &invocation, &mut found).await);
        } else {
            let core = Arc::clone(core);
            work.begin(number, async move {
                act(&core, &snapshot, operation, &entity, &invocation, &mut Found::default()).await
            });
        }
    }
    work.end().await
}

/// Has an extension act on one member.
async fn act(
    core: &Core,
    snapshot: &Snapshot,
    operation: Uuid,
    entity: &Entity,
    invocation: &Invocation,
    found: &mut Found,
) -> Result<Acted, Refusal> {
    let mut effects = Effects::new(core, snapshot, operation).after(std::mem::take(found));
    let entity = effects.act(entity, invocation).await?;
    let Effects { writes, again, .. } = effects;
    *found = effects.found;
    Ok(Acted { entity, writes, again })
}

/// Commits what stays, and strikes the intent.
async fn commit(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    intent: Option<Uuid>,
    members: &[Member],
    outcomes: &[Outcome],
    stays: bool,
) -> Result<(), Refusal> {
    let mut changes = Changes::new(snapshot);
    for (Member { stored, .. }, outcome) in members.iter().zip(outcomes) {
        if let Some(Ok(acted)) = outcome
            && stays
        {
            if acted.entity != *stored.entity {
                changes.replace(stored, &acted.entity, stored.made_by.as_ref())?;
            }
            changes.write(&caller.tenant, &acted.writes);
            core.keep_wishes(&mut changes, &acted.again);
        }
    }
    // Who calls has those looked at that reach outside.
    core.commit_end(changes, intent, []).await
}

fn again(outcomes: &[Outcome]) -> Vec<(Uuid, Duration)> {
    let acted = outcomes.iter().filter_map(|outcome| outcome.as_ref()?.as_ref().ok());
    acted.flat_map(|acted| &acted.again).copied().collect()
}

/// Has the links of those asked whose state has changed.
async fn ask_links(core: &Arc<Core>, snapshot: &Arc<Snapshot>, members: &[Member], outcomes: &[Outcome]) {
    let registry = snapshot.registry();
    let owners = members.iter().map(|member| &member.invocation.owner);
    let mut work = SideBySide::new(members.len(), at_once(snapshot, owners));
    for (number, (Member { stored, .. }, outcome)) in members.iter().zip(outcomes).enumerate() {
        let Some(Ok(Acted { entity, .. })) = outcome else { continue };
        if entity.is_link() || registry.state(&stored.entity) == registry.state(entity) {
            continue;
        }
        let resource = Stored { entity: Arc::new(entity.clone()), ..stored.clone() };
        let core = Arc::clone(core);
        if work.is_next().await {
            work.begin(number, async move {
                core.ask_links(&resource, Cause::Event).await;
                Ok(())
            });
        }
    }
    work.end().await;
}

/// What became of the members: of all where a part stays, else of those that refused.
fn refusal(members: Vec<Member>, outcomes: Vec<Outcome>, stays: bool) -> Refusal {
    let all = members.len();
    let results = members.into_iter().zip(outcomes).filter_map(|(member, outcome)| {
        let location = member.stored.entity.location.clone();
        let outcome = match outcome {
            Some(Err(refusal)) => MemberOutcome::Refused(refusal),
            Some(Ok(_)) if stays => MemberOutcome::Done,
            None if stays => MemberOutcome::NotTried,
            Some(Ok(_)) | None => return None,
        };
        Some(MemberResult { location, outcome })
    });
    Refusal::Members(Members { results: results.collect(), all })
}

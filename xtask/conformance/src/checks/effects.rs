//! Whether actions do what they are invoked for, as far as that can be told of a Kind of which only the declaration is
//! known: by what an entity shows before and after.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::actions::{actionable, line, query};
use super::{Check, check};
use crate::answer::Answer;
use crate::client::path_of;
use crate::draft::Draft;
use crate::model::Type;
use crate::rendering::{Content, Rendering};
use crate::session::{Entity, Session};
use crate::values::candidates;
use crate::verdict::{Verdict, skip};
use crate::wire::category::Category;
use crate::wire::text::Text;

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-27", "CORE-29"], a_state_is_left_by_some_action),
    check(&["JSON-14"], actions_in_json_change_what_actions_in_text_do),
];

/// How long it may take until an entity shows what an action did, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(25);

/// Whether an entity shows other things than before, or is gone, at once or after a while.
fn changes(s: &Session, entity: &Entity, before: &BTreeSet<String>) -> Verdict<bool> {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = s.client.get(&entity.url).send()?;
        if matches!(answer.status, 404 | 410) {
            return Ok(true);
        }
        if answer.needed("read an entity")?.read().facts() != *before {
            return Ok(true);
        }
        if Instant::now() > end {
            return Ok(false);
        }
        sleep(PAUSE);
    }
}

/// What an entity shows as soon as that does not change by itself: what was asked of it before may take a while.
pub(super) fn settled(s: &Session, entity: &Entity) -> Verdict<BTreeSet<String>> {
    let end = Instant::now() + PATIENCE;
    let mut shown = s.read(entity)?.facts();
    loop {
        sleep(PAUSE);
        let next = s.read(entity)?.facts();
        if next == shown {
            return Ok(next);
        }
        if Instant::now() > end {
            return skip("the entity goes on to change by itself");
        }
        shown = next;
    }
}

/// Whether the answer to an action tells of something beside the entity, such as the template that was made of it.
fn tells_of_others(answer: &Answer, entity: &Entity, before: &Text) -> bool {
    let read = answer.read();
    let elsewhere = |url: &str| !url.is_empty() && path_of(url) != path_of(&entity.url);
    read.categories.iter().map(Category::id).any(|id| !before.has(&id))
        || read.locations.iter().any(|url| elsewhere(url))
        || elsewhere(&answer.header("location"))
}

/// The parameters that an action requires; none where a value cannot be made up.
pub(super) fn required(action: &Type) -> Option<Vec<(String, Value)>> {
    let required = action.attributes.iter().filter(|parameter| parameter.required);
    required.map(|one| Some((one.name.clone(), candidates(one).first()?.clone()))).collect()
}

/// Whether an entity says of itself that the actions depend on a state: it shows one that no client can set, and it does
/// not show all actions of its Kind.
fn depends_on_state(s: &Session, kind: &Type, shown: &Text) -> bool {
    let is_state = |name: &str| {
        name.rsplit('.').next() == Some("state")
            && kind.attribute(name).is_some_and(|attribute| attribute.immutable)
    };
    let lineage = s.model.lineage(&kind.id());
    let mut all = lineage.iter().filter_map(|id| s.model.find(id)).flat_map(|one| &one.actions);
    shown.attributes.iter().any(|(name, _)| is_state(name))
        && all.any(|action| !shown.actions().any(|link| link.rel == *action))
}

/// A single action may rightly leave all that its entity shows as it was: a restart does, and a backup. But where the
/// actions that apply depend on a state that no client can set, a state that is not left by any of those that are shown
/// could never be left, and what is hidden there could never be invoked. So a server is wrong which answers each of them
/// with 200 while the new entity goes on to show the same state, the same attributes and the same actions.
///
/// Nothing is said of a Kind whose entities show no such state or all their actions, nor where one of the actions
/// is refused or wants parameters that cannot be made up: it could be the one that leads on.
fn a_state_is_left_by_some_action(s: &mut Session) -> Verdict {
    let mut any = false;
    for draft in s.resources.clone() {
        any |= is_left(s, &draft)?;
    }
    if any {
        Ok(())
    } else {
        skip("no resource that can be made here has a state that actions must lead out of")
    }
}

/// Whether some action leads out of the state of a new entity, or tells of another effect; false where none has to.
fn is_left(s: &mut Session, draft: &Draft) -> Verdict<bool> {
    let (kind, entity) = (s.kind(draft)?, s.make(draft)?);
    let before = s.read(&entity)?;
    let shown = before.actions().map(|link| s.model.find(&link.rel).cloned());
    let Some(shown) = shown.collect::<Option<Vec<_>>>().filter(|_| depends_on_state(s, &kind, &before))
    else {
        return Ok(false);
    };
    let Some(parameters) = shown.iter().map(required).collect::<Option<Vec<_>>>() else {
        return Ok(false);
    };
    let facts = before.facts();
    let mut last = None;
    for (action, parameters) in shown.iter().zip(parameters) {
        let invocation = Content::Invocation(action, &parameters);
        let request = s.client.post(&entity.url).query(&query(action));
        let answer = request.says(Rendering::Plain, &invocation).send()?;
        if answer.status != 200 {
            return Ok(false);
        }
        if tells_of_others(&answer, &entity, &before) || changes(s, &entity, &facts)? {
            return Ok(true);
        }
        last = Some(answer);
    }
    match last {
        None => Ok(false),
        Some(answer) => {
            let names: Vec<_> = shown.iter().map(|action| action.term.as_str()).collect();
            let expected =
                format!("another state, or other actions, after all that it shows: {}", names.join(", "));
            answer.wrong(&expected, "the entity as it was")
        }
    }
}

/// Whatever it is that an action does: what shows when it is invoked in text shows in JSON too.
fn actions_in_json_change_what_actions_in_text_do(s: &mut Session) -> Verdict {
    let (draft, one, action) = actionable(s)?;
    let before = s.read(&one)?.facts();
    let request = s.client.post(&one.url).query(&query(&action)).text(&[line(&action)]);
    request.send()?.needed("invoke an action in text")?;
    if !changes(s, &one, &before)? {
        return skip(format!("{} in text changes nothing that its entity shows", action.id()));
    }
    let two = s.make(&draft)?;
    let before = s.read(&two)?.facts();
    let request = s
        .client
        .post(&two.url)
        .query(&query(&action))
        .says(Rendering::Json, &Content::Invocation(&action, &[]));
    let answer = request.send()?.is(&[200])?;
    answer.hold(changes(s, &two, &before)?, "a change of what the entity shows, as after the same in text")
}

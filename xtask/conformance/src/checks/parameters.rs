//! Parameters of actions that are not as the action declares them. They are refused, and the action is not done.

use serde_json::{Value, json};

use super::actions::{actionable, line, query};
use super::effects::{required, settled};
use super::{Check, again, check};
use crate::client::Request;
use crate::model::{Attribute, Type};
use crate::rendering::{
    Content,
    Rendering::{self, Json, Occi, Plain},
};
use crate::session::{Entity, Session};
use crate::values::{candidates, has_type};
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-27"], |s| again(s, Occi, parameters_are_taken)),
    check(&["HTTP-27", "JSON-14"], |s| again(s, Json, parameters_are_taken)),
    check(&["HTTP-27", "H11-30"], |s| unknown_parameters_are_refused(s, Plain)),
    check(&["HTTP-27", "H11-30"], |s| again(s, Occi, unknown_parameters_are_refused)),
    check(&["HTTP-27", "H11-30", "JSON-14"], |s| again(s, Json, unknown_parameters_are_refused)),
    check(&["HTTP-27", "H11-30"], parameters_of_another_type_are_refused),
    check(&["HTTP-27", "H11-30"], |s| required_parameters_are_asked_for(s, Plain)),
    check(&["HTTP-27", "H11-30"], |s| again(s, Json, required_parameters_are_asked_for)),
];

/// A name that no action has for a parameter.
const UNKNOWN: &str = "no.such.parameter";

/// OCCI 1.1 has 404 for an attribute that is not known.
const UNKNOWN_STATUSES: [u16; 2] = [400, 404];

const NO_VALUE: &str = "the action requires a parameter for which no value is known";

/// Fails unless an invocation is refused with one of these statuses, and leaves its entity as it was. It says nothing
/// where the action as it is declared is refused as well.
fn refused(
    s: &Session,
    entity: &Entity,
    wrong: Request<'_>,
    statuses: &[u16],
    right: Request<'_>,
) -> Verdict {
    let before = settled(s, entity)?;
    let answer = wrong.send()?.is(statuses)?;
    answer.hold(s.read(entity)?.facts() == before, "the entity as it was, since the action was refused")?;
    right.send()?.needed("invoke the action as it is declared").map(drop)
}

/// Invokes an action with parameters.
fn invoking<'s>(
    s: &'s Session,
    entity: &Entity,
    rendering: Rendering,
    action: &Type,
    parameters: &[(String, Value)],
) -> Request<'s> {
    let request = s.client.post(&entity.url).query(&query(action));
    request.says(rendering, &Content::Invocation(action, parameters))
}

/// A value that its declaration allows may still be refused, as the name of what is not there, so this is only asked again.
fn parameters_are_taken(s: &mut Session, rendering: Rendering) -> Verdict {
    let (entity, action, parameter) = with_parameter(s, |one| !candidates(one).is_empty())?;
    let Some(mut parameters) = required(&action) else { return skip(NO_VALUE) };
    if !parameter.required {
        parameters
            .extend(candidates(&parameter).into_iter().take(1).map(|value| (parameter.name.clone(), value)));
    }
    invoking(s, &entity, rendering, &action, &parameters).send()?.is(&[200]).map(drop)
}

fn unknown_parameters_are_refused(s: &mut Session, rendering: Rendering) -> Verdict {
    let (_, entity, action) = actionable(s)?;
    let request = |parameters: &[(String, Value)]| invoking(s, &entity, rendering, &action, parameters);
    let wrong = request(&[(UNKNOWN.to_owned(), "x".into())]);
    refused(s, &entity, wrong, &UNKNOWN_STATUSES, request(&[]))
}

/// A new entity, and an action that it shows and that has such a parameter. Where it shows none, one may show after an
/// action that needs no parameters.
fn with_parameter(
    s: &mut Session,
    is_such: impl Fn(&Attribute) -> bool,
) -> Verdict<(Entity, Type, Attribute)> {
    for draft in s.resources.clone() {
        let entity = s.make(&draft)?;
        for first in [true, false] {
            let rels: Vec<_> = s.read(&entity)?.actions().map(|link| link.rel.clone()).collect();
            let shown: Vec<_> = rels.iter().filter_map(|rel| s.model.find(rel)).cloned().collect();
            let such = |action: &Type| action.attributes.iter().find(|one| is_such(one)).cloned();
            let found = shown.iter().find_map(|action| Some((action.clone(), such(action)?)));
            if let Some((action, parameter)) = found {
                return Ok((entity, action, parameter));
            }
            let onward = shown.iter().find(|action| action.attributes.is_empty());
            let Some(onward) = onward.filter(|_| first) else { break };
            s.client.post(&entity.url).query(&query(onward)).text(&[line(onward)]).send()?;
            settled(s, &entity)?;
        }
    }
    skip("no action with such a parameter is shown by a resource that can be made here")
}

/// A value of another type than is declared, as JSON has it.
fn mistyped(parameter: &Attribute) -> Option<Value> {
    parameter.kind.as_ref()?;
    [json!(1), json!("x")].into_iter().find(|value| !has_type(parameter, value))
}

/// In JSON, where a value cannot be taken for one of another type.
fn parameters_of_another_type_are_refused(s: &mut Session) -> Verdict {
    let (entity, action, parameter) = with_parameter(s, |one| mistyped(one).is_some())?;
    let Some(right) = required(&action) else { return skip(NO_VALUE) };
    let others = right.iter().filter(|(name, _)| *name != parameter.name).cloned();
    let wrong: Vec<_> =
        others.chain(mistyped(&parameter).map(|value| (parameter.name.clone(), value))).collect();
    let request = |parameters: &[(String, Value)]| invoking(s, &entity, Json, &action, parameters);
    refused(s, &entity, request(&wrong), &[400], request(&right))
}

fn required_parameters_are_asked_for(s: &mut Session, rendering: Rendering) -> Verdict {
    let (entity, action, _) = with_parameter(s, |one| one.required)?;
    let Some(right) = required(&action) else { return skip(NO_VALUE) };
    let request = |parameters: &[(String, Value)]| invoking(s, &entity, rendering, &action, parameters);
    refused(s, &entity, request(&[]), &[400], request(&right))
}

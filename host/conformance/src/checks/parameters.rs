//! Parameters of actions that are not as the action declares them. They are refused, and the action is not done.

use serde_json::{Value, json};

use super::actions::{actionable, in_json, line, query};
use super::effects::{invocation, settled};
use super::{Check, check};
use crate::client::Request;
use crate::draft::attribute;
use crate::model::{Attribute, Type};
use crate::session::{Entity, Session};
use crate::values::{candidates, has_type};
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-27", "H11-30"], unknown_parameters_are_refused),
    check(&["HTTP-27", "H11-30"], unknown_parameters_are_refused_in_json),
    check(&["HTTP-27", "H11-30"], parameters_of_another_type_are_refused),
    check(&["HTTP-27", "H11-30"], required_parameters_are_asked_for),
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

/// An invocation that is still to get its parameters.
fn invoking<'s>(s: &'s Session, entity: &Entity, action: &Type) -> Request<'s> {
    s.client.post(&entity.url).query(&query(action))
}

fn unknown_parameters_are_refused(s: &mut Session) -> Verdict {
    let (_, entity, action) = actionable(s)?;
    let lines = [line(&action), attribute(UNKNOWN, &"x".into())];
    let (wrong, right) = (invoking(s, &entity, &action), invoking(s, &entity, &action));
    refused(s, &entity, wrong.text(&lines), &UNKNOWN_STATUSES, right.text(&lines[..1]))
}

fn unknown_parameters_are_refused_in_json(s: &mut Session) -> Verdict {
    let (_, entity, action) = actionable(s)?;
    let right = in_json(&action);
    let mut wrong = right.clone();
    wrong["attributes"][UNKNOWN] = "x".into();
    let request = |body: &Value| invoking(s, &entity, &action).json(body);
    refused(s, &entity, request(&wrong), &UNKNOWN_STATUSES, request(&right))
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
    let Some(right) = whole_in_json(&action) else { return skip(NO_VALUE) };
    let mut wrong = right.clone();
    wrong["attributes"][&parameter.name] = mistyped(&parameter).unwrap_or_default();
    let request = |body: &Value| invoking(s, &entity, &action).json(body);
    refused(s, &entity, request(&wrong), &[400], request(&right))
}

/// An invocation in JSON, with the parameters that it requires; none where a value cannot be made up.
fn whole_in_json(action: &Type) -> Option<Value> {
    let mut body = in_json(action);
    for parameter in action.attributes.iter().filter(|parameter| parameter.required) {
        body["attributes"][&parameter.name] = candidates(parameter).first()?.clone();
    }
    Some(body)
}

fn required_parameters_are_asked_for(s: &mut Session) -> Verdict {
    let (entity, action, _) = with_parameter(s, |one| one.required)?;
    let Some(right) = invocation(&action) else { return skip(NO_VALUE) };
    let request = |lines: &[String]| invoking(s, &entity, &action).text(lines);
    refused(s, &entity, request(&right[..1]), &[400], request(&right))
}

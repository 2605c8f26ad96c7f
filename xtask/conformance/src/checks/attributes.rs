//! Attributes: required, immutable, of a type and a pattern, with a default.

use serde_json::{Value, json};

use super::{Check, again, check};
use crate::answer::Answer;
use crate::draft::{Draft, attribute};
use crate::model::{Attribute, shown};
use crate::readback::is_same;
use crate::rendering::{
    Content,
    Rendering::{self, Json, Plain},
};
use crate::session::{Entity, Session, TITLE};
use crate::values::{allows, candidates, forbidden, is_as_described};
use crate::verdict::{Verdict, fail, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["CORE-02"], mutable_attributes_are_set_and_updated),
    check(&["CORE-03"], immutable_attributes_are_the_servers),
    check(&["CORE-04"], immutable_attributes_cannot_be_changed),
    check(&["H11-30"], changing_an_immutable_attribute_is_forbidden),
    check(&["H11-30"], changing_an_immutable_attribute_is_forbidden_in_json),
    check(&["CORE-11"], required_attributes_are_asked_for),
    check(&["JSON-08"], required_attributes_are_asked_for_in_json),
    check(&["H11-30"], without_what_is_required_it_is_a_bad_request),
    check(&["CORE-12"], patterns_restrict),
    check(&["JSON-07"], defaults_are_right),
    check(&["JSON-07"], |s| defaults_are_used(s, Plain)),
    check(&["JSON-07"], |s| again(s, Json, defaults_are_used)),
    check(&["JSON-07"], |s| again(s, Json, what_is_given_wins_over_a_default)),
];

fn shows(s: &Session, entity: &Entity, name: &str) -> Verdict<Option<Value>> {
    Ok(s.read(entity)?.attribute(name).cloned())
}

fn mutable_attributes_are_set_and_updated(s: &mut Session) -> Verdict {
    let draft = s.resource()?.with(TITLE, s.title("first"));
    let entity = s.make(&draft)?;
    let answer = s.client.get(&entity.url).send()?;
    let title = |s: &Session, answer: &Answer, is: &str| {
        let is = s.title(is);
        answer.hold(
            answer.read().attribute(TITLE).is_some_and(|title| *title == *is),
            &format!("occi.core.title=\"{is}\""),
        )
    };
    title(s, &answer, "first")?;
    let line = attribute(TITLE, &s.title("second").into());
    let update = s.client.post(&entity.url).text(&[line]).send()?;
    update.hold(update.succeeded(), "the title updated")?;
    title(s, &s.client.get(&entity.url).send()?, "second")
}

/// An immutable attribute of a resource that can be made, and a value that it does not have.
fn immutable(s: &mut Session) -> Verdict<(Draft, String, Value)> {
    for draft in s.resources.clone() {
        let (kind, entity) = (s.kind(&draft)?, s.make(&draft)?);
        let is = s.read(&entity)?;
        for attribute in kind.attributes.iter().filter(|attribute| attribute.immutable) {
            // The id is another matter: clients may propose one.
            let Some(value) = is.attribute(&attribute.name).filter(|_| attribute.name != "occi.core.id")
            else {
                continue;
            };
            if let Some(other) = candidates(attribute).into_iter().find(|other| other != value) {
                return Ok((draft, attribute.name.clone(), other));
            }
        }
    }
    skip("no resource shows an immutable attribute for which another value could be made up")
}

fn immutable_attributes_are_the_servers(s: &mut Session) -> Verdict {
    let (draft, name, value) = immutable(s)?;
    let draft = draft.with(&name, value.clone());
    let answer = s.client.post(&draft.location).draft(&draft).send()?;
    let Some(entity) = s.made(&answer) else { return answer.refused().map(drop) };
    let is = shows(s, &entity, &name)?;
    answer.hold(is != Some(value), &format!("a refusal, or the server's own value of {name}"))
}

/// The object of JSON that changes one attribute.
fn update(kind: &str, name: &str, value: &Value) -> Value {
    match name.strip_prefix("occi.core.") {
        Some(member) => json!({"kind": kind, member: value}),
        None => json!({"kind": kind, "attributes": {name: value}}),
    }
}

fn immutable_attributes_cannot_be_changed(s: &mut Session) -> Verdict {
    let id = Value::from("urn:conformance:changed");
    let mut attempts = vec![(s.resource()?, "occi.core.id".to_owned(), id)];
    attempts.extend(immutable(s).ok());
    for (draft, name, value) in attempts {
        let entity = s.make(&draft)?;
        let before = shows(s, &entity, &name)?;
        let in_text = s.client.post(&entity.url).text(&[attribute(&name, &value)]);
        let in_json = s.client.post(&entity.url).json(&update(&draft.kind(), &name, &value));
        for request in [in_text, in_json] {
            let answer = request.send()?;
            let after = shows(s, &entity, &name)?;
            answer.hold(
                after == before,
                &format!("{name} as it was, {}; it is {}", shown(before.as_ref()), shown(after.as_ref())),
            )?;
        }
    }
    Ok(())
}

fn changing_an_immutable_attribute_is_forbidden(s: &mut Session) -> Verdict {
    let (draft, name, value) = immutable(s)?;
    let entity = s.make(&draft)?;
    s.client.post(&entity.url).text(&[attribute(&name, &value)]).send()?.is(&[403]).map(drop)
}

fn changing_an_immutable_attribute_is_forbidden_in_json(s: &mut Session) -> Verdict {
    let (draft, name, value) = immutable(s)?;
    let entity = s.make(&draft)?;
    let title = update(&draft.kind(), TITLE, &s.title("updated").into());
    s.client.post(&entity.url).json(&title).send()?.needed("update a resource in JSON")?;
    s.client.post(&entity.url).json(&update(&draft.kind(), &name, &value)).send()?.is(&[403]).map(drop)
}

/// A creation that is right, and the name of an attribute that it cannot do without.
fn requiring(s: &mut Session) -> Verdict<(Draft, String)> {
    for draft in s.resources.clone() {
        let kind = s.kind(&draft)?;
        let required = |attribute: &&Attribute| attribute.required && attribute.name != "occi.core.id";
        if let Some(attribute) = kind.attributes.iter().find(required) {
            return Ok((draft, attribute.name.clone()));
        }
    }
    let (draft, _, _) = s.link_draft()?;
    Ok((draft, "occi.core.target".into()))
}

/// Asks for an entity with all that is required, and then without an attribute that is.
fn asked_for(s: &mut Session, in_json: bool) -> Verdict<Answer> {
    let (draft, name) = requiring(s)?;
    let post = |s: &mut Session, draft: &Draft| {
        let request = s.client.post(&draft.location);
        let request = if in_json { request.json(&draft.json()) } else { request.draft(draft) };
        let answer = request.send()?;
        s.made(&answer);
        Ok(answer)
    };
    post(s, &draft)?.needed("make an entity with all that is required")?;
    post(s, &draft.without(&name))
}

fn required_attributes_are_asked_for(s: &mut Session) -> Verdict {
    asked_for(s, false)?.refused().map(drop)
}

fn required_attributes_are_asked_for_in_json(s: &mut Session) -> Verdict {
    asked_for(s, true)?.refused().map(drop)
}

fn without_what_is_required_it_is_a_bad_request(s: &mut Session) -> Verdict {
    asked_for(s, false)?.is(&[400]).map(drop)
}

fn patterns_restrict(s: &mut Session) -> Verdict {
    for draft in s.resources.clone() {
        let kind = s.kind(&draft)?;
        let mutable = kind.attributes.iter().filter(|attribute| !attribute.immutable);
        if let Some((attribute, value)) = mutable.into_iter().find_map(|one| Some((one, forbidden(one)?))) {
            let json = draft.with(&attribute.name, value).json();
            let answer = s.client.post(&kind.location.clone().unwrap_or_default()).json(&json).send()?;
            s.made(&answer);
            return answer.refused().map(drop);
        }
    }
    skip("no resource has an attribute with a pattern that forbids something")
}

fn defaults_are_right(s: &mut Session) -> Verdict {
    let has_right = |one: &Attribute| is_as_described(one, &one.default) && allows(one, &one.default);
    let mut all = s.model.types.iter().flat_map(|known| &known.attributes);
    let wrong = all.find(|attribute| !attribute.default.is_null() && !has_right(attribute));
    if let Some(attribute) = wrong {
        let default = attribute.default.to_string();
        return fail(
            "GET /-/",
            format!("a default of {} that its declaration allows", attribute.name),
            default,
        );
    }
    if s.model.types.iter().flat_map(|known| &known.attributes).any(|attribute| !attribute.default.is_null())
    {
        Ok(())
    } else {
        skip("no attribute has a default")
    }
}

fn defaults_are_used(s: &mut Session, rendering: Rendering) -> Verdict {
    let mut any = false;
    for draft in s.resources.clone() {
        let kind = s.kind(&draft)?;
        let given = |name: &str| draft.attributes.iter().any(|(given, _)| given == name);
        let defaults: Vec<_> =
            kind.attributes.iter().filter(|one| !one.default.is_null() && !given(&one.name)).collect();
        if defaults.is_empty() {
            continue;
        }
        any = true;
        let entity = make_in(s, rendering, &draft)?;
        let answer = s.client.get(&entity.url).accept(crate::client::OCCI_JSON).send()?.is(&[200])?;
        for attribute in defaults {
            let is = &answer.value()["attributes"][&attribute.name];
            answer.hold(
                is_same(is, &attribute.default),
                &format!("{} with its default, {}", attribute.name, attribute.default),
            )?;
        }
    }
    if any { Ok(()) } else { skip("no resource has an attribute with a default") }
}

fn make_in(s: &mut Session, rendering: Rendering, draft: &Draft) -> Verdict<Entity> {
    let request = s.client.post(&draft.location).says(rendering, &Content::Whole(draft));
    let answer = request.send()?.needed(&format!("make a {}", draft.term))?;
    s.located(&answer, draft)
}

fn what_is_given_wins_over_a_default(s: &mut Session, rendering: Rendering) -> Verdict {
    let settable = s.settable()?;
    let kind = s.kind(&settable.draft)?;
    let has_default = |name: &str| kind.attribute(name).is_some_and(|one| !one.default.is_null());
    let Some((name, value)) = settable.attributes.into_iter().find(|(name, _)| has_default(name)) else {
        return skip("no attribute with a default was found that a client can set");
    };
    let entity = make_in(s, rendering, &settable.draft.with(&name, value.clone()))?;
    let is = shows(s, &entity, &name)?;
    let asked = format!("a creation as {}", rendering.media_type());
    if is.as_ref().is_some_and(|is| is_same(is, &value)) {
        Ok(())
    } else {
        fail(asked, format!("{name}={value}, as it was given, not its default"), shown(is.as_ref()))
    }
}

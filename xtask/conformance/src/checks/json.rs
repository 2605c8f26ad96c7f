//! The JSON rendering. That each answer is what the schema allows is watched by `observe`.

use serde_json::Value;

use super::{Check, again, check};
use crate::answer::Answer;
use crate::client::OCCI_JSON;
use crate::draft::Draft;
use crate::model::strings;
use crate::rendering::{
    Content,
    Rendering::{self, Json},
};
use crate::session::{Entity, Session, TITLE};
use crate::values::is_as_described;
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["JSON-01"], json_is_spoken),
    check(&["JSON-03"], types_are_whole_identifiers),
    check(&["JSON-04"], attributes_are_flat),
    check(&["JSON-04"], attributes_are_those_of_text),
    check(&["JSON-05"], values_have_the_declared_type),
    check(&["JSON-05"], |s| again(s, Json, values_are_taken)),
    check(&["CORE-08"], text_shows_the_declared_type),
    check(&["JSON-06"], collections_hold_whole_entities),
    check(&["JSON-06"], mixed_collections_have_an_array_each),
    check(&["JSON-10"], names_of_the_core_are_members),
    check(&["JSON-10"], |s| again(s, Json, members_are_taken)),
];

fn get(s: &Session, entity: &Entity) -> Verdict<Answer> {
    s.client.get(&entity.url).accept(OCCI_JSON).send()?.needed("read an entity in JSON")
}

fn json_is_spoken(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let made = s.client.post(&draft.location).json(&draft.json()).send()?.is(&[200, 201])?;
    let made = s.made(&made);
    let entity = made.map_or_else(|| s.make(&draft), Ok)?;
    for reference in [entity.url.as_str(), "-/", draft.location.as_str()] {
        let answer = s.client.get(reference).accept(OCCI_JSON).send()?.is(&[200])?;
        answer.hold(answer.media_type() == OCCI_JSON, OCCI_JSON)?;
    }
    Ok(())
}

fn types_are_whole_identifiers(s: &mut Session) -> Verdict {
    let (draft, entity) = (s.resource()?, s.make_resource()?);
    let tag = s.make_tag_on(&[&entity])?;
    let answer = get(s, &entity)?;
    let object = answer.value();
    answer.hold(object["kind"] == draft.kind(), "the Kind's identifier, scheme and term")?;
    answer.hold(strings(&object["mixins"]).contains(&tag.id()), "the Mixin's identifier, scheme and term")?;
    let unknown = strings(&object["actions"]).into_iter().find(|action| s.model.find(action).is_none());
    unknown.map_or(Ok(()), |action| answer.wrong("identifiers of actions that are described", action))
}

/// The Kind that an entity was made with, and the Mixins that it shows.
fn categories(draft: &Draft, object: &Value) -> Vec<String> {
    [draft.kind()].into_iter().chain(strings(&object["mixins"])).collect()
}

/// Whether a value is of a type by which one of these categories declares it; in whose words else. None where none does.
fn typed(s: &Session, categories: &[String], name: &str, value: &Value) -> Option<Result<(), String>> {
    let declared: Vec<_> = s.model.declarations(categories, name).collect();
    let expected = declared.first()?.kind.as_deref().unwrap_or("string");
    let is_typed = declared.iter().any(|attribute| is_as_described(attribute, value));
    Some(if is_typed { Ok(()) } else { Err(format!("{name} of the type {expected}")) })
}

fn attributes_are_flat(s: &mut Session) -> Verdict {
    s.resource()?;
    for draft in s.resources.clone() {
        let entity = s.make(&draft)?;
        let answer = get(s, &entity)?;
        let object = answer.value();
        let mut names = object["attributes"].as_object().into_iter().flatten().map(|(name, _)| name);
        let categories = categories(&draft, &object);
        let declared = |name: &str| s.model.declare(&categories, name);
        if let Some(name) = names.find(|name| !declared(name)) {
            return answer.wrong("each attribute under its whole name", name);
        }
    }
    Ok(())
}

fn values_have_the_declared_type(s: &mut Session) -> Verdict {
    s.resource()?;
    let mut any = false;
    for draft in s.resources.clone() {
        let entity = s.make(&draft)?;
        let answer = get(s, &entity)?;
        let object = answer.value();
        let categories = categories(&draft, &object);
        for (name, value) in object["attributes"].as_object().into_iter().flatten() {
            let Some(typed) = typed(s, &categories, name, value) else { continue };
            any = true;
            typed.or_else(|expected| answer.hold(false, &expected))?;
        }
    }
    if any { Ok(()) } else { skip("no resource that can be made here shows an attribute in JSON") }
}

/// A number or a boolean stands bare in text, so text knows of them, whatever JSON makes of the value. It knows no other
/// types.
fn text_shows_the_declared_type(s: &mut Session) -> Verdict {
    if s.model.json.is_null() {
        return skip("the query interface is not to be had in JSON");
    }
    s.resource()?;
    let mut any = false;
    for draft in s.resources.clone() {
        let entity = s.make(&draft)?;
        let answer = s.client.get(&entity.url).send()?.needed("read an entity")?;
        let read = answer.read();
        let categories = read.types(draft.kind());
        for (name, value) in
            read.attributes.iter().filter(|(_, value)| value.is_number() || value.is_boolean())
        {
            let Some(typed) = typed(s, &categories, name, value) else { continue };
            any = true;
            typed.or_else(|expected| {
                answer.hold(false, &format!("{expected}, as the query interface describes it in JSON"))
            })?;
        }
    }
    if any { Ok(()) } else { skip("no resource that can be made here shows a number or a boolean") }
}

fn collections_hold_whole_entities(s: &mut Session) -> Verdict {
    let draft = s.resource()?.with(TITLE, s.title("in a collection"));
    let (entity, one) = (s.make(&draft)?, s.make_resource()?);
    let tag = s.make_tag_on(&[&entity, &one])?;
    let alone = get(s, &entity)?.value();
    let answer = s.client.get(&tag.location).accept(OCCI_JSON).send()?.is(&[200])?;
    let resources = answer.value()["resources"].clone();
    let count = resources.as_array().map_or(0, Vec::len);
    answer.hold(count == 2, "both members in the array resources")?;
    let whole = resources.as_array().into_iter().flatten().any(|member| *member == alone);
    answer.hold(whole, &format!("the members as they are alone: {alone}"))
}

fn mixed_collections_have_an_array_each(s: &mut Session) -> Verdict {
    let (source, link, _) = s.make_link()?;
    let tag = s.make_tag_on(&[&source, &link])?;
    let answer = s.client.get(&tag.location).accept(OCCI_JSON).send()?.is(&[200])?;
    let object = answer.value();
    let one = |list: &str| object[list].as_array().map(Vec::len) == Some(1);
    answer.hold(one("resources") && one("links"), "a resource in the array resources, a link in links")
}

fn names_of_the_core_are_members(s: &mut Session) -> Verdict {
    let draft = s.resource()?.with(TITLE, s.title("one")).with("occi.core.summary", "two");
    let entity = s.make(&draft)?;
    let answer = get(s, &entity)?;
    let object = answer.value();
    answer.hold(object["id"].is_string(), "the member id")?;
    answer.hold(
        object["title"] == s.title("one") && object["summary"] == "two",
        "the members title and summary",
    )?;
    let attributes = object["attributes"].as_object();
    let core =
        |name: &String| ["id", "title", "summary"].iter().any(|last| *name == format!("occi.core.{last}"));
    let twice =
        attributes.into_iter().flatten().map(|(name, _): (&String, &Value)| name).find(|name| core(name));
    answer.hold(twice.is_none(), "no id, title or summary among the attributes")
}

fn made_of(s: &mut Session, rendering: Rendering, draft: &Draft) -> Verdict<(Answer, Entity)> {
    let answer = s.client.post(&draft.location).says(rendering, &Content::Whole(draft)).send()?;
    let answer = answer.needed("make a resource")?;
    let entity = s.located(&answer, draft)?;
    Ok((answer, entity))
}

fn attributes_are_those_of_text(s: &mut Session) -> Verdict {
    for draft in s.resources.clone() {
        let entity = s.make(&draft)?;
        let (read, answer) = (s.read(&entity)?, get(s, &entity)?);
        let object = answer.value();
        let in_text = read.attributes.iter().map(|(name, _)| name);
        for name in in_text.filter(|name| !name.starts_with("occi.core.")) {
            let is_there = object["attributes"].get(name).is_some();
            answer.hold(is_there, &format!("{name}, which text/plain shows"))?;
        }
    }
    s.resource().map(drop)
}

fn values_are_taken(s: &mut Session, rendering: Rendering) -> Verdict {
    let settable = s.settable()?;
    let draft = settable.draft.with_all(&settable.attributes);
    let (answer, entity) = made_of(s, rendering, &draft)?;
    // The title is a member, which is for JSON-10.
    s.holds_draft(&answer, &entity, &draft.without(TITLE))
}

fn members_are_taken(s: &mut Session, rendering: Rendering) -> Verdict {
    let draft = s.resource()?.with("occi.core.summary", "two");
    let (answer, entity) = made_of(s, rendering, &draft)?;
    s.holds_draft(&answer, &entity, &draft)
}

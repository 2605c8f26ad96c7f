//! Mixins on entities: put on, replaced, taken off, and what they bring.

use super::{Check, again, check};
use crate::answer::Answer;
use crate::draft::{Draft, attribute, category, location};
use crate::rendering::{
    Content,
    Rendering::{self, Json, Occi, Plain},
};
use crate::session::{Entity, Session};
use crate::tag::Tag;
use crate::verdict::{Verdict, skip};
use crate::wire::category::Class;

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-32", "H11-11"], |s| entities_are_associated(s, Plain)),
    check(&["HTTP-32"], |s| again(s, Occi, entities_are_associated)),
    check(&["HTTP-32"], |s| again(s, Json, entities_are_associated)),
    check(&["HTTP-32"], |s| an_association_answers_with_the_collection(s, Plain)),
    check(&["HTTP-32"], |s| again(s, Occi, an_association_answers_with_the_collection)),
    check(&["HTTP-32"], |s| again(s, Json, an_association_answers_with_the_collection)),
    check(&["HTTP-32"], a_kinds_collection_associates_nothing),
    check(&["HTTP-30", "H11-11"], |s| members_are_replaced(s, Plain)),
    check(&["HTTP-30"], |s| again(s, Occi, members_are_replaced)),
    check(&["HTTP-30"], |s| again(s, Json, members_are_replaced)),
    check(&["HTTP-30"], |s| a_replacement_answers_with_the_collection(s, Plain)),
    check(&["HTTP-30"], |s| again(s, Occi, a_replacement_answers_with_the_collection)),
    check(&["HTTP-30"], |s| again(s, Json, a_replacement_answers_with_the_collection)),
    check(&["HTTP-30"], a_kinds_collection_is_not_put),
    check(&["HTTP-35", "H11-11"], |s| members_are_dissociated(s, Plain)),
    check(&["HTTP-35"], |s| again(s, Occi, members_are_dissociated)),
    check(&["HTTP-35"], |s| again(s, Json, members_are_dissociated)),
    check(&["HTTP-35"], all_members_are_dissociated),
    check(&["CORE-21"], without_applies_it_fits_anything),
    check(&["CORE-22"], what_does_not_apply_is_a_bad_request),
    check(&["CORE-23"], types_have_no_mixins),
    check(&["CORE-24"], a_mixin_holds_no_values),
    check(&["CORE-25"], a_mixin_exposes_what_it_adds),
    check(&["CORE-25"], attributes_go_with_their_mixin),
    check(&["CORE-26"], a_mixin_brings_what_it_depends_on),
    check(&["CORE-34"], a_mixin_gives_defaults),
];

fn lines(entities: &[&Entity]) -> Vec<String> {
    entities.iter().map(|entity| location(&entity.url)).collect()
}

/// Whether an entity has a Mixin.
fn has(s: &Session, entity: &Entity, tag: &Tag) -> Verdict<bool> {
    Ok(s.read(entity)?.has(&tag.id()))
}

/// Fails unless the collection has these members after it, and no others.
fn leaves(s: &Session, answer: &Answer, tag: &Tag, members: &[&Entity]) -> Verdict {
    let listing = s.listing(&tag.location)?;
    let same = |listing: &[String]| {
        listing.len() == members.len() && members.iter().all(|entity| entity.is_in(listing))
    };
    answer.hold(
        same(&listing),
        &format!("{} members after it; there are: {}", members.len(), listing.join(" ")),
    )
}

fn entities_are_associated(s: &mut Session, rendering: Rendering) -> Verdict {
    let (one, two, tag) = (s.make_resource()?, s.make_resource()?, s.make_tag()?);
    let answer = s
        .client
        .post(&tag.location)
        .says(rendering, &Content::Members(&s.members(rendering, &[&one, &two])?))
        .send()?
        .is(&[200])?;
    leaves(s, &answer, &tag, &[&one, &two])?;
    for entity in [&one, &two] {
        answer.hold(has(s, entity, &tag)?, "entities that show the Mixin")?;
    }
    Ok(())
}

fn an_association_answers_with_the_collection(s: &mut Session, rendering: Rendering) -> Verdict {
    let (entity, tag) = (s.make_resource()?, s.make_tag()?);
    let answer = s
        .client
        .post(&tag.location)
        .says(rendering, &Content::Members(&s.members(rendering, &[&entity])?))
        .send()?
        .is(&[200])?;
    answer.hold(s.is_shown(&answer, &entity)?, "the collection, with the new member")
}

fn a_kinds_collection_associates_nothing(s: &mut Session) -> Verdict {
    let (entity, draft) = (s.make_resource()?, s.resource()?);
    let answer = s.client.post(&draft.location).text(&lines(&[&entity])).send()?;
    // A server that takes it for a creation has made something.
    s.made(&answer);
    answer.refused().map(drop)
}

fn members_are_replaced(s: &mut Session, rendering: Rendering) -> Verdict {
    let (one, two) = (s.make_resource()?, s.make_resource()?);
    let tag = s.make_tag_on_only(&[&one])?;
    let answer = s
        .client
        .put(&tag.location)
        .says(rendering, &Content::Members(&s.members(rendering, &[&two])?))
        .send()?
        .is(&[200])?;
    leaves(s, &answer, &tag, &[&two])?;
    answer
        .hold(!has(s, &one, &tag)? && has(s, &two, &tag)?, "the Mixin on what was named, and on nothing else")
}

fn a_replacement_answers_with_the_collection(s: &mut Session, rendering: Rendering) -> Verdict {
    let (one, two) = (s.make_resource()?, s.make_resource()?);
    let tag = s.make_tag_on_only(&[&one])?;
    let answer = s
        .client
        .put(&tag.location)
        .says(rendering, &Content::Members(&s.members(rendering, &[&two])?))
        .send()?
        .is(&[200])?;
    let right = s.is_shown(&answer, &two)? && !s.is_shown(&answer, &one)?;
    answer.hold(right, "the collection as it is now")
}

fn a_kinds_collection_is_not_put(s: &mut Session) -> Verdict {
    let (entity, draft) = (s.make_resource()?, s.resource()?);
    s.ours_alone(&draft.location, &entity)?;
    s.client.put(&draft.location).text(&lines(&[&entity])).send()?.refused().map(drop)
}

fn members_are_dissociated(s: &mut Session, rendering: Rendering) -> Verdict {
    let (one, two) = (s.make_resource()?, s.make_resource()?);
    let tag = s.make_tag_on_only(&[&one, &two])?;
    let answer = s
        .client
        .delete(&tag.location)
        .says(rendering, &Content::Members(&s.members(rendering, &[&one])?))
        .send()?
        .is(&[200])?;
    leaves(s, &answer, &tag, &[&two])?;
    answer.hold(!has(s, &one, &tag)? && has(s, &two, &tag)?, "the Mixin taken off what was named")
}

/// A DELETE that names no members is of all of them, and no answer but 200 is allowed. The entities survive it.
fn all_members_are_dissociated(s: &mut Session) -> Verdict {
    let (one, two) = (s.make_resource()?, s.make_resource()?);
    let tag = s.make_tag_on_only(&[&one, &two])?;
    if !has(s, &one, &tag)? || !has(s, &two, &tag)? {
        return skip("the entities do not show the Mixin that was put on them; see HTTP-32");
    }
    let answer = s.client.delete(&tag.location).send()?.is(&[200])?;
    for entity in [&one, &two] {
        let survivor = s.client.get(&entity.url).send()?.is(&[200])?;
        survivor.hold(!survivor.read().has(&tag.id()), &format!("no {} after {}", tag.id(), answer.asked))?;
    }
    leaves(s, &answer, &tag, &[])
}

fn without_applies_it_fits_anything(s: &mut Session) -> Verdict {
    s.resource()?;
    let mut entities = Vec::new();
    for draft in s.resources.clone() {
        entities.push(s.make(&draft)?);
    }
    if let Ok((_, link, _)) = s.make_link() {
        entities.push(link);
    }
    let tag = s.make_tag()?;
    for entity in &entities {
        let answer = s.client.post(&tag.location).text(&lines(&[entity])).send()?;
        answer.hold(answer.succeeded(), "a Mixin without applies on any instance")?;
    }
    Ok(())
}

fn what_does_not_apply_is_a_bad_request(s: &mut Session) -> Verdict {
    for mixin in s.model.of(Class::Mixin).cloned().collect::<Vec<_>>() {
        // What those say on which it depends is left aside.
        let is_for =
            |draft: &&Draft| s.model.lineage(&draft.kind()).iter().any(|kind| mixin.applies.contains(kind));
        let unfit = s.resources.iter().find(|draft| !mixin.applies.is_empty() && !is_for(draft)).cloned();
        let (Some(draft), Some(path)) = (unfit, &mixin.location) else { continue };
        let made = s
            .client
            .post(&draft.location)
            .draft(&draft.clone().mixin((&mixin.scheme, &mixin.term)))
            .send()?;
        s.made(&made);
        made.is(&[400])?;
        let entity = s.make(&draft)?;
        s.client.post(path).text(&lines(&[&entity])).send()?.is(&[400])?;
        let line = category(&mixin.term, &mixin.scheme, "mixin");
        return s.client.post(&entity.url).text(&[line]).send()?.is(&[400]).map(drop);
    }
    skip("no Mixin was found that names in applies what it is for, and a resource that it is not for")
}

fn types_have_no_mixins(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let entity = s.make(&draft)?;
    s.ours_alone(&draft.location, &entity)?;
    let tag = s.make_tag()?;
    let url = s.client.url(&draft.location);
    s.client.post(&tag.location).text(&[location(&url)]).send()?.refused().map(drop)
}

/// An entity with a provider's Mixin and its attributes.
fn extended(s: &mut Session) -> Verdict<(Entity, crate::session::Extension)> {
    let extension = s.extension()?;
    let with_mixin = extension.draft.clone().mixin((&extension.mixin.scheme, &extension.mixin.term));
    let add = |draft: Draft, (name, value): &(String, serde_json::Value)| draft.with(name, value.clone());
    let whole = extension.attributes.iter().fold(with_mixin, add);
    Ok((s.make(&whole)?, extension))
}

fn a_mixin_holds_no_values(s: &mut Session) -> Verdict {
    let before = s.extension()?.mixin;
    let _extended = extended(s)?;
    let answer = s.client.get("-/").send()?.needed("read the query interface")?;
    let all = answer.read();
    let after = all.categories.iter().find(|category| category.id() == before.id());
    let names = |names: Vec<&str>| names.join(" ");
    let same = after.is_some_and(|after| {
        names(after.attributes.iter().map(|mark| mark.name.as_str()).collect())
            == names(before.attributes.iter().map(|attribute| attribute.name.as_str()).collect())
    });
    answer.hold(same, "the Mixin as it was before an entity had values for it")
}

fn a_mixin_exposes_what_it_adds(s: &mut Session) -> Verdict {
    let (entity, extension) = extended(s)?;
    let kind = extension.draft.kind();
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    let read = answer.read();
    answer.hold(read.has(&extension.mixin.id()), "the Mixin that the creation named")?;
    for (name, value) in &extension.attributes {
        answer.hold(read.attribute(name) == Some(value), &format!("{name} as it was given, {value}"))?;
    }
    let categories = read.types(kind);
    let exposed = |name: &str| s.model.declare(&categories, name);
    let hidden = read.attributes.iter().find(|(name, _)| !exposed(name));
    hidden.map_or(Ok(()), |(name, _)| answer.wrong("attributes that the Kind or a Mixin exposes", name))
}

fn attributes_go_with_their_mixin(s: &mut Session) -> Verdict {
    let (entity, extension) = extended(s)?;
    let Some(path) = &extension.mixin.location else { return Ok(()) };
    s.ours_alone(path, &entity)?;
    let answer =
        s.client.delete(path).text(&lines(&[&entity])).send()?.needed("take a Mixin off an entity")?;
    let read = s.read(&entity)?;
    let mut others = read.types(extension.draft.kind());
    others.retain(|id| *id != extension.mixin.id());
    let is_others = |name: &str| s.model.declare(&others, name);
    let own = |name: &String| !is_others(name) && extension.mixin.attribute(name).is_some();
    match read.attributes.iter().find(|(name, _)| own(name)) {
        None => Ok(()),
        Some((name, _)) => {
            answer.wrong("the Mixin's attributes gone with it", format!("{name} is still there"))
        }
    }
}

/// An entity shows what only the Mixin declares that its own depends on, or takes one of these attributes. One alone may be
/// refused for its value.
fn a_mixin_brings_what_it_depends_on(s: &mut Session) -> Verdict {
    for mixin in s.model.of(Class::Mixin).cloned().collect::<Vec<_>>() {
        for parent in mixin.parents.iter().filter_map(|id| s.model.find(id).cloned()).collect::<Vec<_>>() {
            let fitting = s.resources.iter().find(|draft| s.model.fits(&mixin, &draft.kind())).cloned();
            let Some(draft) = fitting else { continue };
            let others: Vec<_> =
                s.model.types_of(&draft.kind()).chain([&mixin]).flat_map(|one| &one.attributes).collect();
            let is_own = |name: &str| !others.iter().any(|other| other.name == name);
            let brought = parent.attributes.iter().filter(|one| !one.immutable && is_own(&one.name));
            let values: Vec<_> = brought
                .filter_map(|one| Some((one.name.clone(), crate::values::candidates(one).first()?.clone())))
                .collect();
            if values.is_empty() {
                continue;
            }
            let entity = s.make(&draft.mixin((&mixin.scheme, &mixin.term)))?;
            let shown = s.client.get(&entity.url).send()?.needed("read an entity")?;
            if values.iter().any(|(name, _)| shown.read().attribute(name).is_some()) {
                return Ok(());
            }
            for (name, value) in &values {
                if s.client.post(&entity.url).text(&[attribute(name, value)]).send()?.succeeded() {
                    return Ok(());
                }
            }
            let names: Vec<_> = values.iter().map(|(name, _)| name.as_str()).collect();
            let expected = format!("{}, of {}, shown or taken", names.join(" or "), parent.id());
            return shown.wrong(&expected, shown.brief());
        }
    }
    skip("no Mixin was found that depends on one with attributes of its own")
}

fn a_mixin_gives_defaults(s: &mut Session) -> Verdict {
    for mixin in s.model.of(Class::Mixin).cloned().collect::<Vec<_>>() {
        let given = mixin.attributes.iter().find(|attribute| !attribute.default.is_null());
        let fitting = s.resources.iter().find(|draft| s.model.fits(&mixin, &draft.kind())).cloned();
        let (Some(given), Some(draft)) = (given, fitting) else { continue };
        let entity = s.make(&draft.without(&given.name).mixin((&mixin.scheme, &mixin.term)))?;
        let answer = s.client.get(&entity.url).send()?.is(&[200])?;
        let is = answer.read().attribute(&given.name).cloned();
        let same = is.as_ref() == Some(&given.default)
            || is.as_ref().and_then(serde_json::Value::as_f64) == given.default.as_f64()
                && given.default.is_number();
        return answer.hold(same, &format!("{} with the Mixin's default, {}", given.name, given.default));
    }
    skip("no Mixin with a default was found for a resource that can be made here")
}

//! Entities: made, read and deleted.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Check, again, check};
use crate::answer::Answer;
use crate::client::{OCCI_JSON, TEXT_OCCI, TEXT_PLAIN};
use crate::draft::{Draft, attribute, category};
use crate::model::ENTITY;
use crate::rendering::{
    Content,
    Rendering::{self, Json, Occi, Plain},
};
use crate::session::{Entity, Session, TITLE};
use crate::tag::Tag;
use crate::verdict::{Verdict, fail, skip};
use crate::wire::category::Category;
use crate::wire::is_uri;

pub(super) const CHECKS: &[Check] = &[
    check(&["CORE-32"], a_kind_is_named_by_term_and_scheme),
    check(&["HTTP-31"], |s| a_creation_says_what_was_made(s, Plain)),
    check(&["HTTP-31"], |s| again(s, Occi, a_creation_says_what_was_made)),
    check(&["HTTP-31"], |s| again(s, Json, a_creation_says_what_was_made)),
    check(&["HTTP-31"], |s| a_creation_is_kept(s, Plain)),
    check(&["HTTP-31"], |s| again(s, Occi, a_creation_is_kept)),
    check(&["HTTP-31"], |s| again(s, Json, a_creation_is_kept)),
    check(&["HTTP-31"], no_creation_breaks_the_server),
    check(&["H11-14"], a_creation_returns_location),
    check(&["H11-16"], created_has_location),
    check(&["CORE-33"], |s| a_creation_names_mixins(s, Plain)),
    check(&["CORE-33"], |s| again(s, Occi, a_creation_names_mixins)),
    check(&["CORE-33", "JSON-03"], |s| again(s, Json, a_creation_names_mixins)),
    check(&["H11-13"], a_creation_has_exactly_one_kind),
    check(&["CORE-40"], entity_is_abstract),
    check(&["CORE-06"], types_are_identified_by_scheme_and_term),
    check(&["CORE-16"], instances_have_what_their_kind_exposes),
    check(&["CORE-39"], ids_are_unique_uris),
    check(&["CORE-39"], ids_in_json_are_those_of_text),
    check(&["CORE-41", "H11-17"], an_instance_exposes_itself),
    check(&["HTTP-23"], an_entity_is_read),
    check(&["HTTP-24"], |s| put_creates(s, Plain)),
    check(&["HTTP-24"], |s| again(s, Occi, put_creates)),
    check(&["HTTP-24"], |s| again(s, Json, put_creates)),
    check(&["H11-15"], put_creates_or_is_refused),
    check(&["HTTP-28", "H11-20"], an_entity_is_deleted),
    check(&["HTTP-28", "CORE-37"], a_deleted_entity_leaves_its_collections),
];

fn post(s: &Session, rendering: Rendering, draft: &Draft) -> Verdict<Answer> {
    s.client.post(&draft.location).says(rendering, &Content::Whole(draft)).send()
}

fn create_in(s: &mut Session, rendering: Rendering, draft: &Draft) -> Verdict<Answer> {
    let answer = post(s, rendering, draft)?;
    s.made(&answer);
    Ok(answer)
}

fn create(s: &mut Session, draft: &Draft) -> Verdict<Answer> {
    create_in(s, Plain, draft)
}

fn a_kind_is_named_by_term_and_scheme(s: &mut Session) -> Verdict {
    let draft = s.creation()?;
    let answer = s.client.post(&draft.location).draft(&draft).send()?;
    answer.hold(answer.succeeded(), "an entity of the Kind that the creation named")?;
    let entity = s.located(&answer, &draft)?;
    let found = s.client.get(&entity.url).send()?;
    found.hold(found.read().has(&draft.kind()), "the Kind that the creation named")
}

fn a_creation_says_what_was_made(s: &mut Session, rendering: Rendering) -> Verdict {
    let draft = s.creation()?;
    let answer = create_in(s, rendering, &draft)?.is(&[200, 201])?;
    let read = answer.read();
    let says_where = !answer.header("location").is_empty() || !read.locations.is_empty();
    let shows = answer.status == 200 && read.has(&draft.kind());
    answer.hold(says_where || shows, "where the new entity is, or its rendering")?;
    if let Some(url) = read.locations.first() {
        s.client.get(url).send()?.is(&[200])?;
    }
    Ok(())
}

fn a_creation_is_kept(s: &mut Session, rendering: Rendering) -> Verdict {
    let draft = s.written()?;
    let answer = post(s, rendering, &draft)?;
    let entity = s.located(&answer, &draft);
    let answer = answer.is(&[200, 201])?;
    s.holds_draft(&answer, &entity?, &draft)
}

/// A Kind that is not to be had is refused; with a fault of its own the server says nothing about it.
fn no_creation_breaks_the_server(s: &mut Session) -> Verdict {
    s.creation()?;
    s.no_resource_broke_it()?;
    // That alone says nothing of what is made.
    skip("no creation broke the server, and of none it could be told what it made")
}

fn a_creation_returns_location(s: &mut Session) -> Verdict {
    let draft = s.creation()?;
    let answer = create(s, &draft)?.is(&[200, 201])?;
    let url = answer.header("location");
    answer.hold(!url.is_empty(), "the new entity's URL in Location")?;
    let there = s.client.get(&url).send()?.is(&[200])?;
    there.hold(there.read().has(&draft.kind()), "the new entity where Location says that it is")
}

fn created_has_location(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let made = create(s, &draft)?.needed("make a resource")?;
    made.hold(made.status != 201 || !made.header("location").is_empty(), "Location with 201")?;
    let entity = s.make(&draft)?;
    let title = Value::from(s.title("updated"));
    let update = [attribute(TITLE, &title)];
    let answer = s.client.post(&entity.url).text(&update).send()?.needed("update a resource")?;
    let read = answer.read();
    let whole = read.has(&draft.kind()) && read.attribute(TITLE) == Some(&title);
    answer.hold(answer.status != 200 || whole, "the full representation with 200")?;
    answer.hold(answer.status != 201 || !answer.header("location").is_empty(), "Location with 201")
}

fn a_creation_names_mixins(s: &mut Session, rendering: Rendering) -> Verdict {
    let (one, two) = (s.make_tag()?, s.make_tag()?);
    let draft = s.resource()?.mixin(one.names()).mixin(two.names());
    let answer = post(s, rendering, &draft)?;
    let made = s.made(&answer);
    answer.is(&[200, 201])?;
    let Some(entity) = made else { return Ok(()) };
    let found = s.client.get(&entity.url).send()?.is(&[200])?;
    let read = found.read();
    found.hold(read.has(&one.id()) && read.has(&two.id()), "both Mixins that the creation named")
}

fn a_creation_has_exactly_one_kind(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let mut wrong = vec![vec![attribute(TITLE, &s.title("no kind").into())]];
    if let Ok(other) = s.other() {
        wrong.push(vec![draft.category(), other.category(), attribute(TITLE, &s.title("two kinds").into())]);
    }
    for lines in wrong {
        let answer = s.client.post(&draft.location).text(&lines).send()?;
        s.made(&answer);
        answer.refused()?;
    }
    Ok(())
}

fn entity_is_abstract(s: &mut Session) -> Verdict {
    let location = s.resource()?.location;
    let line = category("entity", ENTITY.trim_end_matches("entity"), "kind");
    let answer = s.client.post(&location).text(&[line]).send()?;
    s.made(&answer);
    answer.refused().map(drop)
}

fn types_are_identified_by_scheme_and_term(s: &mut Session) -> Verdict {
    let entity = s.make_resource()?;
    let answer = s.client.get(&entity.url).send()?.needed("read an entity")?;
    let read = answer.read();
    let categories = read.categories.iter().map(Category::id);
    for id in categories.chain(read.actions().map(|link| link.rel.clone())) {
        answer
            .hold(s.model.find(&id).is_some(), &format!("categories of the query interface; {id} is none"))?;
    }
    Ok(())
}

fn instances_have_what_their_kind_exposes(s: &mut Session) -> Verdict {
    let drafts = s.resources.clone();
    s.resource()?;
    for draft in drafts {
        let entity = s.make(&draft)?;
        let answer = s.client.get(&entity.url).send()?.needed("read an entity")?;
        let read = answer.read();
        // A provider may give it Mixins by itself (INF-14).
        let categories = read.types(draft.kind());
        let declared = |name: &str| s.model.declare(&categories, name);
        if let Some((name, _)) = read.attributes.iter().find(|(name, _)| !declared(name)) {
            return answer.wrong("only attributes that its Kind and Mixins expose", name);
        }
        let types = categories.iter().flat_map(|id| s.model.types_of(id));
        let exposed: BTreeSet<_> = types.flat_map(|known| &known.actions).collect();
        if let Some(link) = read.actions().find(|link| !exposed.contains(&link.rel)) {
            return answer.wrong("only actions that its Kind and Mixins expose", &link.rel);
        }
    }
    Ok(())
}

fn ids_are_unique_uris(s: &mut Session) -> Verdict {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let entity = s.make_resource()?;
        let answer = s.client.get(&entity.url).send()?.needed("read an entity")?;
        match answer.read().attribute("occi.core.id") {
            Some(Value::String(id)) if is_uri(id) => ids.push(id.clone()),
            Some(other) => return answer.wrong("occi.core.id, a URI", other.to_string()),
            None => return answer.wrong("occi.core.id, a URI", "no occi.core.id"),
        }
    }
    if ids[0] == ids[1] { fail("POST twice", "two ids", &*ids[0]) } else { Ok(()) }
}

/// Alone, in a collection, and of a link inside its source.
fn ids_in_json_are_those_of_text(s: &mut Session) -> Verdict {
    s.speaks(Json)?;
    let entity = s.make_resource()?;
    let tag = s.make_tag_on(&[&entity]).ok();
    let link = s.make_link().ok();
    let id = |s: &Session, entity: &Entity| -> Verdict<Value> {
        Ok(s.read(entity)?.attribute("occi.core.id").cloned().unwrap_or_default())
    };
    let mut shown = vec![(entity.url.clone(), "/id", id(s, &entity)?)];
    if let Some(tag) = tag {
        shown.push((tag.location, "/resources/0/id", id(s, &entity)?));
    }
    if let Some((source, link, _)) = link {
        shown.push((source.url, "/links/0/id", id(s, &link)?));
    }
    for (reference, place, id) in shown {
        let answer = s.client.get(&reference).accept(OCCI_JSON).send()?.needed("read JSON")?;
        // Whether it is there at all is for JSON-02, JSON-06 and JSON-11.
        if let Some(is) = answer.value().pointer(place) {
            let is_right = is.as_str().is_some_and(is_uri) && (id.is_null() || *is == id);
            answer.hold(is_right, &format!("the id {id}, a URI, at {place}; it is {is}"))?;
        }
    }
    Ok(())
}

fn an_instance_exposes_itself(s: &mut Session) -> Verdict {
    let draft = s.resource()?.with(TITLE, s.title("exposed"));
    let entity = s.make(&draft)?;
    let tag = s.make_tag_on(&[&entity])?;
    exposes(s, &entity, &draft, &tag, TEXT_PLAIN)?;
    exposes(s, &entity, &draft, &tag, TEXT_OCCI)
}

fn exposes(s: &Session, entity: &Entity, draft: &Draft, tag: &Tag, media_type: &'static str) -> Verdict {
    let answer = s.client.get(&entity.url).accept(media_type).send()?.is(&[200])?;
    let read = answer.read();
    answer.hold(read.has(&draft.kind()), "its Kind")?;
    answer.hold(read.has(&tag.id()), "its Mixin")?;
    answer.hold(read.attribute(TITLE).is_some(), "its attributes")?;
    // What JSON shows as an action is shown in text too, and the other way round.
    let json = s.client.get(&entity.url).accept(OCCI_JSON).send()?;
    // Older drafts of JSON have other objects; see JSON-03.
    if json.succeeded() && json.value()["kind"].is_string() {
        let mut here: Vec<_> = read.actions().map(|link| link.rel.clone()).collect();
        let mut there = crate::model::strings(&json.value()["actions"]);
        here.sort_unstable();
        there.sort_unstable();
        answer.hold(
            here == there,
            &format!("its applicable actions, which JSON says are: {}", there.join(" ")),
        )?;
    }
    Ok(())
}

fn an_entity_is_read(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let entity = s.make(&draft)?;
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    answer.hold(answer.read().has(&draft.kind()), "the rendering of the entity")
}

/// A PUT to a path that nothing is at.
fn put_new(s: &mut Session, rendering: Rendering, draft: &Draft) -> Verdict<(String, Answer)> {
    let path = format!("{}{}", draft.location, s.name());
    let url = s.client.url(&path);
    let answer = s.client.put(&url).says(rendering, &Content::Whole(draft)).send()?;
    if answer.succeeded() {
        // The answer need not say where it is: that is where it was put.
        let location = answer.header("location");
        if s.client.get(&url).send()?.succeeded() {
            s.keep(&url);
            if !location.is_empty() {
                s.keep(&location);
            }
        } else {
            s.made(&answer);
        }
    }
    Ok((url, answer))
}

fn put_creates(s: &mut Session, rendering: Rendering) -> Verdict {
    let draft = s.written().or_else(|_| s.creation())?;
    let (url, answer) = put_new(s, rendering, &draft)?;
    // Where nothing can be made by POST either, it is not the path that is refused.
    if matches!(answer.status, 400 | 405) && !s.resources.is_empty() {
        return skip("the server lets no client choose a path, as OCCI 1.1 allows");
    }
    let answer = answer.is(&[200, 201])?;
    let location = answer.header("location");
    answer.hold(answer.status != 201 || !location.is_empty(), "Location with 201")?;
    if !location.is_empty() {
        let there = s.client.get(&location).send()?.is(&[200])?;
        there.hold(there.read().has(&draft.kind()), "the new entity where Location says that it is")?;
    }
    answer.hold(answer.status != 200 || answer.read().has(&draft.kind()), "the rendering with 200")?;
    s.holds_draft(&answer, &Entity { url }, &draft)
}

fn put_creates_or_is_refused(s: &mut Session) -> Verdict {
    let draft = s.creation()?;
    let (url, answer) = put_new(s, Plain, &draft)?;
    if !answer.succeeded() {
        return answer.is(&[400]).map(drop);
    }
    answer.is(&[200, 201])?;
    let made = s.client.get(&url).send()?.is(&[200])?;
    made.hold(made.read().has(&draft.kind()), "the entity that was put there")
}

fn an_entity_is_deleted(s: &mut Session) -> Verdict {
    let entity = s.make_resource()?;
    s.client.delete(&entity.url).send()?.is(&[200, 204])?;
    s.client.get(&entity.url).send()?.is(&[404, 410]).map(drop)
}

/// Those of its Kind and of its Mixins.
fn a_deleted_entity_leaves_its_collections(s: &mut Session) -> Verdict {
    let (draft, entity, other) = (s.resource()?, s.make_resource()?, s.make_resource()?);
    let tag = s.make_tag_on(&[&entity, &other])?;
    let collections = [draft.location, tag.location];
    for collection in &collections {
        if !entity.is_in(&s.listing(collection)?) {
            return skip(format!("{collection} does not show its member; see CORE-36"));
        }
    }
    s.client.delete(&entity.url).send()?.needed("delete a resource")?;
    for collection in &collections {
        let answer = s.client.get(collection).send()?.is(&[200])?;
        let expected = format!("the collection without {}, which was deleted", entity.url);
        answer.hold(!entity.is_in(&answer.read().locations), &expected)?;
    }
    Ok(())
}

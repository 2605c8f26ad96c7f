//! Entities changed: in part by POST, as a whole by PUT.

use super::{Check, again, check};
use crate::answer::Answer;
use crate::client::path_of;
use crate::draft::{Draft, Inline};
use crate::rendering::{
    Content,
    Rendering::{self, Json, Occi, Plain},
};
use crate::session::{Entity, Session, TITLE};
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-26"], |s| a_part_is_updated(s, Plain)),
    check(&["HTTP-26"], |s| again(s, Occi, a_part_is_updated)),
    check(&["HTTP-26"], |s| again(s, Json, a_part_is_updated)),
    check(&["HTTP-26"], |s| values_are_updated(s, Plain)),
    check(&["HTTP-26"], |s| again(s, Occi, values_are_updated)),
    check(&["HTTP-26"], |s| again(s, Json, values_are_updated)),
    check(&["H11-18"], |s| only_what_is_sent_is_updated(s, Plain)),
    check(&["H11-18"], |s| again(s, Occi, only_what_is_sent_is_updated)),
    check(&["HTTP-26"], |s| again(s, Json, only_what_is_sent_is_updated)),
    check(&["HTTP-26"], |s| links_are_added(s, Plain)),
    check(&["HTTP-26"], |s| again(s, Json, links_are_added)),
    check(&["CORE-15", "H11-18"], the_kind_cannot_change),
    check(&["HTTP-25"], |s| put_replaces(s, Plain)),
    check(&["HTTP-25"], |s| again(s, Occi, put_replaces)),
    check(&["HTTP-25"], |s| again(s, Json, put_replaces)),
    check(&["H11-19"], what_is_missing_in_a_put_goes),
    check(&["HTTP-25", "H11-19"], |s| put_keeps_links(s, Plain)),
    check(&["HTTP-25"], |s| again(s, Occi, put_keeps_links)),
    check(&["HTTP-25"], |s| again(s, Json, put_keeps_links)),
    check(&["H11-19"], put_with_a_new_link_is_refused),
];

const SUMMARY: &str = "occi.core.summary";

/// A resource with a title and a summary.
fn titled(s: &mut Session) -> Verdict<Entity> {
    let draft = s.resource()?.with(TITLE, s.title("one")).with(SUMMARY, "two");
    s.make(&draft)
}

fn get(s: &Session, entity: &Entity) -> Verdict<Answer> {
    s.client.get(&entity.url).send()?.needed("read an entity")
}

/// Fails unless an attribute is shown with this value, or not shown at all.
fn shows(answer: &Answer, name: &str, value: Option<&str>) -> Verdict {
    let is = answer.read().attribute(name).and_then(|is| is.as_str().map(str::to_owned));
    answer.hold(is.as_deref() == value, &format!("{name}: {}", value.unwrap_or("nothing")))
}

/// A draft of a Kind that says nothing yet.
fn blank(draft: &Draft) -> Draft {
    Draft { attributes: Vec::new(), ..draft.clone() }
}

fn a_part_is_updated(s: &mut Session, rendering: Rendering) -> Verdict {
    let entity = titled(s)?;
    let (kind, part) = (s.resource()?.kind(), blank(&s.resource()?).with(TITLE, s.title("three")));
    let answer = s.client.post(&entity.url).says(rendering, &Content::Part(&part)).send()?.is(&[200, 201])?;
    answer.hold(answer.status != 201 || !answer.header("location").is_empty(), "Location with 201")?;
    answer.hold(answer.status != 200 || answer.read().has(&kind), "the entity's rendering with 200")?;
    shows(&get(s, &entity)?, TITLE, Some(&s.title("three")))
}

fn values_are_updated(s: &mut Session, rendering: Rendering) -> Verdict {
    let settable = s.settable()?;
    let entity = s.make(&settable.draft)?;
    let part = blank(&settable.draft).with_all(&settable.attributes);
    let answer = s.client.post(&entity.url).says(rendering, &Content::Part(&part)).send()?.is(&[200, 201])?;
    s.holds_draft(&answer, &entity, &settable.draft.with_all(&settable.attributes))
}

fn only_what_is_sent_is_updated(s: &mut Session, rendering: Rendering) -> Verdict {
    let entity = titled(s)?;
    let tag = s.make_tag()?;
    let nothing = blank(&s.resource()?);
    let update = |part: &Draft| s.client.post(&entity.url).says(rendering, &Content::Part(part)).send();
    update(&nothing.clone().with(TITLE, s.title("three")))?.needed("update a resource")?;
    shows(&get(s, &entity)?, SUMMARY, Some("two"))?;
    let answer = update(&nothing.mixin(tag.names()))?;
    answer.hold(answer.succeeded(), "the Mixin added")?;
    let after = get(s, &entity)?;
    after.hold(after.read().has(&tag.id()), &format!("the Mixin that was added by {}", answer.asked))?;
    shows(&after, TITLE, Some(&s.title("three")))
}

/// Not every server takes links so; one that says that it did has them.
fn links_are_added(s: &mut Session, rendering: Rendering) -> Verdict {
    let ((first, draft), (second, _)) = (s.inline()?, s.inline()?);
    let source = s.make(&draft)?;
    let part = blank(&draft).link(first).link(second);
    let answer = s.client.post(&source.url).says(rendering, &Content::Part(&part)).send()?;
    if !answer.succeeded() {
        return skip(format!("no links are added by an update: {}", answer.brief()));
    }
    s.holds_links(&answer, &source, &part.links)
}

fn the_kind_cannot_change(s: &mut Session) -> Verdict {
    let entity = titled(s)?;
    let (kind, other) = (s.resource()?.kind(), s.other()?);
    let answer = s.client.post(&entity.url).text(&[other.category()]).send()?;
    let read = get(s, &entity)?.read();
    answer.hold(read.has(&kind) && !read.has(&other.kind()), "the Kind as it was")
}

fn put_replaces(s: &mut Session, rendering: Rendering) -> Verdict {
    let base = s.settable().map_or_else(|_| s.resource(), |settable| Ok(settable.draft))?;
    let entity = s.make(&base)?;
    let mut draft = s.written()?.with(TITLE, s.title("three"));
    if let Ok(tag) = s.make_tag() {
        draft = draft.mixin(tag.names());
    }
    let answer =
        s.client.put(&entity.url).says(rendering, &Content::Whole(&draft)).send()?.is(&[200, 201])?;
    answer.hold(answer.status != 201 || !answer.header("location").is_empty(), "Location with 201")?;
    answer.hold(answer.status != 200 || answer.read().has(&draft.kind()), "the rendering with 200")?;
    s.holds_draft(&answer, &entity, &draft)
}

fn what_is_missing_in_a_put_goes(s: &mut Session) -> Verdict {
    let entity = titled(s)?;
    let draft = s.resource()?.with(TITLE, s.title("three"));
    s.client.put(&entity.url).draft(&draft).send()?.needed("replace a resource")?;
    shows(&get(s, &entity)?, SUMMARY, None)
}

/// A PUT of a resource that has a link, with what may be in it beside the Kind.
fn put_source(s: &mut Session, rendering: Rendering, links: &[Inline]) -> Verdict<(Answer, Entity, Entity)> {
    let (source, link, _) = s.make_link()?;
    let read = s.read(&source)?;
    let draft = s.resources.iter().find(|draft| read.has(&draft.kind())).cloned();
    let Some(draft) = draft else { return skip("the source of the link cannot be read") };
    let draft = links.iter().fold(draft.with(TITLE, s.title("put")), |draft, link| draft.link(link.clone()));
    let answer = s.client.put(&source.url).says(rendering, &Content::Whole(&draft)).send()?;
    Ok((answer, source, link))
}

fn put_keeps_links(s: &mut Session, rendering: Rendering) -> Verdict {
    let (answer, source, link) = put_source(s, rendering, &[])?;
    answer.needed("replace a resource")?;
    let after = get(s, &source)?;
    let path = path_of(&link.url);
    let read = after.read();
    let kept = read.relations().any(|shown| shown.own.as_deref().map(path_of) == Some(path));
    after.hold(kept, &format!("the link {path}, which was there before the PUT"))
}

fn put_with_a_new_link_is_refused(s: &mut Session) -> Verdict {
    let (link, _) = s.inline()?;
    put_source(s, Plain, &[Inline { attributes: Vec::new(), ..link }])?.0.is(&[400]).map(drop)
}

//! Entities changed: in part by POST, as a whole by PUT.

use super::{Check, check};
use crate::answer::Answer;
use crate::client::path_of;
use crate::draft::attribute;
use crate::session::{Entity, Session};
use crate::verdict::Verdict;

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-26"], a_part_is_updated),
    check(&["H11-18"], only_what_is_sent_is_updated),
    check(&["CORE-15", "H11-18"], the_kind_cannot_change),
    check(&["HTTP-25"], put_replaces),
    check(&["H11-19"], what_is_missing_in_a_put_goes),
    check(&["HTTP-25", "H11-19"], put_keeps_links),
    check(&["H11-19"], put_with_a_new_link_is_refused),
];

const TITLE: &str = "occi.core.title";
const SUMMARY: &str = "occi.core.summary";

/// A resource with a title and a summary.
fn titled(s: &mut Session) -> Verdict<Entity> {
    let draft = s.resource()?.with(TITLE, "one").with(SUMMARY, "two");
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

fn a_part_is_updated(s: &mut Session) -> Verdict {
    let entity = titled(s)?;
    let kind = s.resource()?.kind();
    let answer =
        s.client.post(&entity.url).text(&[attribute(TITLE, &"three".into())]).send()?.is(&[200, 201])?;
    answer.hold(answer.status != 201 || !answer.header("location").is_empty(), "Location with 201")?;
    answer.hold(answer.status != 200 || answer.read().has(&kind), "the entity's rendering with 200")?;
    shows(&get(s, &entity)?, TITLE, Some("three"))
}

fn only_what_is_sent_is_updated(s: &mut Session) -> Verdict {
    let entity = titled(s)?;
    let tag = s.make_tag()?;
    s.client
        .post(&entity.url)
        .text(&[attribute(TITLE, &"three".into())])
        .send()?
        .needed("update a resource")?;
    shows(&get(s, &entity)?, SUMMARY, Some("two"))?;
    let line = crate::draft::category(&tag.term, &tag.scheme, "mixin");
    let answer = s.client.post(&entity.url).text(&[line]).send()?;
    answer.hold(answer.succeeded(), "the Mixin added")?;
    let after = get(s, &entity)?;
    after.hold(after.read().has(&tag.id()), &format!("the Mixin that was added by {}", answer.asked))?;
    shows(&after, TITLE, Some("three"))
}

fn the_kind_cannot_change(s: &mut Session) -> Verdict {
    let entity = titled(s)?;
    let (kind, other) = (s.resource()?.kind(), s.other()?);
    let answer = s.client.post(&entity.url).text(&[other.category()]).send()?;
    let read = get(s, &entity)?.read();
    answer.hold(read.has(&kind) && !read.has(&other.kind()), "the Kind as it was")
}

fn put_replaces(s: &mut Session) -> Verdict {
    let entity = titled(s)?;
    let draft = s.resource()?.with(TITLE, "three");
    let answer = s.client.put(&entity.url).draft(&draft).send()?.is(&[200, 201])?;
    answer.hold(answer.status != 201 || !answer.header("location").is_empty(), "Location with 201")?;
    answer.hold(answer.status != 200 || answer.read().has(&draft.kind()), "the rendering with 200")?;
    shows(&get(s, &entity)?, TITLE, Some("three"))
}

fn what_is_missing_in_a_put_goes(s: &mut Session) -> Verdict {
    let entity = titled(s)?;
    let draft = s.resource()?.with(TITLE, "three");
    s.client.put(&entity.url).draft(&draft).send()?.needed("replace a resource")?;
    shows(&get(s, &entity)?, SUMMARY, None)
}

/// A PUT of a resource that has a link, with what may be in it beside the Kind.
fn put_source(s: &mut Session, lines: &[String]) -> Verdict<(Answer, Entity, Entity)> {
    let (source, link, _) = s.make_link()?;
    let read = s.read(&source)?;
    let draft = s.resources.iter().find(|draft| read.has(&draft.kind())).cloned();
    let Some(draft) = draft else { return crate::verdict::skip("the source of the link cannot be read") };
    let draft = lines.iter().fold(draft.with(TITLE, "put"), |draft, line| draft.link(line.clone()));
    let answer = s.client.put(&source.url).draft(&draft).send()?;
    Ok((answer, source, link))
}

fn put_keeps_links(s: &mut Session) -> Verdict {
    let (answer, source, link) = put_source(s, &[])?;
    answer.needed("replace a resource")?;
    let after = get(s, &source)?;
    let path = path_of(&link.url);
    let read = after.read();
    let kept = read.relations().any(|shown| shown.own.as_deref().map(path_of) == Some(path));
    after.hold(kept, &format!("the link {path}, which was there before the PUT"))
}

fn put_with_a_new_link_is_refused(s: &mut Session) -> Verdict {
    let (draft, _, target) = s.link_draft()?;
    let path = path_of(&target.url).to_owned();
    let Some((_, _, to)) = s.link else { return Ok(()) };
    let line = format!("Link: <{path}>; rel=\"{}\"; category=\"{}\"", s.resources[to].kind(), draft.kind());
    put_source(s, &[line])?.0.is(&[400]).map(drop)
}

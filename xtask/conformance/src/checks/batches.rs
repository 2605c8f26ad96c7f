//! Several things in one request: all of them, or none.

use serde_json::json;

use super::{Check, check};
use crate::answer::Answer;
use crate::draft::location;
use crate::session::Session;
use crate::tag::Tag;
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["H11-12"], an_association_is_whole),
    check(&["H11-12"], a_replacement_is_whole),
    check(&["H11-12"], a_creation_of_several_is_whole),
    check(&["HTTP-31"], several_are_created),
    check(&["HTTP-31", "JSON-06"], resources_and_links_are_created),
];

fn an_association_is_whole(s: &mut Session) -> Verdict {
    let (entity, tag, draft) = (s.make_resource()?, s.make_tag()?, s.resource()?);
    let missing = format!("{}{}", draft.location, s.name());
    let missing = s.client.url(&missing);
    let lines = [location(&entity.url), location(&missing)];
    let answer = s.client.post(&tag.location).text(&lines).send()?.refused()?;
    answer.hold(!s.read(&entity)?.has(&tag.id()), "nothing associated")
}

fn a_replacement_is_whole(s: &mut Session) -> Verdict {
    let (one, two, draft) = (s.make_resource()?, s.make_resource()?, s.resource()?);
    let tag = s.make_tag_on_only(&[&one])?;
    let missing = format!("{}{}", draft.location, s.name());
    let lines = [location(&two.url), location(&s.client.url(&missing))];
    let answer = s.client.put(&tag.location).text(&lines).send()?.refused()?;
    let members = s.listing(&tag.location)?;
    answer.hold(one.is_in(&members) && !two.is_in(&members), "the members as they were")
}

/// What a creation made, all of which has a Mixin of our own.
pub(super) fn members(s: &mut Session, tag: &Tag, answer: &Answer) -> Verdict<Vec<String>> {
    let mut members = s.listing(&tag.location)?;
    // Only what the answer names is claimed: a listing may show others, too.
    s.keep_all(&answer.read().locations);
    members.retain(|url| s.keep(url).is_some());
    if members.is_empty() {
        s.made(answer);
        // The answer need not say where the others are.
        while answer.succeeded() && s.find_lost().is_some() {}
    }
    Ok(members)
}

fn a_creation_of_several_is_whole(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let tag = s.make_tag()?;
    let right = draft.clone().mixin(tag.names());
    let wrong = draft.clone().mixin(("http://example.org/no/such#", "mixin"));
    let answer =
        s.client.post(&draft.location).json(&json!({"resources": [right.json(), wrong.json()]})).send()?;
    let members = members(s, &tag, &answer)?;
    if answer.succeeded() {
        return answer.refused().map(drop);
    }
    answer.hold(members.is_empty(), "nothing created")
}

/// A permission for servers; who takes it makes all of them.
fn several_are_created(s: &mut Session) -> Verdict {
    let (draft, tag) = (s.resource()?, s.make_tag()?);
    let one = draft.clone().mixin(tag.names()).json();
    let answer = s.client.post(&draft.location).json(&json!({"resources": [one, one]})).send()?;
    let members = members(s, &tag, &answer)?;
    if !answer.succeeded() {
        return skip(format!("the server creates one at a time: {}", answer.brief()));
    }
    answer.hold(members.len() == 2, "both entities created")
}

/// The same with a link between others: JSON has an array for each.
fn resources_and_links_are_created(s: &mut Session) -> Verdict {
    let (draft, tag, (link, _, _)) = (s.resource()?, s.make_tag()?, s.link_draft()?);
    let (resource, link) = (draft.clone().mixin(tag.names()), link.mixin(tag.names()));
    let both = json!({"resources": [resource.json()], "links": [link.json()]});
    let answer = s.client.post(&draft.location).json(&both).send()?;
    let members = members(s, &tag, &answer)?;
    if !answer.succeeded() {
        return skip(format!("the server creates one at a time: {}", answer.brief()));
    }
    answer.hold(members.len() == 2, "both created, the resource and the link")
}

//! Paths that are no location and no entity: each stands for all collections below it. A server may do without them; one
//! that has the root of the endpoint has them all.

use std::collections::HashSet;

use serde_json::Value;

use super::{Check, check};
use crate::answer::Answer;
use crate::client::{OCCI_JSON, TEXT_PLAIN, URI_LIST, path_of};
use crate::draft::{attribute, location};
use crate::session::{Entity, Session, TITLE};
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-04", "H11-02"], other_paths_list_what_is_below),
    check(&["HTTP-04"], mixins_are_below_as_well),
    check(&["H11-02"], other_paths_are_emptied),
];

const NOT_OURS: &str = "the server holds entities that are not ours to delete";

/// Whether something is at a path of its own.
fn is_location(s: &Session, path: &str) -> bool {
    let mut locations = s.model.types.iter().filter_map(|known| known.location.as_deref());
    locations.any(|location| path_of(location) == path)
}

/// The root of the endpoint, which is above all locations and is seldom one itself.
fn root(s: &Session) -> Verdict<String> {
    let root = s.client.below("");
    if is_location(s, path_of(&root)) {
        return skip("the root of the endpoint is a collection of its own");
    }
    Ok(root)
}

/// Goes on where the server has such paths: it lists the one that all have.
fn offered(s: &Session) -> Verdict {
    let root = root(s)?;
    if s.strangers.are_crowded() {
        let page = s.client.get(&root).query("page=1&number=1").accept(URI_LIST).send()?;
        if page.succeeded() {
            return Ok(());
        }
    }
    let answer = s.client.get(&root).accept(URI_LIST).send()?;
    if answer.succeeded() {
        Ok(())
    } else {
        skip(format!("the server does not offer it: {}", answer.brief()))
    }
}

/// The paths above a location that are none themselves, the root of the endpoint last.
fn above(s: &Session, location: &str) -> Vec<String> {
    let root = s.client.below("");
    let mut paths = Vec::new();
    let mut rest = path_of(location).trim_end_matches('/');
    while let Some((parent, _)) = rest.rsplit_once('/') {
        let path = format!("{parent}/");
        if !path.starts_with(path_of(&root)) {
            break;
        }
        if !is_location(s, &path) {
            paths.push(path);
        }
        rest = parent;
    }
    paths
}

/// The listing of a path in a form. One that is known to show a crowd is narrowed to what bears the title of this run, as
/// long as the members are in that: only a listing that is whole can lack one.
fn listed(
    s: &Session,
    path: &str,
    media_type: &'static str,
    has_members: impl Fn(&Answer) -> bool,
) -> Verdict<Answer> {
    if s.strangers.are_crowded() {
        let ours = [attribute(TITLE, &(*s.mark).into())];
        let answer = s.client.get(path).accept(media_type).occi(&ours).send()?;
        if answer.status == 200 && has_members(&answer) {
            return Ok(answer);
        }
    }
    s.client.get(path).accept(media_type).send()
}

/// Fails unless a path lists these, in each form of a listing.
fn lists(s: &Session, path: &str, members: &[&Entity], others: &[&Entity]) -> Verdict {
    let has_members = |answer: &Answer| {
        let found = answer.read().locations;
        members.iter().all(|entity| entity.is_in(&found))
    };
    // The shortest form is whole, however many there are.
    let whole = s.client.get(path).accept(URI_LIST).send()?;
    for answer in [whole, listed(s, path, TEXT_PLAIN, has_members)?] {
        let answer = answer.is(&[200])?;
        let found = answer.read().locations;
        if let Some(lost) = members.iter().find(|entity| !entity.is_in(&found)) {
            let expected = format!("the members of all collections below, with {}", path_of(&lost.url));
            return answer.wrong(&expected, answer.brief());
        }
        if let Some(foreign) = others.iter().find(|entity| entity.is_in(&found)) {
            let expected = format!("members of collections below, without {}", path_of(&foreign.url));
            return answer.wrong(&expected, answer.brief());
        }
    }
    lists_in_json(s, path, members)
}

/// JSON shows no paths: members are told by their ids.
fn lists_in_json(s: &Session, path: &str, members: &[&Entity]) -> Verdict {
    let mut ids = Vec::new();
    for member in members {
        let read = s.read(member)?;
        ids.extend(read.attribute("occi.core.id").and_then(Value::as_str).map(str::to_owned));
    }
    let lacks = |answer: &Answer| {
        let shown = ids_in(&answer.value());
        ids.iter().find(|id| !shown.contains(*id)).cloned()
    };
    let answer = listed(s, path, OCCI_JSON, |answer| lacks(answer).is_none())?;
    match lacks(&answer).filter(|_| answer.succeeded()) {
        None => Ok(()),
        Some(id) => {
            let expected = format!("the members of all collections below, with {id}");
            answer.wrong(&expected, answer.brief())
        }
    }
}

/// The ids in a collection. How a member is shown is for JSON-06.
fn ids_in(collection: &Value) -> HashSet<String> {
    let all = ["resources", "links"].into_iter().filter_map(|list| collection[list].as_array()).flatten();
    all.filter_map(|member| member["id"].as_str().or(member.as_str())).map(str::to_owned).collect()
}

fn other_paths_list_what_is_below(s: &mut Session) -> Verdict {
    s.resource()?;
    offered(s)?;
    let members = s.make_one_of_each();
    let mut paths: Vec<_> = members.iter().flat_map(|(location, _)| above(s, location)).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let below = members.iter().filter(|(location, _)| path_of(location).starts_with(&path));
        let below: Vec<_> = below.map(|(_, entity)| entity).collect();
        lists(s, &path, &below, &[])?;
    }
    Ok(())
}

/// Above the location of a Mixin of our own, where nothing else is.
fn mixins_are_below_as_well(s: &mut Session) -> Verdict {
    let (member, other) = (s.make_resource()?, s.make_resource()?);
    offered(s)?;
    let mut tag = s.tag_draft();
    tag.location = format!("{}-above/members/", tag.location.trim_end_matches('/'));
    let made = s.client.post("-/").text(&[tag.line()]).send()?;
    made.needed("make a Mixin with a path above its location")?;
    s.keep_tag(&tag);
    let tag = s.at_its_location(tag)?;
    let associated = s.client.post(&tag.location).text(&[location(&member.url)]).send()?;
    associated.needed("associate a Mixin")?;
    let root = root(s)?;
    let Some(path) = above(s, &tag.location).into_iter().find(|path| path != path_of(&root)) else {
        return skip(format!("the server put the Mixin elsewhere, at {}", tag.location));
    };
    lists(s, &path, &[&member], &[&other])
}

fn other_paths_are_emptied(s: &mut Session) -> Verdict {
    let (entity, root) = (s.make_resource()?, root(s)?);
    if s.strangers.may_be_there() {
        return skip(NOT_OURS);
    }
    // All that is there, as the root shows it and as each collection does.
    let drafts = s.resources.iter().chain(s.link.iter().map(|(draft, ..)| draft));
    for location in drafts.map(|draft| draft.location.clone()).collect::<Vec<_>>() {
        if !s.listing(&location)?.iter().all(|url| s.is_ours(url)) {
            return skip(NOT_OURS);
        }
    }
    match s.is_all_ours(&root, &entity) {
        Ok(true) => {}
        Ok(false) => return skip(NOT_OURS),
        Err(_) => return skip("the server does not offer it; see HTTP-04"),
    }
    s.client.delete(&root).send()?.is(&[200, 204])?;
    s.client.get(&entity.url).send()?.is(&[404, 410]).map(drop)
}

//! Links between resources.

use serde_json::Value;

use super::{Check, again, check};
use crate::client::{OCCI_JSON, path_of};
use crate::model::LINK;
use crate::rendering::{
    Content,
    Rendering::{self, Json, Occi, Plain},
};
use crate::session::{Entity, Session, TITLE, between};
use crate::verdict::{Verdict, skip};
use crate::wire::text::Text;

pub(super) const CHECKS: &[Check] = &[
    check(&["H11-24"], a_link_needs_its_ends),
    check(&["H11-24"], no_link_breaks_the_server),
    check(&["H11-23"], outgoing_links_are_shown),
    check(&["TXT-10", "H11-17"], links_say_what_they_join),
    check(&["H11-22"], |s| links_are_made_with_their_resource(s, Plain)),
    check(&["H11-22"], |s| again(s, Occi, links_are_made_with_their_resource)),
    check(&["JSON-11"], |s| again(s, Json, links_are_made_with_their_resource)),
    check(&["H11-24"], |s| again(s, Occi, a_link_is_made_directly)),
    check(&["JSON-10"], |s| again(s, Json, a_link_is_made_directly)),
    check(&["H11-20"], a_deleted_link_leaves_its_ends),
    check(&["CORE-42"], a_removed_link_is_destroyed),
    check(&["CORE-43"], a_source_is_inside),
    check(&["CORE-43"], a_target_may_be_outside),
    check(&["CORE-44"], the_kind_of_the_target_is_stated),
    check(&["JSON-11"], json_shows_whole_links),
    check(&["JSON-12"], json_shows_the_kinds_of_the_ends),
    check(&["JSON-12"], json_takes_the_kinds_of_the_ends),
    check(&["TXT-11"], text_shows_both_ends),
];

const OUTSIDE: &str = "http://example.org/conformance/elsewhere";

/// Whether a resource shows a link.
fn shows(resource: &Text, link: &Entity) -> bool {
    let path = path_of(&link.url);
    resource.relations().any(|shown| shown.own.as_deref().map(path_of) == Some(path))
}

fn a_link_needs_its_ends(s: &mut Session) -> Verdict {
    let draft = s.link_creation()?;
    let whole = s.client.post(&draft.location).draft(&draft).send()?.is(&[200, 201])?;
    s.made(&whole);
    for end in ["occi.core.source", "occi.core.target"] {
        let answer = s.client.post(&draft.location).draft(&draft.clone().without(end)).send()?;
        s.made(&answer);
        answer.refused()?;
    }
    Ok(())
}

fn no_link_breaks_the_server(s: &mut Session) -> Verdict {
    s.link_creation()?;
    s.no_link_broke_it()?;
    // That alone says nothing of links.
    skip("no creation of a link broke the server, and of none it could be told what it made")
}

fn outgoing_links_are_shown(s: &mut Session) -> Verdict {
    let (source, link, target) = s.make_link()?;
    let at_source = s.client.get(&source.url).send()?.is(&[200])?;
    at_source.hold(shows(&at_source.read(), &link), "the link that leaves it")?;
    let at_target = s.client.get(&target.url).send()?.is(&[200])?;
    at_target.hold(!shows(&at_target.read(), &link), "no link that comes to it")
}

/// `rel` is the Kind of the target, `category` has the Kind of the link.
fn links_say_what_they_join(s: &mut Session) -> Verdict {
    let (source, link, _) = s.make_link()?;
    let Some((draft, _, to)) = s.link.clone() else { return Ok(()) };
    let answer = s.client.get(&source.url).send()?.is(&[200])?;
    let read = answer.read();
    let path = path_of(&link.url);
    let Some(shown) = read.relations().find(|shown| shown.own.as_deref().map(path_of) == Some(path)) else {
        return answer.wrong("the link that leaves it", answer.brief());
    };
    let of_target = s.resources[to].kind();
    let rel = &shown.rel;
    answer.hold(
        rel.split(' ').any(|id| id == of_target),
        &format!("rel=\"{of_target}\", the Kind of the target"),
    )?;
    let own = draft.kind();
    let category = shown.category.as_deref().unwrap_or_default();
    answer.hold(category.split(' ').any(|id| id == own), &format!("the Kind {own} in `category`"))
}

fn links_are_made_with_their_resource(s: &mut Session, rendering: Rendering) -> Verdict {
    let ((first, draft), (second, _)) = (s.inline()?, s.inline()?);
    let resource = draft.link(first).link(second);
    let request = s.client.post(&resource.location).says(rendering, &Content::Whole(&resource));
    let made = request.send()?.is(&[200, 201])?;
    let Some(entity) = s.made(&made) else {
        return skip("the server does not say where the new resource is");
    };
    s.holds_links(&made, &entity, &resource.links)
}

fn a_link_is_made_directly(s: &mut Session, rendering: Rendering) -> Verdict {
    let (draft, source, _) = s.link_draft()?;
    let answer =
        s.client.post(&draft.location).says(rendering, &Content::Whole(&draft)).send()?.is(&[200, 201])?;
    let link = s.located(&answer, &draft)?;
    s.holds_draft(&answer, &link, &draft)?;
    let at_source = s.client.get(&source.url).send()?.is(&[200])?;
    at_source.hold(shows(&at_source.read(), &link), "the link that leaves it")
}

fn a_deleted_link_leaves_its_ends(s: &mut Session) -> Verdict {
    let (source, link, target) = s.make_link()?;
    s.client.delete(&link.url).send()?.is(&[200, 204])?;
    for end in [source, target] {
        let answer = s.client.get(&end.url).send()?.is(&[200])?;
        answer.hold(!shows(&answer.read(), &link), "no link that was deleted")?;
    }
    Ok(())
}

fn a_removed_link_is_destroyed(s: &mut Session) -> Verdict {
    let (source, link, target) = s.make_link()?;
    s.client.delete(&source.url).send()?.needed("delete the source of a link")?;
    s.client.get(&link.url).send()?.is(&[404, 410])?;
    s.client.get(&target.url).send()?.is(&[200]).map(drop)
}

fn a_source_is_inside(s: &mut Session) -> Verdict {
    let (draft, _, target) = s.link_draft()?;
    let answer = s.client.post(&draft.location).draft(&between(&draft, OUTSIDE, &target.url)).send()?;
    s.made(&answer);
    answer.refused().map(drop)
}

fn a_target_may_be_outside(s: &mut Session) -> Verdict {
    let (mut draft, source, _) = s.link_draft()?;
    // A Kind may want its targets to be of this server; the core's own Link wants nothing of the sort.
    let own = s.model.find(LINK).is_some();
    if let Some(location) = s.model.find(LINK).and_then(|kind| kind.location.clone()) {
        draft.attributes.retain(|(name, _)| name == TITLE);
        LINK.trim_end_matches("link").clone_into(&mut draft.scheme);
        (draft.term, draft.location) = ("link".into(), location);
    }
    let answer = s.client.post(&draft.location).draft(&between(&draft, &source.url, OUTSIDE)).send()?;
    if !answer.succeeded() && (!own || matches!(answer.status, 404 | 405)) {
        return skip("the server makes no core#link, the Kind that takes any target");
    }
    let Some(link) = s.made(&answer.is(&[200, 201])?) else { return Ok(()) };
    let answer = s.client.get(&link.url).send()?.is(&[200])?;
    let target = answer.read().attribute("occi.core.target").cloned();
    answer.hold(target == Some(OUTSIDE.into()), "the target outside, as it was given")
}

fn the_kind_of_the_target_is_stated(s: &mut Session) -> Verdict {
    let (_, link, _) = s.make_link()?;
    let Some((_, _, to)) = s.link else { return Ok(()) };
    let answer = s.client.get(&link.url).send()?.is(&[200])?;
    match answer.read().attribute("occi.core.target.kind") {
        None => skip("the server does not state it"),
        Some(kind) => answer.hold(*kind == s.resources[to].kind(), "the Kind of the target"),
    }
}

/// A resource with a link, and the link, in JSON; the ends that it joins.
fn in_json(s: &mut Session) -> Verdict<(crate::answer::Answer, Value, [Entity; 2])> {
    let (source, _, target) = s.make_link()?;
    let answer = s.client.get(&source.url).accept(OCCI_JSON).send()?.is(&[200])?;
    let link = answer.value()["links"][0].clone();
    Ok((answer, link, [source, target]))
}

fn json_shows_whole_links(s: &mut Session) -> Verdict {
    let (answer, link, ends) = in_json(s)?;
    let whole = ["kind", "id", "source", "target"].iter().all(|member| !link[member].is_null());
    answer.hold(whole, "the link as a whole object in links")?;
    for (member, end) in ["source", "target"].into_iter().zip(ends) {
        let Some(shown) = link[member]["location"].as_str() else { continue };
        let path = path_of(&end.url);
        answer.hold(path_of(shown) == path, &format!("{path} as the location of the {member}"))?;
    }
    let answer = s.client.get("-/").accept(OCCI_JSON).send()?.is(&[200])?;
    answer.hold(answer.value()["kinds"].is_array(), "one object with kinds, mixins and actions")
}

fn json_shows_the_kinds_of_the_ends(s: &mut Session) -> Verdict {
    let (answer, link, _) = in_json(s)?;
    if link.is_null() {
        return skip("JSON shows no link; see JSON-11");
    }
    let Some((_, from, to)) = s.link else { return Ok(()) };
    let right = link["source"]["kind"] == s.resources[from].kind()
        && link["target"]["kind"] == s.resources[to].kind();
    answer.hold(right, "the Kinds of source and target")
}

/// Clients send what they were shown. That a link is taken without the Kinds of its ends is for JSON-10 to say.
fn json_takes_the_kinds_of_the_ends(s: &mut Session) -> Verdict {
    s.speaks(Json)?;
    let (draft, _, _) = s.link_draft()?;
    let Some((_, from, to)) = s.link else { return Ok(()) };
    let mut object = draft.json();
    object["source"]["kind"] = s.resources[from].kind().into();
    object["target"]["kind"] = s.resources[to].kind().into();
    let answer = s.client.post(&draft.location).json(&object).send()?.is(&[200, 201])?;
    let link = s.located(&answer, &draft)?;
    s.holds_draft(&answer, &link, &draft.without(TITLE))
}

fn text_shows_both_ends(s: &mut Session) -> Verdict {
    let (source, link, target) = s.make_link()?;
    let answer = s.client.get(&link.url).send()?.is(&[200])?;
    let read = answer.read();
    for (name, end) in [("occi.core.source", source), ("occi.core.target", target)] {
        let shown = read.attribute(name).and_then(Value::as_str).map(path_of);
        answer.hold(shown == Some(path_of(&end.url)), &format!("{name}, where it is"))?;
    }
    answer.hold(read.lines.is_sorted(), "Categories, Links, Attributes, in this order")?;
    answer.hold(read.relations().next().is_none(), "no links of a link")
}

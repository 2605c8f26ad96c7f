//! Mixins that clients make and destroy at the query interface.

use serde_json::json;

use super::{Check, check};
use crate::draft::{category, location};
use crate::model::RESERVED;
use crate::session::Session;
use crate::tag::Tag;
use crate::verdict::{Verdict, skip};
use crate::wire::category::Class;

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-20", "H11-07"], a_mixin_is_added),
    check(&["JSON-01"], a_mixin_is_added_in_json),
    check(&["H11-07"], a_mixin_is_added_once),
    check(&["HTTP-21"], a_mixin_is_removed),
    check(&["JSON-01"], a_mixin_is_removed_in_json),
    check(&["CORE-47"], clients_make_and_destroy_mixins),
    check(&["CORE-27"], a_mixin_without_attributes_is_a_tag),
    check(&["CORE-07"], the_reserved_base_is_refused),
    check(&["H11-08"], a_removed_mixin_is_taken_off),
    check(&["H11-08"], a_providers_mixin_stays),
];

/// Whether the query interface shows it, and how often.
pub(super) fn shown(s: &Session, tag: &Tag) -> Verdict<usize> {
    let all = s.client.get("-/").send()?.needed("read the query interface")?.read();
    Ok(all.categories.iter().filter(|category| category.id() == tag.id()).count())
}

fn a_mixin_is_added(s: &mut Session) -> Verdict {
    let tag = s.tag_draft();
    let answer = s.client.post("-/").text(&[tag.line()]).send()?;
    if answer.succeeded() {
        s.keep_tag(&tag);
    }
    let answer = answer.is(&[200])?;
    answer.hold(shown(s, &tag)? == 1, "the new Mixin in the query interface")
}

fn a_mixin_is_added_in_json(s: &mut Session) -> Verdict {
    let tag = s.tag_draft();
    let mixin = json!({"mixins": [{"term": tag.term, "scheme": tag.scheme, "location": tag.location}]});
    let answer = s.client.post("-/").json(&mixin).send()?;
    if answer.succeeded() {
        s.keep_tag(&tag);
    }
    let answer = answer.is(&[200])?;
    answer.hold(shown(s, &tag)? == 1, "the new Mixin in the query interface")
}

fn a_mixin_is_added_once(s: &mut Session) -> Verdict {
    let tag = s.make_tag()?;
    let answer = s.client.post("-/").text(&[tag.line()]).send()?;
    answer.hold(
        answer.succeeded() || (400..500).contains(&answer.status),
        "success, or a refusal of the collision",
    )?;
    answer.hold(shown(s, &tag)? == 1, "the Mixin once in the query interface")
}

fn a_mixin_is_removed(s: &mut Session) -> Verdict {
    let tag = s.make_tag()?;
    let answer = s.client.delete("-/").text(&[tag.line()]).send()?.is(&[200])?;
    answer.hold(shown(s, &tag)? == 0, "no such Mixin in the query interface any more")
}

fn a_mixin_is_removed_in_json(s: &mut Session) -> Verdict {
    let tag = s.make_tag()?;
    let mixin = json!({"mixins": [{"term": tag.term, "scheme": tag.scheme, "location": tag.location}]});
    let answer = s.client.delete("-/").json(&mixin).send()?.is(&[200])?;
    answer.hold(shown(s, &tag)? == 0, "no such Mixin in the query interface any more")
}

fn clients_make_and_destroy_mixins(s: &mut Session) -> Verdict {
    let tag = s.tag_draft();
    let made = s.client.post("-/").text(&[tag.line()]).send()?;
    made.hold(made.succeeded(), "a Mixin of the client's own")?;
    s.keep_tag(&tag);
    made.hold(shown(s, &tag)? == 1, "the new Mixin in the query interface")?;
    let destroyed = s.client.delete("-/").text(&[tag.line()]).send()?;
    destroyed.hold(destroyed.succeeded(), "the Mixin destroyed")?;
    destroyed.hold(shown(s, &tag)? == 0, "no such Mixin in the query interface any more")
}

fn a_mixin_without_attributes_is_a_tag(s: &mut Session) -> Verdict {
    let entity = s.make_resource()?;
    let tag = s.make_tag()?;
    let answer = s.client.post(&tag.location).text(&[location(&entity.url)]).send()?;
    answer.hold(answer.succeeded(), "the tag on the resource")
}

/// By a server that takes Mixins with other bases: one that takes none does not look at the base.
fn the_reserved_base_is_refused(s: &mut Session) -> Verdict {
    s.make_tag()?;
    let mut tag = s.tag_draft();
    tag.scheme = format!("{RESERVED}conformance#");
    let answer = s.client.post("-/").text(&[tag.line()]).send()?;
    if answer.succeeded() {
        s.keep_tag(&tag);
    }
    answer.refused().map(drop)
}

fn a_removed_mixin_is_taken_off(s: &mut Session) -> Verdict {
    let entity = s.make_resource()?;
    let tag = s.make_tag_on(&[&entity])?;
    if !s.read(&entity)?.has(&tag.id()) {
        return skip("the entity does not show the Mixin that was put on it; see HTTP-32");
    }
    s.client.delete("-/").text(&[tag.line()]).send()?.needed("remove a Mixin")?;
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    answer.hold(!answer.read().has(&tag.id()), "the entity without the Mixin that was removed")
}

/// Only one that no entity has is tried, and it is put back if the server lets it go: not ours to lose. What it had of
/// attributes cannot be put back by a client, so this is asked only of those who may be asked.
fn a_providers_mixin_stays(s: &mut Session) -> Verdict {
    if !s.is_daring {
        return skip("asked only with --daring, as a wrong server loses a Mixin of its own by it");
    }
    let mixins: Vec<_> = s.model.of(Class::Mixin).cloned().collect();
    for mixin in &mixins {
        // Attributes, actions and limits are what clients' Mixins cannot have.
        let providers = mixin.is_reserved() || !mixin.attributes.is_empty() || !mixin.actions.is_empty();
        let Some(path) = mixin.location.as_deref().filter(|_| providers) else { continue };
        if s.strangers.may_be_in(path) || !s.listing(path)?.is_empty() {
            continue;
        }
        let line = format!("{}; location=\"{path}\"", category(&mixin.term, &mixin.scheme, "mixin"));
        let answer = s.client.delete("-/").text(&[&line]).send()?;
        if answer.succeeded() {
            s.left
                .push(format!("let go by the server, and made again as far as a client can: {}", mixin.id()));
            s.client.post("-/").text(&[&line]).send()?;
        }
        return answer.is(&[403]).map(drop);
    }
    skip("the server has no Mixin of its own that no entity has")
}

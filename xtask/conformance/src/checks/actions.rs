//! Actions on entities and on collections: how they are invoked. What they lead to is in `effects`.

use super::{Check, again, check};
use crate::client::path_of;
use crate::draft::{Draft, category};
use crate::model::Type;
use crate::rendering::{
    Content,
    Rendering::{self, Json, Occi, Plain},
};
use crate::session::{Entity, Session};
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-27", "CORE-29"], |s| an_action_is_invoked(s, Plain)),
    check(&["HTTP-27"], |s| again(s, Occi, an_action_is_invoked)),
    check(&["HTTP-27", "JSON-14"], |s| again(s, Json, an_action_is_invoked)),
    check(&["HTTP-27"], the_query_names_the_action),
    check(&["TXT-10", "HTTP-27"], a_link_leads_to_its_action),
    check(&["TXT-12"], an_invocation_has_one_category),
    check(&["H11-21"], an_unavailable_action_is_refused),
    check(&["CORE-30"], all_members_have_the_action),
    check(&["H11-10"], the_collection_has_the_action),
    check(&["HTTP-33"], an_action_is_invoked_on_a_collection),
];

/// A new entity, and an action that it shows and that needs no parameters.
pub(super) fn actionable(s: &mut Session) -> Verdict<(Draft, Entity, Type)> {
    for draft in s.resources.clone() {
        let entity = s.make(&draft)?;
        let rels: Vec<_> = s.read(&entity)?.actions().map(|link| link.rel.clone()).collect();
        for action in rels.iter().filter_map(|rel| s.model.find(rel)) {
            if !action.attributes.iter().any(|attribute| attribute.required) {
                return Ok((draft, entity, action.clone()));
            }
        }
    }
    skip("no resource shows an action that needs no parameters")
}

pub(super) fn line(action: &Type) -> String {
    category(&action.term, &action.scheme, "action")
}

pub(super) fn query(action: &Type) -> String {
    format!("action={}", action.term)
}

fn an_action_is_invoked(s: &mut Session, rendering: Rendering) -> Verdict {
    let (_, entity, action) = actionable(s)?;
    let request = s.client.post(&entity.url).query(&query(&action));
    request.says(rendering, &Content::Invocation(&action, &[])).send()?.is(&[200]).map(drop)
}

fn the_query_names_the_action(s: &mut Session) -> Verdict {
    let (_, entity, action) = actionable(s)?;
    let other = s.client.post(&entity.url).query("action=no-such-action").text(&[line(&action)]);
    other.send()?.refused().map(drop)
}

/// The link of an action is the entity's own path, and names the action as `rel` does.
fn a_link_leads_to_its_action(s: &mut Session) -> Verdict {
    let (_, entity, _) = actionable(s)?;
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    for link in answer.read().actions() {
        let term = link.rel.rsplit('#').next().unwrap_or_default();
        let right = format!("{}?action={term}", path_of(&entity.url));
        answer.hold(path_of(&link.target) == right, &format!("<{right}> as the link of {}", link.rel))?;
    }
    Ok(())
}

fn an_invocation_has_one_category(s: &mut Session) -> Verdict {
    let (draft, entity, action) = actionable(s)?;
    let none = ["X-OCCI-Attribute: method=\"graceful\"".to_owned()];
    let wrong = [draft.category()];
    let two = [line(&action), draft.category()];
    for lines in [&none[..], &wrong[..], &two[..]] {
        s.client.post(&entity.url).query(&query(&action)).text(lines).send()?.refused()?;
    }
    Ok(())
}

fn an_unavailable_action_is_refused(s: &mut Session) -> Verdict {
    for draft in s.resources.clone() {
        let (kind, entity) = (s.kind(&draft)?, s.make(&draft)?);
        let shown: Vec<_> = s.read(&entity)?.actions().map(|link| link.rel.clone()).collect();
        let hidden = kind.actions.iter().filter(|action| !shown.contains(action));
        let hidden = hidden
            .filter_map(|action| s.model.find(action))
            .find(|action| !action.attributes.iter().any(|attribute| attribute.required));
        if let Some(action) = hidden {
            let request = s.client.post(&entity.url).query(&query(action)).text(&[line(action)]);
            return request.send()?.refused().map(drop);
        }
    }
    skip("every resource that can be made here shows all its actions")
}

fn all_members_have_the_action(s: &mut Session) -> Verdict {
    let (draft, entity, action) = actionable(s)?;
    let other = s.resources.iter().find(|other| other.kind() != draft.kind()).cloned();
    let Some(other) = other else { return s.other().map(drop) };
    let stranger = s.make(&other)?;
    let tag = s.make_tag_on_only(&[&entity, &stranger])?;
    let before = s.read(&entity)?.attributes;
    let answer =
        s.client.post(&tag.location).query(&query(&action)).text(&[line(&action)]).send()?.refused()?;
    answer.hold(s.read(&entity)?.attributes == before, "no member changed")
}

fn the_collection_has_the_action(s: &mut Session) -> Verdict {
    let (draft, _, action) = actionable(s)?;
    let other = s.resources.iter().find(|other| other.kind() != draft.kind()).cloned();
    let Some(other) = other else { return s.other().map(drop) };
    let member = s.make(&other)?;
    s.ours_alone(&other.location, &member)?;
    // With a member that does not have the action, and with none: of no members, all have it.
    for has_member in [true, false] {
        if !has_member {
            s.tidy();
            if !s.listing(&other.location)?.is_empty() {
                return skip("entities that are not ours came meanwhile");
            }
        }
        let request = s.client.post(&other.location).query(&query(&action)).text(&[line(&action)]);
        request.send()?.refused()?;
    }
    Ok(())
}

fn an_action_is_invoked_on_a_collection(s: &mut Session) -> Verdict {
    let (draft, entity, action) = actionable(s)?;
    s.ours_alone(&draft.location, &entity)?;
    let before = s.read(&entity)?.attributes;
    let request = s.client.post(&draft.location).query(&query(&action)).text(&[line(&action)]);
    let answer = request.send()?.is(&[200])?;
    // What an action does is its own affair, but on a collection it does it to the members.
    let single = s.make(&draft)?;
    s.client
        .post(&single.url)
        .query(&query(&action))
        .text(&[line(&action)])
        .send()?
        .needed("invoke an action")?;
    let changes = s.read(&single)?.attributes.iter().any(|(name, value)| {
        let was = before.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        name.strip_suffix(".state").is_some() && was != Some(value)
    });
    let changed = s.read(&entity)?.attributes != before;
    answer.hold(changed || !changes, "the member changed as by an action on itself")
}

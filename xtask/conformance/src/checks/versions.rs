//! Which version is spoken. That every answer names it in `Server` is watched by `observe`.

use std::collections::BTreeSet;

use super::actions::{actionable, line, query};
use super::batches::members;
use super::effects::settled;
use super::tags::shown;
use super::{Check, check};
use crate::answer::Answer;
use crate::client::Request;
use crate::draft::attribute;
use crate::session::{Entity, Session, TITLE};
use crate::verdict::Verdict;

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-11", "H11-29"], newer_clients_are_told),
    check(&["HTTP-11", "H11-29"], newer_clients_make_nothing),
    check(&["HTTP-11", "H11-29"], newer_clients_put_nothing),
    check(&["HTTP-11", "H11-29"], newer_clients_change_nothing),
    check(&["HTTP-11", "H11-29"], newer_clients_invoke_nothing),
    check(&["HTTP-11", "H11-29"], newer_clients_add_and_remove_no_mixins),
    check(&["HTTP-11"], known_clients_are_served),
    check(&["HTTP-10", "H11-29"], every_method_names_the_version),
];

fn ask(s: &Session, agent: &str) -> Verdict<Answer> {
    s.client.get("-/").only("User-Agent", Some(agent)).send()
}

fn newer_clients_are_told(s: &mut Session) -> Verdict {
    for agent in ["some-client/1.0 OCCI/1.3", "OCCI/2.0 (linux)"] {
        ask(s, agent)?.is(&[501])?;
    }
    Ok(())
}

/// Sends what a newer client may mean in another way than we do. What it asks for must not be done.
fn of_newer_client(request: Request<'_>) -> Verdict<Answer> {
    request.only("User-Agent", Some("some-client/1.0 OCCI/1.3")).send()
}

fn newer_clients_make_nothing(s: &mut Session) -> Verdict {
    let tag = s.make_tag()?;
    let draft = s.resource()?.mixin(tag.names());
    let answer = of_newer_client(s.client.post(&draft.location).draft(&draft))?;
    let made = members(s, &tag, &answer)?;
    let answer = answer.is(&[501])?;
    answer.hold(made.is_empty(), "nothing created")
}

fn newer_clients_put_nothing(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let path = format!("{}{}", draft.location, s.name());
    let url = s.client.url(&path);
    let answer = of_newer_client(s.client.put(&url).draft(&draft))?;
    // That what is not there is 404 is for H11-30.
    let is_made = s.client.get(&url).send()?.read().has(&draft.kind());
    if is_made {
        s.keep(&url);
    }
    // 405: by a server that makes nothing by PUT, for whomever.
    answer.is(&[405, 501])?.hold(!is_made, "nothing created")
}

/// Fails unless a request is refused, and its entity goes on to show what it showed before.
fn is_left(s: &Session, entity: &Entity, before: &BTreeSet<String>, request: Request<'_>) -> Verdict {
    // 405: by a server that has no such method there, for whomever.
    let answer = of_newer_client(request)?.is(&[405, 501])?;
    let after = s.client.get(&entity.url).send()?;
    let same = after.succeeded() && after.read().facts() == *before;
    answer.hold(same, "the entity as it was, since the request was refused")
}

fn newer_clients_change_nothing(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let entity = s.make(&draft)?;
    let before = settled(s, &entity)?;
    let update = s.client.post(&entity.url).text(&[attribute(TITLE, &s.title("changed").into())]);
    is_left(s, &entity, &before, update)?;
    let replacement = s.client.put(&entity.url).draft(&draft.with(TITLE, s.title("replaced")));
    is_left(s, &entity, &before, replacement)?;
    is_left(s, &entity, &before, s.client.delete(&entity.url))
}

fn newer_clients_invoke_nothing(s: &mut Session) -> Verdict {
    let (_, entity, action) = actionable(s)?;
    let before = settled(s, &entity)?;
    let invocation = s.client.post(&entity.url).query(&query(&action)).text(&[line(&action)]);
    is_left(s, &entity, &before, invocation)
}

fn newer_clients_add_and_remove_no_mixins(s: &mut Session) -> Verdict {
    let (old, new) = (s.make_tag()?, s.tag_draft());
    let answer = of_newer_client(s.client.post("-/").text(&[new.line()]))?;
    let is_added = shown(s, &new)? > 0;
    if is_added {
        s.keep_tag(&new);
    }
    answer.is(&[501])?.hold(!is_added, "no Mixin added")?;
    let answer = of_newer_client(s.client.delete("-/").text(&[old.line()]))?.is(&[501])?;
    answer.hold(shown(s, &old)? == 1, "the Mixin, still there")
}

fn known_clients_are_served(s: &mut Session) -> Verdict {
    for agent in ["some-client/4.3 (linux) OCCI/1.1", "some-client/1.0 OCCI/1.2"] {
        ask(s, agent)?.is(&[200])?;
    }
    Ok(())
}

/// Also the answers that say little else; `observe` looks at them.
fn every_method_names_the_version(s: &mut Session) -> Verdict {
    for method in ["HEAD", "OPTIONS", "PATCH", "CONFORM"] {
        s.client.request(method, "-/").send()?;
    }
    Ok(())
}

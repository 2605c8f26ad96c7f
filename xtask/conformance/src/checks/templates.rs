//! Templates of systems and of sizes: how they are described, used at creation, and replaced.

use serde_json::Value;

use super::infrastructure_actions::saved_template;
use super::{Check, check};
use crate::answer::Answer;
use crate::client::path_of;
use crate::draft::{Draft, category, location};
use crate::model::{Attribute, Type, shown};
use crate::provision::with_type;
use crate::readback::is_same;
use crate::session::{Entity, Session};
use crate::standard::{COMPUTE, OS_TPL, RESOURCE_TPL};
use crate::values::candidates;
use crate::verdict::{Stop, Verdict, fail, skip};
use crate::wire::text::Text;

pub(super) const CHECKS: &[Check] = &[
    check(&["INF-11"], |s| their_root_is_there(s, OS_TPL)),
    check(&["INF-16"], |s| their_root_is_there(s, RESOURCE_TPL)),
    check(&["INF-11"], |s| a_template_is_used(s, OS_TPL)),
    check(&["INF-16"], |s| a_template_is_used(s, RESOURCE_TPL)),
    check(&["INF-12"], |s| a_template_gives_its_defaults(s, OS_TPL)),
    check(&["INF-13"], |s| another_template_replaces_it(s, OS_TPL, By::Entity)),
    check(&["INF-13"], |s| another_template_replaces_it(s, OS_TPL, By::Collection)),
    check(&["INF-13"], |s| two_templates_are_not_given_at_once(s, OS_TPL)),
    check(&["INF-14"], a_template_overrides_what_is_given_with_it),
    check(&["INF-14"], a_template_overrides_what_is_there),
    check(&["INF-15"], templates_show_their_defaults),
    check(&["INF-17"], |s| another_template_replaces_it(s, RESOURCE_TPL, By::Entity)),
    check(&["INF-17"], |s| another_template_replaces_it(s, RESOURCE_TPL, By::Collection)),
    check(&["INF-17"], |s| two_templates_are_not_given_at_once(s, RESOURCE_TPL)),
];

const ASKED: &str = "GET /-/";

/// Templates that are tried, at most: a provider may have thousands.
const TRIED: usize = 12;

/// The templates of a root that are offered; none is not applicable.
fn offered(s: &Session, root: &str) -> Verdict<Vec<Type>> {
    let mut templates = s.templates(root);
    templates.truncate(TRIED);
    if templates.is_empty() {
        skip(format!("no template is offered that depends on {root}"))
    } else {
        Ok(templates)
    }
}

/// So many of them. An operating system of our own can be had by saving a compute.
fn several(s: &mut Session, root: &str, count: usize) -> Verdict<Vec<Type>> {
    let mut templates = s.templates(root);
    templates.truncate(count);
    while templates.len() < count {
        if root != OS_TPL {
            return skip(format!("fewer than {count} templates are offered that depend on {root}"));
        }
        templates.push(saved_template(s)?);
    }
    Ok(templates)
}

/// It is described if any template names it.
fn their_root_is_there(s: &mut Session, root: &str) -> Verdict {
    let template = offered(s, root)?.remove(0);
    match s.model.find(root) {
        Some(_) => Ok(()),
        None => fail(ASKED, format!("{root}, which {} depends on", template.id()), "it is not described"),
    }
}

/// A creation with a template, of a compute that says no more.
fn draft_with(s: &mut Session, template: &Type) -> Verdict<Draft> {
    Ok(with_type(s.standard_draft(&COMPUTE)?, template))
}

/// Each that is offered, as far as the provider is able to.
fn a_template_is_used(s: &mut Session, root: &str) -> Verdict {
    let templates = several(s, root, 1)?;
    let all = offered(s, root).unwrap_or(templates);
    s.make_standard(&COMPUTE)?;
    let mut unable = None;
    let mut any = false;
    for template in &all {
        let draft = draft_with(s, template)?;
        let answer = s.client.post(&draft.location).draft(&draft).send()?;
        match answer.able(&format!("a compute with the offered template {}", template.id())) {
            Ok(answer) => {
                let entity = s.located(&answer, &draft)?;
                let shown = s.client.get(&entity.url).send()?.is(&[200])?;
                shown.hold(shown.read().has(&template.id()), &format!("the template {}", template.id()))?;
                any = true;
            }
            Err(stop @ Stop::Failed(_)) => return Err(stop),
            Err(stop) => unable = Some(stop),
        }
        s.remove_made();
    }
    if any { Ok(()) } else { unable.map_or(Ok(()), Err) }
}

/// The values that a template gives to what it is used for.
fn defaults(template: &Type) -> Vec<(String, Value)> {
    let given = template.attributes.iter().filter(|attribute| !attribute.default.is_null());
    given.map(|attribute| (attribute.name.clone(), attribute.default.clone())).collect()
}

/// Whether a value is the one that was given. Whether a number is rightly shown without quotation marks is another question.
fn means(is: &Value, given: &Value) -> bool {
    let number = is.as_str().and_then(|text| text.parse::<f64>().ok());
    is_same(is, given) || number.is_some() && number == given.as_f64()
}

/// Fails unless a compute shows these values, at once or after a while: to resize one takes its time.
pub(super) fn shows_values(s: &Session, entity: &Entity, values: &[(String, Value)], of: &str) -> Verdict {
    let is_shown =
        |read: &Text, name: &str, value: &Value| read.attribute(name).is_some_and(|is| means(is, value));
    s.awaited(entity, |read| values.iter().all(|(name, value)| is_shown(read, name, value)))?;
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    let read = answer.read();
    match values.iter().find(|(name, value)| !is_shown(&read, name, value)) {
        None => Ok(()),
        Some((name, value)) => answer.wrong(&format!("{name}={value}, of {of}"), shown(read.attribute(name))),
    }
}

fn a_template_gives_its_defaults(s: &mut Session, root: &str) -> Verdict {
    let templates = offered(s, root)?;
    let Some(template) = templates.iter().find(|one| !defaults(one).is_empty()) else {
        return skip(format!("no template that depends on {root} has an attribute with a default"));
    };
    let values = defaults(template);
    let draft = draft_with(s, template)?;
    let draft = values.iter().fold(draft, |draft, (name, _)| draft.without(name));
    let entity = s.make(&draft)?;
    shows_values(s, &entity, &values, &template.id())
}

/// How an entity comes to a Mixin: by an update of itself, or as a member of the Mixin's collection.
#[derive(Clone, Copy)]
pub(super) enum By {
    Entity,
    Collection,
}

/// Puts a template on an entity of ours.
pub(super) fn put_on(s: &Session, entity: &Entity, template: &Type, by: By) -> Verdict<Answer> {
    match by {
        By::Entity => {
            let line = category(&template.term, &template.scheme, "mixin");
            s.client.post(&entity.url).text(&[line]).send()
        }
        By::Collection => {
            let Some(path) = template.location.as_deref() else {
                return skip(format!("{} has no location", template.id()));
            };
            s.client.post(path_of(path)).text(&[location(&entity.url)]).send()
        }
    }
}

/// Whichever way it goes, there are never two; and what is answered with an error is not done by halves.
fn another_template_replaces_it(s: &mut Session, root: &str, by: By) -> Verdict {
    let [one, two] = &several(s, root, 2)?[..] else { return skip("there are not two templates") };
    let (one, two) = (one.clone(), two.clone());
    let draft = draft_with(s, &one)?;
    let entity = s.make(&draft)?;
    if !s.read(&entity)?.has(&one.id()) {
        return skip("the compute does not show the template that it was made with; see INF-11 and INF-16");
    }
    let answer = put_on(s, &entity, &two, by)?;
    let read = s.read(&entity)?;
    let (has_one, has_two) = (read.has(&one.id()), read.has(&two.id()));
    if !answer.succeeded() {
        answer.hold(has_one && !has_two, &format!("{}, as it was before the error", one.id()))?;
        // That it cannot be done is an answer that INF-13 allows, and INF-17 does not.
        return if root == OS_TPL {
            answer.hold(answer.status >= 400, "an error")
        } else {
            answer.able("the template").map(drop)
        };
    }
    answer.hold(has_two && !has_one, &format!("{} in place of {}", two.id(), one.id()))?;
    shows_values(s, &entity, &defaults(&two), &two.id())
}

/// Where both are named at once, one is taken or none; whatever else is wrong with that.
fn two_templates_are_not_given_at_once(s: &mut Session, root: &str) -> Verdict {
    let [one, two] = &several(s, root, 2)?[..] else { return skip("there are not two templates") };
    let draft = with_type(draft_with(s, one)?, two);
    are_not_both(s, &draft, one, two)
}

/// Fails if a creation comes to have both templates.
pub(super) fn are_not_both(s: &mut Session, draft: &Draft, one: &Type, two: &Type) -> Verdict {
    let answer = s.client.post(&draft.location).draft(draft).send()?;
    if !answer.succeeded() {
        return Ok(());
    }
    let entity = s.located(&answer, draft)?;
    let shown = s.client.get(&entity.url).send()?.is(&[200])?;
    let read = shown.read();
    shown
        .hold(!(read.has(&one.id()) && read.has(&two.id())), &format!("one of {} and {}", one.id(), two.id()))
}

/// A template, a number that it gives to computes, and another that clients might give.
fn sizing(s: &Session, is_such: impl Fn(&Attribute) -> bool) -> Verdict<(Type, String, Value, Value)> {
    let kind = s.standard(&COMPUTE)?;
    for template in offered(s, RESOURCE_TPL)? {
        for given in template.attributes.iter().filter(|one| one.default.is_number() && is_such(one)) {
            let Some(own) = kind.attribute(&given.name).filter(|own| !own.immutable) else { continue };
            if let Some(other) = candidates(own).into_iter().find(|other| !is_same(other, &given.default)) {
                return Ok((template.clone(), given.name.clone(), given.default.clone(), other));
            }
        }
    }
    skip("no resource template is offered that shows a size which clients could give as well")
}

/// Where a client may not change what the template gives. That it is told so is as good.
fn a_template_overrides_what_is_given_with_it(s: &mut Session) -> Verdict {
    let (template, name, value, other) = sizing(s, |given| given.immutable)?;
    let draft = draft_with(s, &template)?.with(&name, other);
    let entity = s.make(&draft)?;
    shows_values(s, &entity, &[(name, value)], &template.id())
}

fn a_template_overrides_what_is_there(s: &mut Session) -> Verdict {
    let (template, name, value, other) = sizing(s, |_| true)?;
    let draft = s.standard_draft(&COMPUTE)?.with(&name, other);
    let entity = s.make(&draft)?;
    put_on(s, &entity, &template, By::Entity)?.needed("assign a resource template")?;
    shows_values(s, &entity, &[(name, value)], &template.id())
}

fn templates_show_their_defaults(s: &mut Session) -> Verdict {
    if s.model.json.is_null() {
        return skip("text does not show defaults, and the server has no JSON");
    }
    let templates = offered(s, RESOURCE_TPL)?;
    match templates.iter().find(|template| defaults(template).is_empty()) {
        None => Ok(()),
        Some(bare) => fail(ASKED, format!("attributes with defaults of {}", bare.id()), "there are none"),
    }
}

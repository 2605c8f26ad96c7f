//! What the actions of computes, networks and storage do. Of those with a choice of methods, the ones are taken that need
//! no guest system. That an action fails is no fault where the entity says so by its state, nor where the server answers
//! that it is not able to.

use super::{Check, check};
use crate::answer::Answer;
use crate::model::Type;
use crate::session::{Entity, Session};
use crate::standard::{COMPUTE, Kind, NETWORK, OS_TPL, STORAGE};
use crate::tag::Tag;
use crate::values::allows;
use crate::verdict::{Stop, Verdict, skip};
use crate::wire::category::{Category, Class};

pub(super) const CHECKS: &[Check] = &[
    check(&["INF-05"], |s| actions_lead_to_their_states(s, &COMPUTE, &COMPUTE_STEPS)),
    check(&["INF-05"], |s| actions_lead_to_their_states(s, &NETWORK, &NETWORK_STEPS)),
    check(&["INF-05"], |s| actions_lead_to_their_states(s, &STORAGE, &STORAGE_STEPS)),
    check(&["INF-05"], |s| an_unknown_method_is_refused(s, "stop")),
    check(&["INF-05"], |s| an_unknown_method_is_refused(s, "restart")),
    check(&["INF-05"], |s| an_unknown_method_is_refused(s, "suspend")),
    check(&["INF-06"], |s| save_makes_a_template(s, "hot")),
    check(&["INF-06"], |s| save_makes_a_template(s, "deferred")),
    check(&["INF-11"], a_saved_template_depends_on_its_root),
    check(&["INF-06"], a_template_outlives_its_source),
];

/// An action, and the method that it is invoked with if it has any.
type Step = (&'static str, Option<&'static str>);

/// Through all states that need no failure, by every arrow, and by each method that asks no guest system.
const COMPUTE_STEPS: [Step; 12] = [
    ("start", None),
    ("restart", Some("cold")),
    ("restart", Some("warm")),
    ("suspend", Some("suspend")),
    ("start", None),
    ("stop", Some("poweroff")),
    ("start", None),
    ("suspend", Some("hibernate")),
    ("start", None),
    ("suspend", None),
    ("start", None),
    ("stop", Some("poweroff")),
];
const NETWORK_STEPS: [Step; 3] = [("up", None), ("down", None), ("up", None)];
const STORAGE_STEPS: [Step; 3] = [("online", None), ("offline", None), ("online", None)];

/// Fails unless an entity shows the actions that an arrow leads out of its state by, and none whose arrows begin elsewhere.
fn shows_its_actions(s: &Session, entity: &Entity, kind: &Kind) -> Verdict {
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    let read = answer.read();
    let state = read.attribute(&kind.state()).and_then(|state| state.as_str()).unwrap_or_default();
    // Out of an error no arrow leads, and a provider may still know a way.
    if state == "error" || !kind.states.contains(&state) {
        return Ok(());
    }
    for action in kind.actions.iter().filter(|action| !action.from.is_empty()) {
        let id = format!("{}{}", kind.action_scheme(), action.term);
        let is_shown = read.actions().any(|link| link.rel == id);
        let is_drawn = action.from.contains(&state);
        let expected = if is_drawn { "the action" } else { "no action" };
        answer.hold(
            is_shown == is_drawn,
            &format!("{expected} {} of a {} that is {state}", action.term, kind.term),
        )?;
    }
    Ok(())
}

/// Each step ends in its state, in which the right actions are shown. One is left out that does not apply, since a server
/// starts at once what the diagrams begin as inactive, or could not do a step before.
fn actions_lead_to_their_states(s: &mut Session, kind: &Kind, steps: &[Step]) -> Verdict {
    let entity = s.make_standard(kind)?;
    shows_its_actions(s, &entity, kind)?;
    let mut unable = None;
    let mut any = false;
    for (term, method) in steps {
        let from = s.state(&entity, kind)?;
        let Some(action) = kind.actions.iter().find(|action| action.term == *term) else { continue };
        // Those that are a chain of two others begin where the first of these does.
        let begins = if action.from.is_empty() { &[action.target][..] } else { action.from };
        if !begins.contains(&from.as_str()) {
            continue;
        }
        let known = s.model.find(&format!("{}{term}", kind.action_scheme())).cloned();
        let method = method.filter(|method| takes(known.as_ref(), method));
        let parameters: Vec<_> = method.iter().map(|method| ("method", *method)).collect();
        let answer = s.invoke(&entity, kind, term, &parameters)?;
        let answer = match answer.able(&format!("{term} of a {} that is {from}", kind.term)) {
            Ok(answer) => answer,
            Err(stop @ Stop::Failed(_)) => return Err(stop),
            Err(stop) => {
                unable = Some(stop);
                continue;
            }
        };
        match s.reaches(&entity, kind, action.target)? {
            state if state == action.target => {}
            state if state == "error" => {
                return skip(format!("the {} failed to {term}, and says so", kind.term));
            }
            state => return answer.wrong(&format!("{} {} after it", kind.state(), action.target), state),
        }
        shows_its_actions(s, &entity, kind)?;
        any = true;
    }
    if any {
        return Ok(());
    }
    Err(unable.unwrap_or_else(|| Stop::NotApplicable(format!("no action applies to a new {}", kind.term))))
}

/// Whether an action takes a method, as far as it is described.
fn takes(action: Option<&Type>, method: &str) -> bool {
    let parameter = action.and_then(|action| action.attribute("method"));
    parameter.is_some_and(|parameter| allows(parameter, &method.into()))
}

/// A compute that is active.
fn active(s: &mut Session) -> Verdict<Entity> {
    let compute = s.make_standard(&COMPUTE)?;
    s.bring(&compute, &COMPUTE, ("start", "active"))?;
    Ok(compute)
}

fn an_unknown_method_is_refused(s: &mut Session, term: &str) -> Verdict {
    let compute = active(s)?;
    let answer = s.invoke(&compute, &COMPUTE, term, &[("method", "no-such-method")])?;
    if answer.is_unable() {
        return skip(format!("the server is not able to {term}: {}", answer.brief()));
    }
    let answer = answer.refused()?;
    let state = s.state(&compute, &COMPUTE)?;
    if state == "active" { Ok(()) } else { answer.wrong("a compute that stays active", state) }
}

/// The template that a compute is saved as, and the answer that renders it.
struct Saved {
    template: Category,
    answer: Answer,
}

/// Saves a compute. All that came by it is ours to remove, be it rendered or not.
fn save(s: &mut Session, compute: &Entity, method: &str) -> Verdict<Saved> {
    let known: Vec<_> = s.client.get("-/").send()?.needed("read the query interface")?.read().categories;
    let is_new = |one: &&Category| known.iter().all(|old| old.id() != one.id());
    let name = s.name();
    let answer = s.invoke(compute, &COMPUTE, "save", &[("method", method), ("name", &name)])?;
    let all = s.client.get("-/").send()?.needed("read the query interface")?.read().categories;
    let rendered: Vec<_> = answer
        .read()
        .categories
        .iter()
        .filter(is_new)
        .filter(|one| one.class == Some(Class::Mixin))
        .cloned()
        .collect();
    for new in all.iter().filter(is_new).filter(|one| one.class == Some(Class::Mixin)) {
        if rendered.iter().any(|one| one.id() == new.id()) || new.term.contains(&s.mark) {
            let location = new.location.clone().unwrap_or_default();
            s.keep_tag(&Tag { scheme: new.scheme.clone(), term: new.term.clone(), location });
        } else if new.rel.as_deref() == Some(OS_TPL) {
            s.left.push(format!("may have been made by the action save, or by others: {}", new.id()));
        }
    }
    let answer = answer.able("the compute saved")?;
    match rendered.into_iter().next() {
        Some(template) => Ok(Saved { template, answer }),
        None => answer.wrong("the new OS template, rendered", answer.brief()),
    }
}

/// The query interface has it from then on, and the compute runs again.
fn save_makes_a_template(s: &mut Session, method: &str) -> Verdict {
    let compute = active(s)?;
    let Saved { template, answer } = save(s, &compute, method)?;
    let all = s.client.get("-/").send()?.needed("read the query interface")?.read();
    answer.hold(all.has(&template.id()), "the template in the query interface, too")?;
    match s.reaches(&compute, &COMPUTE, "active")? {
        state if state == "active" => Ok(()),
        state => answer.wrong("a compute that is active after it", state),
    }
}

fn a_saved_template_depends_on_its_root(s: &mut Session) -> Verdict {
    let compute = active(s)?;
    let Saved { template, answer } =
        save(s, &compute, "hot").or_else(|_| skip("no OS template came of saving; see INF-06"))?;
    let all = s.client.get("-/").send()?.needed("read the query interface")?.read();
    let shown = all.categories.iter().filter(|one| one.id() == template.id()).chain([&template]);
    match shown.into_iter().find(|one| one.rel.as_deref() != Some(OS_TPL)) {
        None => Ok(()),
        Some(wrong) => {
            let got = wrong.rel.clone().unwrap_or_else(|| "nothing".into());
            answer.wrong(&format!("a template that depends on {OS_TPL}"), got)
        }
    }
}

/// What is saved is a copy of its own: another compute begins as it when the first is gone.
fn a_template_outlives_its_source(s: &mut Session) -> Verdict {
    let template = saved_template(s)?;
    let draft = s.standard_draft(&COMPUTE)?.mixin((&template.scheme, &template.term));
    let answer = s.client.post(&draft.location).draft(&draft).send()?;
    let answer = answer.able("a compute of the saved template, when that which was saved is gone")?;
    let copy = s.located(&answer, &draft)?;
    let shown = s.client.get(&copy.url).send()?.is(&[200])?;
    shown.hold(shown.read().has(&template.id()), &format!("the template {}", template.id()))
}

/// A template of our own, of a compute that is gone.
pub(super) fn saved_template(s: &mut Session) -> Verdict<Type> {
    let compute = active(s)?;
    let Saved { template, .. } =
        save(s, &compute, "hot").or_else(|_| skip("no OS template came of saving; see INF-06"))?;
    s.client.delete(&compute.url).send()?.needed("delete the compute that was saved")?;
    Ok(Type {
        class: Class::Mixin,
        scheme: template.scheme.clone(),
        term: template.term.clone(),
        parents: vec![OS_TPL.to_owned()],
        applies: Vec::new(),
        location: template.location.clone(),
        attributes: Vec::new(),
        actions: Vec::new(),
    })
}

//! The infrastructure as it is described: Kinds, attributes, actions and Mixins against the standard's tables.

use super::{Check, check};
use crate::draft::category;
use crate::model::{self, Type};
use crate::session::Session;
use crate::standard::{self, IPNETWORK, IPNETWORKINTERFACE, KINDS, Mixin, SSH_KEY, USER_DATA};
use crate::values::allows;
use crate::verdict::{Verdict, fail, skip};
use crate::wire::category::Class;

pub(super) const CHECKS: &[Check] = &[
    check(&["INF-02"], kinds_have_their_parents),
    check(&["INF-02"], kinds_are_not_for_clients),
    check(&["INF-04"], attributes_are_as_in_the_tables),
    check(&["INF-05"], kinds_have_their_actions),
    check(&["INF-05"], actions_have_their_parameters),
    check(&["INF-07"], |s| a_mixin_is_described(s, &IPNETWORK)),
    check(&["INF-08"], |s| a_mixin_is_described(s, &IPNETWORKINTERFACE)),
    check(&["INF-18"], |s| a_mixin_is_described(s, &SSH_KEY)),
    check(&["INF-19"], |s| a_mixin_is_described(s, &USER_DATA)),
];

const ASKED: &str = "GET /-/";

/// The Kinds of the standard that are there, by their tables and as the server describes them.
pub(super) fn implemented(s: &Session) -> Verdict<Vec<(&'static standard::Kind, Type)>> {
    let there: Vec<_> =
        KINDS.iter().filter_map(|kind| Some((kind, s.model.find(&kind.id())?.clone()))).collect();
    if there.is_empty() { skip("the server has no Kind of the infrastructure") } else { Ok(there) }
}

fn kinds_have_their_parents(s: &mut Session) -> Verdict {
    for (kind, known) in implemented(s)? {
        if known.class != Class::Kind || known.parents != [kind.parent()] {
            let got = format!("{:?} with the parent '{}'", known.class, known.parents.join(" "));
            return fail(ASKED, format!("{} as a Kind with the parent {}", kind.id(), kind.parent()), got);
        }
    }
    Ok(())
}

/// A wrong server loses a Kind by it, so this is asked only of those who may be asked, and of a Kind without entities.
fn kinds_are_not_for_clients(s: &mut Session) -> Verdict {
    let there = implemented(s)?;
    if !s.is_daring {
        return skip("asked only with --daring, as a wrong server loses a Kind of its own by it");
    }
    let is_free = |known: &&Type| known.location.as_deref().is_some_and(|at| !s.strangers.may_be_in(at));
    let Some(known) = there.iter().map(|(_, known)| known).find(is_free) else {
        return skip("every Kind of the infrastructure has entities that are not ours");
    };
    let line = category(&known.term, &known.scheme, "kind");
    let answer = s.client.delete("-/").text(&[&line]).send()?;
    let is_there = s.client.get("-/").send()?.needed("read the query interface")?.read().has(&known.id());
    if !is_there {
        s.left.push(format!("let go by the server, and made again as far as a client can: {}", known.id()));
        s.client.post("-/").text(&[&line]).send()?;
    }
    answer.hold(is_there, &format!("{} still there", known.id()))?;
    answer.refused().map(drop)
}

/// What is always shown is declared; what else is declared may be less, but not otherwise.
fn attributes_are_as_in_the_tables(s: &mut Session) -> Verdict {
    for (kind, known) in implemented(s)? {
        for wanted in kind.attributes {
            let Some(is) = known.attribute(wanted.name) else {
                if wanted.is_always_there {
                    return fail(ASKED, format!("{} in {}", wanted.name, kind.id()), "it is not declared");
                }
                continue;
            };
            let name = |is_mutable| if is_mutable { "mutable" } else { "immutable" };
            let (expected, got) = (name(wanted.is_mutable), name(!is.immutable));
            if expected != got {
                return fail(ASKED, format!("{} as {expected}", wanted.name), got);
            }
            if is.kind.as_deref().is_some_and(|is| is != wanted.kind) {
                let got = is.kind.clone().unwrap_or_default();
                return fail(ASKED, format!("{} as a {}", wanted.name, wanted.kind), got);
            }
        }
        let state = known.attribute(&kind.state());
        let lost = kind.states.iter().find(|one| state.is_some_and(|is| !allows(is, &(**one).into())));
        if let Some(lost) = lost {
            let got = state.map(|is| is.pattern.to_string()).unwrap_or_default();
            return fail(ASKED, format!("{lost} among the values of {}", kind.state()), got);
        }
    }
    Ok(())
}

fn kinds_have_their_actions(s: &mut Session) -> Verdict {
    let there = implemented(s)?;
    let mut actions = there.iter().flat_map(|(kind, known)| {
        kind.actions.iter().map(move |action| (known, format!("{}{}", kind.action_scheme(), action.term)))
    });
    let lost = actions.find(|(known, id)| !known.actions.contains(id) || s.model.find(id).is_none());
    match lost {
        Some((known, id)) => {
            fail(ASKED, format!("the action {id}, of {}", known.id()), known.actions.join(" "))
        }
        None if there.iter().all(|(kind, _)| kind.actions.is_empty()) => {
            skip("none of the infrastructure's Kinds that are there has actions")
        }
        None => Ok(()),
    }
}

/// Each parameter is declared and takes the values of its table, others perhaps too; and where the table has none, none is
/// asked for.
fn actions_have_their_parameters(s: &mut Session) -> Verdict {
    let mut any = false;
    for (kind, _) in implemented(s)? {
        for action in kind.actions {
            let id = format!("{}{}", kind.action_scheme(), action.term);
            let Some(known) = s.model.find(&id) else { continue };
            any = true;
            for (name, values) in action.parameters {
                let Some(is) = known.attribute(name) else {
                    return fail(ASKED, format!("the parameter {name} of {id}"), "it is not declared");
                };
                if let Some(lost) = values.iter().find(|value| !allows(is, &(**value).into())) {
                    return fail(ASKED, format!("{lost} as {name} of {id}"), is.pattern.to_string());
                }
            }
            let more = known
                .attributes
                .iter()
                .find(|is| is.required && !action.parameters.iter().any(|(name, _)| is.name == *name));
            if let Some(more) = more {
                return fail(
                    ASKED,
                    format!("no more than the standard's parameters required of {id}"),
                    &more.name,
                );
            }
        }
    }
    if any { Ok(()) } else { skip("no action of the infrastructure is described; see INF-05 and CORE-38") }
}

/// Under its own name, for its Kind alone, with its attributes, which clients set.
fn a_mixin_is_described(s: &mut Session, mixin: &Mixin) -> Verdict {
    let Some(known) = s.model.find(&mixin.id()).cloned() else {
        return no_other_has(s, mixin);
    };
    if known.class != Class::Mixin {
        return fail(ASKED, format!("{} as a Mixin", mixin.id()), format!("{:?}", known.class));
    }
    // Text does not say what a Mixin applies to.
    if !s.model.json.is_null() && known.applies != [mixin.applies.id()] {
        let got = format!("it applies to: {}", known.applies.join(" "));
        return fail(ASKED, format!("{} for {} only", mixin.id(), mixin.applies.id()), got);
    }
    for (name, _) in mixin.attributes {
        match known.attribute(name) {
            None => return fail(ASKED, format!("{name} in {}", mixin.id()), "it is not declared"),
            Some(is) if is.immutable => return fail(ASKED, format!("{name} as mutable"), "immutable"),
            Some(is) if is.kind.as_deref().is_some_and(|kind| kind != "string") => {
                return fail(
                    ASKED,
                    format!("{name} as a string"),
                    model::shown(is.kind.clone().map(Into::into).as_ref()),
                );
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Where the Mixin is not there, none of another name is there in its stead.
fn no_other_has(s: &Session, mixin: &Mixin) -> Verdict {
    let has_all = |known: &&Type| mixin.attributes.iter().all(|(name, _)| known.attribute(name).is_some());
    match s.model.of(Class::Mixin).find(has_all) {
        Some(other) => fail(ASKED, format!("the term and scheme of {}", mixin.id()), other.id()),
        None => skip(format!("the server has no Mixin {}", mixin.id())),
    }
}

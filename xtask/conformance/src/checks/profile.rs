//! The Compute Resource Templates Profile (GFD.222). It is asked of servers that claim conformance with it, or offer a
//! template in its scheme. What they claim on each answer is seen by `claims`.

use serde_json::json;

use super::templates::{By, are_not_both, put_on, shows_values};
use super::{Check, check};
use crate::model::Type;
use crate::provision::with_type;
use crate::readback::is_same;
use crate::session::Session;
use crate::standard::{
    COMPUTE, LARGE, MEDIUM, MEM_LARGE, MEM_MEDIUM, MEM_SMALL, PROFILE, RESOURCE_TPL, SMALL, Template,
};
use crate::values::allows;
use crate::verdict::{Verdict, fail, skip};
use crate::wire::category::Class;

pub(super) const CHECKS: &[Check] = &[
    check(&["R0301"], the_kind_is_there),
    check(&["R0302"], two_are_not_given_at_once),
    check(&["R0302"], |s| two_do_not_come_together(s, By::Entity)),
    check(&["R0302"], |s| two_do_not_come_together(s, By::Collection)),
    check(&["R0303"], the_root_is_there),
    check(&["R0304"], templates_hold_all_sizes),
    check(&["R0305"], |s| a_template_sizes_a_new_compute(s, &SMALL)),
    check(&["R0305"], |s| a_template_sizes_a_new_compute(s, &MEDIUM)),
    check(&["R0305"], a_template_sizes_a_compute_later),
    check(&["R0306"], |s| a_template_is_there(s, &SMALL)),
    check(&["R0307"], |s| a_template_is_there(s, &MEDIUM)),
    check(&["R0308"], |s| a_template_is_there(s, &LARGE)),
    check(&["R0309"], |s| a_conditional_template_is_right(s, &MEM_SMALL)),
    check(&["R0310"], |s| a_conditional_template_is_right(s, &MEM_MEDIUM)),
    check(&["R0311"], |s| a_conditional_template_is_right(s, &MEM_LARGE)),
    check(&["R0401"], who_offers_it_claims_it),
    check(&["R0404"], the_extended_claim_is_kept),
];

const ASKED: &str = "GET /-/";

/// The templates in the scheme of the profile, which may be none where it is only claimed.
fn profile(s: &Session) -> Verdict<Vec<Type>> {
    let templates: Vec<_> =
        s.model.of(Class::Mixin).filter(|mixin| mixin.scheme == PROFILE).cloned().collect();
    if templates.is_empty() && !s.client.observer.borrow().claims.are_there() {
        return skip("the server does not claim the profile, and offers none of its templates");
    }
    Ok(templates)
}

/// One of the templates, where it is there.
fn offered(s: &Session, template: &Template) -> Verdict<Type> {
    let all = profile(s)?;
    let found = all.into_iter().find(|one| one.id() == template.id());
    found.map_or_else(|| skip(format!("the server does not offer {}", template.id())), Ok)
}

fn the_kind_is_there(s: &mut Session) -> Verdict {
    let templates = profile(s)?;
    let kind = COMPUTE.id();
    if s.model.find(&kind).is_none() {
        return fail(ASKED, kind, "it is not described");
    }
    match templates.iter().find(|template| !s.model.fits(template, &kind)) {
        None => Ok(()),
        Some(unfit) => fail(ASKED, format!("{} for {kind}", unfit.id()), unfit.applies.join(" ")),
    }
}

fn the_root_is_there(s: &mut Session) -> Verdict {
    let templates = profile(s)?;
    if s.model.find(RESOURCE_TPL).is_none() {
        return fail(ASKED, RESOURCE_TPL, "it is not described");
    }
    let lost = templates
        .iter()
        .find(|template| !s.model.lineage(&template.id()).iter().any(|id| id == RESOURCE_TPL));
    match lost {
        None => Ok(()),
        Some(lost) => fail(
            ASKED,
            format!("{} as one that depends on {RESOURCE_TPL}", lost.id()),
            lost.parents.join(" "),
        ),
    }
}

fn two_are_not_given_at_once(s: &mut Session) -> Verdict {
    let (one, two) = (offered(s, &SMALL)?, offered(s, &MEDIUM)?);
    let draft = with_type(with_type(s.standard_draft(&COMPUTE)?, &one), &two);
    are_not_both(s, &draft, &one, &two)
}

fn two_do_not_come_together(s: &mut Session, by: By) -> Verdict {
    let (one, two) = (offered(s, &SMALL)?, offered(s, &MEDIUM)?);
    let draft = with_type(s.standard_draft(&COMPUTE)?, &one);
    let entity = s.make(&draft)?;
    put_on(s, &entity, &two, by)?;
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    let read = answer.read();
    answer
        .hold(!(read.has(&one.id()) && read.has(&two.id())), &format!("one of {} and {}", one.id(), two.id()))
}

fn templates_hold_all_sizes(s: &mut Session) -> Verdict {
    let templates = profile(s)?;
    if s.model.json.is_null() {
        return skip("text does not show defaults, and the server has no JSON");
    }
    for template in &templates {
        for (name, _) in SMALL.sizes {
            let is = template.attribute(name);
            if !is.is_some_and(|is| is.default.is_number()) {
                return fail(
                    ASKED,
                    format!("{name} of {}, with its value", template.id()),
                    "it is not there",
                );
            }
        }
    }
    if templates.is_empty() { skip("none of the profile's templates is offered; see R0306") } else { Ok(()) }
}

/// Its sizes, as an entity shows them.
fn sizes(template: &Template) -> Vec<(String, serde_json::Value)> {
    template.sizes.iter().map(|(name, size)| ((*name).to_owned(), json!(size))).collect()
}

fn a_template_sizes_a_new_compute(s: &mut Session, template: &Template) -> Verdict {
    let offered = offered(s, template)?;
    let draft = with_type(s.standard_draft(&COMPUTE)?, &offered);
    let entity = s.make(&draft)?;
    shows_values(s, &entity, &sizes(template), &template.id())
}

/// On a compute without a template, and on one with another.
fn a_template_sizes_a_compute_later(s: &mut Session) -> Verdict {
    let entity = s.make_standard(&COMPUTE)?;
    for template in [&SMALL, &MEDIUM] {
        let offered = offered(s, template)?;
        put_on(s, &entity, &offered, By::Entity)?.able("a compute with the template")?;
        shows_values(s, &entity, &sizes(template), &template.id())?;
    }
    Ok(())
}

fn a_template_is_there(s: &mut Session, template: &Template) -> Verdict {
    let all = profile(s)?;
    match all.iter().find(|one| one.id() == template.id()) {
        Some(known) => is_right(s, known, template),
        None => fail(ASKED, template.id(), "it is not described"),
    }
}

/// Those that are not demanded are what they are called, where they are there.
fn a_conditional_template_is_right(s: &mut Session, template: &Template) -> Verdict {
    let known = offered(s, template)?;
    is_right(s, &known, template)
}

/// Fails unless a template gives the profile's sizes, and lets nobody change them.
fn is_right(s: &Session, known: &Type, template: &Template) -> Verdict {
    for (name, size) in template.sizes {
        let Some(is) = known.attribute(name) else {
            return fail(ASKED, format!("{name} of {}", template.id()), "it is not declared");
        };
        let size = json!(size);
        if !s.model.json.is_null() && !is_same(&is.default, &size) {
            return fail(ASKED, format!("{name}={size} of {}", template.id()), is.default.to_string());
        }
        if !is.immutable || !allows(is, &is.default) && !is.default.is_null() {
            return fail(
                ASKED,
                format!("{name} of {}, immutable", template.id()),
                "a value that clients change",
            );
        }
    }
    Ok(())
}

/// What offers all that must be is conformant, and says so.
fn who_offers_it_claims_it(s: &mut Session) -> Verdict {
    for template in [&SMALL, &MEDIUM, &LARGE] {
        offered(s, template)?;
    }
    let answer = s.client.get("-/").send()?;
    let is_claimed = s.client.observer.borrow().claims.are_there();
    if is_claimed { Ok(()) } else { answer.wrong("the profile's claim in Server", answer.header("server")) }
}

fn the_extended_claim_is_kept(s: &mut Session) -> Verdict {
    let templates = profile(s)?;
    let asked = s.client.observer.borrow().claims.extended().map(str::to_owned);
    let Some(asked) = asked else { return skip("no answer claims OCCI-CRTP-EP") };
    for template in [&SMALL, &MEDIUM, &LARGE, &MEM_SMALL, &MEM_MEDIUM, &MEM_LARGE] {
        if !templates.iter().any(|one| one.id() == template.id()) {
            return fail(
                asked,
                format!("the claim OCCI-CRTP-EP only with {}", template.id()),
                "it is not offered",
            );
        }
    }
    Ok(())
}

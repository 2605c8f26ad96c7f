//! The query interface: where it is, what it shows, and its filter.

use super::{Check, check};
use crate::answer::Answer;
use crate::client::{TEXT_OCCI, WELL_KNOWN};
use crate::draft::category;
use crate::session::Session;
use crate::verdict::{Verdict, fail, skip};
use crate::wire::category::{Category, Class};
use crate::wire::text::Line;

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-19"], it_is_answered),
    check(&["HTTP-18", "H11-05"], it_is_at_its_paths),
    check(&["HTTP-22"], it_is_not_put),
    check(&["HTTP-15"], it_filters_by_category),
    check(&["H11-04"], what_is_filtered_is_complete),
    check(&["H11-06"], it_shows_all_classes),
    check(&["TXT-15"], one_category_an_item),
];

/// The query interface, with a Kind at least: of one that shows nothing, everything could be said.
fn answered(s: &Session) -> Verdict<Answer> {
    let answer = s.client.get("-/").send()?.is(&[200])?;
    let kinds = answer.read().categories.iter().any(|category| category.class == Some(Class::Kind));
    answer.hold(kinds, "at least one Kind")?;
    Ok(answer)
}

fn it_is_answered(s: &mut Session) -> Verdict {
    answered(s).map(drop)
}

pub(super) fn ids(categories: &[Category]) -> Vec<String> {
    let mut ids: Vec<_> = categories.iter().map(Category::id).collect();
    ids.sort_unstable();
    ids
}

fn it_is_at_its_paths(s: &mut Session) -> Verdict {
    let here = answered(s)?;
    let there = s.client.get(WELL_KNOWN).send()?;
    if !there.succeeded() {
        return Ok(());
    }
    let same = ids(&here.read().categories) == ids(&there.read().categories);
    there.hold(same, "the same categories as at /-/")
}

fn it_is_not_put(s: &mut Session) -> Verdict {
    let tag = s.tag_draft();
    let answer = s.client.put("-/").text(&[tag.line()]).send()?;
    if answer.succeeded() {
        s.keep_tag(&tag);
    }
    answer.hold(!answer.succeeded(), "a refusal")
}

/// The filtered answer, and the Kind that was asked for.
fn filtered(s: &Session) -> Verdict<(Answer, String)> {
    let draft = s.resource()?;
    let header = [category(&draft.term, &draft.scheme, "kind")];
    let answer = s.client.get("-/").occi(&header).send()?;
    Ok((answer, draft.kind()))
}

fn it_filters_by_category(s: &mut Session) -> Verdict {
    let (answer, id) = filtered(s)?;
    let answer = answer.is(&[200])?;
    let found = answer.read();
    answer.hold(found.has(&id), "the Kind that the filter names")?;
    let related = |other: &String| {
        let line = |kind: &str| s.model.lineage(kind);
        line(other).contains(&id) || line(&id).contains(other)
    };
    let kinds = found.categories.iter().filter(|category| category.class == Some(Class::Kind));
    match kinds.map(Category::id).find(|kind| !related(kind)) {
        None => Ok(()),
        Some(other) => answer.wrong("only what is related to the Kind that the filter names", other),
    }
}

fn what_is_filtered_is_complete(s: &mut Session) -> Verdict {
    let (answer, id) = filtered(s)?;
    let found = answer.needed("filter the query interface")?.read();
    let Some(here) = found.categories.iter().find(|category| category.id() == id) else {
        return skip("the filtered answer does not have what was named; see HTTP-15");
    };
    let Some(whole) = s.model.text.categories.iter().find(|category| category.id() == id) else {
        return skip("the query interface is not in text");
    };
    let has = |part: &str, same: bool| {
        let what = format!("{id} with the {part} that it has without the filter");
        if same {
            Ok(())
        } else {
            fail(format!("GET /-/ | Content-Type: {TEXT_OCCI} | Category: {id}"), what, "others")
        }
    };
    has("attributes", here.attributes == whole.attributes)?;
    has("actions", here.actions == whole.actions)?;
    has("location", here.location == whole.location)
}

fn it_shows_all_classes(s: &mut Session) -> Verdict {
    let answer = answered(s)?;
    let all = answer.read();
    let of = |class| all.categories.iter().filter(move |category| category.class == Some(class));
    let bare = of(Class::Kind).find(|kind| kind.attributes.is_empty());
    if let Some(kind) = bare {
        return answer.wrong("every Kind with its attributes, occi.core.id at least", kind.id());
    }
    let named = of(Class::Kind).chain(of(Class::Mixin)).flat_map(|category| &category.actions);
    let missing = named.into_iter().find(|action| !of(Class::Action).any(|known| known.id() == **action));
    match missing {
        None => Ok(()),
        Some(action) => {
            answer.wrong("every Action that a Kind or Mixin names", format!("{action} is missing"))
        }
    }
}

fn one_category_an_item(s: &mut Session) -> Verdict {
    let answer = answered(s)?;
    let all = answer.read();
    answer.hold(all.lines.iter().all(|line| *line == Line::Category), "nothing but Categories")?;
    let ids = ids(&all.categories);
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(twice) => answer.wrong("each category once", format!("{} stands twice", twice[0])),
    }
}

//! Collections in part: pages and filters.

use super::{Check, check};
use crate::answer::Answer;
use crate::draft::attribute;
use crate::session::{Entity, Session, TITLE};
use crate::tag::Tag;
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-12"], collections_are_paged),
    check(&["HTTP-12"], pages_follow_the_order_of_the_collection),
    check(&["HTTP-13"], a_number_too_large_is_refused),
    check(&["HTTP-14"], beyond_the_end_is_nothing),
    check(&["HTTP-16"], attributes_filter),
    check(&["H11-03"], categories_filter),
    check(&["HTTP-17"], a_mixin_filters),
];

/// Three entities with a Mixin of their own.
fn three(s: &mut Session) -> Verdict<(Tag, Vec<Entity>)> {
    let entities = [s.make_resource()?, s.make_resource()?, s.make_resource()?];
    let tag = s.make_tag_on(&entities.each_ref())?;
    Ok((tag, entities.into()))
}

fn page(s: &Session, tag: &Tag, page: u64, number: u64) -> Verdict<Answer> {
    s.client.get(&tag.location).query(&format!("page={page}&number={number}")).send()
}

fn collections_are_paged(s: &mut Session) -> Verdict {
    let (tag, entities) = three(s)?;
    let mut seen = Vec::new();
    // Whether the first page is 0 or 1 is not stated; the second is there either way.
    for number in 1..=2 {
        let answer = page(s, &tag, number, 1)?.is(&[200])?;
        let found = answer.read().locations;
        answer.hold(found.len() == 1, "one member")?;
        answer.hold(!seen.contains(&found[0]), "another member than on the page before")?;
        answer.hold(entities.iter().any(|entity| entity.is_in(&found)), "a member of the collection")?;
        seen.extend(found);
    }
    Ok(())
}

/// Whether the server has pages at all.
fn paged(s: &Session, tag: &Tag) -> Verdict {
    let answer = page(s, tag, 1, 1)?;
    if answer.succeeded() && answer.read().locations.len() == 1 {
        return Ok(());
    }
    skip("the server does not page; see HTTP-12")
}

/// Pages together are the collection only where its order stays as it is.
fn pages_follow_the_order_of_the_collection(s: &mut Session) -> Verdict {
    let (tag, _) = three(s)?;
    paged(s, &tag)?;
    let whole = s.listing(&tag.location)?;
    let expected = format!("the order of the GET before: {}", whole.join(" "));
    // What is shuffled may be in the same order by chance.
    for _ in 0..3 {
        let again = s.client.get(&tag.location).send()?.needed("list a collection")?;
        again.hold(again.read().locations == whole, &expected)?;
    }
    let mut pages = page(s, &tag, 1, 1)?.needed("read a page")?.read().locations;
    let last = page(s, &tag, 2, 1)?.needed("read a page")?;
    pages.extend(last.read().locations);
    let follow = whole.windows(2).any(|pair| *pair == *pages);
    last.hold(follow, &format!("what follows {} in the collection: {}", pages[0], whole.join(" ")))
}

fn a_number_too_large_is_refused(s: &mut Session) -> Verdict {
    let (tag, _) = three(s)?;
    paged(s, &tag)?;
    page(s, &tag, 1, 1_000_000_000_000)?.is(&[413]).map(drop)
}

fn beyond_the_end_is_nothing(s: &mut Session) -> Verdict {
    let (tag, _) = three(s)?;
    paged(s, &tag)?;
    let answer = page(s, &tag, 1000, 2)?.is(&[200])?;
    answer.hold(answer.read().locations.is_empty(), "an empty collection")
}

fn attributes_filter(s: &mut Session) -> Verdict {
    let draft = s.resource()?.with(TITLE, s.title("the one"));
    let (one, other) = (s.make(&draft)?, s.make_resource()?);
    let tag = s.make_tag_on(&[&one, &other])?;
    let line = attribute(TITLE, &s.title("the one").into());
    let answer = s.client.get(&tag.location).occi(&[line]).send()?.is(&[200])?;
    let found = answer.read().locations;
    answer.hold(found.len() == 1 && one.is_in(&found), "the one member with this title")
}

fn categories_filter(s: &mut Session) -> Verdict {
    let (one, two) = (s.resource()?, s.other()?);
    let (first, second) = (s.make(&one)?, s.make(&two)?);
    let tag = s.make_tag_on(&[&first, &second])?;
    let answer = s.client.get(&tag.location).occi(&[two.category()]).send()?.is(&[200])?;
    let found = answer.read().locations;
    answer.hold(found.len() == 1 && second.is_in(&found), "the one member of this Kind")
}

fn a_mixin_filters(s: &mut Session) -> Verdict {
    let (tag, entities) = three(s)?;
    s.make_resource()?;
    let answer = s.client.get(&tag.location).send()?.is(&[200])?;
    let found = answer.read().locations;
    let same = found.len() == entities.len() && entities.iter().all(|entity| entity.is_in(&found));
    answer.hold(same, "the three members that have the Mixin, and no other")
}

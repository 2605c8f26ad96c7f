//! Collections as a whole: listed, mixed, emptied. What empties one is done only where everything in it is ours.

use super::{Check, check};
use crate::session::Session;
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-29", "H11-09"], a_collection_is_listed),
    check(&["HTTP-29"], an_empty_collection_is_listed),
    check(&["H11-09"], an_empty_collection_may_have_no_content),
    check(&["CORE-36"], collections_are_fetched_in_whole_and_part),
    check(&["CORE-37"], collections_may_be_mixed),
    check(&["HTTP-34"], a_collection_is_emptied),
];

fn a_collection_is_listed(s: &mut Session) -> Verdict {
    let (entity, draft) = (s.make_resource()?, s.resource()?);
    let answer = s.client.get(&draft.location).send()?.is(&[200])?;
    answer.hold(entity.is_in(&answer.read().locations), "the new member among the others")
}

fn an_empty_collection_is_listed(s: &mut Session) -> Verdict {
    let tag = s.make_tag()?;
    let answer = s.client.get(&tag.location).send()?.is(&[200])?;
    answer.hold(answer.read().locations.is_empty(), "no members")
}

fn an_empty_collection_may_have_no_content(s: &mut Session) -> Verdict {
    let tag = s.make_tag()?;
    s.client.get(&tag.location).send()?.is(&[200, 204]).map(drop)
}

fn collections_are_fetched_in_whole_and_part(s: &mut Session) -> Verdict {
    let (one, two, draft) = (s.make_resource()?, s.make_resource()?, s.resource()?);
    let tag = s.make_tag_on(&[&one])?;
    let whole = s.client.get(&draft.location).send()?.is(&[200])?;
    let all = whole.read().locations;
    whole.hold(one.is_in(&all) && two.is_in(&all), "all members")?;
    s.client.get(&two.url).send()?.is(&[200])?;
    let part = s.client.get(&tag.location).send()?.is(&[200])?;
    let some = part.read().locations;
    part.hold(one.is_in(&some) && !two.is_in(&some), "those of one Mixin")
}

fn collections_may_be_mixed(s: &mut Session) -> Verdict {
    let (one, two) = (s.resource()?, s.other()?);
    let (one, two) = (s.make(&one)?, s.make(&two)?);
    let tag = s.make_tag_on(&[&one, &two])?;
    let answer = s.client.get(&tag.location).send()?.is(&[200])?;
    let found = answer.read().locations;
    answer.hold(one.is_in(&found) && two.is_in(&found), "members of both Kinds")
}

fn a_collection_is_emptied(s: &mut Session) -> Verdict {
    for draft in s.resources.clone() {
        let (one, two) = (s.make(&draft)?, s.make(&draft)?);
        if !s.is_all_ours(&draft.location, &one)? {
            continue;
        }
        let before = s.listing(&draft.location)?;
        let answer = s.client.delete(&draft.location).send()?.is(&[200, 204])?;
        let after = s.listing(&draft.location)?;
        // Others may have made some meanwhile.
        answer.hold(!before.iter().any(|url| after.contains(url)), "none of its members after it")?;
        for entity in [one, two] {
            s.client.get(&entity.url).send()?.is(&[404, 410])?;
        }
        return Ok(());
    }
    skip("every collection holds entities that are not ours to delete")
}

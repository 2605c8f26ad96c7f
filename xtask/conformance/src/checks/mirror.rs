//! The well-known path of the query interface: where a server has it, it takes what the first path takes.

use super::query::ids;
use super::{Check, check};
use crate::client::WELL_KNOWN;
use crate::draft::category;
use crate::session::Session;
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["H11-05"], it_filters_alike),
    check(&["H11-05"], a_mixin_is_added_at_either),
    check(&["H11-05"], a_mixin_is_removed_at_either),
];

/// Goes on where the server has the path: it may do without.
fn offered(s: &Session) -> Verdict {
    let answer = s.client.get(WELL_KNOWN).send()?;
    if answer.succeeded() {
        Ok(())
    } else {
        skip(format!("the server does not have {WELL_KNOWN}: {}", answer.brief()))
    }
}

/// Whether both paths show a category.
fn shown(s: &Session, id: &str) -> Verdict<(bool, bool)> {
    let here = s.client.get("-/").send()?.needed("read the query interface")?;
    let there = s.client.get(WELL_KNOWN).send()?.needed("read the query interface")?;
    Ok((here.read().has(id), there.read().has(id)))
}

/// Whether the filter is right at all is for HTTP-15.
fn it_filters_alike(s: &mut Session) -> Verdict {
    offered(s)?;
    let draft = s.resource()?;
    let filter = [category(&draft.term, &draft.scheme, "kind")];
    let here = s.client.get("-/").occi(&filter).send()?.needed("filter the query interface")?;
    let there = s.client.get(WELL_KNOWN).occi(&filter).send()?;
    let wanted = ids(&here.read().categories);
    let same = there.status == here.status && ids(&there.read().categories) == wanted;
    there.hold(same, &format!("what /-/ shows with the same filter: {}", wanted.join(" ")))
}

fn a_mixin_is_added_at_either(s: &mut Session) -> Verdict {
    offered(s)?;
    // Clients' Mixins are taken here, or there is nothing to mirror.
    s.make_tag()?;
    let tag = s.tag_draft();
    let answer = s.client.post(WELL_KNOWN).text(&[tag.line()]).send()?;
    if answer.succeeded() {
        s.keep_tag(&tag);
    }
    let answer = answer.is(&[200])?;
    answer.hold(shown(s, &tag.id())? == (true, true), "the new Mixin at both paths")
}

fn a_mixin_is_removed_at_either(s: &mut Session) -> Verdict {
    offered(s)?;
    let (here, there) = (s.make_tag()?, s.make_tag()?);
    s.client.delete("-/").text(&[here.line()]).send()?.needed("remove a Mixin")?;
    if shown(s, &here.id())?.0 {
        return skip("the query interface shows a Mixin that was removed; see HTTP-21");
    }
    let answer = s.client.delete(WELL_KNOWN).text(&[there.line()]).send()?.is(&[200])?;
    answer.hold(shown(s, &there.id())? == (false, false), "no such Mixin at either path any more")
}

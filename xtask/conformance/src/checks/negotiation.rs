//! Media types, and status codes that are not about entities.

use super::{Check, check};
use crate::client::{TEXT_OCCI, TEXT_PLAIN, URI_LIST};
use crate::session::Session;
use crate::verdict::Verdict;

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-08"], media_types_are_listed),
    check(&["H11-25"], plain_text_is_the_default),
    check(&["H11-30"], unknown_media_types_are_not_acceptable),
    check(&["H11-30"], unknown_paths_are_not_found),
    check(&["H11-30"], wrong_methods_are_not_allowed),
    check(&["H11-30"], head_is_allowed_where_get_is),
    check(&["H11-30"], options_are_answered_as_they_are),
    check(&["H11-30"], nonsense_is_a_bad_request),
];

fn media_types_are_listed(s: &mut Session) -> Verdict {
    let answer = s.client.get("-/").send()?;
    let listed = answer.header("accept");
    if listed.contains(TEXT_PLAIN) && listed.contains(TEXT_OCCI) {
        return Ok(());
    }
    answer.wrong("the media types of OCCI in the header Accept", format!("Accept: {listed}"))
}

fn plain_text_is_the_default(s: &mut Session) -> Verdict {
    for accept in [None, Some("*/*")] {
        let answer = s.client.get("-/").only("Accept", accept).send()?.is(&[200])?;
        answer.hold(answer.media_type() == TEXT_PLAIN, TEXT_PLAIN)?;
    }
    // A collection of two: headers may have no room for many, as the clause says.
    let members = [s.make_resource()?, s.make_resource()?];
    let location = match s.make_tag_on(&members.each_ref()) {
        Ok(tag) => tag.location,
        Err(_) => s.resource()?.location,
    };
    for media_type in [TEXT_OCCI, URI_LIST] {
        let answer = s.client.get(&location).accept(media_type).send()?.is(&[200, 204])?;
        if answer.status == 204 {
            continue;
        }
        answer.hold(answer.media_type() == media_type, media_type)?;
        let shown = answer.read().locations;
        answer.hold(members.iter().all(|member| member.is_in(&shown)), "the location of each member")?;
    }
    Ok(())
}

fn unknown_media_types_are_not_acceptable(s: &mut Session) -> Verdict {
    s.client.get("-/").accept("image/x-conformance").send()?.is(&[406]).map(drop)
}

fn unknown_paths_are_not_found(s: &mut Session) -> Verdict {
    let location = s.resource()?.location;
    let nowhere = format!("{location}{}", s.name());
    s.client.get(&nowhere).send()?.is(&[404])?;
    s.client.delete(&nowhere).send()?.is(&[404]).map(drop)
}

fn wrong_methods_are_not_allowed(s: &mut Session) -> Verdict {
    let (entity, draft) = (s.make_resource()?, s.resource()?);
    // A server could take it for all that shall be left.
    s.ours_alone(&draft.location, &entity)?;
    let answer = s.client.put(&draft.location).draft(&draft).send()?;
    s.made(&answer);
    let answer = answer.is(&[405])?;
    answer.hold(!answer.header("allow").is_empty(), "the methods that are allowed, in Allow")
}

/// What can be asked here: the query interface, and a collection and a member of it, where one can be made.
fn readable(s: &mut Session) -> Vec<String> {
    let mut all = vec!["-/".to_owned()];
    if let (Ok(draft), Ok(entity)) = (s.resource(), s.make_resource()) {
        all.extend([draft.location, entity.url]);
    }
    all
}

/// HTTP has no server without HEAD.
fn head_is_allowed_where_get_is(s: &mut Session) -> Verdict {
    for reference in readable(s) {
        s.client.get(&reference).send()?.needed("read what HEAD is asked of")?;
        let answer = s.client.request("HEAD", &reference).send()?;
        answer.hold(answer.succeeded(), "the success that GET is answered with")?;
    }
    Ok(())
}

/// OPTIONS may be missing; but then it is none of the methods that are allowed, and these are named.
fn options_are_answered_as_they_are(s: &mut Session) -> Verdict {
    for reference in readable(s) {
        let answer = s.client.request("OPTIONS", &reference).send()?;
        let allow = answer.header("allow");
        let right = !allow.is_empty() && !allow.split(',').any(|method| method.trim() == "OPTIONS");
        answer.hold(answer.status != 405 || right, "with 405 an Allow of other methods than OPTIONS")?;
    }
    Ok(())
}

fn nonsense_is_a_bad_request(s: &mut Session) -> Verdict {
    let location = s.resource()?.location;
    let answer = s.client.post(&location).text(&["Category: ;;;\"=", "nonsense"]).send()?;
    s.made(&answer);
    answer.is(&[400]).map(drop)
}

//! The text renderings. That each answer follows their grammar is watched by `observe`.

use serde_json::Value;

use super::{Check, check};
use crate::client::{OCCI_JSON, TEXT_OCCI, TEXT_PLAIN, URI_LIST};
use crate::draft::quoted;
use crate::model::Attribute;
use crate::session::{Entity, Session, TITLE};
use crate::tag::Tag;
use crate::values::{candidates, has_type};
use crate::verdict::{Verdict, skip};
use crate::wire::category::Class;
use crate::wire::is_uri;
use crate::wire::text::Line;

pub(super) const CHECKS: &[Check] = &[
    check(&["TXT-01"], all_renderings_are_spoken),
    check(&["TXT-01"], plain_text_has_two_names),
    check(&["TXT-02"], values_are_written_as_their_types),
    check(&["TXT-03"], headers_say_the_same_as_lines),
    check(&["TXT-03"], headers_say_all_that_lines_say),
    check(&["TXT-03"], a_creation_in_headers_is_answered_ok),
    check(&["TXT-04", "H11-27"], headers_may_be_joined_or_repeated),
    check(&["H11-27"], lines_may_be_joined_or_repeated),
    check(&["TXT-04", "H11-27"], categories_may_be_joined),
    check(&["TXT-05"], what_separates_is_quoted),
    check(&["TXT-06"], headers_are_not_cut_off),
    check(&["TXT-07", "H11-26"], what_is_no_listing_is_no_uri_list),
    check(&["TXT-08"], listings_are_uri_lists),
    check(&["TXT-10"], a_resource_is_in_order),
    check(&["TXT-14"], one_location_an_instance),
    check(&["TXT-14"], locations_are_those_of_uri_lists),
    check(&["TXT-16"], the_core_has_its_names),
];

const SUMMARY: &str = "occi.core.summary";

fn all_renderings_are_spoken(s: &mut Session) -> Verdict {
    let entity = s.make_resource()?;
    for media_type in [TEXT_PLAIN, "text/occi+plain", TEXT_OCCI] {
        let answer = s.client.get(&entity.url).accept(media_type).send()?.is(&[200])?;
        answer.hold(answer.media_type() == media_type, media_type)?;
    }
    let location = s.resource()?.location;
    let answer = s.client.get(&location).accept(URI_LIST).send()?.is(&[200])?;
    answer.hold(answer.media_type() == URI_LIST, URI_LIST)
}

fn plain_text_has_two_names(s: &mut Session) -> Verdict {
    as_in_lines(s, "text/occi+plain")
}

fn headers_say_all_that_lines_say(s: &mut Session) -> Verdict {
    as_in_lines(s, TEXT_OCCI)
}

/// What is said of a resource with a link and a Mixin in text/plain is said in another rendering too.
fn as_in_lines(s: &mut Session, media_type: &str) -> Verdict {
    let entity = match s.make_link() {
        Ok((source, _, _)) => source,
        Err(_) => s.make_resource()?,
    };
    // A server that takes no Mixin of ours is judged by the rest.
    let _refused = s.make_tag_on(&[&entity]).is_err();
    let before = s.read(&entity)?;
    let answer = s.client.get(&entity.url).accept(media_type).send()?.is(&[200])?;
    // It may change by itself.
    let after = s.read(&entity)?.facts();
    let (facts, said) = (before.facts(), answer.read().facts());
    match facts.iter().find(|fact| !said.contains(*fact) && after.contains(*fact)) {
        Some(fact) => answer.wrong(&format!("as in text/plain: {fact}"), answer.brief()),
        None => Ok(()),
    }
}

/// Strings are quoted, numbers and booleans are not. Which is which is declared in JSON alone.
fn values_are_written_as_their_types(s: &mut Session) -> Verdict {
    s.resource()?;
    let typed =
        |attribute: &Attribute| matches!(attribute.kind.as_deref(), Some("string" | "number" | "boolean"));
    let mut any = false;
    for draft in s.resources.clone() {
        let kind = s.kind(&draft)?;
        let bare =
            kind.attributes.iter().filter(|one| !one.immutable && one.kind.as_deref() != Some("string"));
        let given = bare
            .filter(|one| typed(one))
            .filter_map(|one| Some((&one.name, candidates(one).first()?.clone())));
        let full = given.fold(draft.clone(), |draft, (name, value)| draft.with(name, value));
        // Not everything that is declared can be given together; what the server sets is shown as well.
        let entity = s.make(&full).or_else(|_| s.make(&draft))?;
        for media_type in [TEXT_PLAIN, TEXT_OCCI] {
            let answer = s.client.get(&entity.url).accept(media_type).send()?.is(&[200])?;
            for (name, value) in &answer.read().attributes {
                let Some(attribute) = kind.attribute(name).filter(|one| typed(one)) else { continue };
                any = true;
                let expected = attribute.kind.as_deref().unwrap_or("any");
                let expected = format!("{name} as a {expected}: only strings are quoted");
                if !has_type(attribute, value) {
                    return answer.wrong(&expected, format!("{name}={}", quoted(value)));
                }
            }
        }
    }
    if any { Ok(()) } else { skip("no resource that can be made here shows an attribute of a declared type") }
}

fn headers_say_the_same_as_lines(s: &mut Session) -> Verdict {
    let draft = s.resource()?.with(TITLE, s.title("in headers"));
    let entity = s.make(&draft)?;
    let answer = s.client.get(&entity.url).accept(TEXT_OCCI).send()?.is(&[200])?;
    let read = answer.read();
    answer.hold(read.has(&draft.kind()), "the Category in a header")?;
    answer.hold(
        read.attribute(TITLE).is_some_and(|title| *title == *s.title("in headers")),
        "the attributes in a header",
    )
}

fn a_creation_in_headers_is_answered_ok(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let request = s.client.post(&draft.location).occi(&draft.lines()).accept(TEXT_OCCI);
    let answer = request.send()?.needed("make a resource in headers")?;
    s.made(&answer);
    answer.hold(answer.body.trim_end() == "OK", "the body OK")
}

/// Whether what a request makes has both attributes.
fn makes(s: &mut Session, answer: &crate::answer::Answer) -> Verdict {
    answer.hold(answer.succeeded(), "an entity made")?;
    let Some(entity) = s.made(answer) else { return skip("the server does not say where the new entity is") };
    let read = s.read(&entity)?;
    let both = read.attribute(TITLE).is_some_and(|is| *is == *s.title("one, 1"))
        && read.attribute(SUMMARY).is_some_and(|is| is == "two");
    answer.hold(both, "both attributes taken")
}

/// The attributes as one list.
fn joined(s: &Session) -> String {
    format!("X-OCCI-Attribute: {TITLE}=\"{}\", {SUMMARY}=\"two\"", s.title("one, 1"))
}

fn headers_may_be_joined_or_repeated(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let repeated = draft.clone().with(TITLE, s.title("one, 1")).with(SUMMARY, "two").lines();
    let mut list = draft.clone().without(TITLE).lines();
    list.push(joined(s));
    for lines in [repeated, list] {
        let answer = s.client.post(&draft.location).occi(&lines).send()?;
        makes(s, &answer)?;
    }
    Ok(())
}

fn lines_may_be_joined_or_repeated(s: &mut Session) -> Verdict {
    let draft = s.resource()?;
    let repeated = draft.clone().with(TITLE, s.title("one, 1")).with(SUMMARY, "two").lines();
    let mut list = draft.clone().without(TITLE).lines();
    list.push(joined(s));
    for lines in [repeated, list] {
        let answer = s.client.post(&draft.location).text(&lines).send()?;
        makes(s, &answer)?;
    }
    Ok(())
}

fn categories_may_be_joined(s: &mut Session) -> Verdict {
    let tag = s.make_tag()?;
    let draft = s.resource()?.mixin(tag.names());
    let mut lines = draft.lines();
    let mixin = lines.remove(1);
    lines[0] = lines[0].clone() + ", " + mixin.trim_start_matches("Category: ");
    let answer = s.client.post(&draft.location).occi(&lines).send()?;
    answer.hold(answer.succeeded(), "an entity made")?;
    let Some(entity) = s.made(&answer) else {
        return skip("the server does not say where the new entity is");
    };
    let read = s.read(&entity)?;
    answer.hold(read.has(&draft.kind()) && read.has(&tag.id()), "both Categories taken")
}

fn what_separates_is_quoted(s: &mut Session) -> Verdict {
    // The last is the working group's own trap.
    let titles = ["a, b; c=d", "a \"b\" \\ c", "How's your quotes escaping? \", occi.core.summary=\"1.0"];
    for title in titles.map(|title| s.title(title)) {
        let draft = s.resource()?.with(TITLE, title.clone()).with(SUMMARY, "plain");
        let entity = s.make(&draft)?;
        for media_type in [TEXT_PLAIN, TEXT_OCCI] {
            let answer = s.client.get(&entity.url).accept(media_type).send()?.is(&[200])?;
            let read = answer.read();
            let right = read.attribute(TITLE).is_some_and(|is| *is == *title)
                && read.attribute(SUMMARY).is_some_and(|is| is == "plain");
            answer.hold(right, &format!("{TITLE}={}", quoted(&title.clone().into())))?;
        }
    }
    Ok(())
}

/// Longer than most servers' and clients' limits for one header, and than ours for none.
const LONG: usize = 100_000;

fn headers_are_not_cut_off(s: &mut Session) -> Verdict {
    let long = "long ".repeat(LONG / 5);
    let draft = s.resource()?.with(SUMMARY, long.trim_end());
    let entity = s.make(&draft)?;
    let answer = s.client.get(&entity.url).accept(TEXT_OCCI).send()?;
    let whole = answer.read().attribute(SUMMARY).and_then(Value::as_str).map(str::len) == Some(LONG - 1);
    answer.hold(!answer.succeeded() || whole, "the whole summary, or a refusal")
}

fn what_is_no_listing_is_no_uri_list(s: &mut Session) -> Verdict {
    s.client.get("-/").accept(URI_LIST).send()?.is(&[400])?;
    let entity = s.make_resource()?;
    s.client.get(&entity.url).accept(URI_LIST).send()?.is(&[400]).map(drop)
}

fn listings_are_uri_lists(s: &mut Session) -> Verdict {
    let entity = s.make_resource()?;
    let location = s.resource()?.location;
    let answer = s.client.get(&location).accept(URI_LIST).send()?.is(&[200])?;
    answer.hold(entity.is_in(&answer.read().locations), "the URI of each member")
}

fn a_resource_is_in_order(s: &mut Session) -> Verdict {
    let (source, _, _) = s.make_link()?;
    let tag = s.make_tag_on(&[&source])?;
    is_in_order(s, &source, &tag, TEXT_PLAIN)?;
    is_in_order(s, &source, &tag, TEXT_OCCI)
}

fn is_in_order(s: &Session, entity: &Entity, tag: &Tag, media_type: &'static str) -> Verdict {
    let answer = s.client.get(&entity.url).accept(media_type).send()?.is(&[200])?;
    let read = answer.read();
    answer.hold(read.has(&tag.id()), "each of its Mixins")?;
    let classes: Vec<_> = read.categories.iter().map(|category| category.class).collect();
    let kind_first = classes.first() == Some(&Some(Class::Kind))
        && classes.iter().skip(1).all(|class| *class == Some(Class::Mixin));
    answer.hold(kind_first, "the Kind first, then the Mixins")?;
    answer.hold(read.lines.is_sorted(), "Categories, Links, Attributes, in this order")?;
    answer.hold(!read.lines.contains(&Line::Location), "no location within an entity")?;
    let json = s.client.get(&entity.url).accept(OCCI_JSON).send()?;
    let actions = if json.succeeded() { crate::model::strings(&json.value()["actions"]) } else { Vec::new() };
    let missing = actions.iter().find(|action| !read.actions().any(|link| link.rel == **action));
    missing.map_or(Ok(()), |action| {
        answer.wrong("a Link for each applicable action", format!("none for {action}"))
    })
}

fn one_location_an_instance(s: &mut Session) -> Verdict {
    let (one, two) = (s.make_resource()?, s.make_resource()?);
    let tag = s.make_tag_on(&[&one, &two])?;
    for media_type in [TEXT_PLAIN, TEXT_OCCI] {
        let answer = s.client.get(&tag.location).accept(media_type).send()?.is(&[200])?;
        let read = answer.read();
        answer.hold(read.lines.iter().all(|line| *line == Line::Location), "nothing but locations")?;
        let each = read.locations.len() == 2 && [&one, &two].iter().all(|one| one.is_in(&read.locations));
        answer.hold(each, "one location for each of two members")?;
    }
    Ok(())
}

/// The grammar takes any reference. Clients compare what they are told in either form, and few resolve a path.
fn locations_are_those_of_uri_lists(s: &mut Session) -> Verdict {
    let entity = s.make_resource()?;
    let tag = s.make_tag_on(&[&entity])?;
    let list = s.client.get(&tag.location).accept(URI_LIST).send()?.needed("list a collection as URIs")?;
    let list = list.read().locations;
    if !list.iter().all(|url| is_uri(url)) {
        return skip("text/uri-list has no URIs; see TXT-08");
    }
    for media_type in [TEXT_PLAIN, TEXT_OCCI] {
        let answer = s.client.get(&tag.location).accept(media_type).send()?.is(&[200])?;
        let same = answer.read().locations == list;
        answer.hold(same, &format!("the URIs of text/uri-list: {}", list.join(" ")))?;
    }
    Ok(())
}

fn the_core_has_its_names(s: &mut Session) -> Verdict {
    let draft = s.resource()?.with(TITLE, s.title("one")).with(SUMMARY, "two");
    let entity = s.make(&draft)?;
    let answer = s.client.get(&entity.url).send()?.is(&[200])?;
    for name in ["occi.core.id", TITLE, SUMMARY] {
        answer.hold(answer.read().attribute(name).is_some(), name)?;
    }
    let Ok((_, link, _)) = s.make_link() else { return Ok(()) };
    let answer = s.client.get(&link.url).send()?.is(&[200])?;
    for name in ["occi.core.id", "occi.core.source", "occi.core.target"] {
        answer.hold(answer.read().attribute(name).is_some(), name)?;
    }
    Ok(())
}

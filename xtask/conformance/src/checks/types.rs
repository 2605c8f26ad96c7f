//! The categories themselves: what is declared, and whether it fits together. These checks look at what was discovered,
//! in text and in JSON.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Check, check};
use crate::client::path_of;
use crate::model::{Attribute, ENTITY, LINK, RESOURCE, Type};
use crate::session::{Session, TITLE};
use crate::verdict::{Verdict, fail, skip};
use crate::wire::category::{Category, Class};
use crate::wire::{is_reference, is_uri};

pub(super) const CHECKS: &[Check] = &[
    check(&["CORE-01"], the_core_is_there),
    check(&["CORE-05"], categories_have_names),
    check(&["CORE-08"], attributes_are_described),
    check(&["CORE-09"], foreign_attributes_have_foreign_names),
    check(&["CORE-10"], properties_are_the_same_everywhere),
    check(&["JSON-09"], mutability_is_the_same_everywhere),
    check(&["CORE-14"], kinds_are_unique),
    check(&["CORE-17"], kinds_descend_from_entity),
    check(&["CORE-18"], kinds_show_parent_and_actions),
    check(&["TXT-17"], rel_is_the_parent),
    check(&["CORE-28"], actions_have_one_owner),
    check(&["CORE-38"], everything_is_discoverable),
    check(&["CORE-45"], foreign_schemes_are_uris),
    check(&["CORE-46"], only_resource_and_link_have_children),
    check(&["HTTP-01"], locations_are_unique),
    check(&["HTTP-02"], locations_are_strings_or_templates),
    check(&["HTTP-03"], entity_has_no_location),
    check(&["H11-01"], locations_end_with_a_slash),
    check(&["JSON-13"], patterns_name_their_schema),
];

const ASKED: &str = "GET /-/";

/// Fails with what was found, if something was.
fn none_is(found: Option<String>, expected: &str) -> Verdict {
    match found {
        None => Ok(()),
        Some(found) => fail(ASKED, expected, found),
    }
}

fn discovered(s: &Session) -> Verdict {
    if s.model.types.is_empty() { skip("the query interface shows nothing; see HTTP-19") } else { Ok(()) }
}

/// Text and JSON to be compared.
fn both(s: &Session) -> Verdict {
    if s.model.text.categories.is_empty() || s.model.json.is_null() {
        return skip("the query interface is not to be had in both text and JSON");
    }
    Ok(())
}

/// Every category that text and JSON both describe.
fn pairs(s: &Session) -> impl Iterator<Item = (&Category, &Value)> {
    let objects = ["kinds", "mixins", "actions"].map(|list| s.model.json[list].as_array());
    let objects: Vec<_> = objects.into_iter().flatten().flatten().collect();
    s.model.text.categories.iter().filter_map(move |text| {
        let same = |object: &&&Value| object["scheme"] == *text.scheme && object["term"] == *text.term;
        Some((text, *objects.iter().find(same)?))
    })
}

fn the_core_is_there(s: &mut Session) -> Verdict {
    let missing = [ENTITY, RESOURCE, LINK].into_iter().find(|id| s.model.find(id).is_none());
    none_is(missing.map(|id| format!("{id} is missing")), "the Kinds entity, resource and link")
}

fn categories_have_names(s: &mut Session) -> Verdict {
    discovered(s)?;
    let wrong = s.model.types.iter().find(|known| known.term.is_empty() || !is_uri(&known.scheme));
    none_is(wrong.map(Type::id), "a term, and a scheme that is a URI")
}

fn attributes_are_described(s: &mut Session) -> Verdict {
    both(s)?;
    let wrong = pairs(s).find_map(|(text, object)| {
        let names: BTreeSet<_> = text.attributes.iter().map(|mark| mark.name.as_str()).collect();
        let described = object["attributes"].as_object();
        let keys: BTreeSet<_> = described.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let lost: Vec<_> = names.symmetric_difference(&keys).collect();
        let objects = described.into_iter().flatten().all(|(_, is)| is.is_object());
        (!lost.is_empty() || !objects)
            .then(|| format!("{}: not in both: {lost:?}; descriptions are objects: {objects}", text.id()))
    });
    none_is(wrong, "the same attributes in text and JSON, each described")
}

fn foreign_attributes_have_foreign_names(s: &mut Session) -> Verdict {
    let foreign: Vec<_> =
        s.model.types.iter().filter(|known| known.class != Class::Action && !known.is_reserved()).collect();
    if foreign.iter().all(|known| known.attributes.is_empty()) {
        return skip("no category of another domain has attributes");
    }
    // A Kind may repeat what it inherits, and a Mixin give values to what the Kinds have that it is for, as templates do (CORE-34).
    // Which these are a text does not say.
    let is_anothers = |name: &str| {
        let mut reserved = s.model.types.iter().filter(|known| known.is_reserved());
        reserved.any(|other| other.attribute(name).is_some())
    };
    let wrong = foreign.iter().find_map(|known| {
        let mut names = known.attributes.iter().map(|attribute| &attribute.name);
        let name = names.find(|name| name.starts_with("occi.") && !is_anothers(name))?;
        Some(format!("{} of {}", name, known.id()))
    });
    none_is(wrong, "no own attribute that starts with occi.")
}

/// The first attribute of which text and JSON say different things.
fn differing(s: &Session, same: impl Fn(bool, bool, &Value) -> bool) -> Option<String> {
    pairs(s).find_map(|(text, object)| {
        let mark = text.attributes.iter().find(|mark| {
            let described = &object["attributes"][&mark.name];
            !described.is_null() && !same(mark.required, mark.immutable, described)
        })?;
        let properties = [("immutable", mark.immutable), ("required", mark.required)];
        let properties: Vec<_> = properties.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        let described = &object["attributes"][&mark.name];
        Some(format!("{} of {}: {{{}}} and {described}", mark.name, text.id(), properties.join(" ")))
    })
}

fn properties_are_the_same_everywhere(s: &mut Session) -> Verdict {
    both(s)?;
    let wrong = differing(s, |required, _, described| required == (described["required"] == true));
    none_is(wrong, "'required' in text and JSON alike")
}

fn mutability_is_the_same_everywhere(s: &mut Session) -> Verdict {
    both(s)?;
    let wrong = differing(s, |_, immutable, described| immutable == (described["mutable"] != true));
    none_is(wrong, "'immutable' in text where JSON has not mutable: true")
}

fn kinds_are_unique(s: &mut Session) -> Verdict {
    discovered(s)?;
    let mut seen = BTreeSet::new();
    let kinds = s.model.of(Class::Kind).map(Type::id);
    none_is(kinds.into_iter().find(|id| !seen.insert(id.clone())), "each Kind once")
}

fn kinds_descend_from_entity(s: &mut Session) -> Verdict {
    discovered(s)?;
    let lost =
        s.model.of(Class::Kind).map(Type::id).find(|id| !s.model.lineage(id).iter().any(|one| one == ENTITY));
    none_is(lost, "every Kind with a parent, up to core#entity")?;
    // What Entity has, its children have: a resource takes a title.
    let draft = s.resource()?.with(TITLE, s.title("inherited"));
    let entity = s.make(&draft)?;
    let answer = s.client.get(&entity.url).send()?;
    let title = answer.read().attribute(TITLE).cloned();
    answer.hold(title.is_some_and(|title| title == *s.title("inherited")), "the inherited occi.core.title")
}

fn kinds_show_parent_and_actions(s: &mut Session) -> Verdict {
    both(s)?;
    let orphan = s.model.text.categories.iter().find(|category| {
        category.class == Some(Class::Kind) && category.rel.is_none() && category.id() != ENTITY
    });
    none_is(orphan.map(Category::id), "every Kind but core#entity with its parent")?;
    let wrong = pairs(s).find(|(text, object)| {
        let described = crate::model::strings(&object["actions"]);
        described.iter().collect::<BTreeSet<_>>() != text.actions.iter().collect()
    });
    none_is(wrong.map(|(text, _)| text.id()), "the same actions in text and JSON")
}

fn rel_is_the_parent(s: &mut Session) -> Verdict {
    both(s)?;
    let wrong = pairs(s).find_map(|(text, object)| {
        let parent = match text.class? {
            Class::Kind => object["parent"].as_str(),
            Class::Mixin => object["depends"][0].as_str(),
            Class::Action => None,
        };
        let (rel, none) = (text.rel.as_deref(), "nothing");
        (parent != rel)
            .then(|| format!("{}: rel {}, JSON {}", text.id(), rel.unwrap_or(none), parent.unwrap_or(none)))
    });
    none_is(wrong, "rel as parent, or as the first of depends")
}

fn actions_have_one_owner(s: &mut Session) -> Verdict {
    if s.model.of(Class::Action).next().is_none() {
        return skip("the server has no actions");
    }
    let owners = |action: &str| {
        let names = |known: &&Type| known.actions.iter().any(|named| named == action);
        // What a Kind has from its parent is the parent's.
        let inherited = |known: &Type| {
            s.model.lineage(&known.id())[1..]
                .iter()
                .filter_map(|id| s.model.find(id))
                .any(|kind| names(&kind))
        };
        let types = s.model.types.iter().filter(names).filter(|known| !inherited(known));
        types.map(Type::id).collect::<Vec<_>>()
    };
    let wrong = s.model.of(Class::Action).map(Type::id).find(|action| owners(action).len() != 1);
    none_is(
        wrong.map(|action| format!("{action} of: {}", owners(&action).join(" "))),
        "one Kind or Mixin for each Action",
    )
}

fn everything_is_discoverable(s: &mut Session) -> Verdict {
    discovered(s)?;
    let missing = s.model.types.iter().find_map(|known| {
        let parents = known.parents.iter().filter(|_| known.class == Class::Kind);
        let lost =
            parents.chain(&known.actions).chain(&known.applies).find(|id| s.model.find(id).is_none())?;
        Some(format!("{lost}, which {} names", known.id()))
    });
    none_is(missing, "everything that a category names")?;
    both(s)?;
    let described: Vec<_> = pairs(s).map(|(text, _)| text.id()).collect();
    let lost = s.model.types.iter().map(Type::id).find(|id| !described.contains(id));
    none_is(lost, "the same categories in text and JSON")
}

fn foreign_schemes_are_uris(s: &mut Session) -> Verdict {
    let foreign: Vec<_> = s.model.types.iter().filter(|known| !known.is_reserved()).collect();
    if foreign.is_empty() {
        return skip("every category is the standard's own");
    }
    none_is(foreign.iter().find(|known| !is_uri(&known.scheme)).map(|known| known.id()), "a URI for a scheme")
}

fn only_resource_and_link_have_children(s: &mut Session) -> Verdict {
    discovered(s)?;
    let wrong =
        s.model.of(Class::Kind).map(Type::id).find(|id| {
            *id != ENTITY && !s.model.lineage(id).iter().any(|one| one == RESOURCE || one == LINK)
        });
    none_is(wrong, "every Kind below core#resource or core#link")
}

/// Kinds and Mixins with their locations.
fn located(s: &Session) -> impl Iterator<Item = (String, &str)> {
    s.model.types.iter().filter_map(|known| Some((known.id(), known.location.as_deref()?)))
}

fn locations_are_unique(s: &mut Session) -> Verdict {
    discovered(s)?;
    let homeless = s
        .model
        .types
        .iter()
        .find(|known| known.class != Class::Action && known.location.is_none() && known.id() != ENTITY);
    none_is(homeless.map(Type::id), "a location for every Kind and Mixin but core#entity")?;
    let mut seen = BTreeSet::new();
    let twice = located(s).find(|(_, location)| !seen.insert(path_of(location)));
    none_is(twice.map(|(id, location)| format!("{location}, of {id} too")), "a location of its own for each")
}

fn locations_are_strings_or_templates(s: &mut Session) -> Verdict {
    discovered(s)?;
    let template = |location: &str| {
        let plain: String = location.chars().filter(|character| !matches!(character, '{' | '}')).collect();
        location.matches('{').count() == location.matches('}').count() && is_reference(&plain)
    };
    let wrong = located(s).find(|(_, location)| !template(location));
    none_is(
        wrong.map(|(id, location)| format!("{location} of {id}")),
        "a URI reference or an RFC 6570 template",
    )
}

fn entity_has_no_location(s: &mut Session) -> Verdict {
    let Some(entity) = s.model.find(ENTITY) else { return skip("core#entity is not described; see CORE-01") };
    none_is(entity.location.clone(), "no location of core#entity")
}

fn locations_end_with_a_slash(s: &mut Session) -> Verdict {
    discovered(s)?;
    let wrong = located(s).find(|(_, location)| !location.ends_with('/'));
    none_is(wrong.map(|(id, location)| format!("{location} of {id}")), "locations that end with /")?;
    let entity = s.make_resource()?;
    if entity.url.ends_with('/') { fail("POST", "a path without / at its end", entity.url) } else { Ok(()) }
}

fn patterns_name_their_schema(s: &mut Session) -> Verdict {
    let is_pattern = |attribute: &&Attribute| attribute.pattern.as_object().is_some_and(|is| !is.is_empty());
    let mut patterns = s.model.types.iter().flat_map(|known| &known.attributes).filter(is_pattern).peekable();
    if patterns.peek().is_none() {
        return skip("no attribute has a pattern in JSON");
    }
    let wrong = patterns.find(|attribute| attribute.pattern["$schema"].is_null());
    none_is(
        wrong.map(|attribute| format!("{}: {}", attribute.name, attribute.pattern)),
        "$schema in each pattern",
    )
}

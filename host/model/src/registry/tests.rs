//! What follows from several declarations together, and what is wrong with a set of them.

use crate::attribute::{Attribute, Constraint, ValueType};
use crate::category::{Mixin, Origin};
use crate::core;
use crate::fixture::{Cloud, create, fixed};
use crate::fixture::{action, attribute, cloud, id, ids, int, item, kind, mixin, name, path, registry};
use crate::identifier::CategoryId;
use crate::registry::{Nature, Registry, RegistryError, Target, is_reserved, is_same_scheme};
use crate::value::Value;
use regex::Regex;

fn terms<'a>(ids: impl IntoIterator<Item = &'a CategoryId>) -> String {
    ids.into_iter().map(CategoryId::term).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_bare_model_has_three_kinds_and_no_mixin() {
    // CORE-19, CORE-17, HTTP-03
    let bare = Registry::new(Vec::new(), &[], Vec::new()).unwrap();
    assert_eq!(terms(bare.kinds().iter().map(|kind| &kind.kind.id)), "entity resource link");
    assert!(bare.mixins().is_empty() && bare.actions().is_empty());
    let natures = [Nature::Abstract, Nature::Resource, Nature::Link];
    for (kind, nature) in bare.kinds().iter().zip(natures) {
        assert_eq!(kind.nature, nature);
        assert_eq!(kind.kind.location.is_none(), nature == Nature::Abstract);
    }
}

#[test]
fn a_kind_inherits_from_the_top_down() {
    // CORE-16, CORE-17
    let registry = registry();
    let cluster = registry.kind(&id("cluster")).unwrap();
    assert_eq!(terms(&cluster.ancestors), "cluster machine resource entity");
    assert!(cluster.is(&id("machine")) && !cluster.is(&id("volume")));
    let names: Vec<_> = cluster.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(
        names.join(" "),
        "occi.core.id occi.core.title occi.core.summary arch cores memory host burst serial state state.message nodes"
    );
    assert_eq!(terms(&cluster.actions), "start stop rename");
    assert_eq!(cluster.states.as_ref().unwrap().attribute, name("state"));
    assert_eq!(registry.kind(&id("wire")).unwrap().nature, Nature::Link);
}

#[test]
fn a_declaration_again_replaces_the_inherited_one_in_its_place() {
    let registry = registry();
    let cores = |kind: &str| {
        let kind = registry.kind(&id(kind)).unwrap();
        kind.attributes.iter().find(|attribute| attribute.name == name("cores")).unwrap().default.clone()
    };
    assert_eq!((cores("machine"), cores("cluster")), (Some(int(1)), Some(int(8))));
}

#[test]
fn dependencies_are_transitive_and_each_comes_once() {
    // CORE-26, Q-44
    let registry = registry();
    for (mixin, depends) in [
        ("fortress", "guarded audited"),
        ("guarded", "audited"),
        ("small", "template"),
        ("template", ""),
        ("tag", ""),
    ] {
        assert_eq!(terms(&registry.mixin(&id(mixin)).unwrap().depends), depends, "{mixin}");
    }
    let named = ids(&["tag", "guarded", "fortress", "unknown", "tag"]);
    assert_eq!(terms(registry.expand(&named)), "tag guarded audited fortress unknown");
}

#[test]
fn what_a_registry_holds_is_in_the_form_that_validation_relies_on() {
    let mut cloud = cloud();
    let constraint = Constraint { choices: vec![int(1), Value::Number(2.5)], ..Constraint::default() };
    cloud.kind("volume").attributes =
        vec![Attribute { default: Some("1".into()), constraint, ..attribute("size", ValueType::Number) }];
    let registry = cloud.registry().unwrap();
    let size = registry.kind(&id("volume")).unwrap().attributes.last().unwrap();
    assert_eq!(size.default, Some(Value::Number(1.0)));
    assert_eq!(size.constraint.choices, [Value::Number(1.0), Value::Number(2.5)]);
}

#[test]
fn a_pattern_stands_for_the_whole_text() {
    // CORE-12. Of `a|ab`, the first alternative matches in `ab` too: the second must have its turn.
    for (pattern, text, allowed) in [
        ("a|ab", "ab", true),
        ("a|ab", "abc", false),
        ("a|ab", "xa", false),
        ("^a$|b", "b", true),
        ("(?i)a", "A", true),
        ("(?m)^a$", "a\nb", false),
        ("a*", "", true),
        ("a", "a\n", false),
    ] {
        let mut cloud = cloud();
        let constraint = Constraint { regex: Some(Regex::new(pattern).unwrap()), ..Constraint::default() };
        cloud.kind("volume").attributes = vec![Attribute { constraint, ..attribute("a", ValueType::String) }];
        let registry = cloud.registry().unwrap();
        let breach =
            registry.kind(&id("volume")).unwrap().attributes.last().unwrap().constraint.breach(&text.into());
        assert_eq!(breach.is_none(), allowed, "{pattern} {text:?}: {breach:?}");
    }
}

#[test]
fn a_path_is_resolved_by_its_form() {
    // H11-01, H11-02, HTTP-18, Q-53
    let mut cloud = cloud();
    cloud.kind("cluster").location = Some(path("/machine/cluster/"));
    let registry = cloud.registry().unwrap();
    for (text, expected) in [
        ("/-/", "query"),
        ("/-", "query"),
        ("/.well-known/org/ogf/occi/-/", "query"),
        ("/machine/", "kind machine"),
        ("/machine", "kind machine"),
        ("/machine/cluster/", "kind cluster"),
        ("/tag/", "mixin tag"),
        ("/tag", "mixin tag"),
        ("/machine/web", "entity /machine/web"),
        ("/web", "entity /web"),
        ("/machine/cluster/a", "entity /machine/cluster/a"),
        ("/", "space /"),
        ("/lab/", "space /lab/"),
        ("/machine/lab/", "space /machine/lab/"),
        ("/entity/", "space /entity/"),
    ] {
        let found = match registry.resolve(&path(text)) {
            Target::Query => "query".to_owned(),
            Target::Kind(kind) => format!("kind {}", kind.kind.id.term()),
            Target::Mixin(mixin) => format!("mixin {}", mixin.mixin.id.term()),
            Target::Entity(location) => format!("entity {location}"),
            Target::Console(location) => format!("console {location}"),
            Target::Space(location) => format!("space {location}"),
        };
        assert_eq!(found, expected, "{text}");
    }
    for (text, above) in [
        ("/machine/web", Some("machine")),
        ("/machine/lab/web", Some("machine")),
        ("/machine/cluster/web", Some("cluster")),
        ("/tag/web", None),
        ("/web", None),
        ("/", None),
    ] {
        let found = registry.kind_above(&path(text)).map(|kind| kind.kind.id.term());
        assert_eq!(found, above, "{text}");
    }
}

#[test]
fn actions_are_offered_as_the_state_allows() {
    // CORE-29, CORE-41, H11-17
    let registry = registry();
    let mut entity = create(&registry, &item(&["machine", "guarded"], &[])).unwrap();
    for (state, offered) in [
        (Some("inactive"), "start rename audit"),
        (Some("active"), "stop rename audit"),
        (Some("error"), "rename audit"),
        (None, "rename audit"),
    ] {
        match state {
            Some(state) => entity.attributes.insert(name("state"), state.into()),
            None => entity.attributes.remove(&name("state")),
        };
        assert_eq!(registry.state(&entity), state);
        assert_eq!(terms(registry.applicable_actions(&entity).map(|action| &action.id)), offered);
    }
    assert_eq!(terms(registry.actions_of(&entity).map(|action| &action.id)), "start stop rename audit");
    let volume = create(&registry, &item(&["volume"], &[("size", int(1))])).unwrap();
    assert_eq!((registry.state(&volume), registry.actions_of(&volume).count()), (None, 0));
}

#[test]
fn the_declaration_of_an_attribute_is_found() {
    // CORE-25, CORE-41
    let registry = registry();
    let entity = create(&registry, &item(&["machine", "guarded", "small"], &[])).unwrap();
    for (attribute, value_type) in [
        ("cores", Some(ValueType::Integer)),
        ("level", Some(ValueType::Integer)),
        ("guards", Some(ValueType::Object)),
        ("scratch", Some(ValueType::Number)),
        (core::TITLE, Some(ValueType::String)),
        ("ip", None),
    ] {
        let found = registry.attribute(&entity, &name(attribute)).map(|attribute| attribute.value_type);
        assert_eq!(found, value_type, "{attribute}");
    }
}

#[test]
fn the_standards_schemes_are_reserved() {
    // CORE-07
    for (scheme, reserved) in [
        ("http://schemas.ogf.org/occi/mine#", true),
        ("HTTP://Schemas.OGF.org/occi#", true),
        ("https://schemas.ogf.org/occi/mine#", true),
        ("http://schemas.ogf.org:80/occi/mine#", true),
        ("http://me@schemas.ogf.org./occi/mine#", true),
        ("http://schemas.ogf.org#", true),
        ("http://schemas.ogf.org.example.com/occi#", false),
        ("http://example.com/occi#", false),
    ] {
        assert_eq!(is_reserved(&CategoryId::new(scheme, "t").unwrap()), reserved, "{scheme}");
    }
}

#[test]
fn a_scheme_is_the_same_whichever_way_its_host_is_written() {
    for (one, other, same) in [
        ("http://example.com/t#", "https://user@EXAMPLE.com.:80/t#", true),
        ("http://example.com/t#", "http://example.com/T#", false),
        ("http://example.com/t#", "http://example.com.net/t#", false),
        ("http://example.com#", "http://example.com/#", false),
        ("urn:x:t#", "urn:x:t#", true),
        ("urn:x:t#", "URN:x:t#", false),
    ] {
        assert_eq!(is_same_scheme(one, other), same, "{one} {other}");
    }
}

/// Plants one fault in a cloud that has none, and expects what is said about it, and no more.
fn check(plant: impl FnOnce(&mut Cloud), expected: &[&str]) {
    let mut cloud = cloud();
    plant(&mut cloud);
    let said: Vec<_> = cloud.registry().err().unwrap_or_default().iter().map(plain).collect();
    assert_eq!(said, expected);
}

fn plain(fault: &RegistryError) -> String {
    fault.to_string().replace("http://example.com/t#", "").replace(core::SCHEME, "core#")
}

#[test]
fn a_type_identifier_is_defined_once() {
    // CORE-14
    check(
        |cloud| cloud.kinds.push(kind("volume", "core#resource")),
        &[
            "volume is defined twice; rename one of the two",
            "volume has the location /volume/, which volume has already; choose another",
        ],
    );
    check(|cloud| cloud.mixin("tag").id = id("volume"), &["volume is defined twice; rename one of the two"]);
    check(|cloud| cloud.mixin("tag").id = id("audit"), &["audit is defined twice; rename one of the two"]);
    check(
        |cloud| cloud.actions.push(action("volume", None)),
        &[
            "volume is defined twice; rename one of the two",
            "the action volume belongs to no Kind or Mixin; name it among the actions of one",
        ],
    );
}

#[test]
fn a_location_is_one_collections_and_ends_in_a_slash() {
    // H11-01, HTTP-01
    check(
        |cloud| cloud.mixin("tag").location = path("/machine/"),
        &["tag has the location /machine/, which machine has already; choose another"],
    );
    for location in ["/tag", "/", "/-/", "/.well-known/org/ogf/occi/-/"] {
        let expected = format!(
            "tag has the location {location}; a collection's path ends in `/` and is not the query interface's"
        );
        check(|cloud| cloud.mixin("tag").location = path(location), &[&expected]);
    }
}

#[test]
fn every_kind_descends_from_resource_or_link() {
    // CORE-17, CORE-46
    let no_ancestor = |term: &str| {
        format!(
            "the parents of {term} lead neither to core#resource nor to core#link; name a parent that does"
        )
    };
    check(|cloud| cloud.kind("volume").parent = None, &[&no_ancestor("volume")]);
    check(|cloud| cloud.kind("volume").parent = Some(id("volume")), &[&no_ancestor("volume")]);
    check(|cloud| cloud.kind("volume").parent = Some(id("core#entity")), &[&no_ancestor("volume")]);
    check(
        |cloud| {
            cloud.kind("volume").parent = Some(id("idea"));
            cloud.kind("idea").parent = Some(id("volume"));
        },
        &[&no_ancestor("volume"), &no_ancestor("idea")],
    );
}

#[test]
fn what_is_referred_to_is_there() {
    let unknown = |id: &str, missing: &str| {
        format!(
            "{id} refers to {missing}, which is not known; load the extension that defines it or correct the identifier"
        )
    };
    // A cluster is a machine: that its grandparent is missing is not its fault.
    check(|cloud| cloud.kind("machine").parent = Some(id("gone")), &[&unknown("machine", "gone")]);
    check(|cloud| cloud.kind("volume").actions = ids(&["gone"]), &[&unknown("volume", "gone")]);
    check(|cloud| cloud.mixin("audited").applies = ids(&["gone", "machine"]), &[&unknown("audited", "gone")]);
    check(|cloud| cloud.mixin("audited").depends = ids(&["gone"]), &[&unknown("audited", "gone")]);
    // A client's tag may refer to what only the client knows, or to what is not loaded any more.
    check(
        |cloud| {
            cloud.mixin("tag").applies = ids(&["gone"]);
            cloud.mixin("tag").depends = ids(&["gone", "audited"]);
        },
        &[],
    );
}

#[test]
fn an_action_has_one_owner() {
    // CORE-28
    let shared = "the action audit belongs to more than one Kind or Mixin; each has one owner";
    check(|cloud| cloud.kind("volume").actions = ids(&["audit"]), &[shared]);
    check(|cloud| cloud.mixin("tag").actions = ids(&["audit"]), &[shared]);
    check(
        |cloud| cloud.actions.push(action("lonely", None)),
        &["the action lonely belongs to no Kind or Mixin; name it among the actions of one"],
    );
}

#[test]
fn an_attribute_keeps_its_type_wherever_it_is_declared_again() {
    let retyped = |id: &str| {
        format!(
            "{id} declares cores as string, but integer is what it is already; keep the type or rename it"
        )
    };
    let cores = || vec![attribute("cores", ValueType::String)];
    check(|cloud| cloud.kind("cluster").attributes = cores(), &[&retyped("cluster")]);
    check(|cloud| cloud.mixin("generous").attributes = cores(), &[&retyped("generous")]);
    check(|cloud| cloud.mixin("small").attributes = cores(), &[&retyped("small")]);
    // Of Kinds that it does not name, a Mixin's author need not know.
    check(|cloud| cloud.mixin("audited").attributes = cores(), &[]);
    check(|cloud| cloud.mixin("addressed").attributes = cores(), &[]);
    let level = || vec![attribute("level", ValueType::Boolean)];
    check(
        |cloud| cloud.mixin("guarded").attributes = level(),
        &["guarded declares level as boolean, but integer is what it is already; keep the type or rename it"],
    );
    for term in ["volume", "tag"] {
        let expected = format!(
            "{term} declares occi.core.title, which every entity has from OCCI Core; take it away or rename it"
        );
        let title = || vec![attribute(core::TITLE, ValueType::String)];
        let plant = |cloud: &mut Cloud| match term {
            "volume" => cloud.kind("volume").attributes = title(),
            _ => cloud.mixin("tag").attributes = title(),
        };
        check(plant, &[&expected]);
    }
}

#[test]
fn a_default_is_a_value_of_its_attribute() {
    // JSON-07
    let size =
        |value: Value| vec![Attribute { default: Some(value), ..attribute("size", ValueType::Number) }];
    check(
        |cloud| cloud.kind("volume").attributes = size("big".into()),
        &["volume: the default of size is a string, but the type is number"],
    );
    check(
        |cloud| cloud.kind("volume").attributes = size(Value::Number(f64::NAN)),
        &["volume: the default of size is a number, but the type is number"],
    );
    check(
        |cloud| cloud.action("rename").attributes = vec![fixed("times", ValueType::Integer, "two".into())],
        &["rename: the default of times is a string, but the type is integer"],
    );
    check(
        |cloud| cloud.kind("machine").attributes[1].default = Some(int(65)),
        &["machine: the default of cores must be at most 64"],
    );
    // A template that no machine could be made of.
    check(
        |cloud| cloud.mixin("large").attributes = vec![fixed("cores", ValueType::Integer, int(65))],
        &["large: the default of cores must be at most 64"],
    );
}

#[test]
fn a_constraint_can_be_held_against_values() {
    let volume = |constraint: Constraint| {
        move |cloud: &mut Cloud| {
            cloud.kind("volume").attributes =
                vec![Attribute { constraint, ..attribute("size", ValueType::Number) }];
        }
    };
    check(
        volume(Constraint { choices: vec![int(1), "two".into()], ..Constraint::default() }),
        &["volume: the constraint of size allows \"two\", but the type is number"],
    );
    let regex = Some(Regex::new("(?x)a # a letter").unwrap());
    check(
        volume(Constraint { regex, ..Constraint::default() }),
        &["volume: the constraint of size cannot stand for a whole text as ^(?:(?x)a # a letter)$; \
         write it without comments"],
    );
}

#[test]
fn dependencies_do_not_lead_back() {
    let circle = |term: &str| format!("the dependencies of {term} lead back to it; take one of them away");
    check(|cloud| cloud.mixin("tag").depends = ids(&["tag"]), &[&circle("tag")]);
    check(
        |cloud| cloud.mixin("audited").depends = ids(&["fortress"]),
        &[&circle("audited"), &circle("guarded"), &circle("fortress")],
    );
}

#[test]
fn states_are_held_by_what_clients_cannot_set() {
    let fault = |name: &str| {
        format!(
            "machine: the state attribute {name} is not a string that clients cannot change; declare it there so"
        )
    };
    check(|cloud| cloud.kind("machine").attributes[6].mutable = true, &[&fault("state")]);
    check(
        |cloud| cloud.kind("machine").attributes[7].value_type = ValueType::Object,
        &[&fault("state.message")],
    );
    check(|cloud| cloud.kind("machine").states.as_mut().unwrap().attribute = name("mood"), &[&fault("mood")]);
    let only = Constraint { choices: vec!["inactive".into(), "active".into()], ..Constraint::default() };
    check(
        |cloud| cloud.kind("machine").attributes[6].constraint = only,
        &[
            "machine: the constraint of state does not allow the state `error`: it must be one of \"inactive\", \"active\"",
        ],
    );
}

#[test]
fn states_are_those_of_the_kind() {
    check(
        |cloud| cloud.kind("machine").states.as_mut().unwrap().initial = "new".into(),
        &["machine names the state `new`, which is not one of `inactive`, `active`, `error`"],
    );
    check(
        |cloud| cloud.action("start").from = Some(vec!["inactiv".into()]),
        &["start names the state `inactiv`, which is not one of `inactive`, `active`, `error`"],
    );
    check(
        |cloud| {
            cloud.actions.push(action("grow", Some(&["small"])));
            cloud.kind("volume").actions = ids(&["grow"]);
        },
        &["grow names the state `small`, which is not one of none (the Kind declares no states)"],
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let plant = |cloud: &mut Cloud| {
        cloud.kind("volume").parent = None;
        cloud.mixin("audited").depends = ids(&["gone"]);
        cloud.action("start").from = Some(vec!["gone".into()]);
        cloud.mixins.push(Mixin { origin: Origin::Client, ..mixin("tag") });
    };
    let mut cloud = cloud();
    plant(&mut cloud);
    let faults = cloud.registry().unwrap_err();
    assert!(faults.contains(&RegistryError::NoAncestor(id("volume"))), "{faults:?}");
    assert!(
        faults.contains(&RegistryError::Unknown { id: id("audited"), missing: id("gone") }),
        "{faults:?}"
    );
    assert!(faults.contains(&RegistryError::Duplicate(id("tag"))), "{faults:?}");
    assert!(faults.iter().any(|fault| matches!(fault, RegistryError::UnknownState { .. })), "{faults:?}");
}

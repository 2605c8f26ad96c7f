//! Creation: what an item becomes.

use crate::attribute::{Attribute, Constraint, ValueType};
use crate::category::Class;
use crate::category::Mixin;
use crate::core;
use crate::draft::{CategoryDraft, Item};
use crate::fixture::{
    ID, attribute, cloud, create, ends, fixed, id, ids, int, item, mixin, path, registry, say, show,
};
use crate::validate::{Gravity, Identity, UpdateMode, Violation};
use crate::value::Value;
use std::collections::BTreeMap;

fn check(categories: &[&str], attributes: &[(&str, Value)], expected: Result<&str, &[&str]>) {
    let found = create(&registry(), &item(categories, attributes));
    let found = found.map(|entity| show(&entity)).map_err(|violations| say(&violations));
    let expected = expected.map(str::to_owned).map_err(|said| said.iter().map(ToString::to_string).collect());
    assert_eq!(found, expected, "{categories:?} {attributes:?}");
}

#[test]
fn a_kind_alone_suffices() {
    // CORE-32, JSON-07; the default of memory is a number as declared, though written as an integer.
    check(&["machine"], &[], Ok(r#"machine | cores=1 memory=1 state="inactive""#));
    check(&["cluster"], &[], Ok(r#"cluster | cores=8 memory=1 state="inactive""#));
    let entity = create(&registry(), &item(&["machine"], &[])).unwrap();
    assert_eq!(entity.get("memory"), Some(Value::Number(1.0)));
    assert_eq!(entity.urn(), "urn:uuid:11111111-2222-3333-4444-555555555555"); // CORE-39
}

#[test]
fn a_client_gives_values() {
    // CORE-02, Q-51: numbers and booleans by the declared type.
    check(
        &["machine"],
        &[
            ("cores", "2".into()),
            ("memory", int(4)),
            ("burst", "true".into()),
            ("arch", "x64".into()),
            ("host", "web.lan".into()),
            (core::TITLE, "Web".into()),
            (core::SUMMARY, "front".into()),
        ],
        Ok(concat!(
            r#"machine | occi.core.title="Web" occi.core.summary="front" arch="x64" burst=true cores=2"#,
            r#" host="web.lan" memory=4 state="inactive""#
        )),
    );
    check(
        &["cluster"],
        &[("nodes", Value::List(vec![int(1)]))],
        Ok(r#"cluster | cores=8 memory=1 nodes=an array state="inactive""#),
    );
}

#[test]
fn a_clients_id_and_the_values_that_will_be_are_no_wish() {
    // Q-03, Q-40
    check(
        &["machine"],
        &[(core::ID, "whatever".into()), ("state", "inactive".into())],
        Ok(r#"machine | cores=1 memory=1 state="inactive""#),
    );
    check(
        &["machine", "small"],
        &[("scratch", "10.0".into())],
        Ok(r#"machine small | cores=2 memory=1 scratch=10 state="inactive""#),
    );
}

#[test]
fn a_mixin_adds_attributes_and_overrides_defaults() {
    // CORE-25, CORE-26, CORE-33, CORE-34
    check(&["machine", "generous"], &[], Ok(r#"machine generous | cores=1 memory=8 state="inactive""#));
    check(
        &["machine", "generous"],
        &[("memory", int(2))],
        Ok(r#"machine generous | cores=1 memory=2 state="inactive""#),
    );
    check(
        &["volume", "guarded", "tag"],
        &[("size", int(5)), ("guards", Value::Hash(BTreeMap::new()))],
        Ok("volume guarded tag | guards=an object level=3 size=5"),
    );
    check(
        &["volume", "strict", "audited"],
        &[("size", int(5))],
        Ok("volume strict audited | level=9 size=5"),
    );
    // What it narrows of the Mixin on which it depends is held, too, in whichever order they are named.
    for mixins in [["strict", "audited"], ["audited", "strict"]] {
        check(
            &["volume", mixins[0], mixins[1]],
            &[("size", int(5)), ("level", int(21))],
            Err(&["level must be at most 20; it was given 21"]),
        );
    }
    check(&["machine", "tag", "tag"], &[], Ok(r#"machine tag | cores=1 memory=1 state="inactive""#));
}

#[test]
fn all_that_is_said_of_an_attribute_holds() {
    let ranged = |minimum: Option<f64>, maximum: Option<f64>| Attribute {
        constraint: Constraint { minimum, maximum, ..Constraint::default() },
        ..attribute("level", ValueType::Integer)
    };
    let mut cloud = cloud();
    let base = Attribute { required: true, ..ranged(None, Some(10.0)) };
    cloud.mixins.push(Mixin { attributes: vec![base], ..mixin("base") });
    let looser = ranged(Some(2.0), Some(99.0));
    cloud.mixins.push(Mixin { depends: ids(&["base"]), attributes: vec![looser], ..mixin("looser") });
    let few = Attribute {
        constraint: Constraint { maximum: Some(4.0), ..Constraint::default() },
        ..attribute("cores", ValueType::Integer)
    };
    let off = Attribute {
        mutable: false,
        constraint: Constraint { choices: vec!["error".into()], ..Constraint::default() },
        ..attribute("state", ValueType::String)
    };
    cloud.mixins.push(Mixin { applies: ids(&["machine"]), attributes: vec![few, off], ..mixin("few") });
    let bounded = |term: &str, minimum: Option<f64>, maximum: Option<f64>| {
        let constraint = Constraint { minimum, maximum, ..Constraint::default() };
        Mixin {
            attributes: vec![Attribute { constraint, ..attribute("cores", ValueType::Integer) }],
            ..mixin(term)
        }
    };
    cloud.mixins.push(bounded("one", None, Some(1.0)));
    cloud.mixins.push(bounded("two", Some(2.0), None));
    let kept = Attribute { mutable: false, ..attribute("arch", ValueType::String) };
    cloud.mixins.push(Mixin { attributes: vec![kept], ..mixin("kept") });
    let free = Attribute { default: Some(int(3)), ..attribute("cores", ValueType::Integer) };
    cloud.mixins.push(Mixin { depends: ids(&["small"]), attributes: vec![free.clone()], ..mixin("free") });
    cloud.mixins.push(Mixin { attributes: vec![free], ..mixin("liberal") });
    let on = fixed("state", ValueType::String, "active".into());
    cloud.mixins.push(Mixin { attributes: vec![on], ..mixin("on") });
    let needy = Attribute { required: true, ..attribute("arch", ValueType::String) };
    cloud.mixins.push(Mixin { attributes: vec![needy], ..mixin("needy") });
    let lent = Attribute { mutable: false, ..attribute("lease", ValueType::String) };
    cloud.mixins.push(Mixin { attributes: vec![lent], ..mixin("lender") });
    let wanted = Attribute { required: true, ..attribute("lease", ValueType::String) };
    cloud.mixins.push(Mixin { depends: ids(&["lender"]), attributes: vec![wanted], ..mixin("tenant") });
    let registry = cloud.registry().unwrap();
    let refused = |categories: &[&str], attributes: &[(&str, Value)]| {
        say(&create(&registry, &item(categories, attributes)).unwrap_err())
    };
    // Of a Mixin on which another depends, in whichever order they are named.
    for mixins in [["looser", "base"], ["base", "looser"]] {
        let with = |level| refused(&["machine", mixins[0], mixins[1]], &[("level", int(level))]);
        assert_eq!(
            refused(&["machine", mixins[0], mixins[1]], &[]),
            ["level is required by base and missing"]
        );
        assert_eq!(with(11), ["level must be at most 10; it was given 11"]);
        assert_eq!(with(1), ["level must be at least 2; it was given 1"]);
    }
    // Of the Kind, whose own state is no other's to judge, nor to make.
    let on = create(&registry, &item(&["machine", "on"], &[])).unwrap();
    assert_eq!(on.get("state"), Some("inactive".into()));
    let plain = create(&registry, &item(&["machine"], &[])).unwrap();
    let on = registry.associate(&plain, &id("on")).unwrap();
    assert_eq!(on.entity.get("state"), Some("inactive".into()));
    // What nobody may set and somebody requires cannot be.
    let missing =
        ["arch is required by needy and missing, and kept lets no client set it: leave one of the two out"];
    assert_eq!(refused(&["machine", "kept", "needy"], &[]), missing);
    // What a Mixin's extension sets no client need give.
    for mixins in [&["tenant"][..], &["tenant", "lender"], &["lender", "tenant"]] {
        let categories = [&["machine"], mixins].concat();
        create(&registry, &item(&categories, &[])).unwrap();
        assert_eq!(refused(&categories, &[("lease", "a".into())]).len(), 1);
    }
    assert_eq!(
        refused(&["machine", "few"], &[("cores", int(5))]),
        ["cores must be at most 4; it was given 5"]
    );
    assert_eq!(
        refused(&["machine", "few"], &[("cores", int(0))]),
        ["cores must be at least 1; it was given 0"]
    );
    let few = create(&registry, &item(&["machine", "few"], &[("cores", int(4))])).unwrap();
    assert_eq!(show(&few), r#"machine few | cores=4 memory=1 state="inactive""#);
    assert_eq!(refused(&["machine", "kept"], &[("arch", "x64".into())]).len(), 1);
    // A template's size is not another's to take away, then or later; nor does it override what others say.
    let both = "cores must be at most 1; small fixes it to be 2";
    assert_eq!(refused(&["machine", "small", "one"], &[]), [both]);
    let small = create(&registry, &item(&["machine", "small"], &[])).unwrap();
    let refused_later = registry.associate(&small, &id("one")).unwrap_err();
    assert_eq!(say(&refused_later), ["cores must be at most 1; it is 2"]);
    let one = create(&registry, &item(&["machine", "one"], &[])).unwrap();
    assert_eq!(say(&registry.associate(&one, &id("small")).unwrap_err()), [both]);
    // Nor is a client's own, be it what nobody would have had to say.
    let own = create(&registry, &item(&["machine"], &[("cores", int(1))])).unwrap();
    let refused_later = registry.associate(&own, &id("two")).unwrap_err();
    assert_eq!(say(&refused_later), ["cores must be at least 2; it is 1"]);
    // What a template fixes stays fixed.
    for mixins in [["small", "liberal"], ["liberal", "small"]] {
        let small = create(&registry, &item(&["machine", mixins[0], mixins[1]], &[])).unwrap();
        assert_eq!(small.get("cores"), Some(int(2)));
    }
    let free = create(&registry, &item(&["machine", "free"], &[])).unwrap();
    let more = item(&[], &[("cores", int(9))]);
    let refused = registry.update(&free, &more, UpdateMode::Partial, None).unwrap_err();
    assert_eq!(say(&refused), ["cores is immutable: clients cannot set it to 9, it is 2"]);
}

#[test]
fn a_template_overrides_what_is_said_beside_it() {
    // INF-14, R0305
    let small = Ok(r#"machine small | cores=2 memory=1 scratch=10 state="inactive""#);
    check(&["machine", "small"], &[], small);
    check(&["machine", "small"], &[("cores", int(8))], small);
    check(&["small", "machine"], &[("cores", int(8))], small);
    // It is no way around the type, though.
    check(
        &["machine", "small"],
        &[("cores", "many".into())],
        Err(&[r#"cores takes an integer, not "many""#]),
    );
}

#[test]
fn a_request_names_one_template() {
    // R0302, CORE-35
    check(
        &["machine", "small", "large"],
        &[],
        Err(&["small and large exclude each other; name one of them"]),
    );
    // The root itself excludes none of its dependents.
    check(
        &["machine", "template", "small"],
        &[],
        Ok(r#"machine template small | cores=2 memory=1 scratch=10 state="inactive""#),
    );
}

#[test]
fn what_is_required_is_given() {
    // CORE-11, JSON-08
    check(&["volume"], &[], Err(&["size is required by volume and missing"]));
    check(&["volume"], &[("size", int(5))], Ok("volume | size=5"));
    check(&["wire", "addressed"], &[], Err(&["ip is required by addressed and missing"]));
    // A wrong value is not missing as well.
    check(&["volume"], &[("size", "big".into())], Err(&[r#"size takes a number, not "big""#]));
}

#[test]
fn values_are_of_the_type_and_within_the_constraint() {
    // CORE-12
    for (name, value, said) in [
        ("cores", Value::Number(1.5), "cores takes an integer, not 1.5"),
        ("cores", Value::Boolean(true), "cores takes an integer, not true"),
        ("cores", int(0), "cores must be at least 1; it was given 0"),
        ("cores", "65".into(), "cores must be at most 64; it was given 65"),
        ("memory", Value::Number(f64::NAN), "memory takes a number, not NaN"),
        ("memory", Value::Number(f64::INFINITY), "memory takes a number, not inf"),
        ("burst", "yes".into(), r#"burst takes a boolean, not "yes""#),
        ("arch", int(86), "arch takes a string, not 86"),
        ("arch", "arm".into(), r#"arch must be one of "x86", "x64"; it was given "arm""#),
        ("host", "Web".into(), r#"host must match ^(?:[a-z]+|[a-z]+[.][a-z]+)$; it was given "Web""#),
        (
            "host",
            "abcdefghijklm".into(),
            r#"host must have at most 12 characters; it was given "abcdefghijklm""#,
        ),
        (core::TITLE, int(1), "occi.core.title takes a string, not 1"),
        (core::SUMMARY, Value::List(Vec::new()), "occi.core.summary takes a string, not an array"),
    ] {
        check(&["machine"], &[(name, value)], Err(&[said]));
    }
    check(&["cluster"], &[("nodes", "a".into())], Err(&[r#"nodes takes an array, not "a""#]));
    check(
        &["volume", "guarded"],
        &[("size", int(1)), ("guards", "a".into())],
        Err(&[r#"guards takes an object, not "a""#]),
    );
}

#[test]
fn clients_do_not_set_what_is_immutable() {
    // CORE-03, CORE-04
    check(
        &["machine"],
        &[("state", "active".into()), ("serial", "x".into())],
        Err(&[
            r#"serial is immutable: clients cannot set it to "x""#,
            r#"state is immutable: clients cannot set it to "active", it is "inactive""#,
        ]),
    );
    check(
        &["machine", "small"],
        &[("scratch", int(99))],
        Err(&["scratch is immutable: clients cannot set it to 99"]),
    );
}

#[test]
fn attributes_that_nothing_declares_are_refused() {
    check(
        &["machine"],
        &[("my.cores", int(1)), ("HOST", "a".into()), ("ip", "::1".into()), (core::SOURCE, "/a".into())],
        Err(&[
            "the attribute HOST is not one of machine; did you mean host?",
            "the attribute ip is not one of machine",
            "the attribute my.cores is not one of machine; did you mean cores?",
            "the attribute occi.core.source is not one of machine",
        ]),
    );
    check(
        &["wire"],
        &[(core::SUMMARY, "a".into())],
        Err(&["the attribute occi.core.summary is not one of wire"]),
    );
}

#[test]
fn there_is_one_kind_that_has_instances() {
    // H11-13, CORE-40, Q-49
    check(&[], &[], Err(&["the Kind is missing; name it by its scheme and term"]));
    check(&["tag"], &[], Err(&["the Kind is missing; name it by its scheme and term"]));
    check(&["machine", "machine"], &[], Ok(r#"machine | cores=1 memory=1 state="inactive""#));
    check(
        &["tag", "machine", "volume"],
        &[],
        Err(&["machine and volume are both Kinds; an entity has exactly one"]),
    );
    check(&["idea"], &[], Err(&["idea has no instances; create one of a Kind that has a location"]));
    check(
        &["core#entity"],
        &[],
        Err(&["core#entity has no instances; create one of a Kind that has a location"]),
    );
    check(&["core#resource"], &[], Ok("resource |"));
}

#[test]
fn mixins_are_known_and_apply() {
    // CORE-21, CORE-22; those that a Mixin depends on must apply as well.
    check(
        &["volume", "gone"],
        &[("size", int(1))],
        Err(&["the category gone is not known here; the query interface `/-/` lists those that are"]),
    );
    check(&["machine", "addressed"], &[], Err(&["addressed does not apply to entities of machine"]));
    check(&["core#resource", "small"], &[], Err(&["small does not apply to entities of core#resource"]));
    check(&["cluster", "generous"], &[], Ok(r#"cluster generous | cores=8 memory=8 state="inactive""#));
}

#[test]
fn a_class_that_is_named_is_the_right_one() {
    // Q-06: it may be missing.
    let said = |term: &str, class| {
        let mut item = item(&["machine"], &[]);
        item.categories.push(CategoryDraft::new(id(term), Some(class)));
        create(&registry(), &item).map(|entity| show(&entity)).map_err(|violations| say(&violations))
    };
    let fine = |mixins: &str| Ok(format!(r#"machine{mixins} | cores=1 memory=1 state="inactive""#));
    assert_eq!(said("machine", Class::Kind), fine(""));
    assert_eq!(said("tag", Class::Mixin), fine(" tag"));
    assert_eq!(said("tag", Class::Kind), Err(vec!["tag is a mixin, not a kind".into()]));
    assert_eq!(said("machine", Class::Mixin), Err(vec!["machine is a kind, not a mixin".into()]));
    assert_eq!(
        said("start", Class::Mixin),
        Err(vec![
            "start is an action, not a mixin; to invoke it, send it to an entity's path with `?action=start`"
                .into()
        ])
    );
    assert_eq!(
        said("start", Class::Action),
        Err(vec![
            "start is an action, not a kind; to invoke it, send it to an entity's path with `?action=start`"
                .into()
        ])
    );
}

#[test]
fn a_link_has_two_ends_and_a_resource_none() {
    // CORE-43, H11-24: where the ends are, the caller knows.
    let registry = registry();
    let make = |item: &Item, ends| {
        let identity = Identity { id: ID, location: path("/wire/1"), tenant: "t".into() };
        registry.instantiate(&registry.classify(item).unwrap(), item, identity, ends)
    };
    let both = item(&["wire"], &[(core::SOURCE, "/machine/a".into()), (core::TARGET, "/machine/b".into())]);
    let wire = make(&both, Some(ends("/machine/b"))).unwrap();
    assert_eq!(show(&wire), r#"wire | occi.core.target="/machine/b""#);
    assert!(wire.is_link());
    let machine = make(&item(&["machine"], &[]), Some(ends("/machine/b"))).unwrap();
    assert!(!machine.is_link());

    let missing = |item: &Item| say(&make(item, None).unwrap_err());
    let no_source = "occi.core.source is required by wire and missing";
    let no_target = "occi.core.target is required by wire and missing";
    assert_eq!(missing(&item(&["wire"], &[])), [no_source, no_target]);
    assert_eq!(missing(&item(&["wire"], &[(core::TARGET, "/b".into())])), [no_source]);
    // A link without ends is never made, even where the caller found none and forgot to say so.
    assert_eq!(missing(&both), [no_source, no_target]);
}

#[test]
fn a_link_has_no_links() {
    let mut wire = item(&["wire"], &[]);
    wire.links.push(Item::default());
    assert_eq!(create(&registry(), &wire), Err(vec![Violation::LinkOfLink(id("wire"))]));
    let mut machine = item(&["machine"], &[]);
    machine.links.push(Item::default());
    assert!(create(&registry(), &machine).is_ok(), "H11-22");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    check(
        &["volume", "small", "gone"],
        &[],
        Err(&[
            "the category gone is not known here; the query interface `/-/` lists those that are",
            "small does not apply to entities of volume",
        ]),
    );
    check(
        &["machine"],
        &[("cores", int(0)), ("host", "!".into()), ("speed", int(1)), ("serial", "1".into())],
        Err(&[
            "cores must be at least 1; it was given 0",
            r#"host must match ^(?:[a-z]+|[a-z]+[.][a-z]+)$; it was given "!""#,
            r#"serial is immutable: clients cannot set it to "1""#,
            "the attribute speed is not one of machine",
        ]),
    );
}

#[test]
fn a_violation_says_whose_fault_it_is() {
    let of = |categories: &[&str], attributes: &[(&str, Value)]| {
        create(&registry(), &item(categories, attributes)).unwrap_err()[0].gravity()
    };
    assert_eq!(of(&["machine"], &[("serial", int(1))]), Gravity::Invalid);
    assert_eq!(of(&["machine"], &[("serial", "1".into())]), Gravity::Forbidden);
    assert_eq!(of(&["volume"], &[]), Gravity::Invalid);
    assert_eq!(of(&["machine", "addressed"], &[]), Gravity::Invalid);
}

#[test]
fn mixins_that_know_nothing_of_each_other_may_share_a_name() {
    // The first that declares it decides about the type; a default that does not fit is none.
    let mut cloud = cloud();
    let declaring = |term, value_type, default| Mixin {
        attributes: vec![Attribute { default: Some(default), ..attribute("colour", value_type) }],
        ..mixin(term)
    };
    cloud.mixins.push(declaring("painted", ValueType::String, "red".into()));
    cloud.mixins.push(declaring("numbered", ValueType::Integer, int(7)));
    let registry = cloud.registry().unwrap();
    for (mixins, expected) in
        [(["painted", "numbered"], r#"colour="red""#), (["numbered", "painted"], "colour=7")]
    {
        let entity = create(&registry, &item(&["core#resource", mixins[0], mixins[1]], &[])).unwrap();
        assert_eq!(entity.mixins, ids(&mixins));
        assert!(show(&entity).ends_with(expected), "{}", show(&entity));
    }
}

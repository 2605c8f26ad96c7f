//! Updates by clients, and Mixins that come and go.

use crate::attribute::{Attribute, Constraint, ValueType};
use crate::category::Class;
use crate::category::Mixin;
use crate::core;
use crate::draft::{CategoryDraft, Item};
use crate::entity::Entity;
use crate::fixture::{attribute, cloud, create, describe, ends, fixed, id, int, item, mixin, name, registry};
use crate::fixture::{say, show, show_update};
use crate::registry::Registry;
use crate::validate::{UpdateMode, Updated, Violation};
use crate::value::Value;

/// A machine, as created with these Mixins and attributes.
fn machine(mixins: &[&str], attributes: &[(&str, Value)]) -> Entity {
    create(&registry(), &item(&[&["machine"], mixins].concat(), attributes)).unwrap()
}

fn check(
    before: &Entity,
    mode: UpdateMode,
    categories: &[&str],
    attributes: &[(&str, Value)],
    expected: Result<(&str, &str), &[&str]>,
) {
    let found = registry().update(before, &item(categories, attributes), mode, None);
    compare(found, expected);
}

fn compare(found: Result<Updated, Vec<Violation>>, expected: Result<(&str, &str), &[&str]>) {
    let found = found
        .map(|updated| (show(&updated.entity), show_update(&updated)))
        .map_err(|violations| say(&violations));
    let expected = expected
        .map(|(entity, update)| (entity.to_owned(), update.to_owned()))
        .map_err(|said| said.iter().map(ToString::to_string).collect());
    assert_eq!(found, expected);
}

#[test]
fn a_partial_update_changes_what_it_names() {
    // H11-18, HTTP-26
    let before = machine(&["tag"], &[("host", "web".into()), (core::TITLE, "Web".into())]);
    check(
        &before,
        UpdateMode::Partial,
        &[],
        &[("cores", "4".into()), (core::SUMMARY, "s".into())],
        Ok((
            r#"machine tag | occi.core.title="Web" occi.core.summary="s" cores=4 host="web" memory=1 state="inactive""#,
            r#"wanted cores=4 occi.core.summary="s"; cleared; gained; lost"#,
        )),
    );
    // Q-05: a Mixin alone.
    check(
        &before,
        UpdateMode::Partial,
        &["guarded"],
        &[],
        Ok((
            r#"machine tag guarded | occi.core.title="Web" cores=1 host="web" level=3 memory=1 state="inactive""#,
            "wanted level=3; cleared; gained guarded audited; lost",
        )),
    );
}

#[test]
fn a_full_update_takes_away_what_it_leaves_out() {
    // H11-19; an attribute with a default falls back to it, and what only the server sets stays (CORE-03).
    let before = machine(
        &["tag", "guarded"],
        &[
            ("host", "web".into()),
            ("cores", int(4)),
            ("level", int(9)),
            (core::TITLE, "Web".into()),
            (core::SUMMARY, "s".into()),
        ],
    );
    check(
        &before,
        UpdateMode::Full,
        &["machine", "tag"],
        &[("burst", true.into())],
        Ok((
            r#"machine tag | burst=true cores=1 memory=1 state="inactive""#,
            "wanted burst=true cores=1; cleared host level occi.core.title occi.core.summary; \
             gained; lost guarded audited",
        )),
    );
    let volume = create(&registry(), &item(&["volume"], &[("size", int(5))])).unwrap();
    check(&volume, UpdateMode::Full, &["volume"], &[], Err(&["size is required by volume and missing"]));
}

#[test]
fn what_is_sent_back_as_it_was_read_is_no_change() {
    // Q-40
    let before = machine(&["small", "tag"], &[(core::TITLE, "Web".into()), ("host", "web".into())]);
    for mode in [UpdateMode::Partial, UpdateMode::Full] {
        let updated = registry().update(&before, &describe(&before), mode, None).unwrap();
        assert!(updated.is_unchanged(&before));
        assert_eq!(show_update(&updated), "wanted; cleared; gained; lost");
    }
}

#[test]
fn what_is_immutable_stays() {
    // CORE-04, CORE-15, H11-18
    for mode in [UpdateMode::Partial, UpdateMode::Full] {
        check(
            &machine(&[], &[]),
            mode,
            &["volume"],
            &[("state", "active".into()), (core::ID, "urn:uuid:0".into())],
            Err(&[
                "an entity keeps its Kind for life; it is machine, not volume",
                "occi.core.id is immutable: clients cannot set it to \"urn:uuid:0\", it is \
                 \"urn:uuid:11111111-2222-3333-4444-555555555555\"",
                r#"state is immutable: clients cannot set it to "active", it is "inactive""#,
            ]),
        );
    }
    check(
        &machine(&[], &[]),
        UpdateMode::Partial,
        &[],
        &[(core::ID, "22222222-2222-3333-4444-555555555555".into())],
        Err(&["occi.core.id is immutable: clients cannot set it to \
               \"22222222-2222-3333-4444-555555555555\", it is \
               \"urn:uuid:11111111-2222-3333-4444-555555555555\""]),
    );
    let unchanged = registry().update(
        &machine(&[], &[]),
        &item(&["machine"], &[(core::ID, "11111111-2222-3333-4444-555555555555".into())]),
        UpdateMode::Partial,
        None,
    );
    assert!(unchanged.unwrap().is_unchanged(&machine(&[], &[])), "the bare form of the same id");
}

#[test]
fn values_are_checked_as_at_creation() {
    check(
        &machine(&[], &[]),
        UpdateMode::Partial,
        &["addressed", "gone"],
        &[("cores", int(99)), ("memory", "much".into()), ("speed", int(1)), (core::TITLE, int(1))],
        Err(&[
            "the category gone is not known here; the query interface `/-/` lists those that are",
            "addressed does not apply to entities of machine",
            "occi.core.title takes a string, not 1",
            "cores must be at most 64; it was given 99",
            r#"memory takes a number, not "much""#,
            "the attribute speed is not one of machine",
        ]),
    );
    let mut item = item(&[], &[]);
    item.categories.push(CategoryDraft::new(id("tag"), Some(Class::Kind)));
    let said = registry().update(&machine(&[], &[]), &item, UpdateMode::Partial, None).unwrap_err();
    assert_eq!(say(&said), ["tag is a mixin, not a kind"]);
}

#[test]
fn a_template_holds_against_clients_for_as_long_as_it_is_there() {
    // CRTP: the values are immutable for the instance.
    let small = machine(&["small"], &[]);
    check(
        &small,
        UpdateMode::Partial,
        &[],
        &[("cores", int(8)), ("scratch", int(8))],
        Err(&[
            "cores is immutable: clients cannot set it to 8, it is 2",
            "scratch is immutable: clients cannot set it to 8, it is 10",
        ]),
    );
    check(
        &small,
        UpdateMode::Full,
        &["machine"],
        &[("cores", int(8))],
        Ok((
            r#"machine | cores=8 memory=1 state="inactive""#,
            "wanted cores=8; cleared scratch; gained; lost small template",
        )),
    );
}

#[test]
fn a_new_template_takes_the_place_of_the_old_one_and_sizes_the_entity() {
    // CORE-35, INF-13, INF-17, R0302, R0305
    let small = machine(&["small", "tag"], &[]);
    let large = Ok((
        r#"machine tag large | cores=4 memory=1 scratch=40 state="inactive""#,
        "wanted cores=4 scratch=40; cleared; gained large; lost small",
    ));
    compare(registry().associate(&small, &id("large")), large);
    check(&small, UpdateMode::Partial, &["large"], &[], large);
    // The old values beside the new template are what the client has read, no wish.
    check(
        &small,
        UpdateMode::Full,
        &["machine", "tag", "large"],
        &[("cores", int(2)), ("scratch", int(10)), ("memory", int(1))],
        large,
    );
    check(
        &small,
        UpdateMode::Partial,
        &["small", "large"],
        &[],
        Err(&["small and large exclude each other; name one of them"]),
    );
    // INF-14: it overrides what the entity carries.
    compare(
        registry().associate(&machine(&[], &[("cores", int(8))]), &id("small")),
        Ok((
            r#"machine small | cores=2 memory=1 scratch=10 state="inactive""#,
            "wanted cores=2 scratch=10; cleared; gained small template; lost",
        )),
    );
}

#[test]
fn a_template_that_builds_on_another_stands_beside_it() {
    let mut cloud = cloud();
    let attributes = vec![fixed("memory", ValueType::Number, int(4))];
    cloud.mixins.push(Mixin { depends: vec![id("small")], attributes, ..mixin("roomy") });
    let registry = cloud.registry().unwrap();
    let small = create(&registry, &item(&["machine", "small"], &[])).unwrap();
    let roomy = registry.associate(&small, &id("roomy")).unwrap();
    assert_eq!(show(&roomy.entity), r#"machine small roomy | cores=2 memory=4 scratch=10 state="inactive""#);
    let back = registry.dissociate(&roomy.entity, &id("roomy")).unwrap();
    assert_eq!(back.entity.mixins, small.mixins);
    let large = registry.associate(&roomy.entity, &id("large")).unwrap();
    assert_eq!(show_update(&large), "wanted cores=4 scratch=40; cleared; gained large; lost small roomy");
}

#[test]
fn what_a_mixin_narrows_is_held_by_what_is_there_already() {
    let registry = registry();
    let audited = create(&registry, &item(&["volume", "audited"], &[("size", int(5)), ("level", int(21))]));
    let refused = registry.associate(&audited.unwrap(), &id("strict")).unwrap_err();
    assert_eq!(say(&refused), ["level must be at most 20; it is 21"]);
    // Be it a default: nothing is dropped in silence.
    let mut cloud = cloud();
    let narrow = Constraint { maximum: Some(0.5), ..Constraint::default() };
    let attributes = vec![Attribute { constraint: narrow, ..attribute("level", ValueType::Integer) }];
    cloud.mixins.push(Mixin { depends: vec![id("audited")], attributes, ..mixin("low") });
    let registry = cloud.registry().unwrap();
    let audited = create(&registry, &item(&["volume", "audited"], &[("size", int(5))])).unwrap();
    assert!(audited.get("level").is_some());
    let refused = registry.associate(&audited, &id("low")).unwrap_err();
    assert_eq!(say(&refused), ["level must be at most 0.5; it is 3"]);
    let refused = create(&registry, &item(&["volume", "low"], &[("size", int(5))])).unwrap_err();
    let why = "level must be at most 0.5; audited makes it 3 where it is not given, so give another value";
    assert_eq!(say(&refused), [why]);
    let given = [("size", int(5)), ("level", int(0))];
    let low = create(&registry, &item(&["volume", "low"], &given)).unwrap();
    assert_eq!(low.get("level"), Some(int(0)));
}

#[test]
fn what_only_an_extension_sets_goes_with_the_mixin_that_declared_it() {
    let mut cloud = cloud();
    let declared = |default: Option<Value>, maximum| {
        let constraint = Constraint { maximum, ..Constraint::default() };
        vec![Attribute { mutable: false, default, constraint, ..attribute("grade", ValueType::Integer) }]
    };
    cloud.mixins.push(Mixin { attributes: declared(Some(int(2)), None), ..mixin("graded") });
    cloud.mixins.push(Mixin { attributes: declared(None, Some(1.0)), ..mixin("low") });
    cloud.mixins.push(Mixin {
        depends: vec![id("graded")],
        attributes: declared(None, Some(1.0)),
        ..mixin("narrow")
    });
    let registry = cloud.registry().unwrap();
    let graded = create(&registry, &item(&["machine", "graded"], &[])).unwrap();
    assert_eq!(graded.get("grade"), Some(int(2)));
    let low = registry.update(&graded, &item(&["machine", "low"], &[]), UpdateMode::Full, None).unwrap();
    assert_eq!(low.entity.get("grade"), None);
    // What it fixes must be allowed by all others, in whichever order they come.
    for mixins in [["graded", "narrow"], ["narrow", "graded"]] {
        let refused = create(&registry, &item(&["machine", mixins[0], mixins[1]], &[])).unwrap_err();
        assert_eq!(say(&refused), ["grade must be at most 1; graded fixes it to be 2"]);
    }
}

#[test]
fn what_an_extension_made_of_a_templates_value_stays_until_the_next_template() {
    let registry = registry();
    let mut small = machine(&["small"], &[]);
    small.attributes.insert(name("scratch"), Value::Number(12.0));
    let tagged = registry.associate(&small, &id("tag")).unwrap();
    assert_eq!(tagged.entity.get("scratch"), Some(Value::Number(12.0)));
    let large = registry.associate(&small, &id("large")).unwrap();
    assert_eq!(large.entity.get("scratch"), Some(Value::Number(40.0)));
}

#[test]
fn a_template_that_goes_leaves_the_size() {
    compare(
        registry().dissociate(&machine(&["small"], &[]), &id("small")),
        Ok((
            r#"machine | cores=2 memory=1 state="inactive""#,
            "wanted; cleared scratch; gained; lost small template",
        )),
    );
}

#[test]
fn mixins_that_nobody_defines_go_with_what_they_brought() {
    let mut left = machine(&["guarded", "tag"], &[]);
    left.mixins.extend([id("gone"), id("lost")]);
    left.attributes.insert(name("gone.key"), Value::Number(5.0));
    let registry = registry();
    let without = |before: &Entity, term: &str| {
        let unknown: Vec<_> =
            before.mixins.iter().filter(|id| registry.mixin(id).is_none()).cloned().collect();
        registry.without_unknown_mixins(before, &unknown, |mixin| *mixin == id(term)).unwrap()
    };
    // Until the last one it is not known whose the attribute is.
    let fewer = without(&left, "lost");
    assert_eq!(
        show(&fewer),
        r#"machine guarded tag gone | cores=1 gone.key=5 level=3 memory=1 state="inactive""#
    );
    let none = without(&fewer, "gone");
    assert_eq!(show(&none), r#"machine guarded tag | cores=1 level=3 memory=1 state="inactive""#);
    assert_eq!(without(&left, "guarded"), left);
}

#[test]
fn a_mixin_comes_and_goes_with_its_attributes() {
    // HTTP-32, HTTP-35, CORE-26, CORE-37
    let plain = machine(&[], &[]);
    let guarded = registry().associate(&plain, &id("guarded")).unwrap();
    compare(
        Ok(guarded.clone()),
        Ok((
            r#"machine guarded | cores=1 level=3 memory=1 state="inactive""#,
            "wanted level=3; cleared; gained guarded audited; lost",
        )),
    );
    let again = registry().associate(&guarded.entity, &id("guarded")).unwrap();
    assert!(again.is_unchanged(&guarded.entity));
    compare(
        registry().dissociate(&guarded.entity, &id("guarded")),
        Ok((
            r#"machine | cores=1 memory=1 state="inactive""#,
            "wanted; cleared level; gained; lost guarded audited",
        )),
    );
    // What it has twice over, it keeps until both are gone.
    let both = registry().associate(&guarded.entity, &id("audited")).unwrap();
    assert_eq!(show_update(&both), "wanted; cleared; gained; lost");
    compare(
        registry().dissociate(&both.entity, &id("guarded")),
        Ok((
            r#"machine audited | cores=1 level=3 memory=1 state="inactive""#,
            "wanted; cleared; gained; lost guarded",
        )),
    );
    // One that came by dependency stays for as long as what needs it; one that is not there is no trouble.
    for mixin in ["audited", "tag", "gone"] {
        let same = registry().dissociate(&guarded.entity, &id(mixin)).unwrap();
        assert!(same.is_unchanged(&guarded.entity), "{mixin}");
    }
}

#[test]
fn a_mixin_that_does_not_fit_does_not_come() {
    // CORE-22, CORE-11
    let refused = |before: &Entity, mixin: &str| say(&registry().associate(before, &id(mixin)).unwrap_err());
    let machine = machine(&[], &[]);
    assert_eq!(refused(&machine, "addressed"), ["addressed does not apply to entities of machine"]);
    assert_eq!(
        refused(&machine, "gone"),
        ["the category gone is not known here; the query interface `/-/` lists those that are"]
    );
    let wire = create(&registry(), &item(&["wire"], &[])).unwrap();
    assert_eq!(refused(&wire, "addressed"), ["ip is required by addressed and missing"]);
    let with_ip = item(&["addressed"], &[("ip", "::1".into())]);
    assert!(registry().update(&wire, &with_ip, UpdateMode::Partial, None).is_ok(), "H11-18");
}

#[test]
fn a_link_moves_its_ends_and_has_no_links() {
    // CORE: source and target are mutable. The extension is told as of any other change.
    let wire = create(&registry(), &item(&["wire"], &[("speed", int(1))])).unwrap();
    let moved = item(&[], &[(core::TARGET, "/machine/c".into())]);
    let update =
        |before: &Entity, item: &Item, ends| registry().update(before, item, UpdateMode::Partial, ends);
    compare(
        update(&wire, &moved, Some(ends("/machine/c"))),
        Ok((
            r#"wire | occi.core.target="/machine/c" speed=1"#,
            r#"wanted occi.core.target="/machine/c"; cleared; gained; lost"#,
        )),
    );
    assert!(update(&wire, &describe(&wire), None).unwrap().is_unchanged(&wire));
    let mut linked = item(&[], &[]);
    linked.links.push(Item::default());
    assert_eq!(update(&wire, &linked, None).unwrap_err(), [Violation::LinkOfLink(id("wire"))]);
    // A resource gets no ends.
    let machine = machine(&[], &[]);
    assert!(update(&machine, &item(&[], &[]), Some(ends("/x"))).unwrap().is_unchanged(&machine));
}

#[test]
fn what_belongs_to_an_extension_that_is_not_loaded_is_left_alone() {
    let (before, without) = unloaded();
    for updated in [
        without.update(&before, &item(&[], &[]), UpdateMode::Partial, None),
        without
            .associate(&before, &id("guarded"))
            .and_then(|next| without.dissociate(&next.entity, &id("guarded"))),
    ] {
        assert_eq!(updated.unwrap().entity, before);
    }
    // A full description that does not name it takes it away, as anything else.
    let updated = without.update(&before, &item(&["machine"], &[]), UpdateMode::Full, None).unwrap();
    assert_eq!(show(&updated.entity), r#"machine | cores=1 memory=1 state="inactive""#);
}

#[test]
fn an_entity_whose_kind_is_not_known_is_not_changed() {
    let registry = registry();
    let before = Entity { kind: id("gone"), ..machine(&[], &[]) };
    let expected = vec![Violation::UnknownCategory(id("gone"))];
    assert_eq!(registry.associate(&before, &id("tag")).unwrap_err(), expected);
    assert_eq!(registry.dissociate(&before, &id("tag")).unwrap_err(), expected);
    let update = registry.update(&before, &item(&[], &[]), UpdateMode::Partial, None);
    assert_eq!(update.unwrap_err(), expected);
    assert_eq!(registry.apply(&before, crate::Change::default()).unwrap_err(), expected);
}

/// A machine with a Mixin whose extension is gone, and the registry without it.
pub(super) fn unloaded() -> (Entity, Registry) {
    let mut cloud = cloud();
    let attributes =
        vec![fixed("colour", ValueType::String, "red".into()), attribute("size", ValueType::Integer)];
    cloud.mixins.push(Mixin { attributes, ..mixin("painted") });
    let with = cloud.registry().unwrap();
    let before = create(&with, &item(&["machine", "painted"], &[("size", int(1))])).unwrap();
    (before, registry())
}

#[test]
fn the_default_of_a_mixin_that_comes_later_overrides_the_kinds() {
    // CORE-34
    let registry = registry();
    let memory = |updated: Updated| updated.entity.attributes.get("memory").cloned();
    let with = |before: &Entity| memory(registry.associate(before, &id("generous")).unwrap());
    let by_default = machine(&[], &[]);
    assert_eq!(by_default.attributes.get("memory"), Some(&Value::Number(1.0)));
    assert_eq!(with(&by_default), Some(Value::Number(8.0)));
    // What a client has chosen is no default.
    assert_eq!(with(&machine(&[], &[("memory", int(2))])), Some(Value::Number(2.0)));
    let said = item(&["generous"], &[("memory", Value::Number(1.0))]);
    let update = |item| memory(registry.update(&by_default, item, UpdateMode::Partial, None).unwrap());
    assert_eq!(update(&said), Some(Value::Number(1.0)));
    assert_eq!(update(&item(&["generous"], &[])), Some(Value::Number(8.0)));
    // What is there already stays as it is, also without the Mixin.
    let sized = machine(&["generous"], &[]);
    assert_eq!(memory(registry.dissociate(&sized, &id("generous")).unwrap()), Some(Value::Number(8.0)));
}

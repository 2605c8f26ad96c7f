//! Invocations of actions.

use crate::category::Class;
use crate::draft::CategoryDraft;
use crate::entity::Entity;
use crate::fixture::{create, id, int, item, name, registry, say, values};
use crate::validate::Gravity;
use crate::value::Value;

fn machine(state: &str) -> Entity {
    let mut entity = create(&registry(), &item(&["cluster", "guarded"], &[])).unwrap();
    entity.attributes.insert(name("state"), state.into());
    entity
}

/// The owner and the parameters, in one line.
fn check(
    entity: &Entity,
    term: &str,
    categories: &[&str],
    attributes: &[(&str, Value)],
    expected: Result<&str, &[&str]>,
) {
    let found = registry().invocation(entity, &item(categories, attributes), term);
    let found = found
        .map(|invocation| {
            assert_eq!(invocation.action.id.term(), term);
            format!("{}{}", invocation.owner.term(), values(&invocation.parameters))
        })
        .map_err(|violations| say(&violations));
    let expected = expected.map(str::to_owned).map_err(|said| said.iter().map(ToString::to_string).collect());
    assert_eq!(found, expected);
}

#[test]
fn an_action_is_its_owners() {
    // CORE-28, CORE-29: the Kind that declares it, be it an ancestor, or a Mixin, be it by dependency.
    check(&machine("inactive"), "start", &["start"], &[], Ok("machine"));
    check(&machine("inactive"), "audit", &["audit"], &[], Ok("audited"));
}

#[test]
fn parameters_are_checked() {
    // CORE-31, H11-21
    check(&machine("active"), "stop", &["stop"], &[], Ok(r#"machine method="soft""#));
    check(
        &machine("active"),
        "stop",
        &["stop"],
        &[("method", "hard".into())],
        Ok(r#"machine method="hard""#),
    );
    check(
        &machine("active"),
        "rename",
        &["rename"],
        &[("to", "b".into()), ("times", "2".into())],
        Ok(r#"machine times=2 to="b""#),
    );
    check(&machine("active"), "rename", &["rename"], &[], Err(&["to is required by rename and missing"]));
    check(
        &machine("active"),
        "rename",
        &["rename"],
        &[("to", int(1)), ("TIMES", int(1))],
        Err(&["the attribute TIMES is not one of rename; did you mean times?", "to takes a string, not 1"]),
    );
    check(
        &machine("active"),
        "stop",
        &["stop"],
        &[("method", "kind".into())],
        Err(&[r#"method must be one of "soft", "hard"; it was given "kind""#]),
    );
}

#[test]
fn the_state_decides() {
    // CORE-29, README: 409
    let found = registry().invocation(&machine("active"), &item(&["start"], &[]), "start").unwrap_err();
    assert_eq!(say(&found), ["`start` is not possible in the state `active`; it is in `inactive`"]);
    assert_eq!(found[0].gravity(), Gravity::Conflict);
    check(
        &machine("error"),
        "stop",
        &["stop"],
        &[("method", int(1))],
        Err(&[
            "method takes a string, not 1",
            "`stop` is not possible in the state `error`; it is in `active`",
        ]),
    );
}

#[test]
fn an_invocation_names_one_action_and_the_same_twice() {
    // TXT-12, HTTP-27, Q-30
    let one =
        r#"an invocation names exactly one action, such as `Category: start; scheme="..."; class="action"`"#;
    check(&machine("inactive"), "start", &[], &[], Err(&[one]));
    check(&machine("inactive"), "start", &["start", "audit"], &[], Err(&[one]));
    check(
        &machine("inactive"),
        "start",
        &["stop"],
        &[],
        Err(&["the query says action=start, but the body invokes stop; name the same action in both"]),
    );
    let long = "x\r\n".repeat(99);
    let said = registry().invocation(&machine("inactive"), &item(&["stop"], &[]), &long).unwrap_err();
    assert!(!said[0].to_string().contains('\n') && said[0].to_string().len() < 300, "{}", said[0]);
}

#[test]
fn an_action_that_the_entity_lacks_is_named_with_those_that_it_has() {
    // H11-21
    let volume = create(&registry(), &item(&["volume"], &[("size", int(1))])).unwrap();
    let other = "start is not an action of this entity; it has none";
    check(&volume, "start", &["start"], &[], Err(&[other]));
    check(
        &machine("inactive"),
        "fly",
        &["fly"],
        &[],
        Err(&["fly is not an action of this entity; it has `start`, `stop`, `rename`, `audit`"]),
    );
    check(
        &machine("inactive"),
        "machine",
        &["machine"],
        &[],
        Err(&["machine is not an action of this entity; it has `start`, `stop`, `rename`, `audit`"]),
    );
}

#[test]
fn the_class_may_be_missing_but_not_wrong() {
    // Q-06
    for (class, expected) in [
        (None, Vec::new()),
        (Some(Class::Action), Vec::new()),
        (Some(Class::Mixin), vec!["start is an action, not a mixin; to invoke it, send it to an entity's path with `?action=start`".to_owned()]),
    ] {
        let mut item = item(&[], &[]);
        item.categories.push(CategoryDraft::new(id("start"), class));
        let said = registry().invocation(&machine("inactive"), &item, "start").err().unwrap_or_default();
        assert_eq!(say(&said), expected);
    }
    // What is no action at all is not called one.
    let mut item = item(&[], &[]);
    item.categories.push(CategoryDraft::new(id("machine"), Some(Class::Kind)));
    let said = registry().invocation(&machine("inactive"), &item, "start").err().unwrap_or_default();
    let expected = "the query says action=start, but the body invokes machine; name the same action in both";
    assert_eq!(say(&said), [expected]);
}

//! What an extension proposes for its entity.

use super::change::unloaded;
use crate::core;
use crate::entity::{Attributes, Entity};
use crate::fixture::{create, int, item, name, registry, say, show};
use crate::validate::Change;
use crate::value::Value;

fn set(attributes: &[(&str, Value)]) -> Change {
    let set: Attributes = attributes.iter().map(|(text, value)| (name(text), value.clone())).collect();
    Change { set, ..Change::default() }
}

fn clear(names: &[&str]) -> Change {
    Change { clear: names.iter().map(|text| name(text)).collect(), ..Change::default() }
}

fn state(state: &str, message: Option<&str>) -> Change {
    Change { state: Some(state.into()), message: message.map(Into::into), ..Change::default() }
}

fn check(before: &Entity, change: Change, expected: Result<&str, &[&str]>) {
    let found = registry().apply(before, change);
    let found = found.map(|entity| show(&entity)).map_err(|violations| say(&violations));
    let expected = expected.map(str::to_owned).map_err(|said| said.iter().map(ToString::to_string).collect());
    assert_eq!(found, expected);
}

fn machine() -> Entity {
    create(&registry(), &item(&["machine", "small"], &[("host", "web".into())])).unwrap()
}

fn volume() -> Entity {
    create(&registry(), &item(&["volume"], &[("size", int(1))])).unwrap()
}

#[test]
fn an_extension_sets_what_clients_cannot() {
    // CORE-03; a value that a template gave included
    check(
        &machine(),
        set(&[("serial", "s1".into()), ("cores", "3".into()), ("scratch", int(12))]),
        Ok(r#"machine small | cores=3 host="web" memory=1 scratch=12 serial="s1" state="inactive""#),
    );
}

#[test]
fn what_it_sets_is_declared_and_of_the_type() {
    check(
        &machine(),
        set(&[
            ("cores", int(65)),
            ("memory", Value::Number(f64::NAN)),
            ("speed", int(1)),
            (core::ID, "x".into()),
            (core::TARGET, "/x".into()),
            (core::TITLE, int(1)),
        ]),
        Err(&[
            "occi.core.title takes a string, not 1",
            "cores must be at most 64; it was given 65",
            "memory takes a number, not NaN",
            "occi.core.id is immutable: clients cannot set it to \"x\", it is \
             \"urn:uuid:11111111-2222-3333-4444-555555555555\"",
            r#"occi.core.target is immutable: clients cannot set it to "/x""#,
            "the attribute speed is not one of machine",
        ]),
    );
}

#[test]
fn the_title_is_the_entitys_own() {
    let titled = registry().apply(&volume(), set(&[(core::TITLE, "t".into()), (core::SUMMARY, "s".into())]));
    let titled = titled.unwrap();
    assert_eq!((titled.title.as_deref(), titled.summary.as_deref()), (Some("t"), Some("s")));
    assert_eq!(titled.attributes, volume().attributes);
    check(&titled, clear(&[core::TITLE, core::SUMMARY]), Ok("volume | size=1"));
    let wire = create(&registry(), &item(&["wire"], &[])).unwrap();
    let summary = r#"occi.core.summary is immutable: clients cannot set it to "s""#;
    check(&wire, set(&[(core::SUMMARY, "s".into())]), Err(&[summary]));
}

#[test]
fn a_state_is_one_of_the_kinds() {
    let unknown = "`gone` is not a state of machine; the manifest has `inactive`, `active`, `error`";
    check(&machine(), state("gone", None), Err(&[unknown]));
    // By name it is the same attribute, and no way around.
    check(&machine(), set(&[("state", "gone".into())]), Err(&[unknown]));
    check(
        &machine(),
        set(&[("state", "active".into())]),
        Ok(r#"machine small | cores=2 host="web" memory=1 scratch=10 state="active""#),
    );
    check(&machine(), clear(&["state"]), Err(&["state is required by machine and missing"]));
    check(
        &volume(),
        state("active", None),
        Err(&["`active` is not a state of volume; the manifest has none"]),
    );
    check(
        &volume(),
        state(&"\n".repeat(200), None),
        Err(&[&format!("`{}` is not a state of volume; the manifest has none", "\\n".repeat(80))]),
    );
}

#[test]
fn a_message_comes_and_goes() {
    let failed = registry().apply(&machine(), state("error", Some("no memory"))).unwrap();
    let said =
        r#"machine small | cores=2 host="web" memory=1 scratch=10 state="error" state.message="no memory""#;
    assert_eq!(show(&failed), said);
    check(
        &failed,
        state("active", Some("")),
        Ok(r#"machine small | cores=2 host="web" memory=1 scratch=10 state="active""#),
    );
    check(
        &failed,
        state("error", Some(&"x".repeat(41))),
        Err(&[&format!(
            r#"state.message must have at most 40 characters; it was given "{}""#,
            "x".repeat(41)
        )]),
    );
    // Where there is nowhere to show it, it is not shown.
    check(&volume(), Change { message: Some("hello".into()), ..Change::default() }, Ok("volume | size=1"));
}

#[test]
fn what_is_taken_away_may_be_taken_away() {
    // CORE-11
    check(
        &machine(),
        clear(&["host", "burst", "unknown"]),
        Ok(r#"machine small | cores=2 memory=1 scratch=10 state="inactive""#),
    );
    check(
        &machine(),
        clear(&["memory"]),
        Ok(r#"machine small | cores=2 host="web" memory=1 scratch=10 state="inactive""#),
    );
    check(&volume(), clear(&["size"]), Err(&["size is required by volume and missing"]));
}

#[test]
fn no_proposal_is_no_change() {
    let entity = machine();
    assert_eq!(registry().apply(&entity, Change::default()), Ok(entity));
    let (entity, without) = unloaded();
    assert_eq!(without.apply(&entity, Change::default()), Ok(entity));
}

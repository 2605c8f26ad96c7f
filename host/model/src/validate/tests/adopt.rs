//! What an extension's new version would break of an entity.

use super::change::unloaded;
use crate::attribute::{Attribute, ValueType};
use crate::entity::Entity;
use crate::fixture::{Cloud, attribute, cloud, create, id, ids, int, item, name, registry, say};
use crate::registry::Registry;
use crate::value::Value;
use std::collections::HashSet;

/// Changes the cloud, and expects what does not fit any more.
fn check(entity: &Entity, next: impl FnOnce(&mut Cloud), expected: &[&str]) {
    let mut cloud = cloud();
    next(&mut cloud);
    let next = cloud.registry().unwrap();
    assert_eq!(say(&next.breaches(&registry(), &HashSet::new(), entity)), expected);
}

fn machine() -> Entity {
    create(&registry(), &item(&["machine", "audited"], &[("host", "web".into())])).unwrap()
}

fn declared<'a>(cloud: &'a mut Cloud, term: &str, text: &str) -> &'a mut Attribute {
    cloud.kind(term).attributes.iter_mut().find(|attribute| attribute.name == name(text)).unwrap()
}

#[test]
fn what_only_adds_breaks_nothing() {
    check(&machine(), |_| {}, &[]);
    check(
        &machine(),
        |cloud| {
            cloud.kind("machine").attributes.push(attribute("rack", ValueType::String));
            let with_default =
                Attribute { required: true, default: Some(int(1)), ..attribute("row", ValueType::Integer) };
            cloud.kind("machine").attributes.push(with_default);
            declared(cloud, "machine", "cores").constraint.maximum = Some(128.0);
            cloud.kind("machine").states.as_mut().unwrap().values.push("paused".into());
        },
        &[],
    );
}

#[test]
fn an_attribute_that_goes_or_changes_breaks_what_has_it() {
    let rename = |cloud: &mut Cloud| declared(cloud, "machine", "host").name = name("hostname");
    check(&machine(), rename, &["the attribute host is not one of machine"]);
    let nameless = create(&registry(), &item(&["machine"], &[])).unwrap();
    check(&nameless, rename, &[]);
    check(
        &machine(),
        |cloud| {
            *declared(cloud, "machine", "host") = attribute("host", ValueType::Integer);
            declared(cloud, "machine", "cores").default = Some(int(2));
            declared(cloud, "machine", "cores").constraint.minimum = Some(2.0);
            let rack = Attribute { required: true, ..attribute("rack", ValueType::String) };
            cloud.kind("machine").attributes.push(rack);
        },
        &[
            "cores must be at least 2; it was given 1",
            "host takes an integer, not \"web\"",
            "rack is required by machine and missing",
        ],
    );
}

#[test]
fn a_quoted_number_is_no_number() {
    let mut quoted = machine();
    quoted.attributes.insert(name("host"), Value::Text("7".into()));
    check(
        &quoted,
        |cloud| *declared(cloud, "machine", "host") = attribute("host", ValueType::Integer),
        &["host takes an integer, not \"7\""],
    );
}

#[test]
fn a_category_that_goes_breaks_what_is_of_it() {
    let volume = create(&registry(), &item(&["volume"], &[("size", int(1))])).unwrap();
    let without =
        |term: &'static str| move |cloud: &mut Cloud| cloud.kinds.retain(|kind| kind.id != id(term));
    check(
        &volume,
        without("volume"),
        &["the category volume is not known here; the query interface `/-/` lists those that are"],
    );
    check(&machine(), without("volume"), &[]);
    check(
        &machine(),
        |cloud| {
            cloud.mixin("audited").applies = ids(&["volume"]);
            cloud.mixin("guarded").depends.clear();
        },
        &["audited does not apply to entities of machine"],
    );
    check(
        &machine(),
        |cloud| {
            let machine = cloud.kind("machine").states.as_mut().unwrap();
            machine.values = ["off", "active"].map(Into::into).to_vec();
            machine.initial = "off".into();
            cloud.actions.iter_mut().for_each(|action| action.from = None);
        },
        &["`inactive` is not a state of machine; the manifest has `off`, `active`"],
    );
}

#[test]
fn what_was_not_loaded_before_is_no_matter_now() {
    let (entity, registry) = unloaded();
    assert_eq!(registry.breaches(&registry, &HashSet::new(), &entity), []);
}

#[test]
fn what_one_that_is_back_has_left_is_its_own() {
    let mut next = cloud();
    declared(&mut next, "machine", "host").name = name("hostname");
    let (away, back) = (Registry::new(Vec::new(), &[], Vec::new()).unwrap(), next.registry().unwrap());
    let mut entity = machine();
    entity.attributes.insert(name("strange"), "1".into());
    let left = HashSet::from([name("host"), name("cores")]);
    assert_eq!(say(&back.breaches(&away, &left, &entity)), ["the attribute host is not one of machine"]);
}

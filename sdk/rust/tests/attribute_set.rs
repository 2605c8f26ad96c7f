//! A derived struct reads the attributes that it stands for, and writes them.

use occi_sdk::testing::Host;
use occi_sdk::{
    AttributeSet, AttributeType, Attributes, Change, Fault, Json, Lifecycle, Result, Subject, Value,
};

#[derive(Debug, Clone, PartialEq, AttributeSet)]
#[occi(prefix = "com.example.thing")]
struct Thing {
    r#type: String,
    count: i64,
    weight: f64,
    open: bool,
    parts: Json,
    colour: Option<Colour>,
    #[occi(name = "occi.core.title")]
    title: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Colour {
    Red,
}

impl AttributeType for Colour {
    const WANTED: &'static str = "a colour";

    fn from_value(value: Value) -> Result<Self> {
        match String::from_value(value)?.as_str() {
            "red" => Ok(Self::Red),
            other => Err(Fault::invalid(format!("{other} is no colour"))),
        }
    }

    fn to_value(&self) -> Value {
        "red".into()
    }
}

fn thing() -> Thing {
    Thing {
        r#type: "box".into(),
        count: 3,
        weight: 0.5,
        open: true,
        parts: Json("[1,2]".into()),
        colour: Some(Colour::Red),
        title: None,
    }
}

fn given() -> Vec<(&'static str, Value)> {
    vec![
        (Thing::TYPE, "box".into()),
        (Thing::COUNT, 3.into()),
        (Thing::WEIGHT, 0.5.into()),
        (Thing::OPEN, true.into()),
        (Thing::PARTS, Value::Structured("[1,2]".into())),
        (Thing::COLOUR, "red".into()),
    ]
}

fn attributes(given: Vec<(&str, Value)>) -> Attributes {
    let change = given.into_iter().fold(Change::new(), |change, (name, value)| change.set(name, value));
    Attributes::from(change.set)
}

/// All of `given`, but for one of them.
fn with(name: &'static str, value: impl Into<Value>) -> Attributes {
    let mut given = given();
    given.retain(|(other, _)| *other != name);
    given.push((name, value.into()));
    attributes(given)
}

#[test]
fn names_are_those_of_the_manifest() {
    assert_eq!(Thing::TYPE, "com.example.thing.type");
    assert_eq!(Thing::TITLE, "occi.core.title");
}

#[test]
fn every_type_is_read() {
    assert_eq!(Thing::read(&attributes(given())).unwrap(), thing());
}

#[test]
fn what_is_required_and_missing_is_named() {
    for name in [Thing::TYPE, Thing::COUNT, Thing::WEIGHT, Thing::OPEN, Thing::PARTS] {
        let mut given = given();
        given.retain(|(other, _)| *other != name);
        let fault = Thing::read(&attributes(given)).unwrap_err();
        assert!(fault.is(Fault::INVALID), "{fault:?}");
        assert_eq!(fault.attribute.as_deref(), Some(name));
    }
}

#[test]
fn another_type_than_the_fields_is_the_extensions_fault() {
    for name in [Thing::TYPE, Thing::PARTS, Thing::COLOUR, Thing::TITLE] {
        let fault = Thing::read(&with(name, 7)).unwrap_err();
        assert!(fault.is(Fault::FAILED), "{fault:?}");
        assert_eq!(fault.attribute.as_deref(), Some(name));
    }
    assert!(Thing::read(&with(Thing::COUNT, 0.5)).unwrap_err().is(Fault::FAILED));
}

#[test]
fn a_type_of_ones_own_says_what_is_wrong() {
    let fault = Thing::read(&with(Thing::COLOUR, "loud")).unwrap_err();
    assert_eq!(fault, Fault::invalid("loud is no colour").on(Thing::COLOUR));
}

#[test]
fn a_change_has_all_of_them_or_those_that_differ() {
    let all = Change::new().set_all(&thing());
    assert_eq!(Attributes::from(all.set), attributes(given()));
    assert_eq!(all.clear, [Thing::TITLE]);

    let (before, mut after) = (thing(), thing());
    assert_eq!(Change::new().set_changed(&before, &after), Change::new());
    after.count = 4;
    after.colour = None;
    after.title = Some("A box".into());
    assert_eq!(
        Change::new().state("new").set_changed(&before, &after),
        Change::new().state("new").set(Thing::COUNT, 4).clear(Thing::COLOUR).set(Thing::TITLE, "A box")
    );
}

#[derive(AttributeSet)]
#[occi(prefix = "com.example.counter")]
struct Counter {
    step: i64,
    total: Option<i64>,
}

impl Lifecycle for Counter {
    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        let counter = Self::read(&wanted.over(subject))?;
        let total = Some(counter.total.unwrap_or(0) + counter.step);
        Ok(Change::new().set_all(&Self { total, ..counter }))
    }
}

#[test]
fn an_extension_reads_what_an_entity_will_show() {
    let host = Host::<Counter>::new();
    let mut counter = host.resource("http://example.com/occi#counter").with(Counter::STEP, 1);
    host.update(&mut counter, Attributes::default()).unwrap();
    host.update(&mut counter, [(Counter::STEP, 5)]).unwrap();
    assert_eq!((counter.get(Counter::STEP), counter.get(Counter::TOTAL)), (Some(5.into()), Some(6.into())));
}

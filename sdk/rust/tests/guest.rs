//! An extension sees what the host says, and the host gets what it answers.

use occi_sdk::testing::{Entity, Host};
use occi_sdk::{
    Actions, Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject, Value,
    logging, machines, volumes::Volume,
};
use std::time::Duration;

const THING: &str = "http://example.com/occi#thing";
const MIXIN: &str = "http://example.com/occi#mixin";

/// Says what it is told.
struct Echo;

impl Lifecycle for Echo {
    fn create(subject: &Subject) -> Result<Change> {
        logging::info(&format!("create {} {}", subject.role(), subject.operation()));
        if subject.role() == MIXIN && subject.boolean("refuse") == Some(true) {
            return Err(Fault::invalid("not this one").on("refuse"));
        }
        Ok(Change::new().set("created", subject.kind()).state("new").message("just made"))
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        let after = wanted.over(subject);
        let both = format!("{:?} was {:?}", after.text("text"), subject.text("text"));
        Ok(Change::new().set("updated", both).clear("created"))
    }

    fn delete(subject: &Subject) -> Result<()> {
        logging::info(&format!("delete {}", subject.role()));
        Ok(())
    }
}

impl Actions for Echo {
    fn act(subject: &Subject, action: &str, parameters: &Attributes) -> Result<Change> {
        let ends = format!(
            "{action} {:?} {:?} {:?}",
            parameters.integer("times"),
            subject.source(),
            subject.target()
        );
        Ok(Change::new().set("acted", ends).message("").again(Duration::from_millis(1500)))
    }
}

impl Observe for Echo {
    fn observe(subject: &Subject, cause: Cause) -> Result<Change> {
        Ok(Change::new()
            .state(if subject.operation().is_empty() { "seen" } else { "confused" })
            .set("cause", format!("{cause:?}")))
    }
}

occi_sdk::export!(Echo: lifecycle, actions, observe);

/// Relies on the defaults alone.
struct Silent;
impl Lifecycle for Silent {}
impl Actions for Silent {}
impl Observe for Silent {}

#[test]
fn what_an_extension_leaves_out_does_nothing() {
    let host = Host::<Silent>::new();
    let mut thing = host.resource(THING).mixin(MIXIN).with("text", "a");
    let before = thing.clone();
    host.create(&mut thing).unwrap();
    host.observe(&mut thing, Cause::Event).unwrap();
    assert_eq!(thing, before);
    host.update(&mut thing, [("text", "b")]).unwrap();
    assert_eq!(thing, before.with("text", "b"));
    assert!(host.act(&mut thing, "fly", Attributes::default()).unwrap_err().is(Fault::UNSUPPORTED));
    host.delete(&thing).unwrap();
}

#[test]
fn changes_are_applied() {
    let host = Host::<Echo>::new();
    let mut thing = host.resource(THING).with("text", "a");
    host.create(&mut thing).unwrap();
    assert_eq!((thing.state.as_deref(), thing.message.as_deref()), (Some("new"), Some("just made")));
    assert_eq!(thing.get("created"), Some(THING.into()));

    host.update(&mut thing, [("text", "b")]).unwrap();
    assert_eq!(thing.get("updated"), Some(r#"Some("b") was Some("a")"#.into()));
    assert_eq!((thing.get("created"), thing.get("text")), (None, Some("b".into())));

    host.act(&mut thing, "wave", [("times", 3)]).unwrap();
    assert_eq!(thing.get("acted"), Some("wave Some(3) None None".into()));
    assert_eq!((thing.message.as_deref(), thing.again), (None, Some(1500)));

    host.observe(&mut thing, Cause::Recreate).unwrap();
    assert_eq!((thing.state.as_deref(), thing.get("cause")), (Some("seen"), Some("Recreate".into())));
}

#[test]
fn a_refused_creation_is_undone_role_by_role() {
    let host = Host::<Echo>::new();
    let mut thing = host.resource(THING).mixin(MIXIN).with("refuse", true);
    let fault = host.create(&mut thing).unwrap_err();
    assert_eq!((fault.code.as_str(), fault.attribute.as_deref()), ("invalid", Some("refuse")));
    let log: Vec<_> = host.log().into_iter().map(|(_, message)| message).collect();
    assert_eq!(log[2..], [format!("delete {MIXIN}"), format!("delete {THING}")]);
}

#[test]
fn a_host_that_crashes_calls_again_with_the_same_operation() {
    let host = Host::<Echo>::crashing();
    host.create(&mut host.resource(THING)).unwrap();
    host.create(&mut host.resource(THING)).unwrap();
    let log: Vec<_> = host.log().into_iter().map(|(_, message)| message).collect();
    assert_eq!(log.len(), 4);
    assert!(log[0] == log[1] && log[2] == log[3] && log[1] != log[2]);
}

#[test]
fn causes_are_an_open_set() {
    assert_eq!(Cause::named("timer"), Cause::Timer);
    assert_eq!(Cause::named("restart"), Cause::Restart);
    assert_eq!(Cause::named("recreate"), Cause::Recreate);
    assert_eq!(Cause::named("event"), Cause::Event);
    assert_eq!(Cause::named("full moon"), Cause::Event);
}

#[test]
fn attributes_are_read_by_their_own_type_alone() {
    let values = [
        ("text", Value::from("a")),
        ("integer", Value::from(1)),
        ("number", Value::from(1.5)),
        ("boolean", Value::from(true)),
        ("json", Value::Structured("[1]".into())),
    ];
    let all = Attributes::from(values);
    for name in all.iter().map(|attribute| attribute.name.as_str()) {
        assert!(all.has(name));
        assert_eq!(all.text(name).is_some(), name == "text");
        assert_eq!(all.integer(name).is_some(), name == "integer");
        assert_eq!(all.number(name).is_some(), name == "number");
        assert_eq!(all.boolean(name).is_some(), name == "boolean");
        assert_eq!(all.json(name).is_some(), name == "json");
    }
    assert_eq!(all.get("other"), None);
}

#[test]
fn the_ends_of_a_link_are_its_own() {
    let host = Host::<Silent>::new();
    let (one, other) = (host.resource(THING), host.resource(THING));
    host.call(&one, THING, |_| Volume::create(End::Subject, 512)).unwrap();
    let link = host.link("http://example.com/occi#link", &one, &other);
    let open =
        |entity: &Entity, end| host.call(entity, THING, |_| Volume::find(end)).map(|found| found.is_some());
    assert_eq!(open(&link, End::Source), Ok(true));
    assert_eq!(open(&link, End::Target), Ok(false));
    assert_eq!(open(&link, End::Subject), Ok(false));
    assert!(open(&one, End::Source).unwrap_err().is(Fault::INVALID), "a resource has no ends");
    assert!(machines::Machine::find(End::Subject).is_err(), "outside of a call nothing is within reach");
}

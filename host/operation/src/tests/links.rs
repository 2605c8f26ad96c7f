//! Links that an extension asks for: what is refused at once, and that the others are made and ended once, whatever comes
//! between the commit and that.

use super::{Cloud, KIND, SEEN, SUBJECT, entity, tenant, watcher};
use crate::changes::Changes;
use crate::effect::Writes;
use crate::order::{Order, Wish};
use crate::sight::{Moment, Sight};
use crate::{Caller, Change, Condition, Core, Replacement};
use occi_extension::{
    CallState, Capability, EntityView, Extension, Fault, Grants, KeyValueChange, KeyValueChanges, Lent,
    LinkOrder, Loader, Settings,
};
use occi_guest::Guest;
use occi_model::{AttributeName, Attributes, Location, Value};
use occi_store::{Batch, Bucket, Entities, Options, RedbStore, Store, Stored};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use uuid::Uuid;
use wasmtime::component::Linker;

const ROPE: &str = "http://example.com/rope#rope";
const WIRE: &str = "http://example.com/rope#wire";
const LENGTH: &str = "com.example.rope.length";

/// What stands for the capability, which lives elsewhere: what is imported of it is what is simply linked, as no guest here
/// calls it.
struct Named;

const RANDOM: &str = "wasi:random/random@0.2.12";

impl Capability for Named {
    fn name(&self) -> &'static str {
        "entities"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &[RANDOM]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        linker.instance(RANDOM)?.func_wrap("get-random-u64", |_, ()| Ok((4_u64,)))
    }

    fn has_outside_effects(&self) -> bool {
        false
    }

    fn keys(&self) -> &'static [&'static str] {
        &["kinds", "links"]
    }
}

/// The extension that asks: of the things, which tell why they were observed.
fn stack() -> Guest {
    stack_with(&[ROPE, KIND])
}

fn stack_with(links: &[&str]) -> Guest {
    let defines = format!(
        r#"
        [capabilities.entities]
        links = {links:?}
        [[kind]]
        term = "thing"
        scheme = "http://example.com/occi#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/thing/"
        [kind.attributes."com.example.mood"]
        type = "string"
        mutable = true
        [kind.attributes."{SEEN}"]
        type = "string"
        "#
    );
    let guest = watcher("thing", SEEN, &defines);
    Guest {
        world: "import occi:extension/types@0.1.0; import wasi:random/random@0.2.12; \
                export occi:extension/observe@0.1.0;",
        body: format!("(import \"{RANDOM}\" \"get-random-u64\" (func (result i64))) {}", guest.body),
        ..guest
    }
}

/// The extension of the links, which says no with that code.
fn rope(version: &str, code: &str) -> Guest {
    let length = code.len();
    let body = format!(
        r#"
        {SUBJECT}
        (data (i32.const 64) "{code}")
        (func (export "occi:extension/lifecycle@0.1.0#create")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (call $done (local.get $subject))
            (if (i32.const {length}) (then
                (i32.store8 (i32.const 1024) (i32.const 1))
                (i32.store (i32.const 1032) (i32.const 64))
                (i32.store (i32.const 1036) (i32.const {length}))))
            (i32.const 1024))
        (func (export "occi:extension/lifecycle@0.1.0#update")
            (param i32 i32 i32 i32) (param $subject i32) (param i32 i32) (result i32)
            (call $done (local.get $subject))
            (i32.const 1024))
        (func (export "occi:extension/lifecycle@0.1.0#delete")
            (param i32 i32 i32 i32) (param $subject i32) (result i32)
            (call $done (local.get $subject))
            (i32.const 1024))
        "#
    );
    let manifest = format!(
        r#"
        [extension]
        name = "rope"
        version = "{version}"
        [[kind]]
        term = "rope"
        scheme = "http://example.com/rope#"
        parent = "http://schemas.ogf.org/occi/core#link"
        location = "/rope/"
        [kind.attributes."{LENGTH}"]
        type = "integer"
        mutable = true
        default = 3
        [kind.attributes."com.example.rope.worn"]
        type = "boolean"
        [[kind]]
        term = "wire"
        scheme = "http://example.com/rope#"
        parent = "http://schemas.ogf.org/occi/core#link"
        location = "/wire/"
        "#
    );
    Guest {
        world: "import occi:extension/types@0.1.0; export occi:extension/lifecycle@0.1.0;",
        body,
        manifest: Some(manifest),
    }
}

/// Three things, and what loads more versions.
struct Workshop {
    cloud: Cloud,
    store: Arc<dyn Store>,
    loader: Loader,
}

impl Workshop {
    async fn new(code: &str) -> Self {
        let compiled = tempfile::tempdir().unwrap();
        let grants = Grants {
            capabilities: ["entities".to_owned()].into(),
            key: "capabilities".into(),
            administrators: [].into(),
        };
        let settings = Settings { calls: 16, ..Settings::default() };
        let folder = compiled.path().join("code");
        let loader = Loader::new(settings, &folder, vec![Arc::new(Named)], grants, Lent::new()).unwrap();
        let store: Arc<dyn Store> = Arc::new(RedbStore::in_memory(&Options::default()).unwrap());
        let mut batch = Batch::new();
        for number in 1..=3 {
            occi_store::put_entity(&mut batch, None, &entity(number, "calm", &[]), None).unwrap();
        }
        store.commit(batch).await.unwrap();
        let extensions = [stack(), rope("0.1.0", code)].map(|guest| load(&loader, &guest));
        let core = Core::start(Arc::clone(&store), extensions.to_vec()).unwrap();
        Self { cloud: Cloud { core, _compiled: compiled }, store, loader }
    }

    fn core(&self) -> &Arc<Core> {
        &self.cloud.core
    }

    /// What a call about a thing sees.
    fn sight(&self, depth: u8) -> Sight {
        let snapshot = self.core().snapshot();
        Sight {
            moment: Arc::new(Moment::new(Arc::clone(&self.store))),
            registry: Arc::clone(&snapshot.registry),
            by_category: Arc::clone(&snapshot.by_category),
            extension: Arc::clone(snapshot.named("thing").unwrap()),
            tenant: tenant(),
            depth,
        }
    }

    fn ask(&self, from: u128, to: u128, length: i64) -> LinkOrder {
        let attributes = given(LENGTH, length);
        let from = entity(from, "calm", &[]);
        self.sight(0).link(&from, ROPE, &format!("/thing/{to}"), attributes).unwrap()
    }

    fn ask_to_end(&self, from: u128, location: &str) -> LinkOrder {
        self.sight(0).unlink(&entity(from, "calm", &[]), location).unwrap()
    }

    /// Commits orders as an operation does.
    async fn commit(&self, orders: &[&LinkOrder]) {
        self.commit_of("thing", orders).await;
    }

    async fn commit_of(&self, extension: &str, orders: &[&LinkOrder]) {
        let snapshot = self.core().snapshot();
        let mut all = KeyValueChanges::default();
        for LinkOrder { key, value, .. } in orders {
            let change = KeyValueChange { value: Some(value.clone()), over: None };
            all.extend(KeyValueChanges::one(LinkOrder::BUCKET, key, change));
        }
        let mut changes = Changes::new(&snapshot);
        changes.write(&tenant(), &Writes::from([(extension.into(), Arc::new(all))]));
        self.core().commit_changes(changes).await.unwrap();
    }

    /// Waits until nothing is to be done; the links that leave a thing, and how many orders are left.
    async fn settled(&self, from: u128) -> (Vec<Stored>, usize) {
        timeout(Duration::from_secs(30), self.core().rest()).await.expect("it comes to rest");
        self.now(from)
    }

    fn now(&self, from: u128) -> (Vec<Stored>, usize) {
        let view = self.store.read().unwrap();
        let links = Entities::new(&*view, &tenant()).links_from(Uuid::from_u128(from)).unwrap();
        let left = Bucket::new("default", "thing", LinkOrder::BUCKET).list(&*view, None, 100).unwrap();
        (links, left.len())
    }

    async fn replace(&self, guest: &Guest) {
        let next = load(&self.loader, guest);
        let replacement = Replacement {
            name: Arc::clone(next.name()),
            next: Some(next),
            leaves_entities: false,
            left: HashSet::new(),
            tried: Arc::default(),
            record: Batch::new(),
        };
        self.core().replace(replacement).await.unwrap();
    }
}

fn load(loader: &Loader, guest: &Guest) -> Arc<Extension> {
    Arc::new(loader.component(&guest.build()).unwrap())
}

fn given(name: &str, value: impl Into<Value>) -> Attributes {
    [(AttributeName::parse(name).unwrap(), value.into())].into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_at_once() {
    let workshop = Workshop::new("").await;
    let order = workshop.ask(1, 2, 5);
    workshop.core().recover().await.unwrap();
    workshop.commit(&[&order]).await;
    workshop.settled(1).await;
    let (thing, of_other) = (entity(1, "calm", &[]), entity(2, "calm", &[]));
    let link = workshop.now(1).0.remove(0).entity;
    let sight = workshop.sight(0);
    let none = Attributes::new;
    let asked = |kind: &str, target: &str, attributes| sight.link(&thing, kind, target, attributes).map(drop);
    for (outcome, code, reason) in [
        (asked("nonsense", "/thing/2", none()), "invalid", "nonsense"),
        (
            asked("http://example.com/no#such", "/thing/2", none()),
            "invalid",
            "no Kind http://example.com/no#such",
        ),
        (asked(KIND, "/thing/2", none()), "invalid", "not the Kind of a link"),
        (asked(WIRE, "/thing/2", none()), "denied", "#thing\", \"http://example.com/rope#wire\"]"),
        (asked(ROPE, "/thing/9", none()), "missing", "nothing at /thing/9"),
        (asked(ROPE, "elsewhere", none()), "invalid", "elsewhere"),
        (asked(ROPE, &order.location, none()), "invalid", "is a link"),
        (asked(ROPE, "/thing/2", given("com.example.colour", "red")), "invalid", "com.example.colour"),
        (asked(ROPE, "/thing/2", given(LENGTH, "long")), "invalid", LENGTH),
        (asked(ROPE, "/thing/2", given("com.example.rope.worn", true)), "invalid", "com.example.rope.worn"),
        (asked(ROPE, "/thing/2", given("occi.core.target", "/thing/3")), "invalid", "the call says it"),
        (sight.link(&link, ROPE, "/thing/2", none()).map(drop), "invalid", "about a link"),
        (sight.unlink(&link, &order.location).map(drop), "invalid", "about a link"),
        (sight.unlink(&of_other, &order.location).map(drop), "invalid", "no link that leaves /thing/2"),
        (sight.unlink(&thing, "/thing/2").map(drop), "invalid", "no link that leaves"),
        (sight.unlink(&thing, "/thing/9").map(drop), "invalid", "no link that leaves"),
        (sight.unlink(&thing, "/wire/9").map(drop), "denied", "rope#wire"),
        (
            workshop.sight(Order::DEEPEST).link(&thing, ROPE, "/thing/2", none()).map(drop),
            "denied",
            "4 times",
        ),
    ] {
        let Fault { code: told, message, .. } = outcome.expect_err(reason);
        assert!(told == code && message.contains(reason), "{reason}: {told}: {message}");
    }
    sight.unlink(&thing, "/rope/9").unwrap();
    workshop.sight(Order::DEEPEST - 1).link(&thing, ROPE, "/thing/1", none()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_carried_out_once_though_its_strike_is_lost() {
    let workshop = Workshop::new("").await;
    let order = workshop.ask(1, 2, 5);
    workshop.commit(&[&order]).await;
    assert_eq!(workshop.settled(1).await, (vec![], 1), "nothing is done before the recovery");
    workshop.core().recover().await.unwrap();
    let (links, left) = workshop.settled(1).await;
    let [link] = &links[..] else { panic!("{links:?}") };
    assert_eq!((link.entity.location.as_str(), left), (&*order.location, 0));
    assert_eq!(link.entity.get(LENGTH), Some(5.into()));
    workshop.commit(&[&order]).await;
    assert_eq!(workshop.settled(1).await, (links, 0));
    // And nobody makes again what a client has ended.
    let end = Change::Delete { path: Location::parse(&order.location).unwrap(), condition: Condition::None };
    workshop.core().change(&Caller::default(), end).await.unwrap();
    assert_eq!(workshop.settled(1).await, (vec![], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_last_run_has_left_is_carried_out_by_the_next() {
    let workshop = Workshop::new("").await;
    workshop.commit(&[&workshop.ask(1, 2, 5), &workshop.ask(1, 3, 6), &workshop.ask(2, 3, 7)]).await;
    let extensions = workshop.core().snapshot().extensions().to_vec();
    let next = Core::start(Arc::clone(&workshop.store), extensions).unwrap();
    next.recover().await.unwrap();
    timeout(Duration::from_secs(30), next.rest()).await.unwrap();
    let ((one, left), (two, _)) = (workshop.now(1), workshop.now(2));
    assert_eq!((one.len(), two.len(), left), (2, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_one_resource_are_carried_out_in_their_order() {
    let workshop = Workshop::new("").await;
    workshop.core().recover().await.unwrap();
    let made = workshop.ask(1, 2, 5);
    let ended = workshop.ask_to_end(1, &made.location);
    let more: Vec<_> = (0..16).map(|length| workshop.ask(1, 2, length)).collect();
    let all: Vec<_> = more.iter().chain([&made, &ended]).collect();
    workshop.commit(&all).await;
    let (links, left) = workshop.settled(1).await;
    let lengths: Vec<_> = links.iter().map(|link| link.entity.get(LENGTH).unwrap()).collect();
    let expected: Vec<Value> = (0..16).map(Value::from).collect();
    assert_eq!((lengths, left), (expected, 0));
    // What is not there any more is ended already.
    workshop.commit(&[&workshop.ask_to_end(1, &made.location)]).await;
    assert_eq!(workshop.settled(1).await.1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_refused_later_is_struck_and_told() {
    let workshop = Workshop::new("conflict").await;
    workshop.core().recover().await.unwrap();
    workshop.commit(&[&workshop.ask(1, 2, 5), &workshop.ask(2, 3, 5)]).await;
    assert_eq!(workshop.settled(1).await, (vec![], 0));
    for number in [1, 2] {
        workshop.cloud.shows(number, SEEN, "refused").await;
    }
    // One whose target has gone since.
    workshop.replace(&rope("0.2.0", "")).await;
    workshop.cloud.core.observe(Uuid::from_u128(1), crate::Cause::Event);
    workshop.cloud.shows(1, SEEN, "event").await;
    let order = workshop.ask(1, 3, 5);
    let end = Change::Delete { path: Location::parse("/thing/3").unwrap(), condition: Condition::None };
    workshop.core().change(&Caller::default(), end).await.unwrap();
    workshop.commit(&[&order]).await;
    assert_eq!(workshop.settled(1).await, (vec![], 0));
    workshop.cloud.shows(1, SEEN, "refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_needs_are_away_waits_for_them() {
    let workshop = Workshop::new("unavailable").await;
    workshop.core().recover().await.unwrap();
    let made = workshop.ask(1, 2, 5);
    workshop.commit(&[&made, &workshop.ask_to_end(1, &made.location), &workshop.ask(1, 2, 6)]).await;
    workshop.commit(&[&workshop.ask(2, 3, 5)]).await;
    assert_eq!(workshop.settled(1).await, (vec![], 2), "one that is to end again need not be made");
    assert!(workshop.core().next_time().is_some());
    // Whoever goes meanwhile needs nothing any more.
    let end = Change::Delete { path: Location::parse("/thing/2").unwrap(), condition: Condition::None };
    workshop.core().change(&Caller::default(), end).await.unwrap();
    let end = async {
        while workshop.now(2).1 > 1 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), end).await.expect("the order of what has gone is struck");
    // The first is refused, since its target has gone; nothing else of it is said.
    workshop.replace(&rope("0.2.0", "")).await;
    assert_eq!(workshop.settled(1).await, (vec![], 0));
    workshop.cloud.shows(1, SEEN, "refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_an_extension_that_does_not_serve_waits_for_it() {
    let workshop = Workshop::new("").await;
    workshop.commit(&[&workshop.ask(1, 2, 5)]).await;
    let switch = |name: &str, next| {
        let (name, core) = (Arc::from(name), Arc::clone(workshop.core()));
        let replacement = Replacement {
            name,
            next,
            leaves_entities: true,
            left: HashSet::new(),
            tried: Arc::default(),
            record: Batch::new(),
        };
        async move { core.replace(replacement).await.unwrap() }
    };
    // The link's.
    let rope = workshop.core().snapshot().named("rope").cloned();
    switch("rope", None).await;
    workshop.core().recover().await.unwrap();
    assert_eq!(workshop.settled(1).await, (vec![], 1));
    switch("rope", rope).await;
    assert_eq!(workshop.settled(1).await.1, 0);
    assert_eq!(workshop.now(1).0.len(), 1);
    // The one that asked.
    let thing = workshop.core().snapshot().named("thing").cloned();
    let order = workshop.ask(1, 2, 6);
    switch("thing", None).await;
    workshop.commit(&[&order]).await;
    assert_eq!(workshop.settled(1).await.1, 1);
    switch("thing", thing).await;
    assert_eq!(workshop.settled(1).await.1, 0);
    assert_eq!(workshop.now(1).0.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_an_extension_keeps_back_none_of_another() {
    let workshop = Workshop::new("").await;
    workshop.core().recover().await.unwrap();
    // It does not serve.
    workshop.commit_of("gone", &[&workshop.ask(1, 2, 5)]).await;
    let order = workshop.ask(1, 3, 6);
    workshop.commit(&[&order]).await;
    let (links, left) = workshop.settled(1).await;
    let [link] = &links[..] else { panic!("{links:?}") };
    assert_eq!((link.entity.location.as_str(), left), (&*order.location, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_may_not_be_any_more_is_refused() {
    let workshop = Workshop::new("unavailable").await;
    workshop.core().recover().await.unwrap();
    workshop.commit(&[&workshop.ask(1, 2, 5)]).await;
    assert_eq!(workshop.settled(1).await, (vec![], 1));
    workshop.replace(&stack_with(&[])).await;
    assert_eq!(workshop.settled(1).await, (vec![], 0));
    workshop.cloud.shows(1, SEEN, "refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_place_is_taken_is_refused() {
    let elsewhere = (Uuid::from_u128(3), Location::parse("/thing/3").unwrap());
    for moves_source in [true, false] {
        let workshop = Workshop::new("").await;
        workshop.core().recover().await.unwrap();
        workshop.settled(1).await;
        let order = workshop.ask(1, 2, 5);
        let Wish::Link(mut taken) = Order::read(&order.key, &order.value).unwrap().wish else { panic!() };
        let ends = taken.ends.as_mut().unwrap();
        if moves_source {
            (ends.source_id, ends.source) = elsewhere.clone();
        } else {
            (ends.target_id, ends.target) = (Some(elsewhere.0), elsewhere.1.to_string());
        }
        let mut batch = Batch::new();
        occi_store::put_entity(&mut batch, None, &taken, None).unwrap();
        workshop.store.commit(batch).await.unwrap();
        workshop.commit(&[&order]).await;
        let (links, left) = workshop.settled(1).await;
        assert_eq!((links.len(), left), (usize::from(!moves_source), 0));
        workshop.cloud.shows(1, SEEN, "refused").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_to_the_extension_that_asked_alone() {
    let workshop = Workshop::new("").await;
    workshop.core().recover().await.unwrap();
    workshop.settled(1).await;
    let location = Location::parse("/rope/1").unwrap();
    let refused = |number: u128| {
        let order = Order { depth: 1, wish: Wish::Hear { location: location.clone() } };
        order.write(Uuid::from_u128(number)).unwrap()
    };
    workshop.commit(&[&refused(1)]).await;
    workshop.commit_of("rope", &[&refused(2)]).await;
    assert_eq!(workshop.settled(1).await, (vec![], 0));
    workshop.cloud.shows(1, SEEN, "refused").await;
    let other = workshop.core().find_anywhere(Uuid::from_u128(2)).unwrap().unwrap();
    assert_ne!(other.entity.get(SEEN), Some("refused".into()));
}

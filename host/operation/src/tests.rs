//! Observation with extensions that are made for it: each tells in an attribute for what cause it was asked.

mod links;
mod listing;
mod replace;

use crate::{Cause, Core};
use occi_extension::{Extension, Grants, Lent, Loader, Settings};
use occi_guest::Guest;
use occi_model::{AttributeName, CategoryId, Entity, Location, Value};
use occi_store::{Batch, Entities, Options, RedbStore, Store};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

const KIND: &str = "http://example.com/occi#thing";
const MIXIN: &str = "http://example.com/occi#watched";
/// What the Kind's extension and the Mixin's set when they are asked.
const SEEN: &str = "com.example.seen";
const SEEN_TOO: &str = "com.example.watched.seen";
/// An entity whose mood begins with a `t` is a trap.
const MOOD: &str = "com.example.mood";

/// What these guests import of the entity that a call is about.
const SUBJECT: &str = r#"
    (import "occi:extension/types@0.1.0" "[method]entity.get" (func $get (param i32 i32 i32 i32)))
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
"#;

/// An extension that sets that attribute to the cause for which it is asked.
fn watcher(name: &str, sets: &str, defines: &str) -> Guest {
    let body = format!(
        r#"
        {SUBJECT}
        (data (i32.const 64) "{sets}")
        (data (i32.const 128) "{MOOD}")
        (func (export "occi:extension/observe@0.1.0#observe")
            (param i32 i32) (param $subject i32) (param $cause i32) (param $length i32) (result i32)
            (call $get (local.get $subject) (i32.const 128) (i32.const {mood}) (i32.const 2048))
            (if (i32.load8_u (i32.const 2048)) (then
                (if (i32.eq (i32.load8_u (i32.load (i32.const 2064))) (i32.const 116)) (then unreachable))))
            (call $done (local.get $subject))
            (i32.store (i32.const 1032) (i32.const 3072))
            (i32.store (i32.const 1036) (i32.const 1))
            (i32.store (i32.const 3072) (i32.const 64))
            (i32.store (i32.const 3076) (i32.const {length}))
            (i32.store (i32.const 3088) (local.get $cause))
            (i32.store (i32.const 3092) (local.get $length))
            (i32.const 1024))
        "#,
        mood = MOOD.len(),
        length = sets.len(),
    );
    let manifest = format!("[extension]\nname = \"{name}\"\nversion = \"0.1.0\"\n{defines}");
    Guest {
        world: "import occi:extension/types@0.1.0; export occi:extension/observe@0.1.0;",
        body,
        manifest: Some(manifest),
    }
}

fn of_the_kind() -> Guest {
    let defines = format!(
        r#"
        [[kind]]
        term = "thing"
        scheme = "http://example.com/occi#"
        parent = "http://schemas.ogf.org/occi/core#resource"
        location = "/thing/"
        [kind.attributes."{MOOD}"]
        type = "string"
        mutable = true
        [kind.attributes."{SEEN}"]
        type = "string"
        "#
    );
    watcher("thing", SEEN, &defines)
}

/// One that declares an attribute and sets that or another.
fn of_the_mixin(sets: &str) -> Guest {
    let defines = format!(
        r#"
        [[mixin]]
        term = "watched"
        scheme = "http://example.com/occi#"
        location = "/mixin/watched/"
        applies = ["{KIND}"]
        [mixin.attributes."{SEEN_TOO}"]
        type = "string"
        "#
    );
    watcher("watched", sets, &defines)
}

/// What loads extensions that need no capability, and the folder that it compiles to.
fn loader() -> (Loader, tempfile::TempDir) {
    let compiled = tempfile::tempdir().unwrap();
    let grants =
        Grants { capabilities: BTreeSet::new(), key: "capabilities".into(), administrators: [].into() };
    let settings = Settings { calls: 16, ..Settings::default() };
    let folder = compiled.path().join("code");
    (Loader::new(settings, &folder, Vec::new(), grants, Lent::new()).unwrap(), compiled)
}

/// A core on a store in memory, with one entity for each number.
struct Cloud {
    core: Arc<Core>,
    _compiled: tempfile::TempDir,
}

impl Cloud {
    async fn new(guests: &[Guest], entities: impl IntoIterator<Item = Entity>) -> Self {
        let (loader, compiled) = loader();
        let load = |guest: &Guest| -> Arc<Extension> { Arc::new(loader.component(&guest.build()).unwrap()) };
        let store: Arc<dyn Store> = Arc::new(RedbStore::in_memory(&Options::default()).unwrap());
        let mut batch = Batch::new();
        for entity in entities {
            occi_store::put_entity(&mut batch, None, &entity, None).unwrap();
        }
        store.commit(batch).await.unwrap();
        let core = Core::start(store, guests.iter().map(load).collect()).unwrap();
        Self { core, _compiled: compiled }
    }

    fn text(&self, number: u128, attribute: &str) -> Option<String> {
        let stored = self.core.find_anywhere(Uuid::from_u128(number)).unwrap().unwrap();
        Some(stored.entity.get(attribute)?.as_text()?.to_owned())
    }

    async fn set_mood(&self, number: u128, mood: &str) {
        let view = self.core.read().unwrap();
        let stored = Entities::new(&*view, &tenant()).get(Uuid::from_u128(number)).unwrap().unwrap();
        let mut entity = Entity::clone(&stored.entity);
        entity.attributes.insert(AttributeName::parse(MOOD).unwrap(), mood.into());
        let mut batch = Batch::new();
        occi_store::put_entity(&mut batch, Some(&stored), &entity, None).unwrap();
        self.core.commit(batch).await.unwrap();
    }

    /// Waits until an attribute has that value.
    async fn shows(&self, number: u128, attribute: &str, wanted: &str) {
        let shows = async {
            while self.text(number, attribute).as_deref() != Some(wanted) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(30), shows).await.expect("it is not seen");
    }
}

fn tenant() -> Arc<str> {
    "default".into()
}

fn entity(number: u128, mood: &str, mixins: &[&str]) -> Entity {
    Entity {
        id: Uuid::from_u128(number),
        location: Location::parse(&format!("/thing/{number}")).unwrap(),
        kind: CategoryId::parse(KIND).unwrap(),
        mixins: mixins.iter().map(|id| CategoryId::parse(id).unwrap()).collect(),
        tenant: tenant(),
        title: None,
        summary: None,
        attributes: [(AttributeName::parse(MOOD).unwrap(), Value::from(mood))].into(),
        ends: None,
    }
}

/// An event whose question fails is not lost: no other would come, and a read would show what was for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_fails_is_asked_until_it_is_answered() {
    let cloud = Cloud::new(&[of_the_kind()], [entity(1, "trap", &[]), entity(2, "calm", &[])]).await;
    cloud.core.observe(Uuid::from_u128(1), Cause::Event);
    sleep(Duration::from_millis(500)).await;
    // Others are asked meanwhile.
    cloud.core.observe(Uuid::from_u128(2), Cause::Event);
    cloud.shows(2, SEEN, "event").await;
    assert_eq!(cloud.text(1, SEEN), None);
    cloud.set_mood(1, "calm").await;
    cloud.shows(1, SEEN, "event").await;
}

/// What clients are doing to some entities keeps nobody from asking others.
#[tokio::test(flavor = "multi_thread")]
async fn entities_that_are_held_keep_no_others_waiting() {
    let held = 1..=20_u128;
    let all = held.clone().chain([21]).map(|number| entity(number, "calm", &[]));
    let cloud = Cloud::new(&[of_the_kind()], all).await;
    let ids: Vec<_> = held.map(Uuid::from_u128).collect();
    let locks = cloud.core.locks.lock(ids.iter().copied()).await;
    for id in ids.into_iter().chain([Uuid::from_u128(21)]) {
        cloud.core.observe(id, Cause::Event);
    }
    cloud.shows(21, SEEN, "event").await;
    assert_eq!(cloud.text(1, SEEN), None);
    drop(locks);
    cloud.shows(1, SEEN, "event").await;
}

/// A Mixin's extension has a part in the entity, and so has what its Kind's says.
#[tokio::test(flavor = "multi_thread")]
async fn the_extensions_of_mixins_are_asked_too() {
    let guests = [of_the_kind(), of_the_mixin(SEEN_TOO)];
    let cloud = Cloud::new(&guests, [entity(1, "calm", &[MIXIN]), entity(2, "calm", &[])]).await;
    for number in [1, 2] {
        cloud.core.observe(Uuid::from_u128(number), Cause::Event);
        cloud.shows(number, SEEN, "event").await;
    }
    assert_eq!(cloud.text(1, SEEN_TOO).as_deref(), Some("event"));
    assert_eq!(cloud.text(2, SEEN_TOO), None);
}

/// What its manifest does not allow it is refused, and does not hide what the Kind's extension has seen.
#[tokio::test(flavor = "multi_thread")]
async fn an_observing_mixin_changes_what_its_entity_may_have() {
    let guests = [of_the_kind(), of_the_mixin("com.example.overreach")];
    let cloud = Cloud::new(&guests, [entity(1, "calm", &[MIXIN])]).await;
    let asked = cloud.core.ask_one(Uuid::from_u128(1), Cause::Event).await;
    let refusal = asked.failed.expect("it is refused");
    assert!(
        matches!(&refusal, crate::Refusal::Proposal { extension, .. } if extension == "watched"),
        "{refusal}"
    );
    assert_eq!(cloud.text(1, SEEN).as_deref(), Some("event"));
    assert_eq!(cloud.text(1, "com.example.overreach"), None);
}

/// After a start everything is asked that somebody observes.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_asks_everything() {
    let cloud = Cloud::new(&[of_the_kind()], (1..=300).map(|number| entity(number, "calm", &[]))).await;
    let recovered = cloud.core.recover().await.unwrap();
    assert_eq!(recovered, crate::Recovered::default());
    for number in 1..=300 {
        cloud.shows(number, SEEN, "restart").await;
    }
}

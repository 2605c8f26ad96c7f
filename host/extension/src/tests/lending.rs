//! A capability as one is written outside of this crate, by the recipe in [`crate::capability`].

use super::guest::{Guest, manifest};
use super::{Host, call};
use crate::bindings::types::{End, Fault};
use crate::capability::{CallState, Capability, Lent};
use crate::{CallError, Clock, Extension, KeyValueChange};
use generated::occi::extension::volumes;
use occi_model::{Attributes, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;
use wasmtime::component::{HasSelf, Linker, Resource};

#[allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package occi:lent; world volumes { import occi:extension/volumes@0.1.0; }",
        world: "occi:lent/volumes",
        imports: { default: async | trappable },
        with: {
            "occi:extension/types": crate::bindings::types,
            "occi:extension/volumes.volume": super::Volume,
        },
    });
}

/// What stands behind a handle.
#[allow(unreachable_pub, reason = "the generated traits are public")]
pub struct Volume(Uuid);

/// What the capability works with.
#[derive(Default)]
struct Shelf {
    volumes: Mutex<BTreeMap<Uuid, u64>>,
    open: Notify,
}

pub(super) struct Volumes;

impl Capability for Volumes {
    fn name(&self) -> &'static str {
        "volumes"
    }

    fn interfaces(&self) -> &'static [&'static str] {
        &["occi:extension/volumes@0.1.0"]
    }

    fn link(&self, linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
        volumes::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
    }

    fn has_outside_effects(&self) -> bool {
        true
    }

    fn forgets(&self) -> bool {
        true
    }
}

impl volumes::Host for CallState {}

impl volumes::HostVolume for CallState {
    async fn create(&mut self, of: End, bytes: u64) -> wasmtime::Result<Result<Resource<Volume>, Fault>> {
        let id = match self.call().end(of) {
            Ok(id) => id,
            Err(fault) => return Ok(Err(fault)),
        };
        let shelf = self.lent::<Shelf>()?;
        tokio::task::yield_now().await;
        shelf.volumes.lock().unwrap().insert(id, bytes);
        self.writes().put("", "last", Some(id.as_bytes().to_vec()), None).unwrap();
        Ok(Ok(self.table().push(Volume(id))?))
    }

    async fn create_as(
        &mut self,
        of: End,
        bytes: u64,
        _: Option<String>,
        _: Option<String>,
    ) -> wasmtime::Result<Result<Resource<Volume>, Fault>> {
        self.create(of, bytes).await
    }

    async fn open(&mut self, of: End) -> wasmtime::Result<Result<Resource<Volume>, Fault>> {
        let shelf = self.lent::<Shelf>()?;
        match of {
            End::Target => self.aside(shelf.open.notified()).await,
            End::Subject | End::Source => shelf.open.notified().await,
        }
        wasmtime::bail!("nobody opens it")
    }

    async fn capacity(&mut self, volume: Resource<Volume>) -> wasmtime::Result<Result<u64, Fault>> {
        let id = self.table().get(&volume)?.0;
        let bytes = self.lent::<Shelf>()?.volumes.lock().unwrap().get(&id).copied();
        Ok(Ok(bytes.unwrap_or(0)))
    }

    async fn format(&mut self, _: Resource<Volume>) -> wasmtime::Result<Result<String, Fault>> {
        Ok(Ok("raw".to_owned()))
    }

    async fn resize(&mut self, _: Resource<Volume>, _: u64) -> wasmtime::Result<Result<(), Fault>> {
        let shelf = self.shown::<Shelf>()?;
        shelf.open.notified().await;
        wasmtime::bail!("nobody opens it")
    }

    async fn remove(&mut self, _: Resource<Volume>) -> wasmtime::Result<Result<(), Fault>> {
        Ok(Ok(()))
    }

    async fn drop(&mut self, volume: Resource<Volume>) -> wasmtime::Result<()> {
        self.table().delete(volume)?;
        Ok(())
    }
}

/// `act` makes a volume of 42 bytes for the end that the first letter of the action means (0, 1, 2), and answers its
/// size; with `w` it waits to open one, with `a` it does so aside. With `l` it computes for long when it has made one, and
/// so it does with `r`, and waits to resize it then. `observe` changes nothing.
const STORING: &str = r#"
    (import "occi:extension/volumes@0.1.0" "[static]volume.create" (func $create (param i32 i64 i32)))
    (import "occi:extension/volumes@0.1.0" "[static]volume.open" (func $open (param i32 i32)))
    (import "occi:extension/volumes@0.1.0" "[method]volume.capacity" (func $capacity (param i32 i32)))
    (import "occi:extension/volumes@0.1.0" "[method]volume.resize" (func $resize (param i32 i64 i32)))
    (import "occi:extension/volumes@0.1.0" "[resource-drop]volume" (func $drop (param i32)))
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
    (data (i32.const 64) "com.example.size")
    (func (export "occi:extension/observe@0.1.0#observe")
        (param i32 i32) (param $subject i32) (param i32 i32) (result i32)
        (call $done (local.get $subject))
        (i32.const 1024))
    (func (export "occi:extension/actions@0.1.0#act")
        (param i32 i32 i32 i32) (param $subject i32) (param $action i32) (param i32 i32 i32) (result i32)
        (local $letter i32) (local $is_long i32) (local $rest i64)
        (call $done (local.get $subject))
        (local.set $letter (i32.load8_u (local.get $action)))
        (if (i32.eq (local.get $letter) (i32.const 119)) (then (call $open (i32.const 0) (i32.const 2048))))
        (if (i32.eq (local.get $letter) (i32.const 97)) (then (call $open (i32.const 2) (i32.const 2048))))
        (local.set $is_long (i32.or
            (i32.eq (local.get $letter) (i32.const 108)) (i32.eq (local.get $letter) (i32.const 114))))
        (call $create
            (select (i32.const 0) (i32.sub (local.get $letter) (i32.const 48)) (local.get $is_long))
            (i64.const 42) (i32.const 2048))
        (if (i32.load8_u (i32.const 2048)) (then                     ;; the fault goes back as it came
            (i32.store8 (i32.const 1024) (i32.const 1))
            (memory.copy (i32.const 1032) (i32.const 2052) (i32.const 28))
            (return (i32.const 1024))))
        (if (local.get $is_long) (then
            (local.set $rest (i64.const 150000000))
            (loop $again
                (local.set $rest (i64.sub (local.get $rest) (i64.const 1)))
                (br_if $again (i64.ne (local.get $rest) (i64.const 0))))))
        (if (i32.eq (local.get $letter) (i32.const 114)) (then
            (call $resize (i32.load (i32.const 2052)) (i64.const 1) (i32.const 2112))))
        (call $capacity (i32.load (i32.const 2052)) (i32.const 2112))
        (call $drop (i32.load (i32.const 2052)))
        (i32.store (i32.const 1032) (i32.const 3072))
        (i32.store (i32.const 1036) (i32.const 1))
        (i32.store (i32.const 3072) (i32.const 64))
        (i32.store (i32.const 3076) (i32.const 16))
        (i32.store8 (i32.const 3080) (i32.const 1))
        (i64.store (i32.const 3088) (i64.load (i32.const 2120)))
        (i32.const 1024))
"#;

fn storing(limits: &str) -> Extension {
    let host = Host {
        capabilities: vec![Arc::new(Volumes)],
        granted: vec!["volumes"],
        lent: || Lent::new().with(Arc::new(Shelf::default())),
        ..Host::new()
    };
    let guest = Guest {
        world: "import occi:extension/types@0.1.0; import occi:extension/volumes@0.1.0; \
                export occi:extension/actions@0.1.0; export occi:extension/observe@0.1.0;",
        body: STORING.into(),
        manifest: Some(manifest(&format!("[capabilities.volumes]\n{limits}"))),
    };
    host.load(&guest.build())
}

#[tokio::test]
async fn a_capability_works_for_the_entity_of_the_call() {
    let extension = storing("");
    // The subject's id is 1, its source's 2.
    for (end, id) in [("0", 1_u128), ("1", 2)] {
        let outcome = extension.act(call(), end, &Attributes::new()).await.unwrap();
        assert_eq!(outcome.change.set.values().collect::<Vec<_>>(), [&Value::Integer(42)]);
        let id = Uuid::from_u128(id);
        let change = KeyValueChange { value: Some(id.as_bytes().to_vec()), over: None };
        assert_eq!(outcome.writes.iter().collect::<Vec<_>>(), [("", "last", &change)]);
    }
}

#[tokio::test]
async fn an_end_that_is_elsewhere_is_missing() {
    let error = storing("").act(call(), "2", &Attributes::new()).await.unwrap_err();
    let CallError::Refused { fault, .. } = error else { panic!("{error}") };
    assert_eq!((&*fault.code, &*fault.message), ("missing", "the entity has no target on this server"));
}

#[tokio::test]
async fn a_host_that_lends_nothing_is_told_so() {
    let host = Host { capabilities: vec![Arc::new(Volumes)], granted: vec!["volumes"], ..Host::new() };
    let guest = Guest {
        world: "import occi:extension/types@0.1.0; import occi:extension/volumes@0.1.0; \
                export occi:extension/actions@0.1.0; export occi:extension/observe@0.1.0;",
        body: STORING.into(),
        manifest: Some(manifest("[capabilities.volumes]")),
    };
    let error = host.load(&guest.build()).act(call(), "0", &Attributes::new()).await.unwrap_err();
    assert!(
        error.to_string().contains("the host lends no") && error.to_string().contains("Shelf"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_host_ends_at_the_time_out() {
    let error =
        storing("[limits]\ntimeout-ms = 700").act(call(), "wait", &Attributes::new()).await.unwrap_err();
    let CallError::TimedOut { clock, limit, .. } = &error else { panic!("{error}") };
    assert_eq!((*clock, *limit), (Clock::Wall, Duration::from_millis(700)));
}

#[tokio::test(start_paused = true)]
async fn more_calls_at_once_than_allowed_wait_and_give_up() {
    let extension = Arc::new(storing("[limits]\nconcurrency = 2"));
    let waiting = || {
        let extension = Arc::clone(&extension);
        tokio::spawn(async move { extension.act(call(), "wait", &Attributes::new()).await })
    };
    let first = [waiting(), waiting()];
    tokio::task::yield_now().await;
    let error = extension.act(call(), "0", &Attributes::new()).await.unwrap_err();
    assert!(matches!(error, CallError::Unavailable { .. }), "{error}");
    for call in first {
        assert!(matches!(call.await.unwrap(), Err(CallError::TimedOut { .. })));
    }
    extension.act(call(), "0", &Attributes::new()).await.unwrap();
}

/// What has happened outside is seen however busy clients keep the extension.
#[tokio::test(start_paused = true)]
async fn an_observation_does_not_wait_for_calls_of_clients() {
    let extension = Arc::new(storing("[limits]\nconcurrency = 1"));
    let busy = Arc::clone(&extension);
    let busy = tokio::spawn(async move { busy.act(call(), "wait", &Attributes::new()).await });
    tokio::task::yield_now().await;
    extension.observe(call(), "event").await.unwrap();
    busy.abort();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_aside_leaves_its_place_to_others() {
    let extension = Arc::new(storing("[limits]\nconcurrency = 1"));
    let aside = Arc::clone(&extension);
    let aside = tokio::spawn(async move { aside.act(call(), "aside", &Attributes::new()).await });
    tokio::task::yield_now().await;
    extension.act(call(), "0", &Attributes::new()).await.unwrap();
    assert!(!aside.is_finished());
    aside.abort();
}

/// Also on a handle that it has had since before it computed.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_the_host_leaves_its_turn_to_others() {
    let extension = Arc::new(storing(""));
    let waits = Arc::clone(&extension);
    let waits = tokio::spawn(async move { waits.act(call(), "resize", &Attributes::new()).await });
    for _ in 0..3 {
        let computes = async { extension.act(call(), "long", &Attributes::new()).await };
        timeout(Duration::from_secs(20), computes).await.unwrap().unwrap();
    }
    assert!(!waits.is_finished());
    waits.abort();
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_sandboxes_are_unavailable() {
    let extension = Arc::new(storing(""));
    // The host of these tests has 16.
    let waiting: Vec<_> = (0..16)
        .map(|_| {
            let extension = Arc::clone(&extension);
            tokio::spawn(async move { extension.act(call(), "wait", &Attributes::new()).await })
        })
        .collect();
    while tokio::runtime::Handle::current().metrics().num_alive_tasks() < 16 {
        tokio::task::yield_now().await;
    }
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
    let error = extension.act(call(), "0", &Attributes::new()).await.unwrap_err();
    assert!(matches!(error, CallError::Unavailable { .. }), "{error}");
    for call in waiting {
        call.abort();
    }
}

//! Guests that do what they must not: each costs its own call and nothing else.

use super::guest::{Guest, manifest};
use super::{Host, call};
use crate::{CallError, Clock, Extension};
use occi_model::Attributes;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn hostile(host: &Host) -> Extension {
    host.load(&Guest::deeds().manifest(manifest("[limits]\ndeadline-ms = 100")).build())
}

async fn failure(extension: &Extension, deed: &str) -> CallError {
    extension.act(call(), deed, &Attributes::new()).await.unwrap_err()
}

#[tokio::test]
async fn a_loop_without_end_ends_at_the_deadline() {
    let extension = hostile(&Host::new());
    let begin = Instant::now();
    let error = failure(&extension, "spin").await;
    assert!(matches!(error, CallError::TimedOut { clock: Clock::Computing, .. }), "{error}");
    assert_eq!(error.to_string(), "extension deeds did not answer within 100 ms of computing");
    // Wide, since the machine that tests may be busy; without the deadline it would be for ever.
    assert!(begin.elapsed() >= Duration::from_millis(90) && begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_gibibyte_is_too_much() {
    let error = failure(&hostile(&Host::new()), "grow").await;
    assert!(matches!(error, CallError::OverMemory { limit: 67_108_864, .. }), "{error}");
    assert!(error.to_string().contains("deeds"));
}

#[tokio::test]
async fn a_manifest_can_ask_for_less_memory_and_not_for_more() {
    let host = Host::new();
    for (asked, limit) in [("1 MiB", 1 << 20), ("8 GiB", 64 << 20)] {
        let limits = manifest(&format!("[limits]\nmemory = \"{asked}\""));
        let extension = host.load(&Guest::deeds().manifest(limits).build());
        let error = failure(&extension, "grow").await;
        assert!(matches!(error, CallError::OverMemory { limit: had, .. } if had == limit), "{error}");
    }
}

/// Each `echo` asks for an attribute and gives the handle back.
#[tokio::test]
async fn the_host_is_called_only_so_often() {
    let host = Host::new();
    let load = |calls: u64| {
        host.load(&Guest::deeds().manifest(manifest(&format!("[limits]\nhost-calls = {calls}"))).build())
    };
    let error = failure(&load(1), "echo").await;
    assert!(matches!(error, CallError::TooManyHostCalls { limit: 1, .. }), "{error}");
    assert_eq!(error.to_string(), "extension deeds called the host more than the 1 times that it may");
    let enough = load(10);
    for _ in 0..20 {
        enough.act(call(), "echo", &Attributes::new()).await.unwrap();
    }
    assert_eq!(load(u64::MAX).limits().unwrap().host_calls, 100_000, "the host's own limit holds");
}

#[tokio::test]
async fn recursion_without_end_is_a_trap() {
    let error = failure(&hostile(&Host::new()), "dive").await;
    let CallError::Trapped { reason, backtrace, .. } = &error else { panic!("{error}") };
    assert!(reason.contains("call stack exhausted"), "{reason}");
    assert_eq!(backtrace.len(), 8, "short, however deep it was");
}

#[tokio::test]
async fn a_trap_is_told_with_its_place() {
    let error = failure(&hostile(&Host::new()), "trap").await;
    let CallError::Trapped { reason, backtrace, .. } = &error else { panic!("{error}") };
    assert!(reason.contains("unreachable"), "{reason}");
    assert!(!backtrace.is_empty());
}

#[tokio::test]
async fn a_loop_before_the_call_ends_too() {
    let mut guest = Guest::deeds().manifest(manifest("[limits]\ndeadline-ms = 50"));
    guest.body += "(func $spin (loop $for_ever (br $for_ever))) (start $spin)";
    let error = failure(&Host::new().load(&guest.build()), "ok").await;
    assert!(matches!(error, CallError::TimedOut { clock: Clock::Computing, .. }), "{error}");
}

#[tokio::test]
async fn an_answer_has_an_end() {
    // One attribute with a text of 3 MiB.
    let body = r#"
        (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
        (data (i32.const 64) "com.example.note")
        (func (export "occi:extension/actions@0.1.0#act")
            (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
            (call $done (local.get 4))
            (drop (memory.grow (i32.const 64)))
            (i32.store (i32.const 1032) (i32.const 2048))
            (i32.store (i32.const 1036) (i32.const 1))
            (i32.store (i32.const 2048) (i32.const 64))
            (i32.store (i32.const 2052) (i32.const 16))
            (i32.store (i32.const 2068) (i32.const 3145728))
            (i32.const 1024))
    "#;
    let guest = Guest { body: body.into(), ..Guest::deeds() };
    let error = failure(&Host::new().load(&guest.build()), "ok").await;
    let CallError::Trapped { reason, .. } = &error else { panic!("{error}") };
    assert!(reason.contains("too much data"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_go_on_beside_all_of_them() {
    let host = Host::new();
    let loader = host.loader();
    let attacker =
        manifest("[limits]\ndeadline-ms = 100\nconcurrency = 6").replace("\"deeds\"", "\"attacker\"");
    let attacker = Arc::new(loader.component(&Guest::deeds().manifest(attacker).build()).unwrap());
    let victim = Arc::new(loader.component(&Guest::deeds().build()).unwrap());
    let attack = tokio::spawn(async move {
        for _ in 0..5 {
            let deeds = ["spin", "grow", "dive", "trap", "spin", "nan"].map(|deed| {
                let attacker = Arc::clone(&attacker);
                tokio::spawn(async move { attacker.act(call(), deed, &Attributes::new()).await })
            });
            for deed in deeds {
                let error = deed.await.unwrap().unwrap_err();
                assert!(!matches!(error, CallError::Unavailable { .. }), "{error}");
            }
        }
    });
    let mut calls = 0;
    while calls < 1000 || !attack.is_finished() {
        victim.act(call(), "ok", &Attributes::new()).await.unwrap();
        calls += 1;
    }
    attack.await.unwrap();
}

#[tokio::test]
async fn what_is_no_component_is_refused_and_nothing_panics() {
    let host = Host::new();
    let loader = host.loader();
    let good = Guest::deeds().build();
    for length in (0..good.len()).step_by(97) {
        assert!(loader.component(&good[..length]).is_err());
    }
    // Every bit of the code may be wrong; some are still right in another way.
    for position in (0..good.len()).step_by(61) {
        let mut bad = good.clone();
        bad[position] ^= 0x55;
        let _ = loader.component(&bad);
    }
}

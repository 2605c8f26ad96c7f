//! What goes into a call and what comes out.

use super::guest::{Guest, manifest};
use super::{Host, call};
use crate::{CallError, Outcome, Tallied};
use occi_model::{Attributes, Change, Value};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn the_guest_proposes_a_change() {
    let extension = Host::new().load(&Guest::deeds().build());
    let outcome = extension.act(call(), "ok", &Attributes::new()).await.unwrap();
    let change = Change { state: Some("on".into()), ..Change::default() };
    assert_eq!(outcome, Outcome { change, again: Some(Duration::from_millis(250)), ..Outcome::default() });
}

#[tokio::test]
async fn the_guest_sees_the_entity() {
    let extension = Host::new().load(&Guest::deeds().build());
    let outcome = extension.act(call(), "echo", &Attributes::new()).await.unwrap();
    let set: Vec<_> =
        outcome.change.set.into_iter().map(|(name, value)| (name.as_str().to_owned(), value)).collect();
    assert_eq!(set, [("com.example.note".to_owned(), Value::from("hello"))]);
}

#[tokio::test]
async fn each_call_begins_anew() {
    let extension = Host::new().load(&Guest::deeds().build());
    for _ in 0..50 {
        assert!(extension.act(call(), "ok", &Attributes::new()).await.unwrap().change.state.is_some());
        assert!(extension.act(call(), "nothing is left", &Attributes::new()).await.is_err());
        let outcome = extension.act(call(), "untouched", &Attributes::new()).await.unwrap();
        assert_eq!(outcome, Outcome::default(), "what another call wrote is not there");
    }
}

#[tokio::test]
async fn a_refusal_says_what_the_client_must_change() {
    let extension = Host::new().load(&Guest::deeds().build());
    let error = extension.act(call(), "refuse", &Attributes::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "extension deeds: not today (com.example.note)");
    let CallError::Refused { extension, fault } = error else { panic!("{error}") };
    assert_eq!((&*extension, &*fault.code, &*fault.message), ("deeds", "conflict", "not today"));
    assert_eq!(fault.attribute.as_deref(), Some("com.example.note"));
}

#[tokio::test]
async fn a_broken_answer_is_the_extensions_fault() {
    let extension = Host::new().load(&Guest::deeds().build());
    for (deed, reason) in [
        ("nan", "attribute `com.example.note`: NaN is no number that OCCI can render"),
        ("invalid name", "attribute name `a b`"),
    ] {
        let error = extension.act(call(), deed, &Attributes::new()).await.unwrap_err();
        assert!(matches!(&error, CallError::Broken { .. }), "{error}");
        assert!(
            error.to_string().starts_with(&format!("extension deeds gave a broken answer: {reason}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn where_there_is_no_function_there_is_nothing_to_do() {
    let host = Host::new();
    let extension = host.load(&Guest::deeds().build());
    assert!(extension.has_actions() && !extension.has_lifecycle() && !extension.has_observe());
    assert_eq!(extension.create(call()).await.unwrap(), Outcome::default());
    let data = manifest("").replace("[[kind.action]]", "[[mixin]]\nlocation = \"/mixin/ok/\"");
    let data = host.loader().manifest(&data).unwrap();
    assert!(!data.has_actions() && data.limits().is_none());
    assert_eq!(data.delete(call()).await.unwrap(), Outcome::default());
    assert_eq!(data.observe(call(), "restart").await.unwrap(), Outcome::default());
}

#[tokio::test]
async fn a_dropped_call_leaves_its_place_to_others() {
    let slow = manifest("[limits]\nconcurrency = 1\ndeadline-ms = 60000");
    let extension = Arc::new(Host::new().load(&Guest::deeds().manifest(slow).build()));
    for _ in 0..20 {
        let parameters = Attributes::new();
        let spin = extension.act(call(), "spin", &parameters);
        assert!(tokio::time::timeout(Duration::from_millis(30), spin).await.is_err());
    }
    extension.act(call(), "ok", &Attributes::new()).await.unwrap();
}

#[tokio::test]
async fn what_comes_of_calls_is_counted() {
    let extension = Host::new().load(&Guest::deeds().build());
    for deed in ["ok", "ok", "refuse", "trap", "nan", "ok"] {
        _ = extension.act(call(), deed, &Attributes::new()).await;
    }
    assert_eq!(extension.tally(), Tallied { done: 3, refused: 1, failed: 2 });
    // Nobody has asked for it.
    _ = extension.observe(call(), "timer").await;
    extension.probe().await.unwrap();
    assert_eq!(extension.tally(), Tallied { done: 3, refused: 1, failed: 2 });
}

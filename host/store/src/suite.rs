//! The suite that every engine passes. It sees the contract alone; an engine brings a way to make stores, and lists
//! [`contract_tests`] in its own tests.

use crate::contract::{Batch, Expect, Range, Revision, Store};
use crate::error::StoreError;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// A way to make stores of one engine.
#[async_trait]
pub(crate) trait Factory: Sync {
    /// A new, empty store.
    async fn fresh(&self) -> Arc<dyn Store>;

    /// The same store, closed and opened again; none where the engine keeps nothing.
    async fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>>;
}

/// One test for each promise of the contract, on the stores of a factory.
macro_rules! contract_tests {
    ($factory:expr) => {
        crate::suite::contract_tests! { $factory;
            keys_are_in_the_order_of_their_bytes
            ranges_have_ends_limits_and_pages
            a_batch_is_made_whole_or_not_at_all
            expectations_speak_of_the_state_before_the_batch
            each_key_has_the_revision_that_wrote_it
            what_changes_nothing_has_no_revision
            no_increment_of_many_is_lost
            of_many_who_create_one_wins
            a_view_stays_as_it_is
            what_was_answered_is_in_the_next_view
            a_watch_sees_each_commit_once_and_in_order
            a_watch_from_before_what_is_remembered_is_refused
            a_watch_waits_for_a_revision_that_lies_ahead
            a_close_answers_who_waits
            all_is_there_when_opened_again
        }
    };
    ($factory:expr; $($name:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            crate::suite::$name(&$factory).await;
        })*
    };
}
pub(crate) use contract_tests;

fn put(key: &'static str, value: &'static str) -> Batch {
    let mut batch = Batch::new();
    batch.put(key, value);
    batch
}

fn keys(store: &dyn Store, range: &Range) -> Vec<String> {
    let entries = store.read().unwrap().range(range).unwrap();
    entries.iter().map(|entry| String::from_utf8(entry.key.to_vec()).unwrap()).collect()
}

fn text(store: &dyn Store, key: &str) -> Option<String> {
    let held = store.read().unwrap().get(key.as_bytes()).unwrap()?;
    Some(String::from_utf8(held.value.to_vec()).unwrap())
}

fn revision(store: &dyn Store, key: &str) -> Option<Revision> {
    Some(store.read().unwrap().get(key.as_bytes()).unwrap()?.revision)
}

fn conflict(outcome: Result<Revision, StoreError>) -> (Vec<u8>, Expect, Option<Revision>) {
    match outcome {
        Err(StoreError::Conflict { key, expected, held }) => (key.to_vec(), expected, held),
        outcome => panic!("a conflict, and not {outcome:?}"),
    }
}

/// What takes longer than this does not come.
const SOON: Duration = Duration::from_secs(20);

pub(crate) async fn keys_are_in_the_order_of_their_bytes(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let mut batch = Batch::new();
    let ordered: [&[u8]; 8] = [b"\0", b"\0\0", b"\x01", b"a", b"a\0", b"aa", b"b", b"\xff\xff"];
    for key in ordered.iter().rev() {
        batch.put(key.to_vec(), *key);
    }
    store.commit(batch).await.unwrap();
    let view = store.read().unwrap();
    let entries = view.range(&Range::default()).unwrap();
    assert_eq!(entries.iter().map(|entry| &entry.key[..]).collect::<Vec<_>>(), ordered);
    assert!(entries.iter().all(|entry| entry.key == entry.value));
    assert!(view.get(b"").unwrap().is_none());
}

pub(crate) async fn ranges_have_ends_limits_and_pages(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let mut batch = Batch::new();
    for key in ["a", "b1", "b2", "b3", "b3x", "c"] {
        batch.put(key, "");
    }
    store.commit(batch).await.unwrap();
    let range = |from: &'static str, to: &'static str| Range {
        from: from.into(),
        to: Some(to.into()),
        ..Range::default()
    };
    assert_eq!(keys(&*store, &range("a", "b3")), ["a", "b1", "b2"]);
    assert_eq!(keys(&*store, &range("b", "b")), [""; 0]);
    assert_eq!(keys(&*store, &range("c", "a")), [""; 0]);
    assert_eq!(keys(&*store, &Range { from: "b3".into(), ..Range::default() }), ["b3", "b3x", "c"]);
    assert_eq!(keys(&*store, &Range::prefix("b")), ["b1", "b2", "b3", "b3x"]);
    assert_eq!(keys(&*store, &Range::prefix("b").limit(0)), [""; 0]);
    // A cursor in front of the range does not widen it, one behind it leaves nothing.
    assert_eq!(keys(&*store, &Range::prefix("b").after(Some("a".into()))), ["b1", "b2", "b3", "b3x"]);
    assert_eq!(keys(&*store, &Range::prefix("b").after(Some("c".into()))), [""; 0]);
    for size in 1..6 {
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = keys(&*store, &Range::prefix("b").after(after).limit(size));
            let Some(last) = page.last() else { break };
            after = Some(last.clone().into());
            pages.extend(page);
        }
        assert_eq!(pages, ["b1", "b2", "b3", "b3x"], "by {size}");
    }
    // One that breaks off is shown no more.
    let mut seen = 0;
    store
        .read()
        .unwrap()
        .scan(&Range::default(), &mut |_, _, _| {
            seen += 1;
            if seen == 2 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(seen, 2);
}

pub(crate) async fn a_batch_is_made_whole_or_not_at_all(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let first = store.commit(put("a", "1")).await.unwrap();
    let mut batch = put("b", "1");
    batch.put("a", "2").delete("c").expect("a", Expect::Revision(first)).expect("c", Expect::Present);
    assert_eq!(conflict(store.commit(batch.clone()).await), (b"c".to_vec(), Expect::Present, None));
    assert_eq!((text(&*store, "a").as_deref(), text(&*store, "b")), (Some("1"), None));
    let second = store.commit(put("c", "1")).await.unwrap();
    let third = store.commit(batch).await.unwrap();
    assert!(first < second && second < third);
    assert_eq!(keys(&*store, &Range::default()), ["a", "b"]);
    assert_eq!(text(&*store, "a").unwrap(), "2");
    // Nothing that no store takes is half made either.
    let mut batch = put("d", "1");
    batch.put("", "1");
    assert!(matches!(store.commit(batch).await, Err(StoreError::Invalid(_))));
    assert_eq!(text(&*store, "d"), None);
}

pub(crate) async fn expectations_speak_of_the_state_before_the_batch(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let mut create = put("a", "1");
    create.expect("a", Expect::Absent);
    let first = store.commit(create.clone()).await.unwrap();
    assert_eq!(conflict(store.commit(create).await), (b"a".to_vec(), Expect::Absent, Some(first)));
    let mut change = put("a", "2");
    change.expect("a", Expect::Revision(first));
    let second = store.commit(change.clone()).await.unwrap();
    assert_eq!(conflict(store.commit(change).await), (b"a".to_vec(), Expect::Revision(first), Some(second)));
    let mut delete = Batch::new();
    delete.delete("a").expect("a", Expect::Present);
    store.commit(delete.clone()).await.unwrap();
    assert_eq!(conflict(store.commit(delete).await), (b"a".to_vec(), Expect::Present, None));
    // The first that does not hold is the one that is named.
    let mut both = Batch::new();
    both.expect("y", Expect::Present).expect("x", Expect::Present);
    assert_eq!(conflict(store.commit(both).await).0, b"y");
}

pub(crate) async fn each_key_has_the_revision_that_wrote_it(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let first = store.commit(put("a", "1")).await.unwrap();
    let mut batch = put("b", "1");
    batch.put("c", "1");
    let second = store.commit(batch).await.unwrap();
    // The same value again is a change too.
    let third = store.commit(put("b", "1")).await.unwrap();
    assert_eq!((second, third), (first.next(), first.next().next()));
    assert_eq!(revision(&*store, "a"), Some(first));
    assert_eq!(revision(&*store, "b"), Some(third));
    assert_eq!(revision(&*store, "c"), Some(second));
    assert_eq!(store.read().unwrap().revision(), third);
}

pub(crate) async fn what_changes_nothing_has_no_revision(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let first = store.commit(put("a", "1")).await.unwrap();
    let mut check = Batch::new();
    check.expect("a", Expect::Revision(first));
    assert_eq!(store.commit(check).await.unwrap(), first);
    let mut delete = Batch::new();
    delete.delete("nothing");
    assert_eq!(store.commit(delete).await.unwrap(), first);
    assert_eq!(store.read().unwrap().revision(), first);
    let mut watch = store.watch(first.next()).unwrap();
    let second = store.commit(put("b", "1")).await.unwrap();
    assert_eq!(second, first.next());
    assert_eq!(watch.next().await.unwrap().revision, second);
}

pub(crate) async fn no_increment_of_many_is_lost(factory: &dyn Factory) {
    const TASKS: usize = 8;
    const TIMES: usize = 25;
    let store = factory.fresh().await;
    store.commit(put("n", "0")).await.unwrap();
    let increment = |store: Arc<dyn Store>| async move {
        let mut refused = 0;
        for _ in 0..TIMES {
            loop {
                let held = store.read().unwrap().get(b"n").unwrap().unwrap();
                let number: usize = std::str::from_utf8(&held.value).unwrap().parse().unwrap();
                let mut batch = Batch::new();
                batch.expect("n", Expect::Revision(held.revision)).put("n", (number + 1).to_string());
                match store.commit(batch).await {
                    Ok(_) => break,
                    Err(StoreError::Conflict { .. }) => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        refused
    };
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(increment(store.clone()))).collect();
    let mut refused = 0;
    for task in tasks {
        refused += task.await.unwrap();
    }
    assert_eq!(text(&*store, "n").unwrap(), (TASKS * TIMES).to_string());
    assert!(refused > 0, "eight at once on one key and none of them refused: nothing was tested");
}

pub(crate) async fn of_many_who_create_one_wins(factory: &dyn Factory) {
    let store = factory.fresh().await;
    for round in 0..10 {
        let create = |n: usize| {
            let store = store.clone();
            async move {
                let mut batch = Batch::new();
                batch
                    .expect(format!("name{round}"), Expect::Absent)
                    .put(format!("name{round}"), n.to_string());
                batch.put(format!("trace{round}/{n}"), "");
                store.commit(batch).await.is_ok().then_some(n)
            }
        };
        let tasks: Vec<_> = (0..16).map(|n| tokio::spawn(create(n))).collect();
        let mut winners = Vec::new();
        for task in tasks {
            winners.extend(task.await.unwrap());
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(text(&*store, &format!("name{round}")).unwrap(), winners[0].to_string());
        let traces = keys(&*store, &Range::prefix(format!("trace{round}/")));
        assert_eq!(traces, [format!("trace{round}/{}", winners[0])], "a refused batch left something");
    }
}

pub(crate) async fn a_view_stays_as_it_is(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let mut batch = put("a", "1");
    batch.put("b", "1");
    let first = store.commit(batch).await.unwrap();
    let view = store.read().unwrap();
    let mut batch = put("a", "2");
    batch.delete("b").put("c", "2");
    store.commit(batch).await.unwrap();
    for n in 0..50 {
        store.commit(put("d", if n % 2 == 0 { "x" } else { "y" })).await.unwrap();
    }
    assert_eq!(view.revision(), first);
    assert_eq!(view.get(b"a").unwrap().unwrap().value, "1");
    let entries = view.range(&Range::default()).unwrap();
    assert_eq!(entries.iter().map(|entry| &entry.key[..]).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(keys(&*store, &Range::default()), ["a", "c", "d"]);
}

pub(crate) async fn what_was_answered_is_in_the_next_view(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let write = |n: usize| {
        let store = store.clone();
        async move {
            for round in 0..20 {
                let key = format!("{n}/{round}");
                let mut batch = Batch::new();
                batch.put(key.clone(), "");
                let made = store.commit(batch).await.unwrap();
                let view = store.read().unwrap();
                assert!(view.revision() >= made);
                assert_eq!(view.get(key.as_bytes()).unwrap().unwrap().revision, made);
            }
        }
    };
    let tasks: Vec<_> = (0..8).map(|n| tokio::spawn(write(n))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

pub(crate) async fn a_watch_sees_each_commit_once_and_in_order(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let start = store.read().unwrap().revision();
    let first = store.commit(put("a", "1")).await.unwrap();
    let mut batch = put("c", "1");
    batch.put("b", "1").delete("a").delete("nothing");
    let second = store.commit(batch).await.unwrap();
    // From a revision in the past, inclusive.
    let mut watch = store.watch(start.next()).unwrap();
    let event = watch.next().await.unwrap();
    assert_eq!((event.revision, &event.put[..], &event.deleted[..]), (first, &["a".into()][..], &[][..]));
    let event = watch.next().await.unwrap();
    let (b, c) = ("b".into(), "c".into());
    assert_eq!(
        (event.revision, &event.put[..], &event.deleted[..]),
        (second, &[b, c][..], &["a".into()][..])
    );
    // And on while others write; a refused batch is no event.
    let follow = tokio::spawn(async move {
        let mut seen = Vec::new();
        while seen.len() < 100 {
            seen.push(watch.next().await.unwrap().revision);
        }
        (seen, watch)
    });
    let write = |store: Arc<dyn Store>| async move {
        for _ in 0..25 {
            store.commit(put("d", "")).await.unwrap();
            let mut refused = put("d", "");
            refused.expect("d", Expect::Absent);
            conflict(store.commit(refused).await);
        }
    };
    let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(write(store.clone()))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let (seen, mut watch) = tokio::time::timeout(SOON, follow).await.unwrap().unwrap();
    assert_eq!(seen, (1..=100).map(|n| Revision(second.0 + n)).collect::<Vec<_>>());
    store.close().await.unwrap();
    assert!(matches!(tokio::time::timeout(SOON, watch.next()).await.unwrap(), Err(StoreError::Closed)));
}

pub(crate) async fn a_watch_from_before_what_is_remembered_is_refused(factory: &dyn Factory) {
    let store = factory.fresh().await;
    store.commit(put("a", "1")).await.unwrap();
    let now = store.commit(put("a", "2")).await.unwrap();
    let Some(store) = factory.reopen(store).await else { return };
    let Err(StoreError::Compacted { oldest }) = store.watch(Revision(0)) else {
        panic!("a watch from the beginning of time must be refused");
    };
    assert!(oldest <= now.next(), "one who has just read can watch without a gap");
    let mut watch = store.watch(oldest).unwrap();
    let after = store.commit(put("a", "3")).await.unwrap();
    loop {
        let event = tokio::time::timeout(SOON, watch.next()).await.unwrap().unwrap();
        assert!(event.revision >= oldest && event.revision <= after);
        if event.revision == after {
            break;
        }
    }
}

pub(crate) async fn a_watch_waits_for_a_revision_that_lies_ahead(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let now = store.commit(put("a", "1")).await.unwrap();
    let mut watch = store.watch(Revision(now.0 + 3)).unwrap();
    for _ in 0..4 {
        store.commit(put("a", "1")).await.unwrap();
    }
    assert_eq!(watch.next().await.unwrap().revision, Revision(now.0 + 3));
    assert_eq!(watch.next().await.unwrap().revision, Revision(now.0 + 4));
}

pub(crate) async fn a_close_answers_who_waits(factory: &dyn Factory) {
    let store = factory.fresh().await;
    let write = |n: usize| {
        let store = store.clone();
        async move {
            let mut batch = Batch::new();
            batch.put(format!("k{n:03}"), "");
            store.commit(batch).await.map(|revision| (n, revision))
        }
    };
    let tasks: Vec<_> = (0..100).map(|n| tokio::spawn(write(n))).collect();
    store.close().await.unwrap();
    store.close().await.unwrap();
    let mut made = Vec::new();
    for task in tasks {
        match tokio::time::timeout(SOON, task).await.unwrap().unwrap() {
            Ok(done) => made.push(done),
            Err(StoreError::Closed) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(matches!(store.commit(put("late", "")).await, Err(StoreError::Closed)));
    let Some(store) = factory.reopen(store).await else { return };
    assert_eq!(keys(&*store, &Range::default()).len(), made.len());
    for (n, made) in made {
        assert_eq!(revision(&*store, &format!("k{n:03}")), Some(made));
    }
}

pub(crate) async fn all_is_there_when_opened_again(factory: &dyn Factory) {
    let mut store = factory.fresh().await;
    let mut written = Vec::new();
    for round in 0..3 {
        for n in 0..20 {
            let key = format!("{round}/{n:02}");
            let mut batch = Batch::new();
            batch.put(key.clone(), key.clone());
            let made = store.commit(batch).await.unwrap();
            assert!(written.last().is_none_or(|(_, last)| *last < made), "revisions grow over restarts");
            written.push((key, made));
        }
        let Some(opened) = factory.reopen(store).await else { return };
        store = opened;
        let entries = store.read().unwrap().range(&Range::default()).unwrap();
        let held: Vec<_> = entries
            .into_iter()
            .map(|entry| (String::from_utf8(entry.key.to_vec()).unwrap(), entry.revision))
            .collect();
        assert_eq!(held, written);
        assert_eq!(store.read().unwrap().revision(), written.last().unwrap().1);
    }
}

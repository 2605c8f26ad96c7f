//! Many entities of one operation, worked on side by side: a few at a time, and no more of them once one has refused.

use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use occi_model::CategoryId;
use std::collections::HashMap;
use tokio::task::{Id, JoinError, JoinSet};

/// How many entities of one operation are worked on at once. One that takes long, as a machine that shuts down, keeps
/// few others waiting; and the sandboxes of one request leave room for those of others.
const AT_MOST: usize = 8;

/// Work on numbered entities, begun one after the other.
pub(crate) struct SideBySide<T> {
    running: JoinSet<Result<T, Refusal>>,
    numbers: HashMap<Id, usize>,
    ended: Vec<Option<Result<T, Refusal>>>,
    at_once: usize,
    has_refused: bool,
}

impl<T: Send + 'static> SideBySide<T> {
    /// For so many entities.
    pub(crate) fn new(entities: usize, at_once: usize) -> Self {
        Self {
            running: JoinSet::new(),
            numbers: HashMap::new(),
            ended: (0..entities).map(|_| None).collect(),
            at_once,
            has_refused: false,
        }
    }

    /// Waits until there is room for one more. Whether it is to begin: not where one has refused by then.
    pub(crate) async fn is_next(&mut self) -> bool {
        while self.running.len() >= self.at_once {
            self.wait().await;
        }
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.take(ended);
        }
        !self.has_refused
    }

    /// Begins one.
    pub(crate) fn begin(
        &mut self,
        number: usize,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) {
        let id = self.running.spawn(work).id();
        self.numbers.insert(id, number);
    }

    /// Notes how one ended that needed to be alone.
    pub(crate) fn note(&mut self, number: usize, outcome: Result<T, Refusal>) {
        self.has_refused |= outcome.is_err();
        if let Some(ended) = self.ended.get_mut(number) {
            *ended = Some(outcome);
        }
    }

    /// Waits until none is under way.
    pub(crate) async fn settle(&mut self) {
        while !self.running.is_empty() {
            self.wait().await;
        }
    }

    /// How each ended; nothing for those that were not begun.
    pub(crate) async fn end(mut self) -> Vec<Option<Result<T, Refusal>>> {
        self.settle().await;
        self.ended
    }

    async fn wait(&mut self) {
        if let Some(ended) = self.running.join_next_with_id().await {
            self.take(ended);
        }
    }

    fn take(&mut self, ended: Result<(Id, Result<T, Refusal>), JoinError>) {
        let (id, outcome) = ended.unwrap_or_else(|error| {
            (error.id(), Err(Refusal::Internal(format!("the work on it ended abnormally: {error}"))))
        });
        if let Some(number) = self.numbers.remove(&id) {
            self.note(number, outcome);
        }
    }
}

/// How many calls to the extensions of these categories run at once: no more than each takes, since one that waits too
/// long for its turn fails.
pub(crate) fn at_once<'a>(
    snapshot: &Snapshot,
    categories: impl IntoIterator<Item = &'a CategoryId>,
) -> usize {
    let extensions = categories.into_iter().filter_map(|category| snapshot.extension(category));
    let limits = extensions.filter_map(|extension| extension.limits()).map(|limits| limits.concurrency);
    limits.fold(AT_MOST, usize::min).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn refusal() -> Refusal {
        Refusal::Invalid("no".into())
    }

    #[tokio::test]
    async fn a_few_at_a_time() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut work = SideBySide::new(40, 3);
        for number in 0..40 {
            assert!(work.is_next().await);
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            work.begin(number, async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(number)
            });
        }
        let ended = work.end().await;
        assert!(ended.iter().enumerate().all(|(n, ended)| matches!(ended, Some(Ok(m)) if *m == n)));
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn none_is_begun_after_a_refusal() {
        let mut work = SideBySide::new(4, 2);
        work.begin(0, async { Ok(()) });
        work.begin(1, async { Err(refusal()) });
        assert!(!work.is_next().await || !work.is_next().await, "one of the two has ended at each");
        let ended = work.end().await;
        assert!(matches!(ended[..], [Some(Ok(())), Some(Err(Refusal::Invalid(_))), None, None]));
    }

    #[tokio::test]
    async fn a_panic_is_a_refusal_of_that_one() {
        let mut work = SideBySide::new(2, 2);
        work.begin(0, async { panic!("on purpose") });
        work.begin(1, async { Ok(()) });
        let ended = work.end().await;
        assert!(matches!(ended[..], [Some(Err(Refusal::Internal(_))), Some(Ok(()))]));
    }
}

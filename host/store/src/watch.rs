//! What changed, in order, for whoever follows a store: a bounded memory of the last commits, and watchers that read
//! it at their own speed. A watcher holds nothing that a writer waits for; one that is too slow is told so.

use crate::contract::{Key, Revision};
use crate::error::StoreError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// One commit: which keys it changed. What they hold now, a view says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The commit's revision.
    pub revision: Revision,
    /// The keys that it put, in their order.
    pub put: Vec<Key>,
    /// The keys that it deleted, in their order.
    pub deleted: Vec<Key>,
}

impl Event {
    /// About what it takes of memory, in bytes.
    fn weight(&self) -> usize {
        let key = |key: &Key| size_of::<Key>() + key.len();
        size_of::<Self>() + self.put.iter().chain(&self.deleted).map(key).sum::<usize>()
    }
}

/// The last commits of a store. An engine tells it of each; [`Watch`]es read it.
#[derive(Debug)]
pub(crate) struct History {
    // A std mutex: nothing awaits while it is held.
    ring: Mutex<Ring>,
    /// Changes whenever the ring does.
    news: watch::Sender<()>,
}

#[derive(Debug)]
struct Ring {
    events: VecDeque<Arc<Event>>,
    /// The oldest revision from which nothing is missing.
    oldest: Revision,
    /// The weight of all events, and its bound.
    weight: usize,
    limit: usize,
    closed: bool,
}

impl History {
    /// An empty one of a store that is at `now`, which remembers commits up to about `limit` bytes of keys.
    pub(crate) fn new(now: Revision, limit: usize) -> Arc<Self> {
        let ring = Ring { events: VecDeque::new(), oldest: now.next(), weight: 0, limit, closed: false };
        Arc::new(Self { ring: Mutex::new(ring), news: watch::Sender::new(()) })
    }

    /// Adds commits, which follow in revision those that it has.
    pub(crate) fn push(&self, events: impl IntoIterator<Item = Event>) {
        let mut ring = self.ring();
        for event in events {
            ring.weight += event.weight();
            ring.events.push_back(Arc::new(event));
        }
        // The newest stays whatever its weight, so that nobody lags who keeps up.
        while ring.weight > ring.limit && ring.events.len() > 1 {
            let Some(forgotten) = ring.events.pop_front() else { break };
            ring.weight -= forgotten.weight();
            ring.oldest = forgotten.revision.next();
        }
        drop(ring);
        self.news.send_replace(());
    }

    /// Ends all watches, once they have seen what there is.
    pub(crate) fn close(&self) {
        self.ring().closed = true;
        self.news.send_replace(());
    }

    /// See [`crate::Store::watch`].
    pub(crate) fn watch(self: &Arc<Self>, from: Revision) -> Result<Watch, StoreError> {
        let oldest = self.ring().oldest;
        if from < oldest {
            return Err(StoreError::Compacted { oldest });
        }
        Ok(Watch { history: self.clone(), news: self.news.subscribe(), next: from })
    }

    /// The first event at or behind `next`, if it has happened yet.
    fn event(&self, next: Revision) -> Result<Option<Arc<Event>>, StoreError> {
        let ring = self.ring();
        if next < ring.oldest {
            return Err(StoreError::Lagged { oldest: ring.oldest });
        }
        let event = ring.events.get(ring.events.partition_point(|event| event.revision < next));
        match event {
            Some(event) => Ok(Some(event.clone())),
            None if ring.closed => Err(StoreError::Closed),
            None => Ok(None),
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Nothing under the lock can leave a ring half changed.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader of the changes of a store, from one revision on.
#[derive(Debug)]
pub struct Watch {
    history: Arc<History>,
    news: watch::Receiver<()>,
    next: Revision,
}

impl Watch {
    /// Waits for the next commit. [`StoreError::Lagged`] where this watcher was too slow; [`StoreError::Closed`]
    /// when the store was closed and all was seen. Dropping the future loses no event.
    pub async fn next(&mut self) -> Result<Arc<Event>, StoreError> {
        loop {
            // Before we look: what comes while we look wakes us.
            self.news.mark_unchanged();
            if let Some(event) = self.history.event(self.next)? {
                self.next = event.revision.next();
                return Ok(event);
            }
            // The sender lives as long as the history that we hold.
            self.news.changed().await.map_err(|_| StoreError::Closed)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(revision: u64) -> Event {
        Event { revision: Revision(revision), put: vec![Key::from_static(b"key")], deleted: vec![] }
    }

    #[tokio::test]
    async fn a_slow_watcher_is_told_and_holds_nobody_up() {
        let history = History::new(Revision(4), 3 * event(0).weight());
        assert!(matches!(history.watch(Revision(4)), Err(StoreError::Compacted { oldest: Revision(5) })));
        let mut watch = history.watch(Revision(5)).unwrap();
        history.push([event(5)]);
        assert_eq!(watch.next().await.unwrap().revision, Revision(5));
        history.push((6..11).map(event));
        assert!(matches!(watch.next().await, Err(StoreError::Lagged { oldest: Revision(8) })));
        let mut watch = history.watch(Revision(8)).unwrap();
        history.close();
        for revision in 8..11 {
            assert_eq!(watch.next().await.unwrap().revision, Revision(revision));
        }
        assert!(matches!(watch.next().await, Err(StoreError::Closed)));
    }
}

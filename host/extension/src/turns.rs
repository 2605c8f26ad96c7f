//! Calls that keep a processor for long take turns: half of the processors are theirs, one at a time is of one extension, and each
//! gives its turn away at the next tick. So those that end soon, which nearly all do, and whoever answers requests meet
//! idle processors, whatever others do. Who waits for a turn does not pay for the time.

use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of all extensions.
#[derive(Debug, Clone)]
pub(crate) struct AllTurns(Arc<Semaphore>);

/// The turns of one extension.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    own: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

/// What one call holds.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    turns: Turns,
    held: Arc<Mutex<Option<[OwnedSemaphorePermit; 2]>>>,
}

/// How many threads work at a time.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

impl AllTurns {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new((processors() / 2).max(1))))
    }

    /// Those of an extension.
    pub(crate) fn of_one(&self) -> Turns {
        Turns { own: Arc::new(Semaphore::new(1)), all: Arc::clone(&self.0) }
    }
}

impl Turns {
    /// For a call that has none yet.
    pub(crate) fn begin(&self) -> Turn {
        Turn { turns: self.clone(), held: Arc::default() }
    }
}

impl Turn {
    /// Gives the turn to whoever waits for it, and waits for the next.
    pub(crate) async fn next(self) {
        self.release();
        // What else the thread has to do comes first, even where nobody waits for a turn.
        tokio::task::yield_now().await;
        // Nobody closes them.
        let Ok(own) = Arc::clone(&self.turns.own).acquire_owned().await else { return };
        let Ok(all) = Arc::clone(&self.turns.all).acquire_owned().await else { return };
        *self.slot() = Some([own, all]);
    }

    /// Gives the turn away, since the guest computes nothing now.
    pub(crate) fn release(&self) {
        self.slot().take();
    }

    fn slot(&self) -> MutexGuard<'_, Option<[OwnedSemaphorePermit; 2]>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    async fn gets(turn: &Turn) -> bool {
        timeout(Duration::from_millis(50), turn.clone().next()).await.is_ok()
    }

    #[tokio::test]
    async fn one_of_an_extension_computes_at_a_time() {
        let all = AllTurns(Arc::new(Semaphore::new(2)));
        let (one, other, third) = (all.of_one(), all.of_one(), all.of_one());
        let (a, b, c, d) = (one.begin(), one.begin(), other.begin(), third.begin());
        assert!(gets(&a).await);
        assert!(!gets(&b).await, "another of the same has it");
        assert!(gets(&c).await);
        assert!(!gets(&d).await, "all are taken");
        a.release();
        assert!(gets(&b).await);
        drop(c);
        assert!(gets(&d).await, "a call that ends gives its turn back");
        assert!(gets(&b).await, "nobody else wants it");
    }
}

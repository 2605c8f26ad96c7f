//! Whether somebody still waits for what was asked.
//!
//! What has begun goes on to its end. What only waits for its turn does not begin once nobody waits for it: behind a
//! machine that hangs, what clients asked for who have long given up would else be done one after the other, each as slow
//! as the last, and who switches the machine off would wait for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::{CancellationToken, DropGuard};

tokio::task_local! {
    static ASKED: Arc<Asked>;
}

/// What was asked.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    nobody_waits: CancellationToken,
    /// Something was written down for it.
    has_begun: AtomicBool,
    /// It never will.
    is_dropped: CancellationToken,
}

impl Asked {
    /// Somebody waits until this is dropped.
    pub(crate) fn wait(&self) -> DropGuard {
        self.nobody_waits.clone().drop_guard()
    }

    /// Does the work; none where its turn did not come while somebody waited.
    pub(crate) async fn carry_out<T>(self: Arc<Self>, work: impl Future<Output = T>) -> Option<T> {
        let is_dropped = self.is_dropped.clone();
        tokio::select! {
            biased;
            done = ASKED.scope(self, work) => Some(done),
            () = is_dropped.cancelled() => None,
        }
    }
}

/// Waits for the turn of what was asked. It ends there where nobody waits any more before it has begun.
pub(crate) async fn turn<T>(turn: impl Future<Output = T>) -> T {
    let Some(asked) = asked().filter(|asked| !asked.has_begun.load(Ordering::Relaxed)) else {
        return turn.await;
    };
    tokio::select! {
        biased;
        turn = turn => turn,
        () = asked.nobody_waits.cancelled() => {
            asked.is_dropped.cancel();
            std::future::pending().await
        }
    }
}

/// From now on it goes on to its end.
pub(crate) fn begin() {
    if let Some(asked) = asked() {
        asked.has_begun.store(true, Ordering::Relaxed);
    }
}

/// None of what nobody asked for.
fn asked() -> Option<Arc<Asked>> {
    ASKED.try_with(Arc::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::Mutex;
    use tokio::time::timeout;

    /// Waits for its turn, twice, and begins after the first.
    async fn work(turns: [Arc<Mutex<()>>; 2]) {
        let _first = turn(turns[0].lock()).await;
        begin();
        let _second = turn(turns[1].lock()).await;
    }

    #[tokio::test]
    async fn what_has_not_begun_does_not_when_nobody_waits() {
        let turns = [(), ()].map(|()| Arc::new(Mutex::new(())));
        for (held, is_done) in [(0, None), (1, Some(()))] {
            let others = turns[held].lock().await;
            let asked = Arc::new(Asked::default());
            let waits = asked.wait();
            let task = tokio::spawn(asked.carry_out(work(turns.clone())));
            tokio::task::yield_now().await;
            drop(waits);
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(task.is_finished(), is_done.is_none());
            drop(others);
            assert_eq!(timeout(Duration::from_secs(9), task).await.unwrap().unwrap(), is_done);
        }
        // Whose turn it is at once is not looked for.
        let asked = Arc::new(Asked::default());
        drop(asked.wait());
        assert_eq!(asked.carry_out(work(turns)).await, Some(()));
    }
}

//! How many calls of one extension run at once. A call that waits for something outside gives its place to others for
//! so long; how many may wait so is limited too, since each keeps its sandbox.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places for calls that run at once.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// One call's place.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    /// None while the call waits.
    held: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// So many calls run at once, and as many more may wait.
    pub(crate) fn new(calls: usize) -> Self {
        let semaphore = || Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS)));
        Self { running: semaphore(), waiting: semaphore() }
    }

    /// A place, when there is one. There is always one some time: nobody closes them.
    pub(crate) async fn take(&self) -> Option<Place> {
        let held = Arc::clone(&self.running).acquire_owned().await.ok()?;
        Some(Place { places: self.clone(), held: Some(held) })
    }
}

impl Place {
    /// Lets others have the place until `wait` is over, then waits for one again.
    pub(crate) async fn lend<T>(&mut self, wait: impl Future<Output = T>) -> T {
        let Ok(_waiting) = Arc::clone(&self.places.waiting).try_acquire_owned() else { return wait.await };
        self.held = None;
        let answer = wait.await;
        self.held = Arc::clone(&self.places.running).acquire_owned().await.ok();
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::time::Duration;
    use tokio::sync::Notify;
    use tokio::time::timeout;

    /// The place that there is some time.
    async fn take(places: &Places) -> Place {
        timeout(Duration::from_secs(10), places.take()).await.expect("nobody gives a place back").unwrap()
    }

    /// Whether there is a place right now.
    async fn is_free(places: &Places) -> bool {
        tokio::select! {
            biased;
            _ = places.take() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn who_waits_lends_the_place() {
        let (places, over) = (Places::new(1), Notify::new());
        let mut place = take(&places).await;
        assert!(!is_free(&places).await);
        {
            let mut lent = pin!(place.lend(over.notified()));
            assert!(timeout(Duration::ZERO, &mut lent).await.is_err());
            let other = take(&places).await;
            over.notify_one();
            assert!(timeout(Duration::ZERO, &mut lent).await.is_err(), "taken");
            drop(other);
            lent.await;
        }
        assert!(!is_free(&places).await, "it has its place again");
    }

    #[tokio::test]
    async fn no_more_wait_than_run() {
        let (places, never) = (Places::new(1), Notify::new());
        let mut first = take(&places).await;
        let mut waits = pin!(first.lend(never.notified()));
        assert!(timeout(Duration::ZERO, &mut waits).await.is_err());
        let mut second = take(&places).await;
        let mut keeps = pin!(second.lend(never.notified()));
        assert!(timeout(Duration::ZERO, &mut keeps).await.is_err());
        assert!(!is_free(&places).await, "the second waits in its place");
    }
}

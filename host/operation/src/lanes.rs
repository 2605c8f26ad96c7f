//! How much of what no client waits for is done at once: a little as a rule; but what takes long makes room for others, so
//! that an extension that is slow, or has stopped, costs its own entities alone.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// After so long something makes room.
const LONG: Duration = Duration::from_millis(250);
/// How many may have made room and not be done yet.
const LONG_ONES: usize = 64;

/// Who may do something.
#[derive(Clone)]
pub(crate) struct Lanes {
    quick: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

/// The right to begin.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Lanes {
    /// As many at once as a rule.
    pub(crate) fn new(quick: usize) -> Self {
        Self { quick: Arc::new(Semaphore::new(quick)), long: Arc::new(Semaphore::new(LONG_ONES)) }
    }

    /// Waits until something may begin; none where nothing begins any more.
    pub(crate) async fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.quick).acquire_owned().await.ok()?;
        Some(Place { _permit: permit })
    }

    /// Does something in a place, which it leaves when it is done or takes long.
    pub(crate) async fn run<T>(&self, place: Place, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Ok(done) = timeout(LONG, &mut work).await {
            return done;
        }
        tokio::select! {
            done = &mut work => done,
            _aside = self.long.acquire() => {
                drop(place);
                work.await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_takes_long_makes_room_as_long_as_there_is_some() {
        let lanes = Lanes::new(2);
        let mut ends = Vec::new();
        for _ in 0..2 + LONG_ONES {
            let place = lanes.place().await.unwrap();
            let (end, ended) = oneshot::channel::<()>();
            let lanes = lanes.clone();
            tokio::spawn(async move { lanes.run(place, ended).await });
            ends.push(end);
        }
        let full = timeout(4 * LONG, lanes.place()).await;
        assert!(full.is_err(), "there is an end to it");
        drop(ends.pop());
        assert!(lanes.place().await.is_some());
    }

    #[tokio::test]
    async fn what_is_quick_keeps_its_place_until_it_is_done() {
        let lanes = Lanes::new(1);
        let place = lanes.place().await.unwrap();
        assert_eq!(lanes.run(place, async { 7 }).await, 7);
        assert_eq!(lanes.quick.available_permits(), 1);
    }
}

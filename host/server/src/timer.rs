//! The timer behind the wait for the head of a request.
//!
//! hyper wants a new timer for each request. A new one takes the lock of all the runtime's timers twice, which is a tenth
//! of what an answer to a GET costs. This gives a connection the same one again: to put off a timer that runs is one
//! atomic step, and when its old time has come, the connection's task wakes up once for nothing.

use hyper::rt::{Sleep, Timer};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

type Kept = Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>;

/// The timer of one connection.
#[derive(Debug, Default)]
pub(crate) struct ReusedTimer(Kept);

/// The timer in use. It goes back where it came from.
struct Lent {
    /// None only while it is dropped.
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
    home: Kept,
}

impl Timer for ReusedTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let sleep = match kept {
            Some(mut sleep) => {
                sleep.as_mut().reset(deadline.into());
                sleep
            }
            None => Box::pin(tokio::time::sleep_until(deadline.into())),
        };
        Box::pin(Lent { sleep: Some(sleep), home: Arc::clone(&self.0) })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

impl Sleep for Lent {}

impl Future for Lent {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(context),
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = self.sleep.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_is_used_again_keeps_its_new_time() {
        let timer = ReusedTimer::default();
        let begun = timer.now();
        let seconds = Duration::from_secs;
        // Put off before it was awaited, while it ran, and after it rang.
        drop(timer.sleep(seconds(1)));
        assert!(tokio::time::timeout(seconds(1), timer.sleep(seconds(5))).await.is_err());
        timer.sleep(seconds(5)).await;
        assert_eq!(timer.now() - begun, seconds(6));
        timer.sleep(seconds(2)).await;
        assert_eq!(timer.now() - begun, seconds(8));
        // Sooner than it would have rung.
        drop(timer.sleep(seconds(60)));
        timer.sleep(seconds(1)).await;
        assert_eq!(timer.now() - begun, seconds(9));
    }

    #[tokio::test]
    async fn one_timer_is_enough_for_a_connection() {
        let timer = ReusedTimer::default();
        drop(timer.sleep(Duration::from_secs(1)));
        let address = |timer: &ReusedTimer| {
            let kept = timer.0.lock().unwrap();
            std::ptr::from_ref(&*kept.as_ref().unwrap().as_ref())
        };
        let first = address(&timer);
        drop(timer.sleep(Duration::from_secs(1)));
        assert!(std::ptr::eq(first, address(&timer)));
    }
}

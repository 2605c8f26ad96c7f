//! A time that stands still until a step lets it go on.

use occi_extension::TimeSource;
use std::pin::Pin;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) struct SetTime {
    begin: SystemTime,
    zero: Instant,
    passed: watch::Sender<Duration>,
}

impl SetTime {
    pub(crate) fn new(begin: SystemTime) -> Self {
        Self { begin, zero: Instant::now(), passed: watch::Sender::new(Duration::ZERO) }
    }

    /// Who waits for a time until then is woken.
    pub(crate) fn go_on_to(&self, instant: Instant) {
        self.passed.send_replace(instant.saturating_duration_since(self.zero));
    }
}

impl TimeSource for SetTime {
    fn system_time(&self) -> SystemTime {
        self.begin + *self.passed.borrow()
    }

    fn instant(&self) -> Instant {
        self.zero + *self.passed.borrow()
    }

    fn wait_until(&self, instant: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let (zero, mut passed) = (self.zero, self.passed.subscribe());
        Box::pin(async move {
            // The sender is this very value, which is borrowed meanwhile.
            _ = passed.wait_for(|passed| zero + *passed >= instant).await;
        })
    }
}

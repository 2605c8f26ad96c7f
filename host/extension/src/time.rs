//! What time it is, as a value that is handed in: who rehearses an extension lets it stand still.

use std::pin::Pin;
use std::time::SystemTime;
use tokio::time::{Instant, sleep_until};

/// The two clocks that a host goes by.
pub trait TimeSource: Send + Sync + 'static {
    /// The time of day.
    fn system_time(&self) -> SystemTime;

    /// The time that only goes forward.
    fn instant(&self) -> Instant;

    /// Waits until that time has come.
    fn wait_until(&self, instant: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's own.
#[derive(Debug, Clone, Copy)]
pub struct MachineTime;

impl TimeSource for MachineTime {
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn wait_until(&self, instant: Instant) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(sleep_until(instant))
    }
}

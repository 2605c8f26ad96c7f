//! What time it is: the capability `clocks`. (`std::time` has no clock in a component.)

use crate::outside::clocks as outside;
use std::time::Duration;

/// The time since 1970-01-01T00:00:00Z.
pub fn now() -> Duration {
    outside::now()
}

/// The time since some moment before the call, to measure how long something takes.
pub fn monotonic() -> Duration {
    outside::monotonic()
}

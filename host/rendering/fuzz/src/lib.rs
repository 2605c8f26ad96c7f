//! What the fuzz targets share.

pub mod check;

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The longest that one input may take.
const LONGEST: Duration = Duration::from_millis(100);

/// Runs a check; one that takes longer than [`LONGEST`] fails as one that panics does. What counts is the time that this
/// thread computes, since a busy machine may stop it at any moment for longer than that.
pub fn in_time(check: impl FnOnce()) {
    let began = computed();
    check();
    let took = computed().saturating_sub(began);
    assert!(
        took <= LONGEST,
        "this input took {} ms, and at most {} are right",
        took.as_millis(),
        LONGEST.as_millis()
    );
}

fn computed() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

//! The fake of the capability `clocks`: a clock that the test sets.

use super::world::world;
use std::time::Duration;

pub(crate) fn now() -> Duration {
    world(|world| world.time)
}

pub(crate) fn monotonic() -> Duration {
    world(|world| world.time)
}

//! The fake of the capability `logging`.

use super::world::world;
use crate::bindings::imports::wasi::logging::logging::Level;

pub(crate) fn log(level: Level, _context: &str, message: &str) {
    world(|world| world.log.push((level, message.into())));
}

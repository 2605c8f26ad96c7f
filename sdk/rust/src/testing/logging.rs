//! The fake of the capability `logging`.

use super::world::world;
use crate::bindings::imports::wasi::logging::logging::Level;

pub(crate) fn log(level: Level, context: &str, message: &str) {
    let context = if context.is_empty() { String::new() } else { format!("{context}: ") };
    world(|world| world.log.push(format!("{level:?} {context}{message}")));
}

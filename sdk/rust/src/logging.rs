//! The operator's log, with the extension's name on each line: the capability `logging`.

pub use crate::bindings::imports::wasi::logging::logging::Level;
use crate::outside::logging as outside;

/// Write a message, with a context by which messages can be grouped.
pub fn log(level: Level, context: &str, message: &str) {
    outside::log(level, context, message);
}

/// For whoever debugs the extension.
pub fn debug(message: &str) {
    log(Level::Debug, "", message);
}

/// What happens in the ordinary course.
pub fn info(message: &str) {
    log(Level::Info, "", message);
}

/// What the operator should look at some day.
pub fn warn(message: &str) {
    log(Level::Warn, "", message);
}

/// What the operator should look at now.
pub fn error(message: &str) {
    log(Level::Error, "", message);
}

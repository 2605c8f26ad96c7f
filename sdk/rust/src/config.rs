//! What the operator has set for the extension: the capability `config`.

use crate::bindings::imports::wasi::config::store::Error;
use crate::fault::{Fault, Result};
use crate::outside::config as outside;

/// The value of a key; none if it is not set.
pub fn get(key: &str) -> Result<Option<String>> {
    outside::get(key).map_err(fault)
}

/// All keys with their values.
pub fn all() -> Result<Vec<(String, String)>> {
    outside::get_all().map_err(fault)
}

/// WASI's error as a fault.
fn fault(error: Error) -> Fault {
    match error {
        Error::Upstream(message) | Error::Io(message) => Fault::failed(message),
    }
}

//! Small state of the extension's own, kept for each tenant: the capability `keyvalue`.
//!
//! What a call writes is committed with the request that it belongs to, or not at all; meanwhile it is read by that call and
//! by those that come after it in the same request. Where another request has changed meanwhile a key that this one writes,
//! the host calls again with what is stored then. What is read and not written is not compared.

use crate::bindings::imports::wasi::keyvalue::store::Error;
use crate::fault::{Fault, Result};
use crate::outside::keyvalue as outside;

/// A store of keys and values.
pub struct Store(outside::Bucket);

impl Store {
    /// The store with that name, of at most 64 letters, digits, `-`, `_` and `.`; the empty name is the default store.
    pub fn open(name: &str) -> Result<Self> {
        outside::open(name).map(Self).map_err(fault)
    }

    /// The value of a key, or none.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.0.get(key).map_err(fault)
    }

    /// Set the value of a key.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.0.set(key, value).map_err(fault)
    }

    /// Take a key away. Succeeds where it is not there.
    pub fn delete(&self, key: &str) -> Result<()> {
        self.0.delete(key).map_err(fault)
    }

    /// Whether a key has a value.
    pub fn exists(&self, key: &str) -> Result<bool> {
        self.0.exists(key).map_err(fault)
    }

    /// All keys.
    pub fn keys(&self) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.0.list_keys(cursor.as_deref()).map_err(fault)?;
            keys.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }
}

/// WASI's error as a fault.
fn fault(error: Error) -> Fault {
    match error {
        Error::NoSuchStore => Fault::missing("there is no key-value store of that name"),
        Error::AccessDenied => Fault::denied("the extension may not use that key-value store"),
        Error::Other(message) => Fault::failed(message),
    }
}

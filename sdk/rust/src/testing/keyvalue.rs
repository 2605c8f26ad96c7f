//! The fake of the capability `keyvalue`.

use super::world::world;
use crate::bindings::imports::wasi::keyvalue::store::{Error, KeyResponse};
use std::collections::BTreeMap;

/// The store with that name.
pub(crate) struct Bucket(String);

pub(crate) fn open(identifier: &str) -> Result<Bucket, Error> {
    ask("keyvalue.open", identifier, |_| Bucket(identifier.into()))
}

impl Bucket {
    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        ask("keyvalue.get", &self.0, |store| store.get(key).cloned())
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        ask("keyvalue.set", &self.0, |store| {
            store.insert(key.into(), value.into());
        })
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), Error> {
        ask("keyvalue.delete", &self.0, |store| {
            store.remove(key);
        })
    }

    pub(crate) fn exists(&self, key: &str) -> Result<bool, Error> {
        ask("keyvalue.exists", &self.0, |store| store.contains_key(key))
    }

    pub(crate) fn list_keys(&self, _cursor: Option<&str>) -> Result<KeyResponse, Error> {
        ask("keyvalue.list-keys", &self.0, |store| KeyResponse {
            keys: store.keys().cloned().collect(),
            cursor: None,
        })
    }
}

/// Ask a store, unless the test has the call fail.
fn ask<R>(
    call: &str,
    name: &str,
    answer: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> R,
) -> Result<R, Error> {
    world(|world| {
        world.question(call).map_err(|fault| Error::Other(fault.message))?;
        Ok(answer(world.stores.entry(name.into()).or_default()))
    })
}

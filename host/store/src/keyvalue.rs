//! The data that extensions keep for a tenant, in buckets. Who may use which bucket, and how much of it, is decided by
//! the capability that lends it.

use crate::contract::{Batch, Expect, Key, Range, ReadView, Value, Versioned};
use crate::error::StoreError;
use crate::keys;

/// One bucket of one extension for one tenant. There is no way from here to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket(Key);

impl Bucket {
    /// The bucket of this name; it is there as soon as something is in it.
    pub fn new(tenant: &str, extension: &str, name: &str) -> Self {
        Self(keys::bucket(tenant, extension, name))
    }

    /// The value of a key.
    pub fn get(&self, view: &dyn ReadView, key: &str) -> Result<Option<Versioned>, StoreError> {
        view.get(&keys::key_value(&self.0, key))
    }

    /// The keys behind `after` (none for the beginning) with their values, in their order, at most `limit` of them.
    pub fn list(
        &self,
        view: &dyn ReadView,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, StoreError> {
        let after = after.map(|key| keys::key_value(&self.0, key));
        let found = view.range(&Range::prefix(self.0.clone()).after(after).limit(limit))?;
        let datum = |entry: crate::Entry| {
            let key = std::str::from_utf8(&entry.key[self.0.len()..])
                .map_err(|error| StoreError::broken(&entry.key, error))?;
            Ok((key.into(), Versioned { value: entry.value, revision: entry.revision }))
        };
        found.into_iter().map(datum).collect()
    }

    /// Adds to a batch that a key gets a value.
    pub fn put(&self, batch: &mut Batch, key: &str, value: impl Into<Value>) {
        batch.put(keys::key_value(&self.0, key), value);
    }

    /// Adds to a batch that a key goes.
    pub fn delete(&self, batch: &mut Batch, key: &str) {
        batch.delete(keys::key_value(&self.0, key));
    }

    /// Makes a batch depend on the state of a key: a compare-and-swap.
    pub fn expect(&self, batch: &mut Batch, key: &str, expect: Expect) {
        batch.expect(keys::key_value(&self.0, key), expect);
    }
}

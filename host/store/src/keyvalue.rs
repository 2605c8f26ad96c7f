//! The data that extensions keep for a tenant, in buckets. Who may use which bucket, and how much of it, is decided
//! elsewhere.

use crate::contract::{Batch, Expect, Key, Range, ReadView, Value, Versioned};
use crate::error::StoreError;
use crate::keys;
use std::ops::ControlFlow;

/// One bucket of one extension for one tenant. There is no way from here to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// What all its keys begin with.
    prefix: Key,
    /// How many bytes of that say whose it is.
    owner: usize,
}

impl Bucket {
    /// The bucket of this name; it is there as soon as something is in it.
    pub fn new(tenant: &str, extension: &str, name: &str) -> Self {
        let owner = keys::data(tenant, extension).len();
        Self { prefix: keys::bucket(tenant, extension, name), owner }
    }

    /// How many bytes of what is [`kept`] a key takes whose value has so many.
    pub fn bytes(&self, key: &str, value: usize) -> u64 {
        (self.prefix.len() - self.owner + key.len() + value) as u64
    }

    /// The value of a key.
    pub fn get(&self, view: &dyn ReadView, key: &str) -> Result<Option<Versioned>, StoreError> {
        view.get(&keys::key_value(&self.prefix, key))
    }

    /// The keys behind `after` (none for the beginning) with their values, in their order, at most `limit` of them.
    pub fn list(
        &self,
        view: &dyn ReadView,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Versioned)>, StoreError> {
        let after = after.map(|key| keys::key_value(&self.prefix, key));
        let found = view.range(&Range::prefix(self.prefix.clone()).after(after).limit(limit))?;
        let datum = |entry: crate::Entry| {
            let key = std::str::from_utf8(&entry.key[self.prefix.len()..])
                .map_err(|error| StoreError::broken(&entry.key, &error))?;
            Ok((key.into(), Versioned { value: entry.value, revision: entry.revision }))
        };
        found.into_iter().map(datum).collect()
    }

    /// Adds to a batch that a key gets a value.
    pub fn put(&self, batch: &mut Batch, key: &str, value: impl Into<Value>) {
        batch.put(keys::key_value(&self.prefix, key), value);
    }

    /// Adds to a batch that a key goes.
    pub fn delete(&self, batch: &mut Batch, key: &str) {
        batch.delete(keys::key_value(&self.prefix, key));
    }

    /// Makes a batch depend on the state of a key: a compare-and-swap.
    pub fn expect(&self, batch: &mut Batch, key: &str, expect: Expect) {
        batch.expect(keys::key_value(&self.prefix, key), expect);
    }
}

/// How much an extension keeps for a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Keys.
    pub keys: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// Counts what an extension keeps for a tenant, which steps over all of it.
pub fn kept(view: &dyn ReadView, tenant: &str, extension: &str) -> Result<Kept, StoreError> {
    let all = keys::data(tenant, extension);
    let mut kept = Kept::default();
    view.scan(&Range::prefix(all.clone()), &mut |key, _, value| {
        kept.keys += 1;
        kept.bytes += (key.len() - all.len() + value.len()) as u64;
        ControlFlow::Continue(())
    })?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{store, wait};

    #[test]
    fn a_bucket_is_a_world_of_its_own() {
        let store = store();
        let names =
            [("t", "e", "b"), ("t", "e", "b\0"), ("t", "e\0", "b"), ("t", "eb", ""), ("t2", "e", "b")];
        let buckets = names.map(|(tenant, extension, name)| Bucket::new(tenant, extension, name));
        let mut batch = Batch::new();
        for (nth, bucket) in buckets.iter().enumerate() {
            for key in ["", "a", "a\0\u{1}b", "ä"] {
                bucket.put(&mut batch, key, format!("{nth} {key}"));
            }
        }
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        for (nth, bucket) in buckets.iter().enumerate() {
            let all = bucket.list(&*view, None, 10).unwrap();
            let keys: Vec<_> = all.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, ["", "a", "a\0\u{1}b", "ä"]);
            assert!(all.iter().all(|(key, held)| held.value == format!("{nth} {key}")));
            let page = bucket.list(&*view, Some("a"), 1).unwrap();
            assert_eq!(page, all[2..3]);
            assert_eq!(bucket.get(&*view, "ä").unwrap().as_ref(), Some(&all[3].1));
            assert_eq!(bucket.get(&*view, "b").unwrap(), None);
        }
    }

    #[test]
    fn a_value_is_swapped_only_from_what_was_seen() {
        let store = store();
        let bucket = Bucket::new("t", "e", "b");
        let swap = |from, to: &'static str| {
            let mut batch = Batch::new();
            bucket.expect(&mut batch, "k", from);
            bucket.put(&mut batch, "k", to);
            wait(store.commit(batch))
        };
        let first = swap(Expect::Absent, "1").unwrap();
        assert!(swap(Expect::Absent, "2").unwrap_err().is_conflict());
        swap(Expect::Revision(first), "2").unwrap();
        assert!(swap(Expect::Revision(first), "3").unwrap_err().is_conflict());
        let mut batch = Batch::new();
        bucket.delete(&mut batch, "k");
        wait(store.commit(batch)).unwrap();
        assert_eq!(bucket.get(&*store.read().unwrap(), "k").unwrap(), None);
    }

    #[test]
    fn what_is_counted_is_what_the_keys_take() {
        let store = store();
        let mut batch = Batch::new();
        let mut bytes = 0;
        for (bucket, key, value) in [("", "a", "1"), ("b", "a", ""), ("b\0", "ä", "123")] {
            let bucket = Bucket::new("t", "e", bucket);
            bucket.put(&mut batch, key, value);
            bytes += bucket.bytes(key, value.len());
        }
        for (tenant, extension) in [("t", "e2"), ("t2", "e")] {
            Bucket::new(tenant, extension, "").put(&mut batch, "another's", "x");
        }
        wait(store.commit(batch)).unwrap();
        assert_eq!(kept(&*store.read().unwrap(), "t", "e").unwrap(), Kept { keys: 3, bytes });
    }
}

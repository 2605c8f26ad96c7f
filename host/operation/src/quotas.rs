//! How much extensions keep among their key-value data, and that none keeps more than it may.
//!
//! The counts are in memory: nobody else writes to the store, and counting anew at the first change after a start takes
//! less than keeping a count durable that all changes of an extension would have to wait for one after the other.

use crate::refusal::Refusal;
use occi_store::{Bucket, Kept, ReadView, StoreError, kept};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Whose data it is: the tenant, and the extension's name.
pub(crate) type Owner = (Arc<str>, Arc<str>);

/// What each keeps that has changed anything since the start, and what those under way may come to keep.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<Owner, Kept>>);

/// What a change of an extension's data takes, and gives back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    pub(crate) keys: i64,
    pub(crate) bytes: i64,
}

impl Growth {
    /// A key with a value of so many bytes more, or (`sign` is -1) less.
    pub(crate) fn count(&mut self, bucket: &Bucket, key: &str, value: usize, sign: i64) {
        let bytes = i64::try_from(bucket.bytes(key, value)).unwrap_or(i64::MAX);
        self.keys += sign;
        self.bytes += sign * bytes;
    }
}

/// Room that was taken for a change. It is given back where the change is not made.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    quotas: &'a Quotas,
    owner: Owner,
    growth: Growth,
}

impl Quotas {
    /// Takes room for a change that is about to be committed. What it gives back is free for others only once it is.
    pub(crate) fn take(
        &self,
        read: impl FnOnce() -> Result<Arc<dyn ReadView>, StoreError>,
        owner: Owner,
        growth: Growth,
        most: Kept,
    ) -> Result<Room<'_>, Refusal> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&owner) {
            // With the lock held: whoever changes the data must have come by here before.
            let counted = kept(&*read()?, &owner.0, &owner.1)?;
            all.insert(owner.clone(), counted);
        }
        let held = all.entry(owner.clone()).or_default();
        let then = Kept { keys: grown(held.keys, growth.keys), bytes: grown(held.bytes, growth.bytes) };
        // Whoever has more than he may since the operator has thought better of it can still take something away.
        let full = [
            (growth.keys > 0 && then.keys > most.keys, most.keys, "keys"),
            (growth.bytes > 0 && then.bytes > most.bytes, most.bytes, "bytes"),
        ];
        if let Some((_, most, of)) = full.into_iter().find(|(is_full, ..)| *is_full) {
            return Err(Refusal::Full { extension: owner.1.to_string(), most, of });
        }
        *held = then;
        Ok(Room { quotas: self, owner, growth })
    }

    fn add(&self, owner: &Owner, growth: Growth) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = all.get_mut(owner) {
            held.keys = held.keys.saturating_add_signed(growth.keys);
            held.bytes = held.bytes.saturating_add_signed(growth.bytes);
        }
    }
}

/// With what is taken at once.
fn grown(held: u64, growth: i64) -> u64 {
    held.saturating_add_signed(growth.max(0))
}

impl Room<'_> {
    /// The change was committed.
    pub(crate) fn keep(mut self) {
        let Growth { keys, bytes } = std::mem::take(&mut self.growth);
        self.quotas.add(&self.owner, Growth { keys: keys.min(0), bytes: bytes.min(0) });
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        let Growth { keys, bytes } = self.growth;
        self.quotas.add(&self.owner, Growth { keys: -keys.max(0), bytes: -bytes.max(0) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_store::{Batch, Options, RedbStore, Store};

    const MOST: Kept = Kept { keys: 3, bytes: 100 };

    fn owner() -> Owner {
        ("t".into(), "e".into())
    }

    /// A store with one key of 20 bytes.
    async fn store() -> RedbStore {
        let store = RedbStore::in_memory(&Options::default()).unwrap();
        let bucket = Bucket::new("t", "e", "");
        let mut batch = Batch::new();
        let value = vec![0; 20 - usize::try_from(bucket.bytes("k", 0)).unwrap()];
        bucket.put(&mut batch, "k", value);
        store.commit(batch).await.unwrap();
        store
    }

    #[tokio::test]
    async fn what_is_stored_counts_and_two_at_once_do_not_pass_together() {
        let (store, quotas) = (store().await, Quotas::default());
        let take = |keys, bytes| quotas.take(|| store.read(), owner(), Growth { keys, bytes }, MOST);
        let one = take(1, 50).unwrap();
        let full = take(1, 31).unwrap_err().to_string();
        assert!(full.contains("100 bytes") && full.contains("extension e"), "{full}");
        let two = take(1, 30).unwrap();
        assert!(take(1, 0).unwrap_err().to_string().contains("3 keys"));
        drop(one);
        take(1, 50).unwrap().keep();
        two.keep();
        assert!(take(0, 1).is_err() && take(1, 0).is_err());
    }

    #[tokio::test]
    async fn a_removal_gives_back_once_it_is_committed() {
        let (store, quotas) = (store().await, Quotas::default());
        let take = |keys, bytes| quotas.take(|| store.read(), owner(), Growth { keys, bytes }, MOST);
        let removal = take(-1, -20).unwrap();
        assert!(take(3, 0).is_err());
        drop(removal);
        assert!(take(3, 0).is_err());
        take(-1, -20).unwrap().keep();
        take(3, 100).unwrap().keep();
        let less = Kept { keys: 1, bytes: 10 };
        quotas.take(|| store.read(), owner(), Growth { keys: -1, bytes: -1 }, less).unwrap().keep();
        assert!(quotas.take(|| store.read(), owner(), Growth { keys: 0, bytes: 1 }, less).is_err());
    }
}

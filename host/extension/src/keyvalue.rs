//! The key-value changes of one call. They are held back until the operation commits, so that a refused call leaves
//! none; meanwhile the guest reads what it wrote.

use std::collections::BTreeMap;

/// One change of the extension's own small state, in the tenant of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValueWrite {
    /// The name of the bucket; the empty one is the default.
    pub bucket: String,
    /// The key in it.
    pub key: String,
    /// The new value; none deletes.
    pub value: Option<Vec<u8>>,
}

/// What a call wrote so far, the last change of each key.
#[derive(Debug, Default)]
pub struct KeyValueWrites {
    changes: BTreeMap<(String, String), Option<Vec<u8>>>,
    bytes: usize,
}

/// The changes of one call became too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one call may change at most {} bytes of keys and values", KeyValueWrites::MAX)]
pub struct TooManyWrites;

impl KeyValueWrites {
    /// How much one call may change, in bytes of keys and values.
    pub const MAX: usize = 1 << 20;

    /// Sets a value, or deletes it where it is none.
    pub fn put(&mut self, bucket: &str, key: &str, value: Option<Vec<u8>>) -> Result<(), TooManyWrites> {
        let place = (bucket.to_owned(), key.to_owned());
        let size = |value: &Option<Vec<u8>>| bucket.len() + key.len() + value.as_ref().map_or(0, Vec::len);
        let before = self.changes.get(&place).map_or(0, size);
        let bytes = self.bytes - before + size(&value);
        if bytes > Self::MAX {
            return Err(TooManyWrites);
        }
        self.bytes = bytes;
        self.changes.insert(place, value);
        Ok(())
    }

    /// What this call wrote there: none if it did not, `Some(None)` if it deleted it.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Option<&[u8]>> {
        let place = (bucket.to_owned(), key.to_owned());
        self.changes.get(&place).map(Option::as_deref)
    }

    /// The changed keys of a bucket in order, each with whether it has a value now. A list of keys is made of the
    /// stored ones and these.
    pub fn keys<'a>(&'a self, bucket: &'a str) -> impl Iterator<Item = (&'a str, bool)> + 'a {
        self.changes
            .range((bucket.to_owned(), String::new())..)
            .take_while(move |((held, _), _)| held == bucket)
            .map(|((_, key), value)| (key.as_str(), value.is_some()))
    }

    pub(crate) fn into_list(self) -> Vec<KeyValueWrite> {
        let list = self.changes.into_iter();
        list.map(|((bucket, key), value)| KeyValueWrite { bucket, key, value }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_what_it_wrote() {
        let mut writes = KeyValueWrites::default();
        writes.put("", "a", Some(b"1".to_vec())).unwrap();
        writes.put("", "b", None).unwrap();
        writes.put("other", "c", Some(Vec::new())).unwrap();
        assert_eq!(writes.get("", "a"), Some(Some(&b"1"[..])));
        assert_eq!(writes.get("", "b"), Some(None));
        assert_eq!(writes.get("", "c"), None);
        assert_eq!(writes.keys("").collect::<Vec<_>>(), [("a", true), ("b", false)]);
        assert_eq!(writes.into_list().len(), 3);
    }

    #[test]
    fn the_budget_counts_what_is_held_and_not_what_was_replaced() {
        let mut writes = KeyValueWrites::default();
        let half = vec![0; KeyValueWrites::MAX / 2];
        for _ in 0..3 {
            writes.put("", "a", Some(half.clone())).unwrap();
        }
        assert_eq!(writes.put("", "b", Some(half.clone())), Err(TooManyWrites));
        writes.put("", "a", None).unwrap();
        writes.put("", "b", Some(half)).unwrap();
    }
}

//! The key-value changes of one operation. They are held back until it commits, so that a refused one leaves none;
//! meanwhile its calls read what it wrote: the later ones what the earlier ones did.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Changes of an extension's own small state, in the tenant of the call: the last one of each key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyValueChanges {
    /// By bucket and key; no value deletes.
    changes: BTreeMap<(String, String), Option<Vec<u8>>>,
    /// The size of it all.
    bytes: usize,
}

impl KeyValueChanges {
    fn get(&self, place: &(String, String)) -> Option<&Option<Vec<u8>>> {
        self.changes.get(place)
    }

    /// The changed keys of a bucket in order, each with whether it has a value now.
    fn keys<'a>(&'a self, bucket: &'a str) -> impl Iterator<Item = (&'a str, bool)> + 'a {
        self.changes
            .range((bucket.to_owned(), String::new())..)
            .take_while(move |((held, _), _)| held == bucket)
            .map(|((_, key), value)| (key.as_str(), value.is_some()))
    }

    fn put(&mut self, place: (String, String), value: Option<Vec<u8>>) {
        self.bytes = self.bytes_with(&place, value.as_ref());
        self.changes.insert(place, value);
    }

    /// How large it would be with that change.
    fn bytes_with(&self, place: &(String, String), value: Option<&Vec<u8>>) -> usize {
        let size = |value: Option<&Vec<u8>>| place.0.len() + place.1.len() + value.map_or(0, Vec::len);
        let before = self.get(place).map_or(0, |value| size(value.as_ref()));
        self.bytes - before + size(value)
    }

    /// Adds what came later.
    pub fn extend(&mut self, later: Self) {
        for (place, value) in later.changes {
            self.put(place, value);
        }
    }

    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Each change: the bucket (the empty one is the default), the key in it, and the new value; none deletes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Option<&[u8]>)> {
        self.changes.iter().map(|((bucket, key), value)| (bucket.as_str(), key.as_str(), value.as_deref()))
    }
}

/// What a call writes, on top of what earlier calls of the same operation wrote.
#[derive(Debug, Default)]
pub struct KeyValueWrites {
    earlier: Arc<KeyValueChanges>,
    own: KeyValueChanges,
}

/// The changes became too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "one call may change at most {} bytes of keys and values, all calls of one request together {}",
    KeyValueWrites::MAX,
    KeyValueWrites::MAX_TOGETHER
)]
pub struct TooManyWrites;

impl KeyValueWrites {
    /// How much one call may change, in bytes of keys and values.
    pub const MAX: usize = 1 << 20;
    /// How much all calls of one operation may change.
    pub const MAX_TOGETHER: usize = 16 << 20;

    pub(crate) fn after(earlier: Arc<KeyValueChanges>) -> Self {
        Self { earlier, own: KeyValueChanges::default() }
    }

    /// Sets a value, or deletes it where it is none.
    pub fn put(&mut self, bucket: &str, key: &str, value: Option<Vec<u8>>) -> Result<(), TooManyWrites> {
        let place = (bucket.to_owned(), key.to_owned());
        let bytes = self.own.bytes_with(&place, value.as_ref());
        if bytes > Self::MAX || self.earlier.bytes + bytes > Self::MAX_TOGETHER {
            return Err(TooManyWrites);
        }
        self.own.put(place, value);
        Ok(())
    }

    /// What this operation wrote there: none if it did not, `Some(None)` if it deleted it.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Option<&[u8]>> {
        let place = (bucket.to_owned(), key.to_owned());
        self.own.get(&place).or_else(|| self.earlier.get(&place)).map(Option::as_deref)
    }

    /// The changed keys of a bucket in order, each with whether it has a value now. A list of keys is made of the
    /// stored ones and these.
    pub fn keys(&self, bucket: &str) -> BTreeMap<String, bool> {
        let both = self.earlier.keys(bucket).chain(self.own.keys(bucket));
        both.map(|(key, present)| (key.to_owned(), present)).collect()
    }

    /// What the call itself has changed.
    pub(crate) fn into_own(self) -> KeyValueChanges {
        self.own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(writes: &mut KeyValueWrites, key: &str, value: &str) {
        writes.put("", key, Some(value.into())).unwrap();
    }

    #[test]
    fn a_call_reads_what_it_wrote() {
        let mut writes = KeyValueWrites::default();
        put(&mut writes, "a", "1");
        writes.put("", "b", None).unwrap();
        writes.put("other", "c", Some(Vec::new())).unwrap();
        assert_eq!(writes.get("", "a"), Some(Some(&b"1"[..])));
        assert_eq!(writes.get("", "b"), Some(None));
        assert_eq!(writes.get("", "c"), None);
        assert_eq!(writes.keys(""), [("a".into(), true), ("b".into(), false)].into());
        assert_eq!(writes.into_own().iter().count(), 3);
    }

    #[test]
    fn a_later_call_reads_what_earlier_ones_wrote_and_returns_only_its_own() {
        let mut first = KeyValueWrites::default();
        put(&mut first, "a", "1");
        put(&mut first, "b", "1");
        let mut all = first.into_own();
        let mut second = KeyValueWrites::after(Arc::new(all.clone()));
        second.put("", "a", None).unwrap();
        put(&mut second, "c", "2");
        assert_eq!((second.get("", "a"), second.get("", "b")), (Some(None), Some(Some(&b"1"[..]))));
        assert_eq!(second.keys(""), [("a".into(), false), ("b".into(), true), ("c".into(), true)].into());
        let own = second.into_own();
        assert_eq!(own.iter().collect::<Vec<_>>(), [("", "a", None), ("", "c", Some(&b"2"[..]))]);
        all.extend(own);
        assert_eq!(
            all.iter().collect::<Vec<_>>(),
            [("", "a", None), ("", "b", Some(&b"1"[..])), ("", "c", Some(&b"2"[..]))]
        );
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

    #[test]
    fn all_calls_of_an_operation_have_a_budget_together() {
        let mut all = KeyValueChanges::default();
        let call = |all: &KeyValueChanges, number: usize| {
            let mut writes = KeyValueWrites::after(Arc::new(all.clone()));
            writes.put("", &number.to_string(), Some(vec![0; 1_000_000])).map(|()| writes.into_own())
        };
        for number in 0..16 {
            all.extend(call(&all, number).unwrap());
        }
        assert_eq!(call(&all, 16), Err(TooManyWrites));
    }
}

//! The key-value data of one operation. What its calls write is held back until it commits, so that a refused one leaves
//! nothing; meanwhile they read what it wrote, the later ones what the earlier ones did, and for the rest what was
//! stored when the first of them asked. The commit fails where another has changed meanwhile what it writes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What is stored for extensions, at one moment. A failure is told in words for the operator.
pub trait KeyValueView: Send + Sync {
    /// The value of a key, and the revision that wrote it.
    fn get(&self, bucket: &BucketName<'_>, key: &str) -> Result<Option<(Vec<u8>, u64)>, String>;

    /// The keys behind `after` (none for the beginning) in their order, at most `limit` of them.
    fn keys(&self, bucket: &BucketName<'_>, after: Option<&str>, limit: usize)
    -> Result<Vec<String>, String>;
}

/// A bucket, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct BucketName<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The name of the extension.
    pub extension: &'a str,
    /// The name of the bucket; the empty one is the default.
    pub bucket: &'a str,
}

/// A change of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValueChange {
    /// The new value; none deletes.
    pub value: Option<Vec<u8>>,
    /// What was stored there when the operation looked, if anything was. The commit is to fail where it is something else
    /// by then.
    pub over: Option<Replaced>,
}

/// A stored value that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// The revision that wrote it.
    pub revision: u64,
    /// Its size in bytes.
    pub bytes: usize,
}

/// Changes of an extension's own small state, in the tenant of the call: the last one of each key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyValueChanges {
    /// By bucket and key.
    changes: BTreeMap<(String, String), KeyValueChange>,
    /// The size of it all.
    bytes: usize,
}

impl KeyValueChanges {
    /// The changed keys of a bucket in order, each with whether it has a value now.
    fn keys<'a>(&'a self, bucket: &'a str) -> impl Iterator<Item = (&'a str, bool)> + 'a {
        self.changes
            .range((bucket.to_owned(), String::new())..)
            .take_while(move |((held, _), _)| held == bucket)
            .map(|((_, key), change)| (key.as_str(), change.value.is_some()))
    }

    /// One change alone.
    pub fn one(bucket: &str, key: &str, change: KeyValueChange) -> Self {
        let mut changes = Self::default();
        changes.put((bucket.to_owned(), key.to_owned()), change);
        changes
    }

    fn put(&mut self, place: (String, String), change: KeyValueChange) {
        self.bytes = self.bytes_with(&place, change.value.as_ref());
        self.changes.insert(place, change);
    }

    /// How large it would be with that change.
    fn bytes_with(&self, place: &(String, String), value: Option<&Vec<u8>>) -> usize {
        let size = |value: Option<&Vec<u8>>| place.0.len() + place.1.len() + value.map_or(0, Vec::len);
        let before = self.changes.get(place).map_or(0, |change| size(change.value.as_ref()));
        self.bytes - before + size(value)
    }

    /// Adds what came later.
    pub fn extend(&mut self, later: Self) {
        for (place, change) in later.changes {
            self.put(place, change);
        }
    }

    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Each change: the bucket, the key in it, and what becomes of it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &KeyValueChange)> {
        self.changes.iter().map(|((bucket, key), change)| (bucket.as_str(), key.as_str(), change))
    }
}

/// What all calls of one operation share: the stored data as the first of them to ask has found it.
#[derive(Clone, Default)]
pub struct SharedView(Arc<OnceLock<Arc<dyn KeyValueView>>>);

impl SharedView {
    /// The view, opened by the first to ask.
    fn get_or_open(
        &self,
        open: impl FnOnce() -> Result<Arc<dyn KeyValueView>, String>,
    ) -> Result<Arc<dyn KeyValueView>, String> {
        if let Some(view) = self.0.get() {
            return Ok(Arc::clone(view));
        }
        // Calls of one operation come one after the other.
        let view = open()?;
        Ok(Arc::clone(self.0.get_or_init(|| view)))
    }
}

impl fmt::Debug for SharedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedView")
    }
}

/// What a call finds of the data of its extension: what is stored, and on top of it what earlier calls of the same operation
/// wrote.
#[derive(Debug, Clone, Default)]
pub struct KeyValueBase {
    /// What is stored.
    pub view: SharedView,
    /// What earlier calls wrote.
    pub earlier: Arc<KeyValueChanges>,
}

/// The data as a call sees and changes it.
#[derive(Debug, Default)]
pub struct KeyValueWrites {
    base: KeyValueBase,
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

    pub(crate) fn on(base: KeyValueBase) -> Self {
        Self { base, own: KeyValueChanges::default() }
    }

    /// What is stored, as this operation sees it; `open` is asked for it by the first call that wants it.
    pub fn view(
        &self,
        open: impl FnOnce() -> Result<Arc<dyn KeyValueView>, String>,
    ) -> Result<Arc<dyn KeyValueView>, String> {
        self.base.view.get_or_open(open)
    }

    /// Sets a value, or deletes it where it is none, over what is stored there.
    pub fn put(
        &mut self,
        bucket: &str,
        key: &str,
        value: Option<Vec<u8>>,
        over: Option<Replaced>,
    ) -> Result<(), TooManyWrites> {
        let place = (bucket.to_owned(), key.to_owned());
        let bytes = self.own.bytes_with(&place, value.as_ref());
        if bytes > Self::MAX || self.base.earlier.bytes + bytes > Self::MAX_TOGETHER {
            return Err(TooManyWrites);
        }
        self.own.put(place, KeyValueChange { value, over });
        Ok(())
    }

    /// What this operation wrote there: none if it did not, `Some(None)` if it deleted it.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Option<&[u8]>> {
        let place = (bucket.to_owned(), key.to_owned());
        let change = self.own.changes.get(&place).or_else(|| self.base.earlier.changes.get(&place));
        change.map(|change| change.value.as_deref())
    }

    /// The changed keys of a bucket in order, each with whether it has a value now. A list of keys is made of the
    /// stored ones and these.
    pub fn keys(&self, bucket: &str) -> BTreeMap<String, bool> {
        let both = self.base.earlier.keys(bucket).chain(self.own.keys(bucket));
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

    const STORED: Option<Replaced> = Some(Replaced { revision: 7, bytes: 1 });

    fn after(all: &KeyValueChanges) -> KeyValueWrites {
        KeyValueWrites::on(KeyValueBase { earlier: Arc::new(all.clone()), ..KeyValueBase::default() })
    }

    fn put(writes: &mut KeyValueWrites, key: &str, value: &str) {
        writes.put("", key, Some(value.into()), STORED).unwrap();
    }

    #[test]
    fn a_call_reads_what_it_wrote() {
        let mut writes = KeyValueWrites::default();
        put(&mut writes, "a", "1");
        writes.put("", "b", None, None).unwrap();
        writes.put("other", "c", Some(Vec::new()), None).unwrap();
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
        let mut second = after(&all);
        second.put("", "a", None, STORED).unwrap();
        put(&mut second, "c", "2");
        assert_eq!((second.get("", "a"), second.get("", "b")), (Some(None), Some(Some(&b"1"[..]))));
        assert_eq!(second.keys(""), [("a".into(), false), ("b".into(), true), ("c".into(), true)].into());
        let own = second.into_own();
        let values = |changes: &KeyValueChanges| {
            let values = changes.iter().map(|(_, key, change)| (key.to_owned(), change.value.clone()));
            values.collect::<Vec<_>>()
        };
        let [a, b, c] =
            [("a".into(), None), ("b".into(), Some(b"1".to_vec())), ("c".into(), Some(b"2".to_vec()))];
        assert_eq!(values(&own), [a.clone(), c.clone()]);
        all.extend(own);
        assert_eq!(values(&all), [a, b, c]);
    }

    #[test]
    fn the_budget_counts_what_is_held_and_not_what_was_replaced() {
        let mut writes = KeyValueWrites::default();
        let half = vec![0; KeyValueWrites::MAX / 2];
        for _ in 0..3 {
            writes.put("", "a", Some(half.clone()), None).unwrap();
        }
        assert_eq!(writes.put("", "b", Some(half.clone()), None), Err(TooManyWrites));
        writes.put("", "a", None, None).unwrap();
        writes.put("", "b", Some(half), None).unwrap();
    }

    #[test]
    fn all_calls_of_an_operation_have_a_budget_together() {
        let mut all = KeyValueChanges::default();
        let call = |all: &KeyValueChanges, number: usize| {
            let mut writes = after(all);
            writes.put("", &number.to_string(), Some(vec![0; 1_000_000]), None).map(|()| writes.into_own())
        };
        for number in 0..16 {
            all.extend(call(&all, number).unwrap());
        }
        assert_eq!(call(&all, 16), Err(TooManyWrites));
    }
}

//! The contract of every engine: an ordered, transactional key-value store with revisions.
//!
//! Keys are bytes, in the order of bytes. Each commit that changes something has a revision of its own, greater than
//! all before it, also over restarts; a key remembers the revision that wrote it last. A commit is all or nothing,
//! and is durable before it is answered. The semantics are those of etcd where etcd has them, so that a cluster's
//! engine can pass the same suite of tests.

use crate::error::StoreError;
use crate::memo::Memo;
use crate::watch::Watch;
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A key: 1 to [`Batch::MAX_KEY`] bytes.
pub type Key = Bytes;

/// What is stored under a key; it may be empty.
pub type Value = Bytes;

/// A point in the history of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        // At a billion commits a second this ends after 584 years.
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value and the revision that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The value.
    pub value: Value,
    /// The revision of the commit that wrote it.
    pub revision: Revision,
}

/// A key with its value and revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Value,
    /// The revision of the commit that wrote it.
    pub revision: Revision,
}

/// What a batch takes for granted about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It was last written by this revision.
    Revision(Revision),
    /// It exists.
    Present,
    /// It does not exist.
    Absent,
}

impl Expect {
    /// Whether it is so for a key that was last written by `held`, or for an absent one.
    pub fn holds(self, held: Option<Revision>) -> bool {
        match self {
            Self::Revision(expected) => held == Some(expected),
            Self::Present => held.is_some(),
            Self::Absent => held.is_none(),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision(revision) => write!(f, "at revision {revision}"),
            Self::Present => f.write_str("present"),
            Self::Absent => f.write_str("absent"),
        }
    }
}

/// What happens to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It gets this value.
    Put(Value),
    /// It goes, where it is there.
    Delete,
}

/// Changes that are made together, or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    expect: Vec<(Key, Expect)>,
    // A map, since a key that changes twice in one commit has no meaning. Its order also makes neighbours be
    // written one after the other.
    changes: BTreeMap<Key, Change>,
}

impl Batch {
    /// The longest key, in bytes.
    pub const MAX_KEY: usize = 8 * 1024;

    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the batch depend on the state of a key. Each expectation speaks of the state before the batch.
    pub fn expect(&mut self, key: impl Into<Key>, expect: Expect) -> &mut Self {
        self.expect.push((key.into(), expect));
        self
    }

    /// Gives a key a value. The last word on a key in a batch counts.
    pub fn put(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> &mut Self {
        self.changes.insert(key.into(), Change::Put(value.into()));
        self
    }

    /// Deletes a key. That it is absent is no error.
    pub fn delete(&mut self, key: impl Into<Key>) -> &mut Self {
        self.changes.insert(key.into(), Change::Delete);
        self
    }

    /// What the batch does to a key so far.
    pub fn change(&self, key: &[u8]) -> Option<&Change> {
        self.changes.get(key)
    }

    /// The expectations in the order in which they came.
    pub fn expectations(&self) -> &[(Key, Expect)] {
        &self.expect
    }

    /// The changes in the order of their keys.
    pub fn changes(&self) -> &BTreeMap<Key, Change> {
        &self.changes
    }

    /// The changes, to make them.
    pub fn into_changes(self) -> BTreeMap<Key, Change> {
        self.changes
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The size of keys and values, in bytes.
    pub fn size(&self) -> usize {
        let change = |(key, change): (&Key, &Change)| {
            key.len()
                + match change {
                    Change::Put(value) => value.len(),
                    Change::Delete => 0,
                }
        };
        self.expect.iter().map(|(key, _)| key.len()).sum::<usize>()
            + self.changes.iter().map(change).sum::<usize>()
    }

    /// Whether every engine takes it: [`StoreError::Invalid`] for a key that is empty or too long.
    pub fn check(&self) -> Result<(), StoreError> {
        for key in self.expect.iter().map(|(key, _)| key).chain(self.changes.keys()) {
            if key.is_empty() || key.len() > Self::MAX_KEY {
                let message = format!("a key has {} bytes; give it 1 to {}", key.len(), Self::MAX_KEY);
                return Err(StoreError::Invalid(message));
            }
        }
        Ok(())
    }
}

/// A run of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    /// The first key that is in it; empty for the very first.
    pub from: Key,
    /// The first key that is no longer in it; none for all that follow.
    pub to: Option<Key>,
    /// Begin behind this key: the last one of the page before.
    pub after: Option<Key>,
    /// At most so many; none for all.
    pub limit: Option<usize>,
}

impl Range {
    /// All keys that begin with `prefix`.
    pub fn prefix(prefix: impl Into<Key>) -> Self {
        let from = prefix.into();
        // The first key behind all of them: the last byte that can grow grows, what follows it goes.
        let to = from.iter().rposition(|byte| *byte < u8::MAX).map(|last| {
            let mut to = from[..=last].to_vec();
            to[last] += 1;
            to.into()
        });
        Self { from, to, after: None, limit: None }
    }

    /// The same, from behind a key on.
    #[must_use]
    pub fn after(self, key: Option<Key>) -> Self {
        Self { after: key, ..self }
    }

    /// The same, with at most so many keys.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }
}

/// What a scan shows each key to, with its revision and its value; it breaks when it has seen enough.
pub type See<'a> = dyn FnMut(&[u8], Revision, &[u8]) -> ControlFlow<()> + 'a;

/// The store at one moment. It stays as it is while others commit, and keeps the space of what they replace in use:
/// let go of it when the request is done.
pub trait ReadView: Send + Sync {
    /// The revision of the last commit that is in it.
    fn revision(&self) -> Revision;

    /// Shows the value of a key to `see` where it lies, and says whether there is one.
    fn look_up(&self, key: &[u8], see: &mut dyn FnMut(Revision, &[u8])) -> Result<bool, StoreError>;

    /// Shows the keys of a range to `see`, in their order, with revision and value, until it breaks.
    fn scan(&self, range: &Range, see: &mut See<'_>) -> Result<(), StoreError>;

    /// Where what was read from this store is kept in its decoded form, where the engine lends a place.
    fn memo(&self) -> Option<&Memo> {
        None
    }

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        let mut found = None;
        self.look_up(key, &mut |revision, value| {
            found = Some(Versioned { value: Value::copy_from_slice(value), revision });
        })?;
        Ok(found)
    }

    /// The keys of a range, in their order.
    fn range(&self, range: &Range) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        self.scan(range, &mut |key, revision, value| {
            let (key, value) = (Key::copy_from_slice(key), Value::copy_from_slice(value));
            entries.push(Entry { key, value, revision });
            ControlFlow::Continue(())
        })?;
        Ok(entries)
    }
}

/// An ordered, transactional key-value store.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The present. Every commit that was answered before is in it. It never waits for a commit.
    fn read(&self) -> Result<Arc<dyn ReadView>, StoreError>;

    /// Makes all changes of a batch if all its expectations hold, and none of them else. It is answered when the
    /// changes are durable, and with the revision that they have. A batch that changes nothing (an empty one, or one
    /// that deletes what is absent) is answered with the revision at which its expectations held.
    ///
    /// A caller that stops waiting does not stop the commit.
    async fn commit(&self, batch: Batch) -> Result<Revision, StoreError>;

    /// The changes of every commit from `from` on, one event a commit, in order; a `from` that lies ahead is waited
    /// for. [`StoreError::Compacted`] where they are no longer remembered. To follow a view without a gap, watch
    /// from the revision next to the view's.
    fn watch(&self, from: Revision) -> Result<Watch, StoreError>;

    /// Answers every commit that waits, takes no more, and lets go of what the engine holds. Views that are still
    /// there may fail with [`StoreError::Closed`]; watches end with it.
    async fn close(&self) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_begins() {
        let to = |prefix: &'static [u8]| Range::prefix(prefix).to;
        assert_eq!(to(b"ab").unwrap(), &b"ac"[..]);
        assert_eq!(to(b"a\xff\xff").unwrap(), &b"b"[..]);
        assert_eq!(to(b"\xff"), None);
        assert_eq!(to(b""), None);
    }

    #[test]
    fn the_last_word_on_a_key_counts() {
        let mut batch = Batch::new();
        batch.put("a", "1").delete("a").put("b", "22");
        assert_eq!(batch.change(b"a"), Some(&Change::Delete));
        assert_eq!(batch.size(), 4);
    }

    #[test]
    fn keys_without_measure_are_refused() {
        assert!(Batch::new().put("", "1").check().is_err());
        assert!(Batch::new().expect(vec![0; Batch::MAX_KEY + 1], Expect::Absent).check().is_err());
        assert!(Batch::new().put(vec![0; Batch::MAX_KEY], "1").check().is_ok());
    }
}

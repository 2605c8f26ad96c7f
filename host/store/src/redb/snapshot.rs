//! The store at one moment, as redb keeps it: a read transaction with its table open.

use super::guarded;
use super::writer::{CONTENT, META, REVISION};
use crate::contract::{Range, ReadView, Revision, See};
use crate::error::StoreError;
use crate::memo::Memo;
use redb::{Database, ReadOnlyTable, ReadableDatabase};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

/// A read transaction and the revision of its last commit.
pub(super) struct Snapshot {
    revision: Revision,
    content: ReadOnlyTable<&'static [u8], &'static [u8]>,
    /// The store's file.
    path: Arc<Path>,
    /// One for all views of a store.
    memo: Arc<Memo>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The next one, after a commit.
    pub(super) fn successor(&self, database: &Database) -> Result<Self, StoreError> {
        Self::take(database, Arc::clone(&self.path), self.memo.clone())
    }

    /// The present; the tables must have been made.
    pub(super) fn take(database: &Database, path: Arc<Path>, memo: Arc<Memo>) -> Result<Self, StoreError> {
        let failed = |error: redb::Error| read_failed(error);
        let transaction = database.begin_read().map_err(|error| failed(error.into()))?;
        let meta = transaction.open_table(META).map_err(|error| failed(error.into()))?;
        let revision =
            meta.get(REVISION).map_err(|error| failed(error.into()))?.map_or(0, |held| held.value());
        let content = transaction.open_table(CONTENT).map_err(|error| failed(error.into()))?;
        Ok(Self { revision: Revision(revision), content, path, memo })
    }
}

impl ReadView for Snapshot {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn memo(&self) -> Option<&Memo> {
        Some(&self.memo)
    }

    fn look_up(&self, key: &[u8], see: &mut dyn FnMut(Revision, &[u8])) -> Result<bool, StoreError> {
        let held = guarded(&self.path, || self.content.get(key).map_err(|error| read_failed(error.into())))?;
        let Some(held) = held else { return Ok(false) };
        let (revision, value) = split(key, held.value())?;
        see(revision, value);
        Ok(true)
    }

    fn scan(&self, range: &Range, see: &mut See<'_>) -> Result<(), StoreError> {
        let from = match &range.after {
            Some(after) if *after >= range.from => Bound::Excluded(&after[..]),
            _ => Bound::Included(&range.from[..]),
        };
        let to = range.to.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        if let (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to)) = (from, to)
            && from >= to
        {
            return Ok(());
        }
        let entries = || self.content.range::<&[u8]>((from, to)).map_err(|error| read_failed(error.into()));
        let mut entries = guarded(&self.path, entries)?.take(range.limit.unwrap_or(usize::MAX));
        loop {
            let entry = guarded(&self.path, || {
                entries.next().transpose().map_err(|error| read_failed(error.into()))
            })?;
            let Some((key, held)) = entry else { break };
            let (revision, value) = split(key.value(), held.value())?;
            if see(key.value(), revision, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The parts of a stored value: the revision that wrote it in 8 bytes, and what was written.
pub(super) fn split<'held>(key: &[u8], held: &'held [u8]) -> Result<(Revision, &'held [u8]), StoreError> {
    let Some((revision, value)) = held.split_first_chunk() else {
        return Err(StoreError::broken(key, "it is too short to have a revision"));
    };
    Ok((Revision(u64::from_le_bytes(*revision)), value))
}

fn read_failed(error: redb::Error) -> StoreError {
    match error {
        redb::Error::DatabaseClosed => StoreError::Closed,
        error => StoreError::engine("read", error),
    }
}

//! The one thread that writes. It takes all commits that wait ([`super::intake`]), checks and makes each on its own
//! in one transaction of redb, syncs once, publishes the new view and the history, and answers all of them.
//!
//! A commit of redb is one fsync here ('1PC+C' in its design document): data, checksums and the new root are written
//! together, and after a crash the newest root whose checksums all hold is taken. Its other ways were weighed:
//! two-phase commit doubles the fsyncs, to withstand an attacker who knows the content of the file and decides the
//! order in which the disk writes pages; quick repair does so too, and writes the allocator's state with each
//! commit, to make the start after a crash instant. That start reads the file once instead; `examples/rate.rs`
//! measures it.

use super::intake::{Intake, Request};
use super::snapshot::{Snapshot, split};
use crate::contract::{Batch, Change, ReadView, Revision};
use crate::error::StoreError;
use crate::watch::{Event, History};
use arc_swap::ArcSwap;
use redb::{Database, Durability, ReadableTable, Table, TableDefinition, WriteTransaction};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// All keys: the revision in 8 bytes, little-endian, and the value.
pub(super) const CONTENT: TableDefinition<&[u8], &[u8]> = TableDefinition::new("content");
/// What the engine itself must remember.
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// In [`META`]: the revision of the last commit.
pub(super) const REVISION: &str = "revision";
/// In [`META`]: how this file is laid out.
const FORMAT: &str = "format";
/// The layout that this file describes.
const KNOWN_FORMAT: u64 = 1;

/// Makes the tables of a new file, and refuses one with a layout that is not ours.
pub(super) fn prepare(database: &Database, path: &Path) -> Result<(), StoreError> {
    let transaction = begin(database)?;
    let found = {
        transaction.open_table(CONTENT).map_err(failed("opened its tables"))?;
        let mut meta = transaction.open_table(META).map_err(failed("opened its tables"))?;
        let found = meta.get(FORMAT).map_err(failed("read"))?.map(|held| held.value());
        if found.is_none() {
            meta.insert(FORMAT, KNOWN_FORMAT).map_err(failed("wrote"))?;
        }
        found
    };
    match found {
        None => transaction.commit().map_err(failed("committed")),
        Some(KNOWN_FORMAT) => transaction.abort().map_err(failed("opened its tables")),
        Some(found) => Err(StoreError::Format { path: path.to_owned(), found, known: KNOWN_FORMAT }),
    }
}

/// The state of the thread.
pub(super) struct Writer {
    database: Database,
    present: Arc<ArcSwap<Snapshot>>,
    history: Arc<History>,
    /// That of the last durable commit.
    revision: Revision,
}

impl Writer {
    pub(super) fn new(database: Database, present: Arc<ArcSwap<Snapshot>>, history: Arc<History>) -> Self {
        let revision = present.load().revision();
        Self { database, present, history, revision }
    }

    /// Commits what comes until the store is closed or dropped.
    pub(super) fn run(mut self, mut intake: Intake) {
        while let Some(group) = intake.group() {
            let start = Instant::now();
            let (batches, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|Request { batch, answer }| (batch, answer)).unzip();
            let outcomes = self.make(batches).unwrap_or_else(|error| {
                tracing::error!(%error, commits = answers.len(), "a group of commits failed");
                answers.iter().map(|_| Err(error.clone())).collect()
            });
            intake.done(answers.len(), start.elapsed());
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Who no longer waits needs no answer.
                let _ = answer.send(outcome);
            }
        }
        self.history.close();
        // To close the database marks the file as complete, so that the next start need not check it.
        let closed = self.database.close().map_err(failed("closed"));
        if let Err(error) = &closed {
            tracing::error!(%error, "the store was not closed properly; it will be checked at the next start");
        }
        for answer in intake.into_closing() {
            let _ = answer.send(closed.clone());
        }
    }

    /// Makes all batches whose expectations hold durable and visible. An error is that of all of them.
    fn make(&mut self, batches: Vec<Batch>) -> Result<Vec<Result<Revision, StoreError>>, StoreError> {
        let transaction = begin(&self.database)?;
        let mut revision = self.revision;
        let mut events = Vec::new();
        let mut outcomes = Vec::with_capacity(batches.len());
        {
            let mut content = transaction.open_table(CONTENT).map_err(failed("opened its tables"))?;
            for batch in batches {
                if let Err(conflict) = check(&content, &batch)? {
                    outcomes.push(Err(conflict));
                    continue;
                }
                let event = apply(&mut content, batch, revision.next())?;
                if !event.put.is_empty() || !event.deleted.is_empty() {
                    revision = event.revision;
                    events.push(event);
                }
                outcomes.push(Ok(revision));
            }
        }
        if revision == self.revision {
            transaction.abort().map_err(failed("ended a transaction"))?;
            return Ok(outcomes);
        }
        {
            let mut meta = transaction.open_table(META).map_err(failed("opened its tables"))?;
            meta.insert(REVISION, revision.0).map_err(failed("wrote"))?;
        }
        transaction.commit().map_err(failed("committed"))?;
        self.revision = revision;
        // Visible first, then told: who hears of a commit finds it.
        let present = self.present.load().successor(&self.database)?;
        self.present.store(Arc::new(present));
        self.history.push(events);
        Ok(outcomes)
    }
}

/// The first expectation that does not hold, if any.
fn check(content: &Table<'_, &[u8], &[u8]>, batch: &Batch) -> Result<Result<(), StoreError>, StoreError> {
    for (key, expected) in batch.expectations() {
        let held = content.get(&key[..]).map_err(failed("read"))?;
        let held = match held.map(|held| split(key, held.value()).map(|(revision, _)| revision)).transpose() {
            Ok(held) => held,
            // What is damaged is this batch's affair, and not that of the group.
            Err(broken) => return Ok(Err(broken)),
        };
        if !expected.holds(held) {
            return Ok(Err(StoreError::Conflict { key: key.clone(), expected: *expected, held }));
        }
    }
    Ok(Ok(()))
}

/// Makes the changes of a batch whose expectations hold.
fn apply(
    content: &mut Table<'_, &'static [u8], &'static [u8]>,
    batch: Batch,
    revision: Revision,
) -> Result<Event, StoreError> {
    let mut event = Event { revision, put: Vec::new(), deleted: Vec::new() };
    for (key, change) in batch.into_changes() {
        match change {
            Change::Put(value) => {
                let length = size_of::<u64>() + value.len();
                let mut room = content.insert_reserve(&key[..], length).map_err(failed("wrote"))?;
                let (head, body) = room.as_mut().split_at_mut(size_of::<u64>());
                head.copy_from_slice(&revision.0.to_le_bytes());
                body.copy_from_slice(&value);
                event.put.push(key);
            }
            Change::Delete => {
                if content.remove(&key[..]).map_err(failed("wrote"))?.is_some() {
                    event.deleted.push(key);
                }
            }
        }
    }
    Ok(event)
}

fn begin(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write().map_err(failed("began a transaction"))?;
    // The default, said aloud: commit returns after the fsync.
    transaction.set_durability(Durability::Immediate).map_err(failed("began a transaction"))?;
    Ok(transaction)
}

fn failed<E: std::error::Error + Send + Sync + 'static>(doing: &'static str) -> impl Fn(E) -> StoreError {
    move |error| StoreError::engine(doing, error)
}

//! What can go wrong in a store, in its own words. What a client is told of it is decided elsewhere.

use crate::contract::{Expect, Key, Revision};
use std::path::PathBuf;
use std::sync::Arc;

/// Why a store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A key is not as the batch expected it; nothing of the batch was done. Read again and decide anew.
    #[error("key {} was expected to be {expected}, but it is {}", key.escape_ascii(), state(*.held))]
    Conflict {
        /// The first key, in the order of the expectations, that is not as expected.
        key: Key,
        /// What the batch expected.
        expected: Expect,
        /// The revision that the key has; none where it is absent.
        held: Option<Revision>,
    },
    /// The batch or the range is one that no store takes. Nothing was done.
    #[error("{0}")]
    Invalid(String),
    /// What is stored under a key cannot be read.
    #[error("what is stored under key {} cannot be read: {reason}", key.escape_ascii())]
    Broken {
        /// The key.
        key: Key,
        /// What is wrong with its value.
        reason: String,
    },
    /// The changes from this revision on are no longer remembered: read everything, then watch from there.
    #[error(
        "changes before revision {oldest} are no longer remembered; read the present state and watch from there"
    )]
    Compacted {
        /// The oldest revision from which a watch can start.
        oldest: Revision,
    },
    /// A watcher was so slow that changes which it had not seen were forgotten. It goes on as after `Compacted`.
    #[error(
        "the watcher fell behind; changes before revision {oldest} are forgotten; read the present state again"
    )]
    Lagged {
        /// The oldest revision from which a watch can start.
        oldest: Revision,
    },
    /// Another process has the store open.
    #[error(
        "{} is in use by another process: stop that process (on Linux, `fuser {}` names it), or give this server \
         a data folder of its own", path.display(), path.display()
    )]
    InUse {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is not a store, or it is damaged.
    #[error(
        "{} is not a store or is damaged ({reason}): restore it from a backup, or move it away to begin with an \
         empty store", path.display()
    )]
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The file was written by a release that stores in a way that this one does not know.
    #[error("{} has storage format {found}, but this release reads format {known}: use the release that wrote it, or a newer one", path.display())]
    Format {
        /// The store's file.
        path: PathBuf,
        /// The format of the file.
        found: u64,
        /// The format of this release.
        known: u64,
    },
    /// The store was closed, or its writer has ended after a failure that the log names.
    #[error("the store is closed")]
    Closed,
    /// The engine failed. Where it happened in a commit, whether the batch is durable is not known; the engine takes
    /// no further commit until it is opened again, and then shows which it is.
    #[error("the store failed as it {doing}: {cause}")]
    Engine {
        /// What the engine was doing, as in 'as it committed'.
        doing: &'static str,
        /// What it said.
        cause: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether a batch was refused because somebody else was faster.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    pub(crate) fn engine(doing: &'static str, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Engine { doing, cause: Arc::new(cause) }
    }

    pub(crate) fn broken(key: &[u8], reason: &(impl ToString + ?Sized)) -> Self {
        Self::Broken { key: Key::copy_from_slice(key), reason: reason.to_string() }
    }
}

fn state(held: Option<Revision>) -> String {
    held.map_or_else(|| "absent".into(), |revision| format!("at revision {revision}"))
}

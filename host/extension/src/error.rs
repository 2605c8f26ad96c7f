//! What can go wrong with an extension: while it is loaded, and during a call.

use crate::bindings::types::Fault;
use crate::cache::CacheError;
use crate::engine::EngineError;
use crate::manifest::ManifestError;
use crate::shape::ShapeError;
use std::sync::Arc;
use std::time::Duration;

/// The host cannot load any extension.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No sandboxes.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No place for compiled code.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Why something is not taken as an extension. The message says what to change; which file it was, the caller knows.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// More bytes than are read.
    #[error(
        "has more than the {most} bytes that are read (strip what is not needed, such as debug sections)"
    )]
    TooLarge {
        /// The limit.
        most: usize,
    },
    /// No component with a manifest.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A manifest that is no text.
    #[error("the manifest is not UTF-8")]
    NotText,
    /// A manifest with faults.
    #[error("the manifest has faults:\n{0}")]
    Manifest(ManifestError),
    /// Component, manifest and host do not fit; all that is wrong.
    #[error("{}", .0.join("\n"))]
    Contract(Vec<String>),
    /// The compiler refuses it.
    #[error("cannot be compiled: {0}")]
    Compile(String),
    /// The compiler takes too much over it.
    #[error(
        "takes more than {most} to be compiled, several times what code of its size does; have smaller functions, with fewer \
         variables and loops within loops (`sandbox.compile-seconds` is how long each MiB may take)"
    )]
    Costly {
        /// What it may take.
        most: String,
    },
    /// The compiler was kept from it, which is not the component's fault.
    #[error(
        "the compiler was ended before it was done ({0}), perhaps for want of memory; install it again, or write the file once \
         more"
    )]
    Unfinished(String),
    /// What it imports or exports has not the form that the contract gives it.
    #[error("does not fit contract {version}: {0}", version = crate::contract::VERSION)]
    Link(String),
    /// It needs more memory to begin with than it may have.
    #[error(
        "begins with {needed} bytes of memory, and may have {most}; raise `memory` in its [limits], or the host's own limit"
    )]
    Memory {
        /// What it begins with, in bytes.
        needed: u64,
        /// What it may have, in bytes.
        most: usize,
    },
}

// Not as its source: the message has it already.
impl From<ManifestError> for LoadError {
    fn from(error: ManifestError) -> Self {
        Self::Manifest(error)
    }
}

/// Why a call has no outcome. Nothing that the guest did through its key-value store remains.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The extension says no.
    #[error("extension {extension}: {}{}", fault.message, about(fault))]
    Refused {
        /// Its name.
        extension: Arc<str>,
        /// What it says.
        fault: Fault,
    },
    /// Its code failed.
    #[error("extension {extension} failed: {reason}")]
    Trapped {
        /// Its name.
        extension: Arc<str>,
        /// How, in a few words.
        reason: String,
        /// The functions it was in, innermost first; in the log already.
        backtrace: Vec<String>,
    },
    /// It took too long.
    #[error("extension {extension} did not answer within {} ms of {clock}", limit.as_millis())]
    TimedOut {
        /// Its name.
        extension: Arc<str>,
        /// What it had.
        limit: Duration,
        /// Which of the two times ran out.
        clock: Clock,
    },
    /// It wanted more memory than it may have.
    #[error("extension {extension} needs more than the {limit} bytes of memory that it may have")]
    OverMemory {
        /// Its name.
        extension: Arc<str>,
        /// What it may have.
        limit: usize,
    },
    /// It called the host more often than it may.
    #[error("extension {extension} called the host more than the {limit} times that it may")]
    TooManyHostCalls {
        /// Its name.
        extension: Arc<str>,
        /// How often it may.
        limit: u64,
    },
    /// All its sandboxes, or all of the host's, are in use; it was not called.
    #[error("extension {extension} is busy; try again later")]
    Unavailable {
        /// Its name.
        extension: Arc<str>,
    },
    /// It has failed too often of late; it was not called.
    #[error("extension {extension} failed each time of late and is not called now; try again in {} s", seconds(*.wait))]
    Suspended {
        /// Its name.
        extension: Arc<str>,
        /// When it is called again.
        wait: Duration,
    },
    /// It answered what no extension may answer.
    #[error("extension {extension} gave a broken answer: {reason}")]
    Broken {
        /// Its name.
        extension: Arc<str>,
        /// What is wrong with it.
        reason: String,
    },
}

impl CallError {
    /// Whether the extension's code began to run.
    pub fn was_called(&self) -> bool {
        !matches!(self, Self::Unavailable { .. } | Self::Suspended { .. })
    }

    /// Whether it is the extension that failed.
    pub(crate) fn is_failure(&self) -> bool {
        match self {
            Self::Trapped { .. }
            | Self::TimedOut { .. }
            | Self::OverMemory { .. }
            | Self::TooManyHostCalls { .. }
            | Self::Broken { .. } => true,
            Self::Refused { .. } | Self::Unavailable { .. } | Self::Suspended { .. } => false,
        }
    }
}

/// Whole seconds, one at least.
fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}

/// The attribute that the client must change, where the guest names one.
fn about(fault: &Fault) -> String {
    fault.attribute.as_ref().map_or_else(String::new, |attribute| format!(" ({attribute})"))
}

/// The two times that a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The guest's own computing.
    Computing,
    /// The clock on the wall.
    Wall,
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Computing => "computing",
            Self::Wall => "waiting",
        })
    }
}

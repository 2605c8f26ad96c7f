//! Every reason to say no, in the standard's words. Which status code that is, the server decides.

use crate::members::Members;
use occi_extension::{CallError, Fault};
use occi_model::{CategoryId, InvalidIdentifier, Location, Violation};
use occi_store::{Key, Revision, StoreError, Subject};
use std::time::Duration;
use uuid::Uuid;

/// Why an operation was not done. Nothing of it was, unless it says so itself.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nothing of the caller's is at that path.
    #[error("there is nothing at {0}")]
    NotFound(Location),
    /// What was asked does not fit the categories.
    #[error("{}", join(.0))]
    Violations(Vec<Violation>),
    /// What was asked makes no sense here.
    #[error("{0}")]
    Invalid(String),
    /// A name that the grammar does not allow.
    #[error(transparent)]
    Name(#[from] InvalidIdentifier),
    /// What clients may not do.
    #[error("{0}")]
    Forbidden(String),
    /// Not now, or no more.
    #[error("{0}")]
    Conflict(String),
    /// The entity is not in a revision that the request names.
    #[error("the entity is not as the request's condition says; fetch it again and decide anew{}", held(*.0))]
    PreconditionFailed(Option<Revision>),
    /// More than is served at once.
    #[error("at most {limit} entities a page are served; ask for fewer and follow the pages")]
    PageTooLarge {
        /// How many are.
        limit: usize,
    },
    /// An extension said no, or failed.
    #[error(transparent)]
    Extension(#[from] CallError),
    /// What is behind a console says no.
    #[error("{}", .0.message)]
    Console(Fault),
    /// An extension proposed what its own manifest does not allow.
    #[error("the extension {extension} proposed what its manifest does not allow: {}", join(.violations))]
    Proposal {
        /// Its name.
        extension: String,
        /// What is wrong with the proposal.
        violations: Vec<Violation>,
    },
    /// The extension that defines a category is not loaded.
    #[error(
        "no extension that defines {0} is loaded, so what has it can be read, and neither made nor changed"
    )]
    NotLoaded(CategoryId),
    /// The extension was replaced by a version that defines something else, between what was asked and what would have
    /// been done. Whoever asks again is told by the new one.
    #[error("the extension {0} was replaced meanwhile; send the request again")]
    Outdated(String),
    /// A Mixin that clients have defined is not what it was when the operation began.
    #[error("a mixin of the entity was removed or made anew meanwhile; send the request again")]
    Retagged,
    /// Another operation has changed a key of an extension's data that this one was about to change.
    #[error("another request has changed the same data of an extension meanwhile; send the request again")]
    Raced(Key),
    /// An extension would keep more for the tenant than it may.
    #[error(
        "extension {extension} keeps as much as it may, which is {most} {of}: have it remove something (delete what it is \
         kept for), or ask the operator for more (`sandbox.keyvalue-keys` and `sandbox.keyvalue-mib`)"
    )]
    Full {
        /// Its name.
        extension: String,
        /// What it may keep.
        most: u64,
        /// Of what: `keys` or `bytes`.
        of: &'static str,
    },
    /// The tenant would have more than it may.
    #[error(
        "this would take {asked}, and {left} is left of what you may have, which is {allowance}: give something back, or ask the \
         operator for more (`quota`)"
    )]
    Allowance {
        /// What it may have.
        allowance: String,
        /// How much is left of it.
        left: f64,
        /// How much would be needed.
        asked: f64,
    },
    /// One of several things that the request describes was refused.
    #[error("{part}: {refusal}")]
    Part {
        /// Which, such as `entity 2 of 3`.
        part: String,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// Several of the things that the request describes were refused; two at least.
    #[error("{}", join(.0))]
    Parts(Vec<Refusal>),
    /// Some of many entities refused.
    #[error("{0}")]
    Members(Members),
    /// It has begun and takes long.
    #[error("this is not done after {} s, and goes on: what it comes to is seen by a GET", .after.as_secs_f32())]
    Late {
        /// After this time.
        after: Duration,
    },
    /// Others were at the same entities all the time.
    #[error(
        "nothing of this was begun: for {} s others were at the same entities, who are not done yet; try again later",
        .after.as_secs_f32().round()
    )]
    Behind {
        /// For this time.
        after: Duration,
    },
    /// An id that something has which an operation that failed has begun, and which is not ended yet.
    #[error("what was begun before for urn:uuid:{0} is not undone yet; try again later")]
    Undoing(Uuid),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The server is ending, or something broke that must not.
    #[error("{0}")]
    Internal(String),
}

impl Refusal {
    /// That it is about one part of the request.
    pub(crate) fn of(self, part: String) -> Self {
        Self::Part { part, refusal: Box::new(self) }
    }

    /// Whether it is for nothing but that extensions are not loaded: what was asked is right, and they do not come by themselves.
    pub fn is_for_absence(&self) -> bool {
        match self {
            Self::NotLoaded(_) => true,
            Self::Part { refusal, .. } => refusal.is_for_absence(),
            Self::Parts(parts) => parts.iter().all(Self::is_for_absence),
            Self::Members(members) => members.refusals().all(|(_, refusal)| refusal.is_for_absence()),
            _ => false,
        }
    }

    /// What all of them gave, or every refusal among them.
    pub(crate) fn none_of<T>(outcomes: impl Iterator<Item = Result<T, Self>>) -> Result<Vec<T>, Self> {
        let (mut given, mut refused) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Ok(one) => given.push(one),
                Err(refusal) => refused.push(refusal),
            }
        }
        match refused.pop() {
            None => Ok(given),
            Some(only) if refused.is_empty() => Err(only),
            Some(last) => {
                refused.push(last);
                Err(Self::Parts(refused))
            }
        }
    }
}

impl From<Vec<Violation>> for Refusal {
    fn from(violations: Vec<Violation>) -> Self {
        Self::Violations(violations)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { key, .. } if Subject::of(&key) == Some(Subject::Definitions) => {
                Self::Outdated(String::from_utf8_lossy(&key[1..]).into_owned())
            }
            StoreError::Conflict { key, .. } if Subject::of(&key) == Some(Subject::KeyValue) => Self::Raced(key),
            StoreError::Conflict { key, .. } if Subject::of(&key) == Some(Subject::Tag) => Self::Retagged,
            // The entities are locked, so this is another tenant of the path.
            StoreError::Conflict { .. } => Self::Conflict(
                "another request has taken the same path or changed the same entity meanwhile; look at it and try again"
                    .into(),
            ),
            other => Self::Store(other),
        }
    }
}

/// So many are told in full; a hostile request may have thousands.
const TOLD: usize = 20;

fn join(reasons: &[impl ToString]) -> String {
    let mut told: Vec<_> = reasons.iter().take(TOLD).map(ToString::to_string).collect();
    if let Some(more) = reasons.len().checked_sub(TOLD).filter(|more| *more > 0) {
        told.push(format!("and {more} more"));
    }
    told.join("; ")
}

fn held(revision: Option<Revision>) -> String {
    revision.map_or_else(String::new, |revision| format!(" (it is in revision {revision})"))
}

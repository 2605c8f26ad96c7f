//! Why an extension does not serve, and what does still.

use occi_extension::{CallError, LoadError};
use occi_model::{CategoryId, Location};
use occi_operation::{CannotReplace, SnapshotError};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// How far an extension has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Its bytes are read.
    Fetched,
    /// Its sections, manifest and imports are right.
    Checked,
    /// It is machine code.
    Compiled,
    /// It was instantiated once.
    Probed,
    /// It goes with what else there is.
    Active,
}

/// Why something was not done. What served still does.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// No extension, or one that this host does not take.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It cannot be instantiated.
    #[error("it was tried, and {0}")]
    Probe(CallError),
    /// Two files hold extensions of one name.
    #[error("{} holds an extension of the name {name}, too; remove one of the two files", other.display())]
    SameName {
        /// The name.
        name: Arc<str>,
        /// The file that came first.
        other: PathBuf,
    },
    /// There is a file where the extension's would be.
    #[error("there is a file {} already, which is not that of {name}; rename or remove it", path.display())]
    Occupied {
        /// The extension's name.
        name: Arc<str>,
        /// The file.
        path: PathBuf,
    },
    /// It does not go with the others, or with what is there.
    #[error(transparent)]
    Replace(#[from] CannotReplace),
    /// It has entities and serves none of them, so that nobody would know of their end.
    #[error(
        "it does not serve, and {such_as} is one of its entities; have it serve and delete them, forget them (`occi ext \
         forget`), or say that they shall stay, to be read only"
    )]
    HasEntities {
        /// One of them.
        such_as: Location,
    },
    /// It would serve under the name of one that has entities, and not know one of them.
    #[error(
        "a version before has made {such_as}, and this one does not define its Kind, or a Mixin of it; have that version serve \
         and delete it, or forget it (`occi ext forget`)"
    )]
    Drops {
        /// One of them.
        such_as: Location,
    },
    /// There is none of that name.
    #[error("there is no extension {name}; there are {}", known.join(", "))]
    Unknown {
        /// What was named.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// It never had another version.
    #[error("{0} was never replaced, so there is no version to go back to")]
    NoPrevious(Arc<str>),
    /// The version to go back to is another by now.
    #[error("{name} was replaced meanwhile, so {version} is no more the version before")]
    OtherPrevious {
        /// Its name.
        name: Arc<str>,
        /// The version that was meant.
        version: String,
    },
    /// Another version came while this one was tried.
    #[error(
        "{name} {version} was put in its place meanwhile; ask again where that one shall be replaced, too"
    )]
    Overtaken {
        /// Its name.
        name: Arc<str>,
        /// The version that is there now.
        version: String,
    },
    /// It was to be switched off while it was tried whether it can be switched on.
    #[error("{0} was switched off meanwhile; ask again where it shall serve all the same")]
    SwitchedOff(Arc<str>),
    /// It was removed while a version was tried.
    #[error("{0} was removed meanwhile; ask again where it shall be there all the same")]
    Removed(Arc<str>),
    /// The bytes are of another extension than the one that shall get a new version.
    #[error("these are the bytes of {given}, and no version of {wanted}; make an entity of its own for it")]
    OtherName {
        /// Whose they are.
        given: Arc<str>,
        /// Which was meant.
        wanted: String,
    },
    /// Who would do it then could not undo it.
    #[error("{0} does not end itself; the operator's command does (`occi ext`)")]
    Itself(String),
    /// Too many bytes wait to be installed.
    #[error("too much was asked for within the last two minutes; ask again later")]
    Crowded,
    /// Something broke that must not.
    #[error("{0}")]
    Internal(String),
}

impl Refused {
    /// The stage that it did not reach.
    pub fn stage(&self) -> Stage {
        match self {
            Self::File { .. }
            | Self::Unknown { .. }
            | Self::NoPrevious(_)
            | Self::Crowded
            | Self::Internal(_) => Stage::Fetched,
            Self::Load(
                LoadError::Compile(_)
                | LoadError::Costly { .. }
                | LoadError::Unfinished(_)
                | LoadError::Link(_)
                | LoadError::Memory { .. },
            ) => Stage::Compiled,
            Self::Load(_) => Stage::Checked,
            Self::Probe(_) => Stage::Probed,
            Self::SameName { .. }
            | Self::Occupied { .. }
            | Self::Replace(_)
            | Self::HasEntities { .. }
            | Self::Drops { .. }
            | Self::OtherPrevious { .. }
            | Self::Overtaken { .. }
            | Self::Removed(_)
            | Self::SwitchedOff(_)
            | Self::OtherName { .. }
            | Self::Itself(_) => Stage::Active,
        }
    }

    /// Whether it was only kept back by requests that were under way.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Replace(CannotReplace::Busy { .. }))
    }

    /// Whether the same bytes may be taken another time.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Load(LoadError::Unfinished(_)) | Self::Internal(_))
    }

    /// An entity that is in the way.
    pub(crate) fn such_as(&self) -> Option<&Location> {
        match self {
            Self::Replace(reason) => reason.such_as(),
            Self::HasEntities { such_as } | Self::Drops { such_as } => Some(such_as),
            _ => None,
        }
    }

    /// A client's Mixin that is in the way, and its collection.
    pub(crate) fn tag(&self) -> Option<(&CategoryId, &Location)> {
        match self {
            Self::Replace(CannotReplace::Clash(SnapshotError::Tag { id, location })) => Some((id, location)),
            _ => None,
        }
    }

    /// Whether it may be otherwise once another extension has come or gone.
    pub(crate) fn depends_on_others(&self) -> bool {
        matches!(self, Self::SameName { .. } | Self::Replace(CannotReplace::Clash(_)))
    }
}

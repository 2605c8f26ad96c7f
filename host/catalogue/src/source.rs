//! Where the bytes of an extension are. They are read when it is their turn, so that any number may wait for it.

use crate::file::{self, Copies};
use crate::refused::Refused;
use std::sync::Arc;

/// Bytes of an extension.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Somebody has handed them over.
    Given(Arc<[u8]>),
    /// Those of a file in the folder, for as long as it has them.
    File(file::Read),
    /// Those of one of the host's copies, by their digest.
    Copy(Copies, String),
}

impl Source {
    /// The bytes. Files are waited for.
    pub(crate) fn read(&self) -> Result<Arc<[u8]>, Refused> {
        match self {
            Self::Given(bytes) => Ok(Arc::clone(bytes)),
            Self::File(read) => read.content().map(Arc::from),
            Self::Copy(copies, digest) => copies.read(digest).map(Arc::from),
        }
    }

    /// Whether anybody wants to know what comes of it.
    pub(crate) fn is_wanted(&self) -> bool {
        match self {
            Self::File(read) => read.is_still(),
            Self::Given(_) | Self::Copy(..) => true,
        }
    }
}

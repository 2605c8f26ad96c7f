//! What is known of an extension: as the store keeps it, and as an operator sees it.

use crate::refused::{Refused, Stage};
use occi_extension::Extension;
use occi_model::registry::is_same_scheme;
use occi_model::{AttributeName, CategoryId};
use occi_store::{Batch, ReadView, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// A version of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    /// By its manifest.
    pub(crate) version: String,
    /// Of its bytes.
    pub(crate) digest: String,
}

impl Release {
    pub(crate) fn of(extension: &Extension) -> Self {
        Self { version: extension.version().to_string(), digest: extension.digest().to_string() }
    }
}

/// What the store keeps of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The name of its file in the folder.
    pub(crate) file: String,
    /// What serves, or would where it is switched on.
    pub(crate) current: Release,
    /// What did before.
    pub(crate) previous: Option<Release>,
    pub(crate) is_enabled: bool,
    /// Whether it was taken away, and has left entities.
    #[serde(default)]
    pub(crate) is_removed: bool,
    /// What its manifest says, for when it is not loaded.
    #[serde(default)]
    pub(crate) said: Said,
}

/// Some of what a manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) publisher: Option<String>,
    pub(crate) capabilities: Vec<String>,
    /// Its Kinds and Mixins.
    #[serde(default)]
    types: Vec<String>,
    /// In which it names these and its Actions.
    #[serde(default)]
    schemes: Vec<String>,
    /// Of all of these.
    #[serde(default)]
    attributes: Vec<String>,
}

impl Said {
    pub(crate) fn by(extension: &Extension) -> Self {
        let manifest = extension.manifest();
        Self {
            publisher: manifest.publisher.clone(),
            capabilities: manifest.capabilities.iter().cloned().collect(),
            types: sorted(extension.types().iter().map(ToString::to_string)),
            schemes: sorted(extension.schemes().map(str::to_owned)),
            attributes: sorted(extension.attributes().map(ToString::to_string)),
        }
    }

    /// The same, where entities may have been left of what another version has defined.
    pub(crate) fn beside(mut self, other: &Self) -> Self {
        self.types = sorted(self.types.into_iter().chain(other.types.iter().cloned()));
        self.schemes = sorted(self.schemes.into_iter().chain(other.schemes.iter().cloned()));
        self.attributes = sorted(self.attributes.into_iter().chain(other.attributes.iter().cloned()));
        self
    }

    /// A scheme in which an extension of another publisher names something, too.
    pub(crate) fn scheme_taken_by(&self, other: &Extension) -> Option<String> {
        if self.publisher == other.manifest().publisher {
            return None;
        }
        let is_theirs = |own: &&str| other.schemes().any(|theirs| is_same_scheme(own, theirs));
        self.schemes().find(is_theirs).map(str::to_owned)
    }

    /// The schemes in which it names something.
    pub(crate) fn schemes(&self) -> impl Iterator<Item = &str> {
        self.schemes.iter().map(String::as_str)
    }

    /// The attributes that it declares.
    pub(crate) fn attributes(&self) -> HashSet<AttributeName> {
        self.attributes.iter().filter_map(|name| AttributeName::parse(name).ok()).collect()
    }

    /// What it defines, of which entities can be.
    pub(crate) fn types(&self) -> Vec<CategoryId> {
        self.types.iter().filter_map(|id| CategoryId::parse(id).ok()).collect()
    }
}

/// In order, and each once.
fn sorted(all: impl Iterator<Item = String>) -> Vec<String> {
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

impl Record {
    /// Adds it to a batch.
    pub(crate) fn put(&self, batch: &mut Batch, name: &str) -> Result<(), Refused> {
        let json = serde_json::to_vec(self).map_err(|error| Refused::Internal(error.to_string()))?;
        occi_store::put_extension(batch, name, json);
        Ok(())
    }
}

/// All records by name. One that cannot be read is of an extension that the folder brings anew.
pub(crate) fn all(view: &dyn ReadView) -> Result<BTreeMap<Arc<str>, Record>, StoreError> {
    let mut records = BTreeMap::new();
    for (name, value) in occi_store::extensions(view)? {
        match serde_json::from_slice(&value) {
            Ok(record) => {
                records.insert(Arc::from(name), record);
            }
            Err(error) => tracing::error!(extension = name, "what is known of it cannot be read: {error}"),
        }
    }
    Ok(records)
}

/// What an operator sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// By name.
    pub extensions: Vec<Listed>,
    /// Files that serve nothing, or not what is in them now.
    pub refused: Vec<RefusedFile>,
    /// Files whose extensions are being checked, compiled and tried.
    pub preparing: Vec<String>,
}

/// An extension that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 digest of its bytes, in hexadecimal digits.
    pub digest: String,
    /// Who made it.
    pub publisher: Option<String>,
    /// The capabilities that it was granted.
    pub capabilities: Vec<String>,
    /// What becomes of requests for it.
    pub state: State,
    /// Its file in the folder.
    pub file: String,
    /// The version that served before, to which it can be rolled back.
    pub previous: Option<String>,
    /// How many older versions still serve requests that began with them.
    pub draining: usize,
    /// Why its file is not followed, if it is not.
    pub problem: Option<String>,
    /// How often it was called for clients since it began to serve.
    pub calls: u64,
    /// How many of these calls failed.
    pub failures: u64,
}

/// What becomes of requests for an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It serves.
    Active,
    /// It is switched off.
    Disabled,
    /// It is switched on, and could not be loaded.
    Failed,
}

/// A file that is not in service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFile {
    /// Its name in the folder.
    pub file: String,
    /// The stage that it did not reach.
    pub stage: Stage,
    /// Why.
    pub reason: String,
}

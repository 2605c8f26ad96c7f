//! The extensions of the server: the capability `extensions`, for the one extension whose entities they are. The host
//! knows for which one the subject of a call stands.

use crate::fault::{Result, found};
use crate::outside::extensions as outside;

/// An extension as it was when it was opened. What is asked for is checked at once and carried out when the operation is
/// committed; until then its state is `changing`.
pub struct Extension(outside::Extension);

impl Extension {
    /// The one for which the subject stands; 'missing' where it stands for none.
    pub fn open() -> Result<Self> {
        outside::Extension::open().map(Self)
    }

    /// The same, or none.
    pub fn find() -> Result<Option<Self>> {
        found(Self::open())
    }

    /// Have a component, or a manifest alone, put into service: as another version of the extension for which the subject
    /// stands or, where it stands for none, as a new one, for which it stands from then on.
    pub fn install(content: &[u8]) -> Result<Self> {
        outside::Extension::install(content).map(Self)
    }

    /// Remove the extension for which the subject stands. Succeeds where there is nothing to remove.
    pub fn remove() -> Result<()> {
        outside::Extension::remove()
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// By its manifest.
    pub fn version(&self) -> Option<String> {
        self.0.version()
    }

    /// By its manifest.
    pub fn publisher(&self) -> Option<String> {
        self.0.publisher()
    }

    /// The SHA-256 digest of its bytes, in hexadecimal digits.
    pub fn digest(&self) -> Option<String> {
        self.0.digest()
    }

    /// The version that served before, to which it can be rolled back.
    pub fn previous(&self) -> Option<String> {
        self.0.previous()
    }

    /// The names of the capabilities that it was granted.
    pub fn capabilities(&self) -> Vec<String> {
        self.0.capabilities()
    }

    /// Its file in the host's folder.
    pub fn file(&self) -> Option<String> {
        self.0.file()
    }

    /// `active`, `disabled`, `failed` or `changing`. The set is open.
    pub fn state(&self) -> String {
        self.0.state()
    }

    /// Why it is not as it was asked to be, if it is not.
    pub fn problem(&self) -> Option<String> {
        self.0.problem()
    }

    /// How often this version was called for clients.
    pub fn calls(&self) -> u64 {
        self.0.calls()
    }

    /// How many of these calls have failed.
    pub fn failures(&self) -> u64 {
        self.0.failures()
    }

    /// Put the version that served before into service again.
    pub fn roll_back(&self) -> Result<()> {
        self.0.roll_back()
    }

    /// Switch it on. Succeeds where it is.
    pub fn enable(&self) -> Result<()> {
        self.0.enable()
    }

    /// Switch it off, and keep it installed.
    pub fn disable(&self, leave_entities: bool) -> Result<()> {
        self.0.disable(leave_entities)
    }
}

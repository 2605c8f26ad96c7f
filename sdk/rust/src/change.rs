//! What an extension proposes: the host checks it against the manifest and commits it, or refuses it whole.

use crate::attributes::Value;
pub use crate::bindings::imports::occi::extension::types::Change;
use std::time::Duration;

/// A change is built from nothing: `Change::new().state("active").set("com.example.colour", "red")`.
impl Change {
    /// Nothing changes.
    pub const fn new() -> Self {
        Self { set: Vec::new(), clear: Vec::new(), state: None, message: None, again: None }
    }

    /// Set an attribute; one that clients may not change, too.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set.push(crate::Attribute { name: name.into(), value: value.into() });
        self
    }

    /// Take an attribute away.
    #[must_use]
    pub fn clear(mut self, name: &str) -> Self {
        self.clear.push(name.into());
        self
    }

    /// Enter a state, one of those in the manifest.
    #[must_use]
    pub fn state(mut self, state: &str) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Say why the entity is in its state. An empty text takes the message away.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Be observed again after that time, at a precision of milliseconds; after a second at the soonest. The host keeps
    /// one time for each entity: of several the earlier. It outlives the host's process.
    #[must_use]
    pub fn again(mut self, after: Duration) -> Self {
        self.again = Some(crate::milliseconds(after));
        self
    }
}

impl Default for Change {
    fn default() -> Self {
        Self::new()
    }
}

//! What an extension proposes: the host checks it against the manifest and commits it, or refuses it whole.

use crate::attribute_set::AttributeSet;
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

    /// Set all attributes of a struct, and take away those that it has as none. Not for the attribute that holds the
    /// state: that is [`Change::state`].
    #[must_use]
    pub fn set_all(self, all: &impl AttributeSet) -> Self {
        all.values().into_iter().fold(self, Self::put)
    }

    /// The same of those attributes alone that are not as they were.
    #[must_use]
    pub fn set_changed<S: AttributeSet>(self, before: &S, after: &S) -> Self {
        let pairs = before.values().into_iter().zip(after.values());
        pairs.filter(|(before, after)| before != after).map(|(_, after)| after).fold(self, Self::put)
    }

    /// Set one attribute or take it away.
    fn put(self, (name, value): (&'static str, Option<Value>)) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.clear(name),
        }
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

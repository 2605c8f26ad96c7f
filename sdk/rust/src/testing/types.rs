//! An entity as the host holds it.

use super::world::world;
use crate::{Attribute, Change, Value};
use std::collections::BTreeMap;

/// An entity, with what a test may look at and change.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// The value of `occi.core.id`.
    pub id: String,
    /// The type identifier of its Kind.
    pub kind: String,
    /// The type identifiers of its Mixins.
    pub mixins: Vec<String>,
    /// Its state; none before the extension has given it one.
    pub state: Option<String>,
    /// Why it is in that state.
    pub message: Option<String>,
    /// Its attributes, without those of the state.
    pub attributes: BTreeMap<String, Value>,
    /// The location of a link's source.
    pub source: Option<String>,
    /// The location, or the foreign URI, of a link's target.
    pub target: Option<String>,
    /// After how many milliseconds it has asked to be observed again.
    pub again: Option<u64>,
}

impl Entity {
    pub(super) fn new(kind: &str, id: String) -> Self {
        Self {
            id,
            kind: kind.into(),
            mixins: Vec::new(),
            state: None,
            message: None,
            attributes: BTreeMap::new(),
            source: None,
            target: None,
            again: None,
        }
    }

    /// Give it an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Give it a Mixin.
    #[must_use]
    pub fn mixin(mut self, mixin: &str) -> Self {
        self.mixins.push(mixin.into());
        self
    }

    /// One attribute.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.attributes.get(name).cloned()
    }

    /// The path under which clients see it.
    pub fn location(&self) -> String {
        let term = self.kind.rsplit('#').next().unwrap_or_default();
        format!("/{term}/{}", self.id)
    }

    /// Its Kind and its Mixins, in the order in which the extension is called for them.
    pub(super) fn roles(&self) -> Vec<String> {
        std::iter::once(&self.kind).chain(&self.mixins).cloned().collect()
    }

    /// Apply what the extension proposes.
    pub(super) fn apply(&mut self, change: Change) {
        for name in change.clear {
            self.attributes.remove(&name);
        }
        self.attributes.extend(change.set.into_iter().map(|attribute| (attribute.name, attribute.value)));
        self.state = change.state.or(self.state.take());
        self.message = change.message.or(self.message.take()).filter(|message| !message.is_empty());
        self.again = change.again;
    }
}

/// What the generated bindings have, for [`crate::Subject`].
impl Entity {
    pub(crate) fn id(&self) -> String {
        self.id.clone()
    }

    pub(crate) fn kind(&self) -> String {
        self.kind.clone()
    }

    pub(crate) fn mixins(&self) -> Vec<String> {
        self.mixins.clone()
    }

    pub(crate) fn state(&self) -> Option<String> {
        self.state.clone()
    }

    pub(crate) fn attributes(&self) -> Vec<Attribute> {
        self.attributes
            .iter()
            .map(|(name, value)| Attribute { name: name.clone(), value: value.clone() })
            .collect()
    }

    #[allow(clippy::unused_self, reason = "the generated bindings have it so")]
    pub(crate) fn is_new(&self) -> bool {
        world(|world| world.is_new)
    }

    pub(crate) fn source(&self) -> Option<String> {
        self.source.clone()
    }

    pub(crate) fn target(&self) -> Option<String> {
        self.target.clone()
    }
}

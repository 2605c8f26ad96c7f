//! The entity that a call is about, and the call's own words on it.

use crate::attributes::{Attribute, Read, Value};
pub use crate::bindings::imports::occi::extension::types::End;
use crate::outside::types::Entity;

/// The entity that a call is about. Attributes are read by the methods of [`Read`].
pub struct Subject<'a> {
    entity: &'a Entity,
    operation: &'a str,
    role: &'a str,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(entity: &'a Entity, operation: &'a str, role: &'a str) -> Self {
        Self { entity, operation, role }
    }

    pub(crate) fn entity(&self) -> &Entity {
        self.entity
    }

    /// The type identifier (scheme and term) of the Kind or Mixin of this extension that the call speaks to. An
    /// entity that has several of them is the subject of one call for each.
    pub fn role(&self) -> &str {
        self.role
    }

    /// A name of the operation that stays the same when the host calls again after a crash: both calls together
    /// must then have the effect of one. Empty while observing, which is no operation of a client.
    pub fn operation(&self) -> &str {
        self.operation
    }

    /// The value of `occi.core.id`.
    pub fn id(&self) -> String {
        self.entity.id()
    }

    /// The path under which clients see the entity.
    pub fn location(&self) -> String {
        self.entity.location()
    }

    /// The type identifier of its Kind.
    pub fn kind(&self) -> String {
        self.entity.kind()
    }

    /// The type identifiers of its Mixins, those that they depend on included.
    pub fn mixins(&self) -> Vec<String> {
        self.entity.mixins()
    }

    /// Whether it has a Mixin, itself or because another depends on it.
    pub fn has_mixin(&self, id: &str) -> bool {
        self.entity.mixins().iter().any(|held| held == id)
    }

    /// The value of the Kind's state attribute, where the manifest names one.
    pub fn state(&self) -> Option<String> {
        self.entity.state()
    }

    /// Whether it comes to be in the operation of the call: the Kind's role is called first, then those of the Mixins, each with
    /// all that it is going to be.
    pub fn is_new(&self) -> bool {
        self.entity.is_new()
    }

    /// All its attributes.
    pub fn attributes(&self) -> Vec<Attribute> {
        self.entity.attributes()
    }

    /// The location of a link's source; none on a resource.
    pub fn source(&self) -> Option<String> {
        self.entity.source()
    }

    /// The location, or the foreign URI, of a link's target; none on a resource.
    pub fn target(&self) -> Option<String> {
        self.entity.target()
    }
}

impl Read for Subject<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        self.entity.get(name)
    }
}

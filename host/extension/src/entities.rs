//! What an extension may see of other entities of a tenant. Who they are, and which of them it may see, the operation knows.

use crate::bindings::types::Fault;
use crate::subject::Subject;
use occi_model::CategoryId;
use std::fmt;
use uuid::Uuid;

/// The entities that an extension may see, at one moment.
pub trait EntityView: fmt::Debug + Send + Sync {
    /// The one at a location.
    fn find(&self, location: &str) -> Result<Subject, Fault>;

    /// Those of a set, in the order in which they were made.
    fn list(&self, set: EntitySet) -> Result<Box<dyn EntityListing>, Fault>;
}

/// Which entities are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntitySet {
    /// The members of a Kind's or a Mixin's collection.
    Members(CategoryId),
    /// The links that leave a resource.
    LinksFrom(Uuid),
    /// The links that lead to a resource.
    LinksTo(Uuid),
}

/// Entities that are read some at a time.
pub trait EntityListing: Send {
    /// Some of the next, at most so many and possibly none; nothing at the end.
    fn next(&mut self, limit: usize) -> Result<Option<Vec<Subject>>, Fault>;
}

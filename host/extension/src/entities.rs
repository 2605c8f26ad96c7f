//! What an extension may see of other entities of a tenant, and how it links them. Who they are, and which of them it may see,
//! the operation knows.

use crate::bindings::types::Fault;
use crate::subject::Subject;
use occi_model::{Attributes, CategoryId, Entity};
use std::fmt;
use uuid::Uuid;

/// The entities that an extension may see, at one moment.
pub trait EntityView: fmt::Debug + Send + Sync {
    /// The one at a location.
    fn find(&self, location: &str) -> Result<Subject, Fault>;

    /// Those of a set, in the order in which they were made.
    fn list(&self, set: EntitySet) -> Result<Box<dyn EntityListing>, Fault>;

    /// What is to be written down so that a link of that Kind leads from a resource to what is at a location.
    fn link(
        &self,
        from: &Entity,
        kind: &str,
        target: &str,
        attributes: Attributes,
    ) -> Result<LinkOrder, Fault>;

    /// What is to be written down so that the link at a location goes, which leaves a resource.
    fn unlink(&self, from: &Entity, location: &str) -> Result<LinkOrder, Fault>;
}

/// That a link is to be made or ended once an operation is committed: a change of the extension's key-value data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOrder {
    /// Where the link is, or will be.
    pub location: String,
    /// The key in the bucket [`LinkOrder::BUCKET`].
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
}

impl LinkOrder {
    /// A bucket that no guest can open, by its name.
    pub const BUCKET: &str = "links/";
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

//! Kinds, Mixins and Actions as their authors declare them. What follows from several declarations together
//! (inherited attributes, dependencies) is in [`crate::registry`].

use crate::attribute::Attribute;
use crate::identifier::{AttributeName, CategoryId, Location};
use std::fmt;
use std::sync::Arc;

/// Which of the three a category is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The type of an entity.
    Kind,
    /// What adds to an entity.
    Mixin,
    /// What can be invoked on an entity.
    Action,
}

impl Class {
    /// The word in the renderings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Mixin => "mixin",
            Self::Action => "action",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The type of an entity.
#[derive(Debug, Clone)]
pub struct Kind {
    /// The type identifier.
    pub id: CategoryId,
    /// For people.
    pub title: Option<String>,
    /// The Kind that it extends; none on core#entity alone (CORE-17).
    pub parent: Option<CategoryId>,
    /// Those that it adds to its parent's.
    pub attributes: Vec<Attribute>,
    /// Those that it adds to its parent's.
    pub actions: Vec<CategoryId>,
    /// Its collection's path; none on a Kind that cannot be instantiated (HTTP-03).
    pub location: Option<Location>,
    /// The states of its entities, where they have any.
    pub states: Option<States>,
    /// That its entities have a console, and the type identifier that names it in links. Kinds that descend from it have
    /// none by that: what is behind a console is made by the Kind's own extension.
    pub console: Option<CategoryId>,
}

/// The states that entities of a Kind go through.
#[derive(Debug, Clone)]
pub struct States {
    /// The attribute that holds the state.
    pub attribute: AttributeName,
    /// The attribute that says why, where there is one.
    pub message: Option<AttributeName>,
    /// All states.
    pub values: Vec<Arc<str>>,
    /// The state of a new entity.
    pub initial: Arc<str>,
}

/// Where a Mixin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The provider or an extension; clients cannot remove it (H11-08).
    Provider,
    /// A client made it through the query interface: a tag (CORE-47).
    Client,
}

/// What adds attributes and actions to an entity, or just marks it.
#[derive(Debug, Clone)]
pub struct Mixin {
    /// The type identifier.
    pub id: CategoryId,
    /// For people.
    pub title: Option<String>,
    /// The Mixins whose attributes and actions an entity gets with this one (CORE-26).
    pub depends: Vec<CategoryId>,
    /// The Kinds whose entities, or those of Kinds that descend from them, may have it; empty for all (CORE-21).
    pub applies: Vec<CategoryId>,
    /// Those that it adds; one that the Kind has already overrides its default (CORE-34).
    pub attributes: Vec<Attribute>,
    /// Those that it adds.
    pub actions: Vec<CategoryId>,
    /// Its collection's path.
    pub location: Location,
    /// Whether clients may remove it.
    pub origin: Origin,
    /// Whether an entity has at most one of the Mixins that depend on this one, so that a new one takes the place of
    /// the one before (CORE-35): the root of a set of templates (INF-13, INF-17).
    pub exclusive: bool,
}

/// What can be invoked on an entity. It belongs to one Kind or Mixin (CORE-28).
#[derive(Debug, Clone)]
pub struct Action {
    /// The type identifier.
    pub id: CategoryId,
    /// For people.
    pub title: Option<String>,
    /// The parameters of an invocation (CORE-31).
    pub attributes: Vec<Attribute>,
    /// The states of the entity in which it may be invoked; none where the state does not matter (CORE-29).
    pub from: Option<Vec<Arc<str>>>,
}

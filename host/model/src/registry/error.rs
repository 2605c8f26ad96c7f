//! Every reason why a set of categories is no registry, in words that tell the author of a manifest what to change.

use crate::attribute::ValueType;
use crate::core;
use crate::identifier::{CategoryId, InvalidIdentifier, Location};
use std::sync::Arc;

/// What is wrong with a set of categories.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Two categories with one type identifier.
    #[error("{0} is defined twice; rename one of the two")]
    Duplicate(CategoryId),
    /// Two collections at one path.
    #[error("{id} has the location {location}, which {other} has already; choose another")]
    LocationTaken {
        /// The later one.
        id: CategoryId,
        /// The path.
        location: Location,
        /// Whose it is.
        other: String,
    },
    /// A location that does not end in a slash (H11-01), or the query interface's.
    #[error(
        "{id} has the location {location}; a collection's path ends in `/` and is not the query interface's"
    )]
    BadLocation {
        /// Whose location.
        id: CategoryId,
        /// The path.
        location: Location,
    },
    /// A Kind without parent, whose parents lead in a circle, or that extends Entity itself (CORE-17, CORE-46).
    #[error(
        "the parents of {0} lead neither to {res} nor to {link}; name a parent that does",
        res = core::RESOURCE,
        link = core::LINK
    )]
    NoAncestor(CategoryId),
    /// A Mixin that depends on more than any may.
    #[error("{0} depends on more than {most} mixins, directly or not; let it depend on fewer", most = crate::registry::ResolvedMixin::MAX_DEPENDS)]
    TooManyDependencies(CategoryId),
    /// A reference to a category that is not there.
    #[error(
        "{id} refers to {missing}, which is not known; load the extension that defines it or correct the identifier"
    )]
    Unknown {
        /// Who refers.
        id: CategoryId,
        /// To what.
        missing: CategoryId,
    },
    /// An action of two categories (CORE-28).
    #[error("the action {0} belongs to more than one Kind or Mixin; each has one owner")]
    SharedAction(CategoryId),
    /// An action of no category (CORE-28).
    #[error("the action {0} belongs to no Kind or Mixin; name it among the actions of one")]
    OwnerlessAction(CategoryId),
    /// An attribute of OCCI Core's name.
    #[error("{id} declares {name}, which every entity has from OCCI Core; take it away or rename it")]
    CoreAttribute {
        /// Who declares it.
        id: CategoryId,
        /// The attribute.
        name: String,
    },
    /// An attribute that is there already with another type: inherited, or of a Kind that the Mixin applies to.
    #[error(
        "{id} declares {name} as {declared}, but {inherited} is what it is already; keep the type or rename it"
    )]
    Retyped {
        /// Who declares it.
        id: CategoryId,
        /// The attribute.
        name: String,
        /// As what.
        declared: ValueType,
        /// What it is already.
        inherited: ValueType,
    },
    /// A default that is not a value of its attribute.
    #[error("{id}: the default of {name} {fault}")]
    BadDefault {
        /// Who declares it.
        id: CategoryId,
        /// The attribute.
        name: String,
        /// What is wrong.
        fault: String,
    },
    /// A constraint that no value can be held against.
    #[error("{id}: the constraint of {name} {fault}")]
    BadConstraint {
        /// Who declares it.
        id: CategoryId,
        /// The attribute.
        name: String,
        /// What is wrong.
        fault: String,
    },
    /// Mixins that depend on one another in a circle.
    #[error("the dependencies of {0} lead back to it; take one of them away")]
    CircularDependency(CategoryId),
    /// States, or their message, in an attribute that cannot hold them.
    #[error(
        "{id}: the state attribute {name} is not a string that clients cannot change; declare it there so"
    )]
    NoStateAttribute {
        /// The Kind.
        id: CategoryId,
        /// The attribute.
        name: String,
    },
    /// A state that is not among the Kind's.
    #[error("{id} names the state `{state}`, which is not one of {}", list(.known))]
    UnknownState {
        /// The Kind, or the Action.
        id: CategoryId,
        /// The state.
        state: Arc<str>,
        /// Those of the Kind.
        known: Vec<Arc<str>>,
    },
    /// A name of OCCI Core that this code writes wrongly; it cannot happen.
    #[error(transparent)]
    Core(#[from] InvalidIdentifier),
}

fn list(names: &[Arc<str>]) -> String {
    match names {
        [] => "none (the Kind declares no states)".into(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

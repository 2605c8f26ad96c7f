//! OCCI Core (GFD.221) as values: what a category, an attribute and an entity are, the registry of all categories
//! at one moment, and the rules by which an instance is checked against it.
//!
//! This crate does no I/O, knows no wire format and no stored form; it depends on nothing that does. Which
//! extension serves a Kind is not known here either: to the model, all Kinds are data.
//!
//! In reading order: [`identifier`], [`value`], [`attribute`], [`category`], [`core`], [`entity`], [`draft`],
//! [`registry`], [`validate`], [`filter`], [`representation`]; `successor` compares two versions of a category.

pub mod attribute;
pub mod category;
pub mod core;
pub mod draft;
pub mod entity;
pub mod filter;
pub mod identifier;
pub mod registry;
pub mod representation;
mod successor;
pub mod validate;
pub mod value;

#[cfg(test)]
mod fixture;

pub use attribute::{Attribute, Constraint, ValueType};
pub use category::{Action, Class, Kind, Mixin, Origin, States};
pub use draft::{CategoryDraft, Draft, Item};
pub use entity::{Attributes, Ends, Entity};
pub use filter::{Filter, ImpossibleFilter};
pub use identifier::{AttributeName, CategoryId, InvalidIdentifier, Location};
pub use registry::{Nature, Registry, RegistryError, ResolvedKind, ResolvedMixin, Target};
pub use representation::{CategoryView, Representation, View};
pub use validate::{Change, Gravity, Identity, Invocation, Made, UpdateMode, Updated, Violation};
pub use value::Value;

//! Extensions: WebAssembly components that define Kinds, Mixins and Actions, and do the work of their entities.
//!
//! A [`Loader`] makes an [`Extension`] of a file. Its manifest is data, from which the host answers and checks what
//! it can by itself; for the effect it calls the code, in a sandbox that is made for the call and gone with it. What
//! the code may touch outside of it are [`capability`] functions; this crate knows none of them. Which extension
//! serves which Kind, and what becomes of an outcome, is not known here either.
//!
//! In reading order: [`manifest`], [`shape`](crate::ShapeError), [`contract`](crate::Grants), [`component`](Loader),
//! [`engine`](Settings), [`compiler`](Compiler), [`cache`](CacheError), [`capability`], [`subject`](Subject), [`call`](Call).

pub mod bindings;
pub mod capability;
pub mod manifest;

mod breaker;
mod budget;
mod cache;
mod call;
mod compiler;
mod component;
mod console;
mod contract;
mod convert;
mod digest;
mod engine;
mod entities;
mod error;
mod extension;
mod keyvalue;
mod limits;
mod logged;
mod outline;
mod place;
mod printable;
mod shape;
mod subject;
#[cfg(test)]
mod tests;
mod time;
mod turns;

pub use bindings::types::Fault;
pub use cache::CacheError;
pub use call::{Call, Outcome, Tallied};
pub use capability::{CallContext, CallState, Capability, FaultInjection, Going, Lent, Offered, Offers};
pub use compiler::{Bounds, Compiler, Task};
pub use component::{Loader, MAX_SIZE};
pub use console::{Console, ConsoleEnd, ConsoleLine};
pub use contract::{Grants, serving};
pub use convert::attributes_from_guest;
pub use digest::Digest;
pub use engine::{EngineError, Settings};
pub use entities::{EntityListing, EntitySet, EntityView, LinkOrder};
pub use error::{CallError, Clock, LoadError, StartError};
pub use extension::Extension;
pub use keyvalue::{
    BucketName, KeyValueBase, KeyValueChange, KeyValueChanges, KeyValueView, KeyValueWrites, Replaced,
    SharedView, TooManyWrites,
};
pub use limits::{Asked, Limits};
pub use logged::LogGrant;
pub use manifest::{Compatibility, Manifest, Marked, Offer, OwnEntry, OwnKeys};
pub use outline::Outline;
pub use printable::printable;
pub use shape::ShapeError;
pub use subject::Subject;
pub use time::{MachineTime, TimeSource};
pub use turns::processors;

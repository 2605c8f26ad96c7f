//! Extensions as sandboxed WebAssembly components.

#![allow(dead_code, reason = "for the next commit")]
pub mod bindings;
pub mod capability;
mod convert;
mod keyvalue;
mod limits;
mod subject;

pub use keyvalue::{KeyValueWrite, KeyValueWrites, TooManyWrites};
pub use limits::Limits;
pub use subject::Subject;

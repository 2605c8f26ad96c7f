//! The HTTP edge (GFD.223): bytes become an operation, a reply becomes bytes.
//!
//! [`exchange`] is the page to read first: one request from beginning to end. [`route`] says which operation a method
//! on a path means; [`respond`] is the only file with status codes; [`serve`] listens, with time-outs and limits.
//!
//! No operation is carried out here, and no grammar is known.

#![forbid(unsafe_code)]

mod activity;
mod answers;
mod base;
mod compression;
mod conditions;
mod console;
mod crowd;
mod exchange;
mod failure;
mod listing;
mod metrics;
mod origin;
mod respond;
mod route;
mod serve;
mod socket;
mod stream;
mod timer;
mod version;

pub use base::PublicUrl;
pub use exchange::Host;
pub use metrics::{Exposition, Metrics};
pub use serve::{Limits, serve, serve_metrics};

//! Rehearsals: an extension is played through a scenario, in the host that will serve it. The model, the store, the
//! operations, the sandbox and the HTTP exchange are the real ones. What is made for the scenario is what an extension
//! cannot be tested with otherwise: a time that stands still, faults of capabilities, servers elsewhere.
//!
//! How a host's parts are put together is not known here; who knows it implements [`Stage`].
//!
//! In reading order: [`scenario`](Scenario), [`play`] (one step after the other), `observed` and `transcript`
//! (what was expected and what was seen), then what stands in for the world: `time`, `faults`, `servers`, `lines`.

#![forbid(unsafe_code)]

mod faults;
mod lines;
mod names;
mod observed;
mod play;
mod props;
mod scenario;
mod servers;
#[cfg(test)]
mod tests;
mod time;
mod transcript;

pub use play::{Failure, play};
pub use props::{Props, Running, Stage};
pub use scenario::{Functions, Scenario, ScenarioError};

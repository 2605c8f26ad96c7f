//! Instances against the small cloud of [`crate::fixture`]: an input, and what becomes of it or what is said about it.

mod adopt;
mod change;
mod create;
mod filter;
mod invoke;
mod properties;
mod proposal;

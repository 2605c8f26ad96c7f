//! What is written is read as the same, and nothing that is read makes a parser panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]
#![allow(clippy::missing_panics_doc, reason = "a check panics where it fails")]

#[path = "../../fuzz/src/check.rs"]
pub mod check;
mod corpus;
mod properties;

//! What some tests need beside the server: `cargo xtask test` starts it, and tells of it in variables of the environment.
//! A test for which it is not there ends without having proved anything. Cargo shows nothing of what such a test says, so
//! it leaves a line in a file, by which xtask counts (`xtask/src/skipped.rs`).

#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "whoever runs one test alone reads why nothing happened")]

use std::env::{var, var_os};
use std::fs::File;
use std::io::Write as _;
use std::thread;

/// What a variable says; none where it is not set, and the test that asks is counted as skipped.
pub fn service(variable: &str) -> Option<String> {
    let found = var(variable).ok();
    if found.is_none() {
        eprintln!("SKIPPED: no {variable}; `cargo xtask test` sets it where it can");
        note(variable);
    }
    found
}

/// One line, written at once, as others write to the file at the same time.
fn note(variable: &str) {
    let Some(file) = var_os("OCCI_TEST_SKIPPED") else { return };
    // The thread of a test has its name.
    let line = format!("{variable} {}\n", thread::current().name().unwrap_or("a test"));
    let noted = File::options().append(true).open(file).and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = noted {
        eprintln!("it is not counted: {error}");
    }
}

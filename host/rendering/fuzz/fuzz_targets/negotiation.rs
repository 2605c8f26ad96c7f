//! Any values of Accept and of Content-Type, one a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use occi_rendering_fuzz::{check, in_time};

fuzz_target!(|lines: &[u8]| in_time(|| check::negotiated(&check::values(lines))));

//! Any headers as the filter of a GET.
#![no_main]

use libfuzzer_sys::fuzz_target;
use occi_rendering_fuzz::{check, in_time};

fuzz_target!(|lines: &[u8]| in_time(|| check::filter(&check::headers(lines))));

//! Any body as application/occi+json.
#![no_main]

use libfuzzer_sys::fuzz_target;
use occi_rendering::MediaType;
use occi_rendering_fuzz::{check, in_time};

fuzz_target!(|body: &[u8]| in_time(|| check::request(MediaType::OcciJson, &[], body)));

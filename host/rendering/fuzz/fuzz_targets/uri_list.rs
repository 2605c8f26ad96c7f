//! Any body as text/uri-list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use occi_rendering::MediaType;
use occi_rendering_fuzz::check;

fuzz_target!(|body: &[u8]| check::request(MediaType::UriList, &[], body));

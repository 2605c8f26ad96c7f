//! Any requests, one after the other, to a server of their own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use occi_rendering_fuzz::in_time;
use occi_server_fuzz::{check, server};

fuzz_target!(
    init: server::prepare(),
    |requests: &[u8]| in_time(|| check::requests(requests))
);

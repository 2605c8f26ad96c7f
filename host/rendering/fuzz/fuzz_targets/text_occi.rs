//! Any headers as text/occi, and as a filter and the negotiating headers of a GET.
#![no_main]

use libfuzzer_sys::fuzz_target;
use occi_rendering::{MediaType, content_type, negotiate, parse_filter};
use occi_rendering_fuzz::check;

fuzz_target!(|lines: &[u8]| {
    let headers = check::headers(lines);
    check::request(MediaType::TextOcci, &headers, b"");
    let _ = parse_filter(headers.iter().copied());
    let _ = (negotiate([lines]), content_type([lines]));
});

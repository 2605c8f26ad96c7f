//! Answers that claim what was not done.

use crate::found_in_requests;
use crate::proxy::Answer;

/// Nothing can be removed that was never made, so nothing is said about removing it.
#[test]
fn mixins_that_are_not_made() {
    found_in_requests(&["CORE-47", "H11-07", "HTTP-20", "JSON-01"], |asked| {
        let adds = asked.method == "POST" && asked.path == "/-/";
        (adds && asked.text().contains("http://example.org/")).then(|| Answer::empty(200))
    });
}

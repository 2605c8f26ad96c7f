//! Answers that claim what was not done.

use crate::found_in_requests;
use crate::proxy::Answer;

#[test]
fn a_mixin_that_stays_on_all_its_members() {
    found_in_requests(&["HTTP-35"], |asked| {
        let is_of_all = asked.method == "DELETE" && asked.text().is_empty();
        (is_of_all && asked.path.contains("/conformance-") && asked.path.ends_with('/'))
            .then(|| Answer::empty(200))
    });
}

/// Nothing can be removed that was never made, so nothing is said about removing it.
#[test]
fn mixins_that_are_not_made() {
    found_in_requests(&["CORE-47", "H11-07", "HTTP-20", "JSON-01"], |asked| {
        let adds = asked.method == "POST" && asked.path == "/-/";
        (adds && asked.text().contains("http://example.org/")).then(|| Answer::empty(200))
    });
}

//! Faults of the other path of the query interface, which is to be as the first.

use crate::found_in_requests;
use crate::proxy::{Answer, Asked};

fn is_there(asked: &Asked, method: &str) -> bool {
    asked.path == "/.well-known/org/ogf/occi/-/" && asked.method == method
}

#[test]
fn it_does_not_filter() {
    found_in_requests(&["H11-05"], |asked| {
        if is_there(asked, "GET") {
            asked.headers.remove("category");
        }
        None
    });
}

#[test]
fn it_is_only_to_be_read() {
    found_in_requests(&["H11-05"], |asked| is_there(asked, "POST").then(|| Answer::empty(405)));
    found_in_requests(&["H11-05"], |asked| is_there(asked, "DELETE").then(|| Answer::empty(405)));
}

#[test]
fn it_claims_what_it_does_not_do() {
    found_in_requests(&["H11-05"], |asked| is_there(asked, "POST").then(|| Answer::empty(200)));
    found_in_requests(&["H11-05"], |asked| is_there(asked, "DELETE").then(|| Answer::empty(200)));
}

/// No fault: the path is an offer.
#[test]
fn it_is_not_there() {
    found_in_requests(&[], |asked| {
        (asked.path == "/.well-known/org/ogf/occi/-/").then(|| Answer::empty(404))
    });
}

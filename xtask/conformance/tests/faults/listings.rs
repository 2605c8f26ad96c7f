//! Faults of collections, and of the paths above them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::proxy::{Answer, Fault};
use crate::{failing, found_in, found_in_requests};

#[test]
fn the_root_lists_all_kinds_of_links_but_one() {
    found_in(&["H11-02", "HTTP-04"], |asked, answer| {
        if asked.method == "GET" && asked.path == "/" {
            answer.lines(|line| !line.contains("/storagelink/"));
        }
    });
}

#[test]
fn the_root_lists_all_kinds_of_resources_but_one() {
    found_in(&["H11-02", "HTTP-04"], |asked, answer| {
        if asked.method == "GET" && asked.path == "/" {
            answer.lines(|line| !line.contains("/resource/"));
        }
    });
}

/// Only in one form of the listing.
#[test]
fn the_root_lists_nothing_in_plain_text() {
    found_in(&["H11-02", "HTTP-04"], |asked, answer| {
        if asked.method == "GET"
            && asked.path == "/"
            && answer.is("text/plain")
            && asked.header("accept") != "*/*"
        {
            answer.body.clear();
        }
    });
}

#[test]
fn the_root_lists_no_links_in_json() {
    found_in(&["H11-02", "HTTP-04"], |asked, answer| {
        if asked.method == "GET" && asked.path == "/" {
            answer.json(|value| {
                value.as_object_mut().unwrap().remove("links");
            });
        }
    });
}

#[test]
fn nothing_is_found_above_a_mixin() {
    found_in_requests(&["HTTP-04"], |asked| asked.path.ends_with("-above/").then(|| Answer::empty(404)));
}

#[test]
fn nothing_is_listed_above_a_mixin() {
    found_in_requests(&["HTTP-04"], |asked| asked.path.ends_with("-above/").then(|| Answer::empty(200)));
}

/// Each listing is in the opposite order of the one before.
#[test]
fn members_in_no_order() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    found_in(&["HTTP-12"], |asked, answer| {
        let text = answer.text();
        let mut lines: Vec<_> = text.split_inclusive("\r\n").collect();
        let listing = lines.iter().all(|line| line.starts_with("X-OCCI-Location: "));
        if asked.method == "GET" && listing && ASKED.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            lines.reverse();
            answer.body = lines.concat().into();
        }
    });
}

#[test]
fn relative_locations() {
    found_in(&["TXT-14"], |asked, answer| {
        let host = format!("X-OCCI-Location: http://{}", asked.header("host"));
        answer.replace(&host, "X-OCCI-Location: ");
    });
}

#[test]
fn a_page_beyond_the_end_is_not_found() {
    found_in(&["HTTP-14"], |asked, answer| {
        if asked.query.starts_with("page=1000&") {
            *answer = Answer::empty(404);
        }
    });
}

#[test]
fn beyond_the_end_the_last_page_is_shown_again() {
    found_in_requests(&["HTTP-14"], |asked| {
        asked.query = asked.query.replace("page=1000&", "page=1&");
        None
    });
}

#[test]
fn an_empty_collection_is_not_found() {
    found_in(&["H11-09", "HTTP-29"], |asked, answer| {
        let is_empty = answer.is("text/plain") && answer.body.is_empty();
        if asked.method == "GET"
            && asked.query.is_empty()
            && asked.path.starts_with("/conformance-")
            && is_empty
        {
            *answer = Answer::empty(404);
        }
    });
}

/// What can be done of a batch is done before the rest is refused.
#[test]
fn batches_are_done_by_half() {
    let fault = Fault::in_both(
        |asked| {
            let is_missing =
                |line: &str| line.starts_with("X-OCCI-Location:") && line.contains("/conformance-");
            if asked.text().lines().any(is_missing) {
                asked.lines(|line| !is_missing(line));
                asked.headers.insert("x-refuse", "yes".parse().unwrap());
            }
            None
        },
        |asked, answer| {
            if asked.header("x-refuse") == "yes" {
                answer.status = 404;
            }
        },
    );
    assert_eq!(failing(fault), ["H11-12"].into());
}

#[test]
fn actions_on_collections_without_them() {
    found_in(&["CORE-30", "H11-10"], |asked, answer| {
        if asked.query.starts_with("action=") && asked.path.ends_with('/') && answer.status >= 400 {
            *answer = Answer::empty(200);
        }
    });
}

#[test]
fn uri_lists_have_one_member() {
    found_in(&["H11-02", "H11-25", "HTTP-04"], |asked, answer| {
        if asked.method == "GET" && answer.is("text/uri-list") && answer.status == 200 {
            let text = answer.text();
            let first = text.split_inclusive("\r\n").next().unwrap_or_default().to_owned();
            answer.lines(|line| line == first);
        }
    });
}

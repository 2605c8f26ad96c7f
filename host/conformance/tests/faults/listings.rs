//! Faults of collections, and of the paths above them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::proxy::Answer;
use crate::{found_in, found_in_requests};

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

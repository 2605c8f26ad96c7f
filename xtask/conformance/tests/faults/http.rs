//! Faults of the protocol: status codes, headers, what is done.

use crate::proxy::{Answer, Asked};
use crate::{found_in, found_in_requests};

#[test]
fn created_without_location() {
    found_in(&["H11-14", "H11-16", "HTTP-24", "HTTP-31"], |_, answer| {
        if answer.status == 201 {
            answer.headers.remove("location");
        }
    });
}

#[test]
fn a_mixin_that_stays_with_its_attributes() {
    found_in_requests(&["CORE-25", "H11-11", "HTTP-35"], |asked| {
        let names_members = asked.text().contains("X-OCCI-Location");
        (asked.method == "DELETE" && names_members).then(|| Answer::empty(200))
    });
}

#[test]
fn not_allowed_without_allow() {
    found_in(&["H11-30"], |_, answer| {
        answer.headers.remove("allow");
    });
}

#[test]
fn a_duplicate_that_breaks_the_server() {
    found_in(&["H11-07"], |asked, answer| {
        if asked.method == "POST" && asked.path == "/-/" && answer.status == 409 {
            answer.status = 500;
        }
    });
}

#[test]
fn forbidden_is_success() {
    found_in(&["CORE-03", "CORE-07", "H11-08", "H11-30", "INF-02"], |_, answer| {
        if answer.status == 403 {
            *answer = Answer::empty(200);
        }
    });
}

#[test]
fn filters_are_ignored() {
    found_in_requests(&["H11-03", "HTTP-15", "HTTP-16"], |asked| {
        if asked.method == "GET" {
            asked.headers.remove("category");
            asked.headers.remove("x-occi-attribute");
            asked.headers.remove("content-type");
        }
        None
    });
}

#[test]
fn associations_answer_nothing() {
    found_in(&["HTTP-30", "HTTP-32"], |asked, answer| {
        let names_members = asked.text().contains("X-OCCI-Location");
        if names_members && answer.status == 200 {
            answer.body.clear();
        }
    });
}

/// What OCCI 1.1 has instead of 400.
#[test]
fn what_does_not_apply_is_forbidden() {
    found_in(&["CORE-22"], |asked, answer| {
        if asked.text().contains("class=\"mixin\"") && answer.status == 400 {
            answer.status = 403;
        }
    });
}

#[test]
fn removals_of_mixins_have_no_content() {
    found_in(&["H11-05", "HTTP-21", "JSON-01"], |asked, answer| {
        if asked.method == "DELETE" && asked.path.ends_with("/-/") && answer.status == 200 {
            *answer = Answer::empty(204);
        }
    });
}

#[test]
fn pages_are_of_any_size() {
    found_in(&["HTTP-13"], |_, answer| {
        if answer.status == 413 {
            *answer = Answer::empty(200);
        }
    });
}

#[test]
fn actions_have_no_content() {
    found_in(&["CORE-29", "HTTP-27", "HTTP-33", "INF-06", "JSON-14"], |asked, answer| {
        if asked.query.starts_with("action=") && answer.status == 200 {
            *answer = Answer::empty(204);
        }
    });
}

#[test]
fn answers_without_content_type() {
    found_in(&["HTTP-09", "HTTP-26", "HTTP-32"], |asked, answer| {
        if asked.method == "POST" {
            answer.headers.remove("content-type");
        }
    });
}

/// The listing of an empty collection has no lines, but it is in some format all the same.
#[test]
fn empty_listings_without_content_type() {
    found_in(&["HTTP-09"], |asked, answer| {
        if asked.method == "GET" && answer.status == 200 && answer.body.is_empty() {
            answer.headers.remove("content-type");
        }
    });
}

/// The answer to HEAD has the headers of that to GET.
#[test]
fn head_without_content_type() {
    found_in(&["HTTP-09"], |asked, answer| {
        if asked.method == "HEAD" {
            answer.headers.remove("content-type");
        }
    });
}

/// Without a body, the answer to anything but a reading is in no format that it could name.
#[test]
fn empty_answers_to_changes_without_content_type() {
    found_in(&[], |asked, answer| {
        let is_reading = matches!(&*asked.method, "GET" | "HEAD");
        if !is_reading && answer.status < 300 && answer.body.is_empty() {
            answer.headers.remove("content-type");
        }
    });
}

#[test]
fn answers_that_list_no_media_types() {
    found_in(&["HTTP-08"], |_, answer| {
        answer.headers.remove("accept");
    });
}

#[test]
fn what_was_deleted_is_still_found() {
    found_in(&["CORE-42", "H11-02", "H11-20", "H11-30", "HTTP-28", "HTTP-34"], |asked, answer| {
        if answer.status == 404 && matches!(&*asked.method, "GET" | "DELETE") {
            *answer = Answer::empty(200);
        }
    });
}

/// Whether it asks for a new entity or for another state of one, and invokes no action.
fn changes_entities(asked: &Asked) -> bool {
    matches!(&*asked.method, "POST" | "PUT")
        && !asked.path.ends_with("/-/")
        && !asked.query.starts_with("action=")
}

#[test]
fn every_creation_breaks_the_server() {
    found_in_requests(&["CORE-32", "H11-14", "H11-15", "H11-24", "HTTP-24", "HTTP-31"], |asked| {
        changes_entities(asked).then(|| Answer::empty(500))
    });
}

#[test]
fn every_creation_is_refused() {
    found_in_requests(&["CORE-32", "H11-14", "H11-24", "HTTP-24", "HTTP-31"], |asked| {
        changes_entities(asked).then(|| Answer::empty(400))
    });
}

#[test]
fn creations_of_one_kind_break_the_server() {
    found_in_requests(&["HTTP-31"], |asked| {
        (asked.method == "POST" && asked.path == "/storage/").then(|| Answer::empty(500))
    });
}

/// One that is refused alone may have its reasons.
#[test]
fn creations_of_one_kind_are_refused() {
    found_in_requests(&[], |asked| {
        (asked.method == "POST" && asked.path == "/storage/").then(|| Answer::empty(400))
    });
}

/// Where links are made.
fn is_of_links(asked: &Asked) -> bool {
    let kinds = ["/link/", "/networkinterface/", "/storagelink/"];
    matches!(&*asked.method, "POST" | "PUT") && kinds.iter().any(|path| asked.path.starts_with(path))
}

#[test]
fn every_link_is_refused() {
    found_in_requests(&["H11-24"], |asked| is_of_links(asked).then(|| Answer::empty(400)));
}

#[test]
fn every_link_breaks_the_server() {
    found_in_requests(&["H11-24"], |asked| is_of_links(asked).then(|| Answer::empty(500)));
}

/// A server is not blamed for what it does not offer: no clause about creation is among these.
#[test]
fn kinds_without_location() {
    found_in(&["HTTP-01"], |asked, answer| {
        if asked.path == "/-/" && answer.is("text/plain") {
            let bare = |line: &str| match line.split_once("; location=") {
                Some((before, after)) if line.contains("class=\"kind\"") => {
                    before.to_owned() + after.split_once('"').unwrap().1.split_once('"').unwrap().1
                }
                _ => line.to_owned(),
            };
            answer.body = answer.text().split_inclusive("\r\n").map(bare).collect::<String>().into();
        }
    });
}

#[test]
fn head_and_options_are_not_allowed() {
    found_in_requests(&["H11-30"], |asked| (asked.method == "HEAD").then(|| Answer::empty(405)));
    found_in_requests(&["H11-30"], |asked| (asked.method == "OPTIONS").then(|| Answer::empty(405)));
}

//! Faults of what the query interface declares.

use crate::found_in;

/// What entities show as their actions is then nothing that is known.
#[test]
fn actions_are_not_described() {
    found_in(&["CORE-06", "CORE-38", "H11-06", "JSON-03"], |asked, answer| {
        if asked.path.ends_with("/-/") && asked.method == "GET" {
            answer.lines(|line| !line.contains("class=\"action\""));
            answer.json(|value| {
                value.as_object_mut().unwrap().remove("actions");
            });
        }
    });
}

#[test]
fn a_location_without_slash() {
    found_in(&["H11-01"], |asked, answer| {
        if asked.path.ends_with("/-/") {
            answer.replace("\"/storage/\"", "\"/storage\"");
        }
    });
}

#[test]
fn a_kind_with_another_parent_in_text() {
    found_in(&["TXT-17"], |asked, answer| {
        if asked.path.ends_with("/-/") && answer.is("text/plain") {
            let other = |line: &str| {
                if line.starts_with("Category: storage;") {
                    line.replace("core#resource", "core#link")
                } else {
                    line.to_owned()
                }
            };
            answer.body = answer.text().split_inclusive("\r\n").map(other).collect::<String>().into();
        }
    });
}

/// An attribute of a Kind of somebody's own. That a Mixin declares what the Kind has that it is for is no fault.
#[test]
fn a_name_that_is_reserved() {
    found_in(&["CORE-09"], |_, answer| answer.replace("com.example.note.words", "occi.note.words"));
}

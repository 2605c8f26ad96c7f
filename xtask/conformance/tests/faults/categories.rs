//! Faults of what the query interface declares.

use serde_json::json;

use crate::found_in;
use crate::proxy::{Answer, Asked, Fault};

/// What entities show as their actions is then nothing that is known.
#[test]
fn actions_are_not_described() {
    found_in(&["CORE-06", "CORE-38", "H11-06", "INF-01", "INF-05", "JSON-03"], |asked, answer| {
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
    found_in(&["INF-02", "TXT-17"], |asked, answer| {
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

/// It has the name of one of the core's, which nobody declares.
#[test]
fn an_attribute_that_only_seems_to_be_the_cores() {
    found_in(&["CORE-16", "JSON-04"], |asked, answer| {
        if asked.method == "GET" && !asked.path.contains("/-/") {
            answer.replace("com.example.note.words", "occi.core.words");
        }
    });
}

/// A provider's template, which gives values to what the Kind has that it is for.
fn offer_a_template(asked: &Asked, answer: &mut Answer) {
    if asked.method != "GET" || !asked.path.ends_with("/-/") || !asked.header("category").is_empty() {
        return;
    }
    if answer.is("text/plain") {
        let line = "Category: small; scheme=\"http://example.org/template/resource#\"; class=\"mixin\"; \
                    rel=\"http://schemas.ogf.org/occi/infrastructure#resource_tpl\"; location=\"/mixin/small/\"; \
                    attributes=\"occi.compute.cores{immutable}\"\r\n";
        answer.body.extend_from_slice(line.as_bytes());
    }
    answer.json(|all| {
        all["mixins"].as_array_mut().unwrap().push(json!({
            "term": "small",
            "scheme": "http://example.org/template/resource#",
            "depends": ["http://schemas.ogf.org/occi/infrastructure#resource_tpl"],
            "applies": [],
            "location": "/mixin/small/",
            "attributes": {"occi.compute.cores": {"type": "number", "mutable": false, "required": false, "default": 1}},
            "actions": [],
        }));
    });
}

#[test]
fn a_template_is_no_fault() {
    for speaks_json in [true, false] {
        let fault = if speaks_json {
            Fault::in_answers(offer_a_template)
        } else {
            let refuse =
                |asked: &mut Asked| asked.header("accept").contains("json").then(|| Answer::empty(406));
            Fault::in_both(refuse, offer_a_template)
        };
        assert!(!crate::failing(fault).contains("CORE-09"), "speaks JSON: {speaks_json}");
    }
}

/// Where none is asked for, the provider picks one (INF-14).
#[test]
fn a_mixin_that_the_provider_gives_is_no_fault() {
    let failing = crate::failing(Fault::in_answers(|asked, answer| {
        if asked.path.ends_with("/-/") {
            if answer.is("text/plain") {
                let line = "Category: flavour; scheme=\"http://example.org/flavours#\"; class=\"mixin\"; \
                            location=\"/mixin/flavour/\"; attributes=\"org.example.disk\"\r\n";
                answer.body.extend_from_slice(line.as_bytes());
            }
            answer.json(|all| {
                all["mixins"].as_array_mut().unwrap().push(json!({
                    "term": "flavour",
                    "scheme": "http://example.org/flavours#",
                    "depends": [],
                    "applies": [],
                    "location": "/mixin/flavour/",
                    "attributes": {"org.example.disk": {"type": "number", "mutable": true, "required": false}},
                    "actions": [],
                }));
            });
        } else if asked.method == "GET" && asked.path.starts_with("/compute/") && asked.path != "/compute/" {
            if answer.is("text/plain") {
                let lines = "Category: flavour; scheme=\"http://example.org/flavours#\"; class=\"mixin\"\r\n\
                             X-OCCI-Attribute: org.example.disk=20\r\n";
                answer.body.extend_from_slice(lines.as_bytes());
            }
            answer.json(|entity| {
                entity["mixins"] = json!(["http://example.org/flavours#flavour"]);
                entity["attributes"]["org.example.disk"] = 20.into();
            });
        }
    }));
    assert!(failing.is_disjoint(&["CORE-16", "JSON-04"].into()), "{failing:?}");
}

//! Faults of what clients write in JSON: a part of it is not looked at, and what is left is done.

use serde_json::{Map, Value};

use crate::found_in_requests;
use crate::proxy::{Answer, Asked};

/// Changes the objects that a POST or PUT writes in JSON: the one that it is, or those of the collection that it is.
fn written(asked: &mut Asked, change: impl Fn(&mut Map<String, Value>)) -> Option<Answer> {
    let is_write = matches!(&*asked.method, "POST" | "PUT") && asked.path != "/-/";
    if is_write && is_json(asked) {
        asked.json(|value| {
            let is_collection = value["kind"].is_null();
            for list in ["resources", "links"].into_iter().filter(|_| is_collection) {
                let members = value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
                members.filter_map(Value::as_object_mut).for_each(&change);
            }
            change(value.as_object_mut().unwrap());
        });
    }
    None
}

fn is_json(asked: &Asked) -> bool {
    asked.header("content-type") == "application/occi+json"
}

/// Drops the links of the objects that have this member.
fn without_links(asked: &mut Asked, of: &str) -> Option<Answer> {
    written(asked, |object| {
        if object.contains_key(of) {
            object.remove("links");
        }
    })
}

/// Changes the links that a resource has inside.
fn in_links(asked: &mut Asked, change: impl Fn(&mut Vec<Value>)) -> Option<Answer> {
    written(asked, |object| {
        if object.contains_key("kind")
            && let Some(Value::Array(links)) = object.get_mut("links")
        {
            change(links);
        }
    })
}

fn is_invocation(object: &Map<String, Value>) -> bool {
    object.contains_key("action")
}

#[test]
fn attributes_are_dropped() {
    let broken = ["CORE-12", "H11-30", "HTTP-24", "HTTP-25", "HTTP-26", "HTTP-31", "JSON-05", "JSON-07"];
    found_in_requests(&broken, |asked| {
        written(asked, |object| {
            if !is_invocation(object) {
                object.remove("attributes");
            }
        })
    });
}

#[test]
fn titles_and_summaries_are_dropped() {
    found_in_requests(&["HTTP-24", "HTTP-25", "HTTP-26", "HTTP-31", "JSON-10"], |asked| {
        written(asked, |object| object.retain(|name, _| name != "title" && name != "summary"))
    });
}

#[test]
fn links_inside_a_resource_are_dropped() {
    found_in_requests(&["HTTP-26", "JSON-11"], |asked| without_links(asked, "kind"));
}

#[test]
fn all_links_inside_a_resource_but_the_first_are_dropped() {
    found_in_requests(&["HTTP-26", "JSON-11"], |asked| in_links(asked, |links| links.truncate(1)));
}

#[test]
fn links_inside_a_resource_have_no_attributes() {
    found_in_requests(&["HTTP-26", "JSON-11"], |asked| {
        in_links(asked, |links| {
            for link in links.iter_mut().filter_map(Value::as_object_mut) {
                link.remove("attributes");
                link.remove("title");
            }
        })
    });
}

#[test]
fn links_beside_resources_are_dropped() {
    found_in_requests(&["HTTP-31", "JSON-06"], |asked| without_links(asked, "resources"));
}

#[test]
fn mixins_are_dropped() {
    // By its Mixin a batch is found again.
    found_in_requests(
        &["CORE-33", "H11-12", "HTTP-25", "HTTP-26", "HTTP-31", "JSON-03", "JSON-06"],
        |asked| {
            written(asked, |object| {
                object.remove("mixins");
            })
        },
    );
}

/// By a PUT alone.
#[test]
fn mixins_of_a_replacement_are_dropped() {
    found_in_requests(&["HTTP-25"], |asked| {
        if asked.method == "PUT" && is_json(asked) {
            asked.json(|value| _ = value.as_object_mut().unwrap().remove("mixins"));
        }
        None
    });
}

#[test]
fn links_of_an_update_are_dropped() {
    found_in_requests(&["HTTP-26"], |asked| {
        let is_entity = asked.path.split('/').filter(|part| !part.is_empty()).count() == 2;
        if asked.method == "POST" && is_entity && is_json(asked) {
            asked.json(|value| _ = value.as_object_mut().unwrap().remove("links"));
        }
        None
    });
}

#[test]
fn parameters_are_dropped() {
    found_in_requests(&["H11-30", "HTTP-27", "JSON-14"], |asked| {
        written(asked, |object| {
            if is_invocation(object) {
                object.remove("attributes");
            }
        })
    });
}

/// The server says that it was done.
#[test]
fn members_are_ignored() {
    found_in_requests(&["HTTP-30", "HTTP-32", "HTTP-35"], |asked| {
        let is_of_members = asked.path.starts_with("/conformance-") && asked.query.is_empty();
        (is_of_members && is_json(asked)).then(|| {
            let mut answer = Answer::empty(200);
            answer.set("content-type", "application/occi+json");
            answer.body = asked.text().into();
            answer
        })
    });
}

//! Faults of the JSON rendering.

use serde_json::Value;

use crate::found_in;

/// Every entity of an answer in JSON that stands alone or in a collection.
fn entities(value: &mut Value, mut change: impl FnMut(&mut serde_json::Map<String, Value>)) {
    if value["kind"].is_string() {
        change(value.as_object_mut().unwrap());
    }
    for list in ["resources", "links"] {
        if value["kind"].is_null()
            && let Some(members) = value.get_mut(list).and_then(Value::as_array_mut)
        {
            members.iter_mut().filter_map(Value::as_object_mut).for_each(&mut change);
        }
    }
}

#[test]
fn members_that_the_schema_does_not_know() {
    found_in(&["JSON-02"], |_, answer| {
        answer.json(|value| {
            entities(value, |entity| {
                entity.insert("location".into(), "/somewhere".into());
            });
        });
    });
}

#[test]
fn values_that_json_does_not_allow() {
    found_in(&["JSON-05"], |_, answer| {
        answer.json(|value| {
            entities(value, |entity| {
                if let Some(attributes) = entity.get_mut("attributes").and_then(Value::as_object_mut)
                    && let Some(cores) = attributes.get_mut("occi.network.state")
                {
                    *cores = Value::Null;
                }
            });
        });
    });
}

#[test]
fn mutable_is_not_stated() {
    found_in(&["JSON-09"], |_, answer| {
        answer.json(|value| {
            for kind in value.get_mut("kinds").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(title) =
                    kind["attributes"].get_mut("occi.core.title").and_then(Value::as_object_mut)
                {
                    title.remove("mutable");
                }
            }
        });
    });
}

/// Takes a property out of the descriptions of attributes for which this holds.
fn undescribed(value: &mut Value, property: &str, of: impl Fn(&str, &Value) -> bool) {
    for list in ["kinds", "mixins", "actions"] {
        for one in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let attributes = one.get_mut("attributes").and_then(Value::as_object_mut);
            for (name, described) in attributes.into_iter().flatten() {
                if of(name, described) {
                    described.as_object_mut().unwrap().remove(property);
                }
            }
        }
    }
}

#[test]
fn required_is_not_stated() {
    found_in(&["CORE-10"], |_, answer| {
        answer.json(|value| undescribed(value, "required", |_, described| described["mutable"] == true));
    });
}

/// Without a type it is that of strings, and text shows numbers. The numbers stand in the entities in JSON too.
#[test]
fn types_are_not_stated() {
    found_in(&["CORE-08", "JSON-05", "JSON-07"], |_, answer| {
        answer.json(|value| undescribed(value, "type", |_, described| described["type"] == "number"));
    });
}

/// The same of one attribute, whose values in JSON are strings as well: only text shows what they are.
#[test]
fn a_type_is_not_stated_and_its_numbers_are_strings() {
    found_in(&["CORE-08"], |_, answer| {
        answer.json(|value| {
            undescribed(value, "type", |name, _| name == "occi.storage.size");
            entities(value, |entity| {
                if let Some(size) =
                    entity.get_mut("attributes").and_then(|all| all.get_mut("occi.storage.size"))
                {
                    *size = size.to_string().into();
                }
            });
        });
    });
}

#[test]
fn collections_of_references() {
    found_in(&["HTTP-30", "HTTP-32", "JSON-02", "JSON-06"], |asked, answer| {
        if asked.path.contains("conformance-") {
            answer.json(|value| {
                for entity in value.get_mut("resources").and_then(Value::as_array_mut).into_iter().flatten() {
                    *entity = entity["id"].clone();
                }
            });
        }
    });
}

#[test]
fn a_state_that_is_not_shown() {
    found_in(&["JSON-04", "JSON-06"], |_, answer| {
        answer.json(|value| {
            if let Some(attributes) = value.get_mut("attributes").and_then(Value::as_object_mut) {
                attributes.remove("occi.compute.state");
            }
        });
    });
}

#[test]
fn links_that_lead_elsewhere() {
    found_in(&["JSON-11"], |_, answer| {
        answer.json(|value| {
            for link in value.get_mut("links").and_then(Value::as_array_mut).into_iter().flatten() {
                if link["target"]["location"].is_string() {
                    link["target"]["location"] = "/network/elsewhere".into();
                }
            }
        });
    });
}

/// In text they are URIs, as they should be.
#[test]
fn ids_are_no_uris() {
    // A listing in JSON names nothing that is there.
    found_in(&["CORE-39", "H11-02", "HTTP-04"], |_, answer| {
        answer.replace("\"id\":\"urn:uuid:", "\"id\":\"");
    });
}

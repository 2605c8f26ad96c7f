//! The OCCI JSON schema (GFD.226), with its slips mended, applied to answers.
//!
//! Mended in `occi-schema.json`: `#definitions/..` lacked a slash; `default` left out arrays and objects; a description
//! of an attribute was recursive, from the time of nested names; the type of an attribute was any string; the
//! definition that allows any object was among the alternatives, so that nothing ever failed.

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use super::Fault;
use crate::error::Error;

const SCHEMA: &str = include_str!("../occi-schema.json");

/// Members that only a collection, or the model that mixes them, has.
const COLLECTIONS: [&str; 5] = ["resources", "links", "kinds", "mixins", "actions"];

/// The parts of the schema that answers are held against.
#[derive(Debug)]
pub(crate) struct Schema {
    model: Validator,
    resource: Validator,
    link: Validator,
}

impl Schema {
    pub(crate) fn new() -> Result<Self, Error> {
        let broken = |error: &dyn std::fmt::Display| Error::Schema(error.to_string());
        let whole: Value = serde_json::from_str(SCHEMA).map_err(|error| broken(&error))?;
        let part = |name: &str| {
            let schema = json!({
                "$schema": whole["$schema"],
                "definitions": whole["definitions"],
                "allOf": [{"$ref": format!("#/definitions/{name}")}],
            });
            let options = jsonschema::options().with_draft(Draft::Draft4);
            options.build(&schema).map_err(|error| broken(&error))
        };
        Ok(Self { model: part("model")?, resource: part("resource")?, link: part("link")? })
    }

    /// What an answer has that the schema does not allow.
    pub(crate) fn faults(&self, answer: &Value) -> Vec<Fault> {
        let Some(object) = answer.as_object() else {
            return vec![Fault { clause: "JSON-02", what: "it is no object".into() }];
        };
        // A resource has links too, but a collection has no kind.
        let collection =
            !object.contains_key("kind") && object.keys().all(|name| COLLECTIONS.contains(&name.as_str()));
        let validator = if collection {
            &self.model
        } else if object.contains_key("source") || object.contains_key("target") {
            &self.link
        } else {
            &self.resource
        };
        validator
            .iter_errors(answer)
            .map(|error| {
                let place = error.instance_path().to_string();
                let clause = if collection && place.matches('/').count() < 2 {
                    "JSON-06"
                } else if place.contains("/links/") && object.contains_key("kind") {
                    "JSON-11"
                } else if entity_attribute(&place) {
                    "JSON-05"
                } else {
                    "JSON-02"
                };
                Fault { clause, what: format!("at {place:?}: {error}") }
            })
            .collect()
    }
}

/// Whether a place is within the attributes of an entity, not of a category.
fn entity_attribute(place: &str) -> bool {
    place.contains("/attributes/")
        && !["/kinds/", "/mixins/", "/actions/"].iter().any(|of| place.starts_with(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clauses(answer: &Value) -> Vec<&'static str> {
        Schema::new().unwrap().faults(answer).iter().map(|fault| fault.clause).collect()
    }

    #[test]
    fn what_is_right_passes() {
        let link = json!({"kind": "a#l", "id": "urn:x", "source": {"location": "/a", "kind": "a#r"}, "target": {"location": "/b"}});
        let entity = json!({"kind": "a#r", "id": "urn:x", "attributes": {"a.b": [1], "a.c": {"d": 1}}, "links": [link]});
        let description =
            json!({"mutable": true, "required": false, "type": "array", "default": [], "pattern": {}});
        for answer in [
            json!({}),
            json!({"resources": [entity], "links": [link]}),
            json!({"kinds": [{"term": "a", "scheme": "b#", "attributes": {"type": description, "x": {}}}], "mixins": [], "actions": []}),
            entity,
            link,
        ] {
            assert_eq!(clauses(&answer), [""; 0], "{answer}");
        }
    }

    #[test]
    fn what_is_wrong_fails_its_clause() {
        let link = json!({"kind": "a#l", "id": "urn:x"});
        for (answer, clause) in [
            (json!([]), "JSON-02"),
            (json!({"id": "urn:x"}), "JSON-02"),
            (json!({"kind": "a#r", "id": "urn:x", "location": "/a"}), "JSON-02"),
            (json!({"kind": "a#r", "id": "urn:x", "attributes": {"a": null}}), "JSON-05"),
            (json!({"kind": "a#r", "id": "urn:x", "links": [link]}), "JSON-11"),
            (json!({"resources": {}}), "JSON-06"),
            (
                json!({"kinds": [{"term": "a", "scheme": "b#", "attributes": {"x": {"type": "text"}}}]}),
                "JSON-02",
            ),
        ] {
            let found = clauses(&answer);
            assert!(!found.is_empty() && found.iter().all(|found| *found == clause), "{answer}: {found:?}");
        }
    }
}

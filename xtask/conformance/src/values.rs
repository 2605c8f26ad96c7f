//! Values for attributes of which only the declaration is known.

use jsonschema::Draft;
use serde_json::{Value, json};

use crate::model::Attribute;

/// Values of different sorts, tried on strings of which no more is known than a pattern.
const STRINGS: [&str; 10] = [
    "conformance",
    "conformance2",
    "a",
    "1",
    "static",
    "192.0.2.1",
    "192.0.2.0/24",
    "52:54:00:12:34:56",
    "2026-01-01T00:00:00Z",
    "http://example.org/conformance",
];

/// What the last part of a name of the standard's own types tells beyond what servers declare.
fn known(name: &str) -> Vec<Value> {
    match name.rsplit('.').next().unwrap_or(name) {
        "cores" => vec![json!(1), json!(2)],
        "memory" | "size" => vec![json!(1.0), json!(2.0)],
        "architecture" => vec![json!("x64"), json!("x86")],
        "vlan" => vec![json!(42), json!(43)],
        "address" if name.contains("interface") => vec![json!("192.0.2.10")],
        "address" => vec![json!("192.0.2.0/24"), json!("198.51.100.0/24")],
        "gateway" => vec![json!("192.0.2.1")],
        "allocation" => vec![json!("dynamic"), json!("static")],
        "mac" => vec![json!("52:54:00:12:34:56")],
        "deviceid" => vec![json!("/dev/vdb")],
        "mountpoint" => vec![json!("/mnt/conformance")],
        "state" => vec![json!("active"), json!("inactive"), json!("online"), json!("offline")],
        _ => Vec::new(),
    }
}

/// Values that an attribute's declaration allows, the likeliest first; empty where none can be made up.
pub(crate) fn candidates(attribute: &Attribute) -> Vec<Value> {
    let mut values = known(&attribute.name);
    values.extend(attribute.pattern["enum"].as_array().into_iter().flatten().cloned());
    if !attribute.default.is_null() {
        values.push(attribute.default.clone());
    }
    for bound in ["minimum", "maximum"] {
        values.extend(attribute.pattern.get(bound).cloned());
    }
    match attribute.kind.as_deref() {
        Some("number") => values.extend([json!(1), json!(2), json!(10), json!(0), json!(1.5)]),
        Some("boolean") => values.extend([json!(true), json!(false)]),
        Some("array") => values.push(json!([])),
        Some("object") => values.push(json!({})),
        _ => values.extend(STRINGS.map(Value::from)),
    }
    let mut allowed: Vec<Value> = Vec::new();
    for value in values {
        if allows(attribute, &value) && !allowed.contains(&value) {
            allowed.push(value);
        }
    }
    allowed
}

/// A value of the right type that the pattern forbids; none where it forbids nothing that we can think of.
pub(crate) fn forbidden(attribute: &Attribute) -> Option<Value> {
    let is_pattern = attribute.pattern.as_object().is_some_and(|pattern| !pattern.is_empty());
    let values = [json!("\u{1}no such value"), json!(1.25), json!(999_999_999_999_u64), json!(0)];
    values
        .into_iter()
        .find(|value| is_pattern && has_type(attribute, value) && !matches_pattern(attribute, value))
}

/// Whether the declaration allows a value.
pub(crate) fn allows(attribute: &Attribute, value: &Value) -> bool {
    has_type(attribute, value) && matches_pattern(attribute, value)
}

/// Whether a value is of the declared type; any is where none is declared.
pub(crate) fn has_type(attribute: &Attribute, value: &Value) -> bool {
    match attribute.kind.as_deref() {
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    }
}

/// Whether a value is of the type that JSON describes for it, which is that of strings where none is stated.
pub(crate) fn is_as_described(attribute: &Attribute, value: &Value) -> bool {
    if attribute.kind.is_some() { has_type(attribute, value) } else { value.is_string() }
}

/// What is no JSON Schema, as some servers declare patterns, forbids nothing here.
fn matches_pattern(attribute: &Attribute, value: &Value) -> bool {
    if !attribute.pattern.is_object() {
        return true;
    }
    let schema = jsonschema::options().with_draft(Draft::Draft4).build(&attribute.pattern);
    schema.map_or(true, |schema| schema.is_valid(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, kind: &str, pattern: Value) -> Attribute {
        Attribute {
            name: name.into(),
            immutable: false,
            required: true,
            kind: Some(kind.into()),
            pattern,
            default: Value::Null,
        }
    }

    #[test]
    fn values_follow_the_declaration() {
        let even = attribute("x", "number", json!({"type": "integer", "minimum": 7}));
        assert_eq!(candidates(&even), [json!(7), json!(10)]);
        let word = attribute("x", "string", json!({"pattern": "^[0-9.]+/[0-9]+$"}));
        assert_eq!(candidates(&word), [json!("192.0.2.0/24")]);
        let choice = attribute("x.architecture", "string", json!({"enum": ["arm", "x86"]}));
        assert_eq!(candidates(&choice), [json!("x86"), json!("arm")]);
    }

    #[test]
    fn what_a_pattern_forbids() {
        assert!(forbidden(&attribute("x", "number", json!({"type": "integer"}))).is_some());
        assert!(forbidden(&attribute("x", "string", json!({"enum": ["a"]}))).is_some());
        assert_eq!(forbidden(&attribute("x", "string", json!({}))), None);
    }
}

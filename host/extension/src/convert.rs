//! The contract's records and the model's values, each as the other.

use crate::bindings::types;
use occi_model::{AttributeName, Attributes, Change, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Values for the guest; arrays and objects become a JSON document.
pub(crate) fn value_to_guest(value: Value) -> types::Value {
    match value {
        Value::Text(text) => types::Value::Text(text),
        Value::Integer(number) => types::Value::Integer(number),
        Value::Number(number) => types::Value::Number(number),
        Value::Boolean(truth) => types::Value::Boolean(truth),
        structured @ (Value::List(_) | Value::Hash(_)) => {
            types::Value::Structured(to_json(structured).to_string())
        }
    }
}

/// Attributes for the guest, in the order of their names.
pub(crate) fn attributes_to_guest(attributes: &Attributes) -> impl Iterator<Item = types::Attribute> + '_ {
    attributes.iter().map(|(name, value)| types::Attribute {
        name: name.as_str().into(),
        value: value_to_guest(value.clone()),
    })
}

/// What the guest proposes, with names and values that the model can hold; else what is wrong with it. Whether the
/// manifest allows the change is checked against the registry, later.
pub(crate) fn change_from_guest(change: types::Change) -> Result<(Change, Option<Duration>), String> {
    let set = attributes_from_guest(change.set)?;
    let clear = change.clear.iter().map(|name| AttributeName::parse(name)).collect::<Result<Vec<_>, _>>();
    let clear = clear.map_err(|invalid| invalid.to_string())?;
    if let Some(both) = clear.iter().find(|name| set.contains_key(*name)) {
        return Err(format!("attribute `{both}` is set and cleared"));
    }
    let again = change.again.map(Duration::from_millis);
    let change = Change { set, clear, state: change.state, message: change.message };
    Ok((change, again))
}

/// Attributes that a guest gives, with names and values that the model can hold; else what is wrong with them.
pub fn attributes_from_guest(given: Vec<types::Attribute>) -> Result<Attributes, String> {
    let mut attributes = Attributes::new();
    for types::Attribute { name, value } in given {
        let name = AttributeName::parse(&name).map_err(|invalid| invalid.to_string())?;
        let value = value_from_guest(value).map_err(|fault| format!("attribute `{name}`: {fault}"))?;
        if let Some((twice, _)) = attributes.get_key_value(&name) {
            return Err(format!("attribute `{twice}` is set twice"));
        }
        attributes.insert(name, value);
    }
    Ok(attributes)
}

fn value_from_guest(value: types::Value) -> Result<Value, String> {
    match value {
        types::Value::Text(text) => Ok(Value::Text(text)),
        types::Value::Integer(number) => Ok(Value::Integer(number)),
        types::Value::Number(number) if number.is_finite() => Ok(Value::Number(number)),
        types::Value::Number(number) => Err(format!("{number} is no number that OCCI can render")),
        types::Value::Boolean(truth) => Ok(Value::Boolean(truth)),
        types::Value::Structured(text) => {
            let json = serde_json::from_str(&text).map_err(|fault| format!("is no JSON: {fault}"))?;
            match from_json(json) {
                Some(structured @ (Value::List(_) | Value::Hash(_))) => Ok(structured),
                Some(_) => Err("`structured` is for arrays and objects".into()),
                None => Err("holds null, which OCCI cannot render".into()),
            }
        }
    }
}

fn to_json(value: Value) -> serde_json::Value {
    match value {
        Value::Text(text) => text.into(),
        Value::Integer(number) => number.into(),
        // Never NaN nor infinite, so this is a number.
        Value::Number(number) => number.into(),
        Value::Boolean(truth) => truth.into(),
        Value::List(values) => values.into_iter().map(to_json).collect(),
        Value::Hash(values) => values.into_iter().map(|(name, value)| (name, to_json(value))).collect(),
    }
}

/// None where there is a null anywhere: the model has no such value.
fn from_json(json: serde_json::Value) -> Option<Value> {
    Some(match json {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(truth) => Value::Boolean(truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Number(number.as_f64().filter(|number| number.is_finite())?),
        },
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Array(values) => {
            Value::List(values.into_iter().map(from_json).collect::<Option<_>>()?)
        }
        serde_json::Value::Object(values) => {
            let values = values.into_iter().map(|(name, value)| Some((name, from_json(value)?)));
            Value::Hash(values.collect::<Option<BTreeMap<_, _>>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_and_objects_travel_as_json() {
        let hash = Value::Hash(
            [("a".to_owned(), Value::Number(1.5)), ("b".to_owned(), Value::Boolean(true))].into(),
        );
        let value = Value::List(vec![Value::Integer(1), "x".into(), hash]);
        let types::Value::Structured(json) = value_to_guest(value.clone()) else { panic!("not structured") };
        assert_eq!(json, r#"[1,"x",{"a":1.5,"b":true}]"#);
        assert_eq!(value_from_guest(types::Value::Structured(json)).unwrap(), value);
    }

    #[test]
    fn what_the_model_cannot_hold_is_refused() {
        for (json, fault) in [
            ("[1, null]", "holds null"),
            ("{", "is no JSON"),
            ("5", "`structured` is for arrays and objects"),
            (&"[".repeat(10_000), "is no JSON"),
        ] {
            let found = value_from_guest(types::Value::Structured(json.into())).unwrap_err();
            assert!(found.starts_with(fault), "{json}: {found}");
        }
        let twice =
            ["a", "a"].map(|name| types::Attribute { name: name.into(), value: types::Value::Integer(1) });
        let change = |set: &[types::Attribute], clear: &[&str]| types::Change {
            set: set.to_vec(),
            clear: clear.iter().map(ToString::to_string).collect(),
            state: None,
            message: None,
            again: None,
        };
        assert_eq!(change_from_guest(change(&twice, &[])).unwrap_err(), "attribute `a` is set twice");
        assert_eq!(
            change_from_guest(change(&twice[..1], &["a"])).unwrap_err(),
            "attribute `a` is set and cleared"
        );
    }
}

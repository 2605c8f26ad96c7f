//! The attributes of a manifest, checked one by one.

use super::fault::{Report, nearest};
use super::form::AttributeForm;
use super::source::Place;
use occi_model::{Attribute, AttributeName, Constraint, Value, ValueType, core};
use std::collections::BTreeMap;

const TYPES: [ValueType; 6] = [
    ValueType::String,
    ValueType::Integer,
    ValueType::Number,
    ValueType::Boolean,
    ValueType::Array,
    ValueType::Object,
];

/// For whom attributes are declared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Of a Kind or a Mixin.
    Entity,
    /// The parameters of an action: each is the client's to give.
    Action,
}

/// All that can be read of them; the rest is reported. `managed` names those that the host sets itself.
pub(super) fn attributes(
    report: &mut Report<'_, '_>,
    place: &Place,
    forms: &BTreeMap<String, AttributeForm>,
    of: Of,
    managed: &[&str],
) -> Vec<Attribute> {
    let mut found = Vec::new();
    for (name, form) in forms {
        let place = place.key(name);
        let attribute = attribute(report, &place, name, form, of);
        if form.required
            && !form.mutable
            && form.default.is_none()
            && of == Of::Entity
            && !managed.contains(&name.as_str())
        {
            report.fault(
                &place.key("required"),
                "no client may set it, since it is not mutable; take `required` away, or add `mutable` or a `default`",
            );
        }
        found.extend(attribute);
    }
    found
}

fn attribute(
    report: &mut Report<'_, '_>,
    place: &Place,
    name: &str,
    form: &AttributeForm,
    of: Of,
) -> Option<Attribute> {
    let parsed = report.take(place, AttributeName::parse(name));
    if core::is_core(name) && of == Of::Entity {
        report.fault(place, "is an attribute of OCCI Core, which every entity has; choose another name");
    }
    let value_type = value_type(report, place, form.value_type.as_ref());
    if of == Of::Action && form.mutable {
        report.fault(
            &place.key("mutable"),
            "says nothing about a parameter, which clients give anyway; take it away",
        );
    }
    if of == Of::Action && form.compatibility.is_some() {
        report.fault(
            &place.key("compatibility"),
            "is for the action itself, and not for its parameters; take it away",
        );
    }
    if of == Of::Entity && form.becomes.is_some() {
        report.fault(&place.key("becomes"), "is for the parameters of actions; take it away");
    }
    let value_type = value_type?;
    let constraint = constraint(report, place, form, value_type);
    let default = form.default.as_ref().and_then(|value| {
        let place = place.key("default");
        let value = typed(report, &place, value, value_type)?;
        if let Some(breach) = constraint.breach(&value) {
            report.fault(&place, breach);
        }
        Some(value)
    });
    Some(Attribute {
        name: parsed?,
        value_type,
        mutable: form.mutable || of == Of::Action,
        required: form.required,
        default,
        constraint,
        description: form.description.clone(),
    })
}

fn value_type(report: &mut Report<'_, '_>, place: &Place, given: Option<&String>) -> Option<ValueType> {
    let given = report.required(place, "type", given, r#""string""#)?;
    let found = TYPES.into_iter().find(|known| known.name() == given);
    if found.is_none() {
        let names = TYPES.map(ValueType::name);
        let hint = match nearest(given, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the types are {}", names.join(", ")),
        };
        report.fault(&place.key("type"), format!("unknown type `{given}`; {hint}"));
    }
    found
}

fn constraint(
    report: &mut Report<'_, '_>,
    place: &Place,
    form: &AttributeForm,
    value_type: ValueType,
) -> Constraint {
    let is_number = matches!(value_type, ValueType::Integer | ValueType::Number);
    let is_text = value_type == ValueType::String;
    let mut only_for = |key: &str, given: bool, fits: bool, types: &str| {
        if given && !fits {
            report.fault(&place.key(key), format!("is for {types}; this is of type {value_type}"));
        }
    };
    only_for("minimum", form.minimum.is_some(), is_number, "integers and numbers");
    only_for("maximum", form.maximum.is_some(), is_number, "integers and numbers");
    only_for("pattern", form.pattern.is_some(), is_text, "strings");
    only_for("max-length", form.max_length.is_some(), is_text, "strings");

    for (key, bound) in [("minimum", form.minimum), ("maximum", form.maximum)] {
        if bound.is_some_and(|bound| !bound.is_finite()) {
            report.fault(&place.key(key), "is no number; leave it out for no bound");
        }
    }
    if let (Some(minimum), Some(maximum)) = (form.minimum, form.maximum)
        && minimum > maximum
    {
        report.fault(&place.key("minimum"), format!("is above the maximum, {maximum}"));
    }
    let place_of_choices = place.key("enum");
    if form.choices.as_ref().is_some_and(Vec::is_empty) {
        report.fault(&place_of_choices, "allows no value at all; name some, or leave it out");
    }
    let mut constraint = Constraint {
        choices: Vec::new(),
        regex: form.pattern.as_ref().and_then(|pattern| {
            let regex = regex::Regex::new(pattern).map_err(|error| error.to_string().replace('\n', " "));
            report.take(&place.key("pattern"), regex)
        }),
        minimum: form.minimum,
        maximum: form.maximum,
        max_length: form.max_length,
    };
    let choices = form.choices.iter().flatten().enumerate();
    let choices: Vec<_> = choices
        .filter_map(|(index, value)| {
            let place = place_of_choices.index(index);
            let value = typed(report, &place, value, value_type)?;
            if let Some(breach) = constraint.breach(&value) {
                report.fault(&place, breach);
            }
            Some(value)
        })
        .collect();
    constraint.choices = choices;
    constraint
}

/// The value as the type has it. An integer stands for a number; nothing else stands for another.
fn typed(
    report: &mut Report<'_, '_>,
    place: &Place,
    given: &toml::Value,
    wanted: ValueType,
) -> Option<Value> {
    let value = match value(given) {
        Ok(value) => value,
        Err(fault) => {
            report.fault(place, fault);
            return None;
        }
    };
    let is = value.type_name();
    // A quoted number is the number where a client sends it (Q-51); an author can leave the quotes out.
    let quoted = value.as_text().is_some() && wanted != ValueType::String;
    let accepted = if quoted { None } else { wanted.accept(value) };
    if accepted.is_none() {
        report.fault(place, format!("is {is}, and the type is {wanted}"));
    }
    accepted
}

fn value(given: &toml::Value) -> Result<Value, &'static str> {
    Ok(match given {
        toml::Value::String(text) => Value::Text(text.clone()),
        toml::Value::Integer(number) => Value::Integer(*number),
        toml::Value::Float(number) if number.is_finite() => Value::Number(*number),
        toml::Value::Float(_) => return Err("is no number that OCCI can render"),
        toml::Value::Boolean(truth) => Value::Boolean(*truth),
        toml::Value::Datetime(_) => {
            return Err("is a date, which OCCI has no type for; write it as a string");
        }
        toml::Value::Array(values) => Value::List(values.iter().map(value).collect::<Result<_, _>>()?),
        toml::Value::Table(values) => {
            let values = values.iter().map(|(name, given)| Ok((name.clone(), value(given)?)));
            Value::Hash(values.collect::<Result<_, &'static str>>()?)
        }
    })
}

//! The declaration of an attribute: its type, who may set it, what values it takes.

use crate::identifier::AttributeName;
use crate::value::Value;
use regex::Regex;
use std::fmt;

/// The declared type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Text.
    String,
    /// A number without a fraction; JSON renders it as `number` with a pattern that says `integer`.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list of values (the standard's 'List').
    Array,
    /// Values by name (the standard's 'Hash').
    Object,
}

impl ValueType {
    /// The name in a manifest and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    /// Whether its values hold others.
    pub fn is_structured(self) -> bool {
        matches!(self, Self::Array | Self::Object)
    }

    /// The value as this type has it, or none where it is of another. Numbers and booleans that a client has quoted
    /// are taken by the declared type (Q-51), and an integer is a number. What is not finite is no number.
    pub fn accept(self, value: Value) -> Option<Value> {
        match (self, value) {
            (Self::String, value @ Value::Text(_))
            | (Self::Integer, value @ Value::Integer(_))
            | (Self::Number, value @ Value::Number(_))
            | (Self::Boolean, value @ Value::Boolean(_))
            | (Self::Array, value @ Value::List(_))
            | (Self::Object, value @ Value::Hash(_)) => value.is_finite().then_some(value),
            #[allow(
                clippy::cast_precision_loss,
                reason = "an integer this large is no exact number in JSON either"
            )]
            (Self::Number, Value::Integer(number)) => Some(Value::Number(number as f64)),
            (Self::Integer, Value::Number(number)) => integral(number).map(Value::Integer),
            (Self::Integer, Value::Text(text)) => {
                let parsed = text.trim().parse().ok();
                parsed.or_else(|| text.trim().parse().ok().and_then(integral)).map(Value::Integer)
            }
            (Self::Number, Value::Text(text)) => {
                text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Number)
            }
            (Self::Boolean, Value::Text(text)) => match text.as_str() {
                "true" => Some(Value::Boolean(true)),
                "false" => Some(Value::Boolean(false)),
                _ => None,
            },
            (
                Self::String | Self::Integer | Self::Number | Self::Boolean | Self::Array | Self::Object,
                Value::Text(_)
                | Value::Integer(_)
                | Value::Number(_)
                | Value::Boolean(_)
                | Value::List(_)
                | Value::Hash(_),
            ) => None,
        }
    }
}

/// The integer that a number is, if it is one.
fn integral(number: f64) -> Option<i64> {
    // Above 2^53 a number no longer tells one integer from the next.
    #[allow(clippy::cast_possible_truncation, reason = "checked to have no fraction and to be in range")]
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What restricts the values further (CORE-12). JSON shows it as a JSON Schema, where `pattern` is the name.
#[derive(Debug, Clone, Default)]
pub struct Constraint {
    /// The only values allowed; empty for any.
    pub choices: Vec<Value>,
    /// What the whole text must match. The registry makes it so that it does.
    pub regex: Option<Regex>,
    /// The smallest number.
    pub minimum: Option<f64>,
    /// The largest number.
    pub maximum: Option<f64>,
    /// The longest text, in characters.
    pub max_length: Option<usize>,
}

impl Constraint {
    /// Whether any value is allowed.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
            && self.regex.is_none()
            && self.minimum.is_none()
            && self.maximum.is_none()
            && self.max_length.is_none()
    }

    /// What a value of the declared type must be and is not; none if it is allowed.
    pub fn breach(&self, value: &Value) -> Option<String> {
        if !self.choices.is_empty() && !self.choices.contains(value) {
            let choices: Vec<_> = self.choices.iter().map(ToString::to_string).collect();
            return Some(format!("must be one of {}", choices.join(", ")));
        }
        #[allow(clippy::cast_precision_loss, reason = "bounds are numbers")]
        let number = match value {
            Value::Integer(number) => Some(*number as f64),
            Value::Number(number) => Some(*number),
            Value::Text(_) | Value::Boolean(_) | Value::List(_) | Value::Hash(_) => None,
        };
        if let (Some(number), Some(minimum)) = (number, self.minimum)
            && number < minimum
        {
            return Some(format!("must be at least {minimum}"));
        }
        if let (Some(number), Some(maximum)) = (number, self.maximum)
            && number > maximum
        {
            return Some(format!("must be at most {maximum}"));
        }
        if let (Value::Text(text), Some(longest)) = (value, self.max_length)
            && text.chars().count() > longest
        {
            return Some(format!("must have at most {longest} characters"));
        }
        if let (Value::Text(text), Some(regex)) = (value, &self.regex)
            && regex.find(text).is_none_or(|found| found.range() != (0..text.len()))
        {
            return Some(format!("must match {regex}"));
        }
        None
    }
}

/// An attribute as a Kind, a Mixin or an Action declares it.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its flat name.
    pub name: AttributeName,
    /// The type of its values.
    pub value_type: ValueType,
    /// Whether a client may set and change it (CORE-02 to CORE-04).
    pub mutable: bool,
    /// Whether a client must give it at creation (CORE-11).
    pub required: bool,
    /// The value where a client gives none (JSON-07).
    pub default: Option<Value>,
    /// What restricts its values.
    pub constraint: Constraint,
    /// For people.
    pub description: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_numbers_are_taken_by_the_declared_type() {
        // Q-51
        assert_eq!(ValueType::Integer.accept("2".into()), Some(Value::Integer(2)));
        assert_eq!(ValueType::Number.accept("2.5e1".into()), Some(Value::Number(25.0)));
        assert_eq!(ValueType::Boolean.accept("true".into()), Some(Value::Boolean(true)));
        assert_eq!(ValueType::Integer.accept(Value::Number(4.0)), Some(Value::Integer(4)));
        for (wanted, value) in [
            (ValueType::Integer, Value::Number(4.5)),
            (ValueType::Integer, Value::Number(1e300)),
            (ValueType::Integer, "two".into()),
            (ValueType::Number, "NaN".into()),
            (ValueType::Number, "inf".into()),
            (ValueType::String, Value::Integer(2)),
            (ValueType::Boolean, "yes".into()),
        ] {
            assert_eq!(wanted.accept(value), None);
        }
    }

    #[test]
    fn a_constraint_says_what_would_be_right() {
        let choices = Constraint { choices: vec!["x86".into(), "x64".into()], ..Constraint::default() };
        assert_eq!(choices.breach(&"arm".into()).unwrap(), r#"must be one of "x86", "x64""#);
        let range = Constraint { minimum: Some(1.0), maximum: Some(4.0), ..Constraint::default() };
        assert_eq!(range.breach(&Value::Integer(0)).unwrap(), "must be at least 1");
        assert!(range.breach(&Value::Integer(4)).is_none());
        let regex = Constraint { regex: Some(Regex::new("[a-z]+|b1").unwrap()), ..Constraint::default() };
        assert!(regex.breach(&"ab1".into()).is_some(), "the whole text must match");
    }
}

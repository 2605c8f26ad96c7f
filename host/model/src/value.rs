//! Attribute values, before and after they are given the type that their attribute declares.

use std::collections::BTreeMap;
use std::fmt;

/// The value of an attribute (JSON-05 names the five types; an integer is a number without a fraction).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A number without a fraction.
    Integer(i64),
    /// A number; never NaN nor infinite.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// An array.
    List(Vec<Value>),
    /// An object.
    Hash(BTreeMap<String, Value>),
}

impl Value {
    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Number(_) | Self::Boolean(_) | Self::List(_) | Self::Hash(_) => None,
        }
    }

    /// Whether every number in it is one that can be rendered.
    pub fn is_finite(&self) -> bool {
        match self {
            Self::Number(number) => number.is_finite(),
            Self::List(values) => values.iter().all(Self::is_finite),
            Self::Hash(values) => values.values().all(Self::is_finite),
            Self::Text(_) | Self::Integer(_) | Self::Boolean(_) => true,
        }
    }

    /// What messages call it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::List(_) => "an array",
            Self::Hash(_) => "an object",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

/// For messages; the renderings have their own forms.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.chars().count() > 80 => {
                write!(f, "\"{}...\"", text.chars().take(77).collect::<String>().escape_debug())
            }
            Self::Text(text) => write!(f, "\"{}\"", text.escape_debug()),
            Self::Integer(number) => write!(f, "{number}"),
            // With an exponent where it would be all zeros.
            Self::Number(number) if number.abs() >= 1e16 => write!(f, "{number:e}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::List(_) | Self::Hash(_) => f.write_str(self.type_name()),
        }
    }
}

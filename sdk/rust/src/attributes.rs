//! Attributes and how they are read: by name, with the type that the manifest declares.

pub use crate::bindings::imports::occi::extension::types::{Attribute, Value};

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

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

/// Typed reads of attributes. Each answers none where the attribute is not there, or is of another type than the one
/// asked for: the host has checked the type against the manifest, so that is a slip of the extension's author.
pub trait Read {
    /// The value as it is.
    fn get(&self, name: &str) -> Option<Value>;

    /// An attribute of type 'string'.
    fn text(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// An attribute of type 'integer'.
    fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Value::Integer(number)) => Some(number),
            _ => None,
        }
    }

    /// An attribute of type 'number'.
    fn number(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// An attribute of type 'boolean'.
    fn boolean(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some(Value::Boolean(truth)) => Some(truth),
            _ => None,
        }
    }

    /// An attribute of type 'array' or 'object', as a JSON document.
    fn json(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some(Value::Structured(json)) => Some(json),
            _ => None,
        }
    }
}

/// Attributes that come with a call: the parameters of an action, or those that a client wants to change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Whether there is one with that name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|attribute| attribute.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Attribute> {
        self.0.iter()
    }

    /// The attributes of `old`, with these over them: what an entity will show after an update.
    pub fn over<'a>(&'a self, old: &'a dyn Read) -> impl Read + 'a {
        Over { new: self, old }
    }
}

impl Read for Attributes {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.value.clone())
    }
}

impl From<Vec<Attribute>> for Attributes {
    fn from(attributes: Vec<Attribute>) -> Self {
        Self(attributes)
    }
}

/// `Attributes::from([("method", "graceful")])`, mostly for tests.
impl<V: Into<Value>, const N: usize> From<[(&str, V); N]> for Attributes {
    fn from(attributes: [(&str, V); N]) -> Self {
        Self(
            attributes
                .into_iter()
                .map(|(name, value)| Attribute { name: name.into(), value: value.into() })
                .collect(),
        )
    }
}

/// Two sources of attributes, the first of which wins.
struct Over<'a> {
    new: &'a Attributes,
    old: &'a dyn Read,
}

impl Read for Over<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        self.new.get(name).or_else(|| self.old.get(name))
    }
}

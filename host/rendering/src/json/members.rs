//! Takes the members of one JSON object by name, each as the type it must have, with the place of what is wrong.

use crate::error::{Malformed, Place, excerpt, suggestion};
use occi_model::{CategoryId, Value};
use std::collections::BTreeMap;
use std::fmt;

/// The way from the document to a value in it (RFC 6901), spelled out only where a message needs it.
#[derive(Clone, Copy)]
pub(super) enum Pointer<'a> {
    Root,
    Member(&'a Self, &'a str),
    Element(&'a Self, usize),
}

impl Pointer<'_> {
    pub(super) fn error(&self, problem: impl fmt::Display) -> Malformed {
        Malformed { place: Place::Json(self.to_string()), problem: problem.to_string() }
    }

    /// A value of another type was expected.
    pub(super) fn expected(&self, what: &str, found: &Value) -> Malformed {
        self.error(format!("expected {what}, found {}", found.type_name()))
    }
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => {
                write!(f, "{parent}/{}", excerpt(&name.replace('~', "~0").replace('/', "~1")))
            }
            Self::Element(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// The members of an object that were not taken yet.
pub(super) struct Members<'a> {
    members: BTreeMap<String, Value>,
    pub(super) pointer: Pointer<'a>,
}

impl<'a> Members<'a> {
    /// Of an object whose members have these names and no others. `form` shows a right one.
    pub(super) fn new(
        members: BTreeMap<String, Value>,
        pointer: Pointer<'a>,
        known: &[&str],
        form: &str,
    ) -> Result<Self, Malformed> {
        if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
            let problem = format!("unknown member {}. The form is: {form}", suggestion(name, known));
            return Err(Pointer::Member(&pointer, name).error(problem));
        }
        Ok(Self { members, pointer })
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Malformed> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => text(value, Pointer::Member(&self.pointer, name)).map(Some),
        }
    }

    pub(super) fn identifier(&mut self, name: &str) -> Result<Option<CategoryId>, Malformed> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => identifier(value, Pointer::Member(&self.pointer, name)).map(Some),
        }
    }

    pub(super) fn identifiers(&mut self, name: &str) -> Result<Vec<CategoryId>, Malformed> {
        let mut ids = Vec::new();
        self.each(name, |element, pointer| {
            ids.push(identifier(element, pointer)?);
            Ok(())
        })?;
        Ok(ids)
    }

    /// Gives each element of an array to `element`; a member that is not there has none.
    pub(super) fn each(
        &mut self,
        name: &str,
        mut element: impl FnMut(Value, Pointer<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let pointer = Pointer::Member(&self.pointer, name);
        match self.members.remove(name) {
            None => Ok(()),
            Some(Value::List(elements)) => {
                let mut elements = elements.into_iter().enumerate();
                elements.try_for_each(|(index, value)| element(value, Pointer::Element(&pointer, index)))
            }
            Some(other) => Err(pointer.expected("an array", &other)),
        }
    }

    /// The members of an object; a member that is not there has none.
    pub(super) fn object(&mut self, name: &str) -> Result<BTreeMap<String, Value>, Malformed> {
        match self.take(name) {
            None => Ok(BTreeMap::new()),
            Some(value) => object(value, Pointer::Member(&self.pointer, name)),
        }
    }
}

pub(super) fn text(value: Value, pointer: Pointer<'_>) -> Result<String, Malformed> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(pointer.expected("a string", &other)),
    }
}

pub(super) fn object(value: Value, pointer: Pointer<'_>) -> Result<BTreeMap<String, Value>, Malformed> {
    match value {
        Value::Hash(members) => Ok(members),
        other => Err(pointer.expected("an object", &other)),
    }
}

fn identifier(value: Value, pointer: Pointer<'_>) -> Result<CategoryId, Malformed> {
    CategoryId::parse(&text(value, pointer)?).map_err(|invalid| pointer.error(invalid))
}

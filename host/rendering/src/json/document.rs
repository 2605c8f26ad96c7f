//! A JSON text as a value of the model, before anyone asks what it says: its syntax, that no name stands twice in one
//! object, and that it is not nested too deep nor too large.

use crate::error::{Malformed, Place, excerpt};
use crate::limit::{MAX_DEPTH, MAX_ITEMS, MAX_PARTS};
use occi_model::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// Any JSON text.
pub(crate) fn read(body: &[u8]) -> Result<Value, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parts = Cell::new(0);
    let document =
        Node { depth: 0, parts: &parts }.deserialize(&mut deserializer).map_err(|error| malformed(&error))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(document)
}

fn malformed(error: &serde_json::Error) -> Malformed {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let problem = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message);
    Malformed { place: Place::Body { line, column }, problem: problem.into() }
}

#[derive(Clone, Copy)]
struct Node<'a> {
    /// How many arrays and objects it is in.
    depth: usize,
    /// How many objects and members of objects there were until here.
    parts: &'a Cell<usize>,
}

impl Node<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH} arrays and objects")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    /// Counts an object or a member.
    fn count<E: Error>(self) -> Result<(), E> {
        if self.parts.replace(self.parts.get() + 1) == MAX_PARTS {
            return Err(E::custom(format!(
                "more than {MAX_PARTS} objects and members in one body; send several requests"
            )));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a string, a number, a boolean, an array or an object (leave a member out instead of `null`)",
        )
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Boolean(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "an integer this large is no exact number in JSON either"
        )]
        Ok(i64::try_from(number).map_or(Value::Number(number as f64), Value::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(inside)? {
            list.push(element);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        self.count()?;
        let mut hash = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            self.count()?;
            if hash.len() == MAX_ITEMS {
                return Err(A::Error::custom(format!("more than {MAX_ITEMS} members in one object")));
            }
            match hash.entry(name) {
                Entry::Vacant(place) => place.insert(members.next_value_seed(inside)?),
                Entry::Occupied(place) => {
                    let name = excerpt(place.key());
                    return Err(A::Error::custom(format!("`{name}` is given twice in one object")));
                }
            };
        }
        Ok(Value::Hash(hash))
    }
}

//! application/occi+json (GFD.226), which application/json is taken for too.

mod document;
mod members;
mod read;
mod write;

use serde_json::Value;

pub(crate) use document::read as parse_value;
pub(crate) use read::parse;
pub(crate) use write::{entity, to_body, value};

/// Whether a body lists nothing in so many words: `[]`, or an object of such lists. `{}` does not say that there is nothing.
pub fn lists_nothing(body: &[u8]) -> bool {
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    match serde_json::from_slice(body) {
        Ok(Value::Object(lists)) => !lists.is_empty() && lists.values().all(is_empty),
        Ok(value) => is_empty(&value),
        Err(_) => false,
    }
}

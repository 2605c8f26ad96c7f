//! application/occi+json (GFD.226), which application/json is taken for too (Q-21).

mod document;
mod members;
mod read;
mod write;

use crate::quirks;
use serde_json::Value;

pub(crate) use document::read as parse_value;
pub(crate) use read::parse;
pub(crate) use write::{entity, to_body, value};

/// The lists of a document that hold entities.
const ENTITIES: [&str; 3] = ["resources", "links", quirks::LOCATIONS];

/// Whether a body lists no entities in so many words: `[]`, or an object of such lists of entities and nothing else. `{}`
/// does not say that there are none, and a list of categories says nothing of entities.
pub fn lists_nothing(body: &[u8]) -> bool {
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    match serde_json::from_slice(quirks::without_byte_order_mark(body)) {
        Ok(Value::Object(lists)) => {
            !lists.is_empty()
                && lists.iter().all(|(name, list)| ENTITIES.contains(&name.as_str()) && is_empty(list))
        }
        Ok(value) => is_empty(&value),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http30_only_an_empty_list_of_entities_lists_nothing() {
        for body in [
            "[]",
            " [ ]\r\n",
            "\u{feff}[]",
            r#"{"resources": []}"#,
            r#"{"links": []}"#,
            r#"{"locations": []}"#,
            r#"{"resources": [], "links": []}"#,
        ] {
            assert!(lists_nothing(body.as_bytes()), "{body}");
        }
        for body in [
            "",
            "\r\n",
            "{}",
            "[[]]",
            r#"{"mixins": []}"#,
            r#"{"kinds": [], "actions": []}"#,
            r#"{"resources": [], "mixins": []}"#,
            r#"{"resources": {}}"#,
            r#"{"resources": ["/a/1"]}"#,
        ] {
            assert!(!lists_nothing(body.as_bytes()), "{body}");
        }
    }
}

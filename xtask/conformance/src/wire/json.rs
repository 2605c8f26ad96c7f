//! An entity in JSON (GFD.226), read into the form that the text renderings are read into, so that what is asked of an
//! entity is asked of it in every rendering. Faults are not looked for here; `schema` does that.

use serde_json::Value;

use super::category::{Category, Class};
use super::text::{Line, Link, Text};

/// What an object says of an entity; of anything else, next to nothing.
pub(crate) fn entity(object: &Value) -> Text {
    let mut text = Text::default();
    let kind = object["kind"].as_str().map(|id| (id, Class::Kind));
    let mixins = object["mixins"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for (id, class) in kind.into_iter().chain(mixins.map(|id| (id, Class::Mixin))) {
        text.categories.push(Category::named(id, class));
        text.lines.push(Line::Category);
    }
    for link in object["links"].as_array().into_iter().flatten() {
        let of = |value: &Value| value.as_str().map(str::to_owned);
        text.links.push(Link {
            target: of(&link["target"]["location"]).unwrap_or_default(),
            rel: of(&link["target"]["kind"]).unwrap_or_default(),
            own: None,
            category: of(&link["kind"]),
        });
        text.lines.push(Line::Link);
    }
    let members = [
        ("occi.core.id", &object["id"]),
        ("occi.core.title", &object["title"]),
        ("occi.core.summary", &object["summary"]),
        ("occi.core.source", &object["source"]["location"]),
        ("occi.core.target", &object["target"]["location"]),
    ];
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    let attributes = object["attributes"].as_object().into_iter().flatten();
    for (name, value) in members.chain(attributes.map(|(name, value)| (name.as_str(), value))) {
        text.attributes.push((name.to_owned(), value.clone()));
        text.lines.push(Line::Attribute);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_attributes_of_the_core() {
        let link = json!({"kind": "http://a#l", "target": {"location": "/c/1", "kind": "http://a#c"}});
        let text = entity(&json!({
            "kind": "http://a#b", "mixins": ["http://a#m"], "id": "urn:x", "title": "t",
            "attributes": {"a.n": 2}, "links": [link],
        }));
        assert!(text.has("http://a#b") && text.has("http://a#m"));
        assert_eq!(text.attribute("occi.core.title"), Some(&json!("t")));
        assert_eq!(text.attribute("a.n"), Some(&json!(2)));
        assert_eq!(text.relations().next().map(|link| link.target.as_str()), Some("/c/1"));
    }
}

//! An entity that is to be made, in every form in which it can be asked for.

use serde_json::{Map, Value, json};

/// What a creation says.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The Kind's scheme, with its mark at the end.
    pub(crate) scheme: String,
    pub(crate) term: String,
    /// Where the Kind's collection is.
    pub(crate) location: String,
    /// Mixins, as scheme and term.
    pub(crate) mixins: Vec<(String, String)>,
    pub(crate) attributes: Vec<(String, Value)>,
    pub(crate) links: Vec<Inline>,
}

/// A link that is to be made together with its source.
#[derive(Debug, Clone)]
pub(crate) struct Inline {
    /// The link's own Kind.
    pub(crate) kind: String,
    /// The path of the target, and its Kind.
    pub(crate) target: (String, String),
    pub(crate) attributes: Vec<(String, Value)>,
}

impl Inline {
    /// The line `Link`.
    fn line(&self) -> String {
        let (path, rel) = &self.target;
        let given = self
            .attributes
            .iter()
            .fold(String::new(), |all, (name, value)| all + "; " + name + "=" + &quoted(value));
        format!("Link: <{path}>; rel=\"{rel}\"; category=\"{}\"{given}", self.kind)
    }

    /// The object of JSON, whose source is where it stands.
    fn json(&self) -> Value {
        let (path, rel) = &self.target;
        let (titles, attributes): (Vec<_>, Vec<_>) =
            self.attributes.iter().cloned().partition(|(name, _)| name == "occi.core.title");
        let attributes: Map<_, _> = attributes.into_iter().collect();
        let mut link =
            json!({"kind": self.kind, "target": {"location": path, "kind": rel}, "attributes": attributes});
        if let Some((_, title)) = titles.into_iter().next() {
            link["title"] = title;
        }
        link
    }
}

/// A line `Category`.
pub(crate) fn category(term: &str, scheme: &str, class: &str) -> String {
    format!("Category: {term}; scheme=\"{scheme}\"; class=\"{class}\"")
}

/// A line `X-OCCI-Attribute`.
pub(crate) fn attribute(name: &str, value: &Value) -> String {
    format!("X-OCCI-Attribute: {name}={}", quoted(value))
}

/// A line `X-OCCI-Location`.
pub(crate) fn location(url: &str) -> String {
    format!("X-OCCI-Location: {url}")
}

/// A value of an attribute as text has it.
pub(crate) fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        other => other.to_string(),
    }
}

impl Draft {
    /// The Kind's identifier.
    pub(crate) fn kind(&self) -> String {
        format!("{}{}", self.scheme, self.term)
    }

    /// The line of its Kind.
    pub(crate) fn category(&self) -> String {
        category(&self.term, &self.scheme, "kind")
    }

    /// With an attribute more, or with another value for it.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.retain(|(known, _)| known != name);
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// With several.
    pub(crate) fn with_all(self, attributes: &[(String, Value)]) -> Self {
        attributes.iter().fold(self, |draft, (name, value)| draft.with(name, value.clone()))
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.attributes.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn mixin(mut self, (scheme, term): (&str, &str)) -> Self {
        self.mixins.push((scheme.to_owned(), term.to_owned()));
        self
    }

    pub(crate) fn link(mut self, link: Inline) -> Self {
        self.links.push(link);
        self
    }

    /// The lines of text/plain.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.category()];
        lines.extend(self.mixins.iter().map(|(scheme, term)| category(term, scheme, "mixin")));
        lines.extend(self.links.iter().map(Inline::line));
        lines.extend(self.attributes.iter().map(|(name, value)| attribute(name, value)));
        lines
    }

    /// The object of JSON. What JSON has as members is not among the attributes there.
    pub(crate) fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("kind".into(), self.kind().into());
        if !self.mixins.is_empty() {
            object.insert(
                "mixins".into(),
                self.mixins.iter().map(|(scheme, term)| format!("{scheme}{term}")).collect(),
            );
        }
        let mut attributes = Map::new();
        for (name, value) in &self.attributes {
            match name.as_str() {
                "occi.core.id" | "occi.core.title" | "occi.core.summary" => {
                    object.insert(name.trim_start_matches("occi.core.").into(), value.clone());
                }
                "occi.core.source" | "occi.core.target" => {
                    object.insert(name.trim_start_matches("occi.core.").into(), json!({"location": value}));
                }
                _ => {
                    attributes.insert(name.clone(), value.clone());
                }
            }
        }
        if !attributes.is_empty() {
            object.insert("attributes".into(), attributes.into());
        }
        if !self.links.is_empty() {
            object.insert("links".into(), self.links.iter().map(Inline::json).collect());
        }
        object.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_say_the_same() {
        let draft = Draft {
            scheme: "http://a#".into(),
            term: "b".into(),
            location: "/b/".into(),
            mixins: Vec::new(),
            attributes: Vec::new(),
            links: Vec::new(),
        };
        let draft = draft.with("occi.core.title", "x \"y\"").with("a.n", 2).mixin(("http://c#", "d"));
        assert_eq!(
            draft.lines(),
            [
                "Category: b; scheme=\"http://a#\"; class=\"kind\"",
                "Category: d; scheme=\"http://c#\"; class=\"mixin\"",
                "X-OCCI-Attribute: occi.core.title=\"x \\\"y\\\"\"",
                "X-OCCI-Attribute: a.n=2",
            ]
        );
        let wanted = json!({"kind": "http://a#b", "mixins": ["http://c#d"], "title": "x \"y\"", "attributes": {"a.n": 2}});
        assert_eq!(draft.json(), wanted);
    }
}

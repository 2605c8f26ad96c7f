//! The three text renderings (GFD.229), read into one form.

use std::collections::BTreeSet;

use serde_json::{Number, Value};

use super::category::{self, Category, is_name};
use super::scan::{Parameter, Scan};
use super::{Fault, is_reference, is_uri};
use crate::client::path_of;

/// What a text says, as far as it can be understood.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) categories: Vec<Category>,
    pub(crate) links: Vec<Link>,
    pub(crate) attributes: Vec<(String, Value)>,
    /// URLs or paths, of X-OCCI-Location and of uri-list.
    pub(crate) locations: Vec<String>,
    /// What each line is that can be understood, in order.
    pub(crate) lines: Vec<Line>,
    pub(crate) faults: Vec<Fault>,
}

/// The kinds of lines, in the order in which an entity shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    Category,
    Link,
    Attribute,
    Location,
}

/// A link to another resource, or to an action.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) target: String,
    /// The Kind of the target, or the action.
    pub(crate) rel: String,
    /// The link instance; none of an action.
    pub(crate) own: Option<String>,
    /// The Kind and Mixins of the link, separated by spaces.
    pub(crate) category: Option<String>,
}

impl Link {
    pub(crate) fn is_action(&self) -> bool {
        self.target.contains("?action=")
    }
}

impl Text {
    /// An attribute's value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The links to resources.
    pub(crate) fn relations(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| !link.is_action())
    }

    /// The links to actions.
    pub(crate) fn actions(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| link.is_action())
    }

    /// Whether one of the Categories has this identifier.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.categories.iter().any(|category| category.id() == id)
    }

    /// The identifiers of all that an entity is, which was made with a Kind.
    pub(crate) fn types(&self, kind: String) -> Vec<String> {
        self.categories.iter().map(Category::id).chain([kind]).collect()
    }

    /// All that it says, each thing in one form.
    pub(crate) fn facts(&self) -> BTreeSet<String> {
        let categories = self.categories.iter().map(|category| format!("the Category {}", category.id()));
        let links = self.links.iter().map(|link| {
            let (target, own) = (path_of(&link.target), link.own.as_deref().map(path_of));
            format!(
                "the Link to {target} with rel {}, self {own:?} and category {:?}",
                link.rel, link.category
            )
        });
        // Whether a value is rightly quoted is another question.
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let attributes =
            self.attributes.iter().map(|(name, value)| format!("the attribute {name}={}", plain(value)));
        categories.chain(links).chain(attributes).collect()
    }

    fn fault(&mut self, clause: &'static str, what: impl Into<String>) {
        self.faults.push(Fault { clause, what: what.into() });
    }

    /// One line by its name and value; false where there is no such line.
    fn line(&mut self, name: &str, value: &str) -> bool {
        let line = match name {
            "Category" => {
                let categories = category::list(value, &mut self.faults);
                self.categories.extend(categories);
                Line::Category
            }
            "Link" => {
                self.links(value);
                Line::Link
            }
            "X-OCCI-Attribute" => {
                self.attribute_list(value);
                Line::Attribute
            }
            "X-OCCI-Location" => {
                for location in value.split(',').map(str::trim) {
                    if !is_reference(location) || location.is_empty() {
                        self.fault("TXT-02", format!("X-OCCI-Location: '{location}' is no URI"));
                    }
                    self.locations.push(location.to_owned());
                }
                Line::Location
            }
            _ => return false,
        };
        self.lines.push(line);
        true
    }

    fn links(&mut self, value: &str) {
        let mut scan = Scan::new(value);
        loop {
            scan.spaces();
            let opened = scan.eat('<');
            let target = scan.until(&['>']);
            if !opened || !scan.eat('>') {
                return self.fault("TXT-02", "Link: the target is not between < and >");
            }
            if !is_reference(target) {
                self.fault("TXT-02", format!("Link: '{target}' is no URI"));
            }
            match scan.parameters() {
                Ok(parameters) => self.link(target, &parameters),
                Err(what) => self.fault("TXT-02", format!("Link <{target}>: {what}")),
            }
            if scan.eat(',') {
                continue;
            }
            if !scan.is_at_end() {
                self.fault("TXT-02", format!("Link <{target}>: something follows that is no parameter"));
            }
            return;
        }
    }

    fn link(&mut self, target: &str, parameters: &[Parameter<'_>]) {
        let mut link = Link { target: target.to_owned(), rel: String::new(), own: None, category: None };
        for (place, parameter) in parameters.iter().enumerate() {
            let named = matches!(parameter.name, "rel" | "self" | "category");
            let wrong = match parameter.name {
                _ if named && !parameter.quoted => "is not quoted",
                "rel" if place != 0 => "does not come first",
                "self" | "category" if link.is_action() => "does not belong to an action",
                _ if !named && link.is_action() => "does not belong to an action",
                _ if !named && !is_name(parameter.name) => "is no name of an attribute",
                _ => "",
            };
            if !wrong.is_empty() {
                self.fault("TXT-02", format!("Link <{target}>: '{}' {wrong}", parameter.name));
            }
            match parameter.name {
                "rel" => link.rel = parameter.value.to_string(),
                "self" => link.own = Some(parameter.value.to_string()),
                "category" => link.category = Some(parameter.value.to_string()),
                _ => {}
            }
        }
        if link.rel.is_empty() {
            self.fault("TXT-02", format!("Link <{target}>: rel is missing"));
        }
        self.links.push(link);
    }

    fn attribute_list(&mut self, value: &str) {
        let mut scan = Scan::new(value);
        loop {
            scan.spaces();
            let parameter = match scan.parameter() {
                Ok(parameter) => parameter,
                Err(what) => return self.fault("TXT-02", format!("X-OCCI-Attribute: {what}")),
            };
            let name = parameter.name;
            if !is_name(name) {
                self.fault("TXT-02", format!("X-OCCI-Attribute: '{name}' is no name of an attribute"));
            }
            let value = if parameter.quoted {
                Value::String(parameter.value.into_owned())
            } else {
                self.bare(name, &parameter.value)
            };
            self.attributes.push((name.to_owned(), value));
            scan.spaces();
            if scan.eat(',') {
                continue;
            }
            if !scan.is_at_end() {
                self.fault("TXT-05", format!("{name}: something follows the value that is not quoted"));
            }
            return;
        }
    }

    /// A value without quotation marks: a number, true or false.
    fn bare(&mut self, name: &str, value: &str) -> Value {
        let digits = |part: &str| part.chars().all(|character| character.is_ascii_digit());
        let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
        let number = !value.is_empty() && digits(whole) && digits(fraction);
        match (value, number) {
            ("true", _) => Value::Bool(true),
            ("false", _) => Value::Bool(false),
            // A number beyond what JSON's can hold stays a text; comparing it is no part of the grammar.
            (_, true) => value.parse().map_or_else(|_| value.into(), |number: Number| number.into()),
            _ => {
                let clause = if value.contains([' ', ';', ',', '=', '"']) { "TXT-05" } else { "TXT-02" };
                self.fault(clause, format!("{name}: the string {value} is not quoted"));
                value.into()
            }
        }
    }
}

/// A body of text/plain: a line each, ended by CRLF.
pub(crate) fn plain(body: &str) -> Text {
    let mut text = Text::default();
    if body.replace("\r\n", "").contains(['\r', '\n']) {
        text.fault("TXT-02", "a line does not end with CRLF");
    }
    for line in body.lines().filter(|line| !line.is_empty()) {
        let known = line.split_once(':').is_some_and(|(name, value)| text.line(name, value.trim()));
        if !known {
            text.fault("TXT-02", format!("there is no such line: {line}"));
        }
    }
    text
}

/// The headers of text/occi, each joined to one list.
pub(crate) fn headers(header: impl Fn(&str) -> String) -> Text {
    let mut text = Text::default();
    for name in ["Category", "Link", "X-OCCI-Attribute", "X-OCCI-Location"] {
        let value = header(name);
        if !value.is_empty() {
            text.line(name, &value);
        }
    }
    text
}

/// A body of text/uri-list (RFC 2483): a URI each line, or a comment.
pub(crate) fn uri_list(body: &str) -> Text {
    let mut text = Text::default();
    if body.replace("\r\n", "").contains(['\r', '\n']) {
        text.fault("TXT-08", "a line does not end with CRLF");
    }
    for line in body.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if is_uri(line) {
            text.lines.push(Line::Location);
        } else {
            text.fault("TXT-08", format!("'{line}' is no URI"));
        }
        text.locations.push(line.to_owned());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(text: &Text) -> Vec<&str> {
        text.faults.iter().map(|fault| fault.what.as_str()).collect()
    }

    #[test]
    fn a_resource() {
        let text = plain(concat!(
            "Category: compute; scheme=\"http://a#\"; class=\"kind\"\r\n",
            "Link: </network/9>; rel=\"http://a#network\"; self=\"/ni/3\"; category=\"http://a#ni\"; x.mac=\"00:11\"\r\n",
            "Link: </compute/1?action=start>; rel=\"http://a/action#start\"\r\n",
            "X-OCCI-Attribute: a.b=\"x, y; \\\"z\\\"\"\r\n",
            "X-OCCI-Attribute: a.c=4.0, a.d=true\r\n",
        ));
        assert_eq!(faults(&text), [""; 0]);
        assert!(text.has("http://a#compute"));
        assert_eq!(text.relations().next().and_then(|link| link.own.as_deref()), Some("/ni/3"));
        assert_eq!(text.actions().count(), 1);
        assert_eq!(text.attribute("a.b"), Some(&json!("x, y; \"z\"")));
        assert_eq!((text.attribute("a.c"), text.attribute("a.d")), (Some(&json!(4.0)), Some(&json!(true))));
        assert!(text.lines.is_sorted());
    }

    #[test]
    fn each_fault_is_of_its_clause() {
        for (line, clause) in [
            ("X-OCCI-Attribute: a=b\r\n", "TXT-02"),
            ("X-OCCI-Attribute: a=b c\r\n", "TXT-05"),
            ("X-OCCI-Attribute: a=\"b\" c\r\n", "TXT-05"),
            ("X-OCCI-Attribute: a=-1\r\n", "TXT-02"),
            ("X-OCCI-Attribute: a=\"b\"\n", "TXT-02"),
            ("x-occi-attribute: a=\"b\"\r\n", "TXT-02"),
            ("Link: /a; rel=\"b\"\r\n", "TXT-02"),
            ("Link: </a>; self=\"b\"\r\n", "TXT-02"),
            ("Link: </a?action=b>; rel=\"c#b\"; x=\"y\"\r\n", "TXT-02"),
            ("X-OCCI-Location: a b\r\n", "TXT-02"),
            ("nothing\r\n", "TXT-02"),
        ] {
            let found = plain(line).faults;
            assert!(found.iter().any(|fault| fault.clause == clause), "{line}: {found:?}");
        }
        assert_eq!(uri_list("/compute/1\r\n").faults[0].clause, "TXT-08");
        assert_eq!(uri_list("http://a/1\nhttp://a/2\n").faults[0].clause, "TXT-08");
        assert!(uri_list("# two\r\nhttp://a/1\r\nhttp://a/2\r\n").faults.is_empty());
    }

    #[test]
    fn headers_are_lists() {
        let text = headers(|name| match name {
            "X-OCCI-Attribute" => "a=\"b, c\", d=2".into(),
            "X-OCCI-Location" => "http://a/1, http://a/2".into(),
            _ => String::new(),
        });
        assert_eq!(faults(&text), [""; 0]);
        assert_eq!((text.attributes.len(), text.locations.len()), (2, 2));
    }
}

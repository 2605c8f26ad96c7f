//! A Category as text renders it: an identifier, or a whole type in the query interface.

use super::Fault;
use super::is_reference;
use super::scan::{Parameter, Scan};

/// Kind, Mixin or Action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Kind,
    Mixin,
    Action,
}

/// One Category, as far as it can be understood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Category {
    pub(crate) term: String,
    pub(crate) scheme: String,
    /// None where it is missing or unknown.
    pub(crate) class: Option<Class>,
    pub(crate) title: Option<String>,
    pub(crate) rel: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) attributes: Vec<AttributeMark>,
    pub(crate) actions: Vec<String>,
}

/// An attribute as a Category declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttributeMark {
    pub(crate) name: String,
    pub(crate) immutable: bool,
    pub(crate) required: bool,
}

impl Category {
    /// The one with this identifier.
    pub(super) fn named(id: &str, class: Class) -> Self {
        let (scheme, term) = id.split_at(id.rfind('#').map_or(0, |mark| mark + 1));
        Self { scheme: scheme.into(), term: term.into(), class: Some(class), ..Self::default() }
    }

    /// Scheme and term.
    pub(crate) fn id(&self) -> String {
        format!("{}{}", self.scheme, self.term)
    }
}

/// The parameters in the order of the grammar.
const ORDER: [&str; 7] = ["scheme", "class", "title", "rel", "location", "attributes", "actions"];

/// The value of a line `Category:`, a comma list.
pub(super) fn list(value: &str, faults: &mut Vec<Fault>) -> Vec<Category> {
    let mut scan = Scan::new(value);
    let mut categories = Vec::new();
    loop {
        scan.spaces();
        let term = scan.until(&[';', ',']).trim_end();
        match scan.parameters() {
            Ok(parameters) => categories.push(category(term, &parameters, faults)),
            Err(what) => faults.push(fault(format!("Category {term}: {what}"))),
        }
        if scan.eat(',') {
            continue;
        }
        if !scan.is_at_end() {
            faults.push(fault(format!("Category {term}: something follows that is no parameter")));
        }
        return categories;
    }
}

fn category(term: &str, parameters: &[Parameter<'_>], faults: &mut Vec<Fault>) -> Category {
    let mut category = Category { term: term.to_owned(), ..Category::default() };
    let mut say = |what: &str| faults.push(fault(format!("Category {term}: {what}")));
    if !is_name(term) {
        say("the term is no token");
    }
    let mut last = None;
    for Parameter { name, value, quoted } in parameters {
        let Some(place) = ORDER.iter().position(|known| known == name) else {
            say(&format!("there is no parameter '{name}'"));
            continue;
        };
        if last.is_some_and(|last| last >= place) {
            say(&format!("'{name}' stands at the wrong place, or twice"));
        }
        last = last.max(Some(place));
        if !quoted && *name != "class" {
            say(&format!("'{name}' is not quoted"));
        }
        let words = || value.split(' ').filter(|word| !word.is_empty());
        match *name {
            "scheme" => category.scheme = value.to_string(),
            "class" => category.class = class(value),
            "title" => category.title = Some(value.to_string()),
            "rel" => category.rel = Some(value.to_string()),
            "location" => category.location = Some(value.to_string()),
            "attributes" => category.attributes = marks(value, &mut say),
            _ => category.actions = words().map(str::to_owned).collect(),
        }
    }
    if category.scheme.is_empty() {
        say("the scheme is missing");
    }
    if category.class.is_none() {
        say("the class is none of kind, mixin, action");
    }
    if category.location.as_deref().is_some_and(|location| !is_reference(location) && !location.contains('{'))
    {
        say("the location is no URI");
    }
    category
}

fn class(value: &str) -> Option<Class> {
    match value {
        "kind" => Some(Class::Kind),
        "mixin" => Some(Class::Mixin),
        "action" => Some(Class::Action),
        _ => None,
    }
}

/// `name{immutable required} name ...`; the spaces within braces separate nothing.
fn marks(value: &str, say: &mut impl FnMut(&str)) -> Vec<AttributeMark> {
    let mut scan = Scan::new(value);
    let mut marks = Vec::new();
    loop {
        scan.spaces();
        if scan.is_at_end() {
            return marks;
        }
        let name = scan.until(&[' ', '{']);
        if !is_name(name) {
            say(&format!("'{name}' is no name of an attribute"));
        }
        let mut mark = AttributeMark { name: name.to_owned(), immutable: false, required: false };
        if scan.eat('{') {
            for property in scan.until(&['}']).split(' ').filter(|word| !word.is_empty()) {
                match property {
                    "immutable" => mark.immutable = true,
                    "required" => mark.required = true,
                    other => say(&format!("'{other}' is no property of an attribute")),
                }
            }
            if !scan.eat('}') {
                say(&format!("the properties of {name} do not end"));
            }
        } else if name.is_empty() {
            return marks;
        }
        marks.push(mark);
    }
}

/// A term, or the name of an attribute.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn fault(what: String) -> Fault {
    Fault { clause: "TXT-02", what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> (Vec<Category>, Vec<String>) {
        let mut faults = Vec::new();
        let categories = list(value, &mut faults);
        (categories, faults.into_iter().map(|fault| fault.what).collect())
    }

    #[test]
    fn a_whole_kind() {
        let (read, faults) = read(
            r#"storage; scheme="http://a/b#"; class="kind"; title="S, \"t\""; rel="http://a/c#r"; location="/s/"; attributes="x.id{immutable required} x.size{required} y"; actions="http://a/d#on http://a/d#off""#,
        );
        assert_eq!(faults, [""; 0]);
        assert_eq!(read[0].id(), "http://a/b#storage");
        assert_eq!(read[0].title.as_deref(), Some("S, \"t\""));
        assert_eq!(
            read[0].attributes[0],
            AttributeMark { name: "x.id".into(), immutable: true, required: true }
        );
        assert_eq!(read[0].attributes[2].name, "y");
        assert_eq!(read[0].actions, ["http://a/d#on", "http://a/d#off"]);
    }

    #[test]
    fn faults_are_named_and_what_follows_is_read() {
        for (value, expected) in [
            (r#"a; class="kind"; scheme="b#""#, "'scheme' stands at the wrong place, or twice"),
            (r#"a; scheme="b#"; class="thing""#, "the class is none of kind, mixin, action"),
            (r#"a; scheme="b#""#, "the class is none of kind, mixin, action"),
            (r#"a; scheme=b#; class="kind""#, "'scheme' is not quoted"),
            (r#"a b; scheme="b#"; class="kind""#, "the term is no token"),
            (r#"a; scheme="b#"; class="kind"; attributes="x{odd}""#, "'odd' is no property of an attribute"),
            (r#"a; scheme="b#"; class="kind"; attributes="x{""#, "the properties of x do not end"),
        ] {
            let (read, faults) = read(&format!("{value}, z; scheme=\"b#\"; class=mixin"));
            assert!(faults.iter().any(|fault| fault.contains(expected)), "{value}: {faults:?}");
            assert_eq!(read.last().map(Category::id).as_deref(), Some("b#z"), "{value}");
        }
    }
}

//! The standard's words, as clients write them.

pub(crate) const INFRASTRUCTURE: &str = "http://schemas.ogf.org/occi/infrastructure";

/// The Kind of examples/note, which has no outside and needs one attribute.
pub(crate) const NOTE: &str = r#"Category: note; scheme="http://example.com/occi/note#"; class="kind""#;
pub(crate) const NOTE_ID: &str = "http://example.com/occi/note#note";

/// The Category line of a Kind of Infrastructure.
pub(crate) fn kind(term: &str) -> String {
    format!(r#"Category: {term}; scheme="{INFRASTRUCTURE}#"; class="kind""#)
}

/// The same as type identifier.
pub(crate) fn kind_id(term: &str) -> String {
    format!("{INFRASTRUCTURE}#{term}")
}

/// The Category line of an action of such a Kind.
pub(crate) fn action(kind: &str, term: &str) -> String {
    format!(r#"Category: {term}; scheme="{INFRASTRUCTURE}/{kind}/action#"; class="action""#)
}

/// The Category line of a Mixin that a client defines.
pub(crate) fn tag(term: &str) -> String {
    format!(r#"Category: {term}; scheme="http://example.com/tags#"; class="mixin"; location="/tags/{term}/""#)
}

/// A body in text/plain: Category lines, and an attribute line for each `name=value`.
pub(crate) fn body(categories: &[&str], attributes: &[&str]) -> String {
    let mut body = String::new();
    for category in categories {
        body.push_str(category);
        body.push('\n');
    }
    for attribute in attributes {
        body.push_str("X-OCCI-Attribute: ");
        body.push_str(attribute);
        body.push('\n');
    }
    body
}

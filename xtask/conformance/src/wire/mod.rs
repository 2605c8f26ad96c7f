//! A reader of its own for what servers send. It is strict, since output has no excuse, but it goes on after a fault:
//! one misplaced quotation mark should fail the clause about quotation marks and not all others.

pub(crate) mod category;
pub(crate) mod json;
pub(crate) mod scan;
pub(crate) mod schema;
pub(crate) mod text;

use fluent_uri::{Uri, UriRef};

/// Where an answer departs from a rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The clause that it breaks.
    pub(crate) clause: &'static str,
    /// What is wrong, with the place.
    pub(crate) what: String,
}

/// Whether a text is a URI, with a scheme.
pub(crate) fn is_uri(text: &str) -> bool {
    Uri::parse(text).is_ok()
}

/// Whether a text is a URI or a relative reference.
pub(crate) fn is_reference(text: &str) -> bool {
    UriRef::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_and_references() {
        assert!(
            is_uri("urn:uuid:11111111-2222-3333-4444-555555555555") && is_uri("http://example.com/a?b=c")
        );
        assert!(!is_uri("/compute/1") && !is_uri("11111111-2222") && !is_uri("http://a b/"));
        assert!(is_reference("/compute/1") && !is_reference("</compute/1>"));
    }
}

//! ETags and the conditions that clients put on them (RFC 9110, sections 8.8.3 and 13.1).
//!
//! A tag is the entity's revision and, since one entity has several renderings, a letter for the one that was sent. A
//! condition on a change looks at the revision alone.

use axum::http::{HeaderMap, HeaderValue, header};
use occi_operation::Condition;
use occi_rendering::MediaType;
use occi_store::Revision;

/// The ETag of a rendering.
pub(crate) fn tag(revision: Revision, media_type: MediaType) -> String {
    let letter = match media_type {
        MediaType::TextPlain | MediaType::TextOcciPlain => 'p',
        MediaType::TextOcci => 'o',
        MediaType::UriList => 'u',
        MediaType::OcciJson | MediaType::Json => 'j',
    };
    format!("\"{revision}{letter}\"")
}

/// What must hold of an entity before it is changed.
pub(crate) fn condition(headers: &HeaderMap) -> Condition {
    let if_match = list(headers, header::IF_MATCH);
    if !if_match.is_empty() {
        if if_match.contains(&"*") {
            return Condition::Exists;
        }
        return Condition::OneOf(if_match.into_iter().filter_map(revision).collect());
    }
    if list(headers, header::IF_NONE_MATCH).contains(&"*") {
        return Condition::Absent;
    }
    Condition::None
}

/// Whether the client has this rendering already.
pub(crate) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = list(headers, header::IF_NONE_MATCH);
    known.iter().any(|known| *known == "*" || known.trim_start_matches("W/").as_bytes() == tag.as_bytes())
}

fn list(headers: &HeaderMap, name: header::HeaderName) -> Vec<&str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty()).collect()
}

/// The revision in a tag of ours. A weak tag never matches, as RFC 9110 has it.
fn revision(tag: &str) -> Option<Revision> {
    let tag = tag.strip_prefix('"')?.strip_suffix('"')?;
    tag.trim_end_matches(|c: char| c.is_ascii_lowercase()).parse().ok().map(Revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_condition_looks_at_the_revision() {
        let tag = tag(Revision(42), MediaType::OcciJson);
        assert_eq!(tag, "\"42j\"");
        let expected = Condition::OneOf(vec![Revision(42), Revision(7)]);
        assert_eq!(condition(&with(header::IF_MATCH, "\"42j\", \"7p\", \"x\", W/\"9p\"")), expected);
        assert_eq!(condition(&with(header::IF_MATCH, "*")), Condition::Exists);
        assert_eq!(condition(&with(header::IF_MATCH, "\"foreign\"")), Condition::OneOf(Vec::new()));
        assert_eq!(condition(&with(header::IF_NONE_MATCH, "*")), Condition::Absent);
        assert_eq!(condition(&HeaderMap::new()), Condition::None);
    }

    #[test]
    fn what_is_known_need_not_be_sent() {
        let tag = HeaderValue::from_static("\"42j\"");
        assert!(is_known(&with(header::IF_NONE_MATCH, "W/\"42j\""), &tag));
        assert!(!is_known(&with(header::IF_NONE_MATCH, "\"42p\""), &tag));
    }
}

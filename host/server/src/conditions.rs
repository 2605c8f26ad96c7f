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
        MediaType::TextPlain => 'p',
        MediaType::TextOcciPlain => 'q',
        MediaType::TextOcci => 'o',
        MediaType::UriList => 'u',
        MediaType::OcciJson => 'j',
        MediaType::Json => 'k',
        MediaType::Html => 'h',
    };
    format!("\"{revision}{letter}\"")
}

/// Those that [`tag`] ends in.
const LETTERS: &str = "pqoujkh";

/// What must hold of an entity before it is changed (RFC 9110, section 13.2.2: what both headers say).
pub(crate) fn condition(headers: &HeaderMap) -> Condition {
    match (if_match(headers), if_none_match(headers)) {
        (first, Condition::None) => first,
        (Condition::None, second) => second,
        (first, second) => Condition::Both(Box::new([first, second])),
    }
}

fn if_match(headers: &HeaderMap) -> Condition {
    let tags = list(headers, header::IF_MATCH);
    if !headers.contains_key(header::IF_MATCH) {
        Condition::None
    } else if tags.contains(&"*") {
        Condition::Exists
    } else {
        Condition::OneOf(tags.into_iter().filter_map(revision).collect())
    }
}

/// Weak tags count here, as RFC 9110 has it (section 13.1.2).
fn if_none_match(headers: &HeaderMap) -> Condition {
    let tags = list(headers, header::IF_NONE_MATCH);
    if !headers.contains_key(header::IF_NONE_MATCH) {
        Condition::None
    } else if tags.contains(&"*") {
        Condition::Absent
    } else {
        let strong = tags.into_iter().map(|tag| tag.trim_start_matches("W/"));
        Condition::NoneOf(strong.filter_map(revision).collect())
    }
}

/// Whether the client, where it names renderings, names this one or another of the same revision.
pub(crate) fn is_wanted(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    match if_match(headers) {
        Condition::OneOf(wanted) => {
            tag.to_str().ok().and_then(revision).is_some_and(|held| wanted.contains(&held))
        }
        _ => true,
    }
}

/// Whether the client has this rendering already.
pub(crate) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = list(headers, header::IF_NONE_MATCH);
    known.iter().any(|known| *known == "*" || known.trim_start_matches("W/").as_bytes() == tag.as_bytes())
}

/// The tags in a header. One that is not UTF-8 is none of ours, and is left out.
fn list(headers: &HeaderMap, name: header::HeaderName) -> Vec<&str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|tag| !tag.is_empty()).collect()
}

/// The revision in a strong tag of ours.
fn revision(tag: &str) -> Option<Revision> {
    let tag = tag.strip_prefix('"')?.strip_suffix('"')?;
    let digits = tag.strip_suffix(|letter| LETTERS.contains(letter))?;
    let is_ours =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if is_ours { digits.parse().ok().map(Revision) } else { None }
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
        for none_of_ours in
            ["\"foreign\"", "", "\"\u{e9}\"", "\"42\"", "\"42x\"", "\"042j\"", "\"+42j\"", "\"42pp\""]
        {
            let header = HeaderValue::from_bytes(none_of_ours.as_bytes()).unwrap();
            let headers = HeaderMap::from_iter([(header::IF_MATCH, header)]);
            assert_eq!(condition(&headers), Condition::OneOf(Vec::new()), "{none_of_ours}");
        }
        assert_eq!(condition(&with(header::IF_NONE_MATCH, "*")), Condition::Absent);
        let expected = Condition::NoneOf(vec![Revision(42), Revision(9)]);
        assert_eq!(condition(&with(header::IF_NONE_MATCH, "\"42j\", \"x\", W/\"9p\"")), expected);
        let mut both = with(header::IF_NONE_MATCH, "\"42j\"");
        both.insert(header::IF_MATCH, "*".parse().unwrap());
        let expected = Condition::Both(Box::new([Condition::Exists, Condition::NoneOf(vec![Revision(42)])]));
        assert_eq!(condition(&both), expected);
        assert_eq!(condition(&HeaderMap::new()), Condition::None);
    }

    #[test]
    fn what_is_known_need_not_be_sent() {
        let tag = HeaderValue::from_static("\"42j\"");
        assert!(is_known(&with(header::IF_NONE_MATCH, "W/\"42j\""), &tag));
        assert!(!is_known(&with(header::IF_NONE_MATCH, "\"42p\""), &tag));
        assert!(is_wanted(&HeaderMap::new(), &tag) && is_wanted(&with(header::IF_MATCH, "*"), &tag));
        assert!(is_wanted(&with(header::IF_MATCH, "\"42p\""), &tag));
        assert!(!is_wanted(&with(header::IF_MATCH, "\"41j\""), &tag));
    }
}

//! Names as the standard has them, checked when they are made: type identifiers, attribute names, locations.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A name that the grammar does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{given}`: {rule}")]
pub struct InvalidIdentifier {
    what: &'static str,
    given: String,
    rule: &'static str,
}

impl InvalidIdentifier {
    fn new(what: &'static str, given: &str, rule: &'static str) -> Self {
        // A hostile name may be as long as a body and hold line ends; what we say about it does not.
        let given = given.chars().take(120).flat_map(char::escape_debug).collect();
        Self { what, given, rule }
    }
}

/// A type identifier: the scheme and the term of a category, joined (CORE-06).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CategoryId {
    text: Arc<str>,
    /// Where the term begins.
    term: usize,
}

impl CategoryId {
    /// From a scheme, which ends in `#`, and a term.
    pub fn new(scheme: &str, term: &str) -> Result<Self, InvalidIdentifier> {
        check_scheme(scheme)?;
        check_token("term", term)?;
        Ok(Self { text: format!("{scheme}{term}").into(), term: scheme.len() })
    }

    /// From the joined form, which is split after its `#`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let Some(hash) = text.find('#') else {
            return Err(InvalidIdentifier::new(
                "type identifier",
                text,
                "write it as scheme and term, such as http://example.com/occi#term",
            ));
        };
        let (scheme, term) = text.split_at(hash + 1);
        check_scheme(scheme)?;
        check_token("term", term)?;
        Ok(Self { text: text.into(), term: scheme.len() })
    }

    /// The scheme, with its final `#`.
    pub fn scheme(&self) -> &str {
        &self.text[..self.term]
    }

    /// The term, unique in the scheme.
    pub fn term(&self) -> &str {
        &self.text[self.term..]
    }

    /// Scheme and term.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for CategoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for CategoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The flat name of an attribute; its dots carry no structure (CORE, table 'Attribute').
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeName(Arc<str>);

impl AttributeName {
    /// Checks the grammar of TXT section 2, which terms share.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        check_token("attribute name", text)?;
        Ok(Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for AttributeName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands behind an entity's path in that of its console.
const CONSOLE: &str = "/console";

/// A path of this server: a collection's ends in `/`, an entity's does not (H11-01).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location(Arc<str>);

impl Location {
    /// The longest path that is taken, in bytes.
    pub const MAX: usize = 1024;

    /// A path as it stands in a request line. Where it may be written in several ways it is taken in its normal form
    /// (RFC 3986, section 6.2.2): `%63` is `c`, and `%2f` is `%2F`, which is no `/`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let refuse = |rule| Err(InvalidIdentifier::new("path", text, rule));
        if text.len() > Self::MAX {
            return refuse("must have at most 1024 bytes");
        }
        if !text.starts_with('/') {
            return refuse("must begin with `/`");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&b)) {
            return refuse("may hold only characters that RFC 3986 allows in a path");
        }
        let Some(normal) = normal_escapes(text) else {
            return refuse("must have two hexadecimal digits after each `%`, and no control characters");
        };
        let mut segments = normal[1..].split('/').peekable();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            if (segment.is_empty() && !last) || segment == "." || segment == ".." {
                return refuse("may have no empty segment and neither `.` nor `..`");
            }
        }
        Ok(Self(normal.into()))
    }

    /// The path above all others.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// The path of an entity that is named by its id, below a collection.
    #[must_use]
    pub fn child(&self, id: uuid::Uuid) -> Self {
        let slash = if self.is_collection() { "" } else { "/" };
        Self(format!("{self}{slash}{id}").into())
    }

    /// The path of the console of the entity at this one.
    #[must_use]
    pub fn console(&self) -> Self {
        Self(format!("{self}{CONSOLE}").into())
    }

    /// The path of the entity whose console would be at this one.
    pub fn of_console(&self) -> Option<Self> {
        let entity = self.0.strip_suffix(CONSOLE).filter(|entity| !entity.is_empty())?;
        Some(Self(entity.into()))
    }

    /// Whether it is a collection's form, with a slash at its end.
    pub fn is_collection(&self) -> bool {
        self.0.ends_with('/')
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Location {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encoded characters as RFC 3986 would have them: those that need it not as they are, the others with capital
/// letters. None where one is malformed or is a control character.
fn normal_escapes(text: &str) -> Option<Cow<'_, str>> {
    let mut parts = text.split('%');
    let first = parts.next()?;
    if first.len() == text.len() {
        return Some(Cow::Borrowed(text));
    }
    let mut normal = first.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        match u8::from_str_radix(digits, 16).ok()? {
            0..=0x1f | 0x7f => return None,
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => normal.push(byte.into()),
            _ => {
                normal.push('%');
                normal.push_str(&digits.to_ascii_uppercase());
            }
        }
        normal.push_str(rest);
    }
    Some(Cow::Owned(normal))
}

fn check_token(what: &'static str, text: &str) -> Result<(), InvalidIdentifier> {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if first && rest && text.len() <= 255 {
        return Ok(());
    }
    Err(InvalidIdentifier::new(
        what,
        text,
        "must consist of letters, digits, `-`, `_` and `.`, the first a letter or a digit, at most 255 of them",
    ))
}

fn check_scheme(scheme: &str) -> Result<(), InvalidIdentifier> {
    let refuse = |rule| Err(InvalidIdentifier::new("scheme", scheme, rule));
    let Some(uri) = scheme.strip_suffix('#') else {
        return refuse("must end in `#`");
    };
    if scheme.len() > 1024 {
        return refuse("must have at most 1024 bytes");
    }
    let absolute = uri.split_once(':').is_some_and(|(protocol, rest)| {
        !rest.is_empty()
            && protocol.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && protocol.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    });
    if !absolute {
        return refuse("must be an absolute URI, such as http://example.com/occi#");
    }
    let refused =
        |b| matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' | b';' | b',');
    if !uri.bytes().all(|b| b.is_ascii_graphic() && !refused(b)) {
        return refuse("may hold only characters that RFC 3986 allows in a URI, and no `;` or `,`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_identifier_is_scheme_and_term() {
        let id = CategoryId::parse("http://schemas.ogf.org/occi/core#entity").unwrap();
        assert_eq!((id.scheme(), id.term()), ("http://schemas.ogf.org/occi/core#", "entity"));
        assert_eq!(id, CategoryId::new("http://schemas.ogf.org/occi/core#", "entity").unwrap());
    }

    #[test]
    fn names_outside_the_grammar_are_refused() {
        for scheme in ["", "#", "no-colon#", "http://a b#", "http://a", "http://a\"#", "http:#", ":x#"] {
            assert!(CategoryId::new(scheme, "t").is_err(), "{scheme}");
        }
        for term in ["", "-a", "a b", "a;b", "ä"] {
            assert!(CategoryId::new("http://a#", term).is_err(), "{term}");
            assert!(AttributeName::parse(term).is_err(), "{term}");
        }
        for path in ["", "a", "//", "/a//b", "/a/../b", "/./", "/a b", "/a?b", "/a#b", "/ä"] {
            assert!(Location::parse(path).is_err(), "{path}");
        }
        for path in ["/", "/a/", "/a/b", "/a/%20"] {
            assert!(Location::parse(path).is_ok(), "{path}");
        }
        for path in ["/%", "/%4", "/%4g", "/%+1", "/a%00b", "/%7f", "/a/%2e%2E/b", "/%2E"] {
            assert!(Location::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_console_is_below_its_entity() {
        let path = |text| Location::parse(text).unwrap();
        assert_eq!(path("/machine/web").console(), path("/machine/web/console"));
        assert_eq!(path("/machine/web/console").of_console(), Some(path("/machine/web")));
        for other in ["/console", "/machine/web", "/machine/console/", "/machine/web-console"] {
            assert_eq!(path(other).of_console(), None, "{other}");
        }
    }

    #[test]
    fn a_path_has_one_form() {
        for (given, normal) in [
            ("/%63ompute/%7e", "/compute/~"),
            ("/a%2fb", "/a%2Fb"),
            ("/%c3%A4%20", "/%C3%A4%20"),
            ("/a%2525", "/a%2525"),
        ] {
            let path = Location::parse(given).unwrap();
            assert_eq!(path.as_str(), normal);
            assert_eq!(Location::parse(path.as_str()).unwrap(), path);
        }
    }
}

//! The ways in which reading and writing fail. Each message says what to change; which status they become is the
//! server's to choose.

use crate::limit::MAX_HEADERS;
use crate::media_type::MediaType;
use std::fmt;

/// A request that its rendering's grammar does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Malformed {
    /// Where.
    pub place: Place,
    /// What was found, what would be right, and the right form.
    pub problem: String,
}

/// A place in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the body.
    Body {
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
    },
    /// In a header's value.
    Header {
        /// As the client wrote it.
        name: String,
        /// In characters, from 1.
        column: usize,
    },
    /// A value in a JSON body: an RFC 6901 pointer, empty for the whole.
    Json(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body { line, column } => write!(f, "line {line}, column {column}"),
            Self::Header { name, column } => write!(f, "header {name}, column {column}"),
            Self::Json(pointer) if pointer.is_empty() => f.write_str("the JSON document"),
            Self::Json(pointer) => write!(f, "JSON at {pointer}"),
        }
    }
}

/// No media type that the client accepts is one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Accept leaves none of the media types that are spoken here; ask for one of {}", MediaType::list())]
pub struct NotAcceptable;

/// No media type in Content-Type is one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a body of type `{given}` cannot be read here; send Content-Type as one of {}", MediaType::list())]
pub struct Unsupported {
    /// The value of Content-Type.
    pub given: String,
}

/// An answer that the asked rendering has no form for.
#[derive(Debug, thiserror::Error)]
pub enum CannotRender {
    /// TXT-07: a uri-list is asked of what is none.
    #[error("text/uri-list is for collections only; ask for text/plain, text/occi or application/occi+json")]
    NotAListing,
    /// A page could not be written.
    #[error(transparent)]
    Html(#[from] askama::Error),
    /// TXT-06: too much for headers.
    #[error(
        "the answer needs {needed} bytes of headers or more and at most {MAX_HEADERS} are sent; ask for text/plain or \
         application/occi+json, or for less with `page` and `number`"
    )]
    TooLarge {
        /// Names and values together, as far as they were written.
        needed: usize,
    },
    /// The JSON library refused a value.
    #[error("the answer has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
}

/// A piece of a request as messages quote it: short and without control characters.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut excerpt = text.chars().take(LONGEST).flat_map(char::escape_debug).collect::<String>();
    if text.chars().nth(LONGEST).is_some() {
        excerpt.push_str("...");
    }
    excerpt
}

/// The known name that was probably meant, in brackets for a message; else all of them.
pub(crate) fn suggestion(given: &str, known: &[&str]) -> String {
    // Longer names than any that we know need no comparison.
    let given = given.chars().take(64).collect::<String>().to_ascii_lowercase();
    let distance = |name: &&&str| strsim::damerau_levenshtein(&given, &name.to_ascii_lowercase());
    match known.iter().min_by_key(distance) {
        Some(name) if distance(&name) <= name.len() / 3 => format!("(did you mean `{name}`?)"),
        _ => format!(
            "(known are {})",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

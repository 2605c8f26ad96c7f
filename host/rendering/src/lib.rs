//! The four renderings of OCCI 1.2 (GFD.229 and GFD.226) to and from the model, and HTML from it, as pure functions:
//! bytes become a [`Draft`], a [`Representation`] becomes headers and bytes.
//!
//! No operation can tell which rendering was spoken, and nothing here knows what an operation does, which Kinds there
//! are or whether an attribute exists: what follows the grammar passes. Nothing here does I/O.
//!
//! In reading order: [`MediaType`] with [`negotiate`] and [`content_type`], then one module for each rendering
//! (`text`, `uri_list`, `json`), each with a reading and a writing half, and `html`, which is only written; `quirks` holds what is taken from clients
//! beyond the grammar, `problem` how an error is said.

mod error;
#[cfg(test)]
#[path = "tests/example.rs"]
mod example;
mod html;
mod json;
mod limit;
mod listing;
mod media_type;
mod problem;
mod quirks;
mod text;
mod uri_list;

pub use error::{CannotRender, Malformed, NotAcceptable, Place, Unsupported};
pub use html::POLICY as HTML_POLICY;
pub use json::lists_nothing;
pub use limit::{MAX_DEPTH, MAX_HEADERS, MAX_ITEMS};
pub use listing::Listing;
pub use media_type::{MediaType, content_type, negotiate, negotiate_without};
pub use problem::{MemberResult, PROBLEM_JSON, render_error};
pub use text::{restore_filter, restore_structured};

use occi_model::{Draft, Filter, Representation};

/// An answer's content, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The value of Content-Type (HTTP-09).
    pub content_type: &'static str,
    /// Further headers by name, in lower case: those of text/occi. The values are UTF-8 and hold no control character
    /// but the tab, so that they are header values as they are.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Rendered {
    fn body(media_type: MediaType, body: impl Into<Vec<u8>>) -> Self {
        Self { content_type: media_type.name(), headers: Vec::new(), body: body.into() }
    }
}

/// What a request says. text/occi is read from the headers alone and every other media type from the body alone, so
/// that all headers of a request can be given.
pub fn parse<'a>(
    media_type: MediaType,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: &[u8],
) -> Result<Draft, Malformed> {
    let body = quirks::without_byte_order_mark(body);
    match media_type {
        MediaType::TextPlain | MediaType::TextOcciPlain => text::parse_body(body),
        MediaType::TextOcci => {
            check_says_nothing(body)?;
            text::parse_headers(headers)
        }
        MediaType::UriList => uri_list::parse(body),
        MediaType::OcciJson | MediaType::Json => json::parse(body),
        MediaType::Html => Err(Malformed {
            place: Place::Body { line: 1, column: 1 },
            problem: format!("pages are only written; send one of {}", MediaType::list()),
        }),
    }
}

/// Of the body beside headers of text/occi, which is not read: whoever writes OCCI there would not be heard.
fn check_says_nothing(body: &[u8]) -> Result<(), Malformed> {
    if text::parse_body(body).is_ok_and(|said| said != Draft::default()) {
        return Err(Malformed {
            place: Place::Body { line: 1, column: 1 },
            problem:
                "with text/occi all is in the headers and the body is not read; send the body as text/plain"
                    .into(),
        });
    }
    Ok(())
}

/// What a GET's headers ask a collection to be narrowed to (HTTP-15, HTTP-16, H11-03); an empty filter where there are
/// none of OCCI among them.
pub fn parse_filter<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Filter, Malformed> {
    text::parse_filter(headers)
}

/// An answer. `base` is the server's own URL, such as `http://example.com:8787`, which X-OCCI-Location and
/// text/uri-list put before each path; all other places show paths.
pub fn render(
    media_type: MediaType,
    representation: &Representation,
    base: &str,
) -> Result<Rendered, CannotRender> {
    let base = base.trim_end_matches('/');
    match media_type {
        MediaType::TextPlain | MediaType::TextOcciPlain => {
            Ok(Rendered::body(media_type, text::to_body(representation, base)?))
        }
        MediaType::TextOcci => {
            // TXT-03: all content is in the headers.
            let headers = text::to_headers(representation, base)?;
            Ok(Rendered { content_type: media_type.name(), headers, body: b"OK".into() })
        }
        MediaType::UriList => Ok(Rendered::body(media_type, uri_list::to_body(representation, base)?)),
        MediaType::OcciJson | MediaType::Json => {
            Ok(Rendered::body(media_type, json::to_body(representation)?))
        }
        MediaType::Html => Ok(Rendered::body(media_type, html::to_body(representation)?)),
    }
}

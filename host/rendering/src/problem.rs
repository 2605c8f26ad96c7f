//! How an error is said in each rendering; the standard leaves that open (HTTP section 7). Which status an error has
//! is the server's to choose.

use crate::{MediaType, Rendered};
use http::StatusCode;
use serde::Serialize;

/// The media type of an error in JSON (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
}

/// An error as one line of text, or as an RFC 9457 object where the client speaks JSON.
pub fn render_error(media_type: MediaType, status: StatusCode, message: &str) -> Rendered {
    let media_type = match media_type {
        MediaType::TextPlain | MediaType::TextOcciPlain | MediaType::TextOcci => media_type,
        // A sentence is no list of URIs.
        MediaType::UriList => MediaType::TextPlain,
        MediaType::OcciJson | MediaType::Json => {
            let title = status.canonical_reason().unwrap_or("Error");
            let problem = Problem { r#type: "about:blank", title, status: status.as_u16(), detail: message };
            if let Ok(body) = serde_json::to_vec(&problem) {
                return Rendered { content_type: PROBLEM_JSON, headers: Vec::new(), body };
            }
            MediaType::TextPlain
        }
    };
    let mut line = message.split(['\r', '\n']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    line.push_str("\r\n");
    Rendered::body(media_type, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_one_line() {
        for media_type in [MediaType::TextPlain, MediaType::TextOcciPlain, MediaType::TextOcci] {
            let rendered = render_error(media_type, StatusCode::BAD_REQUEST, "one\r\ntwo\n");
            assert_eq!(rendered, Rendered::body(media_type, "one two\r\n"));
        }
        let rendered = render_error(MediaType::UriList, StatusCode::BAD_REQUEST, "a message");
        assert_eq!(rendered.content_type, "text/plain");
    }

    #[test]
    fn json_has_a_problem_object() {
        for media_type in [MediaType::OcciJson, MediaType::Json] {
            let rendered = render_error(media_type, StatusCode::NOT_FOUND, "say \"please\"");
            assert_eq!(rendered.content_type, "application/problem+json");
            assert_eq!(
                String::from_utf8(rendered.body).unwrap(),
                r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"say \"please\""}"#
            );
        }
    }
}

//! How an error is said in each rendering; the standard leaves that open (HTTP section 7). Which status an error has
//! is the server's to choose.

use crate::{MediaType, Rendered, html};
use http::StatusCode;
use serde::Serialize;
use std::fmt::Write as _;

/// The media type of an error in JSON (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    results: &'a [MemberResult<'a>],
}

/// What became of one entity of many that a request was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberResult<'a> {
    /// Its path.
    pub location: &'a str,
    /// `done`, `refused` or `not tried`.
    pub status: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// An error as one line of text, or as an RFC 9457 object where the client speaks JSON. Each result is a line of its own
/// below it, or an object of the member `results`.
pub fn render_error(
    media_type: MediaType,
    status: StatusCode,
    message: &str,
    results: &[MemberResult<'_>],
) -> Rendered {
    let media_type = match media_type {
        MediaType::TextPlain | MediaType::TextOcciPlain | MediaType::TextOcci => media_type,
        // A sentence is no list of URIs.
        MediaType::UriList => MediaType::TextPlain,
        MediaType::OcciJson | MediaType::Json => {
            let title = status.canonical_reason().unwrap_or("Error");
            let detail = &with_reasons(message, results);
            let problem = Problem { r#type: "about:blank", title, status: status.as_u16(), detail, results };
            if let Ok(body) = serde_json::to_vec(&problem) {
                return Rendered { content_type: PROBLEM_JSON, headers: Vec::new(), body };
            }
            MediaType::TextPlain
        }
        MediaType::Html => {
            let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
            if let Ok(body) = html::message(&title, message, results) {
                return Rendered::body(media_type, body);
            }
            MediaType::TextPlain
        }
    };
    let mut text = line(message);
    for MemberResult { location, status, detail } in results {
        match detail {
            Some(detail) => text.push_str(&line(&format!("{location}: {status}: {detail}"))),
            None => text.push_str(&line(&format!("{location}: {status}"))),
        }
    }
    Rendered::body(media_type, text)
}

fn line(text: &str) -> String {
    let mut line = text.split(['\r', '\n']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    line.push_str("\r\n");
    line
}

/// A message for those who look at `detail` alone, with the first of the reasons.
fn with_reasons(message: &str, results: &[MemberResult<'_>]) -> String {
    const TOLD: usize = 5;
    let mut detail = message.to_owned();
    let reasons = results.iter().filter_map(|result| Some((result.location, result.detail.as_ref()?)));
    for (location, reason) in reasons.take(TOLD) {
        // Writing to a String does not fail.
        _ = write!(detail, "; {location}: {reason}");
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> [MemberResult<'static>; 3] {
        [
            MemberResult { location: "/k/1", status: "done", detail: None },
            MemberResult { location: "/k/2", status: "refused", detail: Some("it is\nred".into()) },
            MemberResult { location: "/k/3", status: "not tried", detail: None },
        ]
    }

    #[test]
    fn text_has_one_line() {
        for media_type in [MediaType::TextPlain, MediaType::TextOcciPlain, MediaType::TextOcci] {
            let rendered = render_error(media_type, StatusCode::BAD_REQUEST, "one\r\ntwo\n", &[]);
            assert_eq!(rendered, Rendered::body(media_type, "one two\r\n"));
        }
        let rendered = render_error(MediaType::UriList, StatusCode::BAD_REQUEST, "a message", &[]);
        assert_eq!(rendered.content_type, "text/plain");
    }

    #[test]
    fn text_has_a_line_for_each_result() {
        let rendered = render_error(MediaType::TextPlain, StatusCode::CONFLICT, "not all", &results());
        let expected = "not all\r\n/k/1: done\r\n/k/2: refused: it is red\r\n/k/3: not tried\r\n";
        assert_eq!(rendered, Rendered::body(MediaType::TextPlain, expected));
    }

    #[test]
    fn json_has_a_problem_object() {
        for media_type in [MediaType::OcciJson, MediaType::Json] {
            let rendered = render_error(media_type, StatusCode::NOT_FOUND, "say \"please\"", &[]);
            assert_eq!(rendered.content_type, "application/problem+json");
            assert_eq!(
                String::from_utf8(rendered.body).unwrap(),
                r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"say \"please\""}"#
            );
        }
    }

    #[test]
    fn json_has_an_object_for_each_result() {
        let rendered = render_error(MediaType::Json, StatusCode::CONFLICT, "not all", &results());
        assert_eq!(
            String::from_utf8(rendered.body).unwrap(),
            r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"not all; /k/2: it is\nred","#
                .to_owned()
                + r#""results":[{"location":"/k/1","status":"done"},"#
                + r#"{"location":"/k/2","status":"refused","detail":"it is\nred"},"#
                + r#"{"location":"/k/3","status":"not tried"}]}"#
        );
    }
}

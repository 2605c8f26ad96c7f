//! What was seen of a step: the answer, the requests to servers elsewhere, what was logged. Held against what was expected.

use crate::names::Names;
use crate::scenario::{Exchange, Expect};
use crate::servers::{Asked, said};
use crate::transcript::Transcript;
use axum::http::response::Parts;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use std::collections::BTreeMap;

/// To whom requests are sent, and what URLs of this server begin with.
pub(crate) const AUTHORITY: &str = "localhost";
const BASE: &str = "http://localhost";
/// How an attribute is shown in text/plain.
const ATTRIBUTE: &str = "X-OCCI-Attribute: ";

/// The answer to a request.
pub(crate) struct Answer {
    pub(crate) head: Parts,
    pub(crate) body: String,
}

/// What was seen.
pub(crate) struct Observed {
    /// None where nothing was asked by a client.
    pub(crate) answer: Option<Answer>,
    pub(crate) asked: Vec<Asked>,
    /// What was expected to be asked, in vain.
    pub(crate) unasked: Vec<Exchange>,
    pub(crate) log: Vec<String>,
}

impl Answer {
    /// A header, or an attribute of the entity that is shown; a URL of this server as its path.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let header = || Some(self.head.headers.get(name)?.to_str().ok()?.to_owned());
        let attribute = || {
            let named = |line: &str| {
                let (known, value) = line.strip_prefix(ATTRIBUTE)?.split_once('=')?;
                (known == name).then(|| value.trim_matches('"').to_owned())
            };
            self.body.lines().find_map(named)
        };
        let value = header().or_else(attribute)?;
        Some(value.strip_prefix(BASE).map(str::to_owned).unwrap_or(value))
    }
}

impl Observed {
    /// What was expected and what was seen, and what is to be said beside it.
    pub(crate) fn against(&self, expect: &Expect, names: &mut Names) -> (Transcript, Vec<String>) {
        let (mut transcript, mut remarks) = (Transcript::default(), Vec::new());
        if let Some(answer) = &self.answer {
            compare_answer(answer, expect, names, &mut transcript);
        }
        for Asked { request, expected } in &self.asked {
            let said = names.show(&said(request));
            let body = names.show(&readable(request.headers(), request.body()));
            let Some(expected) = expected else {
                remarks.push(format!("it asks what no [[step.http]] expects: {said}\n{body}"));
                continue;
            };
            transcript.note(&format!("\nasked: {said}"));
            compare_headers(&expected.headers, request.headers(), names, &mut transcript);
            if let Some(expected) = &expected.body {
                let expected = readable(request.headers(), expected.as_bytes());
                transcript.lines(expected.lines(), body.lines());
            }
        }
        let unasked = self.unasked.iter();
        remarks.extend(unasked.map(|exchange| format!("it never asks: {}", exchange.request)));
        let log: Vec<_> = self.log.iter().map(|line| names.show(line)).collect();
        if !(log.is_empty() && expect.log.is_empty()) {
            transcript.note("\nlog:");
            transcript.some_of(&log.join("\n"), &expect.log, &[]);
        }
        (transcript, remarks)
    }
}

fn compare_answer(answer: &Answer, expect: &Expect, names: &mut Names, transcript: &mut Transcript) {
    let Answer { head, body } = answer;
    let status = head.status.to_string();
    let expected = match expect.status {
        Some(code) if code == head.status.as_u16() => status.clone(),
        Some(code) => http::StatusCode::from_u16(code).map_or(code.to_string(), |status| status.to_string()),
        None if head.status.is_success() => status.clone(),
        None => "2xx".into(),
    };
    transcript.lines([expected.as_str()], [status.as_str()]);
    compare_headers(&expect.headers, &head.headers, names, transcript);
    let body = names.show(&readable(&head.headers, body.as_bytes()));
    match &expect.body {
        Some(expected) => {
            let expected = readable(&head.headers, expected.as_bytes());
            transcript.lines(expected.lines(), body.lines());
        }
        None => transcript.some_of(&body, &expect.shows, &expect.hides),
    }
}

fn compare_headers(
    expected: &BTreeMap<String, String>,
    seen: &HeaderMap,
    names: &mut Names,
    transcript: &mut Transcript,
) {
    for (name, value) in expected {
        let seen = seen.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let seen: Vec<_> = seen.map(|value| format!("{name}: {}", names.show(&value))).collect();
        transcript.lines([format!("{name}: {value}").as_str()], seen.iter().map(String::as_str));
    }
}

/// A body as text; JSON with a line for each member, so that it can be compared by lines.
fn readable(headers: &HeaderMap, body: &[u8]) -> String {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let document = serde_json::from_slice::<Value>(body).ok().filter(|_| media_type.ends_with("json"));
    let written = document.and_then(|document| serde_json::to_string_pretty(&document).ok());
    written.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

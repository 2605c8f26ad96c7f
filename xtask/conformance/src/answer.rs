//! What came back, and the ways in which a check goes on from it or ends.

use serde_json::Value;
use ureq::http::HeaderMap;

use crate::client::{OCCI_JSON, TEXT_OCCI, URI_LIST};
use crate::verdict::{Verdict, excerpt, fail, skip};
use crate::wire::json;
use crate::wire::text::{self, Text};

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The request in a line.
    pub(crate) asked: String,
    pub(crate) method: &'static str,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's values, joined as the list that they are; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).into_iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join(", ")
    }

    /// The media type in Content-Type, without its parameters.
    pub(crate) fn media_type(&self) -> String {
        let value = self.header("content-type");
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// What it says of categories and entities, as far as it can be understood; in JSON, of one entity.
    pub(crate) fn read(&self) -> Text {
        match self.media_type().as_str() {
            TEXT_OCCI => text::headers(|name| self.header(name)),
            URI_LIST => text::uri_list(&self.body),
            OCCI_JSON => json::entity(&self.value()),
            _ => text::plain(&self.body),
        }
    }

    /// What it says in JSON; null where it is none.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Whether it renders anything: an empty listing does not, nor does a mere OK.
    pub(crate) fn shows_something(&self) -> bool {
        match self.media_type().as_str() {
            OCCI_JSON | "application/json" => {
                self.value().as_object().is_some_and(|object| !object.is_empty())
            }
            _ => !self.read().lines.is_empty(),
        }
    }

    /// Whether a listing says that there is nothing: one that cannot be understood does not.
    pub(crate) fn lists_nothing(&self) -> bool {
        let body = self.body.trim();
        self.succeeded()
            && self.header("x-occi-location").is_empty()
            && matches!(body, "" | "OK" | "{}" | "[]")
    }

    /// The answer in a line.
    pub(crate) fn brief(&self) -> String {
        let body = if self.body.is_empty() { "no body".to_owned() } else { excerpt(&self.body) };
        format!("{} {}: {body}", self.status, self.media_type())
    }

    /// Goes on with one of these statuses, and fails with any other.
    pub(crate) fn is(self, statuses: &[u16]) -> Verdict<Self> {
        let expected: Vec<_> = statuses.iter().map(u16::to_string).collect();
        self.hold(statuses.contains(&self.status), &expected.join(" or "))?;
        Ok(self)
    }

    /// Goes on where the server refuses (4xx), as it must; another answer fails.
    pub(crate) fn refused(self) -> Verdict<Self> {
        self.hold((400..500).contains(&self.status), "a refusal, 4xx")?;
        Ok(self)
    }

    /// Goes on with a success; anything else means that a step before what is checked did not work, which is for the
    /// clauses of that step to say.
    pub(crate) fn needed(self, step: &str) -> Verdict<Self> {
        if self.succeeded() {
            return Ok(self);
        }
        skip(format!("the server did not let us {step}: {}", self.brief()))
    }

    /// Fails unless this holds of the answer.
    pub(crate) fn hold(&self, holds: bool, expected: &str) -> Verdict {
        if holds { Ok(()) } else { self.wrong(expected, self.brief()) }
    }

    /// Fails by the part of the answer that is shown.
    pub(crate) fn wrong<T>(&self, expected: &str, got: impl Into<String>) -> Verdict<T> {
        fail(&self.asked, expected, got)
    }
}

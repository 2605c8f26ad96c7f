//! Requests and answers, in all renderings.

use flate2::read::GzDecoder;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::time::Duration;
use ureq::Agent;
use ureq::config::AutoHeaderValue;
use ureq::http::{HeaderMap, Request as Wire};

/// A client that sends what it is told and nothing else, and takes every answer for one.
pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept(AutoHeaderValue::None)
        .user_agent(AutoHeaderValue::None)
        .proxy(None)
        .build()
        .new_agent()
}

/// What no answer takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request on its way to be sent.
pub(crate) struct Request {
    agent: Agent,
    url: String,
    method: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    time: Duration,
}

impl Request {
    pub(crate) fn new(agent: &Agent, method: &'static str, url: String) -> Self {
        Self { agent: agent.clone(), url, method, headers: Vec::new(), body: Vec::new(), time: PATIENCE }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn accept(self, value: &str) -> Self {
        self.header("Accept", value)
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    /// A body of text/plain.
    pub(crate) fn text(self, body: impl AsRef<str>) -> Self {
        self.body("text/plain", body.as_ref())
    }

    /// Headers of text/occi.
    pub(crate) fn occi(mut self, lines: &[(&str, &str)]) -> Self {
        for (name, value) in lines {
            self = self.header(name, value);
        }
        self.header("Content-Type", "text/occi")
    }

    /// A body of JSON, to be answered in JSON.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.accept("application/occi+json").body("application/occi+json", body.to_string())
    }

    /// Sends it, and waits for the answer no longer than that.
    pub(crate) fn leave_after(mut self, time: Duration) {
        self.time = time;
        let left = self.try_send();
        assert!(matches!(left, Err(ureq::Error::Timeout(_))), "it was answered, or not sent: {left:?}");
    }

    /// The answer, or why there is none.
    pub(crate) fn try_send(self) -> Result<Answer, ureq::Error> {
        let mut wire = Wire::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            wire = wire.header(name, value);
        }
        let response = if self.body.is_empty() && !matches!(self.method, "POST" | "PUT") {
            self.agent.run(self.in_time(wire.body(())?))
        } else {
            self.agent.run(self.in_time(wire.body(&self.body[..])?))
        };
        let mut response = response?;
        let mut body = response.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        if response.headers().get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
            let zipped = std::mem::take(&mut body);
            GzDecoder::new(&zipped[..]).read_to_end(&mut body)?;
        }
        Ok(Answer {
            asked: self.to_string(),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: String::from_utf8(body).map_err(io::Error::other)?,
        })
    }

    fn in_time<B: ureq::AsSendBody>(&self, wire: Wire<B>) -> Wire<B> {
        self.agent.configure_request(wire).timeout_global(Some(self.time)).build()
    }

    #[track_caller]
    pub(crate) fn send(self) -> Answer {
        let asked = self.to_string();
        self.try_send().unwrap_or_else(|error| panic!("{asked}: no answer: {error}"))
    }

    /// Sends, and has this status in the answer or fails.
    #[track_caller]
    pub(crate) fn answers(self, status: u16) -> Answer {
        self.send().is(status)
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    asked: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// A header's values, as the comma list that they are; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).into_iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join(", ")
    }

    /// The path in the header Location.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        path(&self.header("location")).unwrap_or_else(|| panic!("no URL in Location: {self}"))
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.body.lines().collect()
    }

    /// The paths of a collection in text/plain.
    #[track_caller]
    pub(crate) fn locations(&self) -> Vec<String> {
        let location = |line: &str| path(line.strip_prefix("X-OCCI-Location: ")?);
        let of_line = |line| location(line).unwrap_or_else(|| panic!("a line is no location: {self}"));
        self.body.lines().map(of_line).collect()
    }

    /// An attribute's value in text/plain, as it is written.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let start = format!("X-OCCI-Attribute: {name}=");
        self.body.lines().find_map(|line| line.strip_prefix(&start))
    }

    /// The terms of the actions that are shown in text/plain.
    pub(crate) fn actions(&self) -> Vec<&str> {
        let mut terms: Vec<_> = self
            .body
            .lines()
            .filter_map(|line| {
                Some(line.strip_prefix("Link: <")?.split_once('>')?.0.split_once("?action=")?.1)
            })
            .collect();
        terms.sort_unstable();
        terms
    }

    /// The Link lines of text/plain that are no actions.
    pub(crate) fn links(&self) -> Vec<&str> {
        self.body.lines().filter(|line| line.starts_with("Link: <") && !line.contains("?action=")).collect()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self}"))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut headers = String::new();
        for (name, value) in &self.headers {
            writeln!(headers, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        write!(f, "{}\n{}\n{headers}\n{}", self.asked, self.status, self.body)
    }
}

/// The path of an absolute URL.
fn path(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    Some(rest[rest.find('/')?..].to_owned())
}

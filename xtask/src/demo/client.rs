//! A plain HTTP client: what any OCCI client sends and gets.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use ureq::Agent;
use ureq::http;

/// A request as it goes over the wire.
pub(super) struct Request {
    pub(super) method: &'static str,
    /// With the query, if there is one.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn get(path: &str, accept: &str) -> Self {
        Self::new("GET", path, vec![("Accept", accept.to_owned())], String::new())
    }

    pub(super) fn delete(path: &str) -> Self {
        Self::new("DELETE", path, Vec::new(), String::new())
    }

    /// With a body of one line.
    pub(super) fn delete_text(path: &str, line: &str) -> Self {
        Self { method: "DELETE", ..Self::post_text(path, &[line]) }
    }

    /// A body of text/plain, one line each.
    pub(super) fn post_text(path: &str, lines: &[&str]) -> Self {
        let headers = vec![("Content-Type", "text/plain".to_owned()), ("Accept", "text/plain".to_owned())];
        Self::new("POST", path, headers, lines.join("\n") + "\n")
    }

    /// text/occi: the same lines as headers, and no body.
    pub(super) fn post_headers(path: &str, lines: &[(&'static str, &str)]) -> Self {
        let mut headers = vec![("Content-Type", "text/occi".to_owned()), ("Accept", "text/occi".to_owned())];
        headers.extend(lines.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Self::new("POST", path, headers, String::new())
    }

    pub(super) fn post_json(path: &str, body: &serde_json::Value) -> Self {
        let json = "application/occi+json".to_owned();
        Self::new("POST", path, vec![("Content-Type", json.clone()), ("Accept", json)], format!("{body:#}"))
    }

    fn new(method: &'static str, path: &str, headers: Vec<(&'static str, String)>, body: String) -> Self {
        Self { method, path: path.to_owned(), headers, body }
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: http::StatusCode,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    /// The path of the Location header.
    pub(super) fn location(&self) -> Result<String> {
        let (_, location) = self
            .headers
            .iter()
            .find(|(name, _)| name == "location")
            .context("the answer has no Location, which names what was created")?;
        path_of(location).with_context(|| format!("'{location}' is no URL"))
    }

    pub(super) fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.body).context("the body is not JSON")
    }
}

/// The path of an absolute URL, or of one that is a path already.
fn path_of(url: &str) -> Option<String> {
    if url.starts_with('/') {
        return Some(url.to_owned());
    }
    let (_, rest) = url.split_once("://")?;
    rest.find('/').map(|start| rest[start..].to_owned())
}

pub(super) struct Client {
    agent: Agent,
    base: String,
}

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        let agent = Agent::config_builder()
            // A refusal is an answer like any other here.
            .http_status_as_error(false)
            .proxy(None)
            // Connections end with a server that is killed, so none is kept.
            .max_idle_connections(0)
            // A machine that is asked to shut down may take its time.
            .timeout_global(Some(Duration::from_mins(2)))
            .build()
            .new_agent();
        Self { agent, base: format!("http://{address}") }
    }

    pub(super) fn send(&self, request: &Request) -> Result<Answer> {
        let mut builder =
            http::Request::builder().method(request.method).uri(format!("{}{}", self.base, request.path));
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let response = match request.method {
            "GET" | "DELETE" if request.body.is_empty() => self.agent.run(builder.body(())?),
            "DELETE" => {
                let request = self.agent.configure_request(builder.body(request.body.as_str())?);
                self.agent.run(request.allow_non_standard_methods(true).build())
            }
            _ => self.agent.run(builder.body(request.body.as_str())?),
        };
        let mut response =
            response.with_context(|| format!("{} {}: no answer", request.method, request.path))?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = response.body_mut().read_to_string().context("cannot read an answer")?;
        Ok(Answer { status: response.status(), headers, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_url_or_a_path() {
        assert_eq!(path_of("http://127.0.0.1:1/compute/2"), Some("/compute/2".to_owned()));
        assert_eq!(path_of("/compute/2"), Some("/compute/2".to_owned()));
        assert_eq!(path_of("compute"), None);
    }
}

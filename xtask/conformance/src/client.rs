//! Requests of every sort, also such as no decent client sends, and their answers. Every answer is shown to `observe`,
//! whatever it was asked for.

use std::cell::RefCell;
use std::fmt::Write as _;

use serde_json::Value;
use ureq::Agent;
use ureq::config::AutoHeaderValue;
use ureq::http::{Request as Wire, Uri};

use crate::Options;
use crate::answer::Answer;
use crate::draft::Draft;
use crate::error::Error;
use crate::observe::Observer;
use crate::verdict::{Evidence, Stop, Verdict, excerpt, skip};

/// The media types of OCCI.
pub(crate) const TEXT_PLAIN: &str = "text/plain";
pub(crate) const TEXT_OCCI: &str = "text/occi";
pub(crate) const URI_LIST: &str = "text/uri-list";
pub(crate) const OCCI_JSON: &str = "application/occi+json";

/// The other path of the query interface, of the whole host: wherever the endpoint is.
pub(crate) const WELL_KNOWN: &str = "/.well-known/org/ogf/occi/-/";

/// How this program names itself, and the version that it speaks.
pub(crate) const USER_AGENT: &str = concat!("occi-conformance/", env!("CARGO_PKG_VERSION"), " OCCI/1.2");

/// The longest answer that is read, in bytes.
const LIMIT: u64 = 64 << 20;

/// One endpoint, and how it is spoken to.
pub(crate) struct Client {
    agent: Agent,
    /// Such as `http://127.0.0.1:8787`, as the user wrote it.
    authority: String,
    /// The path of the endpoint; ends with a slash.
    root: String,
    /// Sent with each request to the endpoint.
    headers: Vec<(String, String)>,
    pub(crate) observer: RefCell<Observer>,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let endpoint = &options.endpoint;
        let wrong = |why| Error::Endpoint { endpoint: endpoint.clone(), why };
        let uri: Uri = endpoint.parse().map_err(|_| wrong("it is no URL"))?;
        let Some(scheme @ ("http" | "https")) = uri.scheme_str() else {
            return Err(wrong("it does not begin with http:// or https://"));
        };
        let Some(authority) = uri.authority() else { return Err(wrong("it names no host")) };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .user_agent(AutoHeaderValue::None)
            .max_response_header_size(4 << 20)
            .proxy(None)
            .tls_config(options.trust.tls()?)
            .timeout_global(Some(options.timeout))
            .build()
            .new_agent();
        Ok(Self {
            agent,
            authority: format!("{scheme}://{authority}"),
            root: format!("{}/", uri.path().trim_end_matches('/')),
            headers: options.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?,
            observer: RefCell::new(Observer::new()?),
        })
    }

    /// The URL of a path below the endpoint, such as `-/`.
    pub(crate) fn below(&self, path: &str) -> String {
        format!("{}{}{path}", self.authority, self.root)
    }

    /// Where an answer's name for something is asked for: at the endpoint, by whatever host a server calls itself. Nobody
    /// else is spoken to, nor told what the user authenticates by.
    fn here(&self, reference: &str) -> String {
        self.url(path_of(reference))
    }

    /// The URL of what an answer names by URL or by path, as the answer has it.
    pub(crate) fn url(&self, reference: &str) -> String {
        if reference.starts_with('/') {
            format!("{}{reference}", self.authority)
        } else if reference.contains("://") {
            reference.to_owned()
        } else {
            self.below(reference)
        }
    }

    /// Whether what an answer names lies below the endpoint. What does not may be of another application.
    pub(crate) fn is_below(&self, reference: &str) -> bool {
        let url = self.here(reference);
        let path = path_of(&url).split(['?', '#']).next().unwrap_or_default();
        let is_step =
            |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        // By a step or an empty part it may be another path than it looks.
        path.starts_with(&self.root) && !path.contains("//") && !path.split('/').any(is_step)
    }

    /// Whether the endpoint is spoken to by TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.authority.starts_with("https://")
    }

    /// Whether the user gave something to authenticate by.
    pub(crate) fn has_credentials(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    }

    pub(crate) fn request(&self, method: &'static str, reference: &str) -> Request<'_> {
        Request {
            client: self,
            method,
            url: self.here(reference),
            headers: vec![("User-Agent".into(), USER_AGENT.into()), ("Accept".into(), TEXT_PLAIN.into())],
            body: None,
            anonymous: false,
        }
    }

    pub(crate) fn get(&self, reference: &str) -> Request<'_> {
        self.request("GET", reference)
    }

    pub(crate) fn post(&self, reference: &str) -> Request<'_> {
        self.request("POST", reference)
    }

    pub(crate) fn put(&self, reference: &str) -> Request<'_> {
        self.request("PUT", reference)
    }

    pub(crate) fn delete(&self, reference: &str) -> Request<'_> {
        self.request("DELETE", reference)
    }
}

/// The path of what an answer names by URL or by path, which is how two names are compared.
pub(crate) fn path_of(reference: &str) -> &str {
    match reference.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#']) => {
            rest.find('/').map_or("/", |at| &rest[at..])
        }
        Some(_) | None => reference,
    }
}

fn header(line: &str) -> Result<(String, String), Error> {
    let wrong = || Error::Header(line.to_owned());
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let (name, value) = (name.trim(), value.trim());
    ureq::http::HeaderName::try_from(name).map_err(|_| wrong())?;
    ureq::http::HeaderValue::try_from(value).map_err(|_| wrong())?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A request on its way to be sent.
pub(crate) struct Request<'c> {
    client: &'c Client,
    method: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    anonymous: bool,
}

impl Request<'_> {
    /// One header more.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A header in place of those that bear this name.
    pub(crate) fn only(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    pub(crate) fn accept(self, value: &str) -> Self {
        self.only("Accept", Some(value))
    }

    /// Without what the user gave to authenticate by.
    pub(crate) fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        let mark = if self.url.contains('?') { '&' } else { '?' };
        let _ = write!(self.url, "{mark}{query}");
        self
    }

    pub(crate) fn body(mut self, media_type: &str, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self.only("Content-Type", Some(media_type))
    }

    /// A body of text/plain.
    pub(crate) fn text(self, lines: &[impl AsRef<str>]) -> Self {
        let body = lines.iter().fold(String::new(), |body, line| body + line.as_ref() + "\r\n");
        self.body(TEXT_PLAIN, body)
    }

    /// Headers of text/occi, from lines of text/plain; one header each.
    pub(crate) fn occi(mut self, lines: &[impl AsRef<str>]) -> Self {
        for (name, value) in lines.iter().filter_map(|line| line.as_ref().split_once(": ")) {
            self = self.header(name, value);
        }
        self.only("Content-Type", Some(TEXT_OCCI))
    }

    /// A body of JSON, to be answered in JSON.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.accept(OCCI_JSON).body(OCCI_JSON, body.to_string())
    }

    /// An entity to be made, in text/plain.
    pub(crate) fn draft(self, draft: &Draft) -> Self {
        self.text(&draft.lines())
    }

    /// Whether it is for the endpoint to answer. The well-known path is only read where the host may have others.
    fn is_for_the_endpoint(&self) -> bool {
        self.client.is_below(&self.url) || self.method == "GET" && path_of(&self.url) == WELL_KNOWN
    }

    /// The answer. None is a failure of the clauses that asked; what is not the endpoint's is not asked.
    pub(crate) fn send(self) -> Verdict<Answer> {
        if !self.is_for_the_endpoint() {
            return skip(format!(
                "{} does not lie below the endpoint: it may be of another application",
                self.url
            ));
        }
        let asked = self.to_string();
        self.try_send().map_err(|error| {
            Stop::Failed(Evidence { asked, expected: "an answer".into(), got: format!("none: {error}") })
        })
    }

    pub(crate) fn try_send(self) -> Result<Answer, ureq::Error> {
        let mut wire = Wire::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            wire = wire.header(name, value);
        }
        if !self.anonymous {
            for (name, value) in &self.client.headers {
                wire = wire.header(name, value);
            }
        }
        let mut response = match &self.body {
            Some(body) => self.client.agent.run(wire.body(body.as_bytes())?),
            None if matches!(self.method, "POST" | "PUT") => self.client.agent.run(wire.body(&b""[..])?),
            None => self.client.agent.run(wire.body(())?),
        }?;
        let body = response.body_mut().with_config().limit(LIMIT).read_to_vec()?;
        let answer = Answer {
            asked: self.to_string(),
            method: self.method,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        self.client.observer.borrow_mut().see(&answer);
        Ok(answer)
    }
}

impl std::fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.url)?;
        for (name, value) in &self.headers {
            if !(name == "User-Agent" && value == USER_AGENT) {
                write!(f, " | {name}: {}", excerpt(value))?;
            }
        }
        match &self.body {
            Some(body) if !body.is_empty() => write!(f, " | {}", excerpt(body)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_asked_of_the_endpoint() {
        let client = Client::new(&Options::of("http://a:81/occi")).unwrap();
        for (reference, asked) in [
            ("-/", "http://a:81/occi/-/"),
            ("/compute/1", "http://a:81/compute/1"),
            ("http://a:81/compute/1", "http://a:81/compute/1"),
            ("https://b.example/compute/1?x", "http://a:81/compute/1?x"),
            ("https://b.example", "http://a:81/"),
            ("/a?b=http://c.example/d", "http://a:81/a?b=http://c.example/d"),
        ] {
            assert_eq!(client.get(reference).url, asked, "{reference}");
        }
    }

    #[test]
    fn what_is_not_below_the_endpoint_is_not_asked() {
        let client = Client::new(&Options::of("http://a:81/occi")).unwrap();
        for below in
            ["", "compute/1", "/occi/", "/occi/compute/1?x=/../y", "https://b.example/occi/compute/1"]
        {
            assert!(client.is_below(below), "{below}");
        }
        for outside in [
            "/",
            "/occi",
            "/other/1",
            "http://a:81/occint/1",
            "/occi/../other/1",
            "/occi/%2E./other/1",
            "/occi//compute",
        ] {
            assert!(!client.is_below(outside), "{outside}");
            assert!(matches!(client.get(outside).send(), Err(Stop::NotApplicable(_))), "{outside}");
        }
        assert!(client.get(WELL_KNOWN).is_for_the_endpoint());
        assert!(!client.post(WELL_KNOWN).is_for_the_endpoint());
    }
}

//! Requests to other servers: the capability `http`.
//!
//! The operator says which servers the extension may ask; a request to any other is [`Fault::DENIED`]. Redirects are not
//! followed: an answer that tells of another place is an answer like any other. A secret is named, and the host puts it in:
//!
//! ```no_run
//! use occi_sdk::http::Request;
//!
//! # fn ask() -> occi_sdk::Result<()> {
//! let answer = Request::get("https://api.example.com/zones").header("authorization", "Bearer {{token}}").send()?;
//! if answer.status == 200 {
//!     let zones = answer.text()?;
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(target_arch = "wasm32")]
mod wasi;

use crate::fault::{Fault, Result};
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::http as wasi;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Whole, with scheme and host.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Nothing, or what is sent.
    pub body: Vec<u8>,
}

/// What a server answers, be it an error or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// Such as 200.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Request {
    /// A request of any method.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A request of what is there.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// With one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it, and reads the whole answer.
    pub fn send(&self) -> Result<Response> {
        wasi::send(self)
    }

    /// Its scheme, its server, and what is asked of that.
    #[cfg(any(test, target_arch = "wasm32"))]
    fn parts(&self) -> Result<(&str, &str, &str)> {
        let wrong = || Fault::invalid(format!("`{}` is no URL with a scheme and a host", self.url));
        let (scheme, rest) = self.url.split_once("://").ok_or_else(wrong)?;
        let rest = rest.split('#').next().unwrap_or(rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(wrong());
        }
        Ok((scheme, authority, path))
    }
}

impl Response {
    /// The first value of a header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name));
        value.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The body as text.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.body).map_err(|_| Fault::failed("the server's answer is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_three_parts() {
        for (url, parts) in [
            ("https://a.example/b?c#d", ("https", "a.example", "/b?c")),
            ("http://a.example:8080", ("http", "a.example:8080", "")),
            ("http://[::1]?c", ("http", "[::1]", "?c")),
        ] {
            assert_eq!(Request::get(url).parts().unwrap(), parts);
        }
        for url in ["", "a.example/b", "https:///b"] {
            assert!(Request::get(url).parts().unwrap_err().is(Fault::INVALID), "{url}");
        }
    }
}

//! The server's own URL, as the client knows it: put before paths in answers, taken off URLs in requests.

use axum::http::header;
use axum::http::request::Parts;
use occi_model::{Draft, Item, Value, core};
use std::net::SocketAddr;

/// Such as `http://example.com:8787`.
pub(crate) struct Base(String);

impl Base {
    /// From the request's authority, else from where the server listens.
    pub(crate) fn new(parts: &Parts, address: SocketAddr) -> Self {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = parts.uri.authority().map(axum::http::uri::Authority::as_str).or(host);
        // It goes into answers, so it must be what an authority can be.
        let proper = |host: &&str| {
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:[]%".contains(&b))
        };
        match host.filter(proper) {
            Some(host) => Self(["http://", host].concat()),
            None => Self(format!("http://{address}")),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes paths of the URLs that are this server's.
    pub(crate) fn make_local(&self, draft: &mut Draft) {
        for location in &mut draft.locations {
            self.localize(location);
        }
        for item in &mut draft.items {
            self.make_item_local(item);
        }
    }

    fn make_item_local(&self, item: &mut Item) {
        for category in &mut item.categories {
            if let Some(location) = &mut category.location {
                self.localize(location);
            }
        }
        if let Some(location) = &mut item.location {
            self.localize(location);
        }
        for name in [core::SOURCE, core::TARGET] {
            if let Some(Value::Text(text)) = item.attributes.get_mut(name) {
                self.localize(text);
            }
        }
        for link in &mut item.links {
            self.make_item_local(link);
        }
    }

    fn localize(&self, text: &mut String) {
        if let Some(path) = text.strip_prefix(&self.0)
            && path.starts_with('/')
        {
            *text = path.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn base(host: &str) -> Base {
        let request = Request::builder().uri("/").header("host", host).body(()).unwrap();
        Base::new(&request.into_parts().0, ([127, 0, 0, 1], 8787).into())
    }

    #[test]
    fn the_host_header_is_not_trusted_further_than_its_grammar() {
        assert_eq!(base("example.com:80").as_str(), "http://example.com:80");
        assert_eq!(base("[::1]:80").as_str(), "http://[::1]:80");
        assert_eq!(base("evil\"/,x").as_str(), "http://127.0.0.1:8787");
    }

    #[test]
    fn own_urls_become_paths_and_others_stay() {
        let locations = ["http://a/x", "http://ab/x", "/x", "http://a"].map(str::to_owned).into();
        let mut draft = Draft { locations, ..Draft::default() };
        base("a").make_local(&mut draft);
        assert_eq!(draft.locations, ["/x", "http://ab/x", "/x", "http://a"]);
    }
}

//! The server's own URL, as the client knows it: put before paths in answers, taken off URLs in requests.

use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use occi_model::{Draft, Filter, Item, Value, core};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The attributes whose values are locations.
const ENDS: [&str; 2] = [core::SOURCE, core::TARGET];

/// Where clients reach the server where that is not where it listens, as behind a proxy that ends TLS:
/// `https://example.com`, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = text.trim_end_matches('/');
        match split(url) {
            Some((_, authority, "")) if is_proper(authority) => Ok(Self(url.into())),
            _ => Err(format!(
                "`{text}` is not of the form http://HOST or https://HOST, each with a :PORT or without, such as \
                 https://occi.example.com"
            )),
        }
    }
}

/// Such as `http://example.com:8787`.
pub(crate) struct Base {
    /// What is put before paths.
    url: String,
    /// The host and port that the request was sent to, as another name of the same.
    authority: Option<String>,
    /// Whether the operator has said the URL.
    is_public: bool,
}

impl Base {
    /// From what the operator says, else from the request's authority, else from where the server listens.
    pub(crate) fn new(parts: &Parts, address: SocketAddr, public: Option<&PublicUrl>) -> Self {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = parts.uri.authority().map(axum::http::uri::Authority::as_str).or(host);
        let authority = host.filter(|host| is_proper(host)).map(str::to_owned);
        let url = match (public, &authority) {
            (Some(PublicUrl(url)), _) => url.clone(),
            (None, Some(host)) => ["http://", host].concat(),
            (None, None) => format!("http://{address}"),
        };
        Self { url, authority, is_public: public.is_some() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether a page's origin is this server. Anybody can have a name that leads here, so a name is believed where the operator
    /// has said it; an address, and `localhost`, are nobody else's.
    pub(crate) fn is_own_page(&self, origin: &str) -> bool {
        let Some((scheme, authority, "")) = split(origin) else { return false };
        let is = |own: &str| {
            without_default_port(scheme, authority).eq_ignore_ascii_case(without_default_port(scheme, own))
        };
        let said = split(&self.url).filter(|_| self.is_public);
        let is_said = |(known, own, _): (&str, &str, &str)| known.eq_ignore_ascii_case(scheme) && is(own);
        let asked = self.authority.as_deref().filter(|authority| is_nobodys_name(authority));
        said.is_some_and(is_said) || asked.is_some_and(is)
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
        for name in ENDS {
            if let Some(Value::Text(text)) = item.attributes.get_mut(name) {
                self.localize(text);
            }
        }
        for link in &mut item.links {
            self.make_item_local(link);
        }
    }

    /// The same of what a filter names.
    pub(crate) fn make_filter_local(&self, filter: &mut Filter) {
        for (name, value) in &mut filter.attributes {
            if let Value::Text(text) = value
                && ENDS.contains(&name.as_str())
            {
                self.localize(text);
            }
        }
    }

    fn localize(&self, text: &mut String) {
        let Some((scheme, authority, path)) = split(text) else { return };
        let is_own = |own: &str| without_default_port(scheme, authority).eq_ignore_ascii_case(own);
        let named = split(&self.url).map(|(scheme, authority, _)| without_default_port(scheme, authority));
        let asked = self.authority.as_deref().map(|authority| without_default_port(scheme, authority));
        if path.starts_with('/') && named.into_iter().chain(asked).any(is_own) {
            *text = path.to_owned();
        }
    }
}

/// Whether an authority is by an address, or by the name that leads nowhere but to one's own machine.
fn is_nobodys_name(authority: &str) -> bool {
    let Ok(parsed) = authority.parse::<Authority>() else { return false };
    let host = parsed.host();
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() || host.eq_ignore_ascii_case("localhost")
}

/// The scheme, the authority and the rest of a URL of HTTP.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((scheme, authority, path))
}

fn without_default_port<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

/// What goes into answers must be what an authority can be: a host, and perhaps a port.
pub(crate) fn is_proper(authority: &str) -> bool {
    let is_written = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
    let Ok(parsed) = authority.parse::<Authority>() else { return false };
    let host = parsed.host();
    let is_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => !host.is_empty() && !host.contains(']'),
    };
    let port = authority.strip_prefix(host).map(|rest| rest.strip_prefix(':').unwrap_or(rest));
    let is_port = port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok());
    authority.bytes().all(is_written) && is_host && is_port
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn base(host: &str, public: Option<&str>) -> Base {
        let request = Request::builder().uri("/").header("host", host).body(()).unwrap();
        let public = public.map(|url| url.parse().unwrap());
        Base::new(&request.into_parts().0, ([127, 0, 0, 1], 8787).into(), public.as_ref())
    }

    #[test]
    fn the_host_header_is_not_trusted_further_than_its_grammar() {
        assert_eq!(base("example.com:80", None).as_str(), "http://example.com:80");
        assert_eq!(base("[::1]:80", None).as_str(), "http://[::1]:80");
        for wrong in ["evil\"/,x", ":80", "[::1", "[zz]", "[::1]x", "x:80abc", "x:99999", "x:-1", "a@b"] {
            assert_eq!(base(wrong, None).as_str(), "http://127.0.0.1:8787", "{wrong}");
        }
    }

    #[test]
    fn own_urls_become_paths_and_others_stay() {
        let local = |base: &Base, given: &[&str]| {
            let locations = given.iter().map(|&text| text.to_owned()).collect();
            let mut draft = Draft { locations, ..Draft::default() };
            base.make_local(&mut draft);
            draft.locations
        };
        let given =
            ["http://a/x", "HTTP://A:80/x", "https://a/x", "http://ab/x", "/x", "http://a", "ftp://a/x"];
        let expected = ["/x", "/x", "/x", "http://ab/x", "/x", "http://a", "ftp://a/x"];
        assert_eq!(local(&base("a", None), &given), expected);
        // Behind a proxy both names are its own.
        let proxied = base("10.0.0.1:8787", Some("https://cloud.example.com"));
        assert_eq!(proxied.as_str(), "https://cloud.example.com");
        let given = ["https://cloud.example.com:443/x", "http://10.0.0.1:8787/x", "https://example.com/x"];
        assert_eq!(local(&proxied, &given), ["/x", "/x", "https://example.com/x"]);
    }

    #[test]
    fn a_public_url_is_a_scheme_and_an_authority() {
        for wrong in ["example.com", "https://", "https://a/b", "ftp://a", "https://a b", "https://a?x"] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
        assert_eq!("https://a:8443/".parse(), Ok(PublicUrl("https://a:8443".into())));
    }
}

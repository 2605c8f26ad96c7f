//! Which servers a grant names: a scheme, a host and a port.

use http::Uri;
use serde::Deserialize;
use std::fmt;

/// Servers by scheme, host and port, such as `https://api.example.com`, `http://10.0.0.7:8080`, or with `*.` before a domain
/// all names below it, such as `https://*.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin {
    is_secure: bool,
    /// In lower case; what follows the `*` where it is one for many.
    host: String,
    is_for_many: bool,
    port: u16,
}

impl Origin {
    /// Whether a request to that URI goes to one of these servers.
    pub(super) fn covers(&self, uri: &Uri) -> bool {
        let Some((is_secure, host, port)) = parts(uri) else { return false };
        let same_host = if self.is_for_many {
            host.strip_suffix(self.host.as_str()).is_some_and(|below| !below.is_empty())
        } else {
            host == self.host
        };
        same_host && (is_secure, port) == (self.is_secure, self.port)
    }

    /// How the origin of a URI is written where it is granted.
    pub(super) fn shown(uri: &Uri) -> String {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}", uri.scheme_str().unwrap_or("https"))
    }
}

/// Whether it is secure, the host in lower case and without the dot at its end, and the port.
fn parts(uri: &Uri) -> Option<(bool, String, u16)> {
    let (is_secure, port) = match uri.scheme_str()? {
        "https" => (true, 443),
        "http" => (false, 80),
        _ => return None,
    };
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let port = match authority.port() {
        Some(_) => authority.port_u16()?,
        None => port,
    };
    (!host.is_empty()).then_some((is_secure, host, port))
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no server, such as \"https://api.example.com\" or \"https://*.example.com:8443\""
            )
        };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        if uri.path_and_query().is_some_and(|rest| rest.as_str() != "/") {
            return Err(format!("`{text}` names more than a server; a path cannot be granted alone"));
        }
        let (is_secure, host, port) = parts(&uri).ok_or_else(wrong)?;
        let (is_for_many, host) = match host.strip_prefix('*') {
            Some(below) if below.starts_with('.') && below.len() > 1 => (true, below.to_owned()),
            Some(_) => return Err(wrong()),
            None => (false, host),
        };
        if host.contains('*') {
            return Err(wrong());
        }
        Ok(Self { is_secure, host, is_for_many, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, many) =
            (if self.is_secure { "https" } else { "http" }, if self.is_for_many { "*" } else { "" });
        write!(f, "{scheme}://{many}{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(origin: &str, uri: &str) -> bool {
        Origin::try_from(origin.to_owned()).unwrap().covers(&uri.parse().unwrap())
    }

    #[test]
    fn a_server_is_scheme_host_and_port() {
        assert!(covers("https://api.example.com", "https://api.example.com/any/path?query"));
        assert!(covers("https://api.example.com", "https://API.example.com.:443/"));
        assert!(covers("http://10.0.0.7:8080", "http://10.0.0.7:8080/"));
        assert!(covers("http://[fd00::1]", "http://[fd00::1]:80/"));
        for (origin, uri) in [
            ("https://api.example.com", "http://api.example.com/"),
            ("https://api.example.com", "https://api.example.com:8443/"),
            ("https://api.example.com", "https://example.com/"),
            ("https://api.example.com", "https://api.example.com.evil.net/"),
            ("https://api.example.com", "https://api.example.com@evil.net/"),
            ("https://api.example.com", "https://evil@api.example.com/"),
        ] {
            assert!(!covers(origin, uri), "{origin} {uri}");
        }
    }

    #[test]
    fn a_star_stands_for_the_names_below_a_domain() {
        assert!(covers("https://*.example.com", "https://a.b.example.com/"));
        for uri in [
            "https://example.com/",
            "https://evilexample.com/",
            "https://.example.com/",
            "https://a.example.com:1/",
        ] {
            let uri = uri.parse::<Uri>();
            assert!(uri.is_err() || !covers("https://*.example.com", &uri.unwrap().to_string()));
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://a.com/path",
            "https://*",
            "https://a.*.com",
            "https://u@a.com",
            "https://*a.com",
        ] {
            assert!(Origin::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}

//! Pages of other sites. A browser sends what they say to any server that it reaches, also to one that listens for its own machine
//! alone; so what would change something is not taken from them. Nor is a WebSocket opened for them, which they could read, too:
//! the rules by which browsers keep a page from what another site says know none.

use crate::base::Base;
use crate::failure::Failure;
use crate::socket;
use axum::http::header;
use axum::http::request::Parts;
use occi_operation::Refusal;

/// Refuses a change, or a WebSocket, that a page of another site asks for. Browsers say whose page it is (Fetch, `Origin`; Fetch Metadata,
/// `Sec-Fetch-Site`), and other clients say neither.
pub(crate) fn check(parts: &Parts, base: &Base) -> Result<(), Failure> {
    if parts.method.is_safe() && !socket::is_wanted(parts) {
        return Ok(());
    }
    let (mut origins, mut sites) =
        (parts.headers.get_all(header::ORIGIN).iter(), parts.headers.get_all("sec-fetch-site").iter());
    if sites.all(|site| site == "same-origin" || site == "none")
        && origins.all(|origin| origin.to_str().is_ok_and(|origin| base.is_own_page(origin)))
    {
        return Ok(());
    }
    let refused = "a page of another site asks for this, as the browser says (Origin, Sec-Fetch-Site), and such pages change \
                   nothing here; where the page is this server's own, its operator sets `url` in the configuration";
    Err(Refusal::Forbidden(refused.into()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn is_taken(method: &str, host: &str, url: Option<&str>, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/").header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let url = url.map(|url| url.parse().unwrap());
        let base = Base::new(&parts, ([127, 0, 0, 1], 8787).into(), url.as_ref());
        check(&parts, &base).is_ok()
    }

    #[test]
    fn only_own_pages_open_a_socket() {
        let socket = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")];
        let is_open_to = |headers: &[(&str, &str)]| {
            is_taken("GET", "127.0.0.1:8787", None, &[&socket[..], headers].concat())
        };
        assert!(is_open_to(&[]), "it is no browser");
        assert!(is_open_to(&[("origin", "http://127.0.0.1:8787")]));
        assert!(!is_open_to(&[("origin", "http://evil.example")]));
        assert!(!is_open_to(&[("origin", "null")]));
        assert!(!is_open_to(&[("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn only_own_pages_change_something() {
        let own = "https://occi.example.com";
        for (host, url, origin, taken) in [
            ("127.0.0.1:8787", None, "http://127.0.0.1:8787", true),
            ("localhost:8787", None, "http://LOCALHOST:8787", true),
            ("[::1]:8787", None, "http://[::1]:8787", true),
            ("127.0.0.1", None, "http://127.0.0.1:80", true),
            ("occi.example.com", Some(own), own, true),
            ("10.0.0.1:8787", Some(own), own, true),
            ("127.0.0.1:8787", None, "http://evil.example", false),
            ("127.0.0.1:8787", None, "http://127.0.0.1:8080", false),
            ("127.0.0.1:8787", None, "null", false),
            ("127.0.0.1:8787", None, "http://127.0.0.1:8787/x", false),
            // Its name leads here, as it likes.
            ("evil.example:8787", None, "http://evil.example:8787", false),
            ("evil.example", Some(own), "http://evil.example", false),
            ("localhost.evil.example", None, "http://localhost.evil.example", false),
        ] {
            assert_eq!(is_taken("POST", host, url, &[("origin", origin)]), taken, "{host} {origin}");
            assert!(is_taken("GET", host, url, &[("origin", origin)]));
        }
        for (site, taken) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)]
        {
            assert_eq!(is_taken("DELETE", "127.0.0.1", None, &[("sec-fetch-site", site)]), taken, "{site}");
        }
        assert!(is_taken("PUT", "127.0.0.1", None, &[]));
        for other in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
            assert!(!is_taken("POST", "127.0.0.1", None, &[("origin", "http://127.0.0.1"), other]));
        }
    }
}

//! TLS and authentication: recommended to those who run a server. One that does without them does not fail, since its
//! operator may have reasons, such as a proxy before it or a network of its own.

use super::{Check, check};
use crate::session::Session;
use crate::verdict::{Verdict, skip};

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-36"], tls_is_used),
    check(&["HTTP-37"], authentication_is_basic_or_digest),
    check(&["TXT-09"], both_are_used),
];

/// Every answer of an endpoint with TLS has come by it.
fn tls_is_used(s: &mut Session) -> Verdict {
    if s.client.is_secure() {
        return Ok(());
    }
    skip("the endpoint that was named is an http:// one; its https:// one, if it has any, is not asked")
}

fn authentication_is_basic_or_digest(s: &mut Session) -> Verdict {
    let answer = s.client.get("-/").anonymous().send()?;
    if answer.status != 401 {
        let given = if s.client.has_credentials() { ", although some were given" } else { "" };
        return skip(format!("the server asks for no credentials{given}"));
    }
    let challenge = answer.header("www-authenticate");
    let schemes = challenge.to_ascii_lowercase();
    if schemes.contains("basic") || schemes.contains("digest") {
        return Ok(());
    }
    answer.wrong("Basic or Digest in WWW-Authenticate", format!("WWW-Authenticate: {challenge}"))
}

fn both_are_used(s: &mut Session) -> Verdict {
    tls_is_used(s)?;
    authentication_is_basic_or_digest(s)
}

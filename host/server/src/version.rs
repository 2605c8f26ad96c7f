//! Which OCCI is spoken (HTTP-07, HTTP-10, HTTP-11).

use crate::failure::Failure;
use arc_swap::ArcSwap;
use axum::http::{HeaderMap, HeaderValue, header};
use std::sync::Arc;

/// What the Server header begins with: both versions, since 1.1 clients look for theirs.
const SERVER: &str = concat!("occi/", env!("CARGO_PKG_VERSION"), " OCCI/1.2 OCCI/1.1");

/// The Server header, with the profiles that extensions implement (R0401). It is made once for as long as these are the same, not
/// for each answer.
pub(crate) struct Signature(ArcSwap<(Arc<str>, HeaderValue)>);

impl Signature {
    pub(crate) fn new() -> Self {
        Self(ArcSwap::from_pointee(("".into(), HeaderValue::from_static(SERVER))))
    }

    pub(crate) fn of(&self, profiles: &Arc<str>) -> HeaderValue {
        let made = self.0.load();
        if Arc::ptr_eq(&made.0, profiles) {
            return made.1.clone();
        }
        let value = server(profiles);
        self.0.store(Arc::new((Arc::clone(profiles), value.clone())));
        value
    }
}

fn server(profiles: &str) -> HeaderValue {
    let named =
        if profiles.is_empty() { None } else { HeaderValue::from_str(&format!("{SERVER} {profiles}")).ok() };
    named.unwrap_or(HeaderValue::from_static(SERVER))
}

/// What comes before a version.
const TOKEN: &str = "OCCI/";

/// The newest version that is spoken.
const NEWEST: (u32, u32) = (1, 2);

/// Refuses a client that speaks a newer version.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Failure> {
    let agent = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    match agent.as_deref().and_then(newest) {
        Some((version, token)) if version > NEWEST => Err(Failure::NewerVersion(token.to_owned())),
        Some(_) | None => Ok(()),
    }
}

/// The newest version that a User-Agent names by the token `OCCI/x.y`, which stands by itself, and that token.
fn newest(agent: &str) -> Option<((u32, u32), &str)> {
    agent.match_indices(TOKEN).filter_map(|(at, _)| version(&agent[..at], &agent[at..])).max()
}

fn version<'a>(before: &str, from: &'a str) -> Option<((u32, u32), &'a str)> {
    if before.chars().next_back().is_some_and(|c| is_word(c) || "-.".contains(c)) {
        return None;
    }
    let (major, after) = number(&from[TOKEN.len()..])?;
    let (minor, after) = number(after.strip_prefix('.')?)?;
    // What may follow is the end of a sentence, or a number that is not the standard's, as in `OCCI/1.2.1`.
    if after.chars().next().is_some_and(is_word) {
        return None;
    }
    Some(((major, minor), &from[..from.len() - after.len()]))
}

/// The number that a text begins with, and what comes after it. One too long to be read is newer than all that we know.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].parse().unwrap_or(u32::MAX), &text[end..]))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_client_is_told_so() {
        // HTTP-11, H11-29, Q-63
        for (agent, refused) in [
            ("occi-client/1.1 (linux) OCCI/1.1", false),
            ("x OCCI/1.2", false),
            ("x OCCI/1.3", true),
            ("OCCI/2.0", true),
            ("x (OCCI/1.10)", true),
            ("x OCCI/1.1 OCCI/9.0", true),
            ("fooOCCI/9.9bar", false),
            ("OCCI/9.9bar", false),
            ("OCCI/99999999999.0", true),
            ("OCCI/1.2.0", false),
            ("speaks OCCI/1.2. And more", false),
            ("OCCI/1.3.1", true),
            ("OCCI/1..2", false),
            ("OCCI/", false),
            ("OCCI/1", false),
            ("curl/8", false),
        ] {
            let headers = HeaderMap::from_iter([(header::USER_AGENT, agent.parse().unwrap())]);
            assert_eq!(check(&headers).is_err(), refused, "{agent}");
        }
    }
}

//! Which OCCI is spoken (HTTP-07, HTTP-10, HTTP-11).

use crate::failure::Failure;
use axum::http::{HeaderMap, header};

/// The Server header: both versions, since 1.1 clients look for theirs.
pub(crate) const SERVER: &str = concat!("occi/", env!("CARGO_PKG_VERSION"), " OCCI/1.2 OCCI/1.1");

/// The newest version that is spoken.
const NEWEST: (u32, u32) = (1, 2);

/// Refuses a client that speaks a newer version.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Failure> {
    let agent = headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    match agent.as_deref().and_then(newest) {
        Some(version) if version > NEWEST => {
            Err(Failure::NewerVersion { major: version.0, minor: version.1 })
        }
        Some(_) | None => Ok(()),
    }
}

/// The newest version that a User-Agent names by the token `OCCI/x.y`, which stands by itself.
fn newest(agent: &str) -> Option<(u32, u32)> {
    agent
        .match_indices("OCCI/")
        .filter_map(|(at, token)| version(&agent[..at], &agent[at + token.len()..]))
        .max()
}

fn version(before: &str, after: &str) -> Option<(u32, u32)> {
    let is_word = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    if before.chars().next_back().is_some_and(is_word) {
        return None;
    }
    let end = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(after.len());
    if after[end..].chars().next().is_some_and(is_word) {
        return None;
    }
    let (major, minor) = after[..end].split_once('.')?;
    // A number too long to be read is newer than all that we know.
    let number = |digits: &str| (!digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX));
    Some((number(major)?, number(minor)?))
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
            ("OCCI/", false),
            ("OCCI/1", false),
            ("curl/8", false),
        ] {
            let headers = HeaderMap::from_iter([(header::USER_AGENT, agent.parse().unwrap())]);
            assert_eq!(check(&headers).is_err(), refused, "{agent}");
        }
    }
}

//! Secrets in the headers of requests: a guest writes `Bearer {{token}}`, and the host puts in what the operator keeps under
//! that name. So the guest has it not, and cannot tell it to anyone but the servers that it may ask.

use http::HeaderMap;
use http::header::HeaderValue;
use std::collections::BTreeMap;

/// A header that cannot be sent, in words for the operator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown(String);

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Puts secrets into all headers that name some.
pub(super) fn put_into(headers: &mut HeaderMap, secrets: &BTreeMap<String, String>) -> Result<(), Unknown> {
    for value in headers.values_mut() {
        let Some(text) = value.to_str().ok().filter(|text| text.contains("{{")) else { continue };
        let mut full = HeaderValue::from_str(&filled(text, secrets)?)
            .map_err(|_| Unknown("a secret has characters that no header may have".into()))?;
        // Nobody logs it, and HTTP/2 does not compress it.
        full.set_sensitive(true);
        *value = full;
    }
    Ok(())
}

fn filled(text: &str, secrets: &BTreeMap<String, String>) -> Result<String, Unknown> {
    let mut parts = text.split("{{");
    let mut full = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) =
            part.split_once("}}").ok_or_else(|| Unknown("a header has `{{` without `}}`".into()))?;
        let secret = secrets
            .get(name.trim())
            .ok_or_else(|| Unknown(format!("there is no secret `{}`", name.trim().escape_debug())))?;
        full.push_str(secret);
        full.push_str(rest);
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, Unknown> {
        filled(text, &BTreeMap::from([("token".into(), "s3cret".into()), ("user".into(), "me".into())]))
    }

    #[test]
    fn names_become_secrets() {
        assert_eq!(fill("Bearer {{token}}").unwrap(), "Bearer s3cret");
        assert_eq!(fill("{{user}}:{{ token }}!").unwrap(), "me:s3cret!");
        assert_eq!(fill("none} }} {").unwrap(), "none} }} {");
    }

    #[test]
    fn what_is_not_there_is_not_sent() {
        assert!(fill("{{other}}").unwrap_err().to_string().contains("`other`"));
        assert!(fill("Bearer {{token").is_err());
    }

    #[test]
    fn a_secret_that_would_break_the_request_is_not_sent() {
        let mut headers =
            HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_static("{{token}}"))]);
        let secrets = BTreeMap::from([("token".into(), "a\r\nb".into())]);
        assert!(put_into(&mut headers, &secrets).is_err());
        assert_eq!(headers[http::header::AUTHORIZATION], "{{token}}");
    }
}

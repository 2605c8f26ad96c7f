//! The few requests that prepare a measurement.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// An answer to a GET.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Without those that any HTTP server writes by itself.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Creates an entity, and answers its URL.
pub(crate) fn create(collection: &str, body: &str) -> Result<String> {
    let answer = ureq::post(collection).header("Content-Type", "text/plain").send(body);
    let answer = answer.with_context(|| format!("cannot create an entity at {collection}"))?;
    let location = answer.headers().get("location").and_then(|location| location.to_str().ok());
    Ok(location.context("the answer to a creation names no location")?.to_owned())
}

/// Deletes an entity.
pub(crate) fn delete(url: &str) -> Result<()> {
    ureq::delete(url).call().map(drop).with_context(|| format!("cannot delete {url}"))
}

/// What a GET answers.
pub(crate) fn get(url: &str, accept: &str) -> Result<Answer> {
    let answer =
        ureq::get(url).header("Accept", accept).call().with_context(|| format!("cannot get {url}"))?;
    let (parts, mut body) = answer.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = value.to_str().with_context(|| format!("the header {name} is no text"))?;
        Ok((name.as_str().to_owned(), value.to_owned()))
    });
    let headers: Vec<_> = headers.collect::<Result<_>>()?;
    let own = |name: &str| !["date", "content-length", "transfer-encoding", "connection"].contains(&name);
    Ok(Answer {
        headers: headers.into_iter().filter(|(name, _)| own(name)).collect(),
        body: body.read_to_string().context("the body of an answer")?,
    })
}

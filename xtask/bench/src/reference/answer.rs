//! A bare axum server: one answer, kept ready.

use super::{listen, runtime};
use crate::client::Answer;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response};
use axum::routing::get;
use bytes::Bytes;
use std::path::Path;

pub(crate) fn serve(answer: &Path) -> Result<()> {
    let text = std::fs::read(answer).with_context(|| format!("cannot read {}", answer.display()))?;
    let answer: Answer = serde_json::from_slice(&text).context("the answer")?;
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        let name: HeaderName = name.parse().context("a header's name")?;
        headers.append(name, HeaderValue::from_str(value).context("a header's value")?);
    }
    let body = Bytes::from(answer.body);
    let same = move || {
        let mut response = Response::new(Body::from(body.clone()));
        response.headers_mut().clone_from(&headers);
        std::future::ready(response)
    };
    runtime()?.block_on(listen(Router::new().route("/{*path}", get(same))))
}

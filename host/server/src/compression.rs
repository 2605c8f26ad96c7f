//! Compression of large answers, for clients that say they take it (RFC 9110, section 12.5.3).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use std::convert::Infallible;
use std::future::ready;
use tower::{ServiceExt, service_fn};
use tower_http::compression::Compression;
use tower_http::compression::predicate::SizeAbove;

/// What is shorter is sent as it is: it takes a few packets, in bytes.
const LEAST: u64 = 4 << 10;

/// The same answer, in the encoding that the client likes best of those that there are.
pub(crate) async fn compress(asked: &HeaderMap, response: Response<Body>) -> Response<Body> {
    let accepted: Vec<&str> = asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|coding| !is_about_none(coding))
        .collect();
    let Some(accepted) = Some(accepted.join(","))
        .filter(|all| !all.is_empty())
        .and_then(|all| HeaderValue::from_str(&all).ok())
    else {
        return response;
    };
    let mut request = Request::new(());
    request.headers_mut().insert(header::ACCEPT_ENCODING, accepted);
    // It is asked for once.
    let mut response = Some(response);
    let answer = service_fn(|_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    match Compression::new(answer).compress_when(SizeAbove::new(LEAST)).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// Whether it only says that an answer without any encoding is liked or not: one is given all the same where there is no
/// other, as RFC 9110 has it (section 12.5.3).
fn is_about_none(coding: &str) -> bool {
    let mut parts = coding.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let is_refused = parts.any(|part| {
        let quality = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
        quality.and_then(|quality| quality.trim().parse().ok()).is_some_and(|quality: f32| quality == 0.0)
    });
    name.is_empty() || name.eq_ignore_ascii_case("identity") || (name == "*" && is_refused)
}

//! Compression of large answers, for clients that say they take it (RFC 9110, section 12.5.3).

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, header};
use std::convert::Infallible;
use std::future::ready;
use tower::{ServiceExt, service_fn};
use tower_http::compression::Compression;
use tower_http::compression::predicate::SizeAbove;

/// What is shorter is sent as it is: it takes a few packets, in bytes.
const LEAST: u64 = 4 << 10;

/// The same answer, in the encoding that the client likes best of those that there are.
pub(crate) async fn compress(asked: &HeaderMap, response: Response<Body>) -> Response<Body> {
    if !asked.contains_key(header::ACCEPT_ENCODING) {
        return response;
    }
    let mut request = Request::new(());
    for encoding in asked.get_all(header::ACCEPT_ENCODING) {
        request.headers_mut().append(header::ACCEPT_ENCODING, encoding.clone());
    }
    // It is asked for once.
    let mut response = Some(response);
    let answer = service_fn(|_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    match Compression::new(answer).compress_when(SizeAbove::new(LEAST)).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

//! What must hold of every answer.

use crate::{request, server};
use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use occi_server::Host;

/// What the server can say where its store is in memory, its bodies come at once, and no extension has code.
const STATUS: [u16; 12] = [200, 201, 304, 400, 403, 404, 405, 406, 409, 412, 413, 415];
/// To a newer version of OCCI, or to a method that nobody knows.
const NOT_SPOKEN: u16 = 501;

/// Answers all requests, one after the other; afterwards, what the server lists is there.
pub fn requests(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let (host, store) = server::start();
        for request in request::requests(bytes) {
            answer(&host, request).await;
        }
        let listed = get(&host, "/", "text/uri-list").await;
        for uri in listed.lines() {
            for accept in ["text/plain", "application/occi+json"] {
                get(&host, uri, accept).await;
            }
        }
        drop(host);
        store.close().await.expect("the end of a store");
    });
}

async fn get(host: &Host, uri: &str, accept: &str) -> String {
    let request = Request::get(uri).header(header::ACCEPT, accept).header(header::HOST, "127.0.0.1:8787");
    let (parts, body) = answer(host, request.body(Body::empty()).expect("a request")).await;
    assert_eq!(parts.status, StatusCode::OK, "{uri}: {body}");
    body
}

async fn answer(host: &Host, request: Request<Body>) -> (Parts, String) {
    let method = request.method().clone();
    let said = format!("{method} {} {:?}", request.uri(), request.headers());
    let (parts, body) = host.clone().answer(request).await.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    let status = parts.status.as_u16();
    assert!(STATUS.contains(&status) || status == NOT_SPOKEN, "{said}: {status}");
    let body = String::from_utf8(body.to_vec()).unwrap_or_else(|error| panic!("{said}: {error}"));
    headers(&said, &parts.headers);
    match parts.status {
        StatusCode::METHOD_NOT_ALLOWED => assert!(parts.headers.contains_key(header::ALLOW), "{said}"),
        StatusCode::CREATED => assert!(parts.headers.contains_key(header::LOCATION), "{said}"),
        _ => {}
    }
    if method == Method::HEAD || parts.status == StatusCode::NOT_MODIFIED {
        assert_eq!(body, "", "{said}");
    } else if !body.is_empty() {
        let content_type =
            parts.headers.get(header::CONTENT_TYPE).unwrap_or_else(|| panic!("{said}: no type"));
        if content_type.to_str().is_ok_and(|name| name.ends_with("json")) {
            serde_json::from_str::<serde_json::Value>(&body)
                .unwrap_or_else(|error| panic!("{said}: {error}"));
        }
    }
    (parts, body)
}

/// HTTP-10, and RFC 9110, section 5.5.
fn headers(said: &str, headers: &HeaderMap) {
    let server = headers.get(header::SERVER).and_then(|server| server.to_str().ok());
    assert!(server.is_some_and(|server| server.contains("OCCI/1.2")), "{said}: {server:?}");
    for (name, value) in headers {
        let legal = |&byte: &u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        assert!(value.as_bytes().iter().all(legal), "{said}: {name}: {value:?}");
    }
}

//! Requests from bytes, in the form that HTTP/1 has on the wire but with LF for its line ends, so that seeds can be read
//! and written by people. A line `---` stands between two requests.

use axum::body::Body;
use axum::http::{Request, Uri};

/// The most requests of one input.
const MOST: usize = 8;

/// The requests that HTTP itself allows; others never reach the server.
pub fn requests(bytes: &[u8]) -> impl Iterator<Item = Request<Body>> {
    split(bytes, b"\n---\n").into_iter().take(MOST).filter_map(request)
}

fn request(bytes: &[u8]) -> Option<Request<Body>> {
    let (head, body) = match find(bytes, b"\n\n") {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (bytes.strip_suffix(b"\n").unwrap_or(bytes), &b""[..]),
    };
    let mut lines = head.split(|&byte| byte == b'\n');
    let mut words = lines.next()?.splitn(2, |&byte| byte == b' ');
    let method = words.next()?;
    let target = Uri::try_from(words.next()?).ok()?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let colon = line.iter().position(|&byte| byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    request.body(Body::from(body.to_vec())).ok()
}

fn split<'a>(mut bytes: &'a [u8], between: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(end) = find(bytes, between) {
        parts.push(&bytes[..end]);
        bytes = &bytes[end + between.len()..];
    }
    parts.push(bytes);
    parts
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

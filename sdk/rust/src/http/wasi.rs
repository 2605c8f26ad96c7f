//! A request in the words of `wasi:http`.

use super::{Request, Response};
use crate::bindings::system::wasi::http::outgoing_handler::handle;
use crate::bindings::system::wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use crate::bindings::system::wasi::io::streams::{InputStream, StreamError};
use crate::fault::{Fault, Result};

/// How many bytes a stream takes at a time without being asked first.
const WRITE: usize = 4096;
/// How many bytes are read at a time.
const READ: u64 = 64 << 10;

pub(super) fn send(request: &Request) -> Result<Response> {
    let answer = handle(outgoing(request)?, None).map_err(|code| fault(&code))?;
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(response))) => read(response),
        Some(Ok(Err(code))) => Err(fault(&code)),
        Some(Err(())) | None => Err(Fault::failed("the host has no answer to the request")),
    }
}

fn outgoing(request: &Request) -> Result<OutgoingRequest> {
    let (scheme, authority, path) = request.parts()?;
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let headers = Fields::from_list(&headers)
        .map_err(|error| Fault::invalid(format!("a header of the request cannot be: {error}")))?;
    let outgoing = OutgoingRequest::new(headers);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.into()),
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let is_set = outgoing.set_method(&method(&request.method)).is_ok()
        && outgoing.set_scheme(Some(&scheme)).is_ok()
        && outgoing.set_authority(Some(authority)).is_ok()
        && outgoing.set_path_with_query(Some(&path)).is_ok();
    if !is_set {
        return Err(Fault::invalid(format!("`{} {}` cannot be asked", request.method, request.url)));
    }
    if !request.body.is_empty() {
        let body = outgoing.body().map_err(|()| Fault::failed("the request takes no body"))?;
        write(&body, &request.body)?;
        OutgoingBody::finish(body, None).map_err(|code| fault(&code))?;
    }
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.into()),
    }
}

fn write(body: &OutgoingBody, bytes: &[u8]) -> Result<()> {
    let stream = body.write().map_err(|()| Fault::failed("the request's body is written already"))?;
    for part in bytes.chunks(WRITE) {
        stream
            .blocking_write_and_flush(part)
            .map_err(|error| Fault::failed(format!("the request is not sent: {error}")))?;
    }
    Ok(())
}

fn read(response: IncomingResponse) -> Result<Response> {
    let (status, headers) = (response.status(), response.headers().entries());
    let body = response.consume().map_err(|()| Fault::failed("the answer has no body"))?;
    let mut bytes = Vec::new();
    {
        let stream = body.stream().map_err(|()| Fault::failed("the answer has no body"))?;
        while let Some(part) = next(&stream)? {
            bytes.extend(part);
        }
    }
    drop::<IncomingBody>(body);
    Ok(Response { status, headers, body: bytes })
}

fn next(stream: &InputStream) -> Result<Option<Vec<u8>>> {
    match stream.blocking_read(READ) {
        Ok(part) => Ok(Some(part)),
        Err(StreamError::Closed) => Ok(None),
        Err(StreamError::LastOperationFailed(error)) => {
            Err(Fault::failed(format!("the answer broke off: {}", error.to_debug_string())))
        }
    }
}

/// WASI's error as a fault.
fn fault(code: &ErrorCode) -> Fault {
    match code {
        ErrorCode::HttpRequestDenied => {
            Fault::denied("the operator does not let the extension ask that server")
        }
        ErrorCode::DestinationIpProhibited => {
            Fault::denied("the server has an address that the operator does not let extensions reach")
        }
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Fault::timeout(format!("a server did not answer: {code}")),
        ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTerminated => {
            Fault::unavailable(format!("a server cannot be reached: {code}"))
        }
        other => Fault::failed(format!("a server cannot be asked: {other}")),
    }
}

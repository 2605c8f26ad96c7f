//! Requests to servers that the operator did not mean, and to those that are hostile themselves.

use crate::told;
use occi_sdk::bindings::system::wasi::http::outgoing_handler::handle;
use occi_sdk::bindings::system::wasi::http::types::{Fields, Method, OutgoingRequest, Scheme};
use occi_sdk::http::Request;
use occi_sdk::{Attributes, Change, Fault, Read, Result};

pub(crate) const URL: &str = "com.example.hostile.url";
const HEADER: &str = "com.example.hostile.header";

fn request(parameters: &Attributes) -> Request {
    let request = Request::get(parameters.text(URL).unwrap_or_default());
    match parameters.text(HEADER).as_deref().and_then(|header| header.split_once(": ")) {
        Some((name, value)) => request.header(name, value),
        None => request,
    }
}

/// Once, and where an answer says that it is elsewhere, there.
pub(crate) fn ask(parameters: &Attributes) -> Result<Change> {
    let mut answer = request(parameters).send()?;
    if let Some(elsewhere) = answer.header("location").map(str::to_owned) {
        answer = Request::get(elsewhere).send()?;
    }
    told(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)))
}

pub(crate) fn ask_often(parameters: &Attributes) -> Result<Change> {
    let request = request(parameters);
    for number in 0_u64.. {
        if let Err(fault) = request.send() {
            return told(format!("{number} answers, then {}", fault.message));
        }
    }
    told("without end")
}

/// Sends the head of a request with a body, and never the body.
pub(crate) fn ask_slowly(parameters: &Attributes) -> Result<Change> {
    let url = parameters.text(URL).unwrap_or_default();
    let (_, authority) = url.split_once("://").ok_or_else(|| Fault::invalid("no URL"))?;
    let outgoing = OutgoingRequest::new(Fields::new());
    let is_set = outgoing.set_method(&Method::Post).is_ok()
        && outgoing.set_scheme(Some(&Scheme::Http)).is_ok()
        && outgoing.set_authority(Some(authority.trim_end_matches('/'))).is_ok();
    let body = outgoing.body();
    let answer = handle(outgoing, None).map_err(|code| Fault::failed(code.to_string()))?;
    answer.subscribe().block();
    told(format!("{is_set} {}", body.is_ok()))
}

pub(crate) fn read_all(parameters: &Attributes) -> Result<Change> {
    let answer = request(parameters).send()?;
    told(format!("{} bytes", answer.body.len()))
}

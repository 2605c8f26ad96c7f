//! Requests to other servers: that to one which the operator has not named is denied.

use crate::Report;
use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};

pub(crate) fn tour(report: &mut Report) {
    let answer = ask("elsewhere.example.com").err();
    report.say("handle", answer.map_or("answered".into(), |error| format!("{error:?}")));
}

fn ask(authority: &str) -> Result<u16, ErrorCode> {
    let failed = |()| ErrorCode::InternalError(None);
    let headers = Fields::from_list(&[("accept".into(), b"text/plain".to_vec())])
        .map_err(|_| ErrorCode::InternalError(None))?;
    let request = OutgoingRequest::new(headers);
    request.set_method(&Method::Post).map_err(failed)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(failed)?;
    request.set_authority(Some(authority)).map_err(failed)?;
    request.set_path_with_query(Some("/")).map_err(failed)?;
    let body = request.body().map_err(failed)?;
    let stream = body.write().map_err(failed)?;
    let options = RequestOptions::new();
    options.set_connect_timeout(Some(1_000_000_000)).map_err(failed)?;
    let answer = handle(request, Some(options))?;
    stream.blocking_write_and_flush(b"hello").map_err(|_| ErrorCode::InternalError(None))?;
    drop(stream);
    OutgoingBody::finish(body, None)?;
    answer.subscribe().block();
    let answer = answer.get().ok_or(ErrorCode::InternalError(None))?.map_err(failed)??;
    let body = answer.consume().map_err(failed)?;
    drop(body.stream().map_err(failed)?);
    Ok(answer.status())
}

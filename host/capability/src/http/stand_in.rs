//! Answers in the place of servers elsewhere, where a host rehearses: nothing leaves it.

use super::Answer;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use occi_extension::{CallContext, CallState, Fault};
use std::fmt;
use std::sync::Arc;
use wasmtime_wasi_http::{Error, WasiBody};

/// Who answers requests in the place of servers elsewhere.
#[async_trait]
pub trait StandIn: Send + Sync + 'static {
    /// The answer to a request with its whole body, or how there is none.
    async fn answer(&self, call: &CallContext, request: Request<Bytes>) -> Result<Response<Bytes>, Fault>;
}

/// The stand-in that is lent to the calls; where one is, no server is asked.
pub struct HttpStandIn(Box<dyn StandIn>);

impl HttpStandIn {
    /// Lend this one.
    pub fn new(stand_in: impl StandIn) -> Self {
        Self(Box::new(stand_in))
    }
}

impl fmt::Debug for HttpStandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpStandIn")
    }
}

/// A stand-in, for one call.
#[derive(Clone)]
pub(super) struct StandingIn {
    lent: Arc<HttpStandIn>,
    call: CallContext,
}

impl StandingIn {
    /// None where real servers are asked, or none may be.
    pub(super) fn of(state: &CallState) -> Option<Self> {
        let lent = state.offered().filter(|_| !state.is_trial())?;
        Some(Self { lent, call: state.call().clone() })
    }

    pub(super) async fn answer(self, request: Request<WasiBody>) -> Answer {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let answer = self.lent.0.answer(&self.call, Request::from_parts(parts, body)).await;
        let answer = answer.map_err(failure)?;
        let answer = answer.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync());
        Ok((answer, Box::new(async { Ok(()) })))
    }
}

/// How a fault looks to who waits for a server.
fn failure(fault: Fault) -> Error {
    match &*fault.code {
        "unavailable" => Error::DestinationUnavailable,
        "timeout" => Error::ConnectionReadTimeout,
        "denied" => Error::HttpRequestDenied,
        _ => Error::InternalError(Some(fault.message)),
    }
}

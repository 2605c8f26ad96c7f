//! The servers elsewhere: each request that a step expects has its answer, and any other is refused and remembered.

use crate::faults::Faults;
use crate::scenario::Exchange;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use occi_capability::StandIn;
use occi_extension::{CallContext, Fault, FaultInjection};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(crate) struct Servers {
    expected: Mutex<Vec<Exchange>>,
    asked: Mutex<Vec<Asked>>,
}

/// A request that was sent, and the one that was expected, if it was.
pub(crate) struct Asked {
    pub(crate) request: Request<Bytes>,
    pub(crate) expected: Option<Exchange>,
}

impl Servers {
    /// What a step expects, instead of what the one before did.
    pub(crate) fn expect(&self, exchanges: &[Exchange]) {
        *guard(&self.expected) = exchanges.to_vec();
        guard(&self.asked).clear();
    }

    /// What was asked, in its order, and what was expected in vain.
    pub(crate) fn take(&self) -> (Vec<Asked>, Vec<Exchange>) {
        (std::mem::take(&mut *guard(&self.asked)), std::mem::take(&mut *guard(&self.expected)))
    }

    fn find(&self, request: &Request<Bytes>) -> Option<Exchange> {
        let said = said(request);
        let mut expected = guard(&self.expected);
        let position = expected.iter().position(|exchange| exchange.request == said)?;
        Some(expected.remove(position))
    }
}

/// Method and URL, as a scenario names them.
pub(crate) fn said(request: &Request<Bytes>) -> String {
    format!("{} {}", request.method(), request.uri())
}

/// The servers as they are lent to the extension, which can be made not to reach them.
pub(crate) struct Reached {
    pub(crate) servers: Arc<Servers>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl StandIn for Reached {
    async fn answer(&self, call: &CallContext, request: Request<Bytes>) -> Result<Response<Bytes>, Fault> {
        self.faults.begin(call, "http", "handle")?;
        let expected = self.servers.find(&request);
        let answer = expected.as_ref().map(answer);
        guard(&self.servers.asked).push(Asked { request, expected });
        answer.unwrap_or_else(|| Err(Fault::new("denied", "the scenario expects no such request")))
    }
}

fn answer(exchange: &Exchange) -> Result<Response<Bytes>, Fault> {
    let mut answer = Response::builder().status(exchange.status);
    for (name, value) in &exchange.answer_headers {
        answer = answer.header(name, value);
    }
    let answer = answer.body(Bytes::from(exchange.answer.clone()));
    answer.map_err(|error| Fault::new("failed", format!("the scenario's answer is none: {error}")))
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

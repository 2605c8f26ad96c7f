//! From replies and failures to responses: the only file with status codes.

use crate::base::Base;
use crate::conditions;
use crate::exchange::Host;
use crate::failure::Failure;
use crate::metrics::Pieces;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use occi_extension::{CallError, Fault};
use occi_model::{Gravity, Representation, View, Violation};
use occi_operation::{Core, MemberOutcome, MemberResult, Refusal, Reply};
use occi_rendering::{CannotRender, MediaType, Rendered};
use occi_store::StoreError;
use prometheus::{Encoder, TextEncoder};
use std::sync::LazyLock;

/// An answer that can be given more than once.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// The answer to an operation that was done.
    pub(crate) fn new(reply: &Reply, accept: MediaType, base: &Base) -> Result<Self, CannotRender> {
        let mut answer =
            Self::rendered(occi_rendering::render(accept, &reply.representation, base.as_str())?);
        if let Representation::Created(views) = &reply.representation {
            answer.status = StatusCode::CREATED;
            if let Some(View { entity, .. }) = views.first() {
                insert(
                    &mut answer.headers,
                    header::LOCATION,
                    &format!("{}{}", base.as_str(), entity.location),
                );
            }
        }
        if let Representation::Entity(view) = &reply.representation {
            link_console(&mut answer.headers, view, accept);
        }
        if let Some(revision) = reply.revision {
            insert(&mut answer.headers, header::ETAG, &conditions::tag(revision, accept));
        }
        Ok(answer)
    }

    pub(crate) fn rendered(rendered: Rendered) -> Self {
        let Rendered { content_type, headers: given, body } = rendered;
        let mut headers = HeaderMap::with_capacity(given.len() + 8);
        sign(&mut headers);
        self::content_type(&mut headers, content_type);
        for (name, value) in given {
            // Rendering promises header values; what is none after all is left out rather than sent broken.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        Self { status: StatusCode::OK, headers, body: body.into() }
    }

    /// What it takes of memory, about, in bytes.
    pub(crate) fn length(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        headers.sum::<usize>() + self.body.len()
    }

    /// To a client that may have it already, or wants no other (RFC 9110, sections 13.1.1 and 13.1.2).
    pub(crate) fn on_condition(mut self, asked: &HeaderMap) -> Result<Self, Refusal> {
        let Some(tag) = self.headers.get(header::ETAG).cloned() else { return Ok(self) };
        if !conditions::is_wanted(asked, &tag) {
            return Err(Refusal::PreconditionFailed(None));
        }
        if conditions::is_known(asked, &tag) {
            self.status = StatusCode::NOT_MODIFIED;
            self.headers = HeaderMap::from_iter([(header::ETAG, tag)]);
            sign(&mut self.headers);
            self.body = Bytes::new();
        }
        Ok(self)
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let Self { status, headers, body } = self;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// The answer to a request that failed.
pub(crate) fn failure(failure: &Failure, accept: MediaType, method: &Method, path: &str) -> Response<Body> {
    let status = status(failure);
    // Where nothing was begun nothing has failed, and whoever asks again and again must not fill the log. What is away the
    // capability says itself, once.
    let is_begun = match failure {
        Failure::Refused(refusal) if refusal.is_for_absence() => false,
        Failure::Refused(Refusal::Extension(CallError::Refused { fault, .. })) => fault.code != "unavailable",
        Failure::Refused(Refusal::Extension(error)) => error.was_called(),
        Failure::Refused(Refusal::Console(fault)) => fault.code != "unavailable",
        Failure::TooManyConsoles { .. } => false,
        _ => true,
    };
    if is_fault(status) && is_begun {
        tracing::error!(%method, path, status = status.as_u16(), "{failure}");
    } else {
        tracing::debug!(%method, path, status = status.as_u16(), "{failure}");
    }
    let (message, results) = match failure {
        Failure::Refused(Refusal::Members(members)) => {
            (members.summary(), members.results.iter().map(result).collect())
        }
        Failure::Refused(refusal) => (public(refusal), Vec::new()),
        other => (other.to_string(), Vec::new()),
    };
    let mut answer = Answer::rendered(occi_rendering::render_error(accept, status, &message, &results));
    answer.status = status;
    if let Failure::MethodNotAllowed { allowed, .. } = failure {
        allow(&mut answer.headers, allowed);
    }
    if let Failure::OtherWebSocket = failure {
        insert(&mut answer.headers, header::UPGRADE, "websocket");
        insert(&mut answer.headers, header::SEC_WEBSOCKET_VERSION, "13");
    }
    // An extension that is not there does not come by itself.
    if status == StatusCode::SERVICE_UNAVAILABLE
        && !matches!(failure, Failure::Refused(refusal) if refusal.is_for_absence())
    {
        insert(&mut answer.headers, header::RETRY_AFTER, &retry_after(failure).to_string());
    }
    answer.into_response()
}

/// After how many seconds it may be otherwise.
fn retry_after(failure: &Failure) -> u64 {
    match failure {
        Failure::Refused(Refusal::Extension(CallError::Suspended { wait, .. })) => wait.as_secs() + 1,
        _ => 1,
    }
}

/// What the content is; of a page, what a browser may do with it too.
pub(crate) fn content_type(headers: &mut HeaderMap, name: &'static str) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(name));
    if name == MediaType::Html.name() {
        headers
            .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(occi_rendering::HTML_POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
}

/// Whether the server is to blame. What a client asks for and is not offered, or has no room for, is no failure of it.
fn is_fault(status: StatusCode) -> bool {
    status.is_server_error()
        && !matches!(status, StatusCode::NOT_IMPLEMENTED | StatusCode::INSUFFICIENT_STORAGE)
}

/// What the client is told; of the server's own troubles, that there are some.
fn public(refusal: &Refusal) -> String {
    match refusal {
        // An extension may have done its part already, which a restart undoes or finishes.
        Refusal::Store(_) => {
            "the server's store failed, so what was asked is not done or not known to be; look \
             again after the server was restarted (its log says why)"
                .into()
        }
        Refusal::Internal(_) => {
            "the server failed; what was asked was not done, and its log says more".into()
        }
        other => other.to_string(),
    }
}

/// What the client is told of one of many entities.
fn result(result: &MemberResult) -> occi_rendering::MemberResult<'_> {
    let (status, detail) = match &result.outcome {
        MemberOutcome::Done => ("done", None),
        MemberOutcome::Refused(refusal) => ("refused", Some(public(refusal))),
        MemberOutcome::NotTried => ("not tried", None),
    };
    occi_rendering::MemberResult { location: result.location.as_str(), status, detail }
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Malformed(_) | Failure::BadRequest(_) => StatusCode::BAD_REQUEST,
        Failure::NoCollection(_) | Failure::NothingBelow { .. } => StatusCode::NOT_FOUND,
        Failure::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Failure::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
        Failure::TooManyConsoles { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Failure::OtherWebSocket => StatusCode::UPGRADE_REQUIRED,
        Failure::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
        Failure::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Failure::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::Unsupported(_) | Failure::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Failure::NewerVersion(_) => StatusCode::NOT_IMPLEMENTED,
        Failure::Refused(refusal) => status_of_refusal(refusal),
        // TXT-07 and TXT-06
        Failure::CannotRender(CannotRender::NotAListing) => StatusCode::BAD_REQUEST,
        Failure::CannotRender(CannotRender::TooLarge { .. }) => StatusCode::NOT_ACCEPTABLE,
        Failure::CannotRender(CannotRender::Json(_) | CannotRender::Html(_)) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn status_of_refusal(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotFound(_) => StatusCode::NOT_FOUND,
        Refusal::Violations(violations) => status_of_violations(violations),
        Refusal::Invalid(_) | Refusal::Name(_) => StatusCode::BAD_REQUEST,
        Refusal::Forbidden(_) => StatusCode::FORBIDDEN,
        Refusal::Conflict(_) => StatusCode::CONFLICT,
        Refusal::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
        // HTTP-13
        Refusal::PageTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Extension(error) => status_of_call(error),
        Refusal::Console(fault) => status_of_fault(fault),
        Refusal::Part { refusal, .. } => status_of_refusal(refusal),
        // Where they differ: what must be changed in any case first, what is only not possible now last.
        Refusal::Members(members) => least(members.refusals().map(|(_, refusal)| refusal)),
        Refusal::Parts(parts) => least(parts.iter()),
        Refusal::Allowance { .. } => StatusCode::CONFLICT,
        Refusal::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
        Refusal::Late { .. } => StatusCode::GATEWAY_TIMEOUT,
        Refusal::NotLoaded(_)
        | Refusal::Behind { .. }
        | Refusal::Undoing(_)
        | Refusal::Outdated(_)
        | Refusal::Retagged
        | Refusal::Raced(_)
        | Refusal::Store(StoreError::Closed | StoreError::Engine { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Proposal { .. } | Refusal::Store(_) | Refusal::Internal(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn least<'a>(refusals: impl Iterator<Item = &'a Refusal>) -> StatusCode {
    refusals.map(status_of_refusal).min().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What must be changed in any case comes before what is forbidden, and that before what is only not possible now.
fn status_of_violations(violations: &[Violation]) -> StatusCode {
    match violations.iter().map(Violation::gravity).min() {
        Some(Gravity::Invalid) | None => StatusCode::BAD_REQUEST,
        Some(Gravity::Forbidden) => StatusCode::FORBIDDEN,
        Some(Gravity::Conflict) => StatusCode::CONFLICT,
    }
}

fn status_of_call(error: &CallError) -> StatusCode {
    match error {
        CallError::Refused { fault, .. } => status_of_fault(fault),
        CallError::TimedOut { .. } | CallError::Unavailable { .. } | CallError::Suspended { .. } => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        CallError::Trapped { .. }
        | CallError::OverMemory { .. }
        | CallError::TooManyHostCalls { .. }
        | CallError::Broken { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The codes are an open set; one that is not known here is 'failed'.
fn status_of_fault(fault: &Fault) -> StatusCode {
    match fault.code.as_str() {
        "invalid" => StatusCode::BAD_REQUEST,
        "denied" => StatusCode::FORBIDDEN,
        "conflict" | "missing" => StatusCode::CONFLICT,
        "unsupported" => StatusCode::NOT_IMPLEMENTED,
        "unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        "timeout" => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Leads to an entity's console (RFC 8288), where this header is not OCCI's own.
fn link_console(headers: &mut HeaderMap, view: &View, accept: MediaType) {
    if let Some(relation) = view.console.as_ref().filter(|_| accept != MediaType::TextOcci) {
        insert(headers, header::LINK, &format!("<{}>; rel=\"{relation}\"", view.entity.location.console()));
    }
}

/// What a console printed. It is different each time, and a browser is to take it for nothing but text.
pub(crate) fn printed(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// From here on the connection is a WebSocket (RFC 6455, section 4.2.2).
pub(crate) fn switching(accepted: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    insert(headers, header::SEC_WEBSOCKET_ACCEPT, accepted);
    response
}

/// The methods of a target.
pub(crate) fn options(allowed: &[Method]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    allow(response.headers_mut(), allowed);
    response
}

/// The answer to a request that wants something else than to look, or asks what can be done here.
pub(crate) fn refuse_change(method: &Method, path: &str) -> Option<Response<Body>> {
    const ALLOWED: &[Method] = &[Method::GET, Method::HEAD, Method::OPTIONS];
    if method == Method::OPTIONS {
        return Some(options(ALLOWED));
    }
    if ALLOWED.contains(method) {
        return None;
    }
    let failure = Failure::MethodNotAllowed { method: method.clone(), allowed: ALLOWED };
    Some(self::failure(&failure, MediaType::TextPlain, method, path))
}

/// The server's figures.
pub(crate) fn metrics(pieces: Pieces) -> Response<Body> {
    let mut response = Response::new(Body::new(pieces));
    insert(response.headers_mut(), header::CONTENT_TYPE, TextEncoder::new().format_type());
    response
}

/// Whether the server serves: not fully after its store has failed.
pub(crate) fn health(core: &Core, method: &Method) -> Response<Body> {
    if let Some(refusal) = refuse_change(method, "/healthz") {
        return refusal;
    }
    let (status, said) = if core.is_healthy() {
        (StatusCode::OK, "ok\r\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store has failed; the log says how, and a restart opens it again\r\n",
        )
    };
    let mut response = Response::new(Body::from(said));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// What an answer depends on besides its URL: GETs are filtered by headers (HTTP-15, HTTP-16).
const VARY: &str = "accept, accept-encoding, category, x-occi-attribute";

/// What every answer carries (HTTP-08, HTTP-10), and what no answer to HEAD does.
pub(crate) fn finish(response: &mut Response<Body>, method: &Method, host: &Host) {
    let headers = response.headers_mut();
    // An answer that is given again has them already.
    if !headers.contains_key(header::ACCEPT) {
        sign(headers);
    }
    // Not kept with an answer: extensions, and with them profiles, come and go.
    headers.insert(header::SERVER, host.signature.of(host.core.snapshot().profiles()));
    if method == Method::HEAD {
        let length = axum::body::HttpBody::size_hint(response.body()).exact();
        if let Some(length) = length {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        *response.body_mut() = Body::empty();
    }
}

fn sign(headers: &mut HeaderMap) {
    static ACCEPT: LazyLock<HeaderValue> = LazyLock::new(|| {
        HeaderValue::from_str(&MediaType::list()).unwrap_or_else(|_| HeaderValue::from_static("text/plain"))
    });
    headers.insert(header::ACCEPT, ACCEPT.clone());
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
}

fn allow(headers: &mut HeaderMap, allowed: &[Method]) {
    insert(headers, header::ALLOW, &allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", "));
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

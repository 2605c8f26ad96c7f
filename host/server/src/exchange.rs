//! One request, start to finish. Each step may say no; nothing goes back up.

use crate::answers::{Answers, Asked};
use crate::base::{self, Base, PublicUrl};
use crate::compression::compress;
use crate::conditions;
use crate::console;
use crate::failure::Failure;
use crate::listing;
use crate::metrics::Shown;
use crate::origin;
use crate::respond::{self, Answer};
use crate::route::{self, Query};
use crate::serve::{HEAD, Limits};
use crate::socket::Consoles;
use crate::stream::SharedStream;
use crate::version::{self, Signature};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use occi_model::{Draft, Location, Registry, Target};
use occi_operation::{Caller, Change, Condition, Core, Operation, Refusal};
use occi_rendering::{CannotRender, MediaType};
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// What requests are served from.
#[derive(Clone)]
pub struct Host {
    pub(crate) core: Arc<Core>,
    pub(crate) limits: Arc<Limits>,
    /// Who asks; there are no others yet.
    pub(crate) caller: Caller,
    pub(crate) address: SocketAddr,
    pub(crate) public: Option<PublicUrl>,
    pub(crate) answers: Arc<Answers>,
    pub(crate) metrics: Shown,
    pub(crate) consoles: Arc<Consoles>,
    pub(crate) signature: Arc<Signature>,
}

impl Host {
    /// Serves a core's operations; `address` is where it listens, `public` where clients reach it if that differs.
    pub fn new(core: Arc<Core>, limits: Limits, address: SocketAddr, public: Option<PublicUrl>) -> Self {
        Self {
            core,
            limits: Arc::new(limits),
            caller: Caller::default(),
            address,
            public,
            answers: Arc::new(Answers::new()),
            metrics: Shown::default(),
            consoles: Arc::new(Consoles::new()),
            signature: Arc::new(Signature::new()),
        }
    }

    /// The whole service: OCCI at every path, `/healthz` and `/metrics`. Which path means what is data of the registry, so
    /// there is nothing here for a router to do. Every request has an answer, whatever is in it.
    pub async fn answer(self, request: Request<Body>) -> Response<Body> {
        let metrics = self.metrics.clone();
        metrics.count(request.method().clone(), self.dispatch(request)).await
    }

    async fn dispatch(self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if let Some(mut response) = self.metrics.answer(&parts).await {
            respond::finish(&mut response, &parts.method, &self);
            return response;
        }
        if parts.uri.path() == "/healthz" {
            let mut response = respond::health(&self.core, &parts.method);
            respond::finish(&mut response, &parts.method, &self);
            return response;
        }
        answer(self, parts, body).await
    }

    /// The same, as a connection calls it.
    pub(crate) async fn serve(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        Ok(self.answer(request.map(Body::new)).await)
    }
}

/// Answers every request, also one that fails before it says how it wants to be answered.
async fn answer(host: Host, parts: Parts, mut body: Body) -> Response<Body> {
    let accept = occi_rendering::negotiate(values(&parts.headers, header::ACCEPT));
    let base = Base::new(&parts, host.address, host.public.as_ref());
    let outcome = match accept {
        Ok(accept) => exchange(&host, &base, &parts, &mut body, accept).await,
        Err(error) => Err(error.into()),
    };
    if outcome.as_ref().is_err_and(|failure| !matches!(failure, Failure::BodyTooSlow)) {
        discard(&host, &parts.headers, &mut body).await;
    }
    let mut response = outcome.unwrap_or_else(|failure| {
        respond::failure(&failure, accept.unwrap_or(MediaType::TextPlain), &parts.method, parts.uri.path())
    });
    respond::finish(&mut response, &parts.method, &host);
    response
}

async fn exchange(
    host: &Host,
    base: &Base,
    parts: &Parts,
    body: &mut Body,
    accept: MediaType,
) -> Result<Response<Body>, Failure> {
    check_host(parts)?;
    check_head(parts)?;
    origin::check(parts, base)?;
    version::check(&parts.headers)?;
    let path = match (&parts.method, parts.uri.path()) {
        // RFC 9112, sections 3.2.3 and 3.2.4: these two ask about the server, not about one of its paths.
        (&Method::CONNECT, _) | (&Method::OPTIONS, "*") => Ok(Location::root()),
        (_, path) => Location::parse(path),
    };
    let path = path.map_err(|error| Failure::BadRequest(error.to_string()))?;
    let snapshot = host.core.snapshot();
    let (asked, (path, target)) = (path.clone(), host.core.resolve(&snapshot, &host.caller, path)?);
    if parts.method == Method::DELETE && asked.is_collection() && matches!(target, Target::Entity(_)) {
        // A request that emptied the path, and is sent again for want of an answer, must not find more to delete.
        return Err(Failure::NothingBelow { below: asked, entity: path });
    }
    let query = Query::parse(parts.uri.query())?;
    let allowed = route::allowed(&target);
    if parts.method == Method::OPTIONS {
        return Ok(respond::options(allowed));
    }
    if !allowed.contains(&parts.method) {
        return Err(Failure::MethodNotAllowed { method: parts.method.clone(), allowed });
    }
    let body = collect(host, parts, body).await?;
    let draft = read(parts, &body, base, snapshot.registry())?;
    if draft == Draft::default() {
        check_means_all(parts, &target, &body)?;
    }
    let condition = conditions::condition(&parts.headers);
    let filter = route::filter(parts)?;
    let needs_tag = !matches!(condition, Condition::None | Condition::NoneOf(_) | Condition::Exists);
    if needs_tag && !parts.method.is_safe() && !matches!(target, Target::Entity(_)) {
        // A collection has no tag, so what the client says of one cannot be true.
        return Err(Refusal::PreconditionFailed(None).into());
    }
    // What headers filter is not told apart by path and query.
    let is_told_apart = filter.is_empty();
    let mut operation = route::route(&parts.method, target, &path, query, draft, filter, condition)?;
    if let Operation::Query(filter) | Operation::List { filter, .. } = &mut operation {
        occi_rendering::restore_filter(filter, snapshot.registry());
    }
    let accept = match accept {
        // Said before anything is changed.
        MediaType::UriList if !operation.answers_listing() => {
            let accepted = values(&parts.headers, header::ACCEPT);
            match (occi_rendering::negotiate_without(accepted, accept), &operation) {
                (Ok(other), _) => other,
                (Err(_), Operation::Retrieve(path)) => {
                    // That there is nothing says more than that it cannot be listed.
                    host.core.retrieve(&host.caller, path)?;
                    return Err(CannotRender::NotAListing.into());
                }
                (Err(_), _) => return Err(CannotRender::NotAListing.into()),
            }
        }
        accept => accept,
    };
    // Headers may have no room for the answer. Who would take it in another form gets that.
    let is_read = !matches!(operation, Operation::Change(_));
    let again = (is_read && accept == MediaType::TextOcci).then(|| operation.clone());
    let shown = show(host, base, parts, &path, operation, accept, is_told_apart).await;
    match (again, shown) {
        (Some(again), Err(Failure::CannotRender(CannotRender::TooLarge { needed }))) => {
            let shown = Err(CannotRender::TooLarge { needed }.into());
            match occi_rendering::negotiate_without(values(&parts.headers, header::ACCEPT), accept) {
                Ok(other) => show(host, base, parts, &path, again, other, is_told_apart).await.or(shown),
                Err(_) => shown,
            }
        }
        (_, shown) => shown,
    }
}

/// Carries the operation out, and answers in that media type.
async fn show(
    host: &Host,
    base: &Base,
    parts: &Parts,
    path: &Location,
    operation: Operation,
    accept: MediaType,
    is_told_apart: bool,
) -> Result<Response<Body>, Failure> {
    let query = parts.uri.query().unwrap_or_default();
    let asked = Asked { caller: &host.caller, path, query, accept, base: base.as_str() };
    match operation {
        Operation::Query(filter) => {
            let answer = Answer::new(&host.core.query(&filter), accept, base)?;
            Ok(compress(&parts.headers, answer.into_response()).await)
        }
        Operation::Retrieve(path) => {
            let asked = Asked { path: &path, query: "", ..asked };
            Ok(retrieve(host, base, asked)?.on_condition(&parts.headers)?.into_response())
        }
        Operation::List { collection, mut filter, page } => {
            base.make_filter_local(&mut filter);
            let listing = || host.core.list(&host.caller, collection, filter, page);
            let answer = listing::answer(host, asked, is_told_apart, listing).await?;
            Ok(compress(&parts.headers, answer).await)
        }
        Operation::Console(entity) => console::answer(host, parts, &entity).await,
        Operation::Change(change) => {
            let client = parts.extensions.get::<SharedStream>();
            Ok(carry_out(host, base, client, change, accept).await?.into_response())
        }
    }
}

/// Refuses a PUT and a DELETE that say nothing where something is meant: a client whose list came out empty would lose all.
fn check_means_all(parts: &Parts, target: &Target, body: &[u8]) -> Result<(), Failure> {
    let is_in_headers = || {
        let given = occi_rendering::content_type(values(&parts.headers, header::CONTENT_TYPE));
        given == Ok(Some(MediaType::TextOcci))
    };
    let message = match (&parts.method, target) {
        // HTTP-24, HTTP-30: to say nothing is not to say that nothing shall be left.
        (&Method::PUT, _) if !is_in_headers() && occi_rendering::lists_nothing(body) => return Ok(()),
        (&Method::PUT, Target::Mixin(_)) => {
            "a PUT says all that shall be there, and this one says nothing; to take the mixin off all its members, send \
             DELETE"
        }
        (&Method::PUT, _) => "a PUT says all that shall be there, and this one says nothing",
        // HTTP-28, HTTP-34, HTTP-35: only to say nothing at all means all.
        (&Method::DELETE, _) if body.is_empty() => return Ok(()),
        (&Method::DELETE, Target::Mixin(_)) => {
            "the body names no entity; to take the mixin off all its members, send DELETE without a body"
        }
        (&Method::DELETE, Target::Kind(_) | Target::Space(_)) => {
            "the body names no entity; to delete all that is there, send DELETE without a body"
        }
        (&Method::DELETE, Target::Entity(_)) => {
            "the body says nothing; to delete the entity, send DELETE without a body"
        }
        // The query interface asks for a mixin by itself.
        _ => return Ok(()),
    };
    Err(Failure::BadRequest(message.into()))
}

/// RFC 9112, section 3.2: a request of HTTP/1.1 names its host, once; with an empty name where it has none.
fn check_host(parts: &Parts) -> Result<(), Failure> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let is_name = |host: &HeaderValue| host.is_empty() || host.to_str().is_ok_and(base::is_proper);
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_name(host) => Ok(()),
        _ if parts.version != Version::HTTP_11 => Ok(()),
        _ => Err(Failure::BadRequest(
            "a request of HTTP/1.1 has the header Host, once, with a name and perhaps a port".into(),
        )),
    }
}

/// A head that is too large for us, but not for the library, which has an answer of its own and not in HTTP/2.
fn check_head(parts: &Parts) -> Result<(), Failure> {
    let headers = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if headers.sum::<usize>() + target > HEAD {
        return Err(Failure::HeadTooLarge);
    }
    Ok(())
}

/// One entity, as it was given before where nothing has changed.
fn retrieve(host: &Host, base: &Base, asked: Asked<'_>) -> Result<Answer, Failure> {
    if let Some(answer) = host.answers.recall(&host.core, asked) {
        return Ok(answer);
    }
    let reply = host.core.retrieve(asked.caller, asked.path)?;
    let answer = Answer::new(&reply, asked.accept, base)?;
    if let Some(basis) = reply.basis {
        host.answers.keep(asked, &answer, basis);
    }
    Ok(answer)
}

/// How long what has not begun is kept for a client that may have left.
const LEFT: Duration = Duration::from_secs(2);

async fn carry_out(
    host: &Host,
    base: &Base,
    client: Option<&SharedStream>,
    change: Change,
    accept: MediaType,
) -> Result<Answer, Failure> {
    let is_left = async {
        match client {
            Some(client) => client.is_silent().await,
            None => pending().await,
        }
        sleep(LEFT).await;
    };
    let reply = host.core.change_within(host.limits.answer_time, is_left, &host.caller, change).await?;
    match Answer::new(&reply, accept, base) {
        // It is done already, so the client is told in a form that has room for it.
        Err(CannotRender::TooLarge { .. }) => Ok(Answer::new(&reply, MediaType::TextPlain, base)?),
        outcome => Ok(outcome?),
    }
}

/// How long nothing comes from a client that has stopped to send.
const STOPPED: Duration = Duration::from_secs(1);

/// The most bytes that are read of a body whose request is refused already.
const DISCARDED: usize = 16 << 20;

/// Reads on and throws away: many clients send all before they listen, and a connection that is closed on unread bytes
/// is reset, so that they would never hear why they were refused.
async fn discard(host: &Host, headers: &HeaderMap, body: &mut Body) {
    if headers.contains_key(header::EXPECT) {
        // This one asks before it sends; to read would be to say yes.
        return;
    }
    let mut left = DISCARDED;
    let rest = async {
        // One who has stopped to send listens.
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(STOPPED, body.frame()).await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    if tokio::time::timeout(host.limits.body_time, rest).await.is_err() {
        tracing::debug!("the rest of a refused body did not come in time");
    }
}

async fn collect(host: &Host, parts: &Parts, body: &mut Body) -> Result<Bytes, Failure> {
    if body.is_end_stream() {
        // Nothing to wait for, so no time to measure.
        return Ok(Bytes::new());
    }
    let limit = host.limits.body;
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(Failure::BodyTooLarge { limit });
    }
    let whole = tokio::time::timeout(host.limits.body_time, Limited::new(body, limit).collect());
    match whole.await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::BodyTooLarge { limit }),
        Ok(Err(error)) => Err(Failure::BadRequest(format!("the body ended early: {error}"))),
        Err(_) => Err(Failure::BodyTooSlow),
    }
}

/// What the request says; nothing where there is neither a body nor OCCI in the headers.
fn read(parts: &Parts, body: &[u8], base: &Base, registry: &Registry) -> Result<Draft, Failure> {
    if parts.method == Method::GET || parts.method == Method::HEAD {
        // some clients name a Content-Type on every request.
        if body.is_empty() {
            return Ok(Draft::default());
        }
        let media_type = occi_rendering::content_type(values(&parts.headers, header::CONTENT_TYPE));
        let media_type = media_type.ok().flatten().unwrap_or(MediaType::TextPlain);
        let said = occi_rendering::parse(media_type, std::iter::empty(), body);
        return match said {
            // H11-03: who is not heard would be shown all.
            Ok(said) if said != Draft::default() => Err(Failure::BadRequest(
                "the body of a GET is not looked at; a filter is in the headers `Category` and `X-OCCI-Attribute`, or in the \
                 query as `category` and `attribute`"
                    .into(),
            )),
            Ok(_) | Err(_) => Ok(Draft::default()),
        };
    }
    let occi_headers = ["category", "link", "x-occi-attribute", "x-occi-location"];
    let in_headers = occi_headers.iter().any(|name| parts.headers.contains_key(*name));
    let media_type = match occi_rendering::content_type(values(&parts.headers, header::CONTENT_TYPE)) {
        // Where there is no body, its type says nothing: some clients name one on every request.
        _ if body.is_empty() && in_headers => MediaType::TextOcci,
        _ if body.is_empty() => return Ok(Draft::default()),
        Ok(media_type) => media_type.unwrap_or(MediaType::TextPlain),
        Err(error) => return Err(error.into()),
    };
    let is_encoded = |coding: &[u8]| !coding.trim_ascii().eq_ignore_ascii_case(b"identity");
    if !body.is_empty() && values(&parts.headers, header::CONTENT_ENCODING).any(is_encoded) {
        return Err(Failure::Encoded);
    }
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let mut draft = occi_rendering::parse(media_type, headers, body)?;
    if media_type != MediaType::OcciJson && media_type != MediaType::Json {
        occi_rendering::restore_structured(&mut draft, registry);
    }
    base.make_local(&mut draft);
    Ok(draft)
}

pub(crate) fn values(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).into_iter().map(axum::http::HeaderValue::as_bytes)
}

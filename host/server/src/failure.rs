//! Every way in which a request fails at this edge or behind it.

use axum::http::Method;
use occi_model::Location;
use occi_operation::Refusal;
use occi_rendering::{CannotRender, Malformed, NotAcceptable, Unsupported};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("{0}")]
    BadRequest(String),
    #[error("there is no mixin whose collection is at {0}; it may have been removed")]
    NoCollection(Location),
    #[error("nothing is below {below}; an entity is deleted at its own path, {entity}")]
    NothingBelow { below: Location, entity: Location },
    #[error("{method} is not possible here; {} are", .allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", "))]
    MethodNotAllowed { method: Method, allowed: &'static [Method] },
    #[error(transparent)]
    NotAcceptable(#[from] NotAcceptable),
    #[error(
        "there are {most} consoles open, which is the most that there may be; try again when some are closed"
    )]
    TooManyConsoles { most: usize },
    #[error("only version 13 of WebSocket is spoken here (RFC 6455, header Sec-WebSocket-Version)")]
    OtherWebSocket,
    #[error("the body was not sent in time; send it at once")]
    BodyTooSlow,
    #[error(
        "the head of the request is larger than {} bytes; send what is in it as a body",
        crate::serve::HEAD
    )]
    HeadTooLarge,
    #[error("the body is larger than {limit} bytes; send less at a time")]
    BodyTooLarge { limit: usize },
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    #[error("a body with a Content-Encoding is not read here; send it as it is")]
    Encoded,
    #[error("{0} is not spoken here; OCCI/1.2 and OCCI/1.1 are")]
    NewerVersion(String),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    CannotRender(#[from] CannotRender),
}

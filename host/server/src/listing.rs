//! Answers to GETs of collections: small ones whole, and kept as those of entities are; large ones sent as they are read,
//! so that a collection of any size takes little memory.

use crate::answers::Asked;
use crate::base::Base;
use crate::exchange::Host;
use crate::failure::Failure;
use crate::respond::Answer;
use crate::route;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, header};
use bytes::Bytes;
use hyper::body::Frame;
use occi_model::{Filter, Location};
use occi_operation::{Collection, Listing, Page};
use occi_rendering::MediaType;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What is longer is not made at once and not kept, in bytes.
const LARGE: usize = 1 << 20;
/// So much is sent at a time, about.
const PIECE: usize = 64 << 10;

/// A listing being written.
struct Writing {
    listing: Listing,
    written: occi_rendering::Listing,
    is_ended: bool,
}

impl Writing {
    /// Writes some members; there are none left where it is ended.
    fn go_on(&mut self) -> Result<(), Failure> {
        if self.written.shows_locations() {
            if let Some(locations) = self.listing.locations()? {
                return Ok(locations.iter().try_for_each(|location| self.written.location(location))?);
            }
        } else if let Some(views) = self.listing.views()? {
            return Ok(views.iter().try_for_each(|view| self.written.entity(view))?);
        }
        if self.written.again() {
            self.listing.rewind();
        } else {
            self.written.end();
            self.is_ended = true;
        }
        Ok(())
    }
}

/// The answer to a request for a collection, which may be one that was given before.
pub(crate) async fn answer(
    host: &Host,
    base: &Base,
    parts: &Parts,
    accept: MediaType,
    collection: Collection,
    filter: Filter,
    page: Option<Page>,
) -> Result<Response<Body>, Failure> {
    // What headers filter is not told apart by path and query.
    let is_plain = route::filter(parts)?.is_empty();
    let path = Location::parse(parts.uri.path()).ok().filter(|_| is_plain);
    let asked = path.as_ref().map(|path| Asked {
        caller: &host.caller,
        path,
        query: parts.uri.query().unwrap_or_default(),
        accept,
        base: base.as_str(),
    });
    if let Some(answer) = asked.and_then(|asked| host.answers.recall(&host.core, asked)) {
        return Ok(answer.into_response());
    }
    let listing = host.core.list(&host.caller, collection, filter, page)?;
    let basis = listing.basis();
    let written = occi_rendering::Listing::new(accept, base.as_str());
    let mut writing = Writing { listing, written, is_ended: false };
    while !writing.is_ended {
        writing.go_on()?;
        if writing.written.len() > LARGE && writing.written.is_body() {
            return Ok(stream(writing));
        }
        // Others are served too while one goes through a large collection.
        tokio::task::yield_now().await;
    }
    let answer = Answer::rendered(writing.written.into_rendered());
    if let Some(asked) = asked {
        host.answers.keep(asked, &answer, basis);
    }
    Ok(answer.into_response())
}

fn stream(writing: Writing) -> Response<Body> {
    let content_type = HeaderValue::from_static(writing.written.content_type());
    let mut response = Response::new(Body::new(Pieces(writing)));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// The body of a large answer. An error in the middle of it ends the connection, so that the client does not take a part
/// for the whole.
struct Pieces(Writing);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let Self(writing) = &mut *self;
        if !writing.is_ended
            && writing.written.len() < PIECE
            && let Err(failure) = writing.go_on()
        {
            tracing::error!("a listing broke off: {failure}");
            writing.is_ended = true;
            return Poll::Ready(Some(Err(failure)));
        }
        if writing.written.len() >= PIECE || (writing.is_ended && !writing.written.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(writing.written.take().into()))));
        }
        if writing.is_ended {
            return Poll::Ready(None);
        }
        // Others first, then the next members.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

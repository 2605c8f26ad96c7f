//! Answers to GETs of collections: small ones whole, and kept as those of entities are; large ones sent as they are read,
//! so that a collection of any size takes little memory.

use crate::answers::Asked;
use crate::exchange::Host;
use crate::failure::Failure;
use crate::respond::{self, Answer};
use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use hyper::body::Frame;
use occi_operation::{Listing, Refusal};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// What is longer is not made at once and not kept, in bytes.
const LARGE: usize = 1 << 20;
/// So much is sent at a time, about.
const PIECE: usize = 64 << 10;
/// How long a large listing shows one moment: as long as it takes whoever reads fast.
const MOMENT: Duration = Duration::from_secs(2);

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
            self.written.end()?;
            self.is_ended = true;
        }
        Ok(())
    }
}

/// The answer to a request for a collection. Where path and query are all that is asked, it may be one that was given
/// before.
pub(crate) async fn answer(
    host: &Host,
    asked: Asked<'_>,
    is_told_apart: bool,
    list: impl FnOnce() -> Result<Listing, Refusal>,
) -> Result<Response<Body>, Failure> {
    if is_told_apart && let Some(answer) = host.answers.recall(&host.core, asked) {
        return Ok(answer.into_response());
    }
    let listing = list()?;
    let basis = listing.basis();
    let mut written = occi_rendering::Listing::new(asked.accept, asked.base).titled(asked.path.as_str());
    if listing.is_of_links() {
        written = written.of_links();
    }
    let mut writing = Writing { listing, written, is_ended: false };
    loop {
        writing.go_on()?;
        if writing.is_ended {
            break;
        }
        if writing.written.len() > LARGE && writing.written.is_body() {
            writing.listing.limit(MOMENT);
            return Ok(stream(writing));
        }
        // Others are served too while one goes through a large collection.
        tokio::task::yield_now().await;
    }
    let answer = Answer::rendered(writing.written.into_rendered());
    if is_told_apart {
        host.answers.keep(asked, &answer, basis);
    }
    Ok(answer.into_response())
}

fn stream(writing: Writing) -> Response<Body> {
    let content_type = writing.written.content_type();
    let mut response = Response::new(Body::new(Pieces(writing)));
    respond::content_type(response.headers_mut(), content_type);
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
            // It may wait long for a client that reads slowly, and its buffer has grown by doubling.
            let mut piece = writing.written.take();
            piece.shrink_to_fit();
            return Poll::Ready(Some(Ok(Frame::data(piece.into()))));
        }
        if writing.is_ended {
            return Poll::Ready(None);
        }
        // Others first, then the next members.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

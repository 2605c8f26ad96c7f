//! What goes on on a connection, so that one on which nothing does can be closed. HTTP/1 has time-outs of its own in
//! hyper; HTTP/2 has none, and neither has a connection before it is known which of the two it speaks.
//!
//! An answer goes on until it is read to its end: while hyper takes more of it, and while the connection takes what hyper has
//! taken, which may be long after.

use axum::body::Body;
use axum::http::{Response, Version};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// One connection's requests and answers.
#[derive(Debug, Clone)]
pub(crate) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When something happened last.
    last: Instant,
    /// Requests that are being carried out.
    requests: usize,
    /// Answers that are being sent.
    answers: usize,
    /// How many bytes of answers hyper has taken that the connection has not, about: what hyper writes around them counts too.
    unsent: usize,
    /// Whether a request has ever come.
    is_used: bool,
    /// Whether hyper looks after the time itself.
    is_timed: bool,
    /// How many bytes the client has sent since its last request. What is sent to it in answer to those alone, such as to a
    /// PING, says nothing of whether it reads.
    provoking: usize,
}

/// Something that goes on, until it is dropped.
pub(crate) struct Busy {
    activity: Activity,
    counter: fn(&mut State) -> &mut usize,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            last: Instant::now(),
            requests: 0,
            answers: 0,
            unsent: 0,
            is_used: false,
            is_timed: false,
            provoking: 0,
        })))
    }

    fn note<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Instant::now();
        change(&mut state)
    }

    fn begin(&self, counter: fn(&mut State) -> &mut usize) -> Busy {
        self.note(|state| *counter(state) += 1);
        Busy { activity: self.clone(), counter }
    }

    /// A request of that version has come.
    pub(crate) fn request(&self, version: Version) -> Busy {
        let busy = self.begin(|state| &mut state.requests);
        self.note(|state| {
            state.is_used = true;
            state.is_timed = version < Version::HTTP_2;
        });
        busy
    }

    /// Watches an answer being sent, where hyper does not.
    pub(crate) fn answer(&self, response: Response<Body>) -> Response<Body> {
        if self.note(|state| state.is_timed) {
            return response;
        }
        let busy = self.begin(|state| &mut state.answers);
        self.note(|state| state.provoking = 0);
        response.map(|body| Body::new(Watched { body, rest: Bytes::new(), busy }))
    }

    /// The client has sent so many bytes.
    fn read(&self, bytes: usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.provoking = state.provoking.saturating_add(bytes);
    }

    /// So many bytes were sent to the client.
    fn wrote(&self, bytes: usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes > state.provoking {
            state.last = Instant::now();
            state.unsent = state.unsent.saturating_sub(bytes - state.provoking);
        }
        state.provoking = state.provoking.saturating_sub(bytes);
    }

    /// Since when nothing goes on; none while something does. An answer of HTTP/1 that is still being sent does not count.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.requests == 0 && state.answers == 0).then_some(state.last)
    }

    /// Ready at once where no whole request has ever come, so that there is nothing to wait for; else never.
    pub(crate) async fn is_unused(&self) {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).is_used {
            std::future::pending::<()>().await;
        }
    }

    /// Ready when nothing was asked for so long, or an answer was not read on.
    pub(crate) async fn is_idle(&self, idle: Duration, stuck: Duration) {
        loop {
            let until = {
                let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let patience = if state.answers > 0 || state.unsent > 0 { stuck } else { idle };
                let is_over = !state.is_timed && state.requests == 0 && state.last.elapsed() >= patience;
                if is_over {
                    return;
                }
                // What goes on is looked at again when its time may be over.
                (state.last + patience).max(Instant::now() + idle.min(stuck) / 4)
            };
            tokio::time::sleep_until(until).await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let counter = self.counter;
        self.activity.note(|state| *counter(state) -= 1);
    }
}

/// So many bytes are handed over at a time, so that it is seen whether the client reads on.
const PIECE: usize = 64 << 10;

/// A body that says when it is read.
struct Watched {
    body: Body,
    rest: Bytes,
    busy: Busy,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.busy.activity.note(|_| ());
        if self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        self.busy.activity.note(|state| state.unsent = state.unsent.saturating_add(length));
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.size_hint();
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower().saturating_add(rest));
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper.saturating_add(rest));
        }
        whole
    }
}

/// A connection that says when it takes something, and when something comes.
pub(crate) struct WatchedStream<S> {
    pub(crate) stream: S,
    pub(crate) activity: Activity,
}

impl<S> WatchedStream<S> {
    fn wrote(&self, outcome: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.activity.wrote(*bytes);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.activity.read(buffer.filled().len() - before);
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tokio::io::AsyncWriteExt;
    use tokio::time::timeout;

    const IDLE: Duration = Duration::from_secs(4);
    const STUCK: Duration = Duration::from_secs(8);

    async fn closed_within(activity: &Activity, seconds: u64) -> bool {
        timeout(Duration::from_secs(seconds), activity.is_idle(IDLE, STUCK)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_uses_is_closed() {
        let activity = Activity::new();
        assert!(!closed_within(&activity, 3).await);
        assert!(closed_within(&activity, 3).await, "no request came");
        let busy = activity.request(Version::HTTP_2);
        assert!(!closed_within(&activity, 60).await, "a request may take its time");
        drop(busy);
        assert!(!closed_within(&activity, 3).await);
        assert!(closed_within(&activity, 3).await);
        drop(activity.request(Version::HTTP_11));
        assert!(!closed_within(&activity, 60).await, "that is hyper's to do");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_read_ends_the_connection() {
        let activity = Activity::new();
        drop(activity.request(Version::HTTP_2));
        let mut body = activity.answer(Response::new(Body::from(vec![7; 3 * PIECE]))).into_body();
        for _ in 0..3 {
            assert!(!closed_within(&activity, 6).await, "it is read on");
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), PIECE);
        }
        assert!(closed_within(&activity, 12).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_still_being_sent_keeps_the_connection() {
        let activity = Activity::new();
        drop(activity.request(Version::HTTP_2));
        let mut stream = WatchedStream { stream: tokio::io::sink(), activity: activity.clone() };
        for _ in 0..3 {
            assert!(!closed_within(&activity, 3).await);
            stream.write_all(b"more").await.unwrap();
        }
        assert!(closed_within(&activity, 6).await);
        // What hyper has taken whole waits for as long as an answer that it is still taking.
        let mut body = activity.answer(Response::new(Body::from(vec![7; 100]))).into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert!(!closed_within(&activity, 6).await);
        stream.write_all(&[7; 50]).await.unwrap();
        assert!(!closed_within(&activity, 6).await);
        stream.write_all(&[7; 60]).await.unwrap();
        assert!(closed_within(&activity, 6).await);
        // Not by what the client has sent itself.
        activity.note(|_| ());
        for _ in 0..2 {
            assert!(!closed_within(&activity, 1).await);
            activity.read(17);
            stream.write_all(&[0; 17]).await.unwrap();
        }
        assert!(closed_within(&activity, 4).await);
    }
}

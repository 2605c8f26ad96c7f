//! Listening: connections, their time-outs and limits, and an end that drops nobody.

use crate::Host;
use crate::activity::{Activity, WatchedStream};
use crate::crowd::{Crowd, Place};
use crate::metrics::{Connected, Metrics};
use crate::stream::SharedStream;
use crate::timer::ReusedTimer;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use socket2::SockRef;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How much and how long.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// The longest wait for the head of a request, which is also how long a connection may be idle.
    pub head_time: Duration,
    /// The longest wait for a body, and for a client to read some more of its answer.
    pub body_time: Duration,
    /// The longest that a client waits until what it has asked for is done; it goes on.
    pub answer_time: Duration,
    /// The most connections at a time; for more, those that are idle give way, and where none is, they wait.
    pub connections: usize,
    /// How long requests may go on after the server was told to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_mins(1),
            answer_time: Duration::from_mins(5),
            connections: 4096,
            grace: Duration::from_secs(30),
        }
    }
}

/// So much of an answer waits in the kernel at most until it can be sent, in bytes. A client that reads makes room there, and
/// the kernel says so when half of it is free: with the buffer of some megabytes that it makes of its own, a slow client would
/// for minutes not be seen to read.
const UNSENT: u32 = 32 << 10;

/// The most bytes that the head of a request may have, and the most headers: a rendering in headers may have one for each of an
/// entity's attributes and links.
pub(crate) const HEAD: usize = 64 << 10;
const HEADERS: usize = 1000;

/// So much of a head is read, so that who sends too much is told so: beyond it HTTP/2 knows only "try again".
const READ: usize = 4 * HEAD;

/// Serves until `stop` is ready, then ends the requests that have begun and all changes that go on behind them.
pub async fn serve(host: Host, listener: TcpListener, stop: impl Future<Output = ()>) {
    let (core, grace) = (Arc::clone(&host.core), host.limits.grace);
    let stop = async {
        stop.await;
        let seconds = grace.as_secs();
        tracing::info!("stopping: no new connections, {seconds} seconds for the requests that go on");
    };
    let deadline = serve_requests(host, listener, stop).await;
    // Who changes something gets a moment more, as it is better to end it than to recover from it.
    if tokio::time::timeout_at(deadline + LAST_MOMENT, core.finish()).await.is_err() {
        tracing::warn!("some changes did not end in time; the next start recovers from them");
    }
}

/// Serves figures at `/metrics`, and nothing else, until `stop` is ready.
pub async fn serve_metrics(
    host: Host,
    metrics: Arc<Metrics>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) {
    serve_requests(host.of_metrics(metrics), listener, stop).await;
}

/// Serves until `stop` is ready, then ends the requests that have begun; when they were to have ended.
async fn serve_requests(host: Host, listener: TcpListener, stop: impl Future<Output = ()>) -> Instant {
    let consoles = Arc::clone(&host.consoles);
    let limits = Arc::clone(&host.limits);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().header_read_timeout(limits.head_time).max_buf_size(READ).max_headers(HEADERS);
    // Who has sent all of a request and says so gets an answer.
    builder.http1().half_close(true);
    // No PING: to a client that reads slowly it comes behind all that was sent before.
    builder.http2().max_header_list_size(u32::try_from(READ).unwrap_or(u32::MAX));
    let (end, cut) = (CancellationToken::new(), CancellationToken::new());
    let (crowd, tasks) = (Arc::new(Crowd::default()), TaskTracker::new());
    let permits = Arc::new(Semaphore::new(limits.connections));
    // Those that are accepted have it from the one that listens.
    if let Err(error) = SockRef::from(&listener).set_tcp_notsent_lowat(UNSENT) {
        tracing::debug!("connections without TCP_NOTSENT_LOWAT: {error}");
    }
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &permits, &crowd) => accepted,
            () = &mut stop => break,
        };
        let Some((stream, permit)) = accepted else { continue };
        let (activity, leave) = (Activity::new(), end.child_token());
        let place =
            (crowd.enter(activity.clone(), leave.clone()), host.metrics.counts().map(Metrics::connected));
        let service = {
            let (host, activity, stream) = (host.clone(), activity.clone(), stream.clone());
            service_fn(move |mut request| {
                request.extensions_mut().insert(stream.clone());
                serve_one(host.clone(), activity.clone(), request)
            })
        };
        builder.http1().timer(ReusedTimer::default());
        let stream = WatchedStream { stream: patient(stream, &limits), activity: activity.clone() };
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let (head_time, body_time, cut) = (limits.head_time, limits.body_time, cut.clone());
        tasks.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = activity.is_idle(head_time, body_time) => None,
                () = cut.cancelled() => None,
                () = leave.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        biased;
                        ended = connection.as_mut() => Some(ended),
                        () = activity.is_unused() => None,
                        () = activity.is_idle(head_time, body_time) => None,
                        () = cut.cancelled() => None,
                    }
                }
            };
            match ended {
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::debug!("a connection ended: {error}"),
                None => tracing::debug!("a connection on which nothing goes on is closed"),
            }
            drop::<((Place, Option<Connected>), _)>((place, permit));
        });
    }
    drop(listener);
    let deadline = Instant::now() + limits.grace;
    end.cancel();
    tasks.close();
    let ended = async { tokio::join!(tasks.wait(), consoles.close()) };
    if tokio::time::timeout_at(deadline, ended).await.is_err() {
        tracing::warn!("some connections did not end in time and are closed");
        cut.cancel();
    }
    deadline
}

/// After how long the next connection is told to leave where the last one has not left yet.
const ROOM_WITHIN: Duration = Duration::from_millis(100);

/// How long changes may go on when all connections are closed.
const LAST_MOMENT: Duration = Duration::from_secs(5);

async fn serve_one(
    host: Host,
    activity: Activity,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let busy = activity.request(request.version());
    let response = host.serve(request).await?;
    let response = activity.answer(response);
    drop(busy);
    Ok(response)
}

/// A connection on which a client that does not read its answers is given up.
fn patient(stream: SharedStream, limits: &Limits) -> Pin<Box<TimeoutStream<SharedStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.body_time));
    Box::pin(stream)
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    crowd: &Crowd,
) -> Option<(SharedStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = loop {
        match Arc::clone(permits).try_acquire_owned() {
            Ok(permit) => break permit,
            // There is to be room for one more before somebody asks for it.
            Err(_) => crowd.make_room(),
        }
        let permit = Arc::clone(permits).acquire_owned();
        if let Ok(permit) = tokio::time::timeout(ROOM_WITHIN, permit).await {
            break permit.ok()?;
        }
    };
    match listener.accept().await {
        Ok((stream, _)) => {
            // An answer is written at once; there is nothing to wait for.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!("a connection without TCP_NODELAY: {error}");
            }
            Some((SharedStream::new(stream), permit))
        }
        Err(error) => {
            // Out of file descriptors, most likely: others must end before it is of use to try again.
            tracing::warn!("no connection was accepted: {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

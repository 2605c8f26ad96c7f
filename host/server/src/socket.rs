//! A WebSocket (RFC 6455) between a client and a console: bytes go both ways as they are.
//!
//! Whoever reads too slowly loses some of what is printed; who types faster than the machine takes it waits. A client of which
//! nothing is heard any more is given up, so that others can have the console.

use crate::failure::Failure;
use crate::respond;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Response, Version, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use occi_extension::{Console, ConsoleEnd, ConsoleLine};
use occi_model::Location;
use occi_operation::Refusal;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// So many consoles are open at a time.
const MOST: usize = 64;
/// What is put behind a client's key (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The most bytes that are typed at once.
const TYPED: usize = 64 << 10;
/// How often a client is asked whether it is still there.
const ASKED_EVERY: Duration = Duration::from_secs(30);
/// How long it may take to say so.
const PATIENCE: Duration = Duration::from_secs(45);
/// So much of that is handed on at a time.
const CHUNK: usize = 4 << 10;
/// How long a machine may take nothing of what is typed. Meanwhile nothing is heard of the client, not even that it is gone.
const DEAF: Duration = Duration::from_secs(10);
/// The most bytes that are read when it is closed already.
const DISCARDED: u64 = 16 << 20;
/// How long a client may take until its connection is a WebSocket, and at the end to take its leave.
const CEREMONY: Duration = Duration::from_secs(5);

/// The consoles that are open.
pub(crate) struct Consoles {
    places: Arc<Semaphore>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Consoles {
    pub(crate) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST)),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Closes all of them, and those that are opened later; ready when they are.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Whether a request asks for its connection to become a WebSocket.
pub(crate) fn is_wanted(parts: &Parts) -> bool {
    parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && names(&parts.headers, header::CONNECTION, "upgrade")
        && names(&parts.headers, header::UPGRADE, "websocket")
}

/// Whether a list in a header has that word.
fn names(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
}

/// Opens a console for the client that asks for it.
pub(crate) async fn open(
    consoles: &Consoles,
    parts: &Parts,
    console: &dyn Console,
    take: bool,
    entity: &Location,
) -> Result<Response<Body>, Failure> {
    let accepted = accept(&parts.headers)?;
    let upgrade = parts.extensions.get::<OnUpgrade>().cloned();
    let upgrade = upgrade.ok_or_else(|| {
        Failure::BadRequest("the connection of this request cannot become a WebSocket".into())
    })?;
    let place = Arc::clone(&consoles.places).try_acquire_owned();
    let place = place.map_err(|_| Failure::TooManyConsoles { most: MOST })?;
    let line = console.open(take).await.map_err(Refusal::Console)?;
    tracing::info!(%entity, take, "a console is opened");
    let (closing, entity) = (consoles.closing.clone(), entity.clone());
    consoles.tasks.spawn(async move {
        serve(upgrade, line, &closing, place).await;
        tracing::info!(%entity, "a console is closed");
    });
    Ok(respond::switching(&accepted))
}

/// What is answered to the key of a handshake (RFC 6455, section 4.2).
fn accept(headers: &HeaderMap) -> Result<String, Failure> {
    let mut versions = headers.get_all(header::SEC_WEBSOCKET_VERSION).into_iter();
    if versions.next().is_none_or(|version| version != "13") {
        return Err(Failure::OtherWebSocket);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).into_iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) if BASE64_STANDARD.decode(key).is_ok_and(|key| key.len() == 16) => {
            // It proves that the handshake was understood, and no more, so SHA-1 does.
            let proof = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key.as_bytes(), GUID].concat());
            Ok(BASE64_STANDARD.encode(proof))
        }
        _ => Err(Failure::BadRequest(
            "a WebSocket begins with one header Sec-WebSocket-Key, with 16 bytes in base64".into(),
        )),
    }
}

async fn serve(
    upgrade: OnUpgrade,
    line: Box<dyn ConsoleLine>,
    closing: &CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    match timeout(CEREMONY, upgrade).await {
        Ok(Ok(upgraded)) => talk(TokioIo::new(upgraded), line, closing).await,
        Ok(Err(error)) => tracing::debug!("a connection became no WebSocket: {error}"),
        Err(_) => tracing::debug!("a connection became no WebSocket in time"),
    }
}

/// Carries bytes both ways, until one of the two ends it or the server stops.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    connection: S,
    line: Box<dyn ConsoleLine>,
    closing: &CancellationToken,
) {
    let config = WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * TYPED)
        .max_message_size(Some(TYPED))
        .max_frame_size(Some(TYPED));
    let socket = WebSocketStream::from_raw_socket(connection, Role::Server, Some(config)).await;
    let (mut sink, mut frames) = socket.split();
    let heard = Heard::now();
    let end = tokio::select! {
        end = show(&mut sink, &*line, &heard) => end,
        end = listen(&mut frames, &*line, &heard) => end,
        () = closing.cancelled() => End::Stopping,
    };
    // At once, for whoever wants it next.
    drop(line);
    tracing::debug!("a console ends: {end:?}");
    let leave = async {
        if let Some(frame) = end.frame() {
            sink.send(Message::Close(Some(frame))).await?;
        }
        sink.close().await?;
        if end.is_understood() {
            // Until the client takes its leave, too.
            while frames.next().await.is_some_and(|frame| frame.is_ok_and(|frame| !frame.is_close())) {}
        } else if let Ok(socket) = sink.reunite(frames) {
            // More is on its way: a connection that is closed on unread bytes is reset, and why is not heard.
            let mut left = socket.into_inner().take(DISCARDED);
            tokio::io::copy(&mut left, &mut tokio::io::sink()).await?;
        }
        Ok::<(), Error>(())
    };
    if !matches!(timeout(CEREMONY, leave).await, Ok(Ok(()))) {
        tracing::debug!("a client of a console did not take its leave");
    }
}

/// When something came from the client last.
struct Heard(Mutex<Instant>);

impl Heard {
    fn now() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what is printed, and asks now and then whether the client is there.
async fn show<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    line: &dyn ConsoleLine,
    heard: &Heard,
) -> End {
    let mut times = interval_at(Instant::now() + ASKED_EVERY, ASKED_EVERY);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asked: Option<Instant> = None;
    loop {
        let message = tokio::select! {
            printed = line.read() => match printed {
                Ok(printed) => Message::Binary(printed),
                Err(end) => return End::Console(end),
            },
            _ = times.tick() => {
                let unanswered = asked.filter(|asked| heard.last() < *asked);
                if unanswered.is_some_and(|asked| asked.elapsed() >= PATIENCE) {
                    return End::Silent;
                }
                asked = unanswered.or_else(|| Some(Instant::now()));
                Message::Ping(Bytes::new())
            }
        };
        if sink.send(message).await.is_err() {
            return End::Left;
        }
    }
}

/// Types what the client sends.
async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
    frames: &mut SplitStream<WebSocketStream<S>>,
    line: &dyn ConsoleLine,
    heard: &Heard,
) -> End {
    loop {
        let mut typed = match frames.next().await {
            Some(Ok(Message::Binary(typed))) => typed,
            Some(Ok(Message::Text(typed))) => typed.into(),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Bytes::new(),
            Some(Ok(Message::Close(_))) | None => return End::Left,
            Some(Err(Error::Capacity(_))) => return End::TooMuch,
            Some(Err(Error::Protocol(_) | Error::Utf8(_))) => return End::Nonsense,
            Some(Err(_)) => return End::Left,
        };
        heard.note();
        while !typed.is_empty() {
            let chunk = typed.split_to(typed.len().min(CHUNK));
            match timeout(DEAF, line.write(chunk)).await {
                Ok(Ok(())) => heard.note(),
                Ok(Err(end)) => return End::Console(end),
                Err(_) => return End::Deaf,
            }
        }
    }
}

/// Why a console is closed.
#[derive(Debug)]
enum End {
    Console(ConsoleEnd),
    /// The client has closed it, or is gone.
    Left,
    Silent,
    /// Nothing of what it types is taken.
    Deaf,
    TooMuch,
    Nonsense,
    Stopping,
}

impl End {
    /// Whether what comes from the client can still be understood.
    fn is_understood(&self) -> bool {
        !matches!(self, Self::TooMuch | Self::Nonsense)
    }

    /// What the client is told, where it need be. From 4000 on codes are each service's own (RFC 6455, section 7.4.2); these
    /// end as the status codes of HTTP do that mean the same.
    fn frame(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Left => return None,
            Self::Console(ConsoleEnd::Off) => {
                (CloseCode::Away, "the machine is off; start it and open the console again")
            }
            Self::Console(ConsoleEnd::Taken) => {
                (CloseCode::Library(4409), "somebody else has taken the console over")
            }
            Self::Console(ConsoleEnd::Lost) => {
                (CloseCode::Error, "the hypervisor cannot be reached; try again later")
            }
            Self::Silent => (CloseCode::Library(4408), "nothing was heard of the client"),
            Self::Deaf => (CloseCode::Again, "the machine takes nothing of what is typed; try again later"),
            Self::TooMuch => (CloseCode::Size, "a message is larger than 64 KiB; send less at a time"),
            Self::Nonsense => (CloseCode::Protocol, "this is not RFC 6455"),
            Self::Stopping => (CloseCode::Away, "the server stops"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}

#[cfg(test)]
mod tests;

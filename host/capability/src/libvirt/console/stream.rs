//! A two-way stream of libvirt's, for tasks that wait.
//!
//! What comes is taken at once, by the thread of libvirt's events: what is left to libvirt it keeps without bound. What goes is
//! sent by a thread of the stream's own, since libvirt waits until it is on its way: where a machine takes no more, the daemon
//! soon reads no more of this connection, which therefore is for this stream alone. That thread also ends both.

#![allow(
    unsafe_code,
    reason = "the safe bindings have no consoles, nor events of streams that answer who waits"
)]

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::{Notify, mpsc, oneshot};
use virt::domain::Domain;
use virt::error::Error;
use virt::sys;

use super::Live;

/// So much that was not read yet is kept, in bytes.
const UNREAD: usize = 256 << 10;
/// So much is read at a time.
const PIECE: usize = 64 << 10;
/// So many texts wait to be sent.
const UNSENT: usize = 4;
/// So much is sent at a time.
const CHUNK: usize = 4 << 10;
/// For so long what was typed last is still sent when nobody types any more.
const LAST: Duration = Duration::from_secs(1);
/// So often the thread of events takes something before it looks after other streams.
const AT_ONCE: usize = 64;
/// What libvirt answers where it would have to wait.
const WOULD_WAIT: c_int = -2;
/// How long to wait then.
const MOMENT: Duration = Duration::from_millis(10);

/// An open stream. To drop it ends it, soon.
#[derive(Debug)]
pub(super) struct Stream {
    shared: Arc<Shared>,
    typed: mpsc::Sender<Bytes>,
    /// Told by the thread that it has ended.
    gone: oneshot::Receiver<()>,
}

/// What the threads and the tasks have together.
#[derive(Debug, Default)]
struct Shared {
    printed: Mutex<Printed>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Printed {
    unread: BytesMut,
    /// Nothing more comes.
    is_over: bool,
    /// Since the connection broke.
    is_cut_off: bool,
}

impl Stream {
    /// Opens the console of a domain over a connection that nobody else uses.
    pub(super) fn open(live: Live, domain: &Domain, take: bool) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let ends = Ends::open(live, domain, take, &shared)?;
        let ((typed, unsent), (going, gone)) = (mpsc::channel(UNSENT), oneshot::channel());
        let sending = Arc::clone(&shared);
        let started = thread::Builder::new().name("console".into()).spawn(move || {
            send(ends, unsent, &sending);
            drop::<oneshot::Sender<()>>(going);
        });
        if let Err(error) = started {
            // What it was given ended with it, and the connection with that.
            tracing::warn!(%error, "no thread for a console");
            shared.end(true);
        }
        Ok(Self { shared, typed, gone })
    }

    /// Ends whatever stream the console of a domain has, also one that waits until something is taken.
    pub(super) fn end_other(live: Live, domain: &Domain) -> Result<(), Error> {
        let mut ends = Ends::open(live, domain, true, &Arc::default())?;
        ends.is_orderly = false;
        Ok(())
    }

    /// What has come; nothing where no more comes.
    pub(super) async fn read(&self) -> Option<Bytes> {
        loop {
            let news = self.shared.news.notified();
            {
                let mut printed = self.shared.printed();
                if !printed.unread.is_empty() {
                    let piece = printed.unread.len().min(PIECE);
                    return Some(printed.unread.split_to(piece).freeze());
                }
                if printed.is_over {
                    return None;
                }
            }
            news.await;
        }
    }

    /// Whether it is taken.
    pub(super) async fn write(&self, typed: Bytes) -> bool {
        self.typed.send(typed).await.is_ok()
    }

    /// Ends it; ready when it has ended at the hypervisor, too, which it does not where the machine takes no more.
    pub(super) async fn end(self) {
        drop(self.typed);
        // Nothing is ever sent.
        _ = self.gone.await;
    }

    /// Whether it ended since the connection broke.
    pub(super) fn is_cut_off(&self) -> bool {
        self.shared.printed().is_cut_off
    }
}

impl Shared {
    fn printed(&self) -> MutexGuard<'_, Printed> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what has come, for as much as there is room.
    fn keep(&self, bytes: &[u8]) {
        {
            let mut printed = self.printed();
            let room = UNREAD - printed.unread.len();
            printed.unread.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        self.news.notify_one();
    }

    fn end(&self, is_cut_off: bool) {
        {
            let mut printed = self.printed();
            printed.is_over = true;
            printed.is_cut_off |= is_cut_off;
        }
        self.news.notify_one();
    }
}

/// The stream and its connection as libvirt has them.
struct Ends {
    stream: virt::stream::Stream,
    live: Live,
    /// Whether what was sent before the end is to be taken before it. Where nothing is taken, that never ends.
    is_orderly: bool,
}

impl Ends {
    fn open(live: Live, domain: &Domain, take: bool, shared: &Arc<Shared>) -> Result<Self, Error> {
        let flags = if take { sys::VIR_DOMAIN_CONSOLE_FORCE } else { sys::VIR_DOMAIN_CONSOLE_SAFE };
        let stream = virt::stream::Stream::new(&live.connect, sys::VIR_STREAM_NONBLOCK)?;
        // SAFETY: both are valid for as long as they are borrowed; no name means the first console.
        let opened = unsafe { sys::virDomainOpenConsole(domain.as_ptr(), null(), stream.as_ptr(), flags) };
        if opened < 0 {
            return Err(Error::last_error());
        }
        // From here on it is ended by its drop.
        let ends = Self { stream, live, is_orderly: true };
        let lent = || Box::into_raw(Box::new(Arc::clone(shared))).cast::<c_void>();
        let lent_to_stream = lent();
        let events =
            (sys::VIR_STREAM_EVENT_READABLE | sys::VIR_STREAM_EVENT_ERROR | sys::VIR_STREAM_EVENT_HANGUP)
                .cast_signed();
        // SAFETY: the stream is valid; what is lent lives until libvirt calls `forget` on it.
        let listens = unsafe {
            sys::virStreamEventAddCallback(ends.as_ptr(), events, Some(stirred), lent_to_stream, Some(forget))
        };
        if listens < 0 {
            let error = Error::last_error();
            // SAFETY: libvirt did not keep it.
            unsafe { forget(lent_to_stream) };
            return Err(error);
        }
        let lent_to_close = lent();
        // SAFETY: as above, of the connection.
        let closing = unsafe {
            let connect = ends.live.connect.as_ptr();
            sys::virConnectRegisterCloseCallback(connect, Some(closed), lent_to_close, Some(forget))
        };
        if closing < 0 {
            let error = Error::last_error();
            // SAFETY: libvirt did not keep it.
            unsafe { forget(lent_to_close) };
            return Err(error);
        }
        Ok(ends)
    }

    fn as_ptr(&self) -> sys::virStreamPtr {
        self.stream.as_ptr()
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        // SAFETY: stream and connection are valid until after this. The callbacks are taken off first, and libvirt keeps what
        // is lent to one that is running until that is done.
        unsafe {
            sys::virStreamEventRemoveCallback(self.as_ptr());
            sys::virConnectUnregisterCloseCallback(self.live.connect.as_ptr(), Some(closed));
            // Refused where it has ended by itself. Without it the end of the connection is that of the stream.
            if self.is_orderly {
                sys::virStreamAbort(self.as_ptr());
            }
        }
    }
}

/// Sends what is typed, until nobody can type any more or nothing is taken.
fn send(ends: Ends, mut typed: mpsc::Receiver<Bytes>, shared: &Shared) {
    let mut last = None;
    while let Some(text) = typed.blocking_recv() {
        let mut is_late = || typed.is_closed() && last.get_or_insert_with(Instant::now).elapsed() >= LAST;
        if !send_all(&ends, &text, &mut is_late) {
            break;
        }
    }
    // First, so that whoever is told finds the console free.
    drop(ends);
    shared.end(false);
}

/// Whether all of it is sent.
fn send_all(ends: &Ends, mut text: &[u8], is_late: &mut impl FnMut() -> bool) -> bool {
    while !text.is_empty() {
        if is_late() {
            return false;
        }
        let chunk = text.len().min(CHUNK);
        // SAFETY: the stream is valid, and libvirt reads so many bytes at most.
        let sent = unsafe { sys::virStreamSend(ends.as_ptr(), text.as_ptr().cast::<c_char>(), chunk) };
        match usize::try_from(sent) {
            Ok(sent) => text = text.get(sent..).unwrap_or_default(),
            Err(_) if sent == WOULD_WAIT => thread::sleep(MOMENT),
            Err(_) => return false,
        }
    }
    true
}

/// Something has come, or nothing more will.
unsafe extern "C" fn stirred(stream: sys::virStreamPtr, events: c_int, shared: *mut c_void) {
    // SAFETY: what is lent to the callback is an `Arc<Shared>`, kept until `forget`.
    let shared = unsafe { &*shared.cast::<Arc<Shared>>() };
    let mut piece = [0_u8; 16 << 10];
    for _ in 0..AT_ONCE {
        // SAFETY: libvirt lends a valid stream for the length of this call, and writes so many bytes at most.
        let got = unsafe { sys::virStreamRecv(stream, piece.as_mut_ptr().cast::<c_char>(), piece.len()) };
        let is_ending = events & READABLE == 0;
        match usize::try_from(got) {
            Ok(got @ 1..) => shared.keep(piece.get(..got).unwrap_or_default()),
            Err(_) if got == WOULD_WAIT && !is_ending => return,
            Ok(0) | Err(_) => {
                // SAFETY: as above. An end is told again and again to whoever still listens.
                unsafe { sys::virStreamEventUpdateCallback(stream, 0) };
                shared.end(false);
                return;
            }
        }
    }
}

const READABLE: c_int = sys::VIR_STREAM_EVENT_READABLE.cast_signed();

unsafe extern "C" fn closed(_: sys::virConnectPtr, _reason: c_int, shared: *mut c_void) {
    // SAFETY: what is lent to the callback is an `Arc<Shared>`, kept until `forget`.
    unsafe { &*shared.cast::<Arc<Shared>>() }.end(true);
}

unsafe extern "C" fn forget(shared: *mut c_void) {
    // SAFETY: made by `Box::into_raw` from a `Box<Arc<Shared>>`, and libvirt calls this once.
    drop(unsafe { Box::from_raw(shared.cast::<Arc<Shared>>()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn stream() -> (Stream, mpsc::Receiver<Bytes>) {
        let (typed, unsent) = mpsc::channel(UNSENT);
        (Stream { shared: Arc::default(), typed, gone: oneshot::channel().1 }, unsent)
    }

    #[tokio::test]
    async fn what_comes_is_read_in_pieces_and_what_is_too_much_is_dropped() {
        let (stream, _unsent) = stream();
        let text: Vec<u8> = (0..=u8::MAX).cycle().take(UNREAD - 10).collect();
        stream.shared.keep(&text);
        stream.shared.keep(b"0123456789 and more");
        stream.shared.keep(b"and more");
        stream.shared.end(false);
        let mut read = Vec::new();
        while let Some(piece) = stream.read().await {
            assert!(piece.len() <= PIECE);
            read.extend_from_slice(&piece);
        }
        assert_eq!(read, [&text[..], b"0123456789"].concat());
    }

    #[tokio::test]
    async fn a_reader_waits_for_news_and_loses_nothing_where_it_gives_up() {
        let (stream, _unsent) = stream();
        assert!(timeout(Duration::from_millis(10), stream.read()).await.is_err());
        stream.shared.keep(b"a");
        stream.shared.keep(b"b");
        assert_eq!(stream.read().await.as_deref(), Some(&b"ab"[..]));
        let (read, ()) = tokio::join!(stream.read(), async { stream.shared.end(true) });
        assert_eq!((read, stream.is_cut_off()), (None, true));
        assert_eq!(stream.read().await, None);
    }

    #[tokio::test]
    async fn who_types_waits_for_room_and_is_told_when_there_is_nobody() {
        let (stream, mut unsent) = stream();
        for _ in 0..UNSENT {
            assert!(stream.write(Bytes::from_static(b"a")).await);
        }
        assert!(timeout(Duration::from_millis(10), stream.write(Bytes::new())).await.is_err());
        assert!(unsent.recv().await.is_some());
        assert!(stream.write(Bytes::from_static(b"b")).await);
        drop(unsent);
        assert!(!stream.write(Bytes::new()).await);
    }
}

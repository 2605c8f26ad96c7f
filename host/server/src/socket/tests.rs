//! A console that is a pair of channels, and a client at the other end of a pipe.

use super::*;
use axum::http::Request;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What the machine's side of a console sees and says; it ends, with that reason, where its end is dropped.
struct Machine {
    printed: mpsc::Sender<Bytes>,
    typed: mpsc::Receiver<Bytes>,
}

struct Pair {
    printed: tokio::sync::Mutex<mpsc::Receiver<Bytes>>,
    typed: mpsc::Sender<Bytes>,
    end: ConsoleEnd,
}

#[async_trait::async_trait]
impl ConsoleLine for Pair {
    async fn read(&self) -> Result<Bytes, ConsoleEnd> {
        self.printed.lock().await.recv().await.ok_or(self.end)
    }

    async fn write(&self, typed: Bytes) -> Result<(), ConsoleEnd> {
        self.typed.send(typed).await.map_err(|_| self.end)
    }
}

struct Talk {
    machine: Machine,
    client: WebSocketStream<DuplexStream>,
    closing: CancellationToken,
    served: JoinHandle<()>,
}

impl Talk {
    async fn ending_with(end: ConsoleEnd) -> Self {
        let ((printed, shown), (typed, taken)) = (mpsc::channel(1), mpsc::channel(1));
        let line = Box::new(Pair { printed: shown.into(), typed, end });
        let (near, far) = tokio::io::duplex(16 << 10);
        let closing = CancellationToken::new();
        let stop = closing.clone();
        let served = tokio::spawn(async move { talk(near, line, &stop).await });
        let client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        Self { machine: Machine { printed, typed: taken }, client, closing, served }
    }

    async fn begin() -> Self {
        Self::ending_with(ConsoleEnd::Off).await
    }

    /// The code with which the socket is closed.
    async fn code(&mut self) -> u16 {
        loop {
            match self.client.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    assert!(!frame.reason.is_empty());
                    return frame.code.into();
                }
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn bytes_go_both_ways_as_they_are() {
    let mut talk = Talk::begin().await;
    talk.machine.printed.send(Bytes::from_static(b"login: \x1b\xff")).await.unwrap();
    assert_eq!(
        talk.client.next().await.unwrap().unwrap(),
        Message::Binary(Bytes::from_static(b"login: \x1b\xff"))
    );
    talk.client.send(Message::Binary(Bytes::from_static(b"\0\xff\r"))).await.unwrap();
    talk.client.send(Message::Text("ä\n".into())).await.unwrap();
    assert_eq!(talk.machine.typed.recv().await.unwrap(), &b"\0\xff\r"[..]);
    assert_eq!(talk.machine.typed.recv().await.unwrap(), "ä\n");
    talk.client.close(None).await.unwrap();
    assert_eq!(talk.machine.typed.recv().await, None, "the console is free at once");
    talk.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_is_told_why_its_console_ends() {
    for (end, code) in [(ConsoleEnd::Off, 1001), (ConsoleEnd::Taken, 4409), (ConsoleEnd::Lost, 1011)] {
        let mut talk = Talk::ending_with(end).await;
        drop(talk.machine);
        let (printed, typed) = (mpsc::channel(1).0, mpsc::channel(1).1);
        talk.machine = Machine { printed, typed };
        assert_eq!(talk.code().await, code);
        talk.served.await.unwrap();
    }
    let mut talk = Talk::begin().await;
    talk.closing.cancel();
    assert_eq!(talk.code().await, 1001);
    let mut talk = Talk::begin().await;
    talk.client.send(Message::Binary(vec![0; TYPED + 1].into())).await.unwrap();
    assert_eq!(talk.code().await, 1009);
}

#[tokio::test]
async fn a_client_that_vanishes_frees_the_console() {
    let mut talk = Talk::begin().await;
    drop(talk.client);
    assert_eq!(talk.machine.typed.recv().await, None);
    talk.served.await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_is_waited_for_and_holds_nothing_up() {
    let mut talk = Talk::begin().await;
    let printing = talk.machine.printed.clone();
    let flood =
        tokio::spawn(async move { while printing.send(vec![b'x'; 16 << 10].into()).await.is_ok() {} });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!flood.is_finished());
    // It is still heard.
    talk.client.send(Message::Text("stop\n".into())).await.unwrap();
    assert_eq!(talk.machine.typed.recv().await.unwrap(), "stop\n");
    drop(talk.client);
    talk.served.await.unwrap();
    flood.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_types_to_a_machine_that_takes_nothing_is_told_so() {
    let mut talk = Talk::begin().await;
    for _ in 0..2 {
        talk.client.send(Message::Text("anybody?".into())).await.unwrap();
    }
    assert_eq!(talk.code().await, 1013);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_given_up_when_nothing_is_heard_of_it() {
    let mut talk = Talk::begin().await;
    // One that reads answers each ping, though nobody says anything.
    let began = Instant::now();
    let ping = timeout(10 * ASKED_EVERY, async {
        let mut pings = 0;
        while pings < 8 {
            // Each is answered as the next is waited for.
            assert_eq!(talk.client.next().await.unwrap().unwrap(), Message::Ping(Bytes::new()));
            pings += 1;
        }
    });
    ping.await.unwrap();
    assert!(began.elapsed() >= 8 * ASKED_EVERY);
    assert!(!talk.served.is_finished());
    // And one that does not is gone.
    timeout(4 * PATIENCE, &mut talk.served).await.unwrap().unwrap();
    assert_eq!(talk.machine.typed.recv().await, None);
}

fn parts(method: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri("/compute/1/console");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

#[test]
fn a_socket_is_for_whoever_asks_as_the_standard_says() {
    let asks = [("connection", "keep-alive, Upgrade"), ("upgrade", "h2c, WebSocket")];
    assert!(is_wanted(&parts("GET", &asks)));
    assert!(!is_wanted(&parts("HEAD", &asks)));
    assert!(!is_wanted(&parts("GET", &asks[..1])) && !is_wanted(&parts("GET", &asks[1..])));
    assert!(!is_wanted(&parts("GET", &[asks[0], ("upgrade", "websockets")])));
    let mut old = parts("GET", &asks);
    old.version = Version::HTTP_10;
    assert!(!is_wanted(&old));
}

#[test]
fn a_handshake_has_a_key_and_a_version() {
    let accepted = |headers: &[(&str, &str)]| {
        accept(&parts("GET", headers).headers).map_err(|failure| failure.to_string())
    };
    // RFC 6455, section 1.3.
    let (version, key) = (("sec-websocket-version", "13"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(accepted(&[version, key]).as_deref(), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    for wrong in [&[version][..], &[version, key, key], &[version, ("sec-websocket-key", "short")]] {
        assert!(accepted(wrong).unwrap_err().contains("Sec-WebSocket-Key"), "{wrong:?}");
    }
    for wrong in [&[key][..], &[key, ("sec-websocket-version", "8")]] {
        assert!(accepted(wrong).unwrap_err().contains("13"), "{wrong:?}");
    }
}

//! The serial console of a machine: what it printed last, and both ways over a WebSocket (RFC 6455).

use crate::occi::{self, body};
use crate::server::{GuestSystem, Options, PATIENCE, Server, eventually};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::{SinkExt, StreamExt};
use std::io::{Read, Write};
use std::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

/// The link relation of infrastructure's consoles.
const RELATION: &str = "http://schemas.ogf.org/occi/infrastructure/compute#console";

/// A server whose machines boot a system that talks, where there is one to test with.
fn talking() -> Option<Server> {
    let system = GuestSystem::find()?;
    let (config, hypervisor) = (system.boot(), Some(system.uri));
    Some(Server::with(Options { config, hypervisor, ..Options::default() }))
}

/// A machine that has booted.
fn booted(server: &Server) -> String {
    let compute = server.create("compute", &["occi.compute.memory=0.125", "occi.compute.hostname=\"web\""]);
    server.act(&compute, "start", &[]).is(200);
    server.prints(&compute, "OCCI guest up: web");
    compute
}

/// A client at a console.
struct Client {
    runtime: Runtime,
    socket: WebSocketStream<tokio::net::TcpStream>,
    seen: String,
}

/// Asks for a WebSocket; the connection, or status and body of the refusal.
fn upgrade(server: &Server, path: &str, headers: &str) -> Result<TcpStream, (u16, String)> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {key}\r\n{headers}\r\n",
        server.address()
    )
    .unwrap();
    // Byte by byte, since what comes after the head is the console's.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    if status == 101 {
        assert!(
            head.contains(&"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_ascii_lowercase()),
            "{head}"
        );
        assert!(head.contains("upgrade: websocket"), "{head}");
        return Ok(stream);
    }
    let length = head.split_once("content-length: ").unwrap().1.split('\r').next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Err((status, String::from_utf8(body).unwrap()))
}

impl Client {
    fn open(server: &Server, path: &str) -> Result<Self, (u16, String)> {
        let stream = upgrade(server, path, "")?;
        stream.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let socket = runtime.block_on(async {
            let stream = tokio::net::TcpStream::from_std(stream).unwrap();
            WebSocketStream::from_raw_socket(stream, Role::Client, None).await
        });
        Ok(Self { runtime, socket, seen: String::new() })
    }

    /// The same, once whoever had it before has let go.
    fn opens_soon(server: &Server, path: &str) -> Self {
        let mut client = None;
        eventually("the console is free", || {
            client = Self::open(server, path).ok();
            client.is_some()
        });
        client.unwrap()
    }

    fn send(&mut self, message: Message) {
        self.runtime.block_on(self.socket.send(message)).unwrap();
    }

    fn next(&mut self) -> Message {
        let next = self.runtime.block_on(async { timeout(GuestSystem::PATIENCE, self.socket.next()).await });
        next.unwrap_or_else(|_| panic!("nothing more came after {:?}", self.seen)).unwrap().unwrap()
    }

    /// Reads on until the machine has said it.
    fn hears(&mut self, words: &str) {
        while !self.seen.contains(words) {
            match self.next() {
                Message::Binary(printed) => self.seen.push_str(&String::from_utf8_lossy(&printed)),
                Message::Close(frame) => panic!("{frame:?} after {:?}", self.seen),
                _ => {}
            }
        }
    }

    /// Types the same again and again until the server closes it; the code.
    fn types_on(&mut self, text: &str) -> u16 {
        let (mut sink, mut frames) = (&mut self.socket).split();
        let typing = async { while sink.send(Message::Text(text.into())).await.is_ok() {} };
        let closing = async {
            loop {
                if let Message::Close(frame) = frames.next().await.unwrap().unwrap() {
                    return frame.unwrap().code.into();
                }
            }
        };
        let both = async {
            let (code, ()) = tokio::join!(closing, typing);
            code
        };
        self.runtime.block_on(async { timeout(GuestSystem::PATIENCE, both).await }).unwrap()
    }

    /// Reads on until the server closes it; code and reason.
    fn is_closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.next() {
                let frame = frame.unwrap();
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }
}

/// What the machine prints is seen, and what is typed it hears; one client at a time, until it goes off.
#[test]
fn a_machine_is_talked_to() {
    let Some(server) = talking() else { return };
    let compute = booted(&server);
    let console = format!("{compute}/console");

    let shown = server.get(&compute).answers(200);
    assert_eq!(shown.header("link"), format!("<{console}>; rel=\"{RELATION}\""), "{shown}");
    let printed = server.get(&format!("{console}?lines=1")).answers(200);
    assert_eq!(printed.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!((printed.lines().len(), printed.body.contains('\r')), (1, false), "{printed}");
    assert_eq!(server.request("HEAD", &console).answers(200).body, "");

    let mut client = Client::open(&server, &console).unwrap();
    client.send(Message::Text("is it you?\n".into()));
    client.hears("OCCI guest heard: is it you?");
    // As the key of a terminal sends it.
    client.send(Message::Binary(b"bytes\r".to_vec().into()));
    client.hears("OCCI guest heard: bytes");
    server.prints(&compute, "OCCI guest heard: bytes");
    client.send(Message::Ping(b"there?".to_vec().into()));
    while client.next() != Message::Pong(b"there?".to_vec().into()) {}

    // One at a time.
    let (status, message) = Client::open(&server, &console).err().unwrap();
    assert_eq!(status, 409, "{message}");
    assert!(message.contains("?take=true"), "{message}");
    let mut other = Client::open(&server, &format!("{console}?take=true")).unwrap();
    assert_eq!(client.is_closed().0, 4409);
    other.send(Message::Text("and now?\n".into()));
    other.hears("OCCI guest heard: and now?");

    // Who leaves leaves it to others, whether or not he says so.
    drop(other);
    let mut client = Client::opens_soon(&server, &console);
    client.send(Message::Close(None));
    let mut client = Client::opens_soon(&server, &console);
    client.send(Message::Text("still?\n".into()));
    client.hears("OCCI guest heard: still?");

    server.act(&compute, "stop", &["method=poweroff"]).is(200);
    let (code, reason) = client.is_closed();
    assert_eq!((code, reason.contains("start it")), (1001, true), "{reason}");
    let (status, message) = Client::open(&server, &console).err().unwrap();
    assert_eq!((status, message.contains("start it first")), (409, true), "{message}");
    // What it said is still there, until it goes.
    server.prints(&compute, "OCCI guest heard: still?");
    server.delete(&compute).answers(200);
    server.get(&console).answers(404);
}

/// A server that stops says so, and leaves nothing behind that keeps the console from the next one.
#[test]
fn a_console_ends_with_the_server() {
    let Some(mut server) = talking() else { return };
    let compute = booted(&server);
    let console = format!("{compute}/console");
    let mut client = Client::open(&server, &console).unwrap();
    client.send(Message::Text("hello\n".into()));
    client.hears("OCCI guest heard: hello");
    server.terminate();
    assert_eq!(client.is_closed(), (1001, "the server stops".into()));
    assert!(server.stop().success());
    server.begin();
    let mut client = Client::open(&server, &console).unwrap();
    client.send(Message::Text("again\n".into()));
    client.hears("OCCI guest heard: again");
    server.kill_and_restart();
    let mut client = Client::opens_soon(&server, &console);
    server.delete(&compute).answers(200);
    assert_eq!(client.is_closed().0, 1001);
}

/// A suspended machine takes nothing, and then the daemon does not read either that the console is to end. Others have it all the
/// same.
#[test]
fn a_machine_that_takes_nothing_keeps_nobody_out() {
    let Some(server) = talking() else { return };
    let compute = booted(&server);
    let console = format!("{compute}/console");
    server.act(&compute, "suspend", &[]).is(200);
    let mut client = Client::open(&server, &console).unwrap();
    assert_eq!(client.types_on(&"and on\n".repeat(500)), 1013);
    let mut client = Client::opens_soon(&server, &console);
    server.act(&compute, "start", &[]).is(200);
    client.send(Message::Text("\nawake?\n".into()));
    client.hears("OCCI guest heard: awake?");
    server.delete(&compute).answers(200);
}

/// A browser opens a WebSocket to any server for any page.
#[test]
fn a_page_of_another_site_has_no_console() {
    let server = Server::start();
    let console = format!("{}/console", server.create("compute", &[]));
    for header in ["Origin: http://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        let (status, message) = upgrade(&server, &console, header).unwrap_err();
        assert_eq!(status, 403, "{header}{message}");
    }
    let own = format!("Origin: {}\r\nSec-Fetch-Site: same-origin\r\n", server.base());
    assert_eq!(upgrade(&server, &console, &own).unwrap_err().0, 501, "as far as there is none");
}

/// A console is where an entity is that has one, and is read only.
#[test]
fn where_a_console_is() {
    let server = Server::start();
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let console = format!("{compute}/console");
    for method in ["PUT", "POST", "DELETE"] {
        let refused =
            server.request(method, &console).text(body(&[&occi::kind("compute")], &[])).answers(405);
        assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS");
    }
    assert_eq!(server.request("OPTIONS", &console).answers(200).header("allow"), "GET, HEAD, OPTIONS");
    // libvirt's test driver has machines of nothing.
    let answer = server.get(&console).answers(501);
    assert!(answer.body.contains("test driver"), "{answer}");
    for wrong in ["lines=0", "lines=10001", "lines=many", "lines=1&lines=2", "take=maybe"] {
        server.get(&format!("{console}?{wrong}")).answers(400);
    }
    for none in
        [&format!("{network}/console"), "/compute/none/console", "/console", &format!("{console}/console")]
    {
        server.get(none).answers(404);
        assert_eq!(upgrade(&server, none, "").unwrap_err().0, 404, "{none}");
    }

    let link = format!("<{console}>; rel=\"{RELATION}\"");
    for accept in ["text/plain", "application/occi+json", "text/html"] {
        let shown = server.get(&compute).accept(accept).answers(200);
        assert_eq!(shown.header("link"), link, "{shown}");
        // As it was kept.
        assert_eq!(server.get(&compute).accept(accept).answers(200).header("link"), link);
    }
    let occi = server.get(&compute).accept("text/occi").answers(200);
    assert!(!occi.header("link").contains("console"), "there the header says what OCCI means by it: {occi}");
    assert!(
        server.get(&compute).accept("text/html").answers(200).body.contains(&format!("href=\"{console}\""))
    );
    assert_eq!(server.get(&network).answers(200).header("link"), "");
    // An entity that has the path is what is there.
    let (outer, inner) = ("/compute/outer", "/compute/outer/console");
    for path in [inner, outer] {
        server.put(path).text(body(&[&occi::kind("compute")], &[])).answers(201);
    }
    assert!(server.get(inner).answers(200).body.contains("occi.compute.state"));
    server.delete(inner).answers(200);
    server.get(inner).answers(501);
}

/// RFC 6455, section 4.4, and what is no handshake at all.
#[test]
fn a_handshake_that_is_none() {
    let server = Server::start();
    let console = format!("{}/console", server.create("compute", &[]));
    let ask = |headers: &str| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        write!(
            stream,
            "GET {console} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n{headers}\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.to_ascii_lowercase()
    };
    let old = ask("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    assert!(old.starts_with("http/1.1 426 ") && old.contains("\r\nsec-websocket-version: 13\r\n"), "{old}");
    let key = BASE64_STANDARD.encode([0; 15]);
    for headers in [
        "Sec-WebSocket-Version: 13\r\n",
        &format!("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"),
    ] {
        let answer = ask(headers);
        assert!(answer.starts_with("http/1.1 400 "), "{answer}");
    }
}

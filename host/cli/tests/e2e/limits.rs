//! How much and how long: what one client can cost.

use crate::occi::{NOTE, body};
use crate::server::{PATIENCE, Server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A connection on which anything can be said.
fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything until the server closes the connection. That it does so while we still write is no fault of it.
fn read(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => all.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// The body limit is 1 MiB: as announced, or as it comes.
#[test]
fn a_body_of_more_than_a_mebibyte_is_413() {
    let server = Server::start();
    let answer = server.post("/note/").text("x".repeat((1 << 20) + 1)).answers(413);
    assert!(answer.body.contains("1048576"), "{answer}");

    let mut stream = connect(&server);
    let head =
        "POST /note/ HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 64 << 10, "x".repeat(64 << 10));
    for _ in 0..17 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let answer = read(stream);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    server.get("/note/").answers(200);
}

/// What is just small enough is read, and judged by its content.
#[test]
fn a_body_of_a_mebibyte_is_read() {
    let server = Server::start();
    let start = body(&[NOTE], &[]) + "X-OCCI-Attribute: com.example.note.text=\"";
    let text = format!("{start}{}\"", "x".repeat((1 << 20) - start.len() - 1));
    assert_eq!(text.len(), 1 << 20);
    let answer = server.post("/note/").text(&text).answers(400);
    assert!(answer.body.contains("com.example.note.text") && answer.body.contains("4096"), "{answer}");
    assert!(answer.body.len() < 1000, "the answer does not repeat it all: {} bytes", answer.body.len());
}

/// HTTP-33 and batches: what would make much work of few bytes is refused.
#[test]
fn what_is_deep_or_many_is_refused() {
    let server = Server::start();
    let deep = "[".repeat(100_000);
    let answer = server.post("/note/").body("application/json", deep).answers(400);
    assert!(answer.body.contains("32"), "{answer}");
    let many = format!("{}\n", NOTE.replace("\"kind\"", "\"mixin\"")).repeat(10_001);
    let answer = server.post("/note/").text(many).answers(400);
    assert!(answer.body.contains("10000"), "{answer}");
}

/// TXT-04: a rendering in headers may have one for each attribute.
#[test]
fn there_may_be_hundreds_of_headers() {
    let server = Server::start();
    let more = "X-Header: x\r\n".repeat(500);
    let mut stream = connect(&server);
    let head = format!("GET /note/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let answer = read(stream);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// HTTP-10: who sends too large a head is told so as of any other fault; and one without end is not read to its end.
#[test]
fn a_large_head_is_refused() {
    let server = Server::start();
    let head = |length| format!("GET /note/ HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(length));
    let mut stream = connect(&server);
    stream.write_all(head(60_000).replace("X-Long", "Connection: close\r\nX-Long").as_bytes()).unwrap();
    let answer = read(stream);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = server.get("/note/").header("x-long", &"x".repeat(70_000)).answers(431);
    assert!(answer.header("server").contains("OCCI/1.2") && answer.body.contains("65536"), "{answer}");
    let mut stream = connect(&server);
    let head = head(1_000_000);
    // The server may have closed it before all is written.
    let _closed_early = stream.write_all(head.as_bytes());
    let answer = read(stream);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    server.get("/note/").answers(200);
}

/// Who is slow with a request's head, or says nothing, loses the connection; who is slow with a body is told.
#[test]
fn a_slow_client_is_not_waited_for() {
    let server = Server::configured("[limits]\nhead-seconds = 1\nbody-seconds = 1\n");
    let began = Instant::now();
    let mut slow_head = connect(&server);
    slow_head.write_all(b"GET /note/ HTTP/1.1\r\nHost: ").unwrap();
    let mut slow_body = connect(&server);
    let head = "POST /note/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nConnection: close\r\n\r\nCat";
    slow_body.write_all(head.as_bytes()).unwrap();
    let silent = connect(&server);

    let answer = read(slow_body);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("send it at once"), "{answer}");
    let answer = read(slow_head);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(read(silent), "");
    assert!(began.elapsed() >= Duration::from_secs(1) && began.elapsed() < PATIENCE);
}

/// RFC 9112: what is no HTTP is refused, and the server goes on.
#[test]
fn what_is_no_http_is_refused() {
    let server = Server::start();
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01"[..], b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        let mut stream = connect(&server);
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = read(stream);
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    server.get("/-/").answers(200);
}

/// RFC 9293, section 3.6: who sends no more may still listen.
#[test]
fn a_client_that_has_said_all_gets_an_answer() {
    let server = Server::start();
    let note = body(&[NOTE], &["com.example.note.text=\"a\""]);
    let head = "POST /note/ HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain";
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{note}", note.len());
    for _ in 0..20 {
        let mut stream = connect(&server);
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = read(stream);
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    assert_eq!(server.get("/note/").answers(200).locations().len(), 20);
}

/// The host's name goes into answers only where it can be one.
#[test]
fn a_false_host_is_refused() {
    let server = Server::start();
    server.note("a");
    let list = |host: &str| server.get("/note/").header("Host", host);
    assert!(list("cloud.example.com:80").answers(200).body.contains("http://cloud.example.com:80/note/"));
    for wrong in ["a\",<b>", "a b"] {
        assert!(list(wrong).answers(400).body.contains("the header Host, once, with a name"), "{wrong}");
    }
}

/// Connections that nobody uses, or on which a request never becomes whole, shut nobody out.
#[test]
fn idle_connections_make_room() {
    let server = Server::configured("[limits]\nconnections = 8\n");
    let mut used = connect(&server);
    used.write_all(b"GET /-/ HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let silent: Vec<_> = (0..10).map(|_| connect(&server)).collect();
    let slow: Vec<_> = (0..10)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(b"GET /note/ HTTP/1.1\r\nHost: ").unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    for _ in 0..10 {
        let mut stream = connect(&server);
        stream.write_all(b"GET /note/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        assert!(read(stream).starts_with("HTTP/1.1 200 "));
    }
    assert!(began.elapsed() < PATIENCE);
    assert!(read(used).starts_with("HTTP/1.1 200 "), "it was answered before it was closed");
    drop((silent, slow));
}

/// RFC 9112, sections 3.2.3 and 3.2.4: a request whose target is no path.
#[test]
fn a_request_about_the_server_itself() {
    let server = Server::start();
    for (line, status) in [
        ("OPTIONS * HTTP/1.1", "200"),
        ("CONNECT x:80 HTTP/1.1", "405"),
        ("GET * HTTP/1.1", "400"),
        ("GET http://x/note/ HTTP/1.1", "200"),
    ] {
        let mut stream = connect(&server);
        stream.write_all(format!("{line}\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let answer = read(stream);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {answer}");
        assert_eq!(
            answer.contains("allow: "),
            matches!(status, "200" | "405") && !line.starts_with("GET"),
            "{answer}"
        );
    }
}

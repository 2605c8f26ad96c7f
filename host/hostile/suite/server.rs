//! Servers that extensions ask: a friendly one with hostile pages, and one that nobody may ever reach.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where extensions may ask.
pub(super) const GRANTED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// The two servers, at one port.
pub(super) struct Servers {
    pub(super) port: u16,
    /// How many have come to the one that nobody may reach.
    trespassers: Arc<AtomicUsize>,
}

impl Servers {
    pub(super) fn start() -> Self {
        // Another test may take the one address's port at the other.
        let (granted, guarded) = std::iter::repeat_with(|| {
            let granted = TcpListener::bind((GRANTED, 0)).unwrap();
            let port = granted.local_addr().unwrap().port();
            Some((granted, TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?))
        })
        .flatten()
        .next()
        .unwrap();
        let port = granted.local_addr().unwrap().port();
        let trespassers = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for client in granted.incoming().map_while(Result::ok) {
                std::thread::spawn(move || _ = answer(&client));
            }
        });
        let count = Arc::clone(&trespassers);
        std::thread::spawn(move || {
            for _ in guarded.incoming() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { port, trespassers }
    }

    pub(super) fn trespassers(&self) -> usize {
        self.trespassers.load(Ordering::Relaxed)
    }
}

/// Answers by the path: what was sent, a redirect, nothing, a body without end, headers without end.
fn answer(mut client: &TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    for line in BufReader::new(client).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    match path {
        "/redirect" => client.write_all(
            b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
        ),
        "/silence" => std::io::copy(&mut BufReader::new(client), &mut std::io::sink()).map(drop),
        "/endless" => {
            client.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
            loop {
                client.write_all(&[b'x'; 4096])?;
            }
        }
        "/headers" => {
            client.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                client.write_all(b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n")?;
            }
        }
        _ => {
            let said = head.join("\n");
            write!(client, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{said}", said.len())
        }
    }
}

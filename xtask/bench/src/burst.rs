//! Requests that are made all at once, each on a connection of its own that stays open. One thread writes and reads them, which
//! leaves the processors to the server.

use crate::process::Server;
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Nothing takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// The connections.
pub(crate) struct Burst {
    /// Such as `127.0.0.1:4711`.
    host: String,
    connections: Vec<BufReader<TcpStream>>,
}

impl Burst {
    pub(crate) fn new(server: &Server, connections: usize) -> Result<Self> {
        let host = server.url.trim_start_matches("http://").to_owned();
        let connect = |_| {
            let connection = TcpStream::connect(&host).context("cannot connect to the server")?;
            connection.set_read_timeout(Some(PATIENCE)).context("a connection's patience")?;
            connection.set_nodelay(true).context("a connection without delay")?;
            Ok(BufReader::new(connection))
        };
        let connections = (0..connections).map(connect).collect::<Result<_>>()?;
        Ok(Self { host, connections })
    }

    /// Has one request made on each connection, of as many URLs.
    pub(crate) fn send<T: AsRef<str>>(
        &mut self,
        method: &str,
        urls: impl IntoIterator<Item = T>,
        body: &str,
    ) -> Result<()> {
        let start = format!("http://{}", self.host);
        let rest = format!(
            "Host: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        for (connection, url) in self.connections.iter_mut().zip(urls) {
            let path = url.as_ref().trim_start_matches(&start);
            let request = format!("{method} {path} HTTP/1.1\r\n{rest}");
            connection.get_mut().write_all(request.as_bytes()).context("a request cannot be sent")?;
        }
        Ok(())
    }

    /// Waits until all are answered; where what they made is, if they made something. That one failed is an error.
    pub(crate) fn answers(&mut self) -> Result<Vec<Option<String>>> {
        self.connections.iter_mut().map(answer).collect()
    }

    /// How many are not answered yet.
    pub(crate) fn unanswered(&self) -> Result<usize> {
        let mut unanswered = 0;
        for connection in &self.connections {
            let connection = connection.get_ref();
            connection.set_nonblocking(true).context("a connection that is only looked at")?;
            match connection.peek(&mut [0]) {
                Err(nothing) if nothing.kind() == ErrorKind::WouldBlock => unanswered += 1,
                answered => drop(answered.context("a connection broke")?),
            }
            connection.set_nonblocking(false).context("a connection that is read")?;
        }
        Ok(unanswered)
    }
}

fn answer(connection: &mut BufReader<TcpStream>) -> Result<Option<String>> {
    let mut line = String::new();
    connection.read_line(&mut line).context("a request is not answered")?;
    let status = line.trim_end().to_owned();
    let (mut length, mut location) = (0, None);
    loop {
        line.clear();
        connection.read_line(&mut line).context("the head of an answer")?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().context("the length of an answer")?,
            "location" => location = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).context("the body of an answer")?;
    let is_well = status.split(' ').nth(1).is_some_and(|code| code.starts_with('2'));
    ensure!(is_well, "a request failed: {status}: {}", String::from_utf8_lossy(&body));
    Ok(location)
}

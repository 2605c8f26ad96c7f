//! A server that extensions ask: what it was asked, and what it answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// `name: value`, the names in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

pub(crate) struct Elsewhere {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Elsewhere {
    /// One that answers with a status and a body.
    pub(crate) fn start(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (noted, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(request) = read(&client) else { return };
                    noted.lock().unwrap().push(request.clone());
                    let (status, body) = answer(&request);
                    _ = reply(&client, status, &body);
                });
            }
        });
        Self { port, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The configuration by which an extension may ask it, with the secret `key`, which is kept in that folder.
    pub(crate) fn grant(&self, extension: &str, folder: &Path) -> String {
        let secret = folder.join("key");
        std::fs::write(&secret, "s3cret").unwrap();
        format!(
            "[http.{extension}]\nallow = [\"{}\"]\naddresses = [\"127.0.0.1\"]\nsecrets = {{ key = \"{}\" }}\n",
            self.url(),
            secret.display()
        )
    }

    /// The requests since the last time of asking.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn read(client: &TcpStream) -> Option<Asked> {
    let mut client = BufReader::new(client);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        client.read_line(&mut line).ok().filter(|count| *count > 0)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut first = head.first()?.split(' ').map(str::to_owned);
    let (method, path) = (first.next()?, first.next()?);
    let headers: Vec<_> = head.iter().skip(1).cloned().collect();
    let length = headers.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = String::new();
    client.take(length.map_or(0, |length| length.parse().unwrap())).read_to_string(&mut body).ok()?;
    Some(Asked { method, path, headers, body })
}

fn reply(mut client: &TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(client, "HTTP/1.1 {status} said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

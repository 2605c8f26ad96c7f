//! A proxy that hands everything on, but for one fault.

use std::thread::JoinHandle;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A request, before it is handed on.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Takes the body away.
    pub(crate) fn clear(&mut self) {
        self.body = Bytes::new();
    }

    /// Puts a line before the body.
    pub(crate) fn prepend(&mut self, line: &str) {
        self.body = (line.to_owned() + &self.text()).into();
    }

    /// Puts a line after the body.
    pub(crate) fn append(&mut self, line: &str) {
        self.body = (self.text() + line).into();
    }

    /// Keeps the lines of the body for which this holds.
    pub(crate) fn lines(&mut self, keep: impl Fn(&str) -> bool) {
        self.body = self.text().split_inclusive("\r\n").filter(|line| keep(line)).collect::<String>().into();
    }

    /// Makes it a request to read what it is sent to, and to do nothing.
    pub(crate) fn read_instead(&mut self) {
        self.method = "GET".into();
        self.query.clear();
        self.headers.remove("content-type");
        self.clear();
    }

    /// Changes the JSON of the body.
    pub(crate) fn json(&mut self, change: impl FnOnce(&mut Value)) {
        let mut value = serde_json::from_slice(&self.body).unwrap();
        change(&mut value);
        self.body = value.to_string().into();
    }

    /// A header's first value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }
}

/// An answer, before it is handed back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// One that says as little as an OCCI server can.
    pub(crate) fn empty(status: u16) -> Self {
        let mut answer = Self { status, headers: HeaderMap::new(), body: Vec::new() };
        answer.set("server", "occi/0.1.0 OCCI/1.2 OCCI/1.1 OCCI-CRTP/1.1");
        answer.set("content-type", "text/plain");
        answer
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &'static str) {
        self.headers.insert(name, value.parse().unwrap());
    }

    /// Whether it is a success of this media type.
    pub(crate) fn is(&self, media_type: &str) -> bool {
        let given = self.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap());
        self.status < 300 && given == Some(media_type)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn replace(&mut self, old: &str, new: &str) {
        self.body = self.text().replace(old, new).into();
    }

    /// Keeps the lines for which this holds.
    pub(crate) fn lines(&mut self, keep: impl Fn(&str) -> bool) {
        self.body = self.text().split_inclusive("\r\n").filter(|line| keep(line)).collect::<String>().into();
    }

    /// Changes the JSON of a success.
    pub(crate) fn json(&mut self, change: impl FnOnce(&mut Value)) {
        if self.is("application/occi+json") && !self.body.is_empty() {
            let mut value = serde_json::from_slice(&self.body).unwrap();
            change(&mut value);
            self.body = value.to_string().into();
        }
    }
}

/// What is done to requests, which may be answered at once, and to answers.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    request: fn(&mut Asked) -> Option<Answer>,
    answer: fn(&Asked, &mut Answer),
}

impl Fault {
    pub(crate) fn none() -> Self {
        Self { request: |_| None, answer: |_, _| {} }
    }

    pub(crate) fn in_answers(answer: fn(&Asked, &mut Answer)) -> Self {
        Self { answer, ..Self::none() }
    }

    pub(crate) fn in_requests(request: fn(&mut Asked) -> Option<Answer>) -> Self {
        Self { request, ..Self::none() }
    }

    pub(crate) fn in_both(
        request: fn(&mut Asked) -> Option<Answer>,
        answer: fn(&Asked, &mut Answer),
    ) -> Self {
        Self { request, answer }
    }
}

/// Where a proxy listens, and whether it speaks TLS there.
pub(crate) struct Door {
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Door {
    fn plain() -> Self {
        Self { listener: std::net::TcpListener::bind("127.0.0.1:0").unwrap(), tls: None }
    }

    pub(crate) fn secure(tls: TlsAcceptor) -> Self {
        Self { tls: Some(tls), ..Self::plain() }
    }

    /// Such as `https://localhost:1234`: a server may have to be told before it is started.
    pub(crate) fn url(&self) -> String {
        let (scheme, host) = if self.tls.is_some() { ("https", "localhost") } else { ("http", "127.0.0.1") };
        format!("{scheme}://{host}:{}", self.listener.local_addr().unwrap().port())
    }
}

/// A proxy that runs until it is dropped.
pub(crate) struct Proxy {
    endpoint: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    pub(crate) fn start(server: &str, fault: Fault) -> Self {
        Self::behind(Door::plain(), server, fault)
    }

    pub(crate) fn behind(door: Door, server: &str, fault: Fault) -> Self {
        let (endpoint, server) = (door.url(), server.to_owned());
        let (stop, stopped) = oneshot::channel();
        door.listener.set_nonblocking(true).unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(door.listener).unwrap();
                tokio::select! {
                    () = serve(listener, door.tls, server, fault) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { endpoint, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _stopped_already = self.stop.take().unwrap().send(());
        let _panicked = self.thread.take().unwrap().join();
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, server: String, fault: Fault) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, server) = (tls.clone(), server.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(stream, &server, fault).await,
                // A client that does not trust the certificate breaks off.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(stream, &server, fault).await;
                    }
                }
            }
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, server: &str, fault: Fault) {
    let service = service_fn(|request| exchange(request, server, fault));
    let connection = hyper::server::conn::http1::Builder::new()
        .max_buf_size(4 << 20)
        .serve_connection(TokioIo::new(stream), service);
    let _broken_off = connection.await;
}

async fn exchange(
    request: Request<Incoming>,
    server: &str,
    fault: Fault,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let mut asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.collect().await?.to_bytes(),
    };
    let mut answer = match (fault.request)(&mut asked) {
        Some(answer) => answer,
        None => hand_on(&asked, server).await?,
    };
    (fault.answer)(&asked, &mut answer);
    let mut response = Response::new(Full::new(answer.body.into()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
    *response.headers_mut() = answer.headers;
    Ok(response)
}

async fn hand_on(asked: &Asked, server: &str) -> Result<Answer, hyper::Error> {
    let stream = TcpStream::connect(server).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(4 << 20)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    let mark = if asked.query.is_empty() { "" } else { "?" };
    let mut request = Request::new(Full::new(asked.body.clone()));
    *request.method_mut() = asked.method.parse().unwrap();
    *request.uri_mut() = format!("{}{mark}{}", asked.path, asked.query).parse().unwrap();
    *request.headers_mut() = asked.headers.clone();
    request.headers_mut().remove(TRANSFER_ENCODING);
    request.headers_mut().remove(CONTENT_LENGTH);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let mut headers = parts.headers;
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    Ok(Answer { status: parts.status.as_u16(), headers, body: body.collect().await?.to_bytes().into() })
}

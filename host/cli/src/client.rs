//! Asks a running server over its control socket.

use crate::control;
use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use std::io::Write as _;
use std::path::Path;
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};

/// What the server on this folder answers; an error of its, with its message.
pub(crate) fn ask(data: &Path, method: &Method, path: &str, body: Vec<u8>) -> anyhow::Result<String> {
    runtime()?.block_on(async { text(send(data, method, path, body).await?).await })
}

/// A log of the server's, as it is written.
pub(crate) struct Log {
    runtime: Runtime,
    body: Incoming,
}

impl Log {
    /// From now on: the first line is one that is written after this has returned.
    pub(crate) fn open(data: &Path, path: &str) -> anyhow::Result<Self> {
        Self::of(data, &Method::GET, path)
    }

    /// What is said while something is done.
    pub(crate) fn post(data: &Path, path: &str) -> anyhow::Result<Self> {
        Self::of(data, &Method::POST, path)
    }

    fn of(data: &Path, method: &Method, path: &str) -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let response = runtime.block_on(send(data, method, path, Vec::new()))?;
        Ok(Self { runtime, body: response.into_body() })
    }

    /// What was written next; none where the server has ended.
    pub(crate) fn next(&mut self) -> Option<String> {
        let frame = self.runtime.block_on(self.body.frame())?.ok()?;
        Some(String::from_utf8_lossy(frame.data_ref()?).into_owned())
    }
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

async fn send(data: &Path, method: &Method, path: &str, body: Vec<u8>) -> anyhow::Result<Response<Incoming>> {
    let socket = control::socket(data);
    let stream = UnixStream::connect(&socket).await.with_context(|| {
        format!(
            "no server runs on {} (its socket {}); name its folder with --data",
            data.display(),
            socket.display()
        )
    })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = hyper::Request::builder()
        .method(method)
        .uri(path)
        .header(hyper::header::HOST, "occi")
        .body(Full::<Bytes>::new(body.into()))?;
    let response = sender.send_request(request).await?;
    if !response.status().is_success() {
        bail!("{}", text(response).await?);
    }
    Ok(response)
}

async fn text(response: Response<Incoming>) -> anyhow::Result<String> {
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Writes to standard output; that nobody reads on is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

//! Asks a running server over its control socket.

use crate::control;
use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::Method;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use std::io::Write as _;
use std::path::Path;
use tokio::net::UnixStream;

/// What the server on this folder answers; an error of its, with its message.
pub(crate) fn ask(data: &Path, method: &Method, path: &str, body: Vec<u8>) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(send(data, method, path, body))
}

async fn send(data: &Path, method: &Method, path: &str, body: Vec<u8>) -> anyhow::Result<String> {
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
    let status = response.status();
    let body = String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes()).into_owned();
    if !status.is_success() {
        bail!("{body}");
    }
    Ok(body)
}

/// Writes to standard output; that nobody reads on is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

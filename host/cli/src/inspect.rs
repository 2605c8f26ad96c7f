//! `occi inspect`: asks a running server over its control socket, and prints tables as `virsh list` does.

use crate::control::{self, Inventory};
use anyhow::{Context, bail};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use tokio::net::UnixStream;

/// Prints what the server on this folder has at its hypervisor.
pub(crate) fn inspect(data: &Path, json: bool) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let body = runtime.block_on(ask(data))?;
    if json {
        return print(&format!("{body}\n"));
    }
    let inventory: Inventory = serde_json::from_str(&body).context("the server's answer")?;
    print(&table(&inventory)?)
}

async fn ask(data: &Path) -> anyhow::Result<String> {
    let path = control::socket(data);
    let stream = UnixStream::connect(&path)
        .await
        .with_context(|| format!("no server runs on {} (its socket {})", data.display(), path.display()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = hyper::Request::get(control::INVENTORY)
        .header(hyper::header::HOST, "occi")
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes()).into_owned();
    if !status.is_success() {
        bail!("{body}");
    }
    Ok(body)
}

fn table(inventory: &Inventory) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "libvirt at {}\n", inventory.uri)?;
    writeln!(out, " {:<43} State", "Domain")?;
    for machine in &inventory.machines {
        writeln!(out, " {:<43} {}", machine.name, machine.state)?;
    }
    writeln!(out, "\n {:<43} Capacity", "Volume")?;
    for volume in &inventory.volumes {
        writeln!(out, " {:<43} {} bytes", volume.name, volume.capacity)?;
    }
    writeln!(out, "\n {:<43} State", "Network")?;
    for network in &inventory.networks {
        writeln!(out, " {:<43} {}", network.name, if network.active { "active" } else { "inactive" })?;
    }
    Ok(out)
}

/// Writes to standard output; that nobody reads on is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

//! The operator's view of a running server: a socket in its own folder, which nobody else may enter. It speaks HTTP.

use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use occi_capability::libvirt::Hypervisor;
use serde::{Deserialize, Serialize};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// Where the socket is in the server's folder.
pub(crate) fn socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// The path under which the socket tells what is at the hypervisor.
pub(crate) const INVENTORY: &str = "/inventory";

/// What of ours is at the hypervisor, in libvirt's own words.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Inventory {
    /// libvirt's URI.
    pub(crate) uri: String,
    pub(crate) machines: Vec<Machine>,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) networks: Vec<Network>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) state: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) name: String,
    /// In bytes.
    pub(crate) capacity: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) active: bool,
}

#[derive(Clone)]
struct Shown {
    uri: String,
    hypervisor: Hypervisor,
}

/// Serves the socket until the server ends.
pub(crate) fn start(data: &Path, uri: String, hypervisor: Hypervisor) -> anyhow::Result<()> {
    let path = socket(data);
    // One that a killed server left behind; the store's lock says that there is no other server on this folder.
    if path.exists() {
        std::fs::remove_file(&path).with_context(|| format!("the old socket {}", path.display()))?;
    }
    let listener = UnixListener::bind(&path).with_context(|| {
        format!("the control socket {}; choose a folder with a shorter path with --data", path.display())
    })?;
    // The folder is its owner's alone where this server made it; the socket is in any case.
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))
        .with_context(|| format!("the control socket {}", path.display()))?;
    let router = Router::new().route(INVENTORY, get(inventory)).with_state(Shown { uri, hypervisor });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("the control socket ended: {error}");
        }
    });
    Ok(())
}

async fn inventory(State(shown): State<Shown>) -> Result<Json<Inventory>, (StatusCode, String)> {
    let found = shown.hypervisor.inventory().await;
    let found = found.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    let name = |id| format!("occi-{id}");
    Ok(Json(Inventory {
        uri: shown.uri,
        machines: found
            .machines
            .into_iter()
            .map(|(id, state)| Machine { name: name(id), state: state.as_str().into() })
            .collect(),
        volumes: found
            .volumes
            .into_iter()
            .map(|(id, capacity)| Volume { name: name(id), capacity })
            .collect(),
        networks: found.networks.into_iter().map(|(id, active)| Network { name: name(id), active }).collect(),
    }))
}

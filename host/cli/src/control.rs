//! The operator's view of a running server: a socket in its own folder, which nobody else may enter. It speaks HTTP.

mod inventory;
mod nodes;

use crate::log::Feed;
use anyhow::Context;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path as Named, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use occi_capability::{Figures, Nodes};
use occi_catalogue::{self as catalogue, Catalogue, Listing, Refused};
use occi_extension::MAX_SIZE;
use occi_model::{CategoryId, Location};
use occi_operation::{Caller, Core};
use serde::{Deserialize, Serialize};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixListener;

/// Where the socket is in the server's folder.
pub(crate) fn socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// The path under which the socket tells what is at the hypervisors.
pub(crate) const INVENTORY: &str = "/inventory";

/// The path under which the socket shows what extensions count, in the text format of Prometheus.
pub(crate) const METRICS: &str = "/metrics";

/// The path under which the socket shows the extensions and takes new ones. Below it is each by its name; `POST` to its
/// `rollback`, `enable` or `disable` does that, and `DELETE` removes it. `GET` of its `log` is what the server logs about it from
/// then on, without an end.
pub(crate) const EXTENSIONS: &str = "/extensions";

/// The path under which entities are forgotten whose extension serves no more: `DELETE` with `what`, a path or a Kind.
pub(crate) const ENTITIES: &str = "/entities";

/// The path under which the socket shows the hypervisors. `POST` below the name of one to its `take`, `drain` or `resume` does that.
pub(crate) const NODES: &str = "/nodes";

/// What may become of the entities of an extension that goes.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Leaving {
    /// They stay, to be read only.
    pub(crate) leave_entities: bool,
}

/// What the operator can look at and change.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) nodes: Arc<Nodes>,
    pub(crate) drained: Drained,
    pub(crate) core: Arc<Core>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) log: Feed,
}

pub(crate) use inventory::{Arrival, Inventory, Machine, Node, strays};
pub(crate) use nodes::{Drained, Listed};

type Answer<T> = Result<T, (StatusCode, String)>;

/// Where a path leads, although its last parts may be missing yet.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let found = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    Ok(match found {
        Some((above, real)) => path.strip_prefix(above).map_or(real.clone(), |rest| real.join(rest)),
        None => path,
    })
}

/// That the folder has room for the socket, whose path the system keeps in 108 bytes.
pub(crate) fn check(data: &Path) -> anyhow::Result<()> {
    let path = socket(&real(data).with_context(|| format!("the folder {}", data.display()))?);
    SocketAddr::from_pathname(&path).map(drop).with_context(|| {
        format!("the control socket {}; choose a folder with a shorter path with --data", path.display())
    })
}

impl Control {
    /// Serves the socket until the server ends.
    pub(crate) fn start(self, data: &Path) -> anyhow::Result<()> {
        let path = socket(data);
        // One that a killed server left behind; the store's lock says that there is no other server on this folder.
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("the old socket {}", path.display()))?;
        }
        let said = || format!("the control socket {}", path.display());
        let listener = UnixListener::bind(&path).with_context(said)?;
        // The folder is its owner's alone where this server made it; the socket is in any case.
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).with_context(said)?;
        let named = |rest| format!("{EXTENSIONS}/{{name}}{rest}");
        let of_node = |step| format!("{NODES}/{{name}}/{step}");
        let router = Router::new()
            .route(INVENTORY, get(inventory))
            .route(METRICS, get(metrics))
            .route(NODES, get(nodes::list))
            .route(&of_node("take"), post(nodes::take))
            .route(&of_node("drain"), post(nodes::drain))
            .route(&of_node("resume"), post(nodes::resume))
            .route(EXTENSIONS, get(list).post(install))
            .route(ENTITIES, delete(forget))
            .route(&named(""), delete(remove))
            .route(&named("/log"), get(log))
            .route(&named("/rollback"), post(roll_back))
            .route(&named("/enable"), post(enable))
            .route(&named("/disable"), post(disable))
            // One more, so that who sends too much is told by the loader what to do.
            .layer(DefaultBodyLimit::max(MAX_SIZE + 1))
            .with_state(self);
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!("the control socket ended: {error}");
            }
        });
        Ok(())
    }
}

async fn inventory(State(shown): State<Control>) -> Answer<Json<Inventory>> {
    inventory::read(&shown.nodes, &shown.core).await.map(Json)
}

async fn metrics(State(shown): State<Control>) -> Answer<String> {
    shown.figures.render().map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

async fn list(State(shown): State<Control>) -> Json<Listing> {
    Json(shown.catalogue.list())
}

/// Also of one that is not there yet, so that its first lines are not missed.
async fn log(State(shown): State<Control>, Named(name): Named<String>) -> Body {
    shown.log.of(name)
}

async fn install(State(shown): State<Control>, bytes: Bytes) -> Answer<Json<catalogue::Listed>> {
    shown.catalogue.install(bytes.into()).await.map(Json).map_err(|error| refused(&error))
}

async fn roll_back(
    State(shown): State<Control>,
    Named(name): Named<String>,
) -> Answer<Json<catalogue::Listed>> {
    shown.catalogue.roll_back(&name).await.map(Json).map_err(|error| refused(&error))
}

async fn enable(State(shown): State<Control>, Named(name): Named<String>) -> Answer<Json<catalogue::Listed>> {
    shown.catalogue.enable(&name).await.map(Json).map_err(|error| refused(&error))
}

async fn disable(
    State(shown): State<Control>,
    Named(name): Named<String>,
    Query(leaving): Query<Leaving>,
) -> Answer<Json<catalogue::Listed>> {
    shown.catalogue.disable(&name, leaving.leave_entities).await.map(Json).map_err(|error| refused(&error))
}

async fn remove(
    State(shown): State<Control>,
    Named(name): Named<String>,
    Query(leaving): Query<Leaving>,
) -> Answer<StatusCode> {
    shown.catalogue.remove(&name, leaving.leave_entities).await.map_err(|error| refused(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is forgotten.
#[derive(Deserialize)]
struct Forgotten {
    what: String,
}

/// How many entities were forgotten.
async fn forget(State(shown): State<Control>, Query(Forgotten { what }): Query<Forgotten>) -> Answer<String> {
    let wrong = |error: &dyn std::fmt::Display| (StatusCode::BAD_REQUEST, format!("{what}: {error}"));
    let caller = Caller::default();
    let forgotten = if what.contains('#') {
        let kind = CategoryId::parse(&what).map_err(|error| wrong(&error))?;
        shown.core.forget_all(&caller, &kind).await
    } else {
        let path = Location::parse(&what).map_err(|error| wrong(&error))?;
        shown.core.forget(&caller, &path).await.map(|()| 1)
    };
    let forgotten = forgotten.map_err(|refusal| wrong(&refusal))?;
    shown.catalogue.forget_removed().await.map_err(|error| refused(&error))?;
    Ok(forgotten.to_string())
}

fn refused(refused: &Refused) -> (StatusCode, String) {
    let status = match refused {
        Refused::Unknown { .. } => StatusCode::NOT_FOUND,
        Refused::Load(_) | Refused::Probe(_) => StatusCode::BAD_REQUEST,
        Refused::SameName { .. }
        | Refused::Occupied { .. }
        | Refused::Replace(_)
        | Refused::HasEntities { .. }
        | Refused::Drops { .. }
        | Refused::NoPrevious(_)
        | Refused::OtherPrevious { .. }
        | Refused::Overtaken { .. }
        | Refused::Removed(_)
        | Refused::SwitchedOff(_)
        | Refused::OtherName { .. }
        | Refused::Itself(_) => StatusCode::CONFLICT,
        Refused::Crowded => StatusCode::SERVICE_UNAVAILABLE,
        Refused::File { .. } | Refused::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, refused.to_string())
}

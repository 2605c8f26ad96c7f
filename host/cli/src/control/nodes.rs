//! The hypervisors, and what an operator moves between them.

use super::{Answer, Control};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use futures_util::stream::unfold;
use occi_capability::libvirt::Error;
use occi_capability::{Node, Nodes};
use occi_model::Location;
use occi_operation::{Caller, Cause, Core};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use uuid::Uuid;

/// One of them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// libvirt's URI.
    pub(crate) uri: String,
    pub(crate) labels: BTreeSet<String>,
    /// Whether something new may come to be there.
    pub(crate) takes_new: bool,
    /// In bytes, less than zero where more was given to machines than there is; none where it does not answer.
    pub(crate) unclaimed_memory: Option<i64>,
}

/// What is to go to a node.
#[derive(Debug, Deserialize)]
pub(super) struct Moved {
    /// The path of an entity.
    what: String,
    /// Whether it may leave others behind with which it shares a network.
    #[serde(default)]
    alone: bool,
}

/// Which nodes take nothing new, over restarts.
#[derive(Debug, Clone)]
pub(crate) struct Drained(PathBuf);

impl Drained {
    /// As it was written in a server's folder; the nodes are told.
    pub(crate) fn open(data: &std::path::Path, nodes: &Nodes) -> Self {
        let drained = Self(data.join("drained-nodes"));
        for name in drained.names() {
            match nodes.named(&name) {
                Ok(node) => node.set_takes_new(false),
                Err(_) => tracing::warn!("the node {name}, which was drained, is not in the configuration"),
            }
        }
        drained
    }

    fn names(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn set(&self, name: &str, is_drained: bool) -> std::io::Result<()> {
        let mut names = self.names();
        if is_drained {
            names.insert(name.to_owned())
        } else {
            names.remove(name)
        };
        let text: String = names.into_iter().map(|name| name + "\n").collect();
        let new = self.0.with_extension("new");
        std::fs::write(&new, text)?;
        std::fs::rename(new, &self.0)
    }
}

pub(super) async fn list(State(shown): State<Control>) -> Json<Vec<Listed>> {
    let mut all = Vec::new();
    for node in shown.nodes.all() {
        let unclaimed = node.hypervisor().unclaimed_memory().await.ok();
        all.push(Listed {
            name: node.name().into(),
            uri: node.hypervisor().uri().into(),
            labels: node.labels().clone(),
            takes_new: node.takes_new(),
            unclaimed_memory: unclaimed.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        });
    }
    Json(all)
}

/// What has moved, one in a line.
pub(super) async fn take(
    State(shown): State<Control>,
    Path(name): Path<String>,
    Query(Moved { what, alone }): Query<Moved>,
) -> Answer<String> {
    let wrong = |error: &dyn std::fmt::Display| (StatusCode::BAD_REQUEST, format!("{what}: {error}"));
    let path = Location::parse(&what).map_err(|error| wrong(&error))?;
    let entity = shown.core.id_at(&Caller::default(), &path).map_err(|refusal| wrong(&refusal))?;
    // It goes on, and keeps others from the entity, whether or not the operator waits.
    let to = name.clone();
    let moving = tokio::spawn(async move { send(&shown.core, &shown.nodes, entity, &to, alone).await });
    let moved = moving.await.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let moved = moved.map_err(|error| (StatusCode::CONFLICT, format!("{what}: {error}")))?;
    Ok(lines(&moved, &name))
}

pub(super) async fn resume(State(shown): State<Control>, Path(name): Path<String>) -> Answer<StatusCode> {
    set_takes_new(&shown, &name, true)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says of each thing what became of it, as it goes; and goes on whether or not anybody listens.
pub(super) async fn drain(State(shown): State<Control>, Path(name): Path<String>) -> Answer<Body> {
    set_takes_new(&shown, &name, false)?;
    let (say, said) = mpsc::unbounded_channel::<String>();
    tokio::spawn(async move {
        let line = match empty(&shown, &name, &say).await {
            Ok(0) => format!("{name} is empty, and takes nothing new until `occi node resume {name}`\n"),
            Ok(stay) => format!("{stay} stay at {name}; the reasons are above\n"),
            Err(error) => format!("{name} cannot be drained: {error}\n"),
        };
        _ = say.send(line);
    });
    let said = unfold(said, |mut said| async { Some((Ok::<_, Infallible>(said.recv().await?), said)) });
    Ok(Body::from_stream(said))
}

fn set_takes_new(shown: &Control, name: &str, takes_new: bool) -> Answer<()> {
    let node = shown.nodes.named(name).map_err(|error| (StatusCode::NOT_FOUND, error.to_string()))?;
    let kept = shown.drained.set(name, !takes_new);
    kept.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("the list of drained nodes: {error}")))?;
    node.set_takes_new(takes_new);
    Ok(())
}

/// Moves everything away; how many things stay.
async fn empty(shown: &Control, name: &str, said: &mpsc::UnboundedSender<String>) -> Result<usize, Error> {
    let node = shown.nodes.named(name)?;
    let mut stay = 0;
    for (entity, joined) in shown.nodes.guests_of(node).await? {
        let line = match take_away(shown, node, entity, joined).await {
            Ok(Some(line)) => line,
            Ok(None) => continue,
            // With a machine that stays the rest does, too.
            Err(error) => {
                stay += 1;
                format!("{} stays: {error}\n", known_as(&shown.core, entity))
            }
        };
        _ = said.send(line);
    }
    Ok(stay)
}

/// What has moved; none where the things of the entity that count are elsewhere, as they went with others.
async fn take_away(
    shown: &Control,
    from: &Node,
    entity: Uuid,
    joined: Vec<Uuid>,
) -> Result<Option<String>, Error> {
    let Some(to) = shown.nodes.other_for(entity, from, joined).await? else { return Ok(None) };
    let moved = send(&shown.core, &shown.nodes, entity, to.name(), true).await?;
    Ok(Some(lines(&moved, to.name())))
}

fn lines(moved: &[String], node: &str) -> String {
    moved.iter().flat_map(|what| [&**what, " is at ", node, "\n"]).collect()
}

/// An entity's path or, where there is none of that id, what its things are called.
fn known_as(core: &Core, id: Uuid) -> String {
    let found = core.entities([id]).ok().and_then(|found| found.into_iter().next().flatten());
    found.map_or_else(|| format!("occi-{id}"), |entity| entity.location.to_string())
}

/// While it moves nobody changes the entity; afterwards what has moved is asked what it is.
async fn send(
    core: &Arc<Core>,
    nodes: &Arc<Nodes>,
    entity: Uuid,
    to: &str,
    alone: bool,
) -> Result<Vec<String>, Error> {
    let still = core.keep_still(entity).await;
    let moved = nodes.send(entity, nodes.named(to)?, alone).await;
    drop(still);
    // How far it came shows when it is asked what it is.
    let moved = moved.inspect_err(|_| core.observe(entity, Cause::Event))?;
    for entity in &moved {
        core.observe(*entity, Cause::Event);
    }
    Ok(moved.into_iter().map(|id| known_as(core, id)).collect())
}

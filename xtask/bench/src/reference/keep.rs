//! A bare axum server on a bare redb file: each POST keeps the rows that the measured server keeps for one entity, under
//! an id of its own, and is answered when they are durable. One thread writes; it commits whatever waits. Where they are a machine's,
//! that is defined at libvirt's test driver first, on Tokio's threads for what blocks.

use super::{define, listen, runtime};
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path as Captured, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{delete, post};
use bytes::Bytes;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use uuid::Uuid;
use virt::connect::Connect;
use virt::domain::Domain;

/// The table of the measured server, and of this one.
const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("content");

/// What is stored of one entity: keys and values.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// As it stands in them, in bytes or in letters.
    id: Uuid,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Rows {
    /// All rows of a store in which there is one entity.
    pub(crate) fn read(file: &Path, id: Uuid) -> Result<Self> {
        let database = Database::open(file).with_context(|| format!("cannot open {}", file.display()))?;
        let table = database.begin_read()?.open_table(TABLE).context("the store has no such table")?;
        let mut rows = Vec::new();
        for row in table.iter()? {
            let (key, value) = row?;
            rows.push((key.value().to_vec(), value.value().to_vec()));
        }
        anyhow::ensure!(!rows.is_empty(), "the store is empty");
        Ok(Self { id, rows })
    }

    /// The same for another entity.
    fn with_id(&self, id: Uuid) -> Self {
        let texts = (self.id.to_string(), id.to_string());
        let replaced = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            put_in_place(&mut bytes, self.id.as_bytes(), id.as_bytes());
            put_in_place(&mut bytes, texts.0.as_bytes(), texts.1.as_bytes());
            bytes
        };
        let rows = self.rows.iter().map(|(key, value)| (replaced(key), replaced(value))).collect();
        Self { id, rows }
    }
}

/// Writes `new` over each `old` of the same length.
fn put_in_place(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    let mut at = 0;
    while let Some(part) = bytes.get_mut(at..at + old.len()) {
        if part == old {
            part.copy_from_slice(new);
        }
        at += 1;
    }
}

type Waiting = (Rows, oneshot::Sender<()>);

struct Keeper {
    rows: Rows,
    queue: Sender<Waiting>,
    machines: Option<Arc<Connect>>,
}

pub(crate) fn serve(rows: &Path, data: &Path, machines: bool) -> Result<()> {
    let rows = std::fs::read(rows).with_context(|| format!("cannot read {}", rows.display()))?;
    let rows: Rows = serde_json::from_slice(&rows).context("the rows")?;
    let database = Database::create(data).with_context(|| format!("cannot make {}", data.display()))?;
    let (queue, waiting) = channel();
    std::thread::spawn(move || {
        if let Err(error) = write(&database, &waiting) {
            // Whoever waits is answered by an error, which ends the measurement.
            eprintln!("nothing is kept any more: {error:#}");
        }
    });
    let machines = machines.then(|| define::open(define::TEST)).transpose()?.map(Arc::new);
    let router = Router::new()
        .route("/note/", post(keep))
        .route("/compute/", post(keep))
        .route("/compute/{id}", delete(remove))
        .with_state(Arc::new(Keeper { rows, queue, machines }));
    runtime()?.block_on(listen(router))
}

async fn keep(State(keeper): State<Arc<Keeper>>, _body: Bytes) -> impl IntoResponse {
    // Ids that grow are the cheapest to insert.
    let rows = keeper.rows.with_id(Uuid::now_v7());
    let id = rows.id;
    let mut location = format!("http://127.0.0.1/note/{id}");
    if let Some(connect) = keeper.machines.clone() {
        location = format!("/compute/{id}");
        let defined = spawn_blocking(move || define::machine(&connect, id).map(drop));
        if !matches!(defined.await, Ok(Ok(()))) {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
    let (done, is_done) = oneshot::channel();
    if keeper.queue.send((rows, done)).is_err() || is_done.await.is_err() {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Ok((StatusCode::CREATED, [(header::LOCATION, location.clone())], location))
}

/// The machine goes; its rows stay.
async fn remove(State(keeper): State<Arc<Keeper>>, Captured(id): Captured<Uuid>) -> StatusCode {
    let Some(connect) = keeper.machines.clone() else { return StatusCode::NOT_FOUND };
    let remove = move || Domain::lookup_by_uuid(&connect, id)?.undefine();
    match spawn_blocking(remove).await {
        Ok(Ok(())) => StatusCode::OK,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn write(database: &Database, waiting: &Receiver<Waiting>) -> Result<()> {
    while let Ok(first) = waiting.recv() {
        let group: Vec<Waiting> = std::iter::once(first).chain(waiting.try_iter()).collect();
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for (rows, _) in &group {
                for (key, value) in &rows.rows {
                    table.insert(&key[..], &value[..])?;
                }
            }
        }
        transaction.commit()?;
        for (_, done) in group {
            // A client that is gone needs no answer.
            let _ = done.send(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_entity_has_the_same_rows_under_its_own_id() {
        let (old, new) = (Uuid::from_u128(0x1234 << 80), Uuid::from_u128(7));
        let key = |id: Uuid| [b"e".as_slice(), id.as_bytes(), b"x"].concat();
        let rows = |id: Uuid| vec![(key(id), format!("/note/{id};{id}").into_bytes())];
        assert_eq!(Rows { id: old, rows: rows(old) }.with_id(new).rows, rows(new));
    }
}

//! What is redb's own: files, locks, damage. The contract is tested by the suite, on a file and in memory.

use super::{Options, RedbStore};
use crate::contract::{Batch, Range, Store};
use crate::error::StoreError;
use crate::suite::{Factory, contract_tests};
use async_trait::async_trait;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Small bounds, so that each of them is met.
fn options() -> Options {
    Options { cache: 1 << 20, queue: 4, group: 3, ..Options::default() }
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("store")
    }
}

#[async_trait]
impl Factory for Files {
    async fn fresh(&self) -> Arc<dyn Store> {
        Arc::new(RedbStore::open(self.path(), &options()).unwrap())
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        store.close().await.unwrap();
        Some(self.fresh().await)
    }
}

struct Memory;

#[async_trait]
impl Factory for Memory {
    async fn fresh(&self) -> Arc<dyn Store> {
        Arc::new(RedbStore::in_memory(&Options::default()).unwrap())
    }

    async fn reopen(&self, _: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        None
    }
}

mod file {
    super::contract_tests!(super::Files::new());
}

mod memory {
    super::contract_tests!(super::Memory);
}

fn refusal(path: &Path) -> StoreError {
    RedbStore::open(path, &options()).unwrap_err()
}

async fn fill(path: &Path) {
    let store = RedbStore::open(path, &options()).unwrap();
    let mut batch = Batch::new();
    for n in 0..2000 {
        batch.put(format!("key {n}"), vec![7; 100]);
    }
    store.commit(batch).await.unwrap();
    store.close().await.unwrap();
}

#[test]
fn a_second_process_is_told_what_to_do() {
    let files = Files::new();
    let first = RedbStore::open(files.path(), &options()).unwrap();
    let message = refusal(&files.path()).to_string();
    assert!(message.contains(&files.path().display().to_string()), "{message}");
    assert!(message.contains("stop that process"), "{message}");
    drop(first);
    RedbStore::open(files.path(), &options()).unwrap();
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go_although_a_view_is_held() {
    let files = Files::new();
    let store = RedbStore::open(files.path(), &options()).unwrap();
    let mut batch = Batch::new();
    batch.put("a", "1");
    store.commit(batch).await.unwrap();
    let view = store.read().unwrap();
    drop(store);
    let again = RedbStore::open(files.path(), &options()).unwrap();
    assert!(again.read().unwrap().get(b"a").unwrap().is_some());
    // The old view answers from what it has or says that it is closed; it does not read what others write.
    match view.get(b"a") {
        Ok(held) => assert_eq!(held.unwrap().value, "1"),
        Err(error) => assert!(matches!(error, StoreError::Closed), "{error}"),
    }
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let files = Files::new();
    for content in ["hello, I am the diary of somebody", "x"] {
        std::fs::write(files.path(), content.repeat(400)).unwrap();
        let message = refusal(&files.path()).to_string();
        assert!(message.contains("is not a store or is damaged"), "{message}");
        assert_eq!(std::fs::read_to_string(files.path()).unwrap(), content.repeat(400));
    }
}

/// A process that is killed while it makes the file leaves a part of one behind.
#[test]
fn a_file_that_was_not_made_to_its_end_is_made_anew() {
    let files = Files::new();
    drop(RedbStore::open(files.path(), &options()).unwrap());
    let whole = std::fs::read(files.path()).unwrap();
    let fresh = files.path().with_extension("new");
    for length in [0, 1, 4096, whole.len() / 2, whole.len() - 1, whole.len()] {
        std::fs::remove_file(files.path()).unwrap();
        std::fs::write(&fresh, &whole[..length]).unwrap();
        drop(RedbStore::open(files.path(), &options()).unwrap());
        assert!(!fresh.exists() && files.path().exists(), "{length} bytes");
    }
}

#[tokio::test]
async fn damage_is_an_error_wherever_it_is() {
    let files = Files::new();
    fill(&files.path()).await;
    let whole = std::fs::read(files.path()).unwrap();
    let verify = Options { verify: true, ..options() };
    let mut refused = 0;
    for offset in (0..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        for byte in damaged.iter_mut().skip(offset).take(64) {
            *byte ^= 0xa5;
        }
        std::fs::write(files.path(), damaged).unwrap();
        match RedbStore::open(files.path(), &verify) {
            Ok(_) => {}
            Err(StoreError::Damaged { .. }) => refused += 1,
            Err(error) => panic!("at {offset}: {error}"),
        }
        // Without a look at all of it first, whoever comes to that place is told.
        if let Ok(store) = RedbStore::open(files.path(), &options()) {
            match store
                .read()
                .unwrap()
                .scan(&Range::prefix(Vec::new()), &mut |_, _, _| ControlFlow::Continue(()))
            {
                Ok(())
                | Err(StoreError::Damaged { .. } | StoreError::Engine { .. } | StoreError::Broken { .. }) => {
                }
                Err(error) => panic!("at {offset}: {error}"),
            }
        }
    }
    assert!(refused > 10, "only {refused} of 40 places: the damage does not hit what is stored");
    for length in [1, 100, 4096, whole.len() / 2, whole.len() - 1] {
        std::fs::write(files.path(), &whole[..length]).unwrap();
        assert!(matches!(refusal(&files.path()), StoreError::Damaged { .. }), "cut to {length} bytes");
    }
}

#[test]
fn what_the_system_refuses_names_the_file() {
    let files = Files::new();
    let path = files.path().join("no such folder").join("store");
    let message = refusal(&path).to_string();
    assert!(message.contains("no such folder"), "{message}");
    let message = refusal(files.0.path()).to_string();
    assert!(message.contains(&files.0.path().display().to_string()), "{message}");
}

#[test]
fn a_newer_layout_is_refused() {
    let files = Files::new();
    drop(RedbStore::open(files.path(), &options()).unwrap());
    let database = redb::Database::create(files.path()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(super::writer::META).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(refusal(&files.path()), StoreError::Format { found: 2, known: 1, .. }));
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let files = Files::new();
    drop(RedbStore::open(files.path(), &options()).unwrap());
    assert_eq!(std::fs::metadata(files.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

//! What happens when the disk does not do as it should: the power goes while it writes, or it fails. The disk is
//! simulated, so that what was not synced can be lost in part, which no killed process shows.

use super::{Options, RedbStore};
use crate::contract::{Batch, Range, Store};
use crate::error::StoreError;
use crate::testing::wait;
use redb::{Builder, StorageBackend};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A disk with a cache that forgets: what was written since the last sync may be on it or not, each write by itself.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    /// What a power cut leaves in any case.
    synced: Vec<u8>,
    /// What is read while there is power.
    present: Vec<u8>,
    /// The writes since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
    broken: bool,
}

impl Disk {
    /// What is there after the power went, where `kept` decides over each write that was not synced.
    fn after_power_cut(&self, mut kept: impl FnMut() -> bool) -> Self {
        let content = self.0.lock().unwrap();
        let mut left = content.synced.clone();
        for (offset, data) in content.pending.iter().filter(|_| kept()) {
            left.resize(left.len().max(offset + data.len()), 0);
            left[*offset..offset + data.len()].copy_from_slice(data);
        }
        Self(Arc::new(Mutex::new(Content { present: left.clone(), synced: left, ..Content::default() })))
    }

    fn open(&self) -> RedbStore {
        let database = Builder::new().set_cache_size(1 << 20).create_with_backend(self.clone()).unwrap();
        RedbStore::start(database, Path::new("disk"), &Options::default()).unwrap()
    }

    fn content<T>(&self, of: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        let mut content = self.0.lock().unwrap();
        if content.broken {
            return Err(io::Error::other("the disk is broken"));
        }
        Ok(of(&mut content))
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.content(|content| content.present.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap();
        self.content(|content| out.copy_from_slice(&content.present[from..from + out.len()]))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.content(|content| content.present.resize(usize::try_from(length).unwrap(), 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        // Others write meanwhile, as on a real disk.
        std::thread::sleep(Duration::from_micros(300));
        self.content(|content| {
            content.synced.clone_from(&content.present);
            content.pending.clear();
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap();
        self.content(|content| {
            content.present[from..from + data.len()].copy_from_slice(data);
            content.pending.push((from, data.to_vec()));
        })
    }
}

/// Numbers from a seed (xorshift).
fn numbers(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[test]
fn what_was_answered_survives_a_power_cut() {
    const CLIENTS: usize = 8;
    let mut disk = Disk::default();
    let mut number = numbers(0x0cc1);
    let mut answered: Vec<(String, u64)> = Vec::new();
    let mut unheard = 0;
    for round in 0..40 {
        let store = Arc::new(disk.open());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let client = |client: usize| {
            let (store, heard) = (store.clone(), heard.clone());
            async move {
                for nth in 0.. {
                    let key = format!("{round}/{client}/{nth}");
                    let mut batch = Batch::new();
                    // Two keys far from each other: both or none.
                    batch.put(format!("a/{key}"), vec![7; 300]).put(format!("z/{key}"), "");
                    let Ok(revision) = store.commit(batch).await else { break };
                    heard.lock().unwrap().push((key, revision.0));
                }
            }
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let (told, left) = runtime.block_on(async {
            for nth in 0..CLIENTS {
                tokio::spawn(client(nth));
            }
            tokio::time::sleep(Duration::from_micros(number() % 15_000)).await;
            // First what was heard, then the cut: what is heard in between may be on the disk as well.
            let told = heard.lock().unwrap().clone();
            (told, disk.after_power_cut(|| number().is_multiple_of(2)))
        });
        drop(runtime);
        drop(store);
        answered.extend(told);
        disk = left;

        let store = disk.open();
        let view = store.read().unwrap();
        for (key, revision) in &answered {
            for side in ["a", "z"] {
                let held = view.get(format!("{side}/{key}").as_bytes()).unwrap();
                assert_eq!(
                    held.map(|held| held.revision.0),
                    Some(*revision),
                    "{side}/{key} in round {round}"
                );
            }
        }
        let keys = |side: &'static str| -> Vec<_> {
            let held = view.range(&Range::prefix(side)).unwrap();
            held.into_iter().map(|entry| (entry.key.slice(1..), entry.revision)).collect()
        };
        assert_eq!(keys("a"), keys("z"), "a batch is there in part in round {round}");
        unheard += keys("a").len() - answered.len();
        // What was there although no answer was heard, stays.
        answered = keys("a").into_iter().map(|(key, revision)| (text(&key), revision.0)).collect();
    }
    assert!(answered.len() > 100, "only {} commits: the power went before anything happened", answered.len());
    assert!(unheard < answered.len(), "no answer was heard in time");
}

fn text(key: &[u8]) -> String {
    String::from_utf8(key.strip_prefix(b"/").unwrap().to_vec()).unwrap()
}

#[test]
fn a_broken_disk_is_told_to_all_and_makes_nothing_visible() {
    let disk = Disk::default();
    let store = disk.open();
    let put = |key: &'static str| {
        let mut batch = Batch::new();
        batch.put(key, "");
        wait(store.commit(batch))
    };
    let first = put("a").unwrap();
    disk.0.lock().unwrap().broken = true;
    for _ in 0..2 {
        let error = put("b").unwrap_err();
        assert!(matches!(error, StoreError::Engine { .. }), "{error}");
        assert_eq!(store.read().unwrap().revision(), first);
    }
    // A disk that works again changes nothing until the store is opened anew, and shows which it is.
    disk.0.lock().unwrap().broken = false;
    assert!(matches!(put("c"), Err(StoreError::Engine { .. })));
    assert!(store.read().unwrap().get(b"a").unwrap().is_some());
    drop(store);
    let store = disk.after_power_cut(|| false).open();
    assert_eq!(store.read().unwrap().range(&Range::default()).unwrap().len(), 1);
}

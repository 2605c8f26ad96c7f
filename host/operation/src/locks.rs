//! Changes of one entity come one after the other.
//!
//! Whoever locks several entities takes resources before links, and among equals the smaller id first; so no two
//! operations wait for each other.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

type Table = Arc<Mutex<HashMap<Uuid, Arc<AsyncMutex<()>>>>>;

/// What something that has no id is locked by. That two may share it costs a wait and nothing else.
pub(crate) fn id_of(thing: &impl Hash) -> Uuid {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    Uuid::from_u64_pair(hasher.finish(), 0)
}

/// One lock for each entity that is being changed; an idle entity takes no memory.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    table: Table,
}

/// Locks that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    guards: Vec<(Uuid, OwnedMutexGuard<()>)>,
    table: Table,
}

impl Locks {
    /// Locks the entities, in the order of their ids.
    pub(crate) async fn lock(&self, ids: impl IntoIterator<Item = Uuid>) -> Held {
        let mut held = Held { guards: Vec::new(), table: Arc::clone(&self.table) };
        held.extend(ids).await;
        held
    }

    /// Locks an entity that nobody holds.
    pub(crate) fn try_lock(&self, id: Uuid) -> Option<Held> {
        let guard = {
            let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(table.entry(id).or_default()).try_lock_owned().ok()?
        };
        Some(Held { guards: vec![(id, guard)], table: Arc::clone(&self.table) })
    }
}

impl Held {
    /// Locks more entities. They must be links where those held are resources.
    pub(crate) async fn extend(&mut self, ids: impl IntoIterator<Item = Uuid>) {
        let held: HashSet<_> = self.guards.iter().map(|(id, _)| *id).collect();
        let mut ids: Vec<_> = ids.into_iter().filter(|id| !held.contains(id)).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let lock = {
                let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(table.entry(id).or_default())
            };
            self.guards.push((id, lock.lock_owned().await));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, guard) in self.guards.drain(..) {
            drop(guard);
            // Those who wait hold a clone; where there is none, nobody waits.
            if table.get(&id).is_some_and(|lock| Arc::strong_count(lock) == 1) {
                table.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_of_one_entity_come_one_after_the_other() {
        let locks = Arc::new(Locks::default());
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let counter = Arc::new(AsyncMutex::new(0_u32));
        let tasks: Vec<_> = (0..50)
            .map(|turn| {
                let (locks, counter) = (Arc::clone(&locks), Arc::clone(&counter));
                tokio::spawn(async move {
                    let ids = if turn % 2 == 0 { [a, b] } else { [b, a] };
                    let _held = locks.lock(ids).await;
                    // Nobody else may be here: the counter's own lock is always free.
                    let mut counter = counter.try_lock().expect("two operations hold one entity");
                    tokio::task::yield_now().await;
                    *counter += 1;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*counter.lock().await, 50);
        assert!(locks.table.lock().unwrap().is_empty(), "idle entities take no memory");
    }

    #[tokio::test]
    async fn who_does_not_want_to_wait_is_told_so() {
        let (locks, id) = (Locks::default(), Uuid::from_u128(1));
        let held = locks.lock([id]).await;
        assert!(locks.try_lock(id).is_none());
        drop(held);
        assert!(locks.try_lock(id).is_some());
        assert!(locks.table.lock().unwrap().is_empty());
    }
}

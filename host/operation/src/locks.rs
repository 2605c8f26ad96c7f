//! Changes of one entity come one after the other.
//!
//! Whoever locks several entities takes resources before links, and among equals the smaller id first; so no two
//! operations wait for each other. What a new link leads to has only to stay as it is: several may keep it so at once, and
//! a machine that takes its time keeps nobody else from the network that it joins, be there one who waits to change that.

use crate::asked;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

type Table = Arc<Mutex<HashMap<Uuid, Arc<Lock>>>>;

/// Those who change an entity take turns; the one whose turn it is waits until nobody keeps it.
#[derive(Debug, Default)]
struct Lock {
    turn: Arc<tokio::sync::Mutex<()>>,
    keepers: Arc<RwLock<()>>,
}

/// For so long nobody begins to keep what somebody waits to change; and then, if that was in vain, everybody may for a while. Each
/// time it is twice as long, so that those who take turns in keeping it do not do so for ever.
const SLICE: Duration = Duration::from_millis(250);
/// The longest that it is.
const LONGEST_SLICE: Duration = Duration::from_secs(4);

impl Lock {
    async fn change(self: Arc<Self>) -> Guard {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let mut slice = SLICE;
        loop {
            if let Ok(alone) = timeout(slice, Arc::clone(&self.keepers).write_owned()).await {
                return Guard::Changed { _alone: alone, _turn: turn, _lock: self };
            }
            sleep(SLICE).await;
            slice = (2 * slice).min(LONGEST_SLICE);
        }
    }

    async fn keep(self: Arc<Self>) -> Guard {
        Guard::Kept { _beside_others: Arc::clone(&self.keepers).read_owned().await, _lock: self }
    }
}

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

/// The resources that an operation locks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Those that it changes.
    pub(crate) changed: HashSet<Uuid>,
    /// Those that must stay as they are meanwhile; they may be among the others.
    pub(crate) kept: HashSet<Uuid>,
}

impl Wanted {
    /// Whether these are locked where those are.
    pub(crate) fn is_within(&self, locked: &Self) -> bool {
        let is_kept = |id| locked.kept.contains(id) || locked.changed.contains(id);
        self.changed.is_subset(&locked.changed) && self.kept.iter().all(is_kept)
    }
}

/// Locks that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    guards: Vec<(Uuid, Guard)>,
    table: Table,
}

#[derive(Debug)]
enum Guard {
    Changed { _alone: OwnedRwLockWriteGuard<()>, _turn: OwnedMutexGuard<()>, _lock: Arc<Lock> },
    Kept { _beside_others: OwnedRwLockReadGuard<()>, _lock: Arc<Lock> },
}

impl Locks {
    /// Locks the entities, in the order of their ids.
    pub(crate) async fn lock(&self, ids: impl IntoIterator<Item = Uuid>) -> Held {
        let mut held = Held { guards: Vec::new(), table: Arc::clone(&self.table) };
        held.extend(ids).await;
        held
    }

    /// Locks some resources to change them, and others so that they stay.
    pub(crate) async fn lock_both(&self, wanted: &Wanted) -> Held {
        let mut held = self.lock([]).await;
        let kept = wanted.kept.iter().map(|id| (*id, false));
        held.take(kept.chain(wanted.changed.iter().map(|id| (*id, true))).collect()).await;
        held
    }
}

impl Held {
    /// What is locked.
    pub(crate) fn ids(&self) -> HashSet<Uuid> {
        self.guards.iter().map(|(id, _)| *id).collect()
    }

    /// Locks more entities. They must be links where those held are resources.
    pub(crate) async fn extend(&mut self, ids: impl IntoIterator<Item = Uuid>) {
        self.take(ids.into_iter().map(|id| (id, true)).collect()).await;
    }

    /// Locks in the order of the ids, each to change it or only to keep it.
    async fn take(&mut self, ids: BTreeMap<Uuid, bool>) {
        let held = self.ids();
        for (id, is_changed) in ids.into_iter().filter(|(id, _)| !held.contains(id)) {
            let lock = {
                let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(table.entry(id).or_default())
            };
            let guard =
                asked::turn(async { if is_changed { lock.change().await } else { lock.keep().await } });
            self.guards.push((id, guard.await));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, guard) in self.guards.drain(..) {
            drop(guard);
            // Those who wait or hold it too have a clone; where there is none, nobody does.
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
        let counter = Arc::new(tokio::sync::Mutex::new(0_u32));
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

    async fn is_free(locks: &Locks, id: Uuid) -> bool {
        timeout(Duration::from_millis(20), locks.lock([id])).await.is_ok()
    }

    #[tokio::test]
    async fn several_keep_what_one_may_change() {
        let locks = Arc::new(Locks::default());
        let [target, source, other] = [1, 2, 3].map(Uuid::from_u128);
        let join = |source| Wanted { changed: [source].into(), kept: [target].into() };
        let first = locks.lock_both(&join(source)).await;
        let second = locks.lock_both(&join(other)).await;
        for id in [target, source, other] {
            assert!(!is_free(&locks, id).await);
        }
        drop(first);
        assert!(is_free(&locks, source).await && !is_free(&locks, target).await);
        drop(second);
        // A link from a resource to itself.
        let both = Wanted { changed: [target].into(), kept: [target].into() };
        let alone = locks.lock_both(&both).await;
        assert!(timeout(Duration::ZERO, locks.lock_both(&join(source))).await.is_err());
        drop(alone);
        assert!(join(source).is_within(&Wanted { changed: [source, target].into(), ..Wanted::default() }));
        assert!(!both.is_within(&join(source)));
        assert!(locks.table.lock().unwrap().is_empty(), "idle entities take no memory");
    }

    #[tokio::test]
    async fn who_waits_to_change_does_not_shut_out_those_who_keep() {
        let locks = Arc::new(Locks::default());
        let id = Uuid::from_u128(1);
        let keep = Wanted { changed: HashSet::new(), kept: [id].into() };
        let hangs = locks.lock_both(&keep).await;
        let changes = {
            let locks = Arc::clone(&locks);
            tokio::spawn(async move { drop(locks.lock([id]).await) })
        };
        for _ in 0..3 {
            assert!(timeout(2 * LONGEST_SLICE, locks.lock_both(&keep)).await.is_ok());
        }
        assert!(!changes.is_finished());
        drop(hangs);
        changes.await.unwrap();
        assert!(locks.table.lock().unwrap().is_empty());
    }
}

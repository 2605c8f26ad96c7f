//! Entities in their decoded form, for those that are read often: to decode one takes several times as long as to
//! find its record.
//!
//! It is no second truth. Each read looks the key up in its view, and takes what is kept only where that is of the very
//! revision that the view has; who reads an older view decodes. So nothing need be told when something changes.

use crate::contract::{Key, Revision};
use crate::record::Stored;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// A bounded memory of entities.
#[derive(Debug)]
pub struct Memo(Cache<Key, Kept, Bytes>);

#[derive(Debug, Clone)]
struct Kept {
    stored: Stored,
    /// The length of the record.
    length: usize,
}

/// What one takes of memory, about: texts and nodes of their own for each part of a record.
#[derive(Debug, Clone)]
struct Bytes;

impl Bytes {
    /// What an entity without attributes takes, with its place in the memory.
    const LEAST: usize = 512;
    /// How often a decoded part is as large as in its record.
    const TIMES: usize = 4;
}

impl Weighter<Key, Kept> for Bytes {
    fn weight(&self, key: &Key, kept: &Kept) -> u64 {
        u64::try_from(Self::LEAST + key.len() + Self::TIMES * kept.length).unwrap_or(u64::MAX)
    }
}

impl Memo {
    /// An empty one that grows to about `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let expected = limit / (Bytes::LEAST * Bytes::TIMES);
        Self(Cache::with_weighter(expected, u64::try_from(limit).unwrap_or(u64::MAX), Bytes))
    }

    /// The entity under a key, where it is kept as of this revision.
    pub(crate) fn recall(&self, key: &Key, revision: Revision) -> Option<Stored> {
        self.0.get(key).filter(|kept| kept.stored.revision == revision).map(|kept| kept.stored)
    }

    /// Keeps an entity, whose record has `length` bytes, in place of what was kept under its key.
    pub(crate) fn keep(&self, key: &Key, stored: &Stored, length: usize) {
        self.0.insert(key.clone(), Kept { stored: stored.clone(), length });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Batch;
    use crate::index::put_entity;
    use crate::testing::{resource, store, wait};
    use crate::{Entities, keys};
    use occi_model::Entity;
    use std::sync::Arc;
    use uuid::Uuid;

    #[test]
    fn each_view_reads_its_own_revision() {
        let store = store();
        let (id, tenant) = (Uuid::from_u128(1), Arc::<str>::from("tenant"));
        let write = |old: Option<&Stored>, title: &str| {
            let mut batch = Batch::new();
            let entity = Entity { title: Some(title.into()), ..resource(1, "/a") };
            put_entity(&mut batch, old, &entity, None).unwrap();
            wait(store.commit(batch)).unwrap();
            store.read().unwrap()
        };
        let old_view = write(None, "old");
        let old = Entities::new(&*old_view, &tenant).get(id).unwrap().unwrap();
        let new_view = write(Some(&old), "new");
        for _ in 0..2 {
            for (view, title) in
                [(&old_view, "old"), (&new_view, "new"), (&new_view, "new"), (&old_view, "old")]
            {
                let read = Entities::new(&**view, &tenant).get(id).unwrap().unwrap();
                assert_eq!(read.entity.title.as_deref(), Some(title));
            }
        }
    }

    #[test]
    fn what_is_read_again_is_not_decoded_again() {
        let store = store();
        let tenant = Arc::<str>::from("tenant");
        let mut batch = Batch::new();
        put_entity(&mut batch, None, &resource(1, "/a"), None).unwrap();
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        let get = || Entities::new(&*view, &tenant).get(Uuid::from_u128(1)).unwrap().unwrap();
        assert!(Arc::ptr_eq(&get().entity, &get().entity));
    }

    #[test]
    fn it_has_an_end() {
        let limit = 64 << 10;
        let memo = Memo::new(limit);
        for id in 0..1000 {
            let entity = Arc::new(resource(id, "/a"));
            let stored = Stored { entity, revision: Revision(1), created: 0, made_by: None };
            memo.keep(&keys::entity("tenant", Uuid::from_u128(id)), &stored, 100);
        }
        assert!(memo.0.weight() <= limit as u64);
        assert!(memo.0.len() > 20, "it keeps what it has room for");
        // One that is larger than all the room is not kept, and nothing else suffers.
        let kept = memo.0.len();
        let stored =
            Stored { entity: Arc::new(resource(7, "/a")), revision: Revision(1), created: 0, made_by: None };
        memo.keep(&keys::entity("other", Uuid::from_u128(7)), &stored, limit);
        assert!(memo.0.len() <= kept);
    }
}

//! How entities are found again: by id, by path, and as members of a set.

use crate::contract::{Key, Range, ReadView, Revision};
use crate::error::StoreError;
use crate::keys;
use crate::record::{self, Stored};
use occi_model::{CategoryId, Location};
use std::ops::ControlFlow;
use std::sync::Arc;
use uuid::Uuid;

/// The entities of one tenant in one view. There is no way from here to another tenant's.
#[derive(Clone, Copy)]
pub struct Entities<'view> {
    view: &'view dyn ReadView,
    tenant: &'view Arc<str>,
}

/// A set of entities. The order of each is stable: that in which its members were made, where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set<'a> {
    /// All of the tenant, directory by directory.
    All,
    /// Those of exactly this Kind, or with exactly this Mixin; neither those of descendants nor of what depends.
    Category(&'a CategoryId),
    /// Those at any depth below a path, directory by directory; the path is taken as one that ends in `/`.
    Below(&'a Location),
    /// The links that leave a resource.
    LinksFrom(Uuid),
    /// The links that lead to a resource of this server.
    LinksTo(Uuid),
}

/// Which members of a set are wanted. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Portion {
    /// Begin behind the last page; none for the beginning.
    pub after: Option<Cursor>,
    /// Leave out so many; it costs a step each.
    pub skip: usize,
    /// At most so many; none for all.
    pub limit: Option<usize>,
}

impl Portion {
    /// The next page: behind a cursor, at most so many.
    pub fn page(after: Option<Cursor>, limit: usize) -> Self {
        Self { after, skip: 0, limit: Some(limit) }
    }
}

/// The end of a page, from which the next goes on, in this view or a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Key);

/// Some members of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The members.
    pub items: Vec<T>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<Cursor>,
}

/// A member of a set by name only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: Uuid,
    /// Its path.
    pub location: Location,
}

impl<'view> Entities<'view> {
    /// Those of `tenant` in `view`.
    pub fn new(view: &'view dyn ReadView, tenant: &'view Arc<str>) -> Self {
        Self { view, tenant }
    }

    /// The entity with this id.
    pub fn get(&self, id: Uuid) -> Result<Option<Stored>, StoreError> {
        let key = keys::entity(self.tenant, id);
        let memo = self.view.memo();
        let mut found = None;
        self.view.look_up(&key, &mut |revision, record| {
            found = memo.and_then(|memo| memo.recall(&key, revision)).map(Ok).or_else(|| {
                let decoded = record::decode(&key, self.tenant, id, revision, record);
                if let (Some(memo), Ok(stored)) = (memo, &decoded) {
                    memo.keep(&key, stored, record.len());
                }
                Some(decoded)
            });
        })?;
        found.transpose()
    }

    /// The revision that wrote the entity with this id; none where there is none.
    pub fn revision(&self, id: Uuid) -> Result<Option<Revision>, StoreError> {
        let mut found = None;
        self.view.look_up(&keys::entity(self.tenant, id), &mut |revision, _| found = Some(revision))?;
        Ok(found)
    }

    /// The entity at this path.
    pub fn find_by_path(&self, path: &Location) -> Result<Option<Stored>, StoreError> {
        if let Some(id) = keys::id_in_path(path)
            && let Some(stored) = self.get(id)?
            && stored.entity.location == *path
        {
            return Ok(Some(stored));
        }
        let key = keys::path(self.tenant, path);
        let mut id = None;
        self.view.look_up(&key, &mut |_, value| id = Some(record::read_id(&key, value)))?;
        match id {
            Some(id) => self.indexed(&key, id?).map(Some),
            None => Ok(None),
        }
    }

    /// The links that leave a resource.
    pub fn links_from(&self, source: Uuid) -> Result<Vec<Stored>, StoreError> {
        Ok(self.list(Set::LinksFrom(source), &Portion::default())?.items)
    }

    /// The links that lead to a resource of this server.
    pub fn links_to(&self, target: Uuid) -> Result<Vec<Stored>, StoreError> {
        Ok(self.list(Set::LinksTo(target), &Portion::default())?.items)
    }

    /// Members of a set, whole.
    pub fn list(&self, set: Set<'_>, portion: &Portion) -> Result<Page<Stored>, StoreError> {
        self.walk(set, portion, |key, id, _| self.indexed(key, id))
    }

    /// Members of a set by name, which costs about a tenth of [`Self::list`].
    pub fn locations(&self, set: Set<'_>, portion: &Portion) -> Result<Page<Member>, StoreError> {
        self.walk(set, portion, |key, id, location| {
            let location = std::str::from_utf8(location).map_err(|error| StoreError::broken(key, &error))?;
            let location = Location::parse(location).map_err(|error| StoreError::broken(key, &error))?;
            Ok(Member { id, location })
        })
    }

    /// How many members a set has. It steps over each.
    pub fn count(&self, set: Set<'_>) -> Result<usize, StoreError> {
        let mut count = 0;
        self.view.scan(&self.range(set), &mut |_, _, _| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    fn range(&self, set: Set<'_>) -> Range {
        Range::prefix(match set {
            Set::All => keys::below(self.tenant, "/"),
            Set::Category(category) => keys::category(self.tenant, category),
            Set::Below(path) if path.is_collection() => keys::below(self.tenant, path.as_str()),
            Set::Below(path) => keys::below(self.tenant, &format!("{path}/")),
            Set::LinksFrom(source) => keys::links_from(self.tenant, source),
            Set::LinksTo(target) => keys::links_to(self.tenant, target),
        })
    }

    /// Makes an item of each index key of a portion, from the key, the id that it ends in and the location under it.
    fn walk<T>(
        &self,
        set: Set<'_>,
        portion: &Portion,
        mut item: impl FnMut(&[u8], Uuid, &[u8]) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let limit = portion.limit.unwrap_or(usize::MAX);
        let range = self.range(set).after(portion.after.clone().map(|Cursor(key)| key));
        let mut skip = portion.skip;
        let mut last = None;
        let mut page = Page { items: Vec::new(), next: None };
        let mut failed = None;
        self.view.scan(&range, &mut |key, _, location| {
            if skip > 0 {
                skip -= 1;
                return ControlFlow::Continue(());
            }
            // That there is one more than was asked for says that there is a next page.
            if page.items.len() == limit {
                page.next = last.take();
                return ControlFlow::Break(());
            }
            let made = keys::id_at_end(key)
                .ok_or_else(|| StoreError::broken(key, "it is too short for an index key"))
                .and_then(|id| item(key, id, location));
            match made {
                Ok(made) => page.items.push(made),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            if page.items.len() == limit {
                last = Some(Cursor(Key::copy_from_slice(key)));
            }
            ControlFlow::Continue(())
        })?;
        failed.map_or(Ok(page), Err)
    }

    /// The entity that an index key names.
    fn indexed(&self, key: &[u8], id: Uuid) -> Result<Stored, StoreError> {
        self.get(id)?
            .ok_or_else(|| StoreError::broken(key, &format!("it names entity {id}, which is not there")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Batch, Store};
    use crate::index::{delete_entity, put_entity};
    use crate::testing::{category, resource, store, wait};

    fn filled(entities: u128) -> Arc<dyn Store> {
        let store = store();
        for id in 1..=entities {
            let mut batch = Batch::new();
            put_entity(&mut batch, None, &resource(id, &format!("/a/{id}")), None).unwrap();
            wait(store.commit(batch)).unwrap();
        }
        store
    }

    #[test]
    fn pages_of_any_size_are_the_whole() {
        let store = filled(7);
        let view = store.read().unwrap();
        let (tenant, kind) = (Arc::<str>::from("tenant"), category("kind"));
        let entities = Entities::new(&*view, &tenant);
        let all = entities.list(Set::Category(&kind), &Portion::default()).unwrap();
        let ids: Vec<_> = all.items.iter().map(|stored| stored.entity.id.as_u128()).collect();
        assert_eq!(ids, (1..=7).collect::<Vec<_>>(), "in the order in which they were made");
        assert_eq!(all.next, None);
        for stored in &all.items {
            assert_eq!(entities.revision(stored.entity.id).unwrap(), Some(stored.revision));
        }
        assert_eq!(entities.revision(Uuid::from_u128(8)).unwrap(), None);
        for size in 1..=8 {
            let mut found = Vec::new();
            let mut portion = Portion::page(None, size);
            loop {
                let page = entities.list(Set::Category(&kind), &portion).unwrap();
                assert!(page.items.len() <= size);
                found.extend(page.items);
                let Some(next) = page.next else { break };
                portion = Portion::page(Some(next), size);
            }
            assert_eq!(found, all.items, "by {size}");
        }
        let third = Portion { skip: 4, ..Portion::page(None, 2) };
        assert_eq!(entities.list(Set::Category(&kind), &third).unwrap().items, all.items[4..6]);
        let behind = Portion { skip: 8, ..Portion::page(None, 2) };
        assert_eq!(entities.list(Set::Category(&kind), &behind).unwrap(), Page { items: vec![], next: None });
        let none = entities.list(Set::Category(&kind), &Portion::page(None, 0)).unwrap();
        assert_eq!(none, Page { items: vec![], next: None });
    }

    #[test]
    fn a_cursor_outlives_what_it_stood_on() {
        let store = filled(4);
        let (tenant, kind) = (Arc::<str>::from("tenant"), category("kind"));
        let first = {
            let view = store.read().unwrap();
            Entities::new(&*view, &tenant).list(Set::Category(&kind), &Portion::page(None, 2)).unwrap()
        };
        let mut batch = Batch::new();
        delete_entity(&mut batch, &first.items[1]).unwrap();
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        let second =
            Entities::new(&*view, &tenant).list(Set::Category(&kind), &Portion::page(first.next, 2)).unwrap();
        let ids: Vec<_> = second.items.iter().map(|stored| stored.entity.id.as_u128()).collect();
        assert_eq!((ids, second.next), (vec![3, 4], None));
    }

    #[test]
    fn an_index_that_lies_is_an_error_and_no_panic() {
        let store = filled(1);
        let (tenant, kind) = (Arc::<str>::from("tenant"), category("kind"));
        let mut batch = Batch::new();
        batch.delete(keys::entity(&tenant, Uuid::from_u128(1)));
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        let entities = Entities::new(&*view, &tenant);
        let listed = entities.list(Set::Category(&kind), &Portion::default());
        assert!(matches!(listed, Err(StoreError::Broken { .. })), "{listed:?}");
        let found = entities.find_by_path(&Location::parse("/a/1").unwrap());
        assert!(matches!(found, Err(StoreError::Broken { .. })), "{found:?}");
    }
}

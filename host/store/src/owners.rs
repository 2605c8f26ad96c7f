//! To whom an entity belongs. Events of the world outside name entities by their id alone; and an id is unique among
//! all tenants (CORE-39), since what belongs to an entity elsewhere has its name from the id.

use crate::contract::{Key, Range, ReadView};
use crate::error::StoreError;
use crate::keys;
use occi_model::CategoryId;
use std::ops::ControlFlow;
use std::sync::Arc;
use uuid::Uuid;

/// The tenant of the entity with this id; none where there is no such entity.
pub fn owner(view: &dyn ReadView, id: Uuid) -> Result<Option<Arc<str>>, StoreError> {
    let key = keys::owner(id);
    let mut found = None;
    view.look_up(&key, &mut |_, tenant| found = Some(text(&key, tenant)))?;
    found.transpose()
}

/// All tenants that have anything, found by a step for each of them.
pub fn tenants(view: &dyn ReadView) -> Result<Vec<Arc<str>>, StoreError> {
    let mut tenants = Vec::new();
    let mut rest = Range::prefix(keys::tenants());
    loop {
        let mut found = None;
        view.scan(&rest.clone().limit(1), &mut |key, _, _| {
            found = Some(keys::tenant_of(key).ok_or_else(|| StoreError::broken(key, "it names no tenant")));
            ControlFlow::Break(())
        })?;
        let Some(tenant) = found.transpose()? else { return Ok(tenants) };
        // Where nothing lies behind this one's, the rest is empty.
        let Some(behind) = Range::prefix(keys::tenant(&tenant)).to else { return Ok(tenants) };
        rest.from = behind;
        tenants.push(tenant.into());
    }
}

/// The categories in a scheme that entities of a tenant are of, or have.
pub fn categories_in(view: &dyn ReadView, tenant: &str, scheme: &str) -> Result<Vec<CategoryId>, StoreError> {
    let mut categories = Vec::new();
    let mut rest = Range::prefix(keys::categories_in(tenant, scheme));
    loop {
        let mut found = None;
        view.scan(&rest.clone().limit(1), &mut |key, _, _| {
            let named = keys::category_of(tenant, key);
            found = Some(named.ok_or_else(|| StoreError::broken(key, "it names no category")));
            ControlFlow::Break(())
        })?;
        let Some(category) = found.transpose()? else { return Ok(categories) };
        let Some(behind) = Range::prefix(keys::category(tenant, &category)).to else { return Ok(categories) };
        rest.from = behind;
        categories.push(category);
    }
}

fn text(key: &Key, bytes: &[u8]) -> Result<Arc<str>, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(|error| StoreError::broken(key, &error))?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entities;
    use crate::contract::{Batch, Revision, See};
    use crate::index::{delete_entity, put_entity};
    use crate::testing::{resource, store, wait};
    use occi_model::Entity;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts the keys that are looked at.
    struct Counting<'view>(&'view dyn ReadView, AtomicUsize);

    impl ReadView for Counting<'_> {
        fn revision(&self) -> Revision {
            self.0.revision()
        }

        fn look_up(&self, key: &[u8], see: &mut dyn FnMut(Revision, &[u8])) -> Result<bool, StoreError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.look_up(key, see)
        }

        fn scan(&self, range: &Range, see: &mut See<'_>) -> Result<(), StoreError> {
            self.0.scan(range, &mut |key, revision, value| {
                self.1.fetch_add(1, Ordering::Relaxed);
                see(key, revision, value)
            })
        }
    }

    #[test]
    fn tenants_are_found_without_a_look_at_all_that_they_have() {
        let store = store();
        let mut batch = Batch::new();
        for id in 0..100 {
            let tenant = if id < 90 { "a" } else { "b" };
            let entity = Entity { tenant: tenant.into(), ..resource(id, &format!("/{id}")) };
            put_entity(&mut batch, None, &entity, None).unwrap();
        }
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        let counting = Counting(&*view, AtomicUsize::new(0));
        assert_eq!(tenants(&counting).unwrap(), ["a".into(), "b".into()]);
        assert_eq!(counting.1.into_inner(), 2);
    }

    #[test]
    fn an_entity_has_an_owner_as_long_as_it_is_there() {
        let store = store();
        let mut batch = Batch::new();
        for (id, tenant) in [(1, "b"), (2, "a"), (3, "b"), (5, "a\0c"), (6, "")] {
            let entity = Entity { tenant: tenant.into(), ..resource(id, &format!("/{id}")) };
            put_entity(&mut batch, None, &entity, None).unwrap();
        }
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        assert_eq!(tenants(&*view).unwrap(), ["".into(), "a".into(), "a\0c".into(), "b".into()]);
        assert_eq!(owner(&*view, Uuid::from_u128(3)).unwrap().as_deref(), Some("b"));
        assert_eq!(owner(&*view, Uuid::from_u128(4)).unwrap(), None);
        let stored = Entities::new(&*view, &"a".into()).get(Uuid::from_u128(2)).unwrap().unwrap();
        let mut batch = Batch::new();
        delete_entity(&mut batch, &stored).unwrap();
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        assert_eq!(owner(&*view, Uuid::from_u128(2)).unwrap(), None);
        assert_eq!(tenants(&*view).unwrap(), ["".into(), "a\0c".into(), "b".into()]);
    }
}

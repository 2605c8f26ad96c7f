//! To whom an entity belongs. Events of the world outside name entities by their id alone; and an id is unique among
//! all tenants (CORE-39), since what belongs to an entity elsewhere has its name from the id.

use crate::contract::{Key, Range, ReadView};
use crate::error::StoreError;
use crate::keys;
use std::collections::BTreeSet;
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

/// All tenants that have entities. It steps over every entity, so it is for the start of a server.
pub fn tenants(view: &dyn ReadView) -> Result<Vec<Arc<str>>, StoreError> {
    let mut tenants: BTreeSet<Vec<u8>> = BTreeSet::new();
    view.scan(&Range::prefix(keys::owners()), &mut |_, _, tenant| {
        if !tenants.contains(tenant) {
            tenants.insert(tenant.to_vec());
        }
        ControlFlow::Continue(())
    })?;
    tenants.iter().map(|tenant| text(&keys::owners(), tenant)).collect()
}

fn text(key: &Key, bytes: &[u8]) -> Result<Arc<str>, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(|error| StoreError::broken(key, &error))?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entities;
    use crate::contract::Batch;
    use crate::index::{delete_entity, put_entity};
    use crate::testing::{resource, store, wait};
    use occi_model::Entity;

    #[test]
    fn an_entity_has_an_owner_as_long_as_it_is_there() {
        let store = store();
        let mut batch = Batch::new();
        for (id, tenant) in [(1, "b"), (2, "a"), (3, "b")] {
            let entity = Entity { tenant: tenant.into(), ..resource(id, &format!("/{id}")) };
            put_entity(&mut batch, None, &entity, None).unwrap();
        }
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        assert_eq!(tenants(&*view).unwrap(), ["a".into(), "b".into()]);
        assert_eq!(owner(&*view, Uuid::from_u128(3)).unwrap().as_deref(), Some("b"));
        assert_eq!(owner(&*view, Uuid::from_u128(4)).unwrap(), None);
        let stored = Entities::new(&*view, &"a".into()).get(Uuid::from_u128(2)).unwrap().unwrap();
        let mut batch = Batch::new();
        delete_entity(&mut batch, &stored).unwrap();
        wait(store.commit(batch)).unwrap();
        let view = store.read().unwrap();
        assert_eq!(owner(&*view, Uuid::from_u128(2)).unwrap(), None);
        assert_eq!(tenants(&*view).unwrap(), ["b".into()]);
    }
}

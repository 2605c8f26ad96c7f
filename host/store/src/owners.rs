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
    let text = std::str::from_utf8(bytes).map_err(|error| StoreError::broken(key, error))?;
    Ok(text.into())
}

//! Which index keys an entity has, and the changes of one batch that take it from one state to the next. Indexes are
//! written nowhere else, so that they always are what the entities say.

use crate::contract::{Batch, Change, Expect, Key, Value};
use crate::error::StoreError;
use crate::keys;
use crate::record::{self, MadeBy, Stored};
use occi_model::Entity;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Adds to a batch that an entity is stored as `new`: made where `old` is none, changed where it is what was read
/// before. `made_by` is recorded as given; give that of `old` where it shall stay.
///
/// The batch then conflicts where `old` is no longer what the store has, where the id of a new entity exists, and
/// where another entity of the tenant has its path ([`crate::Subject::of`] the key tells them apart). It may hold one
/// change of one entity only, [`StoreError::Invalid`] else; two that take one path are a conflict at once.
pub fn put_entity(
    batch: &mut Batch,
    old: Option<&Stored>,
    new: &Entity,
    made_by: Option<&MadeBy>,
) -> Result<(), StoreError> {
    let key = once(batch, keys::entity(&new.tenant, new.id))?;
    let created = old.map_or_else(now, |old| old.created);
    let record = record::encode(new, created, made_by)?;
    let mut before = BTreeMap::new();
    match old {
        Some(old) => {
            let old_key = keys::entity(&old.entity.tenant, old.entity.id);
            if old_key != key {
                let message = "an entity keeps its tenant and its id: delete it and make another";
                return Err(StoreError::Invalid(message.into()));
            }
            batch.expect(key.clone(), Expect::Revision(old.revision));
            before = entries(&old.entity, created);
        }
        // That nobody has the id says that this tenant has no entity of it.
        None => claim(batch, keys::owner(new.id))?,
    }
    if old.is_none_or(|old| old.entity.location != new.location) {
        claim_path(batch, new)?;
    }
    let after = entries(new, created);
    for (index, _) in before.iter().filter(|(index, _)| !after.contains_key(*index)) {
        batch.delete(index.clone());
    }
    for (index, value) in after {
        if before.get(&index) != Some(&value) {
            batch.put(index, value);
        }
    }
    batch.put(key, record);
    Ok(())
}

/// Adds to a batch that an entity goes. The batch then conflicts where it is no longer what was read. It may hold one
/// change of one entity only, [`StoreError::Invalid`] else.
pub fn delete_entity(batch: &mut Batch, old: &Stored) -> Result<(), StoreError> {
    let key = once(batch, keys::entity(&old.entity.tenant, old.entity.id))?;
    batch.expect(key.clone(), Expect::Revision(old.revision));
    for index in entries(&old.entity, old.created).into_keys() {
        batch.delete(index);
    }
    batch.delete(key);
    Ok(())
}

/// The index keys of an entity, and what they hold.
pub(crate) fn entries(entity: &Entity, created: u64) -> BTreeMap<Key, Value> {
    let tenant = &*entity.tenant;
    let mut sets = vec![keys::category(tenant, &entity.kind)];
    sets.extend(entity.mixins.iter().map(|mixin| keys::category(tenant, mixin)));
    sets.push(keys::directory(tenant, keys::directory_of(&entity.location)));
    if let Some(ends) = &entity.ends {
        sets.push(keys::links_from(tenant, ends.source_id));
        sets.extend(ends.target_id.map(|target| keys::links_to(tenant, target)));
    }
    let location = Value::copy_from_slice(entity.location.as_str().as_bytes());
    let mut entries: BTreeMap<_, _> =
        sets.iter().map(|set| (keys::member(set, created, entity.id), location.clone())).collect();
    entries.insert(keys::owner(entity.id), Value::copy_from_slice(tenant.as_bytes()));
    if keys::id_in_path(&entity.location) != Some(entity.id) {
        let id = Value::copy_from_slice(entity.id.as_bytes());
        entries.insert(keys::path(tenant, &entity.location), id);
    }
    entries
}

/// Takes a path for an entity. Two can have it: one that is found by an index key, and one whose id it ends in.
fn claim_path(batch: &mut Batch, new: &Entity) -> Result<(), StoreError> {
    claim(batch, keys::path(&new.tenant, &new.location))?;
    match keys::id_in_path(&new.location) {
        // Stricter than need be: the entity with that id may be at another path. Nobody asks for such a path who
        // does not look for trouble.
        Some(id) if id != new.id => claim(batch, keys::entity(&new.tenant, id)),
        _ => Ok(()),
    }
}

/// Takes a key that nobody may have. What the same batch puts there, no expectation would see.
fn claim(batch: &mut Batch, key: Key) -> Result<(), StoreError> {
    if let Some(Change::Put(_)) = batch.change(&key) {
        return Err(StoreError::Conflict { key, expected: Expect::Absent, held: None });
    }
    batch.expect(key, Expect::Absent);
    Ok(())
}

/// The key of an entity that the batch does not change yet: two changes made from one old state would leave index
/// keys that neither of them knows of.
fn once(batch: &Batch, key: Key) -> Result<Key, StoreError> {
    match batch.change(&key) {
        None => Ok(key),
        Some(_) => {
            Err(StoreError::Invalid("an entity is changed twice in one batch: make it one change".into()))
        }
    }
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // A u64 of nanoseconds lasts until the year 2554.
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;

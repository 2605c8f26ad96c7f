//! Timers: when an entity's extension wants to be asked about it again.

use crate::contract::{Batch, Range, ReadView, Value};
use crate::error::StoreError;
use crate::keys;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Adds to a batch when an entity is to be asked about, in place of what was noted before.
pub fn put_timer(batch: &mut Batch, entity: Uuid, due: SystemTime) {
    let since = due.duration_since(UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    batch.put(keys::timer(entity), Value::from(milliseconds.to_be_bytes().to_vec()));
}

/// Adds to a batch that an entity has been asked about.
pub fn delete_timer(batch: &mut Batch, entity: Uuid) {
    batch.delete(keys::timer(entity));
}

/// All entities that are to be asked about, and when.
pub fn timers(view: &dyn ReadView) -> Result<Vec<(Uuid, SystemTime)>, StoreError> {
    let found = view.range(&Range::prefix(keys::timers()))?;
    let timer = |entry: crate::Entry| {
        let broken = |why| StoreError::broken(&entry.key, why);
        let entity = keys::id_at_end(&entry.key).ok_or_else(|| broken("it has no id"))?;
        let due = entry.value[..].try_into().map_err(|_| broken("its time has not 8 bytes"))?;
        Ok((entity, UNIX_EPOCH + Duration::from_millis(u64::from_be_bytes(due))))
    };
    found.into_iter().map(timer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{store, wait};

    #[test]
    fn the_latest_note_of_an_entity_is_found_until_it_is_taken_away() {
        let store = store();
        let (first, second) = (Uuid::from_u128(1), Uuid::max());
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let mut batch = Batch::new();
        put_timer(&mut batch, second, at(9));
        put_timer(&mut batch, first, at(5));
        wait(store.commit(batch)).unwrap();
        let mut batch = Batch::new();
        put_timer(&mut batch, second, at(7));
        wait(store.commit(batch)).unwrap();
        assert_eq!(timers(&*store.read().unwrap()).unwrap(), [(first, at(5)), (second, at(7))]);
        let mut batch = Batch::new();
        delete_timer(&mut batch, first);
        wait(store.commit(batch)).unwrap();
        assert_eq!(timers(&*store.read().unwrap()).unwrap(), [(second, at(7))]);
    }
}

//! Intents: what an operation with outside effects is about to do, noted before it does it. The content is opaque
//! here; who recovers reads it.

use crate::contract::{Batch, Range, ReadView, Value};
use crate::error::StoreError;
use crate::keys;
use uuid::Uuid;

/// Adds to a batch that an operation's intent is noted, in place of an earlier one of the same operation.
pub fn put_intent(batch: &mut Batch, operation: Uuid, intent: impl Into<Value>) {
    batch.put(keys::intent(operation), intent);
}

/// Adds to a batch that an operation is done and its intent goes.
pub fn delete_intent(batch: &mut Batch, operation: Uuid) {
    batch.delete(keys::intent(operation));
}

/// All operations that are not done, in the order of their ids.
pub fn intents(view: &dyn ReadView) -> Result<Vec<(Uuid, Value)>, StoreError> {
    let found = view.range(&Range::prefix(keys::intents()))?;
    let intent = |entry: crate::Entry| {
        let operation =
            keys::id_at_end(&entry.key).ok_or_else(|| StoreError::broken(&entry.key, "it has no id"))?;
        Ok((operation, entry.value))
    };
    found.into_iter().map(intent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{store, wait};

    #[test]
    fn what_is_not_done_is_found_again() {
        let store = store();
        let (first, second) = (Uuid::from_u128(1), Uuid::max());
        let mut batch = Batch::new();
        put_intent(&mut batch, second, "two");
        put_intent(&mut batch, first, "one");
        wait(store.commit(batch)).unwrap();
        let found = intents(&*store.read().unwrap()).unwrap();
        assert_eq!(found, [(first, "one".into()), (second, "two".into())]);
        let mut batch = Batch::new();
        put_intent(&mut batch, second, "more");
        delete_intent(&mut batch, first);
        wait(store.commit(batch)).unwrap();
        assert_eq!(intents(&*store.read().unwrap()).unwrap(), [(second, "more".into())]);
    }
}

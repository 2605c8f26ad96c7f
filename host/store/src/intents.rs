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
        let operation = keys::id_at_end(&entry.key).ok_or_else(|| StoreError::broken(&entry.key, "it has no id"))?;
        Ok((operation, entry.value))
    };
    found.into_iter().map(intent).collect()
}

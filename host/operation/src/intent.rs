//! What an operation is about to do outside of the store, written down before it begins. An intent is struck in the
//! commit that ends its operation; one that is found at the start belongs to an operation that a crash cut short.

use crate::core::Core;
use crate::refusal::Refusal;
use occi_model::Entity;
use occi_store::{Batch, record};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What was about to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verb {
    /// The entities do not exist yet.
    Create,
    /// The entities are about to go, in this order.
    Delete,
    /// The entities change; which way, they will be asked. One that was to begin something elsewhere is there twice: as
    /// it was, and as it was to be.
    Change,
    /// The entities do not exist, and all that there was of them has gone; but a process that is gone may have asked for what
    /// is yet to be done.
    Gone,
}

/// An intent as it was found.
#[derive(Debug)]
pub(crate) struct Intent {
    pub(crate) operation: Uuid,
    pub(crate) verb: Verb,
    pub(crate) entities: Vec<Entity>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    verb: Verb,
    entities: Vec<Vec<u8>>,
}

/// Adds an intent to a batch.
pub(crate) fn put<'a>(
    batch: &mut Batch,
    operation: Uuid,
    verb: Verb,
    entities: impl IntoIterator<Item = &'a Entity>,
) -> Result<(), Refusal> {
    let entities = entities.into_iter().map(record::encode_whole).collect::<Result<_, _>>()?;
    let bytes = postcard::to_allocvec(&Stored { verb, entities })
        .map_err(|error| Refusal::Internal(format!("an intent cannot be written: {error}")))?;
    occi_store::put_intent(batch, operation, bytes);
    Ok(())
}

impl Core {
    /// Writes an intent down; durable when this returns.
    pub(crate) async fn intend<'a>(
        &self,
        operation: Uuid,
        verb: Verb,
        entities: impl IntoIterator<Item = &'a Entity>,
    ) -> Result<(), Refusal> {
        let mut batch = Batch::new();
        put(&mut batch, operation, verb, entities)?;
        self.commit(batch).await?;
        Ok(())
    }

    /// Strikes an intent whose operation left nothing behind.
    pub(crate) async fn strike(&self, operation: Uuid) {
        let mut batch = Batch::new();
        occi_store::delete_intent(&mut batch, operation);
        if let Err(error) = self.commit(batch).await {
            // It is found at the next start, and what it tells to undo is undone already.
            tracing::error!(%operation, "an intent could not be struck: {error}");
        }
    }

    /// All intents of operations that a crash cut short.
    pub(crate) fn intents(&self) -> Result<Vec<Intent>, Refusal> {
        let view = self.store.read()?;
        let found = occi_store::intents(&*view)?;
        found
            .into_iter()
            .map(|(operation, bytes)| {
                let broken =
                    |why: String| Refusal::Internal(format!("the intent {operation} cannot be read: {why}"));
                let Stored { verb, entities } =
                    postcard::from_bytes(&bytes).map_err(|error| broken(error.to_string()))?;
                let entities = entities
                    .iter()
                    .map(|bytes| {
                        record::decode_whole(operation.as_bytes(), bytes)
                            .map_err(|error| broken(error.to_string()))
                    })
                    .collect::<Result<_, _>>()?;
                Ok(Intent { operation, verb, entities })
            })
            .collect()
    }
}

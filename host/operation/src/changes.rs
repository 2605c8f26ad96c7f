//! What an operation commits in the end, gathered piece by piece.

use crate::refusal::Refusal;
use occi_extension::KeyValueWrite;
use occi_model::Entity;
use occi_store::{Batch, Bucket, MadeBy, Stored};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// A batch that knows which entities are in it.
#[derive(Default)]
pub(crate) struct Changes {
    batch: Batch,
    entities: HashSet<Uuid>,
}

impl Changes {
    /// An entity that is new.
    pub(crate) fn create(&mut self, entity: &Entity, maker: Option<&MadeBy>) -> Result<(), Refusal> {
        self.entities.insert(entity.id);
        Ok(occi_store::put_entity(&mut self.batch, None, entity, maker)?)
    }

    /// An entity that was another before.
    pub(crate) fn replace(
        &mut self,
        before: &Stored,
        after: &Entity,
        maker: Option<&MadeBy>,
    ) -> Result<(), Refusal> {
        self.entities.insert(after.id);
        Ok(occi_store::put_entity(&mut self.batch, Some(before), after, maker)?)
    }

    /// An entity that stays as it is but is seen with other links: it gets a new revision.
    pub(crate) fn touch(&mut self, stored: &Stored) -> Result<(), Refusal> {
        if self.entities.contains(&stored.entity.id) {
            return Ok(());
        }
        self.replace(stored, &stored.entity, stored.made_by.as_ref())
    }

    /// An entity that goes.
    pub(crate) fn delete(&mut self, stored: &Stored) -> Result<(), Refusal> {
        if self.entities.insert(stored.entity.id) {
            occi_store::delete_entity(&mut self.batch, stored)?;
        }
        Ok(())
    }

    /// The key-value changes of extensions, each with its extension's name.
    pub(crate) fn write(&mut self, tenant: &str, writes: &[(Arc<str>, KeyValueWrite)]) {
        for (extension, write) in writes {
            let bucket = Bucket::new(tenant, extension, &write.bucket);
            match &write.value {
                Some(value) => bucket.put(&mut self.batch, &write.key, value.clone()),
                None => bucket.delete(&mut self.batch, &write.key),
            }
        }
    }

    /// The operation's intent goes, where it has one.
    pub(crate) fn strike(&mut self, intent: Option<Uuid>) {
        if let Some(operation) = intent {
            occi_store::delete_intent(&mut self.batch, operation);
        }
    }

    /// The batch itself.
    pub(crate) fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// To be committed.
    pub(crate) fn into_batch(self) -> Batch {
        self.batch
    }
}

//! What an operation commits in the end, gathered piece by piece.

use crate::effect::Writes;
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use occi_extension::KeyValueChange;
use occi_model::{Entity, Origin};
use occi_store::{Batch, Bucket, Expect, MadeBy, ReadView, Revision, Stored};
use std::collections::HashSet;
use std::time::SystemTime;
use uuid::Uuid;

/// A batch that knows which entities are in it, and against what they were checked.
pub(crate) struct Changes<'a> {
    snapshot: &'a Snapshot,
    batch: Batch,
    entities: HashSet<Uuid>,
}

impl<'a> Changes<'a> {
    /// Nothing yet.
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, batch: Batch::new(), entities: HashSet::new() }
    }

    /// An entity that is new.
    pub(crate) fn create(&mut self, entity: &Entity, maker: Option<&MadeBy>) -> Result<(), Refusal> {
        self.entities.insert(entity.id);
        self.snapshot.require_definitions(&mut self.batch, entity);
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
        self.snapshot.require_definitions(&mut self.batch, after);
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

    /// The commit fails where a tag of the entity was removed meanwhile.
    pub(crate) fn require_tags(&mut self, view: &dyn ReadView, entity: &Entity) -> Result<(), Refusal> {
        for id in &entity.mixins {
            let mixin = self.snapshot.registry().mixin(id);
            if mixin.is_none_or(|mixin| mixin.mixin.origin == Origin::Provider) {
                continue;
            }
            let Some(tag) = occi_store::tag(view, &entity.tenant, id)? else {
                return Err(Refusal::Retagged);
            };
            occi_store::require_tag(&mut self.batch, &entity.tenant, &tag);
        }
        Ok(())
    }

    /// The key-value changes of extensions. The commit fails where another has changed one of the keys meanwhile.
    pub(crate) fn write(&mut self, tenant: &str, writes: &Writes) {
        for (extension, changes) in writes {
            for (bucket, key, KeyValueChange { value, over }) in changes.iter() {
                let bucket = Bucket::new(tenant, extension, bucket);
                let expected = over.map_or(Expect::Absent, |over| Expect::Revision(Revision(over)));
                bucket.expect(&mut self.batch, key, expected);
                match value {
                    Some(value) => bucket.put(&mut self.batch, key, value.clone()),
                    None => bucket.delete(&mut self.batch, key),
                }
            }
        }
    }

    /// An entity's extension wants to be asked about it again at that time.
    pub(crate) fn ask_again(&mut self, entity: Uuid, due: SystemTime) {
        occi_store::put_timer(&mut self.batch, entity, due);
    }

    /// It has been asked, and does not want to be again.
    pub(crate) fn ask_no_more(&mut self, entity: Uuid) {
        occi_store::delete_timer(&mut self.batch, entity);
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

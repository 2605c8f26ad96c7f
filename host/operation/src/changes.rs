//! What an operation commits in the end, gathered piece by piece.

use crate::allowance::Taken;
use crate::effect::Writes;
use crate::quotas::{Growth, Owner};
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use occi_extension::{KeyValueChange, KeyValueChanges, LinkOrder};
use occi_model::{Entity, Origin};
use occi_store::{Batch, Bucket, Expect, Kept, MadeBy, ReadView, Revision, Stored};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;
use uuid::Uuid;

/// A batch that knows which entities are in it, and against what they were checked.
pub(crate) struct Changes<'a> {
    snapshot: &'a Snapshot,
    batch: Batch,
    entities: HashSet<Uuid>,
    data: BTreeMap<Owner, Arc<KeyValueChanges>>,
    taken: Taken,
}

/// What is to be committed, and by how much extensions' data grows by it, each with what it may be.
pub(crate) struct Whole {
    pub(crate) batch: Batch,
    pub(crate) growths: Vec<(Owner, Growth, Kept)>,
    /// By how much tenants have more of what they may have.
    pub(crate) taken: Taken,
}

impl<'a> Changes<'a> {
    /// Nothing yet.
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let (batch, entities, data) = (Batch::new(), HashSet::new(), BTreeMap::new());
        Self { snapshot, batch, entities, data, taken: Taken::new() }
    }

    /// An entity that is new.
    pub(crate) fn create(&mut self, entity: &Entity, maker: Option<&MadeBy>) -> Result<(), Refusal> {
        self.entities.insert(entity.id);
        self.snapshot.require_definitions(&mut self.batch, entity);
        self.snapshot.allowances.count(&mut self.taken, self.snapshot, None, Some(entity));
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
        self.snapshot.allowances.count(&mut self.taken, self.snapshot, Some(&before.entity), Some(after));
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
            self.snapshot.allowances.count(&mut self.taken, self.snapshot, Some(&stored.entity), None);
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

    /// The key-value changes of extensions, over those that came before. The commit fails where another has changed one of
    /// the keys meanwhile.
    pub(crate) fn write(&mut self, tenant: &Arc<str>, writes: &Writes) {
        for (extension, changes) in writes {
            let owner = (Arc::clone(tenant), Arc::clone(extension));
            match self.data.get_mut(&owner) {
                Some(earlier) => Arc::make_mut(earlier).extend(KeyValueChanges::clone(changes)),
                None => drop(self.data.insert(owner, Arc::clone(changes))),
            }
        }
    }

    /// The orders of links among it, by whose they are and their keys.
    pub(crate) fn orders(&self) -> Vec<(Owner, String)> {
        let mut orders = Vec::new();
        for (owner, changes) in &self.data {
            let given = changes
                .iter()
                .filter(|(bucket, _, change)| *bucket == LinkOrder::BUCKET && change.value.is_some());
            orders.extend(given.map(|(_, key, _)| (owner.clone(), key.to_owned())));
        }
        orders
    }

    /// Adds an extension's data to the batch; by how much it grows.
    fn put_data(&mut self, (tenant, extension): &Owner, changes: &KeyValueChanges) -> Growth {
        let mut growth = Growth::default();
        for (bucket, key, KeyValueChange { value, over }) in changes.iter() {
            let bucket = Bucket::new(tenant, extension, bucket);
            let expected = over.map_or(Expect::Absent, |over| Expect::Revision(Revision(over.revision)));
            bucket.expect(&mut self.batch, key, expected);
            if let Some(over) = over {
                growth.count(&bucket, key, over.bytes, -1);
            }
            match value {
                Some(value) => {
                    growth.count(&bucket, key, value.len(), 1);
                    bucket.put(&mut self.batch, key, value.clone());
                }
                None => bucket.delete(&mut self.batch, key),
            }
        }
        growth
    }

    /// What an extension may keep; none for one that keeps what the host has it keep.
    fn most(&self, extension: &str) -> Option<Kept> {
        let extension = self.snapshot.named(extension).filter(|extension| !extension.administers())?;
        let limits = extension.limits()?;
        Some(Kept { keys: limits.kept_keys, bytes: limits.kept_bytes })
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

    /// Whether nothing is to be committed.
    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.data.is_empty()
    }

    /// All of it, for [`crate::Core::commit_changes`].
    pub(crate) fn into_whole(mut self) -> Whole {
        let mut growths = Vec::new();
        for (owner, changes) in std::mem::take(&mut self.data) {
            let growth = self.put_data(&owner, &changes);
            growths.extend(self.most(&owner.1).map(|most| (owner, growth, most)));
        }
        Whole { batch: self.batch, growths, taken: self.taken }
    }
}

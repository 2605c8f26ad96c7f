//! New entities: what the extensions do for them, how it is undone, and what is committed of it.

use crate::changes::Changes;
use crate::core::Core;
use crate::effect::Effects;
use crate::intent::Verb;
use crate::{Refusal, Snapshot};
use occi_model::Entity;
use std::collections::HashSet;
use uuid::Uuid;

/// Entities for which the extensions have done their part, and which are not committed yet.
pub(crate) struct Birth<'a> {
    snapshot: &'a Snapshot,
    operation: Uuid,
    outside: bool,
    effects: Effects<'a>,
    new: HashSet<Uuid>,
    /// As the extensions made them.
    pub(crate) created: Vec<Entity>,
}

impl<'a> Birth<'a> {
    /// Lets the extensions do their part, in this order. Where one refuses, what the others did is undone.
    pub(crate) async fn begin(
        core: &Core,
        snapshot: &'a Snapshot,
        planned: Vec<Entity>,
    ) -> Result<Self, Refusal> {
        let operation = Uuid::new_v4();
        let outside = planned.iter().any(|entity| Effects::reaches_outside(snapshot, entity));
        if outside {
            core.intend(operation, Verb::Create, &planned).await?;
        }
        let effects = Effects::new(snapshot, operation);
        let new = planned.iter().map(|entity| entity.id).collect();
        let mut birth = Self { snapshot, operation, outside, effects, new, created: Vec::new() };
        for entity in planned {
            match birth.effects.create(entity).await {
                Ok(entity) => birth.created.push(entity),
                Err(refusal) => {
                    birth.undo(core).await;
                    return Err(refusal);
                }
            }
        }
        Ok(birth)
    }

    /// Adds the entities, what the extensions keep and the end of the intent to what is to be committed.
    pub(crate) fn finish(&self, core: &Core, changes: &mut Changes) -> Result<(), Refusal> {
        let view = core.read()?;
        for entity in &self.created {
            changes.create(entity, self.snapshot.maker(entity).as_ref())?;
            changes.require_tags(&*view, self.snapshot, entity)?;
        }
        if let Some(entity) = self.created.first() {
            changes.write(&entity.tenant, &self.effects.writes);
        }
        changes.strike(self.outside.then_some(self.operation));
        Ok(())
    }

    /// It is committed. The entities are those that were created, in the same order.
    pub(crate) fn settle(self, core: &Core) -> Vec<Entity> {
        core.schedule(&self.effects.again);
        self.created
    }

    /// It cannot be committed, so the extensions end again what they made.
    pub(crate) async fn undo(mut self, core: &Core) {
        for entity in self.created.iter().rev() {
            self.effects.undo_create(entity).await;
        }
        if self.outside && self.effects.left_behind {
            core.leave(self.operation, self.new);
        } else if self.outside {
            core.strike(self.operation).await;
        }
    }
}

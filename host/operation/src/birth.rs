//! New entities: what the extensions do for them, how it is undone, and what is committed of it.

use crate::allowance::Claim;
use crate::changes::Changes;
use crate::core::Core;
use crate::effect::{Effects, Found};
use crate::intent::Verb;
use crate::order::Errand;
use crate::{Refusal, Snapshot};
use occi_model::Entity;
use uuid::Uuid;

/// Entities for which the extensions have done their part, and which are not committed yet.
pub(crate) struct Birth<'a> {
    /// Against which they were checked.
    pub(crate) snapshot: &'a Snapshot,
    operation: Uuid,
    /// Whether it was written down what is about to be done.
    is_intended: bool,
    effects: Effects<'a>,
    /// As the extensions made them.
    pub(crate) created: Vec<Entity>,
    /// What they take of what their tenant may have.
    _claim: Claim,
}

impl<'a> Birth<'a> {
    /// Lets the extensions do their part, in this order. Where one refuses, what the others did is undone.
    pub(crate) async fn begin(
        core: &Core,
        snapshot: &'a Snapshot,
        planned: Vec<Entity>,
        errand: Option<&Errand>,
    ) -> Result<Self, Refusal> {
        for entity in &planned {
            // A tag may bring what does not serve now.
            snapshot.check_loaded(entity)?;
        }
        let coming = planned.iter().map(|entity| (None, entity));
        let claim = core.allowances.claim(|| core.read(), snapshot, coming)?;
        let operation = Uuid::new_v4();
        let is_intended = planned.iter().any(|entity| Effects::lasts(snapshot, entity));
        if is_intended {
            core.intend(operation, Verb::Create, &planned).await?;
        }
        let effects = Effects::new(core, snapshot, operation).bearing(&planned).on(errand);
        let created = Vec::new();
        let mut birth = Self { snapshot, operation, is_intended, effects, created, _claim: claim };
        for entity in planned {
            match birth.effects.create(entity).await {
                Ok(entity) => birth.created.push(entity),
                Err(refusal) => {
                    Box::pin(birth.undo(core)).await;
                    return Err(refusal);
                }
            }
        }
        Ok(birth)
    }

    /// What calls of the same request find that come after these.
    pub(crate) fn found(&self) -> Found {
        self.effects.found.clone()
    }

    /// Adds the entities, what the extensions keep and the end of the intent to what is to be committed.
    pub(crate) fn finish(&self, core: &Core, changes: &mut Changes<'_>) -> Result<(), Refusal> {
        let view = core.read()?;
        for entity in &self.created {
            changes.create(entity, self.snapshot.maker(entity).as_ref())?;
            changes.require_tags(&*view, entity)?;
        }
        if let Some(entity) = self.created.first() {
            changes.write(&entity.tenant, &self.effects.writes);
        }
        core.keep_wishes(changes, &self.effects.again);
        changes.strike(self.is_intended.then_some(self.operation));
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
        let operation = self.operation;
        // In the order in which they were made, as the intent had them: they are ended in the other.
        self.effects.left_behind.reverse();
        let left = &self.effects.left_behind;
        if !left.is_empty() {
            core.left.note(operation, Verb::Create, left);
            if let Err(refusal) = core.intend(operation, Verb::Create, left).await {
                tracing::error!(%operation, "what is left of a creation could not be written down: {refusal}");
            }
        } else if self.is_intended {
            core.strike(operation).await;
        }
    }
}

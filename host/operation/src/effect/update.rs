//! Updates, role by role, and how the steps of one that is refused are undone.

use super::Effects;
use crate::refusal::Refusal;
use crate::snapshot::Role;
use occi_model::{Attribute, AttributeName, Attributes, CategoryId, Entity, Updated, Value, core};
use std::sync::Arc;

/// What a role has done of an update.
enum Step {
    /// It has ended, since its Mixin goes.
    Ended(Role),
    /// It has carried out what concerns it.
    Updated(Role),
    /// It begins, since its Mixin comes, on the entity as it was then.
    Begun(Role, Box<Entity>),
}

impl Step {
    fn updated(&self) -> Option<&Role> {
        match self {
            Self::Updated(role) => Some(role),
            Self::Ended(_) | Self::Begun(..) => None,
        }
    }
}

impl Effects<'_> {
    /// Carries out a client's update; what the entity is then. What was done by a part of the roles is undone where another
    /// says no.
    pub(crate) async fn update(&mut self, before: &Entity, updated: &Updated) -> Result<Entity, Refusal> {
        let mut steps = Vec::new();
        let outcome = self.go(before, updated, &mut steps).await;
        if let Err(refusal) = &outcome {
            self.failed(refusal);
            self.go_back(before, updated, steps).await;
        }
        outcome
    }

    async fn go(
        &mut self,
        before: &Entity,
        updated: &Updated,
        steps: &mut Vec<Step>,
    ) -> Result<Entity, Refusal> {
        let Updated { entity, wanted, cleared, gained, lost } = updated;
        // To the next one those that have ended are no more its Mixins.
        let mut left = before.clone();
        for id in lost.iter().rev() {
            if let Some(role) = self.lifecycle_of_mixin(id) {
                self.delete_role(&role, &left).await?;
                steps.push(Step::Ended(role));
            }
            left.mixins.retain(|held| held != id);
        }
        let mut after = entity.clone();
        if !wanted.is_empty() || !cleared.is_empty() {
            let remaining = remaining(before, cleared, lost);
            for role in self.roles_concerned(before, &after, wanted, cleared) {
                self.snapshot.check_current(&role.1)?;
                let outcome = role.1.update(self.call(&role, &remaining), wanted).await?;
                // Whatever the host says of its answer, it has done it.
                steps.push(Step::Updated(role.clone()));
                after = self.settle(&role.1, &after, outcome)?;
            }
        }
        for id in gained {
            if let Some(role) = self.lifecycle_of_mixin(id) {
                // What it has done until it says no is undone, too.
                steps.push(Step::Begun(role.clone(), Box::new(after.clone())));
                after = self.create_role(&role, &after).await?;
            }
        }
        Ok(after)
    }

    /// Undoes steps of an update, the last first.
    async fn go_back(&mut self, before: &Entity, updated: &Updated, mut steps: Vec<Step>) {
        while let Some(step) = steps.pop() {
            if self.is_stuck {
                return self.note_undone(before, "a refused update", Ok(false));
            }
            let outcome = match &step {
                Step::Ended(role) => self.create_role(role, before).await.map(drop),
                Step::Begun(role, entity) => self.delete_role(role, entity).await,
                Step::Updated(role) => {
                    let still = steps.iter().filter_map(Step::updated).chain([role]);
                    let (subject, wanted) = self.reached(before, updated, still, role);
                    let call = self.call(role, &subject);
                    role.1.update(call, &wanted).await.map(drop).map_err(Refusal::from)
                }
            };
            self.note_undone(before, "a refused update", outcome.map(|()| true));
        }
    }

    /// An entity as it is when these roles have carried out an update, to those of them that is to undo it: without what
    /// it did not have before; and the values that it had.
    fn reached<'r>(
        &self,
        before: &Entity,
        updated: &Updated,
        roles: impl Iterator<Item = &'r Role>,
        undoing: &Role,
    ) -> (Entity, Attributes) {
        let mut subject = before.clone();
        for role in roles {
            for name in self.names_of(before, role, updated) {
                set(&mut subject, name, updated.entity.get(name.as_str()));
            }
        }
        let mut wanted = Attributes::new();
        for name in self.names_of(before, undoing, updated) {
            match before.get(name.as_str()) {
                Some(value) => _ = wanted.insert(name.clone(), value),
                None => set(&mut subject, name, None),
            }
        }
        (subject, wanted)
    }

    /// Asks a link's roles whether it may have other ends, before anything is done about it.
    pub(crate) async fn ask_about_ends(&mut self, before: &Entity, after: &Entity) -> Result<(), Refusal> {
        let ends = [core::SOURCE, core::TARGET].into_iter().filter_map(|name| {
            let value = after.get(name).filter(|value| before.get(name).as_ref() != Some(value))?;
            Some((AttributeName::parse(name).ok()?, value))
        });
        let ends: Attributes = ends.collect();
        for role in self.snapshot.roles(after) {
            self.snapshot.check_current(&role.1)?;
            role.1.update(self.call(&role, after), &ends).await?;
        }
        Ok(())
    }

    fn lifecycle_of_mixin(&self, id: &CategoryId) -> Option<Role> {
        self.snapshot.role_of_mixin(id).filter(|(_, extension)| extension.has_lifecycle())
    }

    /// The roles that declare an attribute which changes; OCCI Core's own concern the Kind.
    fn roles_concerned(
        &self,
        before: &Entity,
        after: &Entity,
        wanted: &Attributes,
        cleared: &[AttributeName],
    ) -> Vec<Role> {
        let registry = self.snapshot.registry();
        let mut roles = self.snapshot.roles(after);
        roles.retain(|role| wanted.keys().chain(cleared).any(|name| self.is_declared(before, role, name)));
        // A Mixin that is only now gained is created, not updated.
        roles.retain(|(id, _)| {
            registry.mixin(id).is_none() || registry.mixins_of(before).any(|held| held == id)
        });
        roles
    }

    /// Those of the attributes which change that a role declares.
    fn names_of<'u>(&self, before: &Entity, role: &Role, updated: &'u Updated) -> Vec<&'u AttributeName> {
        let names = updated.wanted.keys().chain(&updated.cleared);
        names.filter(|name| self.is_declared(before, role, name)).collect()
    }

    fn is_declared(&self, entity: &Entity, (id, _): &Role, name: &AttributeName) -> bool {
        let registry = self.snapshot.registry();
        let declared =
            |attributes: &[Arc<Attribute>]| attributes.iter().any(|attribute| &attribute.name == name);
        match registry.mixin(id) {
            Some(mixin) => declared(&mixin.attributes),
            None => registry.kind(&entity.kind).is_some_and(|kind| declared(&kind.attributes)),
        }
    }
}

/// What an update leaves of an entity, with the old values of what it changes.
fn remaining(before: &Entity, cleared: &[AttributeName], lost: &[CategoryId]) -> Entity {
    let mut entity = before.clone();
    entity.mixins.retain(|id| !lost.contains(id));
    for name in cleared {
        set(&mut entity, name, None);
    }
    entity
}

/// Gives an entity's attribute a value, or takes it away.
fn set(entity: &mut Entity, name: &AttributeName, value: Option<Value>) {
    let text = || value.as_ref().and_then(Value::as_text).map(str::to_owned);
    match name.as_str() {
        core::TITLE => entity.title = text(),
        core::SUMMARY => entity.summary = text(),
        _ => match value {
            Some(value) => _ = entity.attributes.insert(name.clone(), value),
            None => _ = entity.attributes.remove(name),
        },
    }
}

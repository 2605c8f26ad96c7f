//! What extensions do for one operation, and how it is undone.

use crate::observer::Cause;
use crate::refusal::Refusal;
use crate::snapshot::{Role, Snapshot};
use occi_extension::{
    Call, CallError, Extension, KeyValueBase, KeyValueChanges, Outcome, SharedView, Subject,
};
use occi_model::{
    Attribute, AttributeName, Attributes, CategoryId, Change, Entity, Invocation, Registry, Updated, Value,
    core,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Key-value changes, by the name of the extension whose they are.
pub(crate) type Writes = BTreeMap<Arc<str>, Arc<KeyValueChanges>>;

/// One operation's calls of extensions, and what they leave to be committed or to be done later.
pub(crate) struct Effects<'a> {
    snapshot: &'a Snapshot,
    operation: Uuid,
    pub(crate) writes: Writes,
    /// What was stored when the first call asked.
    stored: SharedView,
    /// Entities that ask to be observed later.
    pub(crate) again: Vec<(Uuid, Duration)>,
    /// What was begun and could not be undone.
    pub(crate) left_behind: Vec<Entity>,
}

impl<'a> Effects<'a> {
    /// The calls of one operation. A repetition after a crash bears the same name.
    pub(crate) fn new(snapshot: &'a Snapshot, operation: Uuid) -> Self {
        Self {
            snapshot,
            operation,
            writes: Writes::new(),
            stored: SharedView::default(),
            again: Vec::new(),
            left_behind: Vec::new(),
        }
    }

    /// Brings an entity to life, role by role; what it is then. What was done by a part of the roles is undone where
    /// another says no.
    pub(crate) async fn create(&mut self, mut entity: Entity) -> Result<Entity, Refusal> {
        for (number, role) in self.snapshot.roles(&entity).iter().enumerate() {
            match self.create_role(role, &entity).await {
                Ok(next) => entity = next,
                // Nothing was begun that could be undone.
                Err(Refusal::Extension(error)) if number == 0 && !error.was_called() => {
                    return Err(error.into());
                }
                Err(refusal) => {
                    Box::pin(self.undo_create(&entity)).await;
                    return Err(refusal);
                }
            }
        }
        Ok(entity)
    }

    /// Lets one role begin, as when an entity gains a Mixin.
    pub(crate) async fn create_role(&mut self, role: &Role, entity: &Entity) -> Result<Entity, Refusal> {
        self.snapshot.check_current(&role.1)?;
        let outcome = role.1.create(self.call(role, entity)).await?;
        self.settle(&role.1, entity, outcome)
    }

    /// Ends an entity, role by role, the last first.
    pub(crate) async fn delete(&mut self, entity: &Entity) -> Result<(), Refusal> {
        for (_, extension) in self.snapshot.roles(entity) {
            self.snapshot.check_current(&extension)?;
        }
        self.end(entity).await
    }

    /// The same by those who made it, be they replaced meanwhile.
    async fn end(&mut self, entity: &Entity) -> Result<(), Refusal> {
        for role in self.snapshot.roles(entity).iter().rev() {
            self.delete_role(role, entity).await?;
        }
        Ok(())
    }

    /// Ends what a change that was cut short may have begun: for a link at other ends than it has now, for an entity's
    /// Mixins that it has not, for one that is gone.
    pub(crate) async fn withdraw(&mut self, begun: &Entity, now: Option<&Entity>) -> Result<(), Refusal> {
        let kept = match now {
            Some(now) if now.ends == begun.ends => self.snapshot.roles(now),
            _ => Vec::new(),
        };
        for role in self.snapshot.roles(begun).iter().rev() {
            if kept.iter().all(|(id, _)| *id != role.0) {
                self.delete_role(role, begun).await?;
            }
        }
        Ok(())
    }

    /// Lets one role end, as when an entity loses a Mixin.
    pub(crate) async fn delete_role(&mut self, role: &Role, entity: &Entity) -> Result<(), Refusal> {
        let outcome = role.1.delete(self.call(role, entity)).await?;
        self.keep(&role.1, entity, outcome);
        Ok(())
    }

    /// Carries out a client's update; what the entity is then. What was done by a part of the roles is undone where another
    /// says no.
    pub(crate) async fn update(&mut self, before: &Entity, updated: &Updated) -> Result<Entity, Refusal> {
        let mut steps = Vec::new();
        let outcome = self.go(before, updated, &mut steps).await;
        if outcome.is_err() {
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
        for id in lost.iter().rev() {
            if let Some(role) = self.lifecycle_of_mixin(id) {
                self.delete_role(&role, before).await?;
                steps.push(Step::Ended(role));
            }
        }
        let mut after = entity.clone();
        if !wanted.is_empty() || !cleared.is_empty() {
            let remaining = remaining(before, cleared, lost);
            for role in self.roles_concerned(before, &after, wanted, cleared) {
                self.snapshot.check_current(&role.1)?;
                let outcome = role.1.update(self.call(&role, &remaining), wanted).await?;
                after = self.settle(&role.1, &after, outcome)?;
                steps.push(Step::Updated(role));
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
            if let Err(refusal) = outcome {
                self.leave_behind(before, "a refused update could not be taken back", &refusal);
            }
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

    /// Carries out an action; what the entity is then.
    pub(crate) async fn act(&mut self, entity: &Entity, invocation: &Invocation) -> Result<Entity, Refusal> {
        let Some(extension) = self.snapshot.extension(&invocation.owner) else {
            return Err(Refusal::NotLoaded(invocation.owner.clone()));
        };
        self.snapshot.check_current(extension)?;
        let role = (invocation.owner.clone(), Arc::clone(extension));
        let call = self.call(&role, entity);
        let outcome = extension.act(call, invocation.action.id.term(), &invocation.parameters).await?;
        self.settle(extension, entity, outcome)
    }

    /// Asks all who observe an entity what it is now. An answer that cannot be had, or that is not allowed, leaves the
    /// others as they are; why the first of those was none.
    pub(crate) async fn observe(&mut self, entity: &Entity, cause: Cause) -> (Entity, Option<Refusal>) {
        let (mut now, mut failed) = (entity.clone(), None);
        for role in self.snapshot.observers(entity) {
            // What does not forget has nothing to make again.
            let cause = match cause {
                Cause::Recreate if !role.1.forgets() => Cause::Restart,
                cause => cause,
            };
            let answer = match role.1.observe(self.call(&role, &now), cause.name()).await {
                Ok(outcome) => self.settle(&role.1, &now, outcome),
                Err(error) => Err(error.into()),
            };
            match answer {
                Ok(after) => now = after,
                Err(refusal) => failed = failed.or(Some(refusal)),
            }
        }
        (now, failed)
    }

    /// Takes back what a creation may have done. Where that fails the log says so, and an intent is to be kept, so
    /// that it is tried again.
    pub(crate) async fn undo_create(&mut self, entity: &Entity) {
        if let Err(refusal) = self.end(entity).await {
            self.leave_behind(entity, "a creation could not be undone", &refusal);
        }
    }

    /// Notes what could not be undone; it is tried again.
    pub(crate) fn leave_behind(&mut self, entity: &Entity, what: &str, refusal: &Refusal) {
        let (id, kind) = (entity.id, &entity.kind);
        if is_away(refusal) {
            // A capability that is away says so itself, and mostly nothing was begun.
            tracing::debug!(entity = %id, %kind, "{what}, and is tried again: {refusal}");
        } else {
            tracing::error!(entity = %id, %kind, "{what}: {refusal}");
        }
        self.left_behind.push(entity.clone());
    }

    /// Whether any role of an entity reaches outside of the store, so that what it does is done.
    pub(crate) fn reaches_outside(snapshot: &Snapshot, entity: &Entity) -> bool {
        snapshot.roles(entity).iter().any(|(_, extension)| extension.uses_outside_capabilities())
    }

    /// Whether anything of that would outlive a crash, so that it needs an intent.
    pub(crate) fn lasts(snapshot: &Snapshot, entity: &Entity) -> bool {
        snapshot.roles(entity).iter().any(|(_, extension)| extension.has_lasting_effects())
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

    fn call(&self, role: &Role, entity: &Entity) -> Call {
        let earlier = self.writes.get(role.1.name()).cloned().unwrap_or_default();
        let data = KeyValueBase { view: self.stored.clone(), earlier };
        Call { data, ..call(self.snapshot.registry(), self.operation, &role.0, entity) }
    }

    fn settle(
        &mut self,
        extension: &Extension,
        entity: &Entity,
        mut outcome: Outcome,
    ) -> Result<Entity, Refusal> {
        let change = std::mem::take(&mut outcome.change);
        let after = if change == Change::default() {
            entity.clone()
        } else {
            self.snapshot.registry().apply(entity, change).map_err(|violations| Refusal::Proposal {
                extension: extension.name().to_string(),
                violations,
            })?
        };
        self.keep(extension, entity, outcome);
        Ok(after)
    }

    fn keep(&mut self, extension: &Extension, entity: &Entity, outcome: Outcome) {
        if !outcome.writes.is_empty() {
            let writes = self.writes.entry(Arc::clone(extension.name())).or_default();
            // Its calls are over, so nobody else holds them.
            Arc::make_mut(writes).extend(outcome.writes);
        }
        self.again.extend(outcome.again.map(|delay| (entity.id, delay)));
    }
}

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

/// A call about an entity as it is, the first of its operation.
pub(crate) fn call(registry: &Registry, operation: Uuid, role: &CategoryId, entity: &Entity) -> Call {
    let subject = Subject {
        mixins: registry.mixins_of(entity).cloned().collect(),
        state: registry.state(entity).map(str::to_owned),
        entity: Arc::new(entity.clone()),
    };
    Call { operation, role: role.clone(), subject: Arc::new(subject), data: KeyValueBase::default() }
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

/// Whether an extension said no by itself, and so had the chance to leave the world as it was; after a trap or a
/// time-out nobody knows how far it came.
pub(crate) fn is_plain_no(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Extension(CallError::Refused { .. }))
}

/// Whether what an extension needs is away.
fn is_away(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Extension(CallError::Refused { fault, .. }) if fault.code == "unavailable")
}

/// Whether an extension has said no to what was asked, and would again; not that it could not do it now.
pub(crate) fn is_final_no(refusal: &Refusal) -> bool {
    let Refusal::Extension(CallError::Refused { fault, .. }) = refusal else { return false };
    matches!(fault.code.as_str(), "invalid" | "denied" | "conflict" | "missing" | "unsupported")
}

//! What extensions do for one operation, and how it is undone.

mod update;

use crate::core::Core;
use crate::observer::Cause;
use crate::order::Errand;
use crate::refusal::Refusal;
use crate::sight::{Moment, Sight};
use crate::snapshot::{Role, Snapshot};
use occi_extension::{
    Call, CallError, Clock, Extension, Going, KeyValueBase, KeyValueChanges, Outcome, SharedView, Subject,
};
use occi_model::{CategoryId, Change, Entity, Invocation, Registry};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Key-value changes, by the name of the extension whose they are.
pub(crate) type Writes = BTreeMap<Arc<str>, Arc<KeyValueChanges>>;

/// What the calls of an operation find of the extensions' key-value data.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// What was stored when the first call asked.
    stored: SharedView,
    /// What calls before have written.
    written: Writes,
}

/// One operation's calls of extensions, and what they leave to be committed or to be done later.
pub(crate) struct Effects<'a> {
    snapshot: &'a Snapshot,
    operation: Uuid,
    pub(crate) writes: Writes,
    /// What the next call finds.
    pub(crate) found: Found,
    /// Which other entities calls see.
    moment: Arc<Moment>,
    /// The entities that the operation ends.
    going: Arc<HashSet<Uuid>>,
    /// With what each new entity is joined by links that come to be with it.
    joined: HashMap<Uuid, Arc<[Uuid]>>,
    /// From how many orders of links it stems.
    depth: u8,
    /// Entities that ask to be observed later.
    pub(crate) again: Vec<(Uuid, Duration)>,
    /// The Mixins for what was made that is on offer from now on.
    pub(crate) made: Vec<CategoryId>,
    /// What was begun and could not be undone.
    pub(crate) left_behind: Vec<Entity>,
    /// Whether something outside does not answer. What is to be undone would not be answered either, and is left for later.
    pub(crate) is_stuck: bool,
}

impl<'a> Effects<'a> {
    /// The calls of one operation. A repetition after a crash bears the same name.
    pub(crate) fn new(core: &Core, snapshot: &'a Snapshot, operation: Uuid) -> Self {
        Self {
            snapshot,
            operation,
            writes: Writes::new(),
            found: Found::default(),
            moment: Arc::new(Moment::new(Arc::clone(&core.store))),
            going: Arc::default(),
            joined: HashMap::new(),
            depth: 0,
            again: Vec::new(),
            made: Vec::new(),
            left_behind: Vec::new(),
            is_stuck: false,
        }
    }

    /// The calls of an operation that ends entities.
    pub(crate) fn ending(
        core: &Core,
        snapshot: &'a Snapshot,
        operation: Uuid,
        going: Arc<HashSet<Uuid>>,
    ) -> Self {
        Self { going, ..Self::new(core, snapshot, operation) }
    }

    /// The same, where these come to be.
    pub(crate) fn bearing(self, new: &[Entity]) -> Self {
        let mut joined: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for ends in new.iter().filter_map(|entity| entity.ends.as_ref()) {
            if let Some(target) = ends.target_id {
                joined.entry(ends.source_id).or_default().push(target);
                joined.entry(target).or_default().push(ends.source_id);
            }
        }
        Self { joined: joined.into_iter().map(|(id, others)| (id, others.into())).collect(), ..self }
    }

    /// The same, to carry out an order of a link, which is struck by the commit.
    pub(crate) fn on(self, errand: Option<&Errand>) -> Self {
        match errand {
            Some(Errand { depth, strike }) => Self { depth: *depth, writes: strike.clone(), ..self },
            None => self,
        }
    }

    /// The same, after other calls of the operation.
    pub(crate) fn after(self, found: Found) -> Self {
        Self { found, ..self }
    }

    /// Brings an entity to life, role by role; what it is then. What was done by a part of the roles is undone where
    /// another says no.
    pub(crate) async fn create(&mut self, mut entity: Entity) -> Result<Entity, Refusal> {
        for (number, role) in self.snapshot.roles(&entity).iter().enumerate() {
            match self.begin_role(role, &entity, true).await {
                Ok(next) => entity = next,
                // Nothing was begun that could be undone.
                Err(Refusal::Extension(error)) if number == 0 && !error.was_called() => {
                    return Err(error.into());
                }
                Err(refusal) => {
                    self.failed(&refusal);
                    Box::pin(self.undo_create(&entity)).await;
                    return Err(refusal);
                }
            }
        }
        Ok(entity)
    }

    /// Notes why something was not done.
    fn failed(&mut self, refusal: &Refusal) {
        self.is_stuck |= is_away(refusal);
    }

    /// Lets one role begin, as when an entity gains a Mixin.
    pub(crate) async fn create_role(&mut self, role: &Role, entity: &Entity) -> Result<Entity, Refusal> {
        self.begin_role(role, entity, false).await
    }

    async fn begin_role(&mut self, role: &Role, entity: &Entity, is_new: bool) -> Result<Entity, Refusal> {
        self.snapshot.check_current(&role.1)?;
        let outcome = role.1.create(self.call_about(role, entity, is_new)).await?;
        self.settle(&role.1, entity, outcome)
    }

    /// Ends an entity, role by role, the last first. Where one says no, those that had ended begin again.
    pub(crate) async fn delete(&mut self, entity: &Entity) -> Result<(), Refusal> {
        let roles = self.snapshot.roles(entity);
        for (_, extension) in &roles {
            self.snapshot.check_current(extension)?;
        }
        for (number, role) in roles.iter().enumerate().rev() {
            if let Err(refusal) = self.delete_role(role, entity).await {
                self.failed(&refusal);
                self.begin_again(&roles[number + 1..], entity).await;
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Where something does not answer nothing is begun: what is not known to have ended is ended later.
    async fn begin_again(&mut self, ended: &[Role], entity: &Entity) {
        for role in ended {
            if self.is_stuck {
                return;
            }
            if let Err(refusal) = self.create_role(role, entity).await {
                self.failed(&refusal);
                tracing::error!(
                    entity = %entity.id,
                    role = %role.0,
                    "what had ended before another refused could not be made again: {refusal}"
                );
            }
        }
    }

    /// The same by those who made it, be they replaced meanwhile.
    async fn end(&mut self, entity: &Entity) -> Result<(), Refusal> {
        for role in self.snapshot.roles(entity).iter().rev() {
            self.delete_role(role, entity).await.inspect_err(|refusal| self.failed(refusal))?;
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
        let goes = |id| self.going.contains(&id);
        let source = entity.ends.as_ref().is_some_and(|ends| goes(ends.source_id));
        let going = Going { entity: goes(entity.id), source };
        let outcome = role.1.delete(Call { going, ..self.call(role, entity) }).await?;
        self.keep(&role.1, entity, outcome);
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
            match self.ask(&role, &now, cause.name()).await {
                Ok(after) => now = after,
                Err(refusal) => failed = failed.or(Some(refusal)),
            }
        }
        (now, failed)
    }

    /// Tells one extension that a link was refused that it has asked for at this resource; what that is then.
    pub(crate) async fn hear_refused(&mut self, entity: &Entity, extension: &str) -> Result<Entity, Refusal> {
        let mut now = entity.clone();
        for role in self.snapshot.observers(entity) {
            if **role.1.name() == *extension {
                now = self.ask(&role, &now, "refused").await?;
            }
        }
        Ok(now)
    }

    async fn ask(&mut self, role: &Role, entity: &Entity, cause: &str) -> Result<Entity, Refusal> {
        let outcome = role.1.observe(self.call(role, entity), cause).await?;
        self.settle(&role.1, entity, outcome)
    }

    /// Takes back what a creation may have done. Where that fails the log says so, and an intent is to be kept, so
    /// that it is tried again.
    pub(crate) async fn undo_create(&mut self, entity: &Entity) {
        let undone = if self.is_stuck { Ok(false) } else { self.end(entity).await.map(|()| true) };
        self.note_undone(entity, "a creation", undone);
    }

    /// Notes whether something was undone, or not even begun to be; what was not is tried again.
    pub(crate) fn note_undone(&mut self, entity: &Entity, what: &str, undone: Result<bool, Refusal>) {
        let (id, kind) = (entity.id, &entity.kind);
        match undone {
            Ok(true) => return,
            Ok(false) => tracing::debug!(entity = %id, %kind, "{what} is undone later"),
            Err(refusal) if is_away(&refusal) => {
                self.failed(&refusal);
                tracing::debug!(entity = %id, %kind, "{what} is undone later: {refusal}");
            }
            Err(refusal) => {
                tracing::error!(entity = %id, %kind, "{what} could not be undone; tried again: {refusal}");
            }
        }
        self.left_behind.push(entity.clone());
    }

    /// Whether any role of an entity has data of its own, so that its calls come one after the other.
    pub(crate) fn use_data(snapshot: &Snapshot, entity: &Entity) -> bool {
        snapshot.roles(entity).iter().any(|(_, extension)| extension.uses_data())
    }

    /// Whether any role of an entity reaches outside of the store, so that what it does is done.
    pub(crate) fn reaches_outside(snapshot: &Snapshot, entity: &Entity) -> bool {
        snapshot.roles(entity).iter().any(|(_, extension)| extension.uses_outside_capabilities())
    }

    /// Whether anything of that would outlive a crash, so that it needs an intent.
    pub(crate) fn lasts(snapshot: &Snapshot, entity: &Entity) -> bool {
        snapshot.roles(entity).iter().any(|(_, extension)| extension.has_lasting_effects())
    }

    fn call(&self, role: &Role, entity: &Entity) -> Call {
        self.call_about(role, entity, false)
    }

    fn call_about(&self, role: &Role, entity: &Entity, is_new: bool) -> Call {
        let earlier = self.found.written.get(role.1.name()).cloned().unwrap_or_default();
        let data = KeyValueBase { view: self.found.stored.clone(), earlier };
        let is_own = |kind: &CategoryId| self.snapshot.defines_kind(&role.1, kind);
        let ends = entity.ends.as_ref();
        let sight = Sight {
            moment: Arc::clone(&self.moment),
            registry: Arc::clone(&self.snapshot.registry),
            by_category: Arc::clone(&self.snapshot.by_category),
            extension: Arc::clone(&role.1),
            tenant: Arc::clone(&entity.tenant),
            depth: self.depth,
        };
        Call {
            data,
            joined: self.joined.get(&entity.id).cloned().unwrap_or_default(),
            entities: Some(Arc::new(sight)),
            source_is_own: ends.is_some_and(|ends| is_own(&ends.source_kind)),
            target_is_own: ends.and_then(|ends| ends.target_kind.as_ref()).is_some_and(is_own),
            ..call(self.snapshot.registry(), self.operation, &role.0, entity, is_new)
        }
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
            let name = extension.name();
            // Its calls are over, so nobody else holds these.
            let written = self.found.written.entry(Arc::clone(name)).or_default();
            Arc::make_mut(written).extend(outcome.writes.clone());
            Arc::make_mut(self.writes.entry(Arc::clone(name)).or_default()).extend(outcome.writes);
        }
        self.again.extend(outcome.again.map(|delay| (entity.id, delay)));
        self.made.extend(outcome.made);
    }
}

/// A call about an entity as it is, the first of its operation.
pub(crate) fn call(
    registry: &Registry,
    operation: Uuid,
    role: &CategoryId,
    entity: &Entity,
    is_new: bool,
) -> Call {
    let subject = Subject { is_new, ..subject(registry, Arc::new(entity.clone())) };
    Call::about(operation, role.clone(), Arc::new(subject))
}

/// An entity as guests see it.
pub(crate) fn subject(registry: &Registry, entity: Arc<Entity>) -> Subject {
    Subject {
        mixins: registry.mixins_of(&entity).cloned().collect(),
        state: registry.state(&entity).map(str::to_owned),
        is_new: false,
        entity,
    }
}

/// Whether an extension said no by itself, and so had the chance to leave the world as it was; after a trap, or where
/// something did not answer in time, nobody knows how far it came.
pub(crate) fn is_plain_no(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Extension(CallError::Refused { .. })) && !is_away(refusal)
}

/// Whether nobody knows if it was done, or will be: it was not answered in time.
pub(crate) fn is_unclear(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Extension(CallError::Refused { fault, .. }) => fault.code == "timeout",
        Refusal::Extension(CallError::TimedOut { clock: Clock::Wall, .. }) => true,
        Refusal::Part { refusal, .. } => is_unclear(refusal),
        _ => false,
    }
}

/// Whether what an extension needs is away, or does not answer.
pub(crate) fn is_away(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Extension(CallError::Refused { fault, .. }) if fault.code == "unavailable" => true,
        Refusal::Part { refusal, .. } => is_away(refusal),
        other => is_unclear(other),
    }
}

/// Whether an extension has said no to what was asked, and would again; not that it could not do it now.
pub(crate) fn is_final_no(refusal: &Refusal) -> bool {
    let Refusal::Extension(CallError::Refused { fault, .. }) = refusal else { return false };
    matches!(fault.code.as_str(), "invalid" | "denied" | "conflict" | "missing" | "unsupported")
}

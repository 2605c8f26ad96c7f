//! The end of what no extension serves any more, which an administrator asks for: no client can end it. What the extension made
//! outside stays; nobody else knows how to end it.

use crate::changes::Changes;
use crate::core::Core;
use crate::delete::doom;
use crate::members::hold;
use crate::retrieve::find;
use crate::snapshot::Snapshot;
use crate::{Caller, Condition, Refusal};
use occi_model::{CategoryId, Entity, Location};
use occi_store::{Entities, Portion, Set};

impl Core {
    /// Forgets the entity at a path, and its links, where no extension defines its Kind; where one does, it loses those of its
    /// Mixins that nobody defines, and the attributes that nobody declares. [`Refusal::Conflict`] where all is defined, or the Kind of one of the
    /// links.
    pub async fn forget(&self, caller: &Caller, path: &Location) -> Result<(), Refusal> {
        // What is not defined now is not until this is done.
        let _defining = self.defining.lock().await;
        let snapshot = self.snapshot();
        let found = find(&*self.read()?, caller, path)?;
        if snapshot.has_kind_of(&found.entity) {
            self.take_off(caller, path, &snapshot, |_| true).await
        } else {
            self.end(caller, path, &snapshot).await
        }
    }

    /// Forgets all entities of a Kind; or takes a Mixin off all that have it, with what it brought. How many they were.
    /// [`Refusal::Conflict`] where it is defined; [`Refusal::NotLoaded`] where a Kind is not of which something has the Mixin.
    pub async fn forget_all(&self, caller: &Caller, category: &CategoryId) -> Result<usize, Refusal> {
        let mut forgotten = 0;
        loop {
            let _defining = self.defining.lock().await;
            let snapshot = self.snapshot();
            let registry = snapshot.registry();
            if registry.kind(category).is_some() || registry.mixin(category).is_some() {
                return Err(Refusal::Conflict(format!(
                    "{category} is defined, so nothing of it is forgotten; plain requests do what is to be done"
                )));
            }
            let sets = snapshot.with_what_brings(category);
            let mut next = None;
            for id in &sets {
                let view = self.read()?;
                let first =
                    Entities::new(&*view, &caller.tenant).list(Set::Category(id), &Portion::page(None, 1))?;
                next = next.or(first.items.into_iter().next());
            }
            let Some(next) = next.map(|stored| stored.entity) else { return Ok(forgotten) };
            let outcome = if next.mixins.iter().any(|id| sets.contains(id)) {
                self.take_off(caller, &next.location, &snapshot, |id| id == category).await
            } else {
                self.end(caller, &next.location, &snapshot).await
            };
            match outcome {
                // It went meanwhile.
                Err(Refusal::NotFound(_)) => {}
                outcome => {
                    outcome?;
                    forgotten += 1;
                }
            }
        }
    }

    async fn end(&self, caller: &Caller, path: &Location, snapshot: &Snapshot) -> Result<(), Refusal> {
        let (_held, doomed) = doom(self, caller, path, &Condition::None).await?;
        if let Some(stored) = doomed.entities.iter().find(|stored| snapshot.has_kind_of(&stored.entity)) {
            return Err(defined(&stored.entity));
        }
        let mut changes = Changes::new(snapshot);
        doomed.remove(&mut changes)?;
        self.commit_end(changes, None, doomed.entities.iter().map(|stored| stored.entity.id)).await
    }

    /// Takes Mixins off an entity that nobody defines, with what they brought and the tags that brought them.
    async fn take_off(
        &self,
        caller: &Caller,
        path: &Location,
        snapshot: &Snapshot,
        is_going: impl Fn(&CategoryId) -> bool,
    ) -> Result<(), Refusal> {
        let (_held, found) = hold(self, caller, std::slice::from_ref(path)).await?;
        let Some(stored) = found.first() else { return Err(Refusal::NotFound(path.clone())) };
        self.left.check_stays(stored.entity.id)?;
        if !snapshot.has_kind_of(&stored.entity) {
            return Err(Refusal::NotLoaded(stored.entity.kind.clone()));
        }
        let unknown = snapshot.unknown_mixins(&stored.entity);
        let after = snapshot.registry().without_unknown_mixins(&stored.entity, &unknown, is_going)?;
        if after == *stored.entity {
            return Err(defined(&stored.entity));
        }
        let mut changes = Changes::new(snapshot);
        changes.replace(stored, &after, stored.made_by.as_ref())?;
        self.commit_changes(changes).await.map(drop)
    }
}

fn defined(Entity { kind, location, .. }: &Entity) -> Refusal {
    Refusal::Conflict(format!(
        "an extension defines {kind}, so {location} is not forgotten; it can be deleted by a plain request, once all \
         its links can"
    ))
}

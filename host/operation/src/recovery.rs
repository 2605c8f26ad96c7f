//! After a start: what a crash cut short is finished or undone, and what has changed meanwhile is found out.

use crate::changes::Changes;
use crate::core::Core;
use crate::delete::Doomed;
use crate::effect::{Effects, is_final_no};
use crate::intent::{Intent, Verb};
use crate::list::Walk;
use crate::observer::Cause;
use crate::{Refusal, Snapshot};
use occi_model::Entity;
use occi_store::{Entities, Set};
use std::sync::Arc;
use uuid::Uuid;

/// What was found at the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Creations that were undone.
    pub undone: usize,
    /// Deletions that were finished.
    pub finished: usize,
    /// Entities in the middle of a change, which were asked what they are now.
    pub asked: usize,
    /// Entities whose machines, volumes or the like were made again, since a capability had forgotten them.
    pub recreated: usize,
    /// Intents that could not be settled; they are tried again when a capability comes back, and at the next start.
    pub left: usize,
}

impl Core {
    /// Settles all intents, makes again what capabilities have forgotten, and has everything else asked in the
    /// background. To be called once, before the first operation.
    pub async fn recover(self: &Arc<Self>) -> Result<Recovered, Refusal> {
        let snapshot = self.snapshot();
        let mut recovered = Recovered::default();
        for intent in self.intents()? {
            match self.settle(&snapshot, &intent).await {
                Ok(()) => match intent.verb {
                    Verb::Create => recovered.undone += 1,
                    Verb::Delete => recovered.finished += 1,
                    Verb::Change => recovered.asked += 1,
                },
                Err(_) => recovered.left += 1,
            }
        }
        recovered.recreated = self.ask_all().await?;
        Ok(recovered)
    }

    /// Settles an intent, or notes that it is left.
    async fn settle(self: &Arc<Self>, snapshot: &Snapshot, intent: &Intent) -> Result<(), Refusal> {
        let (links, resources): (Vec<_>, Vec<_>) =
            intent.entities.iter().partition(|entity| entity.is_link());
        let outcome = if intent.verb == Verb::Change {
            self.finish_intent(snapshot, intent).await
        } else {
            let mut held = self.locks.lock(resources.iter().map(|entity| entity.id)).await;
            held.extend(links.iter().map(|entity| entity.id)).await;
            self.finish_intent(snapshot, intent).await
        };
        match &outcome {
            Ok(()) => self.forget_left(intent.operation),
            Err(refusal) => {
                let (operation, verb) = (intent.operation, intent.verb);
                tracing::error!(%operation, ?verb, "an intent is left for later: {refusal}");
                self.leave(operation, intent.entities.iter().map(|entity| entity.id).collect());
            }
        }
        outcome
    }

    /// Tries again what could not be undone while a capability was away.
    async fn settle_left(self: &Arc<Self>) {
        match self.intents() {
            Ok(intents) => {
                let snapshot = self.snapshot();
                for intent in intents.iter().filter(|intent| self.has_left(intent.operation)) {
                    _ = self.settle(&snapshot, intent).await;
                }
            }
            Err(refusal) => tracing::error!("the intents cannot be read: {refusal}"),
        }
    }

    async fn finish_intent(self: &Arc<Self>, snapshot: &Snapshot, intent: &Intent) -> Result<(), Refusal> {
        for entity in &intent.entities {
            // What it made outside is still there, and nobody else knows how to end it.
            snapshot.check_loaded(entity)?;
        }
        let mut effects = Effects::new(snapshot, intent.operation);
        let mut changes = Changes::default();
        match intent.verb {
            Verb::Create => {
                for entity in intent.entities.iter().rev() {
                    // An id that somebody else has since is somebody else's.
                    if self.find_anywhere(entity.id)?.is_none() {
                        effects.delete(entity).await?;
                    }
                }
            }
            Verb::Delete => {
                let mut going = Vec::new();
                for entity in &intent.entities {
                    match effects.delete(entity).await {
                        Ok(()) => going.extend(self.find_anywhere(entity.id)?),
                        // It stays, as it would have without the crash, and keeps none of the others.
                        Err(refusal) if is_final_no(&refusal) => {
                            tracing::warn!(entity = %entity.id, "a deletion is not finished: {refusal}");
                            self.observe(entity.id, Cause::Restart);
                        }
                        Err(refusal) => return Err(refusal),
                    }
                }
                // All at once: a resource must not be touched for the loss of a link when it goes itself. What joined
                // the entities meanwhile goes too: the resource's own record finds it.
                Doomed::gather(&*self.read()?, going)?.remove(&mut changes)?;
            }
            Verb::Change => {
                // What was forgotten is not asked now, when it would be found missing: it is made again with all
                // others (`ask_all`).
                let forgets = |entity: &&Entity| {
                    snapshot.role_of_kind(&entity.kind).is_some_and(|(_, extension)| extension.forgets())
                };
                for entity in intent.entities.iter().filter(|entity| !forgets(entity)) {
                    self.ask_one(entity.id, Cause::Restart).await?;
                }
            }
        }
        if let Some(entity) = intent.entities.first() {
            changes.write(&entity.tenant, &effects.writes);
        }
        changes.strike(Some(intent.operation));
        self.commit(changes.into_batch()).await?;
        Ok(())
    }

    /// Has every entity asked soon, as after a time in which events were missed, and what was left behind settled.
    pub fn observe_all(self: &Arc<Self>) {
        let core = Arc::clone(self);
        tokio::spawn(async move { core.settle_left().await });
        match self.observed() {
            Ok(observed) => observed.iter().for_each(|observed| self.observe(observed.id, Cause::Restart)),
            Err(refusal) => tracing::error!("the entities cannot be asked what they are now: {refusal}"),
        }
    }

    /// Asks every entity: at once, resources before links, where its extension's capabilities have forgotten; else
    /// soon.
    async fn ask_all(self: &Arc<Self>) -> Result<usize, Refusal> {
        let (mut forgotten, others): (Vec<_>, Vec<_>) =
            self.observed()?.into_iter().partition(|observed| observed.is_forgotten);
        forgotten.sort_by_key(|observed| observed.is_link);
        for observed in &forgotten {
            self.ask(observed.id, Cause::Recreate).await;
        }
        for observed in others {
            self.observe(observed.id, Cause::Restart);
        }
        Ok(forgotten.len())
    }

    /// All entities whose extension wants to be asked.
    fn observed(&self) -> Result<Vec<Observed>, Refusal> {
        let snapshot = self.snapshot();
        let view = self.read()?;
        let mut found = Vec::new();
        for tenant in occi_store::tenants(&*view)? {
            let mut walk = Walk::new(Set::All);
            while let Some(stored) = walk.next(Entities::new(&*view, &tenant))? {
                let role = snapshot.role_of_kind(&stored.entity.kind);
                if let Some((_, extension)) = role.filter(|(_, extension)| extension.has_observe()) {
                    found.push(Observed {
                        id: stored.entity.id,
                        is_link: stored.entity.is_link(),
                        is_forgotten: extension.forgets(),
                    });
                }
            }
        }
        Ok(found)
    }
}

struct Observed {
    id: Uuid,
    is_link: bool,
    /// Whether what its extension made for it is gone with the last run.
    is_forgotten: bool,
}

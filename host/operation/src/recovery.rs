//! After a start: what a crash cut short is finished or undone, and what has changed meanwhile is found out.

use crate::changes::Changes;
use crate::core::Core;
use crate::delete::Doomed;
use crate::effect::{Effects, is_away, is_final_no};
use crate::intent::{self, Intent, Verb};
use crate::left::SETTLED;
use crate::list::Walk;
use crate::observer::Cause;
use crate::{Refusal, Snapshot};
use occi_extension::CallError;
use occi_model::Entity;
use occi_store::{Entities, Set};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout_at;
use uuid::Uuid;

/// How many intents are settled, or entities have their things made again, at once.
const AT_ONCE: usize = 16;
/// How long a start waits for what the last run has left.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a long start says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(3);

/// What was found at the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Creations that were undone.
    pub undone: usize,
    /// Deletions that were finished.
    pub finished: usize,
    /// Deletions of which at least one entity was refused, and stays.
    pub refused: usize,
    /// Entities in the middle of a change, which were asked what they are now.
    pub asked: usize,
    /// Entities whose machines, volumes or the like were made again, since a capability had forgotten them.
    pub recreated: usize,
    /// Intents that are not settled yet; they are tried while the server runs, and at the next start.
    pub left: usize,
}

impl Core {
    /// Settles all intents, makes again what capabilities have forgotten, and has everything else asked in the
    /// background. To be called once, before the first operation.
    pub async fn recover(self: &Arc<Self>) -> Result<Recovered, Refusal> {
        let snapshot = self.snapshot();
        let mut recovered = self.settle_all(&snapshot).await?;
        recovered.recreated = self.recreate_all(&snapshot).await?;
        self.recall_wishes()?;
        // Those who forget have just been asked.
        self.note_all(Cause::Restart, |entity| !is_forgotten(&snapshot, entity))?;
        self.begin_orders()?;
        Ok(recovered)
    }

    /// Settles what the last run has left, some at a time. Who takes long, or does not answer, keeps neither the others
    /// waiting nor the server from serving: what is under way by then goes on.
    async fn settle_all(self: &Arc<Self>, snapshot: &Arc<Snapshot>) -> Result<Recovered, Refusal> {
        let mut recovered = Recovered::default();
        let end = tokio::time::Instant::now() + PATIENCE;
        let alone = Arc::clone(&self.settling).lock_owned().await;
        let intents = self.intents()?;
        // Until it is settled nobody else gets an id that is to be undone, or changes what is about to go.
        for intent in &intents {
            self.left.note_found(intent);
        }
        let (mut intents, mut settling) = (intents.into_iter(), JoinSet::new());
        let mut is_stuck = false;
        loop {
            while !is_stuck
                && settling.len() < AT_ONCE
                && let Some(intent) = intents.next()
            {
                let (core, snapshot) = (Arc::clone(self), Arc::clone(snapshot));
                settling.spawn(async move {
                    let settled = core.settle(&snapshot, &intent, true).await;
                    (intent.verb, core.left.has(intent.operation), settled)
                });
            }
            match timeout_at(end, settling.join_next()).await {
                Ok(None) => break,
                Ok(Some(Ok((verb, is_left, Ok(is_done))))) => match verb {
                    Verb::Create => recovered.undone += 1,
                    Verb::Delete if is_left => recovered.left += 1,
                    Verb::Delete if is_done => recovered.finished += 1,
                    Verb::Delete => recovered.refused += 1,
                    Verb::Change => recovered.asked += 1,
                    Verb::Gone => {}
                },
                Ok(Some(Ok((_, _, Err(refusal))))) => {
                    is_stuck |= is_away(&refusal);
                    recovered.left += 1;
                }
                Ok(Some(Err(error))) => {
                    tracing::error!("the settling of an intent ended abnormally: {error}");
                    recovered.left += 1;
                }
                Err(_elapsed) => {
                    recovered.left += settling.len();
                    tokio::spawn(async move {
                        while settling.join_next().await.is_some() {}
                        drop(alone);
                    });
                    break;
                }
            }
        }
        recovered.left += intents.len();
        Ok(recovered)
    }

    /// Settles an intent, which else stays left; whether all that was to be done is.
    async fn settle(
        self: &Arc<Self>,
        snapshot: &Snapshot,
        intent: &Intent,
        is_news: bool,
    ) -> Result<bool, Refusal> {
        let (links, resources): (Vec<_>, Vec<_>) =
            intent.entities.iter().partition(|entity| entity.is_link());
        // What was asked outside by a process that is gone may be done later. Changes are looked at again by themselves.
        let may_grow = intent.verb != Verb::Change && self.left.may_grow(intent.operation);
        let outcome = {
            // Their ids are free: who makes one of them now has it first, or afterwards.
            let adopted =
                intent.entities.iter().filter(|_| intent.verb == Verb::Gone).map(|entity| entity.id);
            let _adopting = self.adoptions.lock(adopted).await;
            let sources = links.iter().filter_map(|link| Some(link.ends.as_ref()?.source_id));
            let mut held = self.locks.lock(resources.iter().map(|entity| entity.id).chain(sources)).await;
            held.extend(links.iter().map(|entity| entity.id)).await;
            self.finish_intent(snapshot, intent, may_grow).await
        };
        if let Err(refusal) = &outcome {
            let (operation, verb) = (intent.operation, intent.verb);
            // Said once: a hypervisor that is away for hours is no news.
            if is_news {
                tracing::error!(%operation, ?verb, "an intent is left for later: {refusal}");
            } else {
                tracing::debug!(%operation, ?verb, "an intent is still left for later: {refusal}");
            }
        }
        outcome
    }

    /// Tries again what could not be undone, up to the first that is not answered: the others would not be either, and who
    /// asks for one of their entities would wait. Each round begins with another, so that none keeps the rest from being tried.
    pub(crate) async fn settle_left(self: &Arc<Self>, round: usize) {
        // What the start has begun is under way still.
        let Ok(_alone) = self.settling.try_lock() else { return };
        let mut intents = match self.intents() {
            Ok(intents) => intents,
            Err(refusal) => return tracing::error!("the intents cannot be read: {refusal}"),
        };
        intents.retain(|intent| self.left.has(intent.operation));
        let first = round.checked_rem(intents.len()).unwrap_or_default();
        intents.rotate_left(first);
        let snapshot = self.snapshot();
        for intent in &intents {
            if self.settle(&snapshot, intent, false).await.is_err_and(|refusal| is_away(&refusal)) {
                break;
            }
        }
    }

    /// Finishes or undoes it, as far as it can be; whether all is done that was to be. Where more may come of it, it is kept.
    async fn finish_intent(
        self: &Arc<Self>,
        snapshot: &Snapshot,
        intent: &Intent,
        may_grow: bool,
    ) -> Result<bool, Refusal> {
        if matches!(intent.verb, Verb::Create | Verb::Change) {
            for entity in &intent.entities {
                // What it made outside is still there, and nobody else knows how to end it.
                snapshot.check_loaded(entity)?;
            }
        }
        let going = Arc::new(intent.entities.iter().map(|entity| entity.id).collect());
        let mut effects = Effects::ending(self, snapshot, intent.operation, going);
        let mut changes = Changes::new(snapshot);
        let (mut gone, mut unfinished, mut is_refused) = (Vec::new(), Vec::new(), false);
        match intent.verb {
            Verb::Create | Verb::Gone => {
                let mut refused = None;
                let has_kind = |entity: &&Entity| snapshot.has_kind_of(entity);
                for entity in intent.entities.iter().rev().filter(has_kind) {
                    // An id that somebody else has since is somebody else's.
                    if self.find_anywhere(entity.id)?.is_some() {
                        self.observe(entity.id, Cause::Restart);
                    } else if let Err(refusal) = effects.delete(entity).await {
                        if is_away(&refusal) {
                            return Err(refusal);
                        }
                        // It keeps none of the others.
                        refused = refused.or(Some(refusal));
                    }
                }
                // Of what has gone already none need be there to go.
                if let Some(refusal) = refused.filter(|_| intent.verb == Verb::Create) {
                    return Err(refusal);
                }
                gone.extend(&intent.entities);
            }
            Verb::Delete => {
                let mut going = Vec::new();
                for entity in &intent.entities {
                    let ended = match snapshot.check_loaded(entity) {
                        Ok(()) => effects.delete(entity).await,
                        Err(refusal) => Err(refusal),
                    };
                    match ended {
                        Ok(()) => {
                            going.extend(self.find_anywhere(entity.id)?);
                            gone.push(entity);
                        }
                        Err(refusal) if is_away(&refusal) => return Err(refusal),
                        // It may be going by itself.
                        Err(refusal) if may_grow && is_for_now(&refusal) => {
                            tracing::info!(entity = %entity.id, "a deletion is not finished yet: {refusal}");
                            unfinished.push(entity);
                        }
                        // It stays, as it would have without the crash, and keeps none of the others.
                        Err(refusal) => {
                            tracing::warn!(entity = %entity.id, "a deletion is not finished: {refusal}");
                            is_refused = true;
                            self.observe(entity.id, Cause::Restart);
                            self.schedule(&[(entity.id, SETTLED)]);
                        }
                    }
                }
                // All at once: a resource must not be touched for the loss of a link when it goes itself. What joined
                // the entities meanwhile goes too: the resource's own record finds it.
                Doomed::gather(&*self.read()?, going)?.remove(&mut changes)?;
                // What goes first was made last.
                gone.reverse();
            }
            Verb::Change => {
                // What they would write is dropped: nothing of what the change wrote was kept.
                let mut withdrawn = Effects::new(self, snapshot, intent.operation);
                for entity in &intent.entities {
                    let now = self.find_anywhere(entity.id)?;
                    withdrawn.withdraw(entity, now.as_ref().map(|stored| &*stored.entity)).await?;
                }
                // What was asked outside by a process that is gone may be done later, so they are asked once more then.
                let ids: BTreeSet<_> = intent.entities.iter().map(|entity| entity.id).collect();
                self.schedule(&ids.into_iter().map(|id| (id, SETTLED)).collect::<Vec<_>>());
                // What was forgotten is not asked now, when it would be found missing: it is made again with all
                // others (`recreate_all`).
                let remembered = intent.entities.iter().filter(|entity| !is_forgotten(snapshot, entity));
                for id in remembered.map(|entity| entity.id).collect::<BTreeSet<_>>() {
                    if let Some(refusal) = self.ask_held(id, Cause::Restart).await.failed {
                        return Err(refusal);
                    }
                }
            }
        }
        if let Some(entity) = intent.entities.first().filter(|_| intent.verb != Verb::Gone) {
            changes.write(&entity.tenant, &effects.writes);
        }
        let is_done = unfinished.is_empty() && !is_refused;
        let rest: HashSet<_> = unfinished.iter().map(|entity| entity.id).collect();
        if unfinished.is_empty() {
            changes.strike(Some(intent.operation));
        } else {
            intent::put(changes.batch(), intent.operation, Verb::Delete, unfinished)?;
        }
        // Under another name: the ids are free, and somebody else's by the time that more comes, perhaps.
        let echo = (may_grow && !gone.is_empty()).then(Uuid::new_v4);
        if let Some(echo) = echo {
            intent::put(changes.batch(), echo, Verb::Gone, gone)?;
        }
        self.commit_changes(changes).await?;
        self.left.follow(intent.operation, echo, &rest);
        Ok(is_done)
    }

    /// Has every entity asked soon, as after a time in which events were missed, and what was left behind settled.
    pub fn observe_all(self: &Arc<Self>) {
        self.left.hurry();
        self.orders.hurry();
        self.observe_those(Cause::Restart, |_| true);
    }

    /// Has the entities asked soon that pass.
    pub fn observe_those(&self, cause: Cause, passes: impl Fn(&Entity) -> bool) {
        if let Err(refusal) = self.note_all(cause, passes) {
            tracing::error!("the entities cannot be asked what they are now: {refusal}");
        }
    }

    /// Has the entities asked soon that pass and that somebody observes.
    pub(crate) fn note_all(&self, cause: Cause, passes: impl Fn(&Entity) -> bool) -> Result<(), Refusal> {
        let snapshot = self.snapshot();
        let view = self.read()?;
        for tenant in occi_store::tenants(&*view)? {
            let mut walk = Walk::new(Set::All);
            while let Some(stored) = walk.next(Entities::new(&*view, &tenant))? {
                let entity = &stored.entity;
                if passes(entity) && !snapshot.observers(entity).is_empty() {
                    self.observe(entity.id, cause);
                }
            }
        }
        Ok(())
    }

    /// Has everything made again that capabilities have forgotten: resources before links, some of them at a time.
    /// How many were. What cannot be made again now is tried again later.
    async fn recreate_all(self: &Arc<Self>, snapshot: &Snapshot) -> Result<usize, Refusal> {
        if !snapshot.extensions().iter().any(|extension| extension.has_observe() && extension.forgets()) {
            return Ok(0);
        }
        let view = self.read()?;
        let mut recreated = 0;
        let mut told = Instant::now();
        for links in [false, true] {
            let mut asking = JoinSet::new();
            for tenant in occi_store::tenants(&*view)? {
                let mut walk = Walk::new(Set::All);
                while let Some(stored) = walk.next(Entities::new(&*view, &tenant))? {
                    let entity = &stored.entity;
                    if entity.is_link() != links || !is_forgotten(snapshot, entity) {
                        continue;
                    }
                    if asking.len() >= AT_ONCE {
                        recreated += usize::from(asking.join_next().await.is_some_and(was_recreated));
                    }
                    let (core, id) = (Arc::clone(self), entity.id);
                    asking.spawn(async move { core.recreate(id).await });
                    if told.elapsed() >= TELL_EVERY {
                        told = Instant::now();
                        tracing::info!(
                            recreated,
                            links,
                            "what the last run's end has taken is being made again"
                        );
                    }
                }
            }
            while let Some(outcome) = asking.join_next().await {
                recreated += usize::from(was_recreated(outcome));
            }
        }
        Ok(recreated)
    }

    /// Has one entity's things made again. Whether they were.
    async fn recreate(&self, id: Uuid) -> bool {
        match self.ask_one(id, Cause::Recreate).await.failed {
            None => true,
            Some(refusal) => {
                self.observations.put_back(id, Cause::Recreate, 0, &refusal);
                false
            }
        }
    }
}

/// Whether an extension says that something outside has failed, as what is about to go by itself does.
fn is_for_now(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Extension(CallError::Refused { .. })) && !is_final_no(refusal)
}

/// Whether a capability has forgotten what one of those who observe the entity made for it.
fn is_forgotten(snapshot: &Snapshot, entity: &Entity) -> bool {
    snapshot.observers(entity).iter().any(|(_, extension)| extension.forgets())
}

fn was_recreated(outcome: Result<bool, JoinError>) -> bool {
    outcome.unwrap_or_else(|error| {
        tracing::error!("the recovery of an entity ended abnormally: {error}");
        false
    })
}

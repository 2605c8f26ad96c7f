//! Changes of entities that are there: what the extensions do for them, how it is undone, and what is committed of it.

use crate::allowance::Claim;
use crate::changes::Changes;
use crate::core::Core;
use crate::effect::{Effects, Found, is_final_no};
use crate::intent::Verb;
use crate::observer::Cause;
use crate::{Refusal, Snapshot};
use occi_model::{Entity, Location, Updated};
use occi_store::{Entities, Stored};
use std::collections::HashSet;
use uuid::Uuid;

/// Why entities were not changed. None of them was.
pub(crate) struct Unaltered {
    /// The path of the one that refused, where it was one.
    pub(crate) at: Option<Location>,
    pub(crate) refusal: Refusal,
}

impl From<Refusal> for Unaltered {
    fn from(refusal: Refusal) -> Self {
        Self { at: None, refusal }
    }
}

/// Lets the extensions do what updates mean, and commits them: all or none. The entities are locked.
pub(crate) async fn all(
    core: &Core,
    snapshot: &Snapshot,
    updates: Vec<(Stored, Updated)>,
) -> Result<(), Unaltered> {
    let mut changes = Changes::new(snapshot);
    let alteration = Alteration::begin(core, snapshot, updates, &mut changes).await?;
    alteration.finish(core, &mut changes);
    if !changes.is_empty()
        && let Err(refusal) = core.commit_changes(changes).await
    {
        alteration.undo(core).await;
        return Err(refusal.into());
    }
    alteration.settle(core);
    Ok(())
}

/// Updates for which the extensions have done their part, and which are not committed yet.
pub(crate) struct Alteration<'a> {
    effects: Effects<'a>,
    updates: Vec<(Stored, Updated)>,
    intent: Option<Uuid>,
    /// What the entities take more of what their tenant may have.
    _claim: Claim,
}

impl<'a> Alteration<'a> {
    /// Lets the extensions do their part, and adds the entities to what is to be committed. Where one refuses, what the
    /// others did is undone.
    pub(crate) async fn begin(
        core: &Core,
        snapshot: &'a Snapshot,
        updates: Vec<(Stored, Updated)>,
        changes: &mut Changes<'_>,
    ) -> Result<Self, Unaltered> {
        Self::after(core, snapshot, Found::default(), updates, changes).await
    }

    /// The same, after other calls of the request.
    pub(crate) async fn after(
        core: &Core,
        snapshot: &'a Snapshot,
        found: Found,
        updates: Vec<(Stored, Updated)>,
        changes: &mut Changes<'_>,
    ) -> Result<Self, Unaltered> {
        for (stored, updated) in &updates {
            // A tag may bring what does not serve now.
            let at = || Some(stored.entity.location.clone());
            snapshot.check_loaded(&updated.entity).map_err(|refusal| Unaltered { at: at(), refusal })?;
        }
        let becoming = updates.iter().map(|(stored, updated)| (Some(&*stored.entity), &updated.entity));
        let claim = core.allowances.claim(|| core.read(), snapshot, becoming)?;
        let operation = Uuid::new_v4();
        let lasts = updates.iter().any(|(stored, updated)| {
            Effects::lasts(snapshot, &stored.entity) || Effects::lasts(snapshot, &updated.entity)
        });
        if lasts {
            core.intend(
                operation,
                Verb::Change,
                updates.iter().flat_map(|(stored, updated)| concerned(stored, updated)),
            )
            .await?;
        }
        let effects = Effects::new(core, snapshot, operation).after(found);
        let intent = lasts.then_some(operation);
        let mut alteration = Self { effects, updates, intent, _claim: claim };
        for number in 0..alteration.updates.len() {
            let (stored, updated) = &alteration.updates[number];
            let outcome = effect(core, snapshot, &mut alteration.effects, changes, stored, updated).await;
            if let Err(refusal) = outcome {
                let at = Some(stored.entity.location.clone());
                // It has undone its own part.
                alteration.take_back(core, number, Some(number).filter(|_| !is_final_no(&refusal))).await;
                return Err(Unaltered { at, refusal });
            }
        }
        Ok(alteration)
    }

    /// Adds what the extensions keep and the end of the intent to what is to be committed.
    pub(crate) fn finish(&self, core: &Core, changes: &mut Changes<'_>) {
        if let Some((stored, _)) = self.updates.first() {
            changes.write(&stored.entity.tenant, &self.effects.writes);
        }
        core.keep_wishes(changes, &self.effects.again);
        changes.strike(self.intent);
    }

    /// It is committed.
    pub(crate) fn settle(self, core: &Core) {
        core.schedule(&self.effects.again);
    }

    /// It cannot be committed.
    pub(crate) async fn undo(self, core: &Core) {
        let begun = self.updates.len();
        self.take_back(core, begun, None).await;
    }

    /// Undoes the first of the updates. One more may have left something `unclear`.
    async fn take_back(mut self, core: &Core, begun: usize, unclear: Option<usize>) {
        for (stored, updated) in self.updates[..begun].iter().rev() {
            take_back(&mut self.effects, &stored.entity, updated).await;
        }
        let ended = |(stored, updated): &&(Stored, Updated)| stored.entity.ends != updated.entity.ends;
        let anew = self.updates.iter().take(begun + 1).filter(ended);
        let unclear = unclear.and_then(|number| self.updates.get(number));
        let ids = anew.chain(unclear).map(|(stored, _)| stored.entity.id);
        // What could not be taken back is mended by the extension, which makes what the entity says; and what was made
        // again may have another name outside.
        for id in ids.chain(self.effects.left_behind.iter().map(|entity| entity.id)).collect::<HashSet<_>>() {
            core.observe(id, Cause::Restart);
        }
        let Some(operation) = self.intent else { return };
        let left = &self.effects.left_behind;
        if left.is_empty() {
            core.strike(operation).await;
        } else {
            // The intent tells what is to be ended once that can be done.
            core.left.note(operation, Verb::Change, left);
        }
    }
}

/// What an intent tells of an update: the entity as it was, which is asked after a crash; and as it was to be, where the
/// extensions may have begun something for it that nothing else would find: at other ends, or for a Mixin.
fn concerned<'a>(stored: &'a Stored, updated: &'a Updated) -> impl Iterator<Item = &'a Entity> {
    let begins = stored.entity.ends != updated.entity.ends || !updated.gained.is_empty();
    std::iter::once(&*stored.entity).chain(begins.then_some(&updated.entity))
}

/// What the extensions do for one update, and what is to be committed of it.
async fn effect(
    core: &Core,
    snapshot: &Snapshot,
    effects: &mut Effects<'_>,
    changes: &mut Changes<'_>,
    stored: &Stored,
    updated: &Updated,
) -> Result<(), Refusal> {
    let before = &stored.entity;
    let after = if before.ends == updated.entity.ends {
        effects.update(before, updated).await?
    } else {
        touch_sources(core, changes, before, &updated.entity)?;
        retarget(effects, before, updated.entity.clone()).await?
    };
    changes.require_tags(&*core.read()?, &after)?;
    changes.replace(stored, &after, snapshot.maker(&after).as_ref())
}

/// A link with other ends is another link to its extension: it ends at the old ones and begins at the new ones. What can
/// be refused beforehand is, since who ends and begins again may not be the same.
async fn retarget(effects: &mut Effects<'_>, before: &Entity, after: Entity) -> Result<Entity, Refusal> {
    effects.ask_about_ends(before, &after).await?;
    effects.delete(before).await?;
    match effects.create(after).await {
        Ok(after) => Ok(after),
        Err(refusal) => {
            let undone =
                if effects.is_stuck { Ok(false) } else { effects.create(before.clone()).await.map(|_| true) };
            effects.note_undone(before, "a refused update", undone);
            Err(refusal)
        }
    }
}

/// What a client sees of a resource changes when a link leaves it or comes to it.
fn touch_sources(
    core: &Core,
    changes: &mut Changes<'_>,
    before: &Entity,
    after: &Entity,
) -> Result<(), Refusal> {
    let view = core.read()?;
    let ids: HashSet<Uuid> =
        [before, after].into_iter().filter_map(|link| Some(link.ends.as_ref()?.source_id)).collect();
    for id in ids {
        if let Some(source) = Entities::new(&*view, &before.tenant).get(id)? {
            changes.touch(&source)?;
        }
    }
    Ok(())
}

/// Undoes what a part of the roles did before another refused.
async fn take_back(effects: &mut Effects<'_>, before: &Entity, updated: &Updated) {
    if effects.is_stuck {
        return effects.note_undone(before, "a refused update", Ok(false));
    }
    let outcome = if before.ends == updated.entity.ends {
        let names = updated.wanted.keys().chain(&updated.cleared);
        let backwards = Updated {
            entity: Entity::clone(before),
            wanted: names.filter_map(|name| Some((name.clone(), before.get(name.as_str())?))).collect(),
            cleared: updated
                .wanted
                .keys()
                .filter(|name| before.get(name.as_str()).is_none())
                .cloned()
                .collect(),
            gained: updated.lost.clone(),
            lost: updated.gained.clone(),
        };
        effects.update(&updated.entity, &backwards).await
    } else {
        match effects.delete(&updated.entity).await {
            Ok(()) => effects.create(before.clone()).await,
            Err(refusal) => Err(refusal),
        }
    };
    effects.note_undone(before, "a refused update", outcome.map(|_| true));
}

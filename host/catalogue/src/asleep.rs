//! What does not serve is not lost: its entities stay its own, and its schemes its publisher's.

use crate::catalogue::{Catalogue, Entry, Known};
use crate::record::Said;
use crate::refused::Refused;
use occi_extension::Extension;
use occi_model::{AttributeName, CategoryId, Location};
use occi_operation::{CannotReplace, Claims, SnapshotError, an_entity_of};
use occi_store::Batch;
use std::collections::HashSet;
use std::sync::Arc;

impl Catalogue {
    /// That one which does not serve has no entities, but for those that another serves. Of one that serves, that is asked
    /// where it is taken out of service.
    pub(crate) fn check_has_none(&self, name: &str) -> Result<(), Refused> {
        match self.an_entity_of(self.left_by(name))? {
            Some(such_as) => Err(Refused::HasEntities { such_as }),
            None => Ok(()),
        }
    }

    /// That one which is about to serve knows all that was left under its name, and names nothing in a scheme of another
    /// publisher whose extension does not serve now. Those in its way are about to go.
    pub(crate) fn check_leaves_all(&self, next: &Extension, in_its_way: &[Arc<str>]) -> Result<(), Refused> {
        for (name, said) in self.known().asleep() {
            let is_another = name != next.name() && !in_its_way.contains(name);
            if let Some(scheme) = said.scheme_taken_by(next).filter(|_| is_another) {
                return Err(Refused::Replace(CannotReplace::Clash(SnapshotError::Scheme {
                    scheme,
                    owner: Arc::clone(name),
                    owners: said.publisher.clone(),
                    extension: Arc::clone(next.name()),
                    theirs: next.manifest().publisher.clone(),
                })));
            }
        }
        let known = next.types();
        let left = self.left_by(next.name()).into_iter().filter(|id| !known.contains(id));
        match self.an_entity_of(left.collect())? {
            Some(such_as) => Err(Refused::Drops { such_as }),
            None => Ok(()),
        }
    }

    /// Tells those who wait for it that what is known has changed, and operations what extensions have for themselves.
    pub(crate) fn tell_news(&self) {
        self.tell_claims();
        self.news.notify_one();
    }

    fn tell_claims(&self) {
        let mut claims = Claims::default();
        let known = self.known();
        for (name, said) in known.installed().chain(known.removed()) {
            claims.add(name, said.schemes(), said.types());
        }
        self.core.set_claims(claims);
    }

    /// What one that does not serve has defined.
    fn left_by(&self, name: &str) -> Vec<CategoryId> {
        self.known().said_by(name).map(Said::types).unwrap_or_default()
    }

    /// The attributes that those have declared which do not serve and whose entities one would have: it did itself, by its name,
    /// or it takes another's Kinds or Mixins.
    pub(crate) fn attributes_left_to(&self, next: &Extension) -> HashSet<AttributeName> {
        let types: HashSet<_> = next.types().into_iter().collect();
        let known = self.known();
        let before = known
            .asleep()
            .filter(|(name, said)| *name == next.name() || said.types().iter().any(|id| types.contains(id)));
        before.flat_map(|(_, said)| said.attributes()).collect()
    }

    /// Nothing is kept of extensions that were removed once the last of the entities is gone that they have left.
    pub async fn forget_removed(self: &Arc<Self>) -> Result<(), Refused> {
        {
            let _changing = self.changing.lock().await;
            self.forget_ended().await?;
        }
        // They may have been in the way.
        self.try_again();
        Ok(())
    }

    /// The same while nothing else is changed.
    pub(crate) async fn forget_ended(&self) -> Result<(), Refused> {
        let removed: Vec<_> =
            self.known().removed().map(|(name, said)| (Arc::clone(name), said.types())).collect();
        for (name, types) in removed {
            if self.an_entity_of(types)?.is_some() {
                continue;
            }
            let mut batch = Batch::new();
            occi_store::delete_extension(&mut batch, &name);
            let committed = self.tending.store.commit(batch).await;
            committed.map_err(|error| Refused::Internal(error.to_string()))?;
            self.known().removed.remove(&name);
        }
        self.tell_news();
        Ok(())
    }

    /// An entity of these Kinds and Mixins that no extension serves, and no client has defined.
    fn an_entity_of(&self, mut types: Vec<CategoryId>) -> Result<Option<Location>, Refused> {
        let snapshot = self.core.snapshot();
        types.retain(|id| !snapshot.knows(id));
        let found = self.tending.store.read().and_then(|view| an_entity_of(&*view, &types));
        found.map_err(|error| Refused::Internal(error.to_string()))
    }
}

impl Known {
    fn installed(&self) -> impl Iterator<Item = (&Arc<str>, &Said)> {
        self.entries.iter().map(|(name, entry)| (name, &entry.record.said))
    }

    fn removed(&self) -> impl Iterator<Item = (&Arc<str>, &Said)> {
        self.removed.iter()
    }

    /// What was said by those that do not serve.
    fn asleep(&self) -> impl Iterator<Item = (&Arc<str>, &Said)> {
        let is_active = |name: &str| self.entries.get(name).is_some_and(Entry::is_active);
        self.installed().filter(move |(name, _)| !is_active(name)).chain(self.removed())
    }

    fn said_by(&self, name: &str) -> Option<&Said> {
        self.asleep().find(|(other, _)| &***other == name).map(|(_, said)| said)
    }
}

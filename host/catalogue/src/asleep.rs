//! What does not serve is not lost: its entities stay its own, and its schemes its publisher's.

use crate::catalogue::Catalogue;
use crate::refused::Refused;
use occi_extension::Extension;
use occi_model::{CategoryId, Location};
use occi_operation::{CannotReplace, SnapshotError, an_entity_of};
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
        for (name, entry) in &self.known().entries {
            let is_another = name != next.name() && !in_its_way.contains(name) && !entry.is_active();
            let said = &entry.record.said;
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

    /// Tells those who wait for it that what is known has changed, and keeps clients from the schemes of all extensions, those
    /// too that do not serve.
    pub(crate) fn tell_news(&self) {
        self.keep_schemes();
        self.news.notify_one();
    }

    pub(crate) fn keep_schemes(&self) {
        let known = self.known();
        let of_all = known
            .entries
            .iter()
            .flat_map(|(name, entry)| entry.record.said.schemes().map(|scheme| (scheme, Arc::clone(name))));
        self.core.keep_schemes(of_all);
    }

    /// What one that does not serve has defined.
    fn left_by(&self, name: &str) -> Vec<CategoryId> {
        match self.known().entries.get(name) {
            Some(entry) if !entry.is_active() => entry.record.said.types(),
            _ => Vec::new(),
        }
    }

    /// An entity of these Kinds and Mixins that no extension serves.
    fn an_entity_of(&self, mut types: Vec<CategoryId>) -> Result<Option<Location>, Refused> {
        let snapshot = self.core.snapshot();
        types.retain(|id| !snapshot.defines(id));
        let found = self.tending.store.read().and_then(|view| an_entity_of(&*view, &types));
        found.map_err(|error| Refused::Internal(error.to_string()))
    }
}

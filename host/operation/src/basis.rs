//! What an answer was made of, so that whoever keeps the answer can ask whether it is still the one to give.

use crate::core::Core;
use crate::{Caller, Snapshot};
use occi_store::{Entities, Revision, StoreError, Stored};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use uuid::Uuid;

/// The snapshot and the entities that an answer shows.
#[derive(Debug)]
pub struct Basis {
    /// Weak, so that an answer which nobody asks for any more keeps no extension alive.
    snapshot: Weak<Snapshot>,
    /// The revision of the store at which it was last found to hold.
    seen: AtomicU64,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    /// Whatever is stored.
    All,
    /// An entity and its links. Which links there are is a matter of the entity's own revision, since a link that comes
    /// or goes writes its resource anew.
    These(Vec<(Uuid, Revision)>),
}

impl Basis {
    pub(crate) fn new(snapshot: &Arc<Snapshot>, seen: Revision, stored: &Stored, links: &[Stored]) -> Self {
        let parts = std::iter::once(stored).chain(links).map(|part| (part.entity.id, part.revision));
        Self { snapshot: Arc::downgrade(snapshot), seen: seen.0.into(), parts: Parts::These(parts.collect()) }
    }

    /// Of what may change with every commit.
    pub(crate) fn of_all(snapshot: &Arc<Snapshot>, seen: Revision) -> Self {
        Self { snapshot: Arc::downgrade(snapshot), seen: seen.0.into(), parts: Parts::All }
    }
}

impl Core {
    /// Whether an answer with that basis is what the caller would get now. Where the store cannot be read it is not
    /// known to be, so whoever makes the answer anew will say why.
    pub fn holds(&self, caller: &Caller, basis: &Basis) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.snapshot.load()), basis.snapshot.as_ptr())
            && self.has_parts(caller, basis).unwrap_or(false)
    }

    fn has_parts(&self, caller: &Caller, basis: &Basis) -> Result<bool, StoreError> {
        let view = self.read()?;
        // Most often nothing at all was written since.
        if view.revision().0 == basis.seen.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let Parts::These(parts) = &basis.parts else { return Ok(false) };
        let entities = Entities::new(&*view, &caller.tenant);
        for (id, revision) in parts {
            if entities.revision(*id)? != Some(*revision) {
                return Ok(false);
            }
        }
        basis.seen.store(view.revision().0, Ordering::Relaxed);
        Ok(true)
    }
}

//! The end of entities whose extension serves no more, which an administrator asks for: no client can end them. What their
//! extension made outside stays; nobody else knows how to end it.

use crate::changes::Changes;
use crate::core::Core;
use crate::delete::doom;
use crate::{Caller, Condition, Refusal};
use occi_model::{CategoryId, Location};
use occi_store::{Entities, Portion, Set};

impl Core {
    /// Forgets the entity at a path, and its links. [`Refusal::Conflict`] where an extension defines its Kind, or that of one of
    /// the links: that is deleted like any other.
    pub async fn forget(&self, caller: &Caller, path: &Location) -> Result<(), Refusal> {
        let snapshot = self.snapshot();
        let (_held, doomed) = doom(self, caller, path, &Condition::None).await?;
        for stored in &doomed.entities {
            if snapshot.check_loaded(&stored.entity).is_ok() {
                let (location, kind) = (&stored.entity.location, &stored.entity.kind);
                return Err(Refusal::Conflict(format!(
                    "an extension defines {kind}, so {location} is not forgotten; it can be deleted by a plain request"
                )));
            }
        }
        let mut changes = Changes::new(&snapshot);
        doomed.remove(&mut changes)?;
        self.commit_end(changes, None, doomed.entities.iter().map(|stored| stored.entity.id)).await
    }

    /// The same of all entities of a Kind; how many they were.
    pub async fn forget_all(&self, caller: &Caller, kind: &CategoryId) -> Result<usize, Refusal> {
        let mut forgotten = 0;
        loop {
            let next = {
                let view = self.read()?;
                let first = Entities::new(&*view, &caller.tenant)
                    .list(Set::Category(kind), &Portion::page(None, 1))?;
                first.items.into_iter().next().map(|stored| stored.entity.location.clone())
            };
            let Some(path) = next else { return Ok(forgotten) };
            match self.forget(caller, &path).await {
                // It went meanwhile.
                Err(Refusal::NotFound(_)) => {}
                outcome => {
                    outcome?;
                    forgotten += 1;
                }
            }
        }
    }
}

//! Since when what an extension defines is as it is. A new version that breaks what the old one made changes it; an
//! operation that was checked against the old definitions and comes to its end only then must not be committed, and one
//! that has not begun must not begin.

use occi_store::{ReadView, Revision, StoreError};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The revision of each extension's definitions, as those who are about to use an older one can see.
#[derive(Debug, Default)]
pub(crate) struct Definitions(Mutex<HashMap<Arc<str>, Arc<AtomicU64>>>);

/// The definitions of one extension, as a snapshot has them.
#[derive(Debug, Clone)]
pub(crate) struct Since {
    /// None if they were never changed so.
    pub(crate) revision: Option<Revision>,
    latest: Arc<AtomicU64>,
}

impl Definitions {
    /// As they are now.
    pub(crate) fn since(&self, view: &dyn ReadView, extension: &Arc<str>) -> Result<Since, StoreError> {
        let revision = occi_store::definitions(view, extension)?;
        let latest = self.handle(extension);
        latest.fetch_max(number(revision), Ordering::SeqCst);
        Ok(Since { revision, latest })
    }

    /// They were changed by a commit. From here on, what was checked against the old ones does not begin.
    pub(crate) fn changed(&self, extension: &Arc<str>, revision: Revision) {
        self.handle(extension).fetch_max(number(Some(revision)), Ordering::SeqCst);
    }

    fn handle(&self, extension: &Arc<str>) -> Arc<AtomicU64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(Arc::clone(extension)).or_default())
    }
}

impl Since {
    /// Whether they were changed meanwhile.
    pub(crate) fn is_past(&self) -> bool {
        self.latest.load(Ordering::SeqCst) != number(self.revision)
    }
}

/// No commit has the revision 0.
fn number(revision: Option<Revision>) -> u64 {
    revision.map_or(0, |revision| revision.0)
}

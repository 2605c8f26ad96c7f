//! Collections: of a Kind, of a Mixin, of all below a path; filtered, and in pages (HTTP-12 to HTTP-17).

use crate::core::Core;
use crate::retrieve::{links, show};
use crate::{Caller, Collection, Page, Refusal, Reply, Snapshot};
use occi_model::{Filter, Location, Representation};
use occi_store::{Entities, Portion, ReadView, Set, Stored};

/// The members of a collection, in the order in which the store has them.
pub(crate) fn list(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    collection: &Collection,
    filter: &Filter,
    page: Option<Page>,
) -> Result<Reply, Refusal> {
    if page.is_some_and(|page| page.number > Page::MAX) {
        return Err(Refusal::PageTooLarge { limit: Page::MAX });
    }
    let (skip, take) = match page {
        Some(page) if page.page == 0 || page.number == 0 => {
            return Err(Refusal::Invalid("pages count from 1, and a page holds at least 1 entity".into()));
        }
        Some(page) => ((page.page - 1).saturating_mul(page.number), page.number),
        None => (0, usize::MAX),
    };
    let view = core.read()?;
    collection.check(&*view, snapshot, caller)?;
    let mut views = Vec::new();
    let mut passed = 0_usize;
    let mut walk = Walk::new(collection.set());
    while let Some(stored) = walk.next(Entities::new(&*view, &caller.tenant))? {
        if !filter.matches(snapshot.registry(), &stored.entity) {
            continue;
        }
        passed += 1;
        if passed > skip {
            let links = links(&*view, &stored.entity)?;
            views.push(show(snapshot, &stored, &links));
        }
        if views.len() == take {
            break;
        }
    }
    Ok(Reply::new(Representation::Collection(views)))
}

/// The paths of all members at this moment.
pub(crate) fn members(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    collection: &Collection,
) -> Result<Vec<Location>, Refusal> {
    let view = core.read()?;
    collection.check(&*view, snapshot, caller)?;
    let found = Entities::new(&*view, &caller.tenant).locations(collection.set(), &Portion::default())?;
    Ok(found.items.into_iter().map(|member| member.location).collect())
}

impl Collection {
    /// A path is a namespace where an entity or the location of a category is below it (H11-02); else there is nothing,
    /// and most often it is the misspelt location of a Kind.
    fn check(&self, view: &dyn ReadView, snapshot: &Snapshot, caller: &Caller) -> Result<(), Refusal> {
        let Self::Space(path) = self else { return Ok(()) };
        let registry = snapshot.registry();
        let of_kinds = registry.kinds().iter().filter_map(|kind| kind.kind.location.as_ref());
        let of_mixins = registry.mixins().iter().map(|mixin| &mixin.mixin.location);
        let is_above = |location: &Location| location.as_str().starts_with(path.as_str());
        let one = Portion::page(None, 1);
        if path.as_str() == "/"
            || of_kinds.chain(of_mixins).any(is_above)
            || !Entities::new(view, &caller.tenant).locations(self.set(), &one)?.items.is_empty()
        {
            return Ok(());
        }
        Err(Refusal::NotFound(path.clone()))
    }

    fn set(&self) -> Set<'_> {
        match self {
            Self::Kind(id) | Self::Mixin(id) => Set::Category(id),
            Self::Space(path) => Set::Below(path),
        }
    }
}

/// The entities of a set one after the other, some of them read at a time.
pub(crate) struct Walk<'a> {
    set: Set<'a>,
    read: std::vec::IntoIter<Stored>,
    next: Option<Portion>,
}

impl<'a> Walk<'a> {
    const AT_ONCE: usize = 256;

    pub(crate) fn new(set: Set<'a>) -> Self {
        Self { set, read: Vec::new().into_iter(), next: Some(Portion::page(None, Self::AT_ONCE)) }
    }

    /// The next one of a view, which is the same at each call.
    pub(crate) fn next(&mut self, entities: Entities<'_>) -> Result<Option<Stored>, Refusal> {
        loop {
            if let Some(stored) = self.read.next() {
                return Ok(Some(stored));
            }
            let Some(portion) = self.next.take() else { return Ok(None) };
            let page = entities.list(self.set, &portion)?;
            self.read = page.items.into_iter();
            self.next = page.next.map(|cursor| Portion::page(Some(cursor), Self::AT_ONCE));
        }
    }
}

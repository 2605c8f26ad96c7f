//! Collections: of a Kind, of a Mixin, of all below a path; filtered, and in pages (HTTP-12 to HTTP-17).

use crate::basis::Basis;
use crate::core::Core;
use crate::retrieve::{links, show};
use crate::{Caller, Collection, Page, Refusal, Snapshot};
use occi_model::{CategoryId, Entity, Filter, Location, Nature, Registry, View};
use occi_store::{Entities, Portion, ReadView, Revision, Set, Store, StoreError, Stored};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A collection as it is at one moment, read some members at a time, so that one of any size takes little memory. Its
/// order is that in which the store has the members, and is stable.
pub struct Listing {
    snapshot: Arc<Snapshot>,
    moment: Moment,
    tenant: Arc<str>,
    collection: Collection,
    /// Where it is a path above locations of Mixins: those Mixins, whose members belong to it too (HTTP-04).
    mixins: Vec<CategoryId>,
    filter: Filter,
    skip: usize,
    take: usize,
    place: Place,
}

/// The moment that a listing shows.
struct Moment {
    store: Arc<dyn Store>,
    /// The store keeps whatever was written since a view was opened, so it is let go where it lasts too long.
    view: Arc<Mutex<Option<Arc<dyn ReadView>>>>,
    first: Revision,
    /// How long a view may be kept; for ever where it is not said.
    longest: Option<Duration>,
}

impl Moment {
    fn new(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let view = store.read()?;
        let first = view.revision();
        Ok(Self { store, view: Arc::new(Mutex::new(Some(view))), first, longest: None })
    }

    /// The moment that is being read; the present one where that was let go.
    fn view(&self) -> Result<Arc<dyn ReadView>, StoreError> {
        let mut kept = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = &*kept {
            return Ok(Arc::clone(view));
        }
        let view = self.store.read()?;
        *kept = Some(Arc::clone(&view));
        self.count_down();
        Ok(view)
    }

    fn count_down(&self) {
        let Some(longest) = self.longest else { return };
        let view = Arc::downgrade(&self.view);
        tokio::spawn(async move {
            tokio::time::sleep(longest).await;
            if let Some(view) = view.upgrade() {
                view.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        });
    }
}

/// How far a listing has come.
struct Place {
    /// What to read next; none where all is read.
    next: Option<Portion>,
    skip: usize,
    take: usize,
}

impl Listing {
    /// So many members are read at a time.
    pub const AT_ONCE: usize = 256;

    pub(crate) fn new(
        core: &Core,
        snapshot: Arc<Snapshot>,
        caller: &Caller,
        collection: Collection,
        filter: Filter,
        page: Option<Page>,
    ) -> Result<Self, Refusal> {
        let (skip, take) = match page {
            Some(page) if page.number > Page::MAX => {
                return Err(Refusal::PageTooLarge { limit: Page::MAX });
            }
            Some(page) if page.page == 0 || page.number == 0 => {
                return Err(Refusal::Invalid(
                    "pages count from 1, and a page holds at least 1 entity".into(),
                ));
            }
            Some(page) => ((page.page - 1).saturating_mul(page.number), page.number),
            None => (0, usize::MAX),
        };
        filter.check(snapshot.registry()).map_err(|unknown| Refusal::Invalid(unknown.to_string()))?;
        let moment = Moment::new(Arc::clone(&core.store))?;
        collection.check(&*moment.view()?, &snapshot, caller)?;
        let tenant = Arc::clone(&caller.tenant);
        let place = Place::first(skip, take);
        let mixins = collection.mixins_below(snapshot.registry());
        Ok(Self { snapshot, moment, tenant, collection, mixins, filter, skip, take, place })
    }

    /// Some of the next members in full; none at the end. There may be fewer than are read at a time, and none of
    /// them, where a filter lets few pass.
    pub fn views(&mut self) -> Result<Option<Vec<View>>, Refusal> {
        let view = self.moment.view()?;
        let Some(stored) = self.step(&*view, |entities, set, portion| entities.list(set, portion))? else {
            return Ok(None);
        };
        let mut views = Vec::with_capacity(stored.len());
        for stored in stored {
            if self.passes(&stored.entity) {
                views.push(show(&self.snapshot, &stored, &links(&*view, &stored.entity)?));
            }
        }
        Ok(Some(views))
    }

    /// Like [`Listing::views`], but the locations alone, which cost a tenth where there is no filter.
    pub fn locations(&mut self) -> Result<Option<Vec<Location>>, Refusal> {
        let view = self.moment.view()?;
        if self.is_whole() {
            let members = self.step(&*view, |entities, set, portion| entities.locations(set, portion))?;
            return Ok(members.map(|members| members.into_iter().map(|member| member.location).collect()));
        }
        let Some(mut stored) = self.step(&*view, |entities, set, portion| entities.list(set, portion))?
        else {
            return Ok(None);
        };
        stored.retain(|stored| self.passes(&stored.entity));
        Ok(Some(stored.into_iter().map(|stored| stored.entity.location.clone()).collect()))
    }

    fn step<T>(
        &mut self,
        view: &dyn ReadView,
        read: impl FnOnce(Entities<'_>, Set<'_>, &Portion) -> Result<occi_store::Page<T>, StoreError>,
    ) -> Result<Option<Vec<T>>, Refusal> {
        let Some(mut portion) = self.place.next.take().filter(|_| self.place.take > 0) else {
            return Ok(None);
        };
        let is_whole = self.is_whole();
        if is_whole {
            portion.skip = std::mem::take(&mut self.place.skip);
            portion.limit = Some(self.place.take.min(Self::AT_ONCE));
        }
        let page = read(Entities::new(view, &self.tenant), self.collection.set(&self.mixins), &portion)?;
        self.place.next = page.next.map(|cursor| Portion::page(Some(cursor), Self::AT_ONCE));
        if is_whole {
            self.place.take -= page.items.len();
        }
        Ok(Some(page.items))
    }

    /// Whether the filter lets an entity pass, and it is on the page.
    fn passes(&mut self, entity: &Entity) -> bool {
        if self.is_whole() {
            return true;
        }
        let (place, registry) = (&mut self.place, self.snapshot.registry());
        let is_member = self.collection.has(&self.mixins, entity);
        if place.take == 0 || !is_member || !self.filter.matches(registry, entity) {
            return false;
        }
        // Of those who pass, some are on earlier pages.
        let is_skipped = place.skip > 0;
        if is_skipped {
            place.skip -= 1;
        } else {
            place.take -= 1;
        }
        !is_skipped
    }

    /// Whether all that is read is on a page.
    fn is_whole(&self) -> bool {
        self.filter.is_empty() && self.mixins.is_empty()
    }

    /// Whether it is of a Kind of link, so that no member is a resource.
    pub fn is_of_links(&self) -> bool {
        let Collection::Kind(id) = &self.collection else { return false };
        self.snapshot.registry().kind(id).is_some_and(|kind| kind.nature == Nature::Link)
    }

    /// From now on no moment is shown for longer than this: what is left then is read as it is at a later one. For a
    /// reader who may be slow, since as long as somebody reads a moment the store gives back no space that came after it.
    pub fn limit(&mut self, longest: Duration) {
        self.moment.longest = Some(longest);
        self.moment.count_down();
    }

    /// Back to the beginning.
    pub fn rewind(&mut self) {
        self.place = Place::first(self.skip, self.take);
    }

    /// What the listing is made of: all that is stored.
    pub fn basis(&self) -> Basis {
        Basis::of_all(&self.snapshot, self.moment.first)
    }
}
impl Place {
    fn first(skip: usize, take: usize) -> Self {
        Self { next: Some(Portion::page(None, Listing::AT_ONCE)), skip, take }
    }
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
    let (entities, mixins) =
        (Entities::new(&*view, &caller.tenant), collection.mixins_below(snapshot.registry()));
    if mixins.is_empty() {
        let found = entities.locations(collection.set(&mixins), &Portion::default())?;
        return Ok(found.items.into_iter().map(|member| member.location).collect());
    }
    let mut walk = Walk::new(collection.set(&mixins));
    let mut found = Vec::new();
    while let Some(Stored { entity, .. }) = walk.next(entities)? {
        if collection.has(&mixins, &entity) {
            found.push(entity.location.clone());
        }
    }
    Ok(found)
}

/// The path of the entity that a request may mean by one which ends in a slash, and where no collection is.
pub(crate) fn entity_instead(
    view: &dyn ReadView,
    snapshot: &Snapshot,
    caller: &Caller,
    space: &Location,
) -> Result<Option<Location>, Refusal> {
    match Collection::Space(space.clone()).check(view, snapshot, caller) {
        Err(Refusal::NotFound(_)) => {}
        outcome => return outcome.map(|()| None),
    }
    let Ok(path) = Location::parse(space.as_str().trim_end_matches('/')) else { return Ok(None) };
    Ok(Entities::new(view, &caller.tenant).find_by_path(&path)?.map(|_| path))
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
            || !Entities::new(view, &caller.tenant).locations(self.set(&[]), &one)?.items.is_empty()
        {
            return Ok(());
        }
        Err(Refusal::NotFound(path.clone()))
    }

    /// The Mixins whose collections are below a path, where the entities below it are not all that there are.
    pub(crate) fn mixins_below(&self, registry: &Registry) -> Vec<CategoryId> {
        let Self::Space(path) = self else { return Vec::new() };
        if path.as_str() == "/" {
            return Vec::new();
        }
        let mixins = registry.mixins().iter().map(|mixin| &mixin.mixin);
        let below = mixins.filter(|mixin| mixin.location.as_str().starts_with(path.as_str()));
        below.map(|mixin| mixin.id.clone()).collect()
    }

    /// What is to be looked through for its members.
    fn set(&self, mixins: &[CategoryId]) -> Set<'_> {
        match self {
            Self::Kind(id) | Self::Mixin(id) => Set::Category(id),
            Self::Space(_) if !mixins.is_empty() => Set::All,
            Self::Space(path) => Set::Below(path),
        }
    }

    /// Whether an entity that was found there is a member.
    fn has(&self, mixins: &[CategoryId], entity: &Entity) -> bool {
        let Self::Space(path) = self else { return true };
        mixins.is_empty()
            || entity.location.as_str().starts_with(path.as_str())
            || entity.mixins.iter().any(|id| mixins.contains(id))
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

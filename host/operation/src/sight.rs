//! What extensions see of other entities of the tenant: the store at the moment in which the first call of an operation looked.
//! Members of a collection that are called side by side look each for itself. And which links extensions may have.

mod links;

pub(crate) use links::links;

use crate::effect::subject;
use occi_extension::{EntityListing, EntitySet, EntityView, Extension, Fault, LinkOrder, Subject};
use occi_model::{Attributes, CategoryId, Entity, Location, Registry};
use occi_store::{Entities, Portion, ReadView, Set, Store, Stored};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The extensions by what they define.
pub(crate) type ByCategory = HashMap<CategoryId, Arc<Extension>>;

/// A moment of the store that is chosen when it is first looked at.
pub(crate) struct Moment {
    store: Arc<dyn Store>,
    view: OnceLock<Arc<dyn ReadView>>,
}

impl Moment {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, view: OnceLock::new() }
    }

    fn view(&self) -> Result<Arc<dyn ReadView>, Fault> {
        if let Some(view) = self.view.get() {
            return Ok(Arc::clone(view));
        }
        let view = self.store.read().map_err(unreadable)?;
        Ok(Arc::clone(self.view.get_or_init(|| view)))
    }
}

/// What one extension sees of a tenant's entities.
#[derive(Clone)]
pub(crate) struct Sight {
    pub(crate) moment: Arc<Moment>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) by_category: Arc<ByCategory>,
    pub(crate) extension: Arc<Extension>,
    pub(crate) tenant: Arc<str>,
    /// From how many orders of links the call stems.
    pub(crate) depth: u8,
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sight({})", self.extension.name())
    }
}

impl Sight {
    fn is_own(&self, category: &CategoryId) -> bool {
        let found = self.by_category.get(category);
        found.is_some_and(|found| found.name() == self.extension.name())
    }

    /// Whether it may read the entities of a Kind.
    fn reads_kind(&self, kind: &CategoryId) -> bool {
        let line = self.registry.kind(kind).map_or(&[][..], |kind| &kind.ancestors);
        let keys = &self.extension.manifest().own_keys;
        let is_named = |id: &CategoryId| keys.texts("entities", "kinds").any(|kind| kind == id.as_str());
        line.iter().any(|id| self.is_own(id) || is_named(id))
    }

    fn reads(&self, entity: &Entity) -> bool {
        self.reads_kind(&entity.kind) || self.registry.mixins_of(entity).any(|id| self.is_own(id))
    }

    /// Whether it stands for something of the server itself, which is nobody's to see.
    fn is_hidden(&self, kind: &CategoryId) -> bool {
        self.by_category.get(kind).is_some_and(|extension| extension.administers())
    }

    /// What is at a location, be it for the extension to read or not.
    fn at(&self, location: &str) -> Result<Arc<Entity>, Fault> {
        let missing = || Fault::new("missing", format!("there is nothing at {location}"));
        let path = Location::parse(location).map_err(|invalid| Fault::new("invalid", invalid.to_string()))?;
        let view = self.moment.view()?;
        let found = Entities::new(&*view, &self.tenant).find_by_path(&path).map_err(unreadable)?;
        Ok(found.filter(|found| !self.is_hidden(&found.entity.kind)).ok_or_else(missing)?.entity)
    }

    fn denied(&self, kind: &CategoryId) -> Fault {
        Fault::new(
            "denied",
            format!(
                "the extension {} does not read entities of {kind}; add that to `kinds` below [capabilities.entities] in its \
                 manifest",
                self.extension.name()
            ),
        )
    }
}

impl EntityView for Sight {
    fn find(&self, location: &str) -> Result<Subject, Fault> {
        let entity = self.at(location)?;
        if self.reads(&entity) { Ok(subject(&self.registry, entity)) } else { Err(self.denied(&entity.kind)) }
    }

    fn list(&self, set: EntitySet) -> Result<Box<dyn EntityListing>, Fault> {
        if let EntitySet::Members(id) = &set {
            let is_kind = self.registry.kind(id).is_some();
            if !is_kind && self.registry.mixin(id).is_none() {
                return Err(Fault::new(
                    "invalid",
                    format!("there is no Kind and no Mixin {id} on this server"),
                ));
            }
            if is_kind && !self.reads_kind(id) {
                return Err(self.denied(id));
            }
        }
        let sight = self.clone();
        Ok(Box::new(Seen { sight, view: self.moment.view()?, set, next: Some(Portion::default()) }))
    }

    fn link(
        &self,
        from: &Entity,
        kind: &str,
        target: &str,
        attributes: Attributes,
    ) -> Result<LinkOrder, Fault> {
        self.order_link(from, kind, target, attributes)
    }

    fn unlink(&self, from: &Entity, location: &str) -> Result<LinkOrder, Fault> {
        self.order_unlink(from, location)
    }
}

/// The entities of a set, some at a time.
struct Seen {
    sight: Sight,
    view: Arc<dyn ReadView>,
    set: EntitySet,
    /// What to read next; none at the end.
    next: Option<Portion>,
}

impl EntityListing for Seen {
    fn next(&mut self, limit: usize) -> Result<Option<Vec<Subject>>, Fault> {
        let Some(portion) = self.next.take() else { return Ok(None) };
        let set = match &self.set {
            EntitySet::Members(id) => Set::Category(id),
            EntitySet::LinksFrom(id) => Set::LinksFrom(*id),
            EntitySet::LinksTo(id) => Set::LinksTo(*id),
        };
        let entities = Entities::new(&*self.view, &self.sight.tenant);
        let page = entities.list(set, &Portion { limit: Some(limit), ..portion }).map_err(unreadable)?;
        self.next = page.next.map(|cursor| Portion::page(Some(cursor), limit));
        let sight = &self.sight;
        let seen = page.items.into_iter().map(|Stored { entity, .. }| entity);
        let seen = seen.filter(|entity| !sight.is_hidden(&entity.kind) && sight.reads(entity));
        Ok(Some(seen.map(|entity| subject(&sight.registry, entity)).collect()))
    }
}

/// How the store fails is for the operator.
fn unreadable(error: impl fmt::Display) -> Fault {
    tracing::error!(%error, "the entities cannot be read");
    Fault::new("unavailable", "the store cannot be read now")
}

//! What one request sees from beginning to end: all categories, and the extension behind each.

use crate::Caller;
use crate::allowance::Allowances;
use crate::claims::Claims;
use crate::core::StartError;
use crate::definitions::{Definitions, Since};
use crate::refusal::Refusal;
use crate::sight::ByCategory;
use arc_swap::ArcSwap;
use occi_extension::Extension;
use occi_model::registry::{is_same_scheme, place_of_scheme};
use occi_model::{Action, CategoryId, Entity, Kind, Location, Mixin, Registry, RegistryError, Violation};
use occi_store::{Batch, MadeBy, ReadView, StoreError};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The categories and extensions at one moment.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) registry: Arc<Registry>,
    /// By the type identifiers of the Kinds and Mixins that they define.
    pub(crate) by_category: Arc<ByCategory>,
    extensions: Vec<Arc<Extension>>,
    /// By the names of the extensions. One that is not here was never put into service.
    definitions: HashMap<Arc<str>, Since>,
    tags: Vec<Mixin>,
    profiles: Arc<str>,
    /// As it is now, not when this was made.
    claims: Arc<ArcSwap<Claims>>,
    /// What tenants may have at most.
    pub(crate) allowances: Arc<Allowances>,
}

/// Extensions and tags that do not go together.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Categories contradict each other.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Categories(Vec<RegistryError>),
    /// A tag has the name of an extension's category, or hides its path or is hidden by it. Its members would be taken for
    /// members of the other.
    #[error(
        "clients have defined the mixin {id} at {location}, which has the name or the path of a category of an extension; \
         remove it first, by a DELETE at the query interface"
    )]
    Tag {
        /// The tag.
        id: CategoryId,
        /// Where its collection is.
        location: Location,
    },
    /// An extension names something in a scheme that is another publisher's.
    #[error(
        "the scheme {scheme} is {}'s, by the extension {owner}; {extension} is of {}: name its categories in a scheme of its own; where \
         its publisher is the same, say so as `extension.publisher` in its manifest",
        owners.as_deref().unwrap_or("no publisher"),
        theirs.as_deref().unwrap_or("no publisher")
    )]
    Scheme {
        /// The scheme.
        scheme: String,
        /// The extension that had it first.
        owner: Arc<str>,
        /// That one's publisher.
        owners: Option<String>,
        /// The other extension.
        extension: Arc<str>,
        /// That one's publisher.
        theirs: Option<String>,
    },
}

/// An extension that has a part in an entity's life, and the Kind or Mixin for which it has.
pub(crate) type Role = (CategoryId, Arc<Extension>);

impl Snapshot {
    /// Puts extensions and the clients' tags together.
    pub fn new(extensions: Vec<Arc<Extension>>, mut tags: Vec<Mixin>) -> Result<Self, SnapshotError> {
        check_schemes(&extensions)?;
        let mut by_category = HashMap::new();
        let (mut kinds, mut mixins, mut actions) = (Vec::new(), Vec::new(), Vec::new());
        for extension in &extensions {
            let ids = extension.kinds().iter().map(|kind| &kind.id);
            for id in ids.chain(extension.mixins().iter().map(|mixin| &mixin.id)) {
                by_category.insert(id.clone(), Arc::clone(extension));
            }
            kinds.extend_from_slice(extension.kinds());
            mixins.extend_from_slice(extension.mixins());
            for mixin in &*extension.offered() {
                by_category.insert(mixin.id.clone(), Arc::clone(extension));
                mixins.push(mixin.clone());
            }
            actions.extend_from_slice(extension.actions());
        }
        check_tags(&tags, &kinds, &mixins, &actions)?;
        // As the store has them, so that a restart changes nothing.
        tags.sort_by(|one, other| one.id.cmp(&other.id));
        mixins.extend_from_slice(&tags);
        let registry = Registry::new(kinds, &mixins, actions).map_err(SnapshotError::Categories)?;
        let (registry, by_category) = (Arc::new(registry), Arc::new(by_category));
        let (definitions, claims, allowances) = (HashMap::new(), Arc::default(), Arc::default());
        let profiles = profiles(&extensions);
        Ok(Self { registry, by_category, extensions, definitions, tags, profiles, claims, allowances })
    }

    /// The same with the present definitions of its extensions, as one that serves has them.
    pub(crate) fn since(
        mut self,
        definitions: &Definitions,
        claims: &Arc<ArcSwap<Claims>>,
        allowances: &Arc<Allowances>,
        view: &dyn ReadView,
    ) -> Result<Self, StoreError> {
        self.claims = Arc::clone(claims);
        self.allowances = Arc::clone(allowances);
        for extension in &self.extensions {
            let name = extension.name();
            self.definitions.insert(Arc::clone(name), definitions.since(view, name)?);
        }
        Ok(self)
    }

    /// All categories.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The profiles of OCCI that the extensions implement, each once and separated by spaces (R0401).
    pub fn profiles(&self) -> &Arc<str> {
        &self.profiles
    }

    /// All extensions.
    pub fn extensions(&self) -> &[Arc<Extension>] {
        &self.extensions
    }

    /// The same extensions with other tags.
    pub(crate) fn with_tags(&self, tags: Vec<Mixin>) -> Result<Self, SnapshotError> {
        let (definitions, claims) = (self.definitions.clone(), Arc::clone(&self.claims));
        let allowances = Arc::clone(&self.allowances);
        Ok(Self { definitions, claims, allowances, ..Self::new(self.extensions.clone(), tags)? })
    }

    /// An operation must not call an extension whose definitions are no more those that it was checked against.
    pub(crate) fn check_current(&self, extension: &Extension) -> Result<(), Refusal> {
        match self.definitions.get(extension.name()) {
            Some(since) if since.is_past() => Err(Refusal::Outdated(extension.name().to_string())),
            Some(_) | None => Ok(()),
        }
    }

    /// Makes a batch fail where an extension's definitions are not those of this snapshot any more.
    pub(crate) fn require_definitions_of(&self, batch: &mut Batch, extension: &str) {
        if let Some(since) = self.definitions.get(extension) {
            occi_store::require_definitions(batch, extension, since.revision);
        }
    }

    /// The extension that names its categories in a scheme, if one does.
    pub(crate) fn owner_of_scheme(&self, scheme: &str) -> Option<&str> {
        let owner = self
            .extensions
            .iter()
            .find(|extension| extension.schemes().any(|own| is_same_scheme(own, scheme)));
        owner.map(|extension| &**extension.name())
    }

    /// Whether an extension defines anything of what an entity is.
    pub(crate) fn is_of(&self, entity: &Entity, extension: &str) -> bool {
        self.is_defined_in(self.whole(entity), extension)
    }

    /// Whether an extension defines a Kind, or one that it stands on.
    pub(crate) fn defines_kind(&self, extension: &Extension, kind: &CategoryId) -> bool {
        self.is_defined_in(self.line(kind).iter(), extension.name())
    }

    /// Whether an extension defines any of these.
    fn is_defined_in<'a>(&self, mut ids: impl Iterator<Item = &'a CategoryId>, extension: &str) -> bool {
        ids.any(|id| self.extension(id).is_some_and(|found| &**found.name() == extension))
    }

    /// A Kind and those that it stands on.
    fn line(&self, kind: &CategoryId) -> &[CategoryId] {
        self.registry.kind(kind).map_or(&[][..], |kind| &kind.ancestors)
    }

    /// All that an entity is: the line of its Kind, and its Mixins.
    fn whole<'a>(&'a self, entity: &'a Entity) -> impl Iterator<Item = &'a CategoryId> {
        self.line(&entity.kind).iter().chain(self.registry.mixins_of(entity))
    }

    /// Whether an entity is of an extension that administers the server.
    pub(crate) fn is_administered(&self, entity: &Entity) -> bool {
        self.extension(&entity.kind).is_some_and(|extension| extension.administers())
    }

    /// The parts that one extension has in an entity's life: its Kind's first, then those of its Mixins.
    pub(crate) fn parts_of<'a>(
        &'a self,
        entity: &'a Entity,
        extension: &'a str,
    ) -> impl Iterator<Item = Role> {
        self.parts(entity).filter(move |(_, found)| &**found.name() == extension)
    }

    /// Makes a batch with that entity fail where the definitions are changed of what it is.
    pub(crate) fn require_definitions(&self, batch: &mut Batch, entity: &Entity) {
        let mut seen: Vec<&Arc<Extension>> = Vec::new();
        for id in self.whole(entity) {
            let Some(extension) = self.by_category.get(id) else { continue };
            if seen.iter().any(|seen| Arc::ptr_eq(seen, extension)) {
                continue;
            }
            seen.push(extension);
            if let Some(since) = self.definitions.get(extension.name()) {
                occi_store::require_definitions(batch, extension.name(), since.revision);
            }
        }
    }

    /// Extensions with all tags that are stored.
    pub(crate) fn with_stored_tags(
        extensions: Vec<Arc<Extension>>,
        view: &dyn ReadView,
    ) -> Result<Self, StartError> {
        Ok(Self::new(extensions, stored_tags(view)?)?)
    }

    /// The extension of that name, where it serves.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Extension>> {
        self.extensions.iter().find(|extension| &**extension.name() == name)
    }

    pub(crate) fn tags(&self) -> &[Mixin] {
        &self.tags
    }

    /// The extension that defines a Kind or Mixin.
    pub(crate) fn extension(&self, category: &CategoryId) -> Option<&Arc<Extension>> {
        self.by_category.get(category)
    }

    /// An entity whose Kind no loaded extension defines can only be read. So can one with such a Mixin: what becomes of it
    /// concerns that one's extension, too; but where it stands for something of the server's, the server cannot wait.
    pub(crate) fn check_loaded(&self, entity: &Entity) -> Result<(), Refusal> {
        let unknown = Some(&entity.kind).filter(|_| !self.has_kind_of(entity));
        let is_bound = !self.is_administered(entity);
        match unknown.cloned().or_else(|| self.unknown_mixins(entity).into_iter().find(|_| is_bound)) {
            Some(id) => Err(Refusal::NotLoaded(id)),
            None => Ok(()),
        }
    }

    /// A refusal because of a category that an extension defines which does not serve now: whoever names it is not wrong.
    pub(crate) fn for_lack_of_what_sleeps(&self, refusal: Refusal) -> Refusal {
        match refusal {
            Refusal::Violations(violations) => {
                let claims = self.claims.load();
                let mut unknown = violations.iter().filter_map(|violation| match violation {
                    Violation::UnknownCategory(id) => Some(id),
                    _ => None,
                });
                match unknown.next().cloned() {
                    Some(first) if claims.has(&first) && unknown.all(|id| claims.has(id)) => {
                        Refusal::NotLoaded(first)
                    }
                    _ => Refusal::Violations(violations),
                }
            }
            Refusal::Part { part, refusal } => self.for_lack_of_what_sleeps(*refusal).of(part),
            Refusal::Parts(parts) => {
                Refusal::Parts(parts.into_iter().map(|part| self.for_lack_of_what_sleeps(part)).collect())
            }
            other => other,
        }
    }

    /// Whether a loaded extension defines an entity's Kind.
    pub(crate) fn has_kind_of(&self, entity: &Entity) -> bool {
        self.registry.kind(&entity.kind).is_some()
    }

    /// An entity's Mixins that no loaded extension defines, and no client. One that a tag would bring is among them where it
    /// is an extension's; else it was never there.
    pub(crate) fn unknown_mixins(&self, entity: &Entity) -> Vec<CategoryId> {
        let own = entity.mixins.iter().filter(|id| self.registry.mixin(id).is_none());
        let mut unknown: Vec<_> = own.cloned().collect();
        let missing =
            entity.mixins.iter().filter_map(|id| self.registry.mixin(id)).flat_map(|mixin| &mixin.missing);
        for id in missing.filter(|id| self.claims.load().has(id)) {
            if !unknown.contains(id) {
                unknown.push(id.clone());
            }
        }
        unknown
    }

    /// A Mixin, and the tags that would bring it where it was known.
    pub(crate) fn with_what_brings(&self, mixin: &CategoryId) -> Vec<CategoryId> {
        let brings = self.registry.mixins().iter().filter(|tag| tag.missing.contains(mixin));
        std::iter::once(mixin.clone()).chain(brings.map(|tag| tag.mixin.id.clone())).collect()
    }

    /// Whether a Kind or Mixin is known, be it a client's.
    pub fn knows(&self, id: &CategoryId) -> bool {
        self.registry.kind(id).is_some() || self.registry.mixin(id).is_some()
    }

    /// The extension that has a Mixin for what is on offer.
    pub(crate) fn offering(&self, mixin: &CategoryId) -> Option<&Arc<Extension>> {
        self.extension(mixin).filter(|extension| extension.offered_once(mixin).is_some())
    }

    /// Whether clients have defined a Mixin, with its collection there.
    pub fn has_tag(&self, id: &CategoryId, location: &Location) -> bool {
        self.tags.iter().any(|tag| tag.id == *id && tag.location == *location)
    }

    /// The extension that stands behind a Kind, be it by a Kind that it descends from.
    pub(crate) fn role_of_kind(&self, kind: &CategoryId) -> Option<Role> {
        let ancestors = &self.registry.kind(kind)?.ancestors;
        ancestors.iter().find_map(|id| Some((id.clone(), Arc::clone(self.extension(id)?))))
    }

    /// All that have a part in an entity's life: its Kind's extension first, then those of its Mixins in order.
    pub(crate) fn roles(&self, entity: &Entity) -> Vec<Role> {
        self.parts(entity).filter(|(_, extension)| extension.has_lifecycle()).collect()
    }

    /// All that say what an entity is when the world has moved, in the same order; none where its Kind is not loaded,
    /// since it can then not be changed.
    pub(crate) fn observers(&self, entity: &Entity) -> Vec<Role> {
        if !self.has_kind_of(entity) {
            return Vec::new();
        }
        self.parts(entity).filter(|(_, extension)| extension.has_observe()).collect()
    }

    fn parts<'a>(&'a self, entity: &'a Entity) -> impl Iterator<Item = Role> {
        let of_mixins = self.registry.mixins_of(entity).filter_map(|id| self.role_of_mixin(id));
        self.role_of_kind(&entity.kind).into_iter().chain(of_mixins)
    }

    /// The extension whose version an entity is of.
    pub(crate) fn maker(&self, entity: &Entity) -> Option<MadeBy> {
        let (_, extension) = self.role_of_kind(&entity.kind)?;
        Some(MadeBy { name: extension.name().to_string(), version: extension.version().to_string() })
    }

    pub(crate) fn role_of_mixin(&self, mixin: &CategoryId) -> Option<Role> {
        Some((mixin.clone(), Arc::clone(self.extension(mixin)?)))
    }
}

/// The tags of all clients.
pub fn stored_tags(view: &dyn ReadView) -> Result<Vec<Mixin>, StoreError> {
    let tags = occi_store::tags(view, Caller::DEFAULT_TENANT)?;
    Ok(tags.into_iter().map(|tag| tag.mixin).collect())
}

fn profiles(extensions: &[Arc<Extension>]) -> Arc<str> {
    let named = extensions.iter().flat_map(|extension| &extension.manifest().profiles);
    let once: BTreeSet<_> = named.map(String::as_str).collect();
    once.into_iter().collect::<Vec<_>>().join(" ").into()
}

/// A scheme is one publisher's, so that nobody is taken for another.
fn check_schemes(extensions: &[Arc<Extension>]) -> Result<(), SnapshotError> {
    let mut owners: HashMap<_, &Arc<Extension>> = HashMap::new();
    for extension in extensions {
        for scheme in extension.schemes() {
            let owner = owners.entry(place_of_scheme(scheme)).or_insert(extension);
            let (owners, theirs) = (&owner.manifest().publisher, &extension.manifest().publisher);
            if owners != theirs {
                return Err(SnapshotError::Scheme {
                    scheme: scheme.to_owned(),
                    owner: Arc::clone(owner.name()),
                    owners: owners.clone(),
                    extension: Arc::clone(extension.name()),
                    theirs: theirs.clone(),
                });
            }
        }
    }
    Ok(())
}

fn check_tags(
    tags: &[Mixin],
    kinds: &[Kind],
    mixins: &[Mixin],
    actions: &[Action],
) -> Result<(), SnapshotError> {
    let mixin_ids = mixins.iter().map(|mixin| &mixin.id);
    let names =
        kinds.iter().map(|kind| &kind.id).chain(mixin_ids).chain(actions.iter().map(|action| &action.id));
    let names: HashSet<&CategoryId> = names.collect();
    let kind_places = kinds.iter().filter_map(|kind| kind.location.as_ref());
    let below: HashSet<&str> = kind_places.clone().map(Location::as_str).collect();
    let places: BTreeSet<&str> =
        kind_places.chain(mixins.iter().map(|mixin| &mixin.location)).map(Location::as_str).collect();
    for tag in tags {
        let place = tag.location.as_str();
        let hides = places.range(place..).next().is_some_and(|next| next.starts_with(place));
        let is_hidden = place.match_indices('/').any(|(end, _)| below.contains(&place[..=end]));
        if hides || is_hidden || names.contains(&tag.id) {
            return Err(SnapshotError::Tag { id: tag.id.clone(), location: tag.location.clone() });
        }
    }
    Ok(())
}

//! Every category that is known at one moment, with what follows from them together: inherited attributes, parent
//! chains, dependencies, paths. A registry never changes; whoever adds an extension or a tag builds another.

mod build;
mod declare;
mod error;

pub use error::RegistryError;

use crate::attribute::Attribute;
use crate::category::{Action, Kind, Mixin, States};
use crate::core;
use crate::entity::Entity;
use crate::identifier::{AttributeName, CategoryId, Location};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What the entities of a Kind are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// core#entity: there are none (CORE-40).
    Abstract,
    /// core#resource and what descends from it.
    Resource,
    /// core#link and what descends from it.
    Link,
}

impl Nature {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Abstract => "entity",
            Self::Resource => "resource",
            Self::Link => "link",
        }
    }
}

/// A Kind with what it inherits.
#[derive(Debug)]
pub struct ResolvedKind {
    /// As it was declared.
    pub kind: Kind,
    /// Itself, its parent, and so on up to core#entity.
    pub ancestors: Vec<CategoryId>,
    /// All attributes of its entities: those of core#entity first, its own last. Defaults and choices are of the
    /// declared type, and patterns stand for the whole text; in `kind` they are as its author wrote them.
    pub attributes: Vec<Arc<Attribute>>,
    /// All actions of its entities.
    pub actions: Vec<CategoryId>,
    /// The states of its entities: its own, else its nearest ancestor's.
    pub states: Option<States>,
    /// What its entities are.
    pub nature: Nature,
}

impl ResolvedKind {
    /// Whether it is that Kind or descends from it.
    pub fn is(&self, id: &CategoryId) -> bool {
        self.ancestors.contains(id)
    }
}

/// A Mixin with what it depends on.
#[derive(Debug)]
pub struct ResolvedMixin {
    /// As it was declared.
    pub mixin: Mixin,
    /// All Mixins that come with it, directly or not, without itself. One that is not known is left out.
    pub depends: Vec<CategoryId>,
    /// Those that would come with it and are not known. An extension that does not serve may have defined them.
    pub missing: Vec<CategoryId>,
    /// Those of them of whose dependents an entity has one at most (CORE-35).
    pub exclusive: Vec<CategoryId>,
    /// The attributes that it declares, in the form that those of a Kind have.
    pub attributes: Vec<Arc<Attribute>>,
}

impl ResolvedMixin {
    /// How many Mixins may come with one. Of a client's tag that leads to more, one more than these are known.
    pub const MAX_DEPENDS: usize = 64;
}

/// What stands at a path.
#[derive(Debug, Clone)]
pub enum Target {
    /// The query interface (HTTP-18).
    Query,
    /// The collection of a Kind.
    Kind(Arc<ResolvedKind>),
    /// The collection of a Mixin.
    Mixin(Arc<ResolvedMixin>),
    /// An entity, if there is one at this path.
    Entity(Location),
    /// The console of the entity at this path. Where entities are is not known here, so a registry never says it.
    Console(Location),
    /// A path above collections and entities (H11-02).
    Space(Location),
}

/// All categories at one moment.
#[derive(Debug, Clone)]
pub struct Registry {
    kinds: Vec<Arc<ResolvedKind>>,
    mixins: Vec<Arc<ResolvedMixin>>,
    actions: Vec<Arc<Action>>,
    kind_by_id: HashMap<CategoryId, usize>,
    mixin_by_id: HashMap<CategoryId, usize>,
    action_by_id: HashMap<CategoryId, usize>,
    /// Without the slash at the end, since clients leave it out.
    by_location: HashMap<Box<str>, Collection>,
    /// All actions of a Kind's entities, in the order of `kinds`: each GET shows them.
    actions_of_kind: Vec<Vec<Arc<Action>>>,
    /// The actions that a Mixin adds, in the order of `mixins`.
    actions_of_mixin: Vec<Vec<Arc<Action>>>,
    /// The attributes and parameters that are arrays or objects wherever they are declared.
    structured: HashSet<AttributeName>,
}

#[derive(Debug, Clone, Copy)]
enum Collection {
    Kind(usize),
    Mixin(usize),
}

/// So many Mixins are looked through one by one.
const FEW: usize = 16;

/// The query interface's two paths (HTTP-18), without the slash at the end.
const QUERY: [&str; 2] = ["/-", "/.well-known/org/ogf/occi/-"];

fn slashless(path: &Location) -> &str {
    path.as_str().strip_suffix('/').unwrap_or(path.as_str())
}

impl Registry {
    /// A registry of OCCI Core's Kinds and the given categories, or everything that is wrong with them.
    pub fn new(kinds: Vec<Kind>, mixins: &[Mixin], actions: Vec<Action>) -> Result<Self, Vec<RegistryError>> {
        build::build(kinds, mixins, actions)
    }

    /// All Kinds, those of OCCI Core first.
    pub fn kinds(&self) -> &[Arc<ResolvedKind>] {
        &self.kinds
    }

    /// All Mixins.
    pub fn mixins(&self) -> &[Arc<ResolvedMixin>] {
        &self.mixins
    }

    /// All Actions.
    pub fn actions(&self) -> &[Arc<Action>] {
        &self.actions
    }

    /// The Kind with that type identifier.
    pub fn kind(&self, id: &CategoryId) -> Option<&Arc<ResolvedKind>> {
        self.kind_by_id.get(id).map(|&index| &self.kinds[index])
    }

    /// The Mixin with that type identifier.
    pub fn mixin(&self, id: &CategoryId) -> Option<&Arc<ResolvedMixin>> {
        self.mixin_by_id.get(id).map(|&index| &self.mixins[index])
    }

    /// The Action with that type identifier.
    pub fn action(&self, id: &CategoryId) -> Option<&Arc<Action>> {
        self.action_by_id.get(id).map(|&index| &self.actions[index])
    }

    /// What stands at a path. A path that ends in a slash is a collection; one that does not is an entity (H11-01),
    /// or a collection whose slash the client has left out.
    pub fn resolve(&self, path: &Location) -> Target {
        let slashless = slashless(path);
        if QUERY.contains(&slashless) {
            return Target::Query;
        }
        match self.by_location.get(slashless) {
            Some(&Collection::Kind(index)) => Target::Kind(Arc::clone(&self.kinds[index])),
            Some(&Collection::Mixin(index)) => Target::Mixin(Arc::clone(&self.mixins[index])),
            None if path.is_collection() => Target::Space(path.clone()),
            None => Target::Entity(path.clone()),
        }
    }

    /// The Kind below whose location a path lies, if any; the longest such location counts.
    pub fn kind_above(&self, path: &Location) -> Option<&Arc<ResolvedKind>> {
        let mut prefix = path.as_str();
        while let Some((above, _)) = prefix.rsplit_once('/') {
            if let Some(&Collection::Kind(index)) = self.by_location.get(above) {
                return Some(&self.kinds[index]);
            }
            prefix = above;
        }
        None
    }

    /// Whether a Mixin, and those that it depends on, may be on entities of a Kind (CORE-21).
    pub(crate) fn applies(&self, mixin: &ResolvedMixin, kind: &ResolvedKind) -> bool {
        let depends = mixin.depends.iter().filter_map(|id| self.mixin(id)).map(|mixin| &mixin.mixin);
        std::iter::once(&mixin.mixin).chain(depends).all(|mixin| {
            mixin.applies.is_empty() || mixin.applies.iter().any(|applicable| kind.is(applicable))
        })
    }

    /// Whether two Mixins cannot be on one entity, so that the later takes the earlier one's place (CORE-35). One that
    /// depends on the other cannot be without it.
    pub(crate) fn exclude_each_other(&self, one: &CategoryId, other: &CategoryId) -> bool {
        let (Some(first), Some(second)) = (self.mixin(one), self.mixin(other)) else { return false };
        let together = one == other || first.depends.contains(other) || second.depends.contains(one);
        !together && first.exclusive.iter().any(|root| second.exclusive.contains(root))
    }

    /// All Mixins of an entity, those that they depend on included, each once (CORE-26).
    pub fn mixins_of<'a>(&'a self, entity: &'a Entity) -> impl Iterator<Item = &'a CategoryId> {
        self.expand(&entity.mixins)
    }

    /// Mixins and those that they depend on, each once, in order.
    pub fn expand<'a>(&'a self, mixins: &'a [CategoryId]) -> impl Iterator<Item = &'a CategoryId> {
        // A few are found sooner without hashing; many never would be.
        let (mut few, mut many): (Vec<&CategoryId>, HashSet<&CategoryId>) = (Vec::new(), HashSet::new());
        mixins
            .iter()
            .flat_map(|id| {
                let depends = self.mixin(id).map_or(&[][..], |mixin| &mixin.depends);
                std::iter::once(id).chain(depends)
            })
            .filter(move |id| {
                if few.contains(id) {
                    return false;
                }
                if few.len() < FEW {
                    few.push(id);
                    return true;
                }
                many.insert(id)
            })
    }

    /// The declaration of an entity's attribute that decides about its type: its Kind's, or else that of the first of
    /// its Mixins.
    pub fn attribute(&self, entity: &Entity, name: &AttributeName) -> Option<&Arc<Attribute>> {
        let of_kind = self.kind(&entity.kind)?.attributes.iter();
        let of_mixins =
            self.mixins_of(entity).filter_map(|id| self.mixin(id)).flat_map(|mixin| &mixin.attributes);
        of_kind.chain(of_mixins).find(|attribute| &attribute.name == name)
    }

    /// Whether what is so called is an array or an object wherever it is declared.
    pub fn is_structured(&self, name: &AttributeName) -> bool {
        self.structured.contains(name)
    }

    /// The state of an entity, where its Kind has states.
    pub fn state<'a>(&self, entity: &'a Entity) -> Option<&'a str> {
        let states = self.kind(&entity.kind)?.states.as_ref()?;
        entity.attributes.get(&states.attribute)?.as_text()
    }

    /// The actions of an entity that its state allows, its Kind's first (H11-17).
    pub fn applicable_actions<'a>(&'a self, entity: &'a Entity) -> impl Iterator<Item = &'a Arc<Action>> {
        let state = self.state(entity);
        self.actions_of(entity).filter(move |action| allows(action, state))
    }

    /// All actions of an entity, whatever its state.
    pub fn actions_of<'a>(&'a self, entity: &'a Entity) -> impl Iterator<Item = &'a Arc<Action>> {
        let of_kind = self.kind_by_id.get(&entity.kind).map(|&index| &self.actions_of_kind[index]);
        let mixins = self.mixins_of(entity).filter_map(|id| self.mixin_by_id.get(id));
        of_kind.into_iter().chain(mixins.map(|&index| &self.actions_of_mixin[index])).flatten()
    }
}

/// Whether a state allows an action.
pub(crate) fn allows(action: &Action, state: Option<&str>) -> bool {
    match (&action.from, state) {
        (None, _) => true,
        (Some(from), Some(state)) => from.iter().any(|allowed| &**allowed == state),
        (Some(_), None) => false,
    }
}

/// Whether the standard keeps a scheme for itself (CORE-07).
pub fn is_reserved(id: &CategoryId) -> bool {
    let host = |scheme| located(scheme).map(|(host, _)| host);
    host(id.scheme()).is_some_and(|host_of_id| Some(host_of_id) == host(core::RESERVED))
}

/// Whether two schemes are taken for one by whoever reads them.
pub fn is_same_scheme(one: &str, other: &str) -> bool {
    one == other || place_of_scheme(one) == place_of_scheme(other)
}

/// What is the same of two schemes that are taken for one by whoever reads them.
pub fn place_of_scheme(scheme: &str) -> Cow<'_, str> {
    match located(scheme) {
        Some((host, path)) => format!("//{host}{path}").into(),
        None => scheme.into(),
    }
}

/// The host of a scheme of the web, whichever way one reaches it, and what follows.
fn located(scheme: &str) -> Option<(String, &str)> {
    let (protocol, rest) = scheme.split_once("://")?;
    if !["http", "https"].iter().any(|known| protocol.eq_ignore_ascii_case(known)) {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next()?;
    let host = match host.split_once(']') {
        Some((address, _)) => address,
        None => host.split(':').next()?,
    };
    Some((host.trim_end_matches('.').to_ascii_lowercase(), path))
}

#[cfg(test)]
mod tests;

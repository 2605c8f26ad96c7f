//! From declarations to a registry: everything that is wrong is found, not just the first.

use super::{Collection, Nature, QUERY, Registry, ResolvedKind, ResolvedMixin};
use crate::attribute::{Attribute, ValueType};
use crate::category::{Action, Kind, Mixin, Origin, States};
use crate::core;
use crate::identifier::{CategoryId, InvalidIdentifier, Location};
use std::collections::HashMap;
use std::sync::Arc;

/// What is wrong with a set of categories.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Two categories with one type identifier.
    #[error("{0} is defined twice; rename one of the two")]
    Duplicate(CategoryId),
    /// Two collections at one path.
    #[error("{id} has the location {location}, which {other} has already; choose another")]
    LocationTaken {
        /// The later one.
        id: CategoryId,
        /// The path.
        location: Location,
        /// Whose it is.
        other: String,
    },
    /// A location that does not end in a slash (H11-01), or the query interface's.
    #[error(
        "{id} has the location {location}; a collection's path ends in `/` and is not the query interface's"
    )]
    BadLocation {
        /// Whose location.
        id: CategoryId,
        /// The path.
        location: Location,
    },
    /// A Kind without parent, or whose parents lead in a circle.
    #[error("the parents of {0} do not lead to core#entity; name a parent that does, such as {res}", res = core::RESOURCE)]
    NoAncestor(CategoryId),
    /// A reference to a category that is not there.
    #[error(
        "{id} refers to {missing}, which is not known; load the extension that defines it or correct the identifier"
    )]
    Unknown {
        /// Who refers.
        id: CategoryId,
        /// To what.
        missing: CategoryId,
    },
    /// An action of two categories (CORE-28).
    #[error("the action {0} belongs to more than one Kind or Mixin; each has one owner")]
    SharedAction(CategoryId),
    /// An attribute that an ancestor declares with another type.
    #[error("{id} declares {name} as {declared}, but {inherited} is inherited; keep the type or rename it")]
    Retyped {
        /// Who declares it.
        id: CategoryId,
        /// The attribute.
        name: String,
        /// As what.
        declared: ValueType,
        /// What it is already.
        inherited: ValueType,
    },
    /// A default that is not a value of its attribute.
    #[error("{id}: the default of {name} {fault}")]
    BadDefault {
        /// Who declares it.
        id: CategoryId,
        /// The attribute.
        name: String,
        /// What is wrong.
        fault: String,
    },
    /// Mixins that depend on one another in a circle.
    #[error("the dependencies of {0} lead back to it; take one of them away")]
    CircularDependency(CategoryId),
    /// States that name an attribute which the Kind lacks.
    #[error("{id}: the state attribute {name} is not among its attributes; declare it there, immutable")]
    NoStateAttribute {
        /// The Kind.
        id: CategoryId,
        /// The attribute.
        name: String,
    },
    /// A name of OCCI Core that this code writes wrongly; it cannot happen.
    #[error(transparent)]
    Core(#[from] InvalidIdentifier),
}

pub(super) fn build(
    kinds: Vec<Kind>,
    mixins: &[Mixin],
    actions: Vec<Action>,
) -> Result<Registry, Vec<RegistryError>> {
    let mut faults = Vec::new();
    let mut all_kinds = core::kinds().map_err(|fault| vec![fault.into()])?;
    all_kinds.extend(kinds);

    let kind_by_id = by_id(all_kinds.iter().map(|kind| &kind.id), &mut faults);
    let mixin_by_id = by_id(mixins.iter().map(|mixin| &mixin.id), &mut faults);
    let action_by_id = by_id(actions.iter().map(|action| &action.id), &mut faults);
    for id in mixin_by_id.keys().chain(action_by_id.keys()) {
        if kind_by_id.contains_key(id) || (action_by_id.contains_key(id) && mixin_by_id.contains_key(id)) {
            faults.push(RegistryError::Duplicate(id.clone()));
        }
    }

    check_actions(&all_kinds, mixins, &action_by_id, &mut faults);
    let kinds: Vec<_> = all_kinds
        .iter()
        .filter_map(|kind| resolve_kind(kind, &all_kinds, &kind_by_id, &mut faults))
        .collect();
    let mixins: Vec<_> = mixins
        .iter()
        .map(|mixin| resolve_mixin(mixin, mixins, &kind_by_id, &mixin_by_id, &mut faults))
        .map(Arc::new)
        .collect();
    for action in &actions {
        check_attributes(&action.id, &action.attributes, &[], &mut faults);
    }
    let by_location = locations(&kinds, &mixins, &mut faults);

    if !faults.is_empty() {
        return Err(faults);
    }
    let actions = actions.into_iter().map(Arc::new).collect();
    Ok(Registry { kinds, mixins, actions, kind_by_id, mixin_by_id, action_by_id, by_location })
}

fn by_id<'a>(
    ids: impl Iterator<Item = &'a CategoryId>,
    faults: &mut Vec<RegistryError>,
) -> HashMap<CategoryId, usize> {
    let mut map = HashMap::new();
    for (index, id) in ids.enumerate() {
        if map.insert(id.clone(), index).is_some() {
            faults.push(RegistryError::Duplicate(id.clone()));
        }
    }
    map
}

fn check_actions(
    kinds: &[Kind],
    mixins: &[Mixin],
    actions: &HashMap<CategoryId, usize>,
    faults: &mut Vec<RegistryError>,
) {
    let mut owned = HashMap::new();
    let of_kinds = kinds.iter().map(|kind| (&kind.id, &kind.actions));
    let of_mixins = mixins.iter().map(|mixin| (&mixin.id, &mixin.actions));
    for (id, owns) in of_kinds.chain(of_mixins) {
        for action in owns {
            if !actions.contains_key(action) {
                faults.push(RegistryError::Unknown { id: id.clone(), missing: action.clone() });
            }
            if owned.insert(action, id).is_some() {
                faults.push(RegistryError::SharedAction(action.clone()));
            }
        }
    }
}

fn resolve_kind(
    kind: &Kind,
    kinds: &[Kind],
    by_id: &HashMap<CategoryId, usize>,
    faults: &mut Vec<RegistryError>,
) -> Option<Arc<ResolvedKind>> {
    let mut chain = vec![kind];
    while let Some(parent) = &chain[chain.len() - 1].parent {
        let Some(&index) = by_id.get(parent) else {
            faults.push(RegistryError::Unknown { id: kind.id.clone(), missing: parent.clone() });
            return None;
        };
        if chain.len() > kinds.len() {
            break;
        }
        chain.push(&kinds[index]);
    }
    let root = chain[chain.len() - 1];
    if root.id.as_str() != core::ENTITY {
        faults.push(RegistryError::NoAncestor(kind.id.clone()));
        return None;
    }
    let nature = match chain.iter().rev().nth(1).map(|below_entity| below_entity.id.as_str()) {
        Some(core::LINK) => Nature::Link,
        Some(_) => Nature::Resource,
        None => Nature::Abstract,
    };

    let mut attributes: Vec<Arc<Attribute>> = Vec::new();
    for ancestor in chain.iter().rev() {
        if ancestor.id == kind.id {
            check_attributes(&kind.id, &kind.attributes, &attributes, faults);
        }
        for attribute in &ancestor.attributes {
            let declared = Arc::new(attribute.clone());
            match attributes.iter_mut().find(|known| known.name == attribute.name) {
                Some(known) => *known = declared,
                None => attributes.push(declared),
            }
        }
    }
    let states: Option<States> = chain.iter().find_map(|ancestor| ancestor.states.clone());
    if let Some(states) = &kind.states {
        for name in std::iter::once(&states.attribute).chain(&states.message) {
            if !attributes.iter().any(|attribute| &attribute.name == name) {
                faults.push(RegistryError::NoStateAttribute {
                    id: kind.id.clone(),
                    name: name.as_str().into(),
                });
            }
        }
    }
    Some(Arc::new(ResolvedKind {
        ancestors: chain.iter().map(|ancestor| ancestor.id.clone()).collect(),
        actions: chain.iter().rev().flat_map(|ancestor| ancestor.actions.iter().cloned()).collect(),
        attributes,
        states,
        nature,
        kind: kind.clone(),
    }))
}

fn resolve_mixin(
    mixin: &Mixin,
    mixins: &[Mixin],
    kind_by_id: &HashMap<CategoryId, usize>,
    mixin_by_id: &HashMap<CategoryId, usize>,
    faults: &mut Vec<RegistryError>,
) -> ResolvedMixin {
    check_attributes(&mixin.id, &mixin.attributes, &[], faults);
    for missing in mixin.applies.iter().filter(|kind| !kind_by_id.contains_key(*kind)) {
        faults.push(RegistryError::Unknown { id: mixin.id.clone(), missing: missing.clone() });
    }
    let mut depends: Vec<CategoryId> = Vec::new();
    let mut open: Vec<&CategoryId> = mixin.depends.iter().rev().collect();
    while let Some(id) = open.pop() {
        if id == &mixin.id {
            faults.push(RegistryError::CircularDependency(id.clone()));
            break;
        }
        match mixin_by_id.get(id) {
            Some(_) if depends.contains(id) => {}
            Some(&index) => {
                depends.push(id.clone());
                open.extend(mixins[index].depends.iter().rev());
            }
            // Clients relate tags to what only they know.
            None if mixin.origin == Origin::Client => {}
            None => faults.push(RegistryError::Unknown { id: mixin.id.clone(), missing: id.clone() }),
        }
    }
    ResolvedMixin {
        depends,
        attributes: mixin.attributes.iter().cloned().map(Arc::new).collect(),
        mixin: mixin.clone(),
    }
}

fn check_attributes(
    id: &CategoryId,
    attributes: &[Attribute],
    inherited: &[Arc<Attribute>],
    faults: &mut Vec<RegistryError>,
) {
    for attribute in attributes {
        let name = attribute.name.as_str().to_owned();
        if let Some(known) = inherited.iter().find(|known| known.name == attribute.name)
            && known.value_type != attribute.value_type
        {
            faults.push(RegistryError::Retyped {
                id: id.clone(),
                name: name.clone(),
                declared: attribute.value_type,
                inherited: known.value_type,
            });
        }
        let Some(default) = &attribute.default else { continue };
        let fault = match attribute.value_type.accept(default.clone()) {
            None => Some(format!("is {}, but the type is {}", default.type_name(), attribute.value_type)),
            Some(value) => attribute.constraint.breach(&value),
        };
        if let Some(fault) = fault {
            faults.push(RegistryError::BadDefault { id: id.clone(), name, fault });
        }
    }
}

fn locations(
    kinds: &[Arc<ResolvedKind>],
    mixins: &[Arc<ResolvedMixin>],
    faults: &mut Vec<RegistryError>,
) -> HashMap<Location, Collection> {
    let of_kinds = kinds.iter().enumerate().filter_map(|(index, resolved)| {
        let location = resolved.kind.location.as_ref()?;
        Some((&resolved.kind.id, location, Collection::Kind(index)))
    });
    let of_mixins = mixins
        .iter()
        .enumerate()
        .map(|(index, resolved)| (&resolved.mixin.id, &resolved.mixin.location, Collection::Mixin(index)));
    let mut map: HashMap<Location, (&CategoryId, Collection)> = HashMap::new();
    for (id, location, collection) in of_kinds.chain(of_mixins) {
        if !location.is_collection() || QUERY.contains(&location.as_str()) || location.as_str() == "/" {
            faults.push(RegistryError::BadLocation { id: id.clone(), location: location.clone() });
        }
        if let Some((other, _)) = map.insert(location.clone(), (id, collection)) {
            faults.push(RegistryError::LocationTaken {
                id: id.clone(),
                location: location.clone(),
                other: other.to_string(),
            });
        }
    }
    map.into_iter().map(|(location, (_, collection))| (location, collection)).collect()
}

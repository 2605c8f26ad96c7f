//! From declarations to a registry: everything that is wrong is found, not just the first.

use super::{
    Collection, Nature, QUERY, Registry, RegistryError, ResolvedKind, ResolvedMixin, declare, slashless,
};
use crate::attribute::Attribute;
use crate::category::{Action, Kind, Mixin, Origin, States};
use crate::core;
use crate::identifier::{AttributeName, CategoryId, Location};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(super) fn build(
    kinds: Vec<Kind>,
    mixins: &[Mixin],
    mut actions: Vec<Action>,
) -> Result<Registry, Vec<RegistryError>> {
    let mut faults = Vec::new();
    let mut all_kinds = core::kinds().map_err(|fault| vec![fault.into()])?;
    all_kinds.extend(kinds);

    let kind_by_id = by_id(all_kinds.iter().map(|kind| &kind.id), &mut faults);
    let mixin_by_id = by_id(mixins.iter().map(|mixin| &mixin.id), &mut faults);
    let action_by_id = by_id(actions.iter().map(|action| &action.id), &mut faults);
    let mixin_ids = mixins.iter().map(|mixin| &mixin.id).filter(|id| kind_by_id.contains_key(*id));
    let action_ids = actions.iter().map(|action| &action.id);
    let action_ids = action_ids.filter(|id| kind_by_id.contains_key(*id) || mixin_by_id.contains_key(*id));
    faults.extend(mixin_ids.chain(action_ids).cloned().map(RegistryError::Duplicate));

    for action in &mut actions {
        action.attributes = declare::parameters(&action.id, &action.attributes, &mut faults);
    }
    let actions: Vec<_> = actions.into_iter().map(Arc::new).collect();
    let owners = all_kinds.iter().map(|kind| (&kind.id, &kind.actions));
    let owners = owners.chain(mixins.iter().map(|mixin| (&mixin.id, &mixin.actions)));
    check_owners(owners, &actions, &action_by_id, &mut faults);

    let kinds = resolve_kinds(&all_kinds, &kind_by_id, &mut faults);
    let mixins: Vec<_> = mixins
        .iter()
        .map(|mixin| resolve_mixin(mixin, mixins, &kind_by_id, &mixin_by_id, &mut faults))
        .map(Arc::new)
        .collect();
    let by_location = locations(&kinds, &mixins, &mut faults);

    let of = |ids: &[CategoryId]| -> Vec<Arc<Action>> {
        ids.iter().filter_map(|id| action_by_id.get(id)).map(|&index| Arc::clone(&actions[index])).collect()
    };
    let actions_of_kind = kinds.iter().map(|kind| of(&kind.actions)).collect();
    let actions_of_mixin = mixins.iter().map(|mixin| of(&mixin.mixin.actions)).collect();
    let structured = structured(&kinds, &mixins, &actions);
    let registry = Registry {
        kinds,
        mixins,
        actions,
        kind_by_id,
        mixin_by_id,
        action_by_id,
        by_location,
        actions_of_kind,
        actions_of_mixin,
        structured,
    };
    check_together(&registry, &mut faults);
    if faults.is_empty() { Ok(registry) } else { Err(faults) }
}

fn structured(
    kinds: &[Arc<ResolvedKind>],
    mixins: &[Arc<ResolvedMixin>],
    actions: &[Arc<Action>],
) -> HashSet<AttributeName> {
    let of_kinds = kinds.iter().flat_map(|kind| &kind.attributes);
    let of_mixins = mixins.iter().flat_map(|mixin| &mixin.attributes);
    let of_actions = actions.iter().flat_map(|action| &action.attributes);
    let all = || of_kinds.clone().chain(of_mixins.clone()).map(AsRef::as_ref).chain(of_actions.clone());
    let mut structured: HashSet<_> = all()
        .filter(|attribute| attribute.value_type.is_structured())
        .map(|attribute| attribute.name.clone())
        .collect();
    if !structured.is_empty() {
        for attribute in all().filter(|attribute: &&Attribute| !attribute.value_type.is_structured()) {
            structured.remove(&attribute.name);
        }
    }
    structured
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

/// Each action has one owner, and each that an owner names is there (CORE-28).
fn check_owners<'a>(
    owners: impl Iterator<Item = (&'a CategoryId, &'a Vec<CategoryId>)>,
    actions: &[Arc<Action>],
    by_id: &HashMap<CategoryId, usize>,
    faults: &mut Vec<RegistryError>,
) {
    let mut owned = HashSet::new();
    for (id, owns) in owners {
        for action in owns {
            if !by_id.contains_key(action) {
                faults.push(RegistryError::Unknown { id: id.clone(), missing: action.clone() });
            }
            if !owned.insert(action) {
                faults.push(RegistryError::SharedAction(action.clone()));
            }
        }
    }
    let ownerless = actions.iter().filter(|action| !owned.contains(&action.id));
    faults.extend(ownerless.map(|action| RegistryError::OwnerlessAction(action.id.clone())));
}

fn resolve_kinds(
    kinds: &[Kind],
    by_id: &HashMap<CategoryId, usize>,
    faults: &mut Vec<RegistryError>,
) -> Vec<Arc<ResolvedKind>> {
    let own: Vec<_> =
        kinds.iter().map(|kind| declare::attributes(&kind.id, &kind.attributes, faults)).collect();
    (0..kinds.len())
        .filter_map(|index| resolve_kind(index, kinds, &own, by_id, faults))
        .map(Arc::new)
        .collect()
}

fn resolve_kind(
    index: usize,
    kinds: &[Kind],
    own: &[Vec<Arc<Attribute>>],
    by_id: &HashMap<CategoryId, usize>,
    faults: &mut Vec<RegistryError>,
) -> Option<ResolvedKind> {
    let kind = &kinds[index];
    let mut chain = vec![index];
    let mut next = kind;
    while let Some(parent) = &next.parent {
        let Some(&index) = by_id.get(parent) else {
            // Each Kind answers for its own parent; those below it would only repeat the same.
            if chain.len() == 1 {
                faults.push(RegistryError::Unknown { id: kind.id.clone(), missing: parent.clone() });
            }
            return None;
        };
        if chain.len() > kinds.len() {
            break;
        }
        chain.push(index);
        next = &kinds[index];
    }
    // From the top: core#entity, core#resource or core#link, and so on down to the Kind itself.
    let line = || chain.iter().rev().map(|&index| &kinds[index]);
    let mut top = line().map(|ancestor| ancestor.id.as_str());
    let nature = match (top.next(), top.next()) {
        (Some(core::ENTITY), None) => Nature::Abstract,
        (Some(core::ENTITY), Some(core::RESOURCE)) => Nature::Resource,
        (Some(core::ENTITY), Some(core::LINK)) => Nature::Link,
        _ => {
            faults.push(RegistryError::NoAncestor(kind.id.clone()));
            return None;
        }
    };

    let mut attributes: Vec<Arc<Attribute>> = Vec::new();
    for &ancestor in chain.iter().rev() {
        for declared in &own[ancestor] {
            match attributes.iter_mut().find(|known| known.name == declared.name) {
                Some(known) => {
                    if ancestor == index {
                        declare::check_override(&kind.id, declared, std::iter::once(&*known), faults);
                    }
                    *known = Arc::clone(declared);
                }
                None => attributes.push(Arc::clone(declared)),
            }
        }
    }
    if let Some(states) = &kind.states {
        declare::check_states(&kind.id, states, &attributes, faults);
    }
    let states: Option<States> = line().rev().find_map(|ancestor| ancestor.states.clone());
    Some(ResolvedKind {
        ancestors: line().rev().map(|ancestor| ancestor.id.clone()).collect(),
        actions: line().flat_map(|ancestor| ancestor.actions.iter().cloned()).collect(),
        attributes,
        states,
        nature,
        kind: kind.clone(),
    })
}

fn resolve_mixin(
    mixin: &Mixin,
    mixins: &[Mixin],
    kind_by_id: &HashMap<CategoryId, usize>,
    mixin_by_id: &HashMap<CategoryId, usize>,
    faults: &mut Vec<RegistryError>,
) -> ResolvedMixin {
    // A client's tag may name what only the client knows, and what it names may be gone since: the extension
    // that defined it is not loaded any more. That must not keep the others from being served.
    if mixin.origin == Origin::Provider {
        let kinds = mixin.applies.iter().filter(|id| !kind_by_id.contains_key(*id));
        let missing = kinds.chain(mixin.depends.iter().filter(|id| !mixin_by_id.contains_key(*id)));
        faults.extend(
            missing.map(|missing| RegistryError::Unknown { id: mixin.id.clone(), missing: missing.clone() }),
        );
    }
    let mut depends: Vec<CategoryId> = Vec::new();
    let mut seen: HashSet<&CategoryId> = HashSet::new();
    let (mut missing, mut exclusive) = (Vec::new(), Vec::new());
    let mut open: Vec<&CategoryId> = mixin.depends.iter().rev().collect();
    while let Some(id) = open.pop() {
        if id == &mixin.id {
            faults.push(RegistryError::CircularDependency(id.clone()));
            break;
        }
        let Some(&index) = mixin_by_id.get(id) else {
            missing.push(id.clone());
            continue;
        };
        if !seen.insert(id) {
            continue;
        }
        // Clients' tags may be chained as long as they like, and each of a chain has all that come after it.
        if depends.len() > ResolvedMixin::MAX_DEPENDS {
            if mixin.origin == Origin::Provider {
                faults.push(RegistryError::TooManyDependencies(mixin.id.clone()));
            }
            break;
        }
        depends.push(id.clone());
        open.extend(mixins[index].depends.iter().rev());
        if mixins[index].exclusive {
            exclusive.push(id.clone());
        }
    }
    ResolvedMixin {
        depends,
        missing,
        exclusive,
        attributes: declare::attributes(&mixin.id, &mixin.attributes, faults),
        mixin: mixin.clone(),
    }
}

/// What can only be seen when all categories are there. A Mixin is held against the Kinds that it names, or that
/// those name which it depends on: of others, its author need not know.
fn check_together(registry: &Registry, faults: &mut Vec<RegistryError>) {
    // The Kinds that could be resolved: the registry's own index is right only where all could.
    let kinds: HashMap<_, _> = registry.kinds().iter().map(|kind| (&kind.kind.id, kind)).collect();
    for kind in registry.kinds() {
        for action in kind.kind.actions.iter().filter_map(|id| registry.action(id)) {
            declare::check_from(kind, action, faults);
        }
    }
    for mixin in registry.mixins() {
        let needed: Vec<_> = mixin.depends.iter().filter_map(|id| registry.mixin(id)).collect();
        let named = std::iter::once(&mixin).chain(&needed).flat_map(|mixin| &mixin.mixin.applies);
        let of_kinds = named.filter_map(|id| kinds.get(id)).flat_map(|kind| &kind.attributes);
        let known = of_kinds.chain(needed.iter().flat_map(|mixin| &mixin.attributes));
        for attribute in &mixin.attributes {
            let before = known.clone().filter(|known| known.name == attribute.name);
            declare::check_override(&mixin.mixin.id, attribute, before, faults);
        }
    }
}

fn locations(
    kinds: &[Arc<ResolvedKind>],
    mixins: &[Arc<ResolvedMixin>],
    faults: &mut Vec<RegistryError>,
) -> HashMap<Box<str>, Collection> {
    let of_kinds = kinds.iter().enumerate().filter_map(|(index, resolved)| {
        let location = resolved.kind.location.as_ref()?;
        Some((&resolved.kind.id, location, Collection::Kind(index)))
    });
    let of_mixins = mixins
        .iter()
        .enumerate()
        .map(|(index, resolved)| (&resolved.mixin.id, &resolved.mixin.location, Collection::Mixin(index)));
    let mut owners: HashMap<&Location, &CategoryId> = HashMap::new();
    let mut map = HashMap::new();
    for (id, location, collection) in of_kinds.chain(of_mixins) {
        let path = slashless(location);
        if !location.is_collection() || QUERY.contains(&path) || path.is_empty() {
            faults.push(RegistryError::BadLocation { id: id.clone(), location: location.clone() });
        }
        if let Some(other) = owners.insert(location, id) {
            let (id, location, other) = (id.clone(), location.clone(), other.to_string());
            faults.push(RegistryError::LocationTaken { id, location, other });
        }
        map.insert(path.into(), collection);
    }
    map
}

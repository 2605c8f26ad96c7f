//! An entity that was made under one registry, held against the next: what an extension's new version would break.

use super::Violation;
use super::schema::Schema;
use crate::core;
use crate::entity::Entity;
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::{Nature, Registry, ResolvedKind};
use crate::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

impl Registry {
    /// What of an entity does not fit any more where this registry takes the place of `was`. What fitted neither is
    /// not told: it belongs to an extension that is not loaded now. `left` are the attributes that one declared which
    /// is back now, when it was here last.
    ///
    /// An attribute that is new, and has a default, need not be there: the entity gets it with its next change.
    pub fn breaches(&self, was: &Registry, left: &HashSet<AttributeName>, entity: &Entity) -> Vec<Violation> {
        let (before, after) = (was.kind(&entity.kind), self.kind(&entity.kind));
        if before.is_some() && after.is_none() {
            return vec![Violation::UnknownCategory(entity.kind.clone())];
        }
        let has_kind = after.is_some();
        // Of one whose Kind is not loaded it is known what its Mixins say.
        let (before, after) =
            if has_kind { (before, after) } else { (core_kind(was, entity), core_kind(self, entity)) };
        let Some(after) = after else { return Vec::new() };
        let mut violations = Vec::new();
        let nature = if entity.is_link() { Nature::Link } else { Nature::Resource };
        if after.nature != nature {
            violations.push(Violation::OtherNature { kind: entity.kind.clone(), now: after.nature });
        }
        let has_place = |kind: &Arc<ResolvedKind>| kind.kind.location.is_some();
        if has_kind && !has_place(after) && before.is_some_and(has_place) {
            violations.push(Violation::NotInstantiable(entity.kind.clone()));
        }
        for (number, one) in entity.mixins.iter().enumerate() {
            let excludes = |other: &&CategoryId| {
                self.exclude_each_other(one, other) && !was.exclude_each_other(one, other)
            };
            let others = entity.mixins[..number].iter().filter(excludes);
            violations.extend(others.map(|other| Violation::Exclusive(other.clone(), one.clone())));
        }
        let going = was.mixins_of(entity).filter(|id| was.mixin(id).is_some() && self.mixin(id).is_none());
        violations.extend(going.cloned().map(Violation::UnknownCategory));
        for id in entity.mixins.iter().filter(|_| has_kind) {
            if self.mixin(id).is_some_and(|mixin| !self.applies(mixin, after)) {
                violations.push(Violation::NotApplicable { mixin: id.clone(), kind: entity.kind.clone() });
            }
        }
        let known = before.map(|before| Schema::new(was, before, &entity.mixins));
        let schema = Schema::new(self, after, &entity.mixins);
        for (name, value) in &entity.attributes {
            let Some(declared) = schema.get(name) else {
                if left.contains(name) || known.as_ref().is_some_and(|known| known.get(name).is_some()) {
                    violations.push(schema.unknown(name.clone()));
                }
                continue;
            };
            match declared.accept(value) {
                // Clients quote numbers, the store does not: what is taken only so is of another type.
                Ok(accepted) if accepted != *value => violations.push(Violation::WrongType {
                    name: name.clone(),
                    wanted: declared.attribute.value_type,
                    given: value.clone(),
                }),
                Ok(_) => {}
                Err(violation) => violations.push(violation),
            }
        }
        if let Some(states) = &after.states
            && let Some(Value::Text(state)) = entity.attributes.get(&states.attribute)
            && !states.values.iter().any(|known| **known == **state)
        {
            let (kind, known) = (entity.kind.clone(), states.values.clone());
            violations.push(Violation::UnknownState { kind, state: state.clone(), known });
        }
        schema.complete(Some(&schema), &mut entity.attributes.clone(), &mut violations);
        violations
    }
}

/// The core's Kind that an entity descends from, whatever its own is.
fn core_kind<'a>(registry: &'a Registry, entity: &Entity) -> Option<&'a Arc<ResolvedKind>> {
    let id = if entity.is_link() { core::LINK } else { core::RESOURCE };
    registry.kind(&CategoryId::parse(id).ok()?)
}

//! An entity that was made under one registry, held against the next: what an extension's new version would break.

use super::Violation;
use super::schema::Schema;
use crate::entity::Entity;
use crate::identifier::AttributeName;
use crate::registry::Registry;
use crate::value::Value;
use std::collections::HashSet;

impl Registry {
    /// What of an entity does not fit any more where this registry takes the place of `was`. What fitted neither is
    /// not told: it belongs to an extension that is not loaded now. `left` are the attributes that one declared which
    /// is back now, when it was here last.
    ///
    /// An attribute that is new, and has a default, need not be there: the entity gets it with its next change.
    pub fn breaches(&self, was: &Registry, left: &HashSet<AttributeName>, entity: &Entity) -> Vec<Violation> {
        let (before, after) = (was.kind(&entity.kind), self.kind(&entity.kind));
        let (before, after) = match (before, after) {
            (None, None) => return Vec::new(),
            (Some(_), None) => return vec![Violation::UnknownCategory(entity.kind.clone())],
            (before, Some(after)) => (before, after),
        };
        let mut violations = Vec::new();
        for id in &entity.mixins {
            match (was.mixin(id), self.mixin(id)) {
                (Some(_), None) => violations.push(Violation::UnknownCategory(id.clone())),
                (_, Some(mixin)) if !self.applies(mixin, after) => {
                    violations
                        .push(Violation::NotApplicable { mixin: id.clone(), kind: entity.kind.clone() });
                }
                (_, Some(_)) | (None, None) => {}
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

//! An instance against the registry: what a client asks for, and what an extension proposes, becomes an entity or is
//! refused with every reason at once.

mod change;
mod create;
mod invoke;
mod violation;

pub use change::{Change, UpdateMode, Updated};
pub use create::{Identity, Made};
pub use invoke::Invocation;
pub use violation::{Gravity, Violation};

use crate::attribute::Attribute;
use crate::entity::Attributes;
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::{Registry, ResolvedKind};
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The attributes that an entity may have: its Kind's, then those that Mixins add, each with the default that counts.
struct Schema {
    attributes: BTreeMap<AttributeName, Declared>,
}

struct Declared {
    attribute: Arc<Attribute>,
    /// A Mixin's default overrides the Kind's (CORE-34), and a later Mixin's an earlier one's.
    default: Option<Value>,
    /// A template fixes the value: its default counts, whatever the client says (INF-14, CRTP).
    fixed: bool,
}

impl Schema {
    fn new(registry: &Registry, kind: &ResolvedKind, mixins: &[CategoryId]) -> Self {
        let mut attributes: BTreeMap<AttributeName, Declared> = kind
            .attributes
            .iter()
            .map(|attribute| {
                let declared = Declared {
                    attribute: Arc::clone(attribute),
                    default: attribute.default.clone(),
                    fixed: false,
                };
                (attribute.name.clone(), declared)
            })
            .collect();
        for mixin in registry.expand(mixins).filter_map(|id| registry.mixin(id)) {
            for attribute in &mixin.attributes {
                let Some(known) = attributes.get_mut(&attribute.name) else {
                    let (attribute, default) = (Arc::clone(attribute), attribute.default.clone());
                    attributes.insert(attribute.name.clone(), Declared { attribute, default, fixed: false });
                    continue;
                };
                if attribute.default.is_some() {
                    known.default.clone_from(&attribute.default);
                    known.fixed = !attribute.mutable && known.attribute.mutable;
                }
            }
        }
        Self { attributes }
    }

    fn get(&self, name: &AttributeName) -> Option<&Declared> {
        self.attributes.get(name)
    }
}

/// The value as its attribute declares it, or what is wrong with it.
fn typed(attribute: &Attribute, value: &Value) -> Result<Value, Violation> {
    let name = || attribute.name.clone();
    let Some(accepted) = attribute.value_type.accept(value.clone()) else {
        return Err(Violation::WrongType {
            name: name(),
            wanted: attribute.value_type,
            given: value.clone(),
        });
    };
    match attribute.constraint.breach(&accepted) {
        None => Ok(accepted),
        Some(rule) => Err(Violation::OutOfRange { name: name(), rule, given: accepted }),
    }
}

/// The Mixins of a request, each once, checked to be known and to fit the Kind (CORE-21, CORE-22).
fn check_mixins(
    registry: &Registry,
    kind: &ResolvedKind,
    mixins: impl IntoIterator<Item = CategoryId>,
    violations: &mut Vec<Violation>,
) -> Vec<CategoryId> {
    let mut checked: Vec<CategoryId> = Vec::new();
    for id in mixins {
        let Some(mixin) = registry.mixin(&id) else {
            violations.push(Violation::UnknownCategory(id));
            continue;
        };
        let applies = |id: &CategoryId| {
            registry.mixin(id).is_some_and(|mixin| {
                let kinds = &mixin.mixin.applies;
                kinds.is_empty() || kinds.iter().any(|applicable| kind.is(applicable))
            })
        };
        if !std::iter::once(&id).chain(&mixin.depends).all(applies) {
            violations.push(Violation::NotApplicable { mixin: id, kind: kind.kind.id.clone() });
        } else if !checked.contains(&id) {
            checked.push(id);
        }
    }
    checked
}

/// Takes an attribute of OCCI Core that must be text.
fn take_text(attributes: &mut Attributes, name: &str, violations: &mut Vec<Violation>) -> Option<String> {
    let (name, value) = attributes.remove_entry(name)?;
    match value {
        Value::Text(text) => Some(text),
        given => {
            violations.push(Violation::WrongType { name, wanted: crate::ValueType::String, given });
            None
        }
    }
}

#[cfg(test)]
mod tests;

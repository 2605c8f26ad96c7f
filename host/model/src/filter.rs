//! Which entities of a collection a request wants (HTTP-16, H11-03).

use crate::entity::Entity;
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::Registry;
use crate::value::Value;

/// All of it must hold; an empty filter lets everything pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Kinds or Mixins that the entity must have.
    pub categories: Vec<CategoryId>,
    /// Values that its attributes must have.
    pub attributes: Vec<(AttributeName, Value)>,
}

impl Filter {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.attributes.is_empty()
    }

    /// Whether the entity is wanted.
    pub fn matches(&self, registry: &Registry, entity: &Entity) -> bool {
        let has = |id: &CategoryId| &entity.kind == id || registry.mixins_of(entity).any(|mixin| mixin == id);
        let equals = |name: &AttributeName, wanted: &Value| {
            let Some(held) = entity.get(name.as_str()) else { return false };
            // A quoted number is the number where the attribute is one.
            let typed = || registry.attribute(entity, name)?.value_type.accept(wanted.clone());
            &held == wanted || typed().as_ref() == Some(&held)
        };
        self.categories.iter().all(has) && self.attributes.iter().all(|(name, value)| equals(name, value))
    }
}

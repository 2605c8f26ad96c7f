//! Which entities of a collection a request wants (HTTP-16, H11-03).

use crate::attribute::ValueType;
use crate::core;
use crate::entity::Entity;
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::Registry;
use crate::value::Value;
use uuid::Uuid;

/// A filter that nothing could ever pass, so that an empty answer would hide a mistake.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImpossibleFilter {
    /// No Kind and no Mixin.
    #[error("the filter names {0}, which is no Kind or Mixin here; the query interface shows all of them")]
    Category(CategoryId),
    /// No attribute of any Kind or Mixin.
    #[error(
        "the filter names {0}, which is an attribute of no Kind or Mixin here; the query interface shows all of them"
    )]
    Attribute(AttributeName),
    /// A value of another type than the attribute's.
    #[error("the filter has {given} for {name}, which is {}", types(.wanted))]
    Value {
        /// The attribute.
        name: AttributeName,
        /// The types that it is declared with.
        wanted: Vec<ValueType>,
        /// What was given for it.
        given: Value,
    },
}

fn types(types: &[ValueType]) -> String {
    let mut types: Vec<_> = types.iter().map(|wanted| format!("of type {wanted}")).collect();
    types.dedup();
    let hint =
        if types.iter().all(|wanted| wanted == "of type string") { "; write it in quotes" } else { "" };
    types.join(" or ") + hint
}

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

    /// Whether all that it names is known (H11-30).
    pub fn check(&self, registry: &Registry) -> Result<(), ImpossibleFilter> {
        let is_category = |id: &CategoryId| registry.kind(id).is_some() || registry.mixin(id).is_some();
        if let Some(id) = self.categories.iter().find(|id| !is_category(id)) {
            return Err(ImpossibleFilter::Category(id.clone()));
        }
        for (name, value) in &self.attributes {
            let of_kinds = registry.kinds().iter().flat_map(|kind| &kind.attributes);
            let of_mixins = registry.mixins().iter().flat_map(|mixin| &mixin.attributes);
            let wanted: Vec<_> = of_kinds
                .chain(of_mixins)
                .filter(|attribute| attribute.name == *name)
                .map(|attribute| attribute.value_type)
                .collect();
            if wanted.is_empty() {
                return Err(ImpossibleFilter::Attribute(name.clone()));
            }
            if wanted.iter().all(|wanted| wanted.accept(value.clone()).is_none()) {
                let (name, given) = (name.clone(), value.clone());
                return Err(ImpossibleFilter::Value { name, wanted, given });
            }
        }
        Ok(())
    }

    /// Whether the entity is wanted.
    pub fn matches(&self, registry: &Registry, entity: &Entity) -> bool {
        // HTTP-17: as the collection of a Mixin has them, so not by another Mixin that stands on it.
        let has = |id: &CategoryId| &entity.kind == id || entity.mixins.contains(id);
        let equals = |name: &AttributeName, wanted: &Value| {
            let Some(held) = entity.get(name.as_str()) else { return false };
            // Written as a URN or without that.
            if name.as_str() == core::ID {
                return wanted.as_text().and_then(|id| Uuid::parse_str(id).ok()) == Some(entity.id);
            }
            // A quoted number is the number where the attribute is one.
            let typed = || registry.attribute(entity, name)?.value_type.accept(wanted.clone());
            &held == wanted || typed().as_ref() == Some(&held)
        };
        self.categories.iter().all(has) && self.attributes.iter().all(|(name, value)| equals(name, value))
    }
}

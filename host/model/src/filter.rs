//! Which entities of a collection a request wants (HTTP-16, H11-03).

use crate::entity::Entity;
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::Registry;
use crate::value::Value;

/// A filter that nothing could ever pass, so that an empty answer would hide a mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownInFilter {
    /// No Kind and no Mixin.
    #[error("the filter names {0}, which is no Kind or Mixin here; the query interface shows all of them")]
    Category(CategoryId),
    /// No attribute of any Kind or Mixin.
    #[error(
        "the filter names {0}, which is an attribute of no Kind or Mixin here; the query interface shows all of them"
    )]
    Attribute(AttributeName),
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
    pub fn check(&self, registry: &Registry) -> Result<(), UnknownInFilter> {
        let is_category = |id: &CategoryId| registry.kind(id).is_some() || registry.mixin(id).is_some();
        if let Some(id) = self.categories.iter().find(|id| !is_category(id)) {
            return Err(UnknownInFilter::Category(id.clone()));
        }
        let is_attribute = |name: &AttributeName| {
            let of_kinds = registry.kinds().iter().flat_map(|kind| &kind.attributes);
            let of_mixins = registry.mixins().iter().flat_map(|mixin| &mixin.attributes);
            of_kinds.chain(of_mixins).any(|attribute| attribute.name == *name)
        };
        match self.attributes.iter().find(|(name, _)| !is_attribute(name)) {
            Some((name, _)) => Err(UnknownInFilter::Attribute(name.clone())),
            None => Ok(()),
        }
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

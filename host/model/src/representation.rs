//! All that an answer can say. Operations end here and every rendering begins here.

use crate::category::Action;
use crate::entity::Entity;
use crate::identifier::CategoryId;
use crate::registry::{ResolvedKind, ResolvedMixin};
use std::sync::Arc;

/// The content of an answer.
#[derive(Debug, Clone)]
pub enum Representation {
    /// One entity.
    Entity(View),
    /// A collection, in a stable order.
    Collection(Vec<View>),
    /// The query interface, or categories that an operation made.
    Categories(Vec<CategoryView>),
    /// New entities, which text shows by their locations.
    Created(Vec<View>),
    /// It is done, and there is nothing to say.
    Done,
}

/// An entity with what belongs to its rendering.
#[derive(Debug, Clone)]
pub struct View {
    /// The entity.
    pub entity: Arc<Entity>,
    /// The links that leave it (H11-23); none of a link.
    pub links: Vec<View>,
    /// The actions that its state allows (H11-17).
    pub actions: Vec<CategoryId>,
    /// What its console is in a link to it; none where it has no console.
    pub console: Option<CategoryId>,
}

/// A category with what belongs to its rendering.
#[derive(Debug, Clone)]
pub enum CategoryView {
    /// With inherited attributes and actions.
    Kind(Arc<ResolvedKind>),
    /// With what it adds itself.
    Mixin(Arc<ResolvedMixin>),
    /// With its parameters.
    Action(Arc<Action>),
}

//! The query interface: which categories there are (HTTP-19).

use crate::{Reply, Snapshot};
use occi_model::{CategoryId, CategoryView, Filter, Representation};
use std::sync::Arc;

/// All categories, or those that the filter names, complete and no others (H11-04, Q-35).
pub(crate) fn query(snapshot: &Snapshot, filter: &Filter) -> Reply {
    let registry = snapshot.registry();
    let wanted = |id: &CategoryId| filter.categories.is_empty() || filter.categories.contains(id);
    let kinds = registry.kinds().iter().filter(|kind| wanted(&kind.kind.id));
    let mixins = registry.mixins().iter().filter(|mixin| wanted(&mixin.mixin.id));
    let actions = registry.actions().iter().filter(|action| wanted(&action.id));
    let views = kinds
        .map(|kind| CategoryView::Kind(Arc::clone(kind)))
        .chain(mixins.map(|mixin| CategoryView::Mixin(Arc::clone(mixin))))
        .chain(actions.map(|action| CategoryView::Action(Arc::clone(action))))
        .collect();
    Reply::new(Representation::Categories(views))
}

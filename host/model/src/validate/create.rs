//! From a draft to a new entity.

use super::schema::Schema;
use super::{Violation, check_mixins, take_text};
use crate::category::Class;
use crate::core;
use crate::draft::Item;
use crate::entity::{Attributes, Ends, Entity};
use crate::identifier::{AttributeName, CategoryId, Location};
use crate::registry::{Nature, Registry, ResolvedKind};
use crate::value::Value;
use std::sync::Arc;
use uuid::Uuid;

/// What the server gives a new entity.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its id.
    pub id: Uuid,
    /// Its path.
    pub location: Location,
    /// To whom it belongs.
    pub tenant: Arc<str>,
}

/// What a draft is to become: an instance of a Kind, with Mixins.
#[derive(Debug, Clone)]
pub struct Made {
    /// The Kind.
    pub kind: Arc<ResolvedKind>,
    /// The Mixins that were named.
    pub mixins: Vec<CategoryId>,
}

impl Registry {
    /// What an item asks to be made: exactly one Kind that has instances, and Mixins that apply to it.
    pub fn classify(&self, item: &Item) -> Result<Made, Vec<Violation>> {
        let mut violations = Vec::new();
        let (kind, mixins) = self.sort_categories(item, &mut violations);
        let Some(kind) = kind else {
            violations.insert(0, Violation::NoKind);
            return Err(violations);
        };
        if kind.nature == Nature::Abstract || kind.kind.location.is_none() {
            violations.push(Violation::NotInstantiable(kind.kind.id.clone()));
        }
        if kind.nature == Nature::Link && !item.links.is_empty() {
            violations.push(Violation::LinkOfLink(kind.kind.id.clone()));
        }
        let mixins = check_mixins(self, &kind, mixins, &mut violations);
        if violations.is_empty() { Ok(Made { kind, mixins }) } else { Err(violations) }
    }

    /// The new entity, or everything that is wrong with the item. A link's ends are found by the caller, who knows
    /// where the resources are; a resource has none.
    pub fn instantiate(
        &self,
        made: &Made,
        item: &Item,
        identity: Identity,
        ends: Option<Ends>,
    ) -> Result<Entity, Vec<Violation>> {
        let kind = &made.kind;
        let mut violations = Vec::new();
        let mut given = item.attributes.clone();
        let title = take_text(&mut given, core::TITLE, &mut violations);
        let summary = match kind.nature {
            Nature::Resource => take_text(&mut given, core::SUMMARY, &mut violations),
            Nature::Link | Nature::Abstract => None,
        };
        // The caller has looked at them, and decided.
        for name in [core::ID, core::SOURCE, core::SOURCE_KIND, core::TARGET, core::TARGET_KIND] {
            if name == core::ID || kind.nature == Nature::Link {
                given.remove(name);
            }
        }
        let ends = match kind.nature {
            Nature::Link => ends,
            Nature::Resource | Nature::Abstract => None,
        };
        if kind.nature == Nature::Link && ends.is_none() {
            missing_ends(&kind.kind.id, item, &mut violations);
        }

        let schema = Schema::new(self, kind, &made.mixins);
        let initial = initial_state(kind);
        let mut attributes = initial.clone();
        schema.take(given, &initial, None, &mut attributes, &mut violations);
        schema.complete(None, &mut attributes, &mut violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        let Identity { id, location, tenant } = identity;
        let (kind, mixins) = (kind.kind.id.clone(), made.mixins.clone());
        Ok(Entity { id, location, kind, mixins, tenant, title, summary, attributes, ends })
    }

    /// The Kind among an item's categories, and the others as Mixins that are still to be checked.
    pub(super) fn sort_categories(
        &self,
        item: &Item,
        violations: &mut Vec<Violation>,
    ) -> (Option<Arc<ResolvedKind>>, Vec<CategoryId>) {
        let mut found: Option<Arc<ResolvedKind>> = None;
        let mut mixins = Vec::new();
        for category in &item.categories {
            let id = &category.id;
            let is = if let Some(kind) = self.kind(id) {
                match &found {
                    Some(first) if &first.kind.id != id => {
                        violations.push(Violation::SeveralKinds(first.kind.id.clone(), id.clone()));
                    }
                    Some(_) => {}
                    None => found = Some(Arc::clone(kind)),
                }
                Class::Kind
            } else if self.mixin(id).is_some() {
                mixins.push(id.clone());
                Class::Mixin
            } else if self.action(id).is_some() {
                let given = category.class.filter(|class| *class != Class::Action).unwrap_or(Class::Kind);
                violations.push(Violation::WrongClass { id: id.clone(), is: Class::Action, given });
                continue;
            } else {
                violations.push(Violation::UnknownCategory(id.clone()));
                continue;
            };
            if let Some(given) = category.class.filter(|class| *class != is) {
                violations.push(Violation::WrongClass { id: id.clone(), is, given });
            }
        }
        (found, mixins)
    }
}

fn initial_state(kind: &ResolvedKind) -> Attributes {
    kind.states
        .iter()
        .map(|states| (states.attribute.clone(), Value::Text(states.initial.as_ref().to_owned())))
        .collect()
}

/// A link has two ends (H11-24). Where a request names both, it is for the caller to say why they are none.
fn missing_ends(kind: &CategoryId, item: &Item, violations: &mut Vec<Violation>) {
    let ends = [core::SOURCE, core::TARGET];
    let all_named = ends.iter().all(|name| item.attributes.contains_key(*name));
    for name in ends.into_iter().filter(|name| all_named || !item.attributes.contains_key(*name)) {
        violations.extend(
            AttributeName::parse(name).ok().map(|name| Violation::Missing { name, by: kind.clone() }),
        );
    }
}

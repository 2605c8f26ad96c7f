//! An action's invocation on an entity.

use super::Violation;
use super::schema::{nearest, typed};
use crate::category::{Action, Class};
use crate::draft::Item;
use crate::entity::{Attributes, Entity};
use crate::identifier::CategoryId;
use crate::registry::{Registry, allows};
use std::sync::Arc;

/// An action to be carried out, with its parameters checked.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The action.
    pub action: Arc<Action>,
    /// The Kind or Mixin whose action it is (CORE-28).
    pub owner: CategoryId,
    /// Its parameters, defaults included.
    pub parameters: Attributes,
}

impl Registry {
    /// The invocation that an item asks of an entity under `?action=term`, or everything that is wrong with it.
    pub fn invocation(&self, entity: &Entity, item: &Item, term: &str) -> Result<Invocation, Vec<Violation>> {
        let [category] = &item.categories[..] else {
            return Err(vec![Violation::NoAction { term: term.to_owned() }]);
        };
        let id = &category.id;
        if let Some(given) = category.class.filter(|class| *class != Class::Action)
            && self.action(id).is_some()
        {
            return Err(vec![Violation::WrongClass { id: id.clone(), is: Class::Action, given }]);
        }
        if id.term() != term {
            return Err(vec![Violation::ActionMismatch { term: term.to_owned(), id: id.clone() }]);
        }
        let Some(action) = self.actions_of(entity).find(|action| &action.id == id) else {
            let known = self.actions_of(entity).map(|action| action.id.term().to_owned()).collect();
            return Err(vec![Violation::NoSuchAction { id: id.clone(), known }]);
        };
        let mut violations = Vec::new();
        let parameters = parameters(action, item, &mut violations);
        let state = self.state(entity);
        if !allows(action, state) {
            violations.push(Violation::NotInState {
                action: term.to_owned(),
                state: state.unwrap_or_default().to_owned(),
                allowed: action.from.clone().unwrap_or_default(),
            });
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let owner = self.owner(entity, id).unwrap_or_else(|| entity.kind.clone());
        Ok(Invocation { action: Arc::clone(action), owner, parameters })
    }

    /// The Kind or Mixin that declares an action of this entity.
    fn owner(&self, entity: &Entity, action: &CategoryId) -> Option<CategoryId> {
        let kinds = self.kind(&entity.kind)?.ancestors.iter();
        let of_kind = kinds.filter(|id| self.kind(id).is_some_and(|kind| kind.kind.actions.contains(action)));
        let of_mixin = self
            .mixins_of(entity)
            .filter(|id| self.mixin(id).is_some_and(|mixin| mixin.mixin.actions.contains(action)));
        of_kind.chain(of_mixin).next().cloned()
    }
}

fn parameters(action: &Action, item: &Item, violations: &mut Vec<Violation>) -> Attributes {
    let mut parameters = Attributes::new();
    for (name, value) in &item.attributes {
        match action.attributes.iter().find(|attribute| &attribute.name == name) {
            None => violations.push(Violation::UnknownAttribute {
                name: name.clone(),
                of: action.id.clone(),
                nearest: nearest(action.attributes.iter().map(|attribute| &attribute.name), name),
            }),
            Some(attribute) => match typed(attribute, value) {
                Ok(value) => {
                    parameters.insert(name.clone(), value);
                }
                Err(violation) => violations.push(violation),
            },
        }
    }
    for attribute in &action.attributes {
        if parameters.contains_key(&attribute.name) || item.attributes.contains_key(&attribute.name) {
            continue;
        }
        match &attribute.default {
            Some(default) => {
                parameters.insert(attribute.name.clone(), default.clone());
            }
            None if attribute.required => {
                let (name, by) = (attribute.name.clone(), action.id.clone());
                violations.push(Violation::Missing { name, by });
            }
            None => {}
        }
    }
    parameters
}

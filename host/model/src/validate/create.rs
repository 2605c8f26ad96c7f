//! From a draft to a new entity.

use super::{Schema, Violation, check_mixins, take_text, typed};
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
        given.remove(core::ID);
        if kind.nature == Nature::Link {
            for name in [core::SOURCE, core::TARGET] {
                let named = given.remove(name).is_some();
                if ends.is_none()
                    && !named
                    && let Ok(name) = AttributeName::parse(name)
                {
                    violations.push(Violation::Missing { name, by: kind.kind.id.clone() });
                }
            }
            given.remove(core::SOURCE_KIND);
            given.remove(core::TARGET_KIND);
        }

        let schema = Schema::new(self, kind, &made.mixins);
        let mut attributes = initial_state(kind);
        for (name, value) in given {
            let Some(declared) = schema.get(&name) else {
                violations.push(schema.unknown(name, &kind.kind.id));
                continue;
            };
            if declared.fixed {
                continue;
            }
            match typed(&declared.attribute, &value) {
                Err(violation) => violations.push(violation),
                Ok(value) if declared.attribute.mutable => {
                    attributes.insert(name, value);
                }
                // What a client sends back as it read it is no wish to change it.
                Ok(value) if attributes.get(&name).or(declared.default.as_ref()) == Some(&value) => {}
                Ok(given) => {
                    let held = attributes.get(&name).cloned();
                    violations.push(Violation::Immutable { name, given, held });
                }
            }
        }
        schema.complete(&mut attributes, &kind.kind.id, &mut violations);
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

impl Schema {
    /// Fills in defaults and the values that a template fixes, and finds what is required and still missing.
    pub(super) fn complete(
        &self,
        attributes: &mut Attributes,
        kind: &CategoryId,
        violations: &mut Vec<Violation>,
    ) {
        for (name, declared) in &self.attributes {
            if let Some(default) = &declared.default
                && (declared.fixed || !attributes.contains_key(name))
            {
                // The registry has checked that the default is of the type.
                let default = declared.attribute.value_type.accept(default.clone());
                attributes.extend(default.map(|value| (name.clone(), value)));
            }
            if declared.attribute.required
                && !core::is_core(name.as_str())
                && !attributes.contains_key(name)
                && !violations.iter().any(|known| known.concerns(name))
            {
                violations.push(Violation::Missing { name: name.clone(), by: kind.clone() });
            }
        }
    }

    pub(super) fn unknown(&self, name: AttributeName, of: &CategoryId) -> Violation {
        // Names differ in their last part more often than not: the one with the same last part, else the same start.
        let last = |name: &AttributeName| name.as_str().rsplit('.').next().map(str::to_owned);
        let nearest = self
            .attributes
            .keys()
            .find(|known| last(known) == last(&name) || known.as_str().eq_ignore_ascii_case(name.as_str()))
            .cloned();
        Violation::UnknownAttribute { name, of: of.clone(), nearest }
    }
}

impl Violation {
    /// Whether it is about that attribute's value already, so that 'missing' need not be said too.
    fn concerns(&self, wanted: &AttributeName) -> bool {
        match self {
            Self::WrongType { name, .. } | Self::OutOfRange { name, .. } | Self::Immutable { name, .. } => {
                name == wanted
            }
            _ => false,
        }
    }
}

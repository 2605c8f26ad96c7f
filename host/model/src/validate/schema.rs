//! The attributes that an entity may have by its Kind and its Mixins together, and what becomes of the values that
//! are given for them.

use super::Violation;
use crate::attribute::Attribute;
use crate::core;
use crate::entity::Attributes;
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::{Registry, ResolvedKind};
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The attributes that an entity may have beside those of OCCI Core: its Kind's, then those that Mixins add.
pub(super) struct Schema {
    kind: CategoryId,
    attributes: BTreeMap<AttributeName, Declared>,
}

pub(super) struct Declared {
    /// As it was declared first, or by whoever depends on who did; that decides about type and constraint.
    pub(super) attribute: Arc<Attribute>,
    /// By whom.
    pub(super) by: CategoryId,
    /// A Mixin's default overrides the Kind's (CORE-34), and a later Mixin's an earlier one's and
    /// that of one on which it depends.
    default: Option<Value>,
    /// The Mixin whose default that is; none where it is the Kind's.
    default_by: Option<CategoryId>,
    /// Whether that Mixin leaves the client no choice: a template (INF-14, CRTP).
    is_template: bool,
}

impl Declared {
    pub(super) fn is_mutable(&self) -> bool {
        self.attribute.mutable && !self.is_template
    }

    /// Whether a template decides about the value that did not so far, when `was` is the schema until now (INF-17).
    fn takes_over(&self, was: Option<&Schema>) -> bool {
        let before = was.and_then(|was| was.get(&self.attribute.name)).filter(|before| before.is_template);
        self.is_template && before.is_none_or(|before| before.default_by != self.default_by)
    }

    /// Whether a value that an entity has since `was` declared it is the default of its Kind or of another Mixin,
    /// which this one's overrides (CORE-34).
    pub(super) fn overrides(&self, was: &Self, held: &Value) -> bool {
        self.default_by.is_some() && self.default_by != was.default_by && was.gives(held)
    }

    /// Whether a value is the default.
    pub(super) fn gives(&self, held: &Value) -> bool {
        self.default.as_ref() == Some(held)
    }

    /// What is wrong with a value that an entity has since `was` declared it, where that was another.
    pub(super) fn breach(&self, was: &Self, held: &Value) -> Option<Violation> {
        if self.by == was.by { None } else { typed(&self.attribute, held).err() }
    }
}

impl Schema {
    pub(super) fn new(registry: &Registry, kind: &ResolvedKind, mixins: &[CategoryId]) -> Self {
        let mut attributes = BTreeMap::new();
        for attribute in kind.attributes.iter().filter(|attribute| !core::is_core(attribute.name.as_str())) {
            let (by, default) = (kind.kind.id.clone(), attribute.default.clone());
            let declared = Declared {
                attribute: Arc::clone(attribute),
                by,
                default,
                default_by: None,
                is_template: false,
            };
            attributes.insert(attribute.name.clone(), declared);
        }
        for (resolved, attribute) in registry
            .expand(mixins)
            .filter_map(|id| registry.mixin(id))
            .flat_map(|mixin| mixin.attributes.iter().map(move |attribute| (mixin, attribute)))
        {
            let mixin = &resolved.mixin.id;
            let declared = attributes.entry(attribute.name.clone()).or_insert_with(|| Declared {
                attribute: Arc::clone(attribute),
                by: mixin.clone(),
                default: None,
                default_by: None,
                is_template: false,
            });
            // What a Mixin narrows or requires of one on which it depends is held, whichever is named first.
            if resolved.refines(&declared.by) {
                declared.attribute = Arc::clone(attribute);
                declared.by = mixin.clone();
                if declared.default.as_ref().is_some_and(|default| typed(attribute, default).is_err()) {
                    declared.default = None;
                    declared.default_by = None;
                    declared.is_template = false;
                }
            }
            // Two Mixins that know nothing of each other may declare one name differently.
            let default = attribute.default.as_ref().and_then(|value| typed(&declared.attribute, value).ok());
            let default_by = declared.default_by.as_ref().and_then(|by| registry.mixin(by));
            let is_refined = default_by.is_some_and(|by| by.refines(mixin));
            if default.is_some() && !is_refined {
                declared.default = default;
                declared.default_by = Some(mixin.clone());
                declared.is_template = !attribute.mutable;
            }
        }
        Self { kind: kind.kind.id.clone(), attributes }
    }

    pub(super) fn get(&self, name: &AttributeName) -> Option<&Declared> {
        self.attributes.get(name)
    }

    /// Takes a client's values over, where `held` are those that the entity has and `was` is its schema so far; none
    /// of a new entity.
    pub(super) fn take(
        &self,
        given: Attributes,
        held: &Attributes,
        was: Option<&Self>,
        attributes: &mut Attributes,
        violations: &mut Vec<Violation>,
    ) {
        for (name, value) in given {
            let Some(declared) = self.get(&name) else {
                violations.push(self.unknown(name));
                continue;
            };
            let value = match typed(&declared.attribute, &value) {
                Ok(value) => value,
                Err(violation) => {
                    violations.push(violation);
                    continue;
                }
            };
            if declared.is_mutable() {
                attributes.insert(name, value);
                continue;
            }
            let held = held.get(&name);
            let takes_over = declared.takes_over(was);
            let next =
                if takes_over { declared.default.as_ref() } else { held.or(declared.default.as_ref()) };
            // A template overrides what a request says beside it (INF-14), and what a client sends back as it read
            // it is no wish to change it.
            let overridden = takes_over && declared.attribute.mutable;
            if !overridden && held != Some(&value) && next != Some(&value) {
                violations.push(Violation::Immutable { name, given: value, held: held.cloned() });
            }
        }
    }

    /// Fills in defaults and the values of templates that are new, and finds what is required and still missing.
    pub(super) fn complete(
        &self,
        was: Option<&Self>,
        attributes: &mut Attributes,
        violations: &mut Vec<Violation>,
    ) {
        for (name, declared) in &self.attributes {
            if let Some(default) = &declared.default
                && (!attributes.contains_key(name) || declared.takes_over(was))
            {
                attributes.insert(name.clone(), default.clone());
            }
            if let (Some(held), Some(was)) = (attributes.get(name), was.and_then(|was| was.get(name)))
                && !violations.iter().any(|known| known.concerns(name))
            {
                violations.extend(declared.breach(was, held));
            }
            // What clients cannot set they need not give: the extension does.
            if declared.attribute.required
                && declared.attribute.mutable
                && !attributes.contains_key(name)
                && !violations.iter().any(|known| known.concerns(name))
            {
                violations.push(Violation::Missing { name: name.clone(), by: declared.by.clone() });
            }
        }
    }

    pub(super) fn unknown(&self, name: AttributeName) -> Violation {
        let nearest = nearest(self.attributes.keys(), &name);
        Violation::UnknownAttribute { name, of: self.kind.clone(), nearest }
    }
}

/// The value as its attribute declares it, or what is wrong with it.
pub(super) fn typed(attribute: &Attribute, value: &Value) -> Result<Value, Violation> {
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

/// The name that may be meant by one that is not known: that with the same last part, or the same but for case.
pub(super) fn nearest<'a>(
    mut known: impl Iterator<Item = &'a AttributeName>,
    wanted: &AttributeName,
) -> Option<AttributeName> {
    fn last(name: &AttributeName) -> &str {
        name.as_str().rsplit('.').next().unwrap_or_default()
    }
    known
        .find(|known| last(known) == last(wanted) || known.as_str().eq_ignore_ascii_case(wanted.as_str()))
        .cloned()
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

//! The attributes that an entity may have by its Kind and its Mixins together, and what becomes of the values that
//! are given for them.

use super::Violation;
use crate::attribute::Attribute;
use crate::core;
use crate::entity::Attributes;
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::{Registry, ResolvedKind, ResolvedMixin};
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The attributes that an entity may have beside those of OCCI Core: its Kind's, then those that Mixins add.
pub(super) struct Schema {
    kind: CategoryId,
    attributes: BTreeMap<AttributeName, Declared>,
}

pub(super) struct Declared {
    /// As the Kind declares it, or else the first Mixin that does; that decides about the type.
    pub(super) attribute: Arc<Attribute>,
    /// By whom.
    by: CategoryId,
    /// What other Mixins say of it, and which: all of it holds.
    narrower: Vec<(CategoryId, Arc<Attribute>)>,
    /// A Mixin's default overrides the Kind's (CORE-34).
    default: Option<Value>,
    /// The Mixin whose default that is; none where it is the Kind's.
    default_by: Option<CategoryId>,
    /// Whether that Mixin leaves the client no choice: a template (INF-14, CRTP).
    is_template: bool,
}

impl Declared {
    fn new(by: &CategoryId, attribute: &Arc<Attribute>) -> Self {
        let attribute = Arc::clone(attribute);
        let (by, narrower) = (by.clone(), Vec::new());
        Self { attribute, by, narrower, default: None, default_by: None, is_template: false }
    }

    fn all(&self) -> impl Iterator<Item = (&CategoryId, &Arc<Attribute>)> {
        let others = self.narrower.iter().map(|(by, attribute)| (by, attribute));
        std::iter::once((&self.by, &self.attribute)).chain(others)
    }

    /// Whether only the Kind's extension sets it: that is not for Mixins to judge.
    fn is_extensions(&self, kind: &CategoryId) -> bool {
        &self.by == kind && !self.attribute.mutable
    }

    /// Another Mixin's declaration. It cannot hold if it is of another type: the two know nothing of each other.
    fn add(&mut self, by: &CategoryId, attribute: &Arc<Attribute>, kind: &CategoryId) {
        if attribute.value_type == self.attribute.value_type && !self.is_extensions(kind) {
            self.narrower.push((by.clone(), Arc::clone(attribute)));
        }
    }

    /// Takes a Mixin's default, be it one that others do not allow: then there can be no such entity ([`Violation::Default`]).
    /// A template's comes before others; then that of a Mixin before one on which it depends, and the later one.
    fn offer(&mut self, registry: &Registry, mixin: &ResolvedMixin, attribute: &Attribute) {
        let default = attribute.default.as_ref();
        let default = default.and_then(|value| self.attribute.value_type.accept(value.clone()));
        let Some(default) = default else { return };
        let by = self.default_by.as_ref().and_then(|by| registry.mixin(by));
        let is_refined = by.is_some_and(|by| by.depends.contains(&mixin.mixin.id));
        let is_template = !attribute.mutable;
        if self.is_template && !is_template || self.is_template == is_template && is_refined {
            return;
        }
        self.default = Some(default);
        self.default_by = Some(mixin.mixin.id.clone());
        self.is_template = is_template;
    }

    /// The value as it is declared, or what is wrong with it.
    pub(super) fn accept(&self, value: &Value) -> Result<Value, Violation> {
        let accepted = typed(&self.attribute, value)?;
        let mut others = self.narrower.iter();
        others.try_for_each(|(_, attribute)| typed(attribute, &accepted).map(drop)).map(|()| accepted)
    }

    /// Whether clients may set it. A Mixin's declaration with a default is a template's; it counts while that default
    /// is the one that is taken.
    pub(super) fn is_mutable(&self) -> bool {
        let may_be_set = |attribute: &Attribute| attribute.mutable || attribute.default.is_some();
        self.attribute.mutable
            && !self.is_template
            && self.narrower.iter().all(|(_, attribute)| may_be_set(attribute))
    }

    /// Whether it is declared by one of these.
    pub(super) fn is_by(&self, mut is_one: impl FnMut(&CategoryId) -> bool) -> bool {
        self.all().any(|(by, _)| is_one(by))
    }

    /// Whether a template decides about the value that did not so far, when `was` is the schema until now (INF-17).
    fn takes_over(&self, was: Option<&Schema>) -> bool {
        let before = was.and_then(|was| was.get(&self.attribute.name)).filter(|before| before.is_template);
        self.is_template && before.is_none_or(|before| before.default_by != self.default_by)
    }

    /// Whether a value that an entity has since `was` declared it is the default of its Kind or of another Mixin,
    /// which this one's overrides (CORE-34).
    pub(super) fn overrides(&self, was: &Self, held: &Value) -> bool {
        let is_other = self.default_by.is_some() && self.default_by != was.default_by;
        is_other && was.default.as_ref() == Some(held) && self.default_breach().is_none()
    }

    /// What is wrong with the default.
    fn default_breach(&self) -> Option<Violation> {
        let default = self.default.as_ref()?;
        match self.accept(default).err()? {
            Violation::OutOfRange { name, rule, given } => {
                let by = self.default_by.as_ref().unwrap_or(&self.by).clone();
                Some(Violation::Default { name, rule, given, by, is_fixed: self.is_template })
            }
            other => Some(other),
        }
    }

    /// What is wrong where it has no value.
    fn missing(&self, kind: &CategoryId) -> Option<Violation> {
        let (by, _) = self.all().find(|(_, attribute)| attribute.required)?;
        let (name, by) = (self.attribute.name.clone(), by.clone());
        match self.all().find(|(_, attribute)| !attribute.mutable) {
            None => Some(Violation::Missing { name, by }),
            // The Kind wants it of clients, and a Mixin keeps it from them.
            Some((kept_by, _)) if self.by == *kind && self.attribute.mutable => {
                Some(Violation::Unsettable { name, by, kept_by: kept_by.clone() })
            }
            // What is not for clients to set they need not give: the extension does.
            Some(_) => None,
        }
    }

    /// What is wrong with a value that an entity has since `was` declared it, by what has been added.
    pub(super) fn breach(&self, was: &Self, held: &Value) -> Option<Violation> {
        let mut added = self.all().filter(|(by, _)| !was.is_by(|known| known == *by));
        added.find_map(|(_, attribute)| typed(attribute, held).err()).map(|violation| match violation {
            Violation::OutOfRange { name, rule, given } => Violation::Held { name, rule, held: given },
            other => other,
        })
    }
}

impl Schema {
    pub(super) fn new(registry: &Registry, kind: &ResolvedKind, mixins: &[CategoryId]) -> Self {
        let id = &kind.kind.id;
        let of_kind = kind.attributes.iter().filter(|attribute| !core::is_core(attribute.name.as_str()));
        let mut attributes: BTreeMap<AttributeName, Declared> =
            of_kind.map(|attribute| (attribute.name.clone(), Declared::new(id, attribute))).collect();
        let of_mixins: Vec<_> = registry
            .expand(mixins)
            .filter_map(|id| registry.mixin(id))
            .flat_map(|mixin| mixin.attributes.iter().map(move |attribute| (mixin, attribute)))
            .collect();
        for (mixin, attribute) in &of_mixins {
            let by = &mixin.mixin.id;
            attributes
                .entry(attribute.name.clone())
                .and_modify(|declared| declared.add(by, attribute, id))
                .or_insert_with(|| Declared::new(by, attribute));
        }
        for declared in attributes.values_mut().filter(|declared| &declared.by == id) {
            declared.default.clone_from(&declared.attribute.default);
        }
        for (mixin, attribute) in of_mixins {
            let declared = attributes.get_mut(&attribute.name);
            if let Some(declared) = declared.filter(|declared| !declared.is_extensions(id)) {
                declared.offer(registry, mixin, attribute);
            }
        }
        Self { kind: id.clone(), attributes }
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
            let value = match declared.accept(&value) {
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
            let overridden = takes_over && declared.all().any(|(_, attribute)| attribute.mutable);
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
                if !violations.iter().any(|known| known.concerns(name)) {
                    violations.extend(declared.default_breach());
                }
            }
            if let (Some(held), Some(was)) = (attributes.get(name), was.and_then(|was| was.get(name)))
                && !violations.iter().any(|known| known.concerns(name))
            {
                violations.extend(declared.breach(was, held));
            }
            if !attributes.contains_key(name) && !violations.iter().any(|known| known.concerns(name)) {
                violations.extend(declared.missing(&self.kind));
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
            Self::WrongType { name, .. }
            | Self::OutOfRange { name, .. }
            | Self::Held { name, .. }
            | Self::Default { name, .. }
            | Self::Immutable { name, .. } => name == wanted,
            _ => false,
        }
    }
}

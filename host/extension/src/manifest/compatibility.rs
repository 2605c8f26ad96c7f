//! What is there for clients of an older OCCI alone: an action, an attribute or a state that says `compatibility = "1.1"`. It is
//! read and checked as all else is, and left out by a server that is not told to be there for such clients.

use super::Manifest;
use super::fault::Report;
use super::form::AttributeForm;
use super::source::Place;
use occi_model::{Attribute, AttributeName, CategoryId, States, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How old the OCCI is that a server is there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compatibility {
    /// OCCI 1.2, and no older one than that is answered by itself.
    #[default]
    Occi12,
    /// What only OCCI 1.1 has, too.
    Occi11,
}

/// The one that a manifest can name.
const OLDER: &str = "1.1";

/// What of a manifest is for clients of OCCI 1.1 alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marked {
    /// Actions.
    pub actions: BTreeSet<CategoryId>,
    /// Attributes, by the Kind or Mixin that declares them.
    pub attributes: BTreeSet<(CategoryId, AttributeName)>,
    /// States, by their Kind.
    pub states: BTreeMap<CategoryId, Vec<Arc<str>>>,
}

impl Marked {
    fn has_attribute(&self, of: &CategoryId, name: &AttributeName) -> bool {
        self.attributes.contains(&(of.clone(), name.clone()))
    }

    fn has_state(&self, state: &str) -> bool {
        self.states.values().flatten().any(|marked| **marked == *state)
    }
}

/// Whether something is for clients of OCCI 1.1 alone.
pub(super) fn is_marked(report: &mut Report<'_, '_>, place: &Place, given: Option<&String>) -> bool {
    if given.is_some_and(|given| given != OLDER) {
        report.fault(&place.key("compatibility"), format!("is {OLDER:?}, or left out"));
    }
    given.is_some()
}

/// Notes which attributes of a Kind or Mixin are.
pub(super) fn attributes(
    report: &mut Report<'_, '_>,
    marked: &mut Marked,
    place: &Place,
    forms: &BTreeMap<String, AttributeForm>,
    of: Option<&CategoryId>,
) {
    for (name, form) in forms {
        let is_marked = is_marked(report, &place.key(name), form.compatibility.as_ref());
        let name = AttributeName::parse(name).ok().filter(|_| is_marked);
        marked.attributes.extend(of.cloned().zip(name));
    }
}

/// The states of a Kind with those that are; their attribute then has these as values, too.
pub(super) fn states(
    report: &mut Report<'_, '_>,
    marked: &mut Marked,
    (place, values): (&Place, &BTreeMap<String, Vec<String>>),
    of: Option<&CategoryId>,
    mut states: States,
    attributes: &mut [Attribute],
) -> States {
    for (version, values) in values {
        let place = place.key(version);
        if version != OLDER {
            report.fault(&place, format!("is no version that is told apart; there is {OLDER:?}"));
        }
        for (index, value) in values.iter().enumerate() {
            if states.values.iter().any(|known| **known == **value) {
                report.fault(&place.index(index), format!("`{value}` is there already; take one away"));
                continue;
            }
            let state = Arc::<str>::from(value.as_str());
            states.values.push(Arc::clone(&state));
            let attribute = attributes.iter_mut().find(|declared| declared.name == states.attribute);
            if let Some(attribute) = attribute.filter(|declared| !declared.constraint.choices.is_empty()) {
                attribute.constraint.choices.push(value.as_str().into());
            }
            if let Some(id) = of {
                marked.states.entry(id.clone()).or_default().push(state);
            }
        }
    }
    states
}

impl Manifest {
    /// What is left of it on a server that is there for such clients.
    #[must_use]
    pub fn on(mut self, server: Compatibility) -> Self {
        match server {
            Compatibility::Occi11 => {}
            Compatibility::Occi12 => self.drop_marked(),
        }
        self
    }

    fn drop_marked(&mut self) {
        let marked = &self.marked;
        self.actions.retain(|action| !marked.actions.contains(&action.id));
        for kind in &mut self.kinds {
            kind.actions.retain(|id| !marked.actions.contains(id));
            kind.attributes.retain(|attribute| !marked.has_attribute(&kind.id, &attribute.name));
            let (Some(states), Some(gone)) = (&mut kind.states, marked.states.get(&kind.id)) else {
                continue;
            };
            states.values.retain(|state| !gone.contains(state));
            let attribute = kind.attributes.iter_mut().find(|declared| declared.name == states.attribute);
            if let Some(attribute) = attribute {
                let is_gone = |value: &Value| {
                    value.as_text().is_some_and(|text| gone.iter().any(|gone| **gone == *text))
                };
                attribute.constraint.choices.retain(|value| !is_gone(value));
            }
        }
        for mixin in &mut self.mixins {
            mixin.actions.retain(|id| !marked.actions.contains(id));
            mixin.attributes.retain(|attribute| !marked.has_attribute(&mixin.id, &attribute.name));
        }
        // An action may also be invoked in states that are not there now.
        for from in self.actions.iter_mut().filter_map(|action| action.from.as_mut()) {
            from.retain(|state| !marked.has_state(state));
        }
    }
}

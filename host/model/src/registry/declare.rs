//! What one category declares, checked and brought to the form that validation relies on: defaults and choices are
//! values of the attribute's type, and a pattern stands for the whole text.

use super::{RegistryError, ResolvedKind};
use crate::attribute::{Attribute, ValueType};
use crate::category::{Action, States};
use crate::core;
use crate::identifier::CategoryId;
use regex::Regex;
use std::sync::Arc;

/// The attributes of a Kind or Mixin. OCCI Core's own are taken as they are.
pub(super) fn attributes(
    id: &CategoryId,
    declared: &[Attribute],
    faults: &mut Vec<RegistryError>,
) -> Vec<Arc<Attribute>> {
    if id.scheme() != core::SCHEME {
        let core =
            declared.iter().map(|attribute| attribute.name.as_str()).filter(|name| core::is_core(name));
        faults.extend(core.map(|name| RegistryError::CoreAttribute { id: id.clone(), name: name.into() }));
    }
    parameters(id, declared, faults).into_iter().map(Arc::new).collect()
}

/// The parameters of an Action, which may have any name (CORE-31).
pub(super) fn parameters(
    id: &CategoryId,
    declared: &[Attribute],
    faults: &mut Vec<RegistryError>,
) -> Vec<Attribute> {
    declared.iter().map(|attribute| settle(id, attribute, faults)).collect()
}

fn settle(id: &CategoryId, declared: &Attribute, faults: &mut Vec<RegistryError>) -> Attribute {
    let mut attribute = declared.clone();
    let value_type = attribute.value_type;
    let mut constraint_fault = |fault| {
        let name = declared.name.as_str().into();
        faults.push(RegistryError::BadConstraint { id: id.clone(), name, fault });
    };
    attribute.constraint.choices = std::mem::take(&mut attribute.constraint.choices)
        .into_iter()
        .filter_map(|choice| {
            let typed = value_type.accept(choice.clone());
            if typed.is_none() {
                constraint_fault(format!("allows {choice}, but the type is {value_type}"));
            }
            typed
        })
        .collect();
    if let Some(regex) = &declared.constraint.regex {
        match whole(regex) {
            Ok(regex) => attribute.constraint.regex = Some(regex),
            Err(_) => constraint_fault(format!(
                "cannot stand for a whole text as ^(?:{regex})$; write it without comments"
            )),
        }
    }
    if let Some(default) = &declared.default {
        attribute.default = value_type.accept(default.clone());
        let fault = match &attribute.default {
            None => Some(format!("is {}, but the type is {value_type}", default.type_name())),
            Some(value) => attribute.constraint.breach(value),
        };
        if let Some(fault) = fault {
            let name = declared.name.as_str().into();
            faults.push(RegistryError::BadDefault { id: id.clone(), name, fault });
        }
    }
    attribute
}

/// The pattern as one for the whole text. To look where a match ends would not do: of `a|ab` it finds the `a` in `ab`.
fn whole(regex: &Regex) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{regex})$"))
}

/// An attribute that is declared again keeps its type, and has a default that the declarations before allow.
pub(super) fn check_override<'a>(
    id: &CategoryId,
    attribute: &Attribute,
    mut before: impl Iterator<Item = &'a Arc<Attribute>>,
    faults: &mut Vec<RegistryError>,
) {
    let name = || attribute.name.as_str().to_owned();
    faults.extend(before.find_map(|known| {
        if known.value_type != attribute.value_type {
            let (declared, inherited) = (attribute.value_type, known.value_type);
            return Some(RegistryError::Retyped { id: id.clone(), name: name(), declared, inherited });
        }
        let fault = known.constraint.breach(attribute.default.as_ref()?)?;
        Some(RegistryError::BadDefault { id: id.clone(), name: name(), fault })
    }));
}

/// The states of a Kind against the attributes that hold them.
pub(super) fn check_states(
    id: &CategoryId,
    states: &States,
    attributes: &[Arc<Attribute>],
    faults: &mut Vec<RegistryError>,
) {
    for name in std::iter::once(&states.attribute).chain(&states.message) {
        let holds = |attribute: &&Arc<Attribute>| {
            &attribute.name == name && attribute.value_type == ValueType::String && !attribute.mutable
        };
        let Some(attribute) = attributes.iter().find(holds) else {
            faults.push(RegistryError::NoStateAttribute { id: id.clone(), name: name.as_str().into() });
            continue;
        };
        if name != &states.attribute {
            continue;
        }
        for state in &states.values {
            if let Some(rule) = attribute.constraint.breach(&(&**state).into()) {
                let fault = format!("does not allow the state `{state}`: it {rule}");
                faults.push(RegistryError::BadConstraint {
                    id: id.clone(),
                    name: name.as_str().into(),
                    fault,
                });
            }
        }
    }
    check_known(id, &states.initial, &states.values, faults);
}

/// The states from which a Kind's action can be invoked.
pub(super) fn check_from(kind: &ResolvedKind, action: &Action, faults: &mut Vec<RegistryError>) {
    let known = kind.states.as_ref().map_or(&[][..], |states| &states.values);
    for state in action.from.iter().flatten() {
        check_known(&action.id, state, known, faults);
    }
}

fn check_known(id: &CategoryId, state: &Arc<str>, known: &[Arc<str>], faults: &mut Vec<RegistryError>) {
    if !known.contains(state) {
        let (id, state, known) = (id.clone(), Arc::clone(state), known.to_vec());
        faults.push(RegistryError::UnknownState { id, state, known });
    }
}

//! An instance against the registry: what a client asks for, and what an extension proposes, becomes an entity or is
//! refused with every reason at once.

mod adopt;
mod change;
mod create;
mod invoke;
mod schema;
mod violation;

pub use change::{Change, UpdateMode, Updated};
pub use create::{Identity, Made};
pub use invoke::Invocation;
pub use violation::{Gravity, Violation};

use crate::attribute::ValueType;
use crate::entity::Attributes;
use crate::identifier::CategoryId;
use crate::registry::{Registry, ResolvedKind};
use crate::value::Value;

/// The Mixins of a request, each once, checked to be known, to fit the Kind (CORE-21, CORE-22) and to go together.
fn check_mixins(
    registry: &Registry,
    kind: &ResolvedKind,
    mixins: impl IntoIterator<Item = CategoryId>,
    violations: &mut Vec<Violation>,
) -> Vec<CategoryId> {
    let mut checked: Vec<CategoryId> = Vec::new();
    let mixins: Vec<_> = mixins.into_iter().collect();
    if mixins.len() > Violation::MAX_MIXINS {
        violations.push(Violation::TooManyMixins(mixins.len()));
        return checked;
    }
    for id in mixins {
        let Some(mixin) = registry.mixin(&id) else {
            violations.push(Violation::UnknownCategory(id));
            continue;
        };
        if !registry.applies(mixin, kind) {
            violations.push(Violation::NotApplicable { mixin: id, kind: kind.kind.id.clone() });
        } else if let Some(other) = checked.iter().find(|other| registry.exclude_each_other(other, &id)) {
            violations.push(Violation::Exclusive(other.clone(), id));
        } else if !checked.contains(&id) {
            checked.push(id);
        }
    }
    checked
}

/// Takes an attribute of OCCI Core that must be text.
fn take_text(attributes: &mut Attributes, name: &str, violations: &mut Vec<Violation>) -> Option<String> {
    let (name, value) = attributes.remove_entry(name)?;
    match value {
        Value::Text(text) => Some(text),
        given => {
            violations.push(Violation::WrongType { name, wanted: ValueType::String, given });
            None
        }
    }
}

#[cfg(test)]
mod tests;

//! The states that actions of a manifest may name.

use super::form::{KindForm, ManifestForm};
use occi_model::core;

/// The states in which an action may be invoked, as far as this manifest can tell.
pub(super) enum Known<'f> {
    /// All of them.
    States(Vec<&'f str>),
    /// The Kind has none.
    Stateless,
    /// A Kind of another extension decides.
    Elsewhere,
}

/// The Kind of this manifest with that type identifier.
pub(super) fn kind_of<'f>(form: &'f ManifestForm, id: &str) -> Option<&'f KindForm> {
    form.kind.iter().find(|kind| {
        let (Some(scheme), Some(term)) = (&kind.scheme, &kind.term) else { return false };
        id.strip_prefix(scheme.as_str()) == Some(term.as_str())
    })
}

/// The states that entities of a Kind go through, its own or its ancestors'.
pub(super) fn known_states<'f>(form: &'f ManifestForm, mut kind: &'f KindForm) -> Known<'f> {
    // No chain of parents is longer than the list, unless it is a circle, which the registry will report.
    for _ in 0..=form.kind.len() {
        if let Some(states) = &kind.states {
            let older = states.compatibility.values().flatten();
            return Known::States(states.values.iter().chain(older).map(String::as_str).collect());
        }
        let Some(parent) = &kind.parent else { return Known::Elsewhere };
        match kind_of(form, parent) {
            Some(parent) => kind = parent,
            None if parent.starts_with(core::SCHEME) => return Known::Stateless,
            None => return Known::Elsewhere,
        }
    }
    Known::Elsewhere
}

/// What any of several Kinds knows: a Mixin's action may be meant for one of them.
pub(super) fn union<'f>(kinds: impl Iterator<Item = Known<'f>>) -> Known<'f> {
    kinds.fold(Known::Stateless, |all, next| match (all, next) {
        (Known::Elsewhere, _) | (_, Known::Elsewhere) => Known::Elsewhere,
        (Known::Stateless, known) | (known, Known::Stateless) => known,
        (Known::States(mut states), Known::States(more)) => {
            states.extend(more);
            Known::States(states)
        }
    })
}

//! Every reason why an instance is not what its categories say, in words that tell what to change.

use crate::attribute::ValueType;
use crate::category::Class;
use crate::identifier::{AttributeName, CategoryId};
use crate::registry::Nature;
use crate::value::Value;
use std::sync::Arc;

/// One reason. Where there are several, all are told.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Violation {
    /// A category that the registry does not have.
    #[error("the category {0} is not known here; the query interface `/-/` lists those that are")]
    UnknownCategory(CategoryId),
    /// A category of another class than the request says.
    #[error("{id} is {}, not {}{}", article(.is.name()), article(.given.name()), invoke(.id, *.is))]
    WrongClass {
        /// Which.
        id: CategoryId,
        /// What it is.
        is: Class,
        /// What the request calls it, or would need there.
        given: Class,
    },
    /// No Kind (H11-13).
    #[error("the Kind is missing; name it by its scheme and term")]
    NoKind,
    /// More than one Kind.
    #[error("{0} and {1} are both Kinds; an entity has exactly one")]
    SeveralKinds(CategoryId, CategoryId),
    /// A Kind that has no entities (CORE-40).
    #[error("{0} has no instances; create one of a Kind that has a location")]
    NotInstantiable(CategoryId),
    /// A Kind that is not the entity's (CORE-15).
    #[error("an entity keeps its Kind for life; it is {held}, not {given}")]
    OtherKind {
        /// The entity's.
        held: CategoryId,
        /// The request's.
        given: CategoryId,
    },
    /// A Kind of links where the entity is a resource, or the other way round.
    #[error("the entities of {kind} would be {}s", .now.name())]
    OtherNature {
        /// The Kind.
        kind: CategoryId,
        /// What its entities would be.
        now: Nature,
    },
    /// A Mixin that does not apply (CORE-22).
    #[error("{mixin} does not apply to entities of {kind}")]
    NotApplicable {
        /// The Mixin.
        mixin: CategoryId,
        /// The entity's Kind.
        kind: CategoryId,
    },
    /// Two Mixins of which an entity has one at most (CORE-35, R0302).
    #[error("{0} and {1} exclude each other; name one of them")]
    Exclusive(CategoryId, CategoryId),
    /// More Mixins than any entity has.
    #[error("an entity has at most {most} mixins, not {0}", most = Violation::MAX_MIXINS)]
    TooManyMixins(usize),
    /// An attribute that neither the Kind nor a Mixin has.
    #[error("the attribute {name} is not one of {of}{}", near(.nearest.as_ref()))]
    UnknownAttribute {
        /// As given.
        name: AttributeName,
        /// Of which category.
        of: CategoryId,
        /// The one that may be meant.
        nearest: Option<AttributeName>,
    },
    /// A value of another type.
    #[error("{name} takes {}, not {given}", article(.wanted.name()))]
    WrongType {
        /// The attribute.
        name: AttributeName,
        /// What it takes.
        wanted: ValueType,
        /// What it was given.
        given: Value,
    },
    /// A value that the attribute does not take.
    #[error("{name} {rule}; it was given {given}")]
    OutOfRange {
        /// The attribute.
        name: AttributeName,
        /// What its values must be.
        rule: String,
        /// What it was given.
        given: Value,
    },
    /// A value that the entity has, and that a category which it would gain does not allow.
    #[error("{name} {rule}; it is {held}")]
    Held {
        /// The attribute.
        name: AttributeName,
        /// What its values must be.
        rule: String,
        /// What it is.
        held: Value,
    },
    /// A default or a template's value that another category does not allow.
    #[error("{name} {rule}; {by} {} {given}{}", if *.is_fixed { "fixes it to be" } else { "makes it" },
        if *.is_fixed { "" } else { " where it is not given, so give another value" })]
    Default {
        /// The attribute.
        name: AttributeName,
        /// What its values must be.
        rule: String,
        /// The value.
        given: Value,
        /// Whose value it is.
        by: CategoryId,
        /// Whether clients can give no other.
        is_fixed: bool,
    },
    /// A required attribute without a value (CORE-11).
    #[error("{name} is required by {by} and missing")]
    Missing {
        /// The attribute.
        name: AttributeName,
        /// Who requires it.
        by: CategoryId,
    },
    /// The same where no client may give one.
    #[error(
        "{name} is required by {by} and missing, and {kept_by} lets no client set it: leave one of the two out"
    )]
    Unsettable {
        /// The attribute.
        name: AttributeName,
        /// Who requires it.
        by: CategoryId,
        /// Who keeps it from clients.
        kept_by: CategoryId,
    },
    /// A change of what clients may not change (CORE-04).
    #[error("{name} is immutable: clients cannot set it to {given}{}", as_held(.held.as_ref()))]
    Immutable {
        /// The attribute.
        name: AttributeName,
        /// What was asked.
        given: Value,
        /// What it is.
        held: Option<Value>,
    },
    /// A link where there can be none.
    #[error("{0} is a link; only a resource has links")]
    LinkOfLink(CategoryId),
    /// An invocation that does not hold one action (TXT-12).
    #[error(
        "an invocation names exactly one action, such as `Category: {}; scheme=\"...\"; class=\"action\"`",
        short(.term)
    )]
    NoAction {
        /// The action in the query.
        term: String,
    },
    /// An invocation of another action than the query names (HTTP-27).
    #[error("the query says action={}, but the body invokes {id}; name the same action in both", short(.term))]
    ActionMismatch {
        /// The action in the query.
        term: String,
        /// The action in the body.
        id: CategoryId,
    },
    /// An action that the entity does not have.
    #[error("{id} is not an action of this entity; it has {}", list(.known))]
    NoSuchAction {
        /// The action.
        id: CategoryId,
        /// The terms of those that it has.
        known: Vec<String>,
    },
    /// An action that the entity's state does not allow.
    #[error("`{action}` is not possible in the state `{state}`; it is in {}", list(.allowed))]
    NotInState {
        /// The action's term.
        action: String,
        /// The entity's state.
        state: String,
        /// The states that allow it.
        allowed: Vec<Arc<str>>,
    },
    /// A state that the Kind does not have; only an extension can propose it.
    #[error("`{}` is not a state of {kind}; the manifest has {}", short(.state), list(.known))]
    UnknownState {
        /// The Kind.
        kind: CategoryId,
        /// As proposed.
        state: String,
        /// Those in the manifest.
        known: Vec<Arc<str>>,
    },
}

/// What a violation is to the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// The request must be changed.
    Invalid,
    /// The request asks for what clients may never do.
    Forbidden,
    /// The request is fine, but not now.
    Conflict,
}

impl Violation {
    /// How many Mixins an entity may have, those aside that come with them.
    pub const MAX_MIXINS: usize = 256;

    /// What it is to the one who asked.
    pub fn gravity(&self) -> Gravity {
        match self {
            Self::Immutable { .. } => Gravity::Forbidden,
            Self::NotInState { .. } => Gravity::Conflict,
            Self::UnknownCategory(_)
            | Self::WrongClass { .. }
            | Self::NoKind
            | Self::SeveralKinds(..)
            | Self::NotInstantiable(_)
            | Self::OtherKind { .. }
            | Self::NotApplicable { .. }
            | Self::Exclusive(..)
            | Self::TooManyMixins(_)
            | Self::UnknownAttribute { .. }
            | Self::WrongType { .. }
            | Self::OutOfRange { .. }
            | Self::Held { .. }
            | Self::Default { .. }
            | Self::Missing { .. }
            | Self::Unsettable { .. }
            | Self::LinkOfLink(_)
            | Self::NoAction { .. }
            | Self::ActionMismatch { .. }
            | Self::NoSuchAction { .. }
            | Self::OtherNature { .. }
            | Self::UnknownState { .. } => Gravity::Invalid,
        }
    }
}

/// A text that nobody has checked, on one line and not for ever.
fn short(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

fn near(nearest: Option<&AttributeName>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

fn as_held(held: Option<&Value>) -> String {
    held.map_or_else(String::new, |held| format!(", it is {held}"))
}

fn article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// How an action is meant to be named, where it stands in place of something else.
fn invoke(id: &CategoryId, is: Class) -> String {
    match is {
        Class::Action => format!("; to invoke it, send it to an entity's path with `?action={}`", id.term()),
        Class::Kind | Class::Mixin => String::new(),
    }
}

fn list<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => "none".into(),
        names => names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", "),
    }
}

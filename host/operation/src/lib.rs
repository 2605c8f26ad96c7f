//! What can be asked of a cloud, as one closed set: an [`Operation`] goes in, a [`Reply`], a [`Listing`] or a
//! [`Refusal`] comes out.
//! One file a verb. No wire format is known here, no HTTP, no WebAssembly and no hypervisor.
//!
//! The way of every change is the same:
//!
//! 1. lock the entities that it touches ([`locks`]);
//! 2. check it against one snapshot of the registry (the model does);
//! 3. where an extension's capabilities reach outside, write down what is about to be done ([`intent`]);
//! 4. let the extensions do it ([`effect`]); where one says no, undo what the others did;
//! 5. commit the entities and strike the intent in one transaction, and only then answer.
//!
//! After a crash [`recovery`] finds the intents that were not struck and finishes or undoes them. What happens at a
//! hypervisor by itself comes in through [`observer`]. What links extensions ask for is written down with the commit, and
//! carried out by [`orders`] afterwards.

#![forbid(unsafe_code)]

mod act;
mod act_on_all;
mod agenda;
mod allowance;
mod alter;
mod asked;
mod basis;
mod birth;
mod changes;
mod claims;
mod console;
mod core;
mod create;
mod definitions;
mod delete;
mod delete_all;
mod effect;
mod ends;
mod extend;
mod forget;
mod intent;
mod lanes;
mod left;
mod list;
mod locks;
mod members;
mod mixin;
mod observer;
mod offers;
mod order;
mod orders;
mod plan;
mod query;
mod quotas;
mod recovery;
mod refusal;
mod replace;
mod retrieve;
mod side_by_side;
mod sight;
mod snapshot;
mod tag;
#[cfg(test)]
mod tests;
mod update;

pub use crate::allowance::Allowance;
pub use crate::basis::Basis;
pub use crate::claims::Claims;
pub use crate::core::{Core, StartError};
pub use crate::list::Listing;
pub use crate::members::{MemberOutcome, MemberResult, Members};
pub use crate::observer::Cause;
pub use crate::recovery::Recovered;
pub use crate::refusal::Refusal;
pub use crate::replace::{
    Breaks, CannotReplace, Progress, Replaced, Replacement, Tried, an_entity_of, has_entities_of,
};
pub use crate::snapshot::{Snapshot, SnapshotError, stored_tags};

use occi_model::{CategoryId, Draft, Filter, Location, Representation};
use occi_store::Revision;
use std::sync::Arc;

/// On whose behalf an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The tenant whose entities are seen.
    pub tenant: Arc<str>,
}

impl Caller {
    /// The tenant of a server that has no others.
    pub const DEFAULT_TENANT: &str = "default";
}

impl Default for Caller {
    fn default() -> Self {
        Self { tenant: Self::DEFAULT_TENANT.into() }
    }
}

/// What can be asked.
#[derive(Debug, Clone)]
pub enum Operation {
    /// The categories that there are (HTTP-19).
    Query(Filter),
    /// One entity (HTTP-23).
    Retrieve(Location),
    /// A collection (HTTP-29).
    List {
        /// Which.
        collection: Collection,
        /// Which of its members.
        filter: Filter,
        /// Which part of them.
        page: Option<Page>,
    },
    /// The console of the entity at a path.
    Console(Location),
    /// A change.
    Change(Change),
}

impl From<Change> for Operation {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

/// What can be changed.
#[derive(Debug, Clone)]
pub enum Change {
    /// New tags (HTTP-20).
    DefineTags(Draft),
    /// Tags no more wanted (HTTP-21).
    RemoveTags(Draft),
    /// New entities (HTTP-31).
    Create {
        /// Where the request was sent.
        place: Place,
        /// What they shall be.
        draft: Draft,
    },
    /// A full description of the entity at a path, which is made if it is not there (HTTP-24, HTTP-25).
    Put {
        /// The path.
        path: Location,
        /// What it shall be.
        draft: Draft,
        /// What must hold before.
        condition: Condition,
    },
    /// A partial update (HTTP-26).
    Update {
        /// The entity's path.
        path: Location,
        /// What changes.
        draft: Draft,
        /// What must hold before.
        condition: Condition,
    },
    /// The end of an entity (HTTP-28).
    Delete {
        /// The entity's path.
        path: Location,
        /// What must hold before.
        condition: Condition,
    },
    /// An action on an entity (HTTP-27).
    Act {
        /// The entity's path.
        path: Location,
        /// The action's term.
        term: String,
        /// The invocation.
        draft: Draft,
        /// What must hold before.
        condition: Condition,
    },
    /// The end of all members of a collection of entities (HTTP-34, H11-02).
    DeleteAll(Collection),
    /// An action on all members of a collection (HTTP-33).
    ActOnAll {
        /// Which.
        collection: Collection,
        /// The action's term.
        term: String,
        /// The invocation.
        draft: Draft,
    },
    /// More members of a Mixin (HTTP-32).
    Associate {
        /// The Mixin.
        mixin: CategoryId,
        /// The new members.
        draft: Draft,
    },
    /// The members of a Mixin, all of them (HTTP-30).
    SetMembers {
        /// The Mixin.
        mixin: CategoryId,
        /// The members.
        draft: Draft,
    },
    /// Fewer members of a Mixin; none named means all (HTTP-35).
    Dissociate {
        /// The Mixin.
        mixin: CategoryId,
        /// Those that leave.
        draft: Draft,
    },
}

impl Operation {
    /// Whether its answer can be a list of entities, as text/uri-list needs it (TXT-07). What answers with one entity
    /// or with categories has none.
    pub fn answers_listing(&self) -> bool {
        match self {
            Self::List { .. } => true,
            Self::Query(_) | Self::Retrieve(_) | Self::Console(_) => false,
            Self::Change(change) => match change {
                Change::Create { .. }
                | Change::Delete { .. }
                | Change::DeleteAll(_)
                | Change::ActOnAll { .. }
                | Change::Associate { .. }
                | Change::SetMembers { .. }
                | Change::Dissociate { .. }
                | Change::RemoveTags(_) => true,
                Change::DefineTags(_) | Change::Put { .. } | Change::Update { .. } | Change::Act { .. } => {
                    false
                }
            },
        }
    }
}

/// Where a creation was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The root, where any Kind may be created.
    Root,
    /// A Kind's collection.
    Kind(CategoryId),
    /// Any other path, where nothing is created; it may be the collection of a Kind that is not loaded now.
    Other(Location),
}

/// What holds entities together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collection {
    /// A Kind.
    Kind(CategoryId),
    /// A Mixin.
    Mixin(CategoryId),
    /// A path above them (H11-02).
    Space(Location),
}

/// Part of a collection (HTTP-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Which, from 1.
    pub page: usize,
    /// How many entities a page holds.
    pub number: usize,
}

impl Page {
    /// The largest page that is served (HTTP-13).
    pub const MAX: usize = 10_000;
}

/// What must hold of an entity before it is changed (If-Match, If-None-Match).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// It exists.
    Exists,
    /// It does not exist.
    Absent,
    /// It exists in one of these revisions.
    OneOf(Vec<Revision>),
    /// It does not exist in any of these revisions.
    NoneOf(Vec<Revision>),
    /// One and the other.
    Both(Box<[Condition; 2]>),
}

/// What was done.
#[derive(Debug)]
pub struct Reply {
    /// What there is to say.
    pub representation: Representation,
    /// The revision of the one entity that it is about: its ETag.
    pub revision: Option<Revision>,
    /// What it was made of, where it may be given again.
    pub basis: Option<Basis>,
}

impl Reply {
    fn new(representation: Representation) -> Self {
        Self { representation, revision: None, basis: None }
    }
}

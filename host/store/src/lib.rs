//! Where everything durable lives: entities, tags, intents, the data of extensions.
//!
//! Two layers. The lower is a contract, [`Store`]: an ordered key-value store with transactions that compare
//! revisions, read views of one moment, and a watch; [`RedbStore`] is the engine for one host. The upper knows what
//! an entity is: how it is stored ([`record`]), under which keys ([`keys`]), which index keys belong to it
//! ([`index`]), and how it is found again ([`entities`]). The upper layer sees the contract alone, never an engine.
//!
//! What a change means (validation, the order of effects, what to do after a conflict) is decided by who calls.
//!
//! In reading order: [`contract`], [`watch`], [`redb`], [`keys`], [`record`], [`index`], [`entities`], [`memo`],
//! [`owners`], [`mod@tags`], [`mod@intents`], [`mod@timers`], [`mod@extensions`], [`keyvalue`].

pub mod contract;
pub mod entities;
pub mod error;
pub mod extensions;
pub mod index;
pub mod intents;
pub mod keys;
pub mod keyvalue;
pub mod memo;
pub mod owners;
pub mod record;
pub mod redb;
pub mod tags;
pub mod timers;
pub mod watch;

#[cfg(test)]
mod suite;
#[cfg(test)]
mod testing;

pub use contract::{
    Batch, Change, Entry, Expect, Key, Range, ReadView, Revision, See, Store, Value, Versioned,
};
pub use entities::{Cursor, Entities, Member, Page, Portion, Set};
pub use error::StoreError;
pub use extensions::{
    change_definitions, definitions, delete_extension, extensions, put_extension, require_definitions,
};
pub use index::{delete_entity, put_entity};
pub use intents::{delete_intent, intents, put_intent};
pub use keys::Subject;
pub use keyvalue::{Bucket, Kept, kept};
pub use owners::{categories_in, owner, tenants};
pub use record::{MadeBy, Stored};
pub use redb::{Options, RedbStore};
pub use tags::{Tag, delete_tag, put_tag, require_tag, tag, tags};
pub use timers::{delete_timer, put_timer, timers};
pub use watch::{Event, Watch};

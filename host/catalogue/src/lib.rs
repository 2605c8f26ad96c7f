//! Which extensions serve. The folder of extensions says so: a file that comes, changes or goes is followed while
//! requests are served, and what an operator asks for (install, roll back, remove) changes that folder. The store keeps
//! what a folder cannot say: which version came before, and whether an extension is switched off.
//!
//! An extension goes one way, whoever brings it: fetched, checked, compiled, probed ([`stage`](Refused)), then
//! active, draining while requests that began with it go on, and retired. Whatever fails leaves in service what serves,
//! and says why.
//!
//! Where an extension has the capability for it, each extension has an entity, too, by which clients see and change it.
//!
//! In reading order: `catalogue` (what there is, and how it is replaced), `operator` (what can be asked for), `stage` and `source` (from bytes to an extension), `file` and `record` (what is
//! kept), `start` (what serves first), `follow` and `linked` (the folder's changes); `order` (what entities ask for), [`ledger`] (where
//! that is kept), `tending` (making and ending entities), `keeper` (who sees to it).

mod asleep;
mod catalogue;
mod file;
mod follow;
mod keeper;
pub mod ledger;
mod linked;
mod operator;
mod order;
mod record;
mod refused;
mod source;
mod stage;
mod start;
mod tending;
#[cfg(test)]
mod tests;

pub use catalogue::Catalogue;
pub use order::{Agreed, Order, Wish};
pub use record::{Listed, Listing, RefusedFile, State};
pub use refused::{Refused, Stage};
pub use start::{Prepared, StartError};

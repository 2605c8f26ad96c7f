//! What is asked of a server. A check is a function that comes to its end if all is well, and the clauses that it
//! holds; a new one is a function and a line in its file's table.
//!
//! A check makes what it needs with the helpers of `Session`, whose failure skips it: that an entity cannot be made is
//! a matter of the clauses about making entities. One that writes takes the rendering to write in, so that the same is
//! asked in each (`again`). Only what the clause itself asks for is asserted. The runner removes
//! what a check made.

mod actions;
mod attributes;
mod batches;
mod collections;
mod effects;
mod entities;
mod infrastructure;
mod infrastructure_actions;
mod infrastructure_entities;
mod json;
mod links;
mod mirror;
mod mixins;
mod namespace;
mod negotiation;
mod pages;
mod parameters;
mod profile;
mod query;
mod security;
mod tags;
mod templates;
mod text;
mod types;
mod updates;
mod versions;

use crate::rendering::Rendering;
use crate::session::Session;
use crate::verdict::{Verdict, skip};

/// A question to the server, and what it answers for.
pub(crate) struct Check {
    pub(crate) clauses: &'static [&'static str],
    pub(crate) run: fn(&mut Session) -> Verdict,
}

const fn check(clauses: &'static [&'static str], run: fn(&mut Session) -> Verdict) -> Check {
    Check { clauses, run }
}

/// A question that writes something, in the rendering that it is told.
type Question = fn(&mut Session, Rendering) -> Verdict;

/// Asks in another rendering what is asked in text/plain. What is wrong there too already fails the check that asks it
/// there, and is no news of this rendering.
fn again(s: &mut Session, rendering: Rendering, question: Question) -> Verdict {
    s.speaks(rendering)?;
    let verdict = question(s, rendering);
    if verdict.is_err() && question(s, Rendering::Plain).is_err() {
        return skip("it does not work in text/plain either");
    }
    verdict
}

/// All of them, in the order in which they are asked. What removes whole collections comes last.
const GROUPS: [&[Check]; 26] = [
    query::CHECKS,
    mirror::CHECKS,
    types::CHECKS,
    versions::CHECKS,
    negotiation::CHECKS,
    security::CHECKS,
    entities::CHECKS,
    attributes::CHECKS,
    updates::CHECKS,
    links::CHECKS,
    tags::CHECKS,
    mixins::CHECKS,
    actions::CHECKS,
    parameters::CHECKS,
    effects::CHECKS,
    text::CHECKS,
    json::CHECKS,
    pages::CHECKS,
    infrastructure::CHECKS,
    infrastructure_entities::CHECKS,
    infrastructure_actions::CHECKS,
    templates::CHECKS,
    profile::CHECKS,
    batches::CHECKS,
    collections::CHECKS,
    namespace::CHECKS,
];

/// All checks.
pub(crate) fn all() -> impl Iterator<Item = &'static Check> {
    GROUPS.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{clauses, observe};

    /// The table is complete: every clause is checked or says why no server can be checked for it, and not both.
    #[test]
    fn every_clause_is_held_or_exempt() {
        let held: BTreeSet<_> =
            all().flat_map(|check| check.clauses).chain(observe::CLAUSES).copied().collect();
        let known: BTreeSet<_> = clauses::all().map(|clause| clause.id).collect();
        let unknown: Vec<_> = held.difference(&known).collect();
        assert!(unknown.is_empty(), "checks name clauses that are not in the table: {unknown:?}");
        for clause in clauses::all() {
            assert_ne!(held.contains(clause.id), clause.exempt.is_some(), "{}", clause.id);
        }
    }
}

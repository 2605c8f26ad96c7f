//! Operations on many entities at once: how these are locked, and what is said of each where some refuse.

use crate::core::Core;
use crate::effect::is_away;
use crate::locks::Held;
use crate::retrieve::find;
use crate::{Caller, Collection, Refusal, Snapshot};
use occi_model::Location;
use occi_store::Stored;
use std::collections::HashSet;
use std::fmt;

/// Why an operation on many entities was not done, or not on all of them.
#[derive(Debug)]
pub struct Members {
    /// Those that refused; and where a part was done that cannot be taken back, all others too.
    pub results: Vec<MemberResult>,
    /// How many entities the operation was for, with the links that go with those that end.
    pub all: usize,
}

/// What became of one entity.
#[derive(Debug)]
pub struct MemberResult {
    /// Its path.
    pub location: Location,
    /// What was done.
    pub outcome: MemberOutcome,
}

/// What was done on one entity.
#[derive(Debug)]
pub enum MemberOutcome {
    /// What was asked, and it stays so.
    Done,
    /// Nothing, for this reason.
    Refused(Refusal),
    /// Nothing, since another had refused.
    NotTried,
}

impl Members {
    /// Some refused, and nothing was changed.
    pub(crate) fn refused(all: usize, refused: impl IntoIterator<Item = (Location, Refusal)>) -> Refusal {
        let results = refused
            .into_iter()
            .map(|(location, refusal)| MemberResult { location, outcome: MemberOutcome::Refused(refusal) });
        Refusal::Members(Self { results: results.collect(), all })
    }

    /// The refusals.
    pub fn refusals(&self) -> impl Iterator<Item = (&Location, &Refusal)> {
        self.results.iter().filter_map(|result| match &result.outcome {
            MemberOutcome::Refused(refusal) => Some((&result.location, refusal)),
            MemberOutcome::Done | MemberOutcome::NotTried => None,
        })
    }

    /// Whether any of them may have been changed all the same.
    fn is_unclear(&self) -> bool {
        self.refusals().any(|(_, refusal)| is_away(refusal))
    }

    /// How many refused and what that means, in one sentence without the reasons.
    pub fn summary(&self) -> String {
        let count = |wanted: fn(&MemberOutcome) -> bool| {
            self.results.iter().filter(|result| wanted(&result.outcome)).count()
        };
        let (refused, all) = (count(|outcome| matches!(outcome, MemberOutcome::Refused(_))), self.all);
        match count(|outcome| matches!(outcome, MemberOutcome::Done)) {
            0 if self.is_unclear() => format!(
                "refused by {refused} of {all} entities, of which some did not answer: what became of them is seen as soon as it is known"
            ),
            0 => format!("refused by {refused} of {all} entities, so nothing was changed"),
            done => {
                let rest = count(|outcome| matches!(outcome, MemberOutcome::NotTried));
                format!(
                    "refused by {refused} of {all} entities; {done} done before cannot be taken back, {rest} not tried"
                )
            }
        }
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// How many reasons are told: there may be one for each entity of the store.
        const TOLD: usize = 20;
        f.write_str(&self.summary())?;
        for (location, refusal) in self.refusals().take(TOLD) {
            write!(f, "; {location}: {refusal}")?;
        }
        Ok(())
    }
}

/// Locks entities and reads them as they are then. One that went meanwhile is left out.
pub(crate) async fn hold(
    core: &Core,
    caller: &Caller,
    paths: &[Location],
) -> Result<(Held, Vec<Stored>), Refusal> {
    let read = || -> Result<Vec<Stored>, Refusal> {
        let view = core.read()?;
        let found = paths.iter().map(|path| find(&*view, caller, path));
        found.filter(|found| !matches!(found, Err(Refusal::NotFound(_)))).collect()
    };
    loop {
        let seen = read()?;
        let (links, resources): (Vec<_>, Vec<_>) = seen.iter().partition(|stored| stored.entity.is_link());
        let ids = |stored: &[&Stored]| stored.iter().map(|stored| stored.entity.id).collect::<Vec<_>>();
        let mut held = core.locks.lock(ids(&resources)).await;
        held.extend(ids(&links)).await;
        let stored = read()?;
        let locked: HashSet<_> = seen.iter().map(|stored| stored.entity.id).collect();
        // A path may be another entity's since.
        if stored.iter().all(|stored| locked.contains(&stored.entity.id)) {
            return Ok((held, stored));
        }
    }
}

/// Locks all members of a collection. One that joins it until then comes too late, and one that leaves it is let be.
pub(crate) async fn hold_collection(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    collection: &Collection,
) -> Result<(Held, Vec<Stored>), Refusal> {
    let paths = crate::list::members(core, snapshot, caller, collection)?;
    let (held, mut members) = hold(core, caller, &paths).await?;
    let still: HashSet<Location> =
        crate::list::members(core, snapshot, caller, collection)?.into_iter().collect();
    members.retain(|stored| still.contains(&stored.entity.location));
    Ok((held, members))
}

//! The entities that are not ours. Those that were there before a run are listed once, at its beginning, and whole: only of
//! what was listed it is known that it is not ours. What is learnt by that is not asked again: which collections are not ours
//! alone, and how many others there are in each.

use std::collections::{BTreeMap, HashSet};

use crate::answer::Answer;
use crate::client::path_of;
use crate::session::Session;

/// With more members than this that are not ours, a collection is crowded: what a run wants to know of its own entities
/// is asked for in a way that does not show all the others.
const CROWD: usize = 1000;

/// What is not ours.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    paths: HashSet<String>,
    /// Those that came during the run.
    newcomers: HashSet<String>,
    /// How many there are in each collection that has any, by its path.
    counts: BTreeMap<String, usize>,
    /// The collections that cannot be read, by their paths: nobody knows what is in them.
    unread: HashSet<String>,
}

impl Strangers {
    /// The entities of all Kinds, and those that only the collections of Mixins show.
    pub(crate) fn find(session: &Session) -> Self {
        let mut found = Self::default();
        for location in session.model.types.iter().filter_map(|known| known.location.as_deref()) {
            let answer = session.client.get(location).send().ok().filter(Answer::succeeded);
            let listing = answer.as_ref().map(|answer| answer.read().locations).unwrap_or_default();
            if !listing.is_empty() {
                found.counts.insert(path_of(location).to_owned(), listing.len());
            } else if !answer.is_some_and(|answer| answer.lists_nothing()) {
                found.unread.insert(path_of(location).to_owned());
            }
            found.paths.extend(listing.iter().map(|url| bare(url).to_owned()));
        }
        found
    }

    /// Whether an entity is one of them.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(bare(path)) || self.newcomers.contains(bare(path))
    }

    /// Whether a collection had some of them, or what it had could not be read.
    pub(crate) fn may_be_in(&self, location: &str) -> bool {
        let path = path_of(location);
        self.counts.contains_key(path) || self.unread.contains(path)
    }

    /// Whether a collection shows all of those that it had, as far as it is known which.
    pub(crate) fn are_all_in(&self, location: &str, paths: &[String]) -> bool {
        let (path, there) =
            (path_of(location), paths.iter().filter(|path| self.paths.contains(bare(path))).count());
        !self.unread.contains(path) && there == self.counts.get(path).copied().unwrap_or_default()
    }

    /// Takes another for one of them.
    pub(crate) fn add(&mut self, path: &str) {
        self.newcomers.insert(bare(path).to_owned());
    }

    /// Whether there may be any at all.
    pub(crate) fn may_be_there(&self) -> bool {
        !self.paths.is_empty() || !self.unread.is_empty()
    }

    /// How many a collection had, if they are a crowd; else 0.
    pub(crate) fn crowd(&self, location: &str) -> usize {
        self.counts.get(path_of(location)).copied().filter(|count| *count > CROWD).unwrap_or_default()
    }

    /// Whether the whole server is crowded.
    pub(crate) fn are_crowded(&self) -> bool {
        self.paths.len() > CROWD
    }
}

/// A path by which something is known, whichever way it ends.
fn bare(reference: &str) -> &str {
    path_of(reference).trim_end_matches('/')
}

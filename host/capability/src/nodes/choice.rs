//! At which node something new comes to be.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::libvirt::{Error, Result};

/// What is wanted of the node where something is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// How much memory it takes, in bytes.
    pub memory: u64,
    /// What the operator must have said of the node.
    pub labels: BTreeSet<String>,
    /// Entities with one of which it is to share a node.
    pub near: Vec<Uuid>,
    /// Entities with none of which it is to share one.
    pub apart: Vec<Uuid>,
    /// Those with which it is joined from the beginning, so that one of them moves if they are not at one node.
    pub joined: Vec<Uuid>,
}

/// A node that takes what is new.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) number: usize,
    pub(super) labels: &'a BTreeSet<String>,
    /// Memory in bytes; none where it does not answer.
    pub(super) unclaimed: Option<i128>,
}

impl Wishes {
    /// Of whom it matters where they are.
    pub(super) fn others(&self) -> impl Iterator<Item = Uuid> {
        [&self.near, &self.apart, &self.joined].into_iter().flatten().copied()
    }

    /// 'conflict' where the only node, which has these labels, is not what is wanted.
    pub(super) fn check_only(&self, labels: &BTreeSet<String>) -> Result<()> {
        match (self.labels.is_subset(labels), self.apart.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err(not_so()),
            (false, _) => Err(self.no_such_labels()),
        }
    }

    /// Whether something is wanted of the node that another may not have.
    pub(super) fn are_particular(&self) -> bool {
        !(self.labels.is_empty() && self.near.is_empty() && self.apart.is_empty())
    }

    /// Whether a node is what is wanted.
    pub(super) fn allow(
        &self,
        number: usize,
        labels: &BTreeSet<String>,
        homes: &HashMap<Uuid, usize>,
    ) -> bool {
        let is_near =
            count(&self.near, number, homes) > 0 || !self.near.iter().any(|other| homes.contains_key(other));
        self.labels.is_subset(labels) && is_near && count(&self.apart, number, homes) == 0
    }

    /// The candidate with what is wanted which has most of what it is joined with and, among such, the most memory unclaimed.
    /// `homes` is where the others are.
    pub(super) fn choose(&self, all: &[Candidate<'_>], homes: &HashMap<Uuid, usize>) -> Result<usize> {
        if !all.iter().any(|candidate| self.labels.is_subset(candidate.labels)) {
            return Err(self.no_such_labels());
        }
        let left = all.iter().filter(|candidate| self.allow(candidate.number, candidate.labels, homes));
        let best = left.max_by_key(|candidate| {
            let joined = count(&self.joined, candidate.number, homes);
            // One that does not answer comes after all that do.
            (candidate.unclaimed.is_some(), joined, candidate.unclaimed, Reverse(candidate.number))
        });
        match best {
            Some(Candidate { number, unclaimed: Some(_), .. }) => Ok(*number),
            Some(_) => Err(Error::Unavailable(
                "no hypervisor where it could be can be reached now; try again later".into(),
            )),
            None => Err(not_so()),
        }
    }

    fn no_such_labels(&self) -> Error {
        let labels: Vec<_> = self.labels.iter().map(String::as_str).collect();
        Error::Conflict(format!(
            "no hypervisor with all of these labels takes new machines: {}",
            labels.join(", ")
        ))
    }
}

fn not_so() -> Error {
    let why =
        "no hypervisor is near, and apart from, what is wanted: ask for less, or change where the others are";
    Error::Conflict(why.into())
}

/// How many of them are at a node.
fn count(of: &[Uuid], number: usize, homes: &HashMap<Uuid, usize>) -> usize {
    of.iter().filter(|other| homes.get(other) == Some(&number)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|&label| label.to_owned()).collect()
    }

    #[test]
    fn the_one_with_the_most_memory_is_chosen_among_those_that_are_wanted() {
        let (plain, fast) = (labels(&[]), labels(&["ssd", "gpu"]));
        let candidate = |number, labels, bytes| Candidate { number, labels, unclaimed: Some(bytes) };
        let all = [candidate(0, &plain, 10), candidate(1, &fast, 5), candidate(3, &fast, -7)];
        let [web, database, disk] = [1, 2, 3].map(Uuid::from_u128);
        let homes = HashMap::from([(web, 0), (database, 1), (disk, 3)]);
        let wishes = Wishes::default();
        let choose = |wishes: Wishes| wishes.choose(&all, &homes).map_err(|error| error.code());

        assert_eq!(choose(wishes.clone()), Ok(0));
        assert_eq!(choose(Wishes { labels: labels(&["ssd"]), ..wishes.clone() }), Ok(1));
        assert_eq!(choose(Wishes { labels: labels(&["tape"]), ..wishes.clone() }), Err("conflict"));
        assert_eq!(choose(Wishes { near: vec![disk], ..wishes.clone() }), Ok(3));
        assert_eq!(choose(Wishes { near: vec![disk, web], ..wishes.clone() }), Ok(0));
        assert_eq!(choose(Wishes { apart: vec![web], ..wishes.clone() }), Ok(1));
        assert_eq!(choose(Wishes { near: vec![web], apart: vec![web], ..wishes.clone() }), Err("conflict"));
        assert_eq!(choose(Wishes { joined: vec![disk], ..wishes.clone() }), Ok(3));
        let nowhere = Uuid::from_u128(9);
        assert_eq!(choose(Wishes { near: vec![nowhere], ..wishes.clone() }), Ok(0));

        let silent = Candidate { number: 4, labels: &fast, unclaimed: None };
        let both = [candidate(0, &plain, 10), silent];
        let choose = |wishes: &Wishes| wishes.choose(&both, &homes).map_err(|error| error.code());
        assert_eq!(choose(&wishes), Ok(0));
        assert_eq!(choose(&Wishes { labels: labels(&["ssd"]), ..wishes }), Err("unavailable"));
    }
}

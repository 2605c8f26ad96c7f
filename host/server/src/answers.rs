//! Answers to GETs of entities and of small collections, kept as they were sent: clients ask again and again for what has not changed.
//!
//! Nothing need be told of a change. An answer is given again only where the core says that its basis still holds, which
//! costs less than to make it anew: to find the entity and its links, to render them, and to check what was rendered as
//! headers.

use crate::respond::Answer;
use occi_model::Location;
use occi_operation::{Basis, Caller, Core};
use occi_rendering::MediaType;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use std::sync::Arc;

/// A bounded memory of answers.
pub(crate) struct Answers(Cache<Key, Arc<Kept>, Weight>);

/// What an answer depends on besides its basis.
#[derive(Clone, Copy, Hash)]
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) path: &'a Location,
    /// The query of the URL, as it was sent.
    pub(crate) query: &'a str,
    pub(crate) accept: MediaType,
    /// The server's own URL, as the client knows it.
    pub(crate) base: &'a str,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    caller: Caller,
    path: Location,
    query: String,
    accept: MediaType,
    base: String,
}

struct Kept {
    answer: Answer,
    basis: Basis,
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        let Key { caller, path, query, accept, base } = key;
        self.path == path
            && self.query == query
            && self.accept == *accept
            && self.base == base
            && self.caller == caller
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Kept>> for Weight {
    fn weight(&self, key: &Key, kept: &Arc<Kept>) -> u64 {
        let texts = key.path.as_str().len() + key.query.len() + key.base.len() + kept.answer.length();
        u64::try_from(Answers::LEAST + texts).unwrap_or(u64::MAX)
    }
}

impl Answers {
    /// About so much memory, in bytes, taken as answers are given.
    const LIMIT: usize = 16 << 20;
    /// What one takes besides its texts, about.
    const LEAST: usize = 1024;

    pub(crate) fn new() -> Self {
        let expected = Self::LIMIT / (2 * Self::LEAST);
        Self(Cache::with_weighter(expected, u64::try_from(Self::LIMIT).unwrap_or(u64::MAX), Weight))
    }

    /// The answer to what is asked, where it was given before and nothing has changed.
    pub(crate) fn recall(&self, core: &Core, asked: Asked<'_>) -> Option<Answer> {
        let kept = self.0.get(&asked)?;
        core.holds(asked.caller, &kept.basis).then(|| kept.answer.clone())
    }

    /// Keeps an answer in place of what was kept for the same question.
    pub(crate) fn keep(&self, asked: Asked<'_>, answer: &Answer, basis: Basis) {
        let Asked { caller, path, query, accept, base } = asked;
        let key = Key {
            caller: caller.clone(),
            path: path.clone(),
            query: query.into(),
            accept,
            base: base.into(),
        };
        self.0.insert(key, Arc::new(Kept { answer: answer.clone(), basis }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn a_question_is_found_under_its_key() {
        let hasher = RandomState::new();
        let (caller, path) = (Caller::default(), Location::parse("/a/b").unwrap());
        let asked =
            Asked { caller: &caller, path: &path, query: "", accept: MediaType::Json, base: "http://a" };
        let key = Key {
            caller: caller.clone(),
            path: path.clone(),
            query: String::new(),
            accept: MediaType::Json,
            base: "http://a".into(),
        };
        assert_eq!(hasher.hash_one(asked), hasher.hash_one(&key));
        assert!(asked.equivalent(&key));
        let others = [
            Asked { base: "http://b", ..asked },
            Asked { query: "page=1", ..asked },
            Asked { accept: MediaType::OcciJson, ..asked },
            Asked { path: &Location::parse("/a/c").unwrap(), ..asked },
            Asked { caller: &Caller { tenant: "other".into() }, ..asked },
        ];
        assert!(others.iter().all(|other| !other.equivalent(&key)));
    }
}

//! What stands below `[capabilities.NAME]`: keys that are the capability's own, each with a list of texts. What they mean only
//! the capability knows.

use super::fault::ManifestFault;
use super::form::ManifestForm;
use super::source::{Place, Source};
use std::collections::BTreeMap;

/// The keys of a manifest's capabilities.
#[derive(Debug, Clone, Default)]
pub struct OwnKeys(BTreeMap<String, BTreeMap<String, OwnKey>>);

#[derive(Debug, Clone)]
struct OwnKey {
    line: usize,
    entries: Vec<(usize, String)>,
}

/// A text in one of the lists, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct OwnEntry<'k> {
    /// The text.
    pub text: &'k str,
    capability: &'k str,
    key: &'k str,
    index: usize,
    line: usize,
}

impl OwnKeys {
    pub(super) fn of(source: &Source<'_>, form: &ManifestForm) -> Self {
        let keys = |name: &String, keys: &BTreeMap<String, Vec<String>>| {
            let place = Place::default().key("capabilities").key(name);
            let keys = keys.iter().map(|(key, texts)| {
                let place = place.key(key);
                let entry = |(index, text): (_, &String)| (source.line(&place.index(index)), text.clone());
                let entries = texts.iter().enumerate().map(entry).collect();
                (key.clone(), OwnKey { line: source.line(&place), entries })
            });
            (name.clone(), keys.collect())
        };
        Self(form.capabilities.iter().map(|(name, own)| keys(name, own)).collect())
    }

    /// The texts of one list; none where the manifest has no such key.
    pub fn texts(&self, capability: &str, key: &str) -> impl Iterator<Item = &str> {
        self.key(capability, key).into_iter().flat_map(|(_, key)| key.entries.iter().map(|(_, text)| &**text))
    }

    /// The same, with where each stands.
    pub fn entries<'k>(&'k self, capability: &'k str, key: &str) -> impl Iterator<Item = OwnEntry<'k>> {
        self.key(capability, key).into_iter().flat_map(move |(key, found)| {
            let numbered = found.entries.iter().enumerate();
            numbered.map(move |(index, (line, text))| OwnEntry { text, capability, key, index, line: *line })
        })
    }

    /// All of them: capability, key and texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, impl Iterator<Item = &str>)> {
        self.0.iter().flat_map(|(capability, keys)| {
            keys.iter().map(move |(key, found)| {
                (&**capability, &**key, found.entries.iter().map(|(_, text)| &**text))
            })
        })
    }

    /// What is wrong with the keys of a capability that knows these alone.
    pub(crate) fn unknown(&self, capability: &str, known: &[&str]) -> Vec<String> {
        let keys = self.0.get(capability).into_iter().flatten();
        let unknown = keys.filter(|(key, _)| !known.contains(&key.as_str()));
        let said = unknown.map(|(key, OwnKey { line, .. })| {
            let hint = match super::fault::nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => format!("the capability `{capability}` has no keys"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            let place = Place::default().key("capabilities").key(capability).key(key);
            told(*line, &place, format!("unknown key `{key}`; {hint}"))
        });
        said.collect()
    }

    fn key(&self, capability: &str, key: &str) -> Option<(&str, &OwnKey)> {
        let (key, found) = self.0.get(capability)?.get_key_value(key)?;
        Some((key, found))
    }
}

impl OwnEntry<'_> {
    /// That something is wrong with it, and where it stands.
    pub fn fault(&self, message: impl Into<String>) -> String {
        let place = Place::default().key("capabilities").key(self.capability).key(self.key);
        told(self.line, &place.index(self.index), message.into())
    }
}

/// As a fault that is found when the manifest is read.
fn told(line: usize, place: &Place, message: String) -> String {
    format!("the manifest, {}", ManifestFault { line, place: place.to_string(), message })
}

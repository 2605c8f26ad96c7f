//! What is wrong with a manifest: everything at once, each with its place.

use super::source::{Place, Source};
use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFault {
    /// Where, counted from 1.
    pub line: usize,
    /// The key, such as `kind[0].parent`; empty where it is about the whole.
    pub place: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

/// All that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ManifestError {
    /// In the order of their lines; never empty.
    pub faults: Vec<ManifestFault>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.faults.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl From<ManifestFault> for ManifestError {
    fn from(fault: ManifestFault) -> Self {
        Self { faults: vec![fault] }
    }
}

/// The faults found so far.
#[derive(Default)]
pub(super) struct Faults(Vec<ManifestFault>);

impl Faults {
    pub(super) fn push(&mut self, fault: ManifestFault) {
        self.0.push(fault);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_result(mut self) -> Result<(), ManifestError> {
        self.0.sort_by_key(|fault| fault.line);
        if self.0.is_empty() { Ok(()) } else { Err(ManifestError { faults: self.0 }) }
    }
}

/// Where the checks report what they find.
pub(super) struct Report<'s, 't> {
    source: &'s Source<'t>,
    faults: Faults,
    /// Whether the form lost a part; what is missing then is no news.
    mutilated: bool,
}

impl<'s, 't> Report<'s, 't> {
    pub(super) fn new(source: &'s Source<'t>, faults: Faults) -> Self {
        Self { source, mutilated: !faults.is_empty(), faults }
    }

    /// Something at the place is wrong.
    pub(super) fn fault(&mut self, place: &Place, message: impl Into<String>) {
        let line = self.source.line(place);
        self.faults.push(ManifestFault { line, place: place.to_string(), message: message.into() });
    }

    /// A key that must be there is not.
    pub(super) fn missing(&mut self, table: &Place, key: &str, example: &str) {
        if !self.mutilated {
            let line = self.source.line(table);
            let message = format!("is missing; add it, such as {key} = {example}");
            self.faults.push(ManifestFault { line, place: table.key(key).to_string(), message });
        }
    }

    /// The value of a key that must be there.
    pub(super) fn required<'v>(
        &mut self,
        table: &Place,
        key: &str,
        value: Option<&'v String>,
        example: &str,
    ) -> Option<&'v str> {
        if value.is_none() {
            self.missing(table, key, example);
        }
        value.map(String::as_str)
    }

    /// The value, or its error as a fault of the place.
    pub(super) fn take<T>(&mut self, place: &Place, result: Result<T, impl fmt::Display>) -> Option<T> {
        result.map_err(|error| self.fault(place, error.to_string())).ok()
    }

    pub(super) fn into_result(self) -> Result<(), ManifestError> {
        self.faults.into_result()
    }
}

/// The known name that was most likely meant.
pub(crate) fn nearest<'n>(given: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(given, name), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

//! The tests that were skipped: each leaves a line in a file, since Cargo shows nothing of what a test that passes has said.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// The variable that tells tests of the file (`host/services`).
pub(crate) const VARIABLE: &str = "OCCI_TEST_SKIPPED";

/// The file, which begins empty.
pub(crate) struct Skipped(PathBuf);

impl Skipped {
    pub(crate) fn new(workspace: &Workspace) -> Result<Self> {
        let file = workspace.target.join("skipped-tests");
        fs::create_dir_all(&workspace.target)?;
        fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self(file))
    }

    pub(crate) fn file(&self) -> &Path {
        &self.0
    }

    /// Says how many there were, and for want of what; whether there were any.
    pub(crate) fn tell(&self) -> Result<bool> {
        let lines = fs::read_to_string(&self.0).context("cannot read which tests were skipped")?;
        match summary(&lines) {
            Some(summary) => {
                eprintln!("{summary}");
                Ok(true)
            }
            None => {
                eprintln!("No test was skipped.");
                Ok(false)
            }
        }
    }
}

/// A line is what was not there, and which test it was that needed it.
fn summary(lines: &str) -> Option<String> {
    let mut wanting = BTreeMap::<&str, Vec<&str>>::new();
    for (variable, test) in lines.lines().filter_map(|line| line.split_once(' ')) {
        wanting.entry(variable).or_default().push(test);
    }
    if wanting.is_empty() {
        return None;
    }
    let count = wanting.values().map(Vec::len).sum::<usize>();
    let mut summary = format!("******** SKIPPED: {count} tests, which prove nothing of this run ********");
    for (variable, tests) in wanting {
        _ = write!(summary, "\n    {} for want of {variable}: {}", tests.len(), tests.join(", "));
    }
    Some(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_by_what_they_lacked() {
        assert_eq!(summary(""), None);
        let said = summary("B nodes::a_move\nA bridges::a_vlan\nB killed::all\n").unwrap();
        assert_eq!(
            said,
            "******** SKIPPED: 3 tests, which prove nothing of this run ********\n    \
             1 for want of A: bridges::a_vlan\n    2 for want of B: nodes::a_move, killed::all"
        );
    }
}

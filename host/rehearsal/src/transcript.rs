//! What a step was expected to lead to, and what was seen, as two texts that are equal where all is well.

use similar::TextDiff;
use std::fmt::Write as _;

/// So many lines are shown around each that is not as expected.
const CONTEXT: usize = 30;
/// How much alike a line is, at least, that is taken for the one that was expected.
const ALIKE: f64 = 0.6;

#[derive(Default)]
pub(crate) struct Transcript {
    expected: String,
    seen: String,
}

impl Transcript {
    /// What is so, whatever was expected.
    pub(crate) fn note(&mut self, line: &str) {
        self.lines([line], [line]);
    }

    /// Lines that were expected, and those that there are in their place.
    pub(crate) fn lines<'l>(
        &mut self,
        expected: impl IntoIterator<Item = &'l str>,
        seen: impl IntoIterator<Item = &'l str>,
    ) {
        write(&mut self.expected, expected);
        write(&mut self.seen, seen);
    }

    /// Lines of which some were to be there and others not.
    pub(crate) fn some_of(&mut self, seen: &str, wanted: &[String], unwanted: &[String]) {
        let seen: Vec<&str> = seen.lines().map(str::trim_end).collect();
        let expected = mended(&seen, wanted, unwanted);
        self.lines(expected, seen);
    }

    pub(crate) fn is_as_expected(&self) -> bool {
        self.expected == self.seen
    }

    /// What was seen.
    pub(crate) fn seen(&self) -> &str {
        &self.seen
    }

    /// The difference, in the form of `diff -u`.
    pub(crate) fn difference(&self) -> String {
        let diff = TextDiff::from_lines(&self.expected, &self.seen);
        diff.unified_diff().context_radius(CONTEXT).header("expected", "seen").to_string()
    }
}

fn write<'l>(text: &mut String, lines: impl IntoIterator<Item = &'l str>) {
    for line in lines {
        // A String takes whatever is written.
        _ = writeln!(text, "{}", line.trim_end());
    }
}

/// What was seen, changed as little as makes it what was wanted: a line that is missing takes the place of the one that is
/// most like it.
fn mended<'l>(seen: &[&'l str], wanted: &'l [String], unwanted: &[String]) -> Vec<&'l str> {
    let is_in = |line: &str, lines: &[String]| lines.iter().any(|other| other.trim_end() == line);
    let mut lines: Vec<&str> = seen.iter().copied().filter(|line| !is_in(line, unwanted)).collect();
    for missing in wanted.iter().map(|line| line.trim_end()) {
        if lines.contains(&missing) {
            continue;
        }
        let alike = lines.iter().enumerate().filter(|(_, line)| !is_in(line, wanted));
        let alike = alike.map(|(position, line)| (strsim::normalized_levenshtein(line, missing), position));
        match alike.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness >= ALIKE) {
            Some((_, position)) => lines[position] = missing,
            None => lines.push(missing),
        }
    }
    lines
}

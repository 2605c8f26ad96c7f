//! The outcome, clause by clause: a table for a terminal, a page of Markdown, an object of JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::clauses::{Clause, DOCUMENTS, Document, Level};
use crate::verdict::Evidence;

/// What came of a clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "why")]
pub enum Outcome {
    /// The server does as the clause asks.
    Passed,
    /// It does not; what was seen.
    Failed(Evidence),
    /// The clause asks nothing of this server; why.
    NotApplicable(String),
}

/// A clause with its outcome.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Such as `HTTP-24`.
    pub id: &'static str,
    /// How binding it is.
    pub level: Level,
    /// What it asks.
    pub title: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    #[serde(skip)]
    settled: bool,
}

/// All that was asked of a server.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The server.
    pub endpoint: String,
    /// Whether it spoke TLS, and its certificate was not looked at.
    pub unchecked: bool,
    /// In the order of the documents.
    pub rows: Vec<Row>,
    /// What was made for the checks and could not be removed again, and what was lost: each with what happened before the
    /// URL or the identifier.
    pub left: Vec<String>,
}

/// What a report says where certificates were not looked at.
const UNCHECKED: &str = "Certificates were not checked: whoever answered may be another than the endpoint";

/// Words of an outcome, as wide as each other.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "FAILED",
        Outcome::NotApplicable(_) => "n/a   ",
    }
}

impl Report {
    pub(crate) fn new(endpoint: &str, clauses: &[&Clause]) -> Self {
        let row = |clause: &&Clause| Row {
            id: clause.id,
            level: clause.level,
            title: clause.title,
            outcome: Outcome::NotApplicable(clause.exempt.unwrap_or("no answer showed it").to_owned()),
            settled: false,
        };
        Self {
            endpoint: endpoint.to_owned(),
            unchecked: false,
            rows: clauses.iter().map(row).collect(),
            left: Vec::new(),
        }
    }

    /// What one check found. A clause of several checks fails by any, and passes if one of them could be made.
    pub(crate) fn add(&mut self, id: &str, outcome: Outcome) {
        let Some(row) = self.rows.iter_mut().find(|row| row.id == id) else { return };
        let weight = |outcome: &Outcome| match outcome {
            Outcome::NotApplicable(_) => 0,
            Outcome::Passed => 1,
            Outcome::Failed(_) => 2,
        };
        if !row.settled || weight(&outcome) > weight(&row.outcome) {
            row.outcome = outcome;
            row.settled = true;
        }
    }

    /// The clauses that fail.
    pub fn failed(&self) -> impl Iterator<Item = (&Row, &Evidence)> {
        self.rows.iter().filter_map(|row| match &row.outcome {
            Outcome::Failed(evidence) => Some((row, evidence)),
            _ => None,
        })
    }

    /// Whether no clause fails that says MUST.
    pub fn conforms(&self) -> bool {
        self.failed().all(|(row, _)| row.level != Level::Must)
    }

    /// The counts, in a line.
    pub fn summary(&self) -> String {
        let count =
            |wanted: fn(&Outcome) -> bool| self.rows.iter().filter(|row| wanted(&row.outcome)).count();
        let passed = count(|outcome| *outcome == Outcome::Passed);
        let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
        let must = self.failed().filter(|(row, _)| row.level == Level::Must).count();
        let rest = count(|outcome| matches!(outcome, Outcome::NotApplicable(_)));
        let all = self.rows.len();
        format!(
            "{all} clauses: {passed} passed, {failed} failed ({must} of them MUST), {rest} not applicable"
        )
    }

    /// The documents with their rows; those without any are left out.
    fn documents(&self) -> impl Iterator<Item = (&'static Document, Vec<&Row>)> {
        DOCUMENTS.iter().filter_map(|document| {
            let is_of = |row: &&Row| document.clauses.iter().any(|clause| clause.id == row.id);
            let rows: Vec<_> = self.rows.iter().filter(is_of).collect();
            (!rows.is_empty()).then_some((document, rows))
        })
    }

    /// The table as a terminal shows it, with the evidence of what failed below each row.
    pub fn table(&self) -> String {
        let mut table = String::new();
        let mut line = |text: String| {
            table.push_str(text.trim_end());
            table.push('\n');
        };
        for (document, rows) in self.documents() {
            line(format!("{}: {}", document.prefix, document.title));
            for row in rows {
                line(format!("  {:<8} {:<6} {} {}", row.id, row.level.word(), word(&row.outcome), row.title));
                match &row.outcome {
                    Outcome::Passed => {}
                    Outcome::NotApplicable(why) => line(format!("{:26}{why}", "")),
                    Outcome::Failed(evidence) => {
                        line(format!("{:26}asked    {}", "", evidence.asked));
                        line(format!("{:26}expected {}", "", evidence.expected));
                        line(format!("{:26}got      {}", "", evidence.got));
                    }
                }
            }
            line(String::new());
        }
        for left in &self.left {
            line(left.clone());
        }
        if self.unchecked {
            line(UNCHECKED.into());
        }
        line(self.summary());
        table
    }

    /// The same as a page of Markdown. The endpoint is not in it, so that pages of two runs can be compared.
    pub fn markdown(&self) -> String {
        let mut page = format!(
            "# Conformance\n\nMade by the conformance suite (`cargo xtask conformance`), which asks a running server \
             for each clause.\n\n{}.\n",
            self.summary()
        );
        if self.unchecked {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(page, "\n{UNCHECKED}.");
        }
        let relative = |asked: &str| asked.replace(self.endpoint.trim_end_matches('/'), "");
        for (document, rows) in self.documents() {
            let _ = write!(
                page,
                "\n## {}: {}\n\n| clause | level | outcome | what it asks |\n|---|---|---|---|\n",
                document.prefix, document.title
            );
            for row in rows {
                let _ = writeln!(
                    page,
                    "| {} | {} | {} | {} |",
                    row.id,
                    row.level.word(),
                    match &row.outcome {
                        Outcome::Passed => "passed".to_owned(),
                        Outcome::Failed(evidence) => format!(
                            "**failed**: asked `{}`, expected {}, got `{}`",
                            cell(&relative(&evidence.asked), true),
                            cell(&evidence.expected, false),
                            cell(&evidence.got, true)
                        ),
                        Outcome::NotApplicable(why) => format!("not applicable: {}", cell(why, false)),
                    },
                    cell(row.title, false)
                );
            }
        }
        page
    }

    /// The same for programs: `endpoint`, `unchecked`, `rows` of `id`, `level`, `title`, `outcome`, `why`, and `left`.
    pub fn json(&self) -> String {
        // Strings, enums and lists of them: there is no key or value that JSON cannot have.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// A text as it stands in a cell of a table, within backticks or not.
fn cell(text: &str, code: bool) -> String {
    let text = text.replace('|', "\\|");
    if code { text.replace('`', "'") } else { text.replace('<', "&lt;") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clauses;

    fn evidence() -> Outcome {
        let (asked, expected, got) = ("POST /a | b".into(), "201".into(), "500".into());
        Outcome::Failed(Evidence { asked, expected, got })
    }

    #[test]
    fn the_table_has_every_clause_once() {
        let all: Vec<_> = clauses::all().collect();
        let mut report = Report::new("http://a", &all);
        report.add("HTTP-24", evidence());
        for clause in &all {
            assert_eq!(report.table().matches(&format!("  {:<8} ", clause.id)).count(), 1, "{}", clause.id);
            assert_eq!(
                report.markdown().matches(&format!("\n| {} |", clause.id)).count(),
                1,
                "{}",
                clause.id
            );
            assert_eq!(report.json().matches(&format!("\"{}\"", clause.id)).count(), 1, "{}", clause.id);
        }
        assert!(report.markdown().contains("| HTTP-24 | MUST | **failed**: asked `POST /a \\| b`"));
    }

    #[test]
    fn a_clause_fails_by_any_of_its_checks() {
        let all: Vec<_> = clauses::all().collect();
        let mut report = Report::new("http://a", &all);
        let na = || Outcome::NotApplicable("why".into());
        for outcome in [na(), Outcome::Passed, evidence(), Outcome::Passed, na()] {
            report.add("HTTP-12", outcome);
        }
        assert_eq!(report.failed().map(|(row, _)| row.id).collect::<Vec<_>>(), ["HTTP-12"]);
        assert!(report.conforms(), "HTTP-12 is a SHOULD");
        report.add("HTTP-13", evidence());
        assert!(!report.conforms());
        assert!(report.summary().contains("2 failed (1 of them MUST)"), "{}", report.summary());
    }
}

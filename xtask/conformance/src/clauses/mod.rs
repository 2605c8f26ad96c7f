//! Every numbered clause of the standard, by document: the rows of the table. What checks them is in `checks`.

mod core;
mod http;
mod infrastructure;
mod json;
mod legacy;
mod templates;
mod text;

use serde::Serialize;

/// How binding a clause is, as its own text has it. Where OCCI 1.2 softens a clause of 1.1, the level is that of 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// MUST, MUST NOT, SHALL, REQUIRED.
    Must,
    /// SHOULD, RECOMMENDED.
    Should,
    /// MAY, OPTIONAL.
    May,
    /// Stated without a word of RFC 2119.
    Info,
}

impl Level {
    /// The word as it stands in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
            Self::Info => "info",
        }
    }
}

/// One requirement of the standard.
#[derive(Debug, Clone, Copy)]
pub struct Clause {
    /// Such as `HTTP-24`.
    pub id: &'static str,
    /// How binding it is.
    pub level: Level,
    /// What it asks, in a line.
    pub title: &'static str,
    /// Why no server can be checked for it; none where one is.
    pub exempt: Option<&'static str>,
}

impl Clause {
    const fn new(id: &'static str, level: Level, title: &'static str) -> Self {
        Self { id, level, title, exempt: None }
    }

    /// One that asks nothing of a server that could be seen from outside.
    const fn exempt(self, why: &'static str) -> Self {
        Self { exempt: Some(why), ..self }
    }
}

/// One document of the suite, or one earlier version of it.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// What its clauses are named together by, such as `HTTP`. Their ids begin with it, but for those of a profile, which
    /// are its own.
    pub prefix: &'static str,
    /// Its name and number.
    pub title: &'static str,
    /// In the order of their numbers.
    pub clauses: &'static [Clause],
}

/// The documents that are checked.
pub const DOCUMENTS: &[Document] = &[
    Document { prefix: "CORE", title: "Core (GFD.221)", clauses: core::CLAUSES },
    Document { prefix: "HTTP", title: "HTTP Protocol (GFD.223)", clauses: http::CLAUSES },
    Document { prefix: "TXT", title: "Text Rendering (GFD.229)", clauses: text::CLAUSES },
    Document { prefix: "JSON", title: "JSON Rendering (GFD.226)", clauses: json::CLAUSES },
    Document { prefix: "INF", title: "Infrastructure (GFD.224)", clauses: infrastructure::CLAUSES },
    Document {
        prefix: "CRTP",
        title: "Compute Resource Templates Profile (GFD.222)",
        clauses: templates::CLAUSES,
    },
    Document { prefix: "H11", title: "OCCI 1.1 HTTP Rendering (GFD.185)", clauses: legacy::CLAUSES },
];

/// All clauses of all documents.
pub fn all() -> impl Iterator<Item = &'static Clause> {
    DOCUMENTS.iter().flat_map(|document| document.clauses)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many clauses each document has.
    const COUNTS: [(&str, usize); 7] =
        [("CORE", 48), ("HTTP", 39), ("TXT", 18), ("JSON", 14), ("INF", 19), ("CRTP", 16), ("H11", 30)];

    #[test]
    fn every_clause_stands_once_and_in_order() {
        for (document, (prefix, count)) in DOCUMENTS.iter().zip(COUNTS) {
            assert_eq!(document.prefix, prefix);
            let ids: Vec<_> = document.clauses.iter().map(|clause| clause.id.to_owned()).collect();
            let wanted: Vec<_> = match prefix {
                "CRTP" => (301..=311).chain(401..=405).map(|number| format!("R{number:04}")).collect(),
                _ => (1..=count).map(|number| format!("{prefix}-{number:02}")).collect(),
            };
            assert_eq!((ids.len(), ids), (count, wanted));
        }
    }

    #[test]
    fn titles_are_one_line() {
        for clause in all() {
            assert!(!clause.title.is_empty() && clause.title.len() <= 110, "{}: {}", clause.id, clause.title);
        }
    }
}

//! How a check ends: it returns at once when it knows that its clauses fail, or that they do not apply here.

use serde::Serialize;

/// What was seen of a clause that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The request.
    pub asked: String,
    /// What the clause wants of the answer.
    pub expected: String,
    /// The answer, or the part that matters.
    pub got: String,
}

/// Why a check ends before its end.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// The server does otherwise.
    Failed(Evidence),
    /// The server has nothing that the clause could be seen at; why.
    NotApplicable(String),
}

/// A check that comes to its end has passed.
pub(crate) type Verdict<T = ()> = Result<T, Stop>;

/// Ends a check that does not apply to this server.
pub(crate) fn skip<T>(why: impl Into<String>) -> Verdict<T> {
    Err(Stop::NotApplicable(why.into()))
}

/// Ends a check as failed, by what is seen in an answer or between several.
pub(crate) fn fail<T>(
    asked: impl Into<String>,
    expected: impl Into<String>,
    got: impl Into<String>,
) -> Verdict<T> {
    Err(Stop::Failed(Evidence { asked: asked.into(), expected: expected.into(), got: got.into() }))
}

/// At most this many characters of an answer are shown.
const SHOWN: usize = 300;

/// The beginning of a text, in one line.
pub(crate) fn excerpt(text: &str) -> String {
    let mut line: String = text.chars().take(SHOWN).collect();
    if line.len() < text.len() {
        line.push('…');
    }
    line.trim_end().replace("\r\n", "⏎").replace('\n', "⏎")
}

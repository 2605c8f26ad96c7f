//! The conformance suite: it asks any OCCI server, over HTTP, for every clause of OCCI 1.2 (Core, HTTP Protocol, text
//! and JSON renderings, Infrastructure, Compute Resource Templates Profile) and of the HTTP rendering of OCCI 1.1, and
//! reports clause by clause.
//!
//! It shares nothing with the server of this workspace: it has a small strict reader of its own (`wire`), since a check
//! that uses what it checks sees no mistake. It takes what it needs from the query interface, so it works with any set
//! of Kinds; a clause for which a server has nothing is not applicable, not failed. It deletes what it made.
//!
//! To read on: `clauses` is the table, `checks` are the questions, `session` makes what they need and removes it,
//! `rendering` says the same in each rendering, `readback` looks whether it is there,
//! `strangers` are what it leaves alone, `tag` are Mixins of its own, `trust` is whom it believes to be the endpoint, `observe` looks at every answer,
//! and `claims` at what it says of profiles, `standard` has the tables of the infrastructure and `provision` makes it,
//! `report` prints.

#![forbid(unsafe_code)]

mod answer;
mod checks;
mod claims;
pub mod clauses;
mod client;
mod draft;
mod error;
mod model;
mod observe;
mod provision;
mod readback;
mod refusals;
mod removal;
mod rendering;
mod report;
mod search;
mod session;
mod standard;
mod strangers;
mod tag;
mod trust;
mod values;
mod verdict;
mod wire;

use std::time::Duration;

pub use error::Error;
pub use report::{Outcome, Report, Row};
pub use trust::Trust;
pub use verdict::Evidence;

use clauses::{Clause, DOCUMENTS};
use client::Client;
use session::Session;
use verdict::Stop;

/// What is asked, and of whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// The root of the server, such as `https://occi.example.org`; its query interface is at `/-/` below it.
    pub endpoint: String,
    /// Headers `Name: value` for each request, such as one to authenticate by.
    pub headers: Vec<String>,
    /// Ids of clauses, such as `HTTP-24`, and of documents, such as `TXT`; empty asks for all. Of a clause that is held
    /// against every answer, such as `HTTP-10`, all is asked, and the rest is left out of the report.
    pub only: Vec<String>,
    /// Whether the server may be asked for what a wrong one loses something of its own by: to let one of its Mixins go.
    pub daring: bool,
    /// How long one answer may take.
    pub timeout: Duration,
    /// Whose certificates are believed, where the endpoint begins with `https://`.
    pub trust: Trust,
}

impl Options {
    /// All clauses, of a server that asks for no credentials.
    pub fn of(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            headers: Vec::new(),
            only: Vec::new(),
            daring: false,
            timeout: Duration::from_mins(1),
            trust: Trust::default(),
        }
    }
}

/// Asks for all clauses, or for those that are named, and removes everything that was made for it.
///
/// # Errors
///
/// Nothing answers at the endpoint, or the options are wrong. A server that fails clauses is no error.
pub fn run(options: &Options) -> Result<Report, Error> {
    let wanted = wanted(&options.only)?;
    let client = Client::new(options)?;
    if let Err(error) = client.get("-/").try_send() {
        let url = client.below("-/");
        return Err(match trust::disbelief(&error) {
            Some(why) => Error::Distrusted { url, why },
            None => Error::Unreachable { url, why: error.to_string() },
        });
    }
    let mut report = Report::new(&options.endpoint, &wanted);
    report.unchecked = client.is_secure() && matches!(options.trust, Trust::Anybody);
    let mut session = Session::begin(client, options.daring);
    // What is held against every answer is judged by all of them: which others are named changes nothing.
    let whole = wanted.iter().any(|clause| observe::CLAUSES.contains(&clause.id));
    for check in checks::all() {
        if !whole && !check.clauses.iter().any(|id| wanted.iter().any(|clause| clause.id == *id)) {
            continue;
        }
        let outcome = match (check.run)(&mut session) {
            Ok(()) => Outcome::Passed,
            Err(Stop::Failed(evidence)) => Outcome::Failed(evidence),
            Err(Stop::NotApplicable(why)) => Outcome::NotApplicable(why),
        };
        session.tidy();
        for id in check.clauses {
            report.add(id, outcome.clone());
        }
    }
    session.end();
    for (id, evidence) in session.client.observer.borrow().findings() {
        report.add(id, evidence.map_or(Outcome::Passed, |evidence| Outcome::Failed(evidence.clone())));
    }
    report.left.clone_from(&session.left);
    Ok(report)
}

/// The clauses that are named, or all.
fn wanted(only: &[String]) -> Result<Vec<&'static Clause>, Error> {
    if only.is_empty() {
        return Ok(clauses::all().collect());
    }
    let mut wanted: Vec<&Clause> = Vec::new();
    for name in only {
        let document = DOCUMENTS.iter().filter(|document| document.prefix.eq_ignore_ascii_case(name));
        let clauses = document.flat_map(|document| document.clauses);
        let named: Vec<_> =
            clauses.chain(clauses::all().filter(|clause| clause.id.eq_ignore_ascii_case(name))).collect();
        if named.is_empty() {
            return Err(Error::Unknown(name.clone()));
        }
        wanted.extend(named);
    }
    Ok(clauses::all().filter(|clause| wanted.iter().any(|wanted| wanted.id == clause.id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_named_by_id_and_by_document() {
        let ids = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(|&name| name.to_owned()).collect();
            wanted(&only).map(|wanted| wanted.iter().map(|clause| clause.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(&["http-24", "CORE-01"]).unwrap(), ["CORE-01", "HTTP-24"]);
        assert_eq!(ids(&["TXT"]).unwrap().len(), 18);
        assert!(matches!(ids(&["HTTP-99"]), Err(Error::Unknown(name)) if name == "HTTP-99"));
    }

    #[test]
    fn wrong_endpoints_are_told() {
        for endpoint in ["", "127.0.0.1:1", "ftp://a/", "http://", "https://"] {
            assert!(matches!(run(&Options::of(endpoint)), Err(Error::Endpoint { .. })), "{endpoint}");
        }
        for endpoint in ["http://127.0.0.1:1", "https://127.0.0.1:1"] {
            assert!(matches!(run(&Options::of(endpoint)), Err(Error::Unreachable { .. })), "{endpoint}");
        }
    }

    #[test]
    fn files_without_authorities_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing").unwrap();
        for path in [empty, folder.path().join("missing.pem")] {
            let options = Options { trust: Trust::WebAnd(path), ..Options::of("https://127.0.0.1:1") };
            assert!(matches!(run(&options), Err(Error::Authorities { .. })));
        }
    }
}

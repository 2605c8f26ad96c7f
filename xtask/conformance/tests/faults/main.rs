//! Does the suite find what is wrong? A proxy between it and the real server plants one fault, and exactly the clauses
//! that the fault breaks must fail, beside those that fail without any.
//!
//! The server is `target/release/occi` with its extensions, as `cargo xtask build` makes it, or what `OCCI_BIN` and
//! `OCCI_EXTENSIONS` name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics, and says what it saw"
)]

mod blank;
mod categories;
mod crowd;
mod effects;
mod elsewhere;
mod entities;
mod http;
mod infrastructure;
mod infrastructure_actions;
mod json;
mod listings;
mod parameters;
mod profile;
mod proxy;
mod server;
mod strangers;
mod templates;
mod text;
mod tls;
mod unlocated;
mod versions;
mod well_known;
mod writes;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use occi_conformance::{Options, Outcome, Report, run};
use proxy::{Answer, Asked, Proxy};
use server::Server;

fn ids(report: &Report) -> BTreeSet<&'static str> {
    report.failed().map(|(row, _)| row.id).collect()
}

fn outcome(report: &Report, id: &str) -> Outcome {
    report.rows.iter().find(|row| row.id == id).unwrap().outcome.clone()
}

/// The clauses that fail behind a proxy, and do not without it.
fn failing(planted: proxy::Fault) -> BTreeSet<&'static str> {
    static WITHOUT: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    let server = Server::shared();
    let run = |fault| {
        let proxy = Proxy::start(server.address(), fault);
        let report = run(&Options { daring: true, ..Options::of(proxy.endpoint()) }).unwrap();
        assert_eq!(server.entities(), "", "the suite removes what it makes");
        report
    };
    let without = WITHOUT.get_or_init(|| ids(&run(proxy::Fault::none())));
    ids(&run(planted)).difference(without).copied().collect()
}

/// Fails unless a fault in the answers is found in these clauses, and in no others.
#[track_caller]
fn found_in(clauses: &[&str], answer: fn(&Asked, &mut Answer)) {
    assert_eq!(failing(proxy::Fault::in_answers(answer)), clauses.iter().copied().collect());
}

/// The same of a fault in what reaches the server, or never does.
#[track_caller]
fn found_in_requests(clauses: &[&str], request: fn(&mut Asked) -> Option<Answer>) {
    assert_eq!(failing(proxy::Fault::in_requests(request)), clauses.iter().copied().collect());
}

/// The clauses that are not held against every answer, of the infrastructure and of the profile: for them alone, a run
/// asks no other checks.
const INFRASTRUCTURE: [&str; 13] = [
    "INF", "R0301", "R0302", "R0303", "R0304", "R0305", "R0306", "R0307", "R0308", "R0309", "R0310", "R0311",
    "R0404",
];

/// What a run for these clauses sees of a server behind a proxy.
fn infrastructure_of(server: &Server, planted: proxy::Fault) -> Report {
    let proxy = Proxy::start(server.address(), planted);
    let only = INFRASTRUCTURE.map(str::to_owned).to_vec();
    let report = run(&Options { daring: true, only, ..Options::of(proxy.endpoint()) }).unwrap();
    assert_eq!(server.entities(), "", "the suite removes what it makes");
    assert!(!server.categories().contains("conformance-"), "the suite removes what it makes");
    report
}

/// Fails unless a fault in the answers is found in these clauses of the infrastructure, and in no others of it.
#[track_caller]
fn found_in_infrastructure(clauses: &[&str], answer: fn(&Asked, &mut Answer)) {
    let report = infrastructure_of(&Server::shared(), proxy::Fault::in_answers(answer));
    assert_eq!(ids(&report), clauses.iter().copied().collect(), "{}", report.table());
}

/// What a server has not is not applicable, and no failure.
#[test]
fn a_server_of_the_core_alone() {
    let extensions = tempfile::tempdir().unwrap();
    let server = Server::start(extensions.path(), "");
    let report = run(&Options::of(format!("http://{}", server.address()))).unwrap();
    assert_eq!(ids(&report), BTreeSet::new());
    assert_eq!(outcome(&report, "CORE-41"), Outcome::Passed);
    let without_actions = outcome(&report, "HTTP-27");
    assert!(matches!(without_actions, Outcome::NotApplicable(_)), "{without_actions:?}");
    let rows = report.rows.iter().filter(|row| row.id.starts_with("INF-") || row.id.starts_with('R'));
    for row in rows {
        assert!(matches!(row.outcome, Outcome::NotApplicable(_)), "{}: {:?}", row.id, row.outcome);
    }
    assert_eq!(server.entities(), "", "the suite removes what it makes");
}

/// Headers are sent with each request, but for the one that looks what happens without.
#[test]
fn a_server_that_asks_for_credentials() {
    let guard = |asked: &mut Asked| {
        let mut refusal = Answer::empty(401);
        refusal.set("www-authenticate", "Basic realm=\"conformance\"");
        (asked.header("authorization") != "Basic dTpw").then_some(refusal)
    };
    let server = Server::shared();
    let proxy = Proxy::start(server.address(), proxy::Fault::in_requests(guard));
    let mut options = Options::of(proxy.endpoint());
    options.only = vec!["HTTP-37".into(), "HTTP-31".into()];
    options.headers = vec!["Authorization: Basic dTpw".into()];
    let report = run(&options).unwrap();
    assert_eq!(outcome(&report, "HTTP-37"), Outcome::Passed);
    assert_eq!(outcome(&report, "HTTP-31"), Outcome::Passed);
}

//! Servers that answer everything with the same nothing. What is right about such a server is no more than its headers:
//! a clause that passes there has been asked of an answer that does not show it.

use std::collections::BTreeSet;

use occi_conformance::{Options, Outcome, run};

use crate::found_in_requests;
use crate::proxy::{Answer, Asked, Fault, Proxy};

/// The clauses that each of these servers keeps: all of its answers name OCCI/1.2 and claim the profile of templates, and
/// no more is asked of them there.
const KEPT: [&str; 5] = ["HTTP-10", "R0401", "R0402", "R0403", "R0405"];

/// Fails unless these clauses pass beside those and no others, where every request is answered like this.
#[track_caller]
fn passed(clauses: &[&str], answer: fn(&mut Asked) -> Option<Answer>) {
    // Every request is answered by the proxy: there is no server behind it.
    let proxy = Proxy::start("127.0.0.1:1", Fault::in_requests(answer));
    let report = run(&Options::of(proxy.endpoint())).unwrap();
    let passed = report.rows.iter().filter(|row| row.outcome == Outcome::Passed);
    let passed: BTreeSet<_> = passed.map(|row| row.id).collect();
    assert_eq!(passed, clauses.iter().copied().chain(KEPT).collect());
}

#[track_caller]
fn nothing_passes(answer: fn(&mut Asked) -> Option<Answer>) {
    passed(&[], answer);
}

fn with_body(body: &str) -> Answer {
    let mut answer = Answer::empty(200);
    answer.body = body.into();
    answer
}

/// The answer in the media type that was asked for, whatever it says.
fn as_asked(asked: &Asked, mut answer: Answer) -> Answer {
    if let Some(accept) = asked.headers.get("accept") {
        answer.headers.insert("content-type", accept.clone());
    }
    answer
}

#[test]
fn an_empty_success_for_everything() {
    nothing_passes(|_| Some(Answer::empty(200)));
    nothing_passes(|asked| Some(as_asked(asked, Answer::empty(200))));
}

#[test]
fn no_content_for_everything() {
    nothing_passes(|_| Some(Answer::empty(204)));
    nothing_passes(|asked| Some(as_asked(asked, Answer::empty(204))));
}

#[test]
fn ok_for_everything() {
    nothing_passes(|_| Some(with_body("OK")));
    nothing_passes(|asked| Some(as_asked(asked, with_body("OK"))));
}

#[test]
fn an_empty_object_for_everything() {
    nothing_passes(|asked| Some(as_asked(asked, with_body("{}"))));
}

/// That PUT to the query interface is refused is all that its clause can ask.
#[test]
fn a_refusal_for_everything() {
    passed(&["HTTP-22"], |_| Some(Answer::empty(400)));
    passed(&["HTTP-22"], |_| Some(Answer::empty(404)));
}

/// The real categories, and an empty success for everything that they lead to.
#[test]
fn nothing_behind_the_query_interface() {
    let clauses = [
        "CORE-47", "H11-05", "H11-07", "H11-08", "H11-14", "H11-15", "HTTP-18", "HTTP-20", "HTTP-22",
        "HTTP-24", "HTTP-31", "INF-02", "JSON-01",
    ];
    found_in_requests(&clauses, |asked| {
        let is_shown = asked.path == "/-/" && matches!(&*asked.method, "GET" | "HEAD");
        (!is_shown).then(|| Answer::empty(200))
    });
}

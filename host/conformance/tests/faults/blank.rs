//! Servers that answer everything with the same nothing. What is right about such a server is no more than its headers:
//! a clause that passes there has been asked of an answer that does not show it.

use std::collections::BTreeSet;

use occi_conformance::{Options, Outcome, run};

use crate::proxy::{Answer, Asked, Fault, Proxy};

/// Clauses that a blank server keeps, for each answer names its version as it is asked to.
const KEPT: [&str; 1] = ["HTTP-10"];

/// Fails if a clause passes where every request is answered like this.
#[track_caller]
fn nothing_passes(answer: fn(&mut Asked) -> Option<Answer>) {
    // Every request is answered by the proxy: there is no server behind it.
    let proxy = Proxy::start("127.0.0.1:1", Fault::in_requests(answer));
    let report = run(&Options::of(proxy.endpoint())).unwrap();
    let passed = report.rows.iter().filter(|row| row.outcome == Outcome::Passed);
    let passed: BTreeSet<_> = passed.map(|row| row.id).filter(|id| !KEPT.contains(id)).collect();
    assert_eq!(passed, BTreeSet::new());
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

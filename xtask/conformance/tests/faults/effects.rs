//! Answers that claim what was not done.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::proxy::{Answer, Asked};
use crate::{found_in, found_in_requests};

/// Whether a request invokes an action on an entity as it should: the query and the body name the same, and
/// there are no parameters.
fn invokes(asked: &Asked, term: &str) -> bool {
    let (query, body) = (format!("action={term}"), asked.text());
    let names = if asked.header("content-type") == "application/occi+json" {
        body.contains(&format!("action#{term}\"")) && body.contains("\"attributes\":{}")
    } else {
        body.lines().count() == 1 && body.starts_with(&format!("Category: {term};"))
    };
    asked.method == "POST" && asked.query == query && names && !asked.path.ends_with('/')
}

#[test]
fn actions_that_do_nothing() {
    found_in_requests(&["CORE-29", "HTTP-27", "INF-05"], |asked| {
        if ["start", "up", "online"].iter().any(|term| invokes(asked, term)) {
            asked.read_instead();
        }
        None
    });
}

#[test]
fn an_action_of_one_kind_that_does_nothing() {
    found_in_requests(&["CORE-29", "HTTP-27", "INF-05"], |asked| {
        if invokes(asked, "up") {
            asked.read_instead();
        }
        None
    });
}

#[test]
fn actions_in_json_that_do_nothing() {
    found_in_requests(&["JSON-14"], |asked| {
        if asked.header("content-type") == "application/occi+json" && invokes(asked, "start") {
            asked.read_instead();
        }
        None
    });
}

/// No fault: an action that does not apply, as the server has it.
#[test]
fn an_action_of_one_kind_that_is_refused() {
    found_in_requests(&[], |asked| invokes(asked, "up").then(|| Answer::empty(409)));
}

/// No fault of an action as such: the effect is elsewhere, and the answer tells of it. But a network should be up by it.
#[test]
fn an_action_of_one_kind_that_makes_a_template() {
    found_in_requests(&["INF-05"], |asked| {
        invokes(asked, "up").then(|| {
            let mut answer = Answer::empty(200);
            let template = "Category: saved; scheme=\"http://example.org/templates#\"; class=\"mixin\"\r\n";
            answer.body = template.into();
            answer
        })
    });
}

/// No fault: the action takes a while, in which its entity is shown as it was.
#[test]
fn an_action_of_one_kind_that_takes_a_while() {
    static INVOKED: Mutex<Option<Instant>> = Mutex::new(None);
    found_in(&[], |asked, answer| {
        let mut invoked = INVOKED.lock().unwrap();
        if asked.query == "action=up" {
            *invoked = Some(Instant::now());
        }
        if invoked.is_some_and(|at| at.elapsed() < Duration::from_secs(1)) && answer.is("text/plain") {
            answer.replace("occi.network.state=\"active\"", "occi.network.state=\"inactive\"");
            answer.replace("?action=down>", "?action=up>");
            answer.replace("network/action#down", "network/action#up");
        }
    });
}

#[test]
fn a_mixin_that_stays_on_all_its_members() {
    found_in_requests(&["HTTP-35"], |asked| {
        let is_of_all = asked.method == "DELETE" && asked.text().is_empty();
        (is_of_all && asked.path.contains("/conformance-") && asked.path.ends_with('/'))
            .then(|| Answer::empty(200))
    });
}

/// Nothing can be removed that was never made, so nothing is said about removing it.
#[test]
fn mixins_that_are_not_made() {
    found_in_requests(&["CORE-47", "H11-07", "HTTP-20", "JSON-01"], |asked| {
        let adds = asked.method == "POST" && asked.path == "/-/";
        (adds && asked.text().contains("http://example.org/")).then(|| Answer::empty(200))
    });
}

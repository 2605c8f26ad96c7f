//! Faults of what the actions of the infrastructure do.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::infrastructure::{Paths, makes, shows};
use crate::proxy::{Answer, Asked, Fault};
use crate::server::Server;
use crate::{found_in_infrastructure, ids, infrastructure_of};

/// Fails unless a fault in the requests is found in these clauses of the infrastructure, and in no others of it.
#[track_caller]
fn found_in_requests(clauses: &[&str], request: fn(&mut Asked) -> Option<Answer>) {
    let report = infrastructure_of(&Server::shared(), Fault::in_requests(request));
    assert_eq!(ids(&report), clauses.iter().copied().collect(), "{}", report.table());
}

fn invokes(asked: &Asked, kind: &str, term: &str) -> bool {
    asked.method == "POST"
        && asked.query == format!("action={term}")
        && asked.path.starts_with(&format!("/{kind}/"))
}

/// The answer is a success, and the entity stays as it was.
#[test]
fn actions_that_do_nothing() {
    found_in_requests(&["INF-05"], |asked| {
        if invokes(asked, "network", "down") {
            asked.read_instead();
        }
        None
    });
    found_in_requests(&["INF-05"], |asked| {
        if invokes(asked, "storage", "offline") {
            asked.read_instead();
        }
        None
    });
    found_in_requests(&["INF-05"], |asked| {
        if invokes(asked, "compute", "suspend") && asked.text().contains("hibernate") {
            asked.read_instead();
        }
        None
    });
}

#[test]
fn an_action_that_leads_elsewhere() {
    found_in_requests(&["INF-05"], |asked| {
        if invokes(asked, "compute", "restart") && asked.text().contains("cold") {
            asked.query = "action=stop".into();
            asked.lines(|_| false);
            asked.append(
                "Category: stop; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute/action#\"; class=\"action\"\r\n",
            );
        }
        None
    });
}

/// It is shown, and refused as what nobody knows.
#[test]
fn an_action_that_is_a_bad_request() {
    found_in_requests(&["INF-05"], |asked| invokes(asked, "compute", "stop").then(|| Answer::empty(400)));
}

/// No fault: the machine that is there has no such thing.
#[test]
fn an_action_that_the_server_is_not_able_to() {
    found_in_requests(&[], |asked| invokes(asked, "compute", "suspend").then(|| Answer::empty(501)));
    found_in_requests(&[], |asked| invokes(asked, "compute", "save").then(|| Answer::empty(409)));
    found_in_requests(&[], |asked| invokes(asked, "compute", "start").then(|| Answer::empty(503)));
}

#[test]
fn actions_of_other_states() {
    found_in_infrastructure(&["INF-05"], |asked, answer| {
        if shows(asked, "compute") && answer.text().contains("state=\"suspended\"") {
            answer.lines(|line| !line.contains("action#start"));
        }
    });
    found_in_infrastructure(&["INF-05"], |asked, answer| {
        if shows(asked, "network") && answer.is("text/plain") && answer.text().contains("action#up") {
            let down = format!(
                "Link: <{}?action=down>; rel=\"http://schemas.ogf.org/occi/infrastructure/network/action#down\"\r\n",
                asked.path
            );
            let text = answer.text();
            let at = text.find("X-OCCI-Attribute").unwrap();
            answer.body = (text[..at].to_owned() + &down + &text[at..]).into();
        }
    });
}

#[test]
fn methods_that_are_not_looked_at() {
    for term in ["stop", "restart", "suspend"] {
        static TERM: Mutex<String> = Mutex::new(String::new());
        term.clone_into(&mut TERM.lock().unwrap());
        found_in_requests(&["INF-05"], |asked| {
            if invokes(asked, "compute", &TERM.lock().unwrap()) {
                asked.lines(|line| !line.contains("no-such-method"));
            }
            None
        });
    }
}

/// Whether an answer shows a saved template, which bears the run's mark.
fn is_of_save(asked: &Asked) -> bool {
    invokes(asked, "compute", "save")
}

/// It is made, but the answer shows the compute.
#[test]
fn a_saved_template_that_is_not_rendered() {
    found_in_infrastructure(&["INF-06"], |asked, answer| {
        if is_of_save(asked) {
            answer.lines(|line| !line.starts_with("Category:"));
        }
    });
}

#[test]
fn a_saved_template_that_is_nothing() {
    found_in_requests(&["INF-06"], |asked| {
        if is_of_save(asked) {
            asked.read_instead();
        }
        None
    });
}

/// The answer shows one that is in no query interface, so no clause about templates has anything to go by.
#[test]
fn a_saved_template_that_nobody_has() {
    found_in_requests(&["INF-06", "INF-11"], |asked| {
        is_of_save(asked).then(|| {
            let mut answer = Answer::empty(200);
            answer.body = "Category: copy; scheme=\"http://example.org/occi/os#\"; class=\"mixin\"; \
                           rel=\"http://schemas.ogf.org/occi/infrastructure#os_tpl\"; location=\"/mixin/copy/\"\r\n"
                .into();
            answer
        })
    });
}

#[test]
fn a_saved_template_of_no_root() {
    found_in_infrastructure(&["INF-11"], |asked, answer| {
        if is_of_save(asked) {
            answer.replace("infrastructure#os_tpl", "infrastructure#resource_tpl");
        }
    });
}

/// Deferred, and forgotten.
#[test]
fn a_compute_that_does_not_run_again() {
    static SAVED: Paths = Mutex::new(BTreeSet::new());
    found_in_infrastructure(&["INF-06"], |asked, answer| {
        if is_of_save(asked) && asked.text().contains("deferred") {
            SAVED.lock().unwrap().insert(asked.path.clone());
        }
        if shows(asked, "compute") && SAVED.lock().unwrap().contains(&asked.path) {
            answer.replace("occi.compute.state=\"active\"", "occi.compute.state=\"inactive\"");
        }
    });
}

/// What it begins as is the disk of the compute that was saved.
#[test]
fn a_saved_template_that_goes_with_its_source() {
    found_in_requests(&["INF-06", "INF-11"], |asked| {
        let is_copy = makes(asked, "compute") && asked.text().contains("infrastructure/os_tpl#");
        is_copy.then(|| Answer::empty(400))
    });
}

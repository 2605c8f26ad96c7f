//! Faults about versions: who is told which one is spoken, and who is served.

use occi_conformance::{Options, Outcome, run};

use crate::proxy::{Answer, Asked, Fault, Proxy};
use crate::server::Server;
use crate::{failing, found_in, found_in_requests, outcome};

#[test]
fn a_server_without_its_version() {
    found_in(&["HTTP-10"], |_, answer| answer.set("server", "occi/0.1.0 OCCI/1.1 OCCI-CRTP/1.1"));
    found_in(&["H11-29"], |_, answer| answer.set("server", "occi/0.1.0 OCCI/1.2 OCCI-CRTP/1.1"));
}

fn a_made_up_method_without_version(asked: &Asked, answer: &mut Answer) {
    if asked.method == "CONFORM" {
        answer.headers.remove("server");
    }
}

#[test]
fn answers_to_made_up_methods_without_version() {
    found_in(&["H11-29", "HTTP-10", "R0401"], a_made_up_method_without_version);
}

/// One clause is held against every answer: its outcome is the same whatever else is asked for.
#[test]
fn answers_are_judged_alike_in_each_run() {
    let server = Server::shared();
    for id in ["H11-29", "HTTP-10"] {
        let proxy = Proxy::start(server.address(), Fault::in_answers(a_made_up_method_without_version));
        let report = run(&Options { only: vec![id.into()], ..Options::of(proxy.endpoint()) }).unwrap();
        assert_eq!(report.rows.len(), 1);
        assert!(matches!(outcome(&report, id), Outcome::Failed(_)), "{id}");
    }
}

#[test]
fn newer_clients_are_served() {
    found_in_requests(&["H11-29", "HTTP-11"], |asked| {
        asked.headers.remove("user-agent");
        None
    });
}

#[test]
fn newer_clients_are_refused_to_read_alone() {
    found_in_requests(&["H11-29", "HTTP-11"], |asked| {
        if asked.method != "GET" {
            asked.headers.remove("user-agent");
        }
        None
    });
}

/// Whether a client is newer that asks for a change.
fn is_newer(asked: &Asked, method: &str) -> bool {
    asked.method == method && asked.header("user-agent").contains("OCCI/1.3")
}

/// Does what a newer client asks for by a method, and then refuses it.
#[track_caller]
fn done_and_refused(request: fn(&mut Asked) -> Option<Answer>) {
    let fault = Fault::in_both(request, |asked, answer| {
        if asked.header("x-refuse") == "yes" {
            answer.status = 501;
        }
    });
    assert_eq!(failing(fault), ["H11-29", "HTTP-11"].into());
}

fn serve(asked: &mut Asked) {
    asked.headers.remove("user-agent");
    asked.headers.insert("x-refuse", "yes".parse().unwrap());
}

#[test]
fn what_newer_clients_ask_for_is_done_and_refused() {
    done_and_refused(|asked| {
        if is_newer(asked, "POST") {
            serve(asked);
        }
        None
    });
    done_and_refused(|asked| {
        if is_newer(asked, "PUT") {
            serve(asked);
        }
        None
    });
    done_and_refused(|asked| {
        if is_newer(asked, "DELETE") {
            serve(asked);
        }
        None
    });
    done_and_refused(|asked| {
        if is_newer(asked, "POST") && asked.query.starts_with("action=") {
            serve(asked);
        }
        None
    });
}

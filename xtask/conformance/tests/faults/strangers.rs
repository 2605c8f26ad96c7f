//! Entities that somebody else has made stay, whatever a server says of them.

use std::sync::OnceLock;

use occi_conformance::{Options, run};

use crate::proxy::{Answer, Asked, Fault, Proxy};
use crate::server::Server;

const STRANGERS: [&str; 3] = ["/compute/strangers", "/compute/listed", "/network/strangers"];

/// A provider's Mixin that one of them has.
const MIXIN: &str =
    "ipnetwork; scheme=\"http://schemas.ogf.org/occi/infrastructure/network#\"; class=\"mixin\"";

/// Runs behind a proxy that answers creations in another way than the server does.
#[track_caller]
fn are_left(answer: fn(&Asked, &mut Answer)) {
    are_left_by(Fault::in_answers(answer));
}

#[track_caller]
fn are_left_by(fault: Fault) {
    let server = Server::shared();
    let url = |path: &str| format!("http://{}{path}", server.address());
    for path in STRANGERS {
        let term = path.split('/').nth(1).unwrap();
        let kind = format!(
            "Category: {term}; scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"kind\""
        );
        let mixin = if term == "network" { format!("\nCategory: {MIXIN}") } else { String::new() };
        let title = "\nX-OCCI-Attribute: occi.core.title=\"somebody's\"";
        ureq::put(url(path)).header("content-type", "text/plain").send(kind + &mixin + title).unwrap();
    }
    let shown = || {
        STRANGERS.map(|path| {
            let answer = ureq::get(url(path)).config().http_status_as_error(false).build().call();
            answer.unwrap().body_mut().read_to_string().unwrap()
        })
    };
    let before = shown();
    let proxy = Proxy::start(server.address(), fault);
    run(&Options::of(proxy.endpoint())).unwrap();
    let after = shown();
    ureq::delete(url("/")).call().unwrap();
    assert_eq!(before, after);
}

fn instead_of_location(answer: &mut Answer, body: &str) {
    if answer.status == 201 {
        answer.status = 200;
        answer.headers.remove("location");
        answer.body = body.into();
    }
}

/// HTTP-31 lets a creation be answered with the collection.
#[test]
fn of_a_creation_that_is_answered_with_the_collection() {
    are_left(|_, answer| {
        let all = STRANGERS.map(|path| format!("X-OCCI-Location: {path}\r\n")).concat();
        instead_of_location(answer, &all);
    });
}

#[test]
fn of_a_creation_that_is_answered_with_one_of_them() {
    are_left(|_, answer| instead_of_location(answer, &format!("X-OCCI-Location: {}\r\n", STRANGERS[0])));
}

/// Some servers list so many of them as they like.
#[test]
fn of_a_creation_that_leads_to_one_that_was_never_listed() {
    are_left(|asked, answer| {
        if asked.method == "GET" && asked.path.ends_with('/') {
            answer.lines(|line| !line.contains(STRANGERS[0]));
        }
        if answer.status == 201 {
            answer.headers.insert("location", STRANGERS[0].parse().unwrap());
            answer.body.clear();
        }
    });
}

/// A server that takes what it should refuse, and answers with what has come into the collection: somebody else's.
#[test]
fn of_a_refusal_that_is_none() {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    let server = Server::shared();
    let late = || format!("http://{}/compute/late", ADDRESS.get_or_init(|| server.address().into()));
    late();
    let fault = Fault::in_answers(|asked, answer| {
        if asked.method == "POST" && asked.text().contains(";;;") {
            let url = format!("http://{}/compute/late", ADDRESS.get().unwrap());
            let theirs = "Category: compute; scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"kind\"\n\
                          X-OCCI-Attribute: occi.core.title=\"somebody's\"";
            ureq::put(url).header("content-type", "text/plain").send(theirs).unwrap();
            *answer = Answer::empty(200);
            answer.body = "X-OCCI-Location: /compute/late\r\n".into();
        }
    });
    let proxy = Proxy::start(server.address(), fault);
    run(&Options::of(proxy.endpoint())).unwrap();
    let is_there = ureq::get(late()).call().is_ok();
    ureq::delete(format!("http://{}/", server.address())).call().unwrap();
    assert!(is_there, "it was somebody else's");
}

#[test]
fn of_a_creation_whose_location_is_the_collection() {
    are_left(|asked, answer| {
        if answer.status == 201 && asked.path.ends_with('/') {
            let collection = asked.path.parse().unwrap();
            answer.headers.insert("location", collection);
        }
    });
}

/// A listing that cannot be understood is none of nothing.
#[test]
fn in_listings_that_cannot_be_read() {
    are_left(|asked, answer| {
        if asked.method == "GET" && asked.path.ends_with('/') && answer.is("text/plain") {
            answer.body = answer.text().replace("X-OCCI-Location: ", "").into();
        }
    });
    are_left(|asked, answer| {
        if asked.method == "GET" && asked.path.ends_with('/') && answer.is("text/plain") {
            let listed = answer.text();
            let located: Vec<_> =
                listed.lines().filter_map(|line| line.strip_prefix("X-OCCI-Location: ")).collect();
            for location in &located {
                answer.headers.append("x-occi-location", location.parse().unwrap());
            }
            if !located.is_empty() {
                answer.body.clear();
            }
        }
    });
}

/// A request that names one member is taken for one that is about all.
#[test]
fn in_the_collection_of_a_providers_mixin() {
    are_left_by(Fault::in_requests(|asked| {
        if asked.method == "DELETE" && asked.path.starts_with("/mixin/") {
            asked.clear();
        }
        None
    }));
}

/// A server that calls itself by the URL of another speaks of what is its own; nothing is asked of the other.
#[test]
fn of_another_host() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let server = Server::known_as(&format!("http://{}", other.local_addr().unwrap()));
    let report = run(&Options::of(format!("http://{}", server.address()))).unwrap();
    assert_eq!(crate::ids(&report), std::collections::BTreeSet::new());
    assert!(server.entities().is_empty(), "the suite removes what it makes");
    assert_eq!(other.accept().map(drop).map_err(|error| error.kind()), Err(std::io::ErrorKind::WouldBlock));
}

//! Entities that somebody else has made stay, whatever a server says of them.

use occi_conformance::{Options, run};

use crate::proxy::{Answer, Asked, Fault, Proxy};
use crate::server::Server;

const STRANGERS: [&str; 2] = ["/compute/strangers", "/network/strangers"];

/// Runs behind a proxy that answers creations in another way than the server does.
#[track_caller]
fn are_left(answer: fn(&Asked, &mut Answer)) {
    let server = Server::shared();
    let url = |path: &str| format!("http://{}{path}", server.address());
    for path in STRANGERS {
        let term = path.split('/').nth(1).unwrap();
        let kind = format!(
            "Category: {term}; scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"kind\""
        );
        ureq::put(url(path)).header("content-type", "text/plain").send(kind).unwrap();
    }
    let shown = || {
        STRANGERS.map(|path| {
            let answer = ureq::get(url(path)).config().http_status_as_error(false).build().call();
            answer.unwrap().body_mut().read_to_string().unwrap()
        })
    };
    let before = shown();
    let proxy = Proxy::start(server.address(), Fault::in_answers(answer));
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

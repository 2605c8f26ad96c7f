//! Servers that put a client's Mixin where others have something. All of that stays as it was.

use std::collections::BTreeSet;

use occi_conformance::{Options, Report, run};

use crate::ids;
use crate::proxy::{Answer, Asked, Fault, Proxy};
use crate::server::Server;

/// Somebody's compute, and somebody's Mixin on it.
const ENTITY: &str = "/compute/somebodys";
const TAG: &str = "Category: somebodys; scheme=\"http://example.org/other#\"; class=\"mixin\"";
const TAGS: &str = "/mixins/";

/// Runs where somebody has something, and fails unless they have it afterwards.
#[track_caller]
fn stays(fault: Fault) -> Report {
    let server = Server::shared();
    let url = |path: &str| format!("http://{}{path}", server.address());
    let send = |request: ureq::RequestBuilder<ureq::typestate::WithBody>, body: &str| {
        request.header("content-type", "text/plain").send(body.to_owned()).unwrap();
    };
    let kind = "Category: compute; scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"kind\"";
    let tag = format!("{TAG}; location=\"{TAGS}\"");
    send(ureq::put(url(ENTITY)), kind);
    send(ureq::post(url("/-/")), &tag);
    send(ureq::post(url(TAGS)), &format!("X-OCCI-Location: {ENTITY}"));
    let shown = || {
        let answer = ureq::get(url(ENTITY)).config().http_status_as_error(false).build().call();
        answer.unwrap().body_mut().read_to_string().unwrap()
    };
    let (before, proxy) = (shown(), Proxy::start(server.address(), fault));
    let report = run(&Options::of(proxy.endpoint())).unwrap();
    let (after, all) = (shown(), server.entities());
    let types = ureq::get(url("/-/")).call().unwrap().body_mut().read_to_string().unwrap();
    ureq::delete(url("/")).call().unwrap();
    send(ureq::delete(url("/-/")).force_send_body(), &tag);
    assert!(before.contains("somebodys"), "{before}");
    assert_eq!(before, after);
    assert_eq!(all.lines().count(), 1, "the suite removes what it makes: {all}");
    assert!(!types.contains("conformance-"), "the suite removes the Mixins that it makes: {types}");
    report
}

/// Shows the Mixins of a run at another location.
fn show_at(asked: &Asked, answer: &mut Answer, location: &str) {
    if asked.method == "GET" && asked.path == "/-/" {
        let line = |line: &str| match line.split_once("; location=\"/conformance-") {
            Some((mixin, rest)) => {
                let rest = rest.split_once('"').unwrap().1;
                format!("{mixin}; location=\"{location}\"{rest}\r\n")
            }
            None => format!("{line}\r\n"),
        };
        answer.body = answer.text().lines().map(line).collect::<String>().into();
    }
}

#[test]
fn at_the_root() {
    stays(Fault::in_answers(|asked, answer| show_at(asked, answer, "/")));
}

#[test]
fn at_the_collection_of_a_kind() {
    stays(Fault::in_answers(|asked, answer| show_at(asked, answer, "/compute/")));
}

#[test]
fn at_the_collection_of_somebodys_mixin() {
    stays(Fault::in_answers(|asked, answer| show_at(asked, answer, TAGS)));
}

/// One that the query interface does not show is known by its members.
#[test]
fn at_a_collection_of_nobody_knows_whom() {
    stays(Fault::in_answers(|asked, answer| {
        show_at(asked, answer, TAGS);
        if asked.path == "/-/" {
            answer.lines(|line| !line.contains("somebodys"));
        }
    }));
}

/// At the location that it was asked to, which shows that it is not ours alone when it has members.
#[test]
fn behind_its_own_location() {
    stays(Fault::in_requests(|asked| {
        if asked.path.starts_with("/conformance-") {
            asked.path = TAGS.into();
        }
        None
    }));
}

/// No fault: where nothing else is, a server may put it.
#[test]
fn at_another_location_of_its_own() {
    let report = stays(Fault::in_both(
        |asked| {
            if let Some(own) = asked.path.strip_prefix("/mixins/conformance-") {
                asked.path = format!("/conformance-{own}");
            }
            if asked.path.ends_with("/-/") {
                let text = asked.text().replace("/mixins/conformance-", "/conformance-");
                asked.clear();
                asked.prepend(&text);
            }
            None
        },
        |asked, answer| {
            if asked.method == "GET" && asked.path.ends_with("/-/") {
                answer.replace("location=\"/conformance-", "location=\"/mixins/conformance-");
            }
        },
    ));
    assert_eq!(ids(&report), BTreeSet::new());
}

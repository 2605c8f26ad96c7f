//! Servers that do not say by Location where a new entity is, or name a place that is not of the endpoint.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};

use occi_conformance::{Options, Outcome, Report, run};
use serde_json::Value;

use crate::proxy::{Answer, Asked, Fault, Proxy};
use crate::server::Server;
use crate::{ids, outcome};

fn skipped(report: &Report) -> BTreeSet<&'static str> {
    let skipped = report.rows.iter().filter(|row| matches!(row.outcome, Outcome::NotApplicable(_)));
    skipped.map(|row| row.id).collect()
}

/// HTTP-31 lets a creation be answered with the rendering of the new entity.
fn render(address: &str, asked: &Asked, answer: &mut Answer) {
    let Some(location) = answer.headers.get("location").filter(|_| answer.status == 201) else { return };
    let path = location.to_str().unwrap().splitn(4, '/').nth(3).unwrap();
    let accept = asked.header("accept");
    let mut rendered = ureq::get(format!("http://{address}/{path}")).header("accept", accept).call().unwrap();
    answer.status = 200;
    answer.headers = rendered.headers().clone();
    answer.headers.remove("content-length");
    answer.body = rendered.body_mut().read_to_vec().unwrap();
}

/// All that a run makes is found, used and removed.
#[track_caller]
fn are_found(address: &OnceLock<String>, answer: fn(&Asked, &mut Answer)) {
    let server = Server::shared();
    address.set(server.address().to_owned()).unwrap();
    let run = |fault| {
        let proxy = Proxy::start(server.address(), fault);
        run(&Options::of(proxy.endpoint())).unwrap()
    };
    let (without, report) = (run(Fault::none()), run(Fault::in_answers(answer)));
    let left = server.entities();
    ureq::delete(format!("http://{}/", server.address())).call().unwrap();
    assert_eq!(left, "", "the suite removes what it makes");
    assert_eq!(report.left, Vec::<String>::new());
    assert_eq!(skipped(&report), skipped(&without));
    // OCCI 1.1 wants Location; nothing else is wrong.
    assert_eq!(ids(&report), ["H11-14"].into());
}

#[test]
fn what_is_rendered_is_found_by_its_id() {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    are_found(&ADDRESS, |asked, answer| render(ADDRESS.get().unwrap(), asked, answer));
}

/// The Kinds need not repeat what the core declares.
#[test]
fn what_is_rendered_is_found_where_only_the_core_declares_titles() {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    are_found(&ADDRESS, |asked, answer| {
        render(ADDRESS.get().unwrap(), asked, answer);
        if asked.path.ends_with("/-/") && asked.method == "GET" && answer.is("text/plain") {
            let is_core = |line: &str| line.contains("; scheme=\"http://schemas.ogf.org/occi/core#\"");
            let line = |line: &str| {
                if is_core(line) { line.to_owned() } else { line.replace(" occi.core.title", "") }
            };
            answer.body = answer.text().split_inclusive("\r\n").map(line).collect::<String>().into();
        }
        if asked.path.ends_with("/-/") {
            answer.json(|all| {
                let kinds = all.get_mut("kinds").and_then(Value::as_array_mut);
                for kind in kinds.into_iter().flatten() {
                    let is_core = kind["scheme"] == "http://schemas.ogf.org/occi/core#";
                    let attributes = kind.get_mut("attributes").and_then(Value::as_object_mut);
                    if let Some(attributes) = attributes.filter(|_| !is_core) {
                        attributes.remove("occi.core.title");
                    }
                }
            });
        }
    });
}

/// A path may end in the id.
#[test]
fn what_is_rendered_is_found_by_its_path() {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    are_found(&ADDRESS, |asked, answer| {
        render(ADDRESS.get().unwrap(), asked, answer);
        if asked.path.ends_with('/') && answer.text().starts_with("Category: ") {
            answer.replace("urn:uuid:", "");
        }
    });
}

/// A server that gives entities titles of its own, or none: what came alone is ours.
#[test]
fn what_has_another_title_is_found() {
    for other in ["another", ""] {
        let server = Server::shared();
        let fault = match other {
            "" => Fault::in_answers(|_, answer| titled(answer, "")),
            _ => Fault::in_answers(|_, answer| titled(answer, "another")),
        };
        let proxy = Proxy::start(server.address(), fault);
        let report = run(&Options::of(proxy.endpoint())).unwrap();
        let left = server.entities();
        ureq::delete(format!("http://{}/", server.address())).call().unwrap();
        // Of several that came at once it cannot be told, and that is said.
        assert!(left.lines().count() <= 2, "the suite removes what it makes: {left}");
        assert_eq!(left.is_empty(), report.left.is_empty(), "{:?}", report.left);
        assert!(!ids(&report).is_empty());
        assert!(skipped(&report).len() < 30, "{:?}", skipped(&report));
    }
}

/// Answers with entities that have this title.
fn titled(answer: &mut Answer, title: &str) {
    for (before, after) in [("occi.core.title=\"", "\""), ("\"title\":\"", "\"")] {
        let mut text = answer.text();
        let mut from = 0;
        while let Some(at) = text[from..].find(before).map(|at| from + at + before.len())
            && let Some(end) = text[at..].find(after).map(|end| at + end)
        {
            if text[at..end].contains("conformance-") {
                text.replace_range(at..end, title);
            }
            from = at;
        }
        answer.body = text.into();
    }
}

/// Another application of the same host.
const OTHER: &str = "/other/";

/// Answers as an OCCI server at `/occi/` would if it put its entities into another application.
fn into_another_application(asked: &Asked, answer: &mut Answer) {
    if asked.path == "/-/" {
        answer.replace("location=\"/", "location=\"/occi/");
        answer.replace("\"location\":\"/", "\"location\":\"/occi/");
    }
    let elsewhere = |url: &str| {
        let path = url.splitn(4, '/').nth(3).unwrap();
        format!("http://{}{OTHER}{path}", asked.header("host"))
    };
    if let Some(location) = answer.headers.get("location") {
        let location = elsewhere(location.to_str().unwrap());
        answer.headers.insert("location", location.parse().unwrap());
    }
    if answer.is("text/plain") {
        let line = |line: &str| match line.strip_prefix("X-OCCI-Location: ") {
            Some(url) => format!("X-OCCI-Location: {}\r\n", elsewhere(url)),
            None => format!("{line}\r\n"),
        };
        answer.body = answer.text().lines().map(line).collect::<String>().into();
    }
}

/// Runs against `/occi`; what is asked of the host outside of it, but for reading the well-known path.
fn asked_outside(
    outside: &Mutex<Vec<String>>,
    request: fn(&mut Asked) -> Option<Answer>,
    answer: fn(&Asked, &mut Answer),
) -> Report {
    let server = Server::shared();
    let proxy = Proxy::start(server.address(), Fault::in_both(request, answer));
    let report = run(&Options::of(format!("{}/occi", proxy.endpoint()))).unwrap();
    ureq::delete(format!("http://{}/", server.address())).call().unwrap();
    assert_eq!(*outside.lock().unwrap(), Vec::<String>::new());
    report
}

/// Hands on what is below the endpoint, and notes the rest.
fn within(asked: &mut Asked, outside: &Mutex<Vec<String>>) -> Option<Answer> {
    if let Some(path) = asked.path.strip_prefix("/occi") {
        asked.path = path.to_owned();
        return None;
    }
    if (asked.method.as_str(), asked.path.as_str()) != ("GET", "/.well-known/org/ogf/occi/-/") {
        outside.lock().unwrap().push(format!("{} {}", asked.method, asked.path));
    }
    Some(Answer::empty(404))
}

#[test]
fn entities_of_another_application_are_not_asked() {
    static OUTSIDE: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let report = asked_outside(&OUTSIDE, |asked| within(asked, &OUTSIDE), into_another_application);
    assert!(report.left.iter().any(|left| left.starts_with("could not be found: ")), "{:?}", report.left);
}

/// The server does not know of the path that it is reached by.
#[test]
fn kinds_of_another_application_are_not_asked() {
    static OUTSIDE: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let report = asked_outside(&OUTSIDE, |asked| within(asked, &OUTSIDE), |_, _| {});
    assert_eq!(report.left, Vec::<String>::new());
    match outcome(&report, "HTTP-31") {
        Outcome::NotApplicable(why) => assert!(why.contains("does not lie below the endpoint"), "{why}"),
        other => panic!("{other:?}"),
    }
}

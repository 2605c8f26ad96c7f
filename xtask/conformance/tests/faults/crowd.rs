//! A server that holds more than a run wants to read. What is wrong there is found all the same, and what others made
//! stays.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use occi_conformance::{Options, run};
use serde_json::json;

use crate::ids;
use crate::proxy::{Answer, Asked, Fault, Proxy};
use crate::server::Server;

const CROWD: usize = 1500;

/// No listing of them all is shorter.
const SHORTEST: usize = CROWD * 40;

/// The clauses that fail among so many, with a fault in the answers.
fn failing(answer: fn(&Asked, &mut Answer)) -> BTreeSet<&'static str> {
    let server = Server::shared();
    let url = |path: &str| format!("http://{}{path}", server.address());
    let one = json!({"kind": "http://schemas.ogf.org/occi/core#resource", "title": "one of a crowd"});
    let all = json!({"resources": vec![one; CROWD]}).to_string();
    ureq::post(url("/resource/")).header("content-type", "application/occi+json").send(all).unwrap();
    let before = server.entities();
    let proxy = Proxy::start(server.address(), Fault::in_answers(answer));
    let report = run(&Options::of(proxy.endpoint())).unwrap();
    let after = server.entities();
    ureq::delete(url("/")).call().unwrap();
    assert_eq!(before.lines().count(), CROWD);
    assert!(before == after, "the suite removes what it makes, and nothing else");
    ids(&report)
}

/// Once to know who they are, and once because a path stands for all that is below it.
#[test]
fn it_is_listed_twice() {
    static LISTED: AtomicUsize = AtomicUsize::new(0);
    let failing = failing(|asked, answer| {
        if asked.method == "GET" && asked.path.ends_with('/') && answer.body.len() > SHORTEST {
            LISTED.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_eq!(failing, BTreeSet::new());
    assert_eq!(LISTED.load(Ordering::Relaxed), 2);
}

#[test]
fn the_root_lists_all_kinds_of_links_but_one() {
    let failing = failing(|asked, answer| {
        if asked.method == "GET" && asked.path == "/" {
            answer.lines(|line| !line.contains("/storagelink/"));
        }
    });
    assert_eq!(failing, ["H11-02", "HTTP-04"].into());
}

#[test]
fn the_root_lists_no_links_in_json() {
    let failing = failing(|asked, answer| {
        if asked.method == "GET" && asked.path == "/" {
            answer.json(|value| {
                value.as_object_mut().unwrap().remove("links");
            });
        }
    });
    assert_eq!(failing, ["H11-02", "HTTP-04"].into());
}

//! Does the suite find what is wrong? A proxy between it and the real server plants one fault, and exactly the clauses
//! that the fault breaks must fail, beside those that fail without any.
//!
//! The server is `target/release/occi` with its extensions, as `cargo xtask build` makes it, or what `OCCI_BIN` and
//! `OCCI_EXTENSIONS` name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics, and says what it saw"
)]

mod proxy;
mod server;

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use occi_conformance::{Options, Outcome, Report, run};
use proxy::{Answer, Asked, Proxy};
use serde_json::Value;
use server::Server;

/// One run at a time: a suite that may empty collections wants a server for itself.
static TURN: Mutex<()> = Mutex::new(());

fn ids(report: &Report) -> BTreeSet<&'static str> {
    report.failed().map(|(row, _)| row.id).collect()
}

fn outcome(report: &Report, id: &str) -> Outcome {
    report.rows.iter().find(|row| row.id == id).unwrap().outcome.clone()
}

/// The clauses that fail behind a proxy, and do not without it.
fn failing(planted: proxy::Fault) -> BTreeSet<&'static str> {
    static WITHOUT: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    let server = Server::shared();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let run = |fault| {
        let proxy = Proxy::start(server.address(), fault);
        let report = run(&Options::of(proxy.endpoint())).unwrap();
        assert_eq!(server.entities(), "", "the suite removes what it makes");
        report
    };
    let without = WITHOUT.get_or_init(|| ids(&run(proxy::Fault::none())));
    ids(&run(planted)).difference(without).copied().collect()
}

/// Fails unless a fault in the answers is found in these clauses, and in no others.
#[track_caller]
fn found_in(clauses: &[&str], answer: fn(&Asked, &mut Answer)) {
    assert_eq!(failing(proxy::Fault::in_answers(answer)), clauses.iter().copied().collect());
}

/// The same of a fault in what reaches the server, or never does.
#[track_caller]
fn found_in_requests(clauses: &[&str], request: fn(&mut Asked) -> Option<Answer>) {
    assert_eq!(failing(proxy::Fault::in_requests(request)), clauses.iter().copied().collect());
}

/// What a server has not is not applicable, and no failure.
#[test]
fn a_server_of_the_core_alone() {
    let extensions = tempfile::tempdir().unwrap();
    let server = Server::start(extensions.path());
    let report = run(&Options::of(format!("http://{}", server.address()))).unwrap();
    assert_eq!(ids(&report), BTreeSet::new());
    assert_eq!(outcome(&report, "CORE-41"), Outcome::Passed);
    let without_actions = outcome(&report, "HTTP-27");
    assert!(matches!(without_actions, Outcome::NotApplicable(_)), "{without_actions:?}");
    assert_eq!(server.entities(), "", "the suite removes what it makes");
}

/// Headers are sent with each request, but for the one that looks what happens without.
#[test]
fn a_server_that_asks_for_credentials() {
    let guard = |asked: &mut Asked| {
        let mut refusal = Answer::empty(401);
        refusal.set("www-authenticate", "Basic realm=\"conformance\"");
        (asked.header("authorization") != "Basic dTpw").then_some(refusal)
    };
    let server = Server::shared();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let proxy = Proxy::start(server.address(), proxy::Fault::in_requests(guard));
    let mut options = Options::of(proxy.endpoint());
    options.only = vec!["HTTP-37".into(), "HTTP-31".into()];
    options.headers = vec!["Authorization: Basic dTpw".into()];
    let report = run(&options).unwrap();
    assert_eq!(outcome(&report, "HTTP-37"), Outcome::Passed);
    assert_eq!(outcome(&report, "HTTP-31"), Outcome::Passed);
}

#[test]
fn created_without_location() {
    found_in(&["H11-14", "H11-16", "HTTP-24"], |_, answer| {
        if answer.status == 201 {
            answer.headers.remove("location");
        }
    });
}

#[test]
fn a_mixin_before_the_kind() {
    found_in(&["TXT-10"], |_, answer| {
        if !answer.is("text/plain") || !answer.text().contains("X-OCCI-Attribute: ") {
            return;
        }
        let text = answer.text();
        let (mixins, others): (Vec<_>, Vec<_>) =
            text.split_inclusive("\r\n").partition(|line| line.contains("class=\"mixin\""));
        answer.body = [mixins, others].concat().concat().into();
    });
}

#[test]
fn a_mixin_that_stays_with_its_attributes() {
    found_in_requests(&["CORE-25", "H11-11", "HTTP-35"], |asked| {
        let names_members = asked.text().contains("X-OCCI-Location");
        (asked.method == "DELETE" && names_members).then(|| Answer::empty(200))
    });
}

#[test]
fn a_server_without_its_version() {
    found_in(&["HTTP-10"], |_, answer| answer.set("server", "occi/0.1.0 OCCI/1.1"));
    found_in(&["H11-29"], |_, answer| answer.set("server", "occi/0.1.0 OCCI/1.2"));
}

#[test]
fn not_allowed_without_allow() {
    found_in(&["H11-30"], |_, answer| {
        answer.headers.remove("allow");
    });
}

#[test]
fn an_entity_without_id() {
    found_in(&["CORE-39", "TXT-16"], |_, answer| {
        if answer.is("text/plain") {
            answer.lines(|line| !line.starts_with("X-OCCI-Attribute: occi.core.id="));
        }
    });
}

#[test]
fn relative_references_in_a_uri_list() {
    found_in(&["TXT-08"], |asked, answer| {
        if answer.is("text/uri-list") {
            let host = format!("http://{}", asked.header("host"));
            answer.body = answer.text().replace(&host, "").into();
        }
    });
}

#[test]
fn a_string_without_quotation_marks() {
    found_in(&["TXT-02"], |_, answer| answer.replace("architecture=\"x64\"", "architecture=x64"));
}

#[test]
fn a_value_with_separators_without_quotation_marks() {
    found_in(&["TXT-05"], |asked, answer| {
        // A summary that no check looks at but the one for it.
        if asked.method == "GET" {
            answer.replace(
                "X-OCCI-Attribute: occi.core.summary=\"plain\"",
                "X-OCCI-Attribute: occi.core.summary=a b",
            );
        }
    });
}

#[test]
fn lines_without_carriage_return() {
    found_in(&["TXT-02"], |_, answer| {
        if answer.is("text/plain") {
            answer.replace("\r\n", "\n");
        }
    });
}

#[test]
fn an_unknown_class() {
    found_in(&["TXT-02", "TXT-10"], |asked, answer| {
        if asked.path != "/-/" {
            answer.replace(
                "scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"kind\"",
                "scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"thing\"",
            );
        }
    });
}

#[test]
fn headers_without_ok() {
    found_in(&["TXT-03"], |_, answer| {
        if answer.is("text/occi") {
            answer.body.clear();
        }
    });
}

#[test]
fn a_duplicate_that_breaks_the_server() {
    found_in(&["H11-07"], |asked, answer| {
        if asked.method == "POST" && asked.path == "/-/" && answer.status == 409 {
            answer.status = 500;
        }
    });
}

#[test]
fn forbidden_is_success() {
    found_in(&["CORE-03", "CORE-07", "H11-08", "H11-30"], |_, answer| {
        if answer.status == 403 {
            *answer = Answer::empty(200);
        }
    });
}

#[test]
fn filters_are_ignored() {
    found_in_requests(&["H11-03", "HTTP-15", "HTTP-16"], |asked| {
        if asked.method == "GET" {
            asked.headers.remove("category");
            asked.headers.remove("x-occi-attribute");
            asked.headers.remove("content-type");
        }
        None
    });
}

#[test]
fn associations_answer_nothing() {
    found_in(&["HTTP-30", "HTTP-32"], |asked, answer| {
        let names_members = asked.text().contains("X-OCCI-Location");
        if names_members && answer.status == 200 {
            answer.body.clear();
        }
    });
}

#[test]
fn pages_are_of_any_size() {
    found_in(&["HTTP-13"], |_, answer| {
        if answer.status == 413 {
            *answer = Answer::empty(200);
        }
    });
}

#[test]
fn newer_clients_are_served() {
    found_in_requests(&["H11-29", "HTTP-11"], |asked| {
        asked.headers.remove("user-agent");
        None
    });
}

#[test]
fn actions_have_no_content() {
    found_in(&["CORE-29", "HTTP-27", "HTTP-33", "JSON-14"], |asked, answer| {
        if asked.query.starts_with("action=") && answer.status == 200 {
            *answer = Answer::empty(204);
        }
    });
}

#[test]
fn another_default_than_plain_text() {
    found_in_requests(&["H11-25"], |asked| {
        let accept = asked.header("accept");
        if accept.is_empty() || accept == "*/*" {
            asked.headers.insert("accept", "application/occi+json".parse().unwrap());
        }
        None
    });
}

#[test]
fn comma_lists_are_refused() {
    found_in_requests(&["H11-27", "TXT-04"], |asked| {
        asked.header("x-occi-attribute").contains("\", occi").then(|| Answer::empty(400))
    });
}

#[test]
fn entity_has_a_location() {
    found_in(&["HTTP-03"], |_, answer| {
        answer.replace("title=\"Entity\"; ", "title=\"Entity\"; location=\"/entity/\"; ");
    });
}

#[test]
fn answers_without_content_type() {
    found_in(&["HTTP-09"], |asked, answer| {
        if asked.method == "POST" {
            answer.headers.remove("content-type");
        }
    });
}

#[test]
fn answers_that_list_no_media_types() {
    found_in(&["HTTP-08"], |_, answer| {
        answer.headers.remove("accept");
    });
}

/// Every entity of an answer in JSON that stands alone or in a collection.
fn entities(value: &mut Value, mut change: impl FnMut(&mut serde_json::Map<String, Value>)) {
    if value["kind"].is_string() {
        change(value.as_object_mut().unwrap());
    }
    for list in ["resources", "links"] {
        if value["kind"].is_null()
            && let Some(members) = value.get_mut(list).and_then(Value::as_array_mut)
        {
            members.iter_mut().filter_map(Value::as_object_mut).for_each(&mut change);
        }
    }
}

#[test]
fn members_that_the_schema_does_not_know() {
    found_in(&["JSON-02"], |_, answer| {
        answer.json(|value| {
            entities(value, |entity| {
                entity.insert("location".into(), "/somewhere".into());
            });
        });
    });
}

#[test]
fn values_that_json_does_not_allow() {
    found_in(&["JSON-05"], |_, answer| {
        answer.json(|value| {
            entities(value, |entity| {
                if let Some(attributes) = entity.get_mut("attributes").and_then(Value::as_object_mut)
                    && let Some(cores) = attributes.get_mut("occi.network.state")
                {
                    *cores = Value::Null;
                }
            });
        });
    });
}

#[test]
fn mutable_is_not_stated() {
    found_in(&["JSON-09"], |_, answer| {
        answer.json(|value| {
            for kind in value.get_mut("kinds").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(title) =
                    kind["attributes"].get_mut("occi.core.title").and_then(Value::as_object_mut)
                {
                    title.remove("mutable");
                }
            }
        });
    });
}

#[test]
fn collections_of_references() {
    found_in(&["JSON-02", "JSON-06"], |asked, answer| {
        if asked.path.contains("conformance-") {
            answer.json(|value| {
                for entity in value.get_mut("resources").and_then(Value::as_array_mut).into_iter().flatten() {
                    *entity = entity["id"].clone();
                }
            });
        }
    });
}

#[test]
fn what_was_deleted_is_still_found() {
    found_in(&["CORE-42", "H11-02", "H11-20", "H11-30", "HTTP-28", "HTTP-34"], |asked, answer| {
        if answer.status == 404 && asked.method != "POST" {
            *answer = Answer::empty(200);
        }
    });
}

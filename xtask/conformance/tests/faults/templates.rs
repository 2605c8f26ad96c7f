//! Faults of templates: of systems, on a server that offers some, and of sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::infrastructure::{Paths, described, hidden, made, makes, shows};
use crate::proxy::{Answer, Asked, Fault};
use crate::server::Server;
use crate::{failing, found_in_infrastructure, ids, infrastructure_of};

/// The line of a type that a request names.
fn named(asked: &Asked, term: &str) -> Option<String> {
    let text = asked.text();
    text.split_inclusive("\r\n")
        .find(|line| line.starts_with(&format!("Category: {term};")))
        .map(str::to_owned)
}

/// Whether a request puts a template on an entity that is there.
fn assigns(asked: &Asked, term: &str) -> bool {
    let is_update =
        asked.method == "POST" && asked.path.starts_with("/compute/") && !asked.path.ends_with('/');
    is_update && asked.query.is_empty() && named(asked, term).is_some()
}

/// Lines that a fault shows of entities, by their paths.
type Shown = Mutex<BTreeMap<String, String>>;

/// Shows an entity with the lines before its own.
fn with_lines(asked: &Asked, answer: &mut Answer, shown: &Shown) {
    if let Some(lines) = shown.lock().unwrap().get(&asked.path).filter(|_| shows(asked, "compute")) {
        answer.body = (lines.clone() + &answer.text()).into();
    }
}

#[test]
fn systems() {
    static BOTH: Shown = Mutex::new(BTreeMap::new());
    static MEMBERS: Paths = Mutex::new(BTreeSet::new());
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with_images(folder.path(), &["one", "two"]);
    let found = |clauses: &[&str], fault: Fault| {
        let report = infrastructure_of(&server, fault);
        assert_eq!(ids(&report), clauses.iter().copied().collect(), "{}", report.table());
    };
    found(&[], Fault::none());
    // Their root is not described.
    found(&["INF-11"], Fault::in_answers(|asked, answer| hidden(asked, answer, "os_tpl")));
    // One that is offered is not known.
    found(
        &["INF-11"],
        Fault::in_requests(|asked| {
            let is_unknown = makes(asked, "compute") && named(asked, "two").is_some();
            (is_unknown && named(asked, "one").is_none()).then(|| Answer::empty(400))
        }),
    );
    // One is not looked at.
    found(
        &["INF-11"],
        Fault::in_requests(|asked| {
            if makes(asked, "compute") {
                asked.lines(|line| !line.starts_with("Category: two;"));
            }
            None
        }),
    );
    // It promises values, and does not give them.
    found(
        &["INF-12"],
        Fault::in_answers(|asked, answer| {
            let text = |line: &str| {
                line.trim_end().to_owned() + "; attributes=\"occi.compute.memory{immutable}\"\r\n"
            };
            described(asked, answer, "one", text, |template| {
                template["attributes"] =
                    json!({"occi.compute.memory": {"type": "number", "mutable": false, "default": 3.0}});
            });
        }),
    );
    // Another is not put in its place.
    found(
        &["INF-13"],
        Fault::in_requests(|asked| {
            if assigns(asked, "two") {
                asked.read_instead();
            }
            None
        }),
    );
    // An error that is none.
    found(
        &["INF-13"],
        Fault::in_answers(|asked, answer| {
            if assigns(asked, "two") {
                *answer = Answer::empty(409);
            }
        }),
    );
    // No fault: it is one.
    found(&[], Fault::in_requests(|asked| assigns(asked, "two").then(|| Answer::empty(409))));
    // Both are there, by whichever way they come.
    found(
        &["INF-13"],
        Fault::in_both(
            |asked| {
                if makes(asked, "compute") && named(asked, "one").is_some() && named(asked, "two").is_some() {
                    asked.headers.insert("x-both", named(asked, "two").unwrap().trim_end().parse().unwrap());
                    asked.lines(|line| !line.starts_with("Category: two;"));
                }
                None
            },
            |asked, answer| {
                let two = asked.header("x-both");
                if let Some(path) = made(answer).filter(|_| !two.is_empty()) {
                    BOTH.lock().unwrap().insert(path, two + "\r\n");
                }
                with_lines(asked, answer, &BOTH);
            },
        ),
    );
    found(
        &["INF-13"],
        Fault::in_answers(|asked, answer| {
            if asked.method == "POST" && asked.path == "/mixin/os_tpl/two/" {
                let text = asked.text();
                let url = text.trim_end().rsplit("://").next().unwrap().to_owned();
                MEMBERS.lock().unwrap().insert(url[url.find('/').unwrap()..].to_owned());
            }
            if shows(asked, "compute") && MEMBERS.lock().unwrap().contains(&asked.path) {
                let line = "Category: one; scheme=\"http://example.org/occi/infrastructure/os_tpl#\"; class=\"mixin\"\r\n";
                answer.body = (line.to_owned() + &answer.text()).into();
            }
        }),
    );
}

/// What the client gives goes before what the template does.
#[test]
fn sizes_that_are_not_overridden() {
    static GIVEN: Shown = Mutex::new(BTreeMap::new());
    let without = |asked: &mut Asked| {
        let gives = asked.text().contains("occi.compute.cores=");
        if makes(asked, "compute")
            && gives
            && let Some(line) = named(asked, "small")
        {
            asked.headers.insert("x-template", line.trim_end().parse().unwrap());
            asked.lines(|other| other != line);
        }
        None
    };
    let with = |asked: &Asked, answer: &mut Answer| {
        if let Some(path) = made(answer).filter(|_| !asked.header("x-template").is_empty()) {
            GIVEN.lock().unwrap().insert(path, asked.header("x-template") + "\r\n");
        }
        with_lines(asked, answer, &GIVEN);
    };
    let report = infrastructure_of(&Server::shared(), Fault::in_both(without, with));
    assert_eq!(ids(&report), ["INF-14"].into(), "{}", report.table());
}

/// A template is taken note of, and sizes nothing that is there already.
#[test]
fn sizes_that_stay() {
    static NOTED: Shown = Mutex::new(BTreeMap::new());
    let noted = |asked: &mut Asked| {
        for term in ["small", "medium"] {
            if assigns(asked, term) {
                NOTED.lock().unwrap().insert(asked.path.clone(), named(asked, term).unwrap());
                asked.read_instead();
            }
        }
        None
    };
    let report = infrastructure_of(
        &Server::shared(),
        Fault::in_both(noted, |asked, answer| with_lines(asked, answer, &NOTED)),
    );
    assert_eq!(ids(&report), ["INF-14", "INF-17", "R0302", "R0305"].into(), "{}", report.table());
}

#[test]
fn resource_templates_of_no_values() {
    found_in_infrastructure(&["INF-15", "R0304", "R0309"], |asked, answer| {
        described(asked, answer, "mem_small", str::to_owned, |template| {
            for attribute in template["attributes"].as_object_mut().unwrap().values_mut() {
                attribute.as_object_mut().unwrap().remove("default");
            }
        });
    });
}

#[test]
fn resource_templates_of_no_root() {
    found_in_infrastructure(&["INF-16", "R0303"], |asked, answer| hidden(asked, answer, "resource_tpl"));
}

/// One that is offered, and not supported; or accepted, and forgotten.
#[test]
fn resource_templates_that_are_not_supported() {
    let report = infrastructure_of(
        &Server::shared(),
        Fault::in_requests(|asked| {
            let is_large = makes(asked, "compute") && named(asked, "mem_large").is_some();
            is_large.then(|| Answer::empty(400))
        }),
    );
    assert_eq!(ids(&report), ["INF-16"].into(), "{}", report.table());
    found_in_infrastructure(&["INF-16"], |asked, answer| {
        if shows(asked, "compute") {
            answer.lines(|line| !line.starts_with("Category: mem_large;"));
        }
    });
}

/// No fault: there is no room for such a large one.
#[test]
fn resource_templates_that_there_is_no_room_for() {
    let report = infrastructure_of(
        &Server::shared(),
        Fault::in_requests(|asked| {
            let is_large = makes(asked, "compute") && named(asked, "mem_large").is_some();
            is_large.then(|| Answer::empty(507))
        }),
    );
    assert_eq!(ids(&report), BTreeSet::new(), "{}", report.table());
}

/// The new one is there, and so is the old one.
#[test]
fn resource_templates_that_pile_up() {
    static PILE: Shown = Mutex::new(BTreeMap::new());
    found_in_infrastructure(&["INF-17", "R0302"], |asked, answer| {
        if let (Some(path), Some(small)) = (made(answer), named(asked, "small")) {
            PILE.lock().unwrap().insert(path, small);
        }
        let is_there = answer.text().contains("Category: small;");
        if !is_there {
            with_lines(asked, answer, &PILE);
        }
    });
}

/// It may be said in JSON alone that a template has values.
#[test]
fn resource_templates_with_other_values() {
    found_in_infrastructure(&["INF-17", "R0305", "R0307"], |asked, answer| {
        described(asked, answer, "medium", str::to_owned, |template: &mut Value| {
            template["attributes"]["occi.compute.memory"]["default"] = 8.0.into();
        });
        if shows(asked, "compute") {
            answer.replace("ephemeral_storage.size=20.0", "ephemeral_storage.size=10.0");
        }
    });
}

/// What a compute has by the root of its template is neither shown nor taken.
#[test]
fn the_root_brings_nothing() {
    let refused = |asked: &mut Asked| {
        let sets = asked.method == "POST" && asked.text().contains("ephemeral_storage.deviceid=");
        sets.then(|| Answer::empty(400))
    };
    let hide = |asked: &Asked, answer: &mut Answer| {
        if shows(asked, "compute") {
            answer.lines(|line| !line.contains("ephemeral_storage.deviceid="));
        }
    };
    assert_eq!(failing(Fault::in_both(refused, hide)), ["CORE-26"].into());
}

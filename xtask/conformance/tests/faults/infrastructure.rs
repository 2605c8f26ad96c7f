//! Faults of the infrastructure as it is described, and of what its entities show.

use std::collections::BTreeSet;
use std::sync::Mutex;

use occi_conformance::{Outcome, Report};
use serde_json::{Value, json};

use crate::proxy::{Answer, Asked, Fault};
use crate::server::Server;
use crate::{found_in_infrastructure, ids, infrastructure_of, outcome};

/// The paths that a fault has to remember.
pub(crate) type Paths = Mutex<BTreeSet<String>>;

/// Changes how the query interface shows a type.
pub(crate) fn described(
    asked: &Asked,
    answer: &mut Answer,
    term: &str,
    text: impl Fn(&str) -> String,
    json: impl Fn(&mut Value),
) {
    if !asked.path.ends_with("/-/") || asked.method != "GET" {
        return;
    }
    if answer.is("text/plain") {
        let is_it = |line: &str| line.starts_with(&format!("Category: {term};"));
        let line = |line: &str| if is_it(line) { text(line) } else { line.to_owned() };
        answer.body = answer.text().split_inclusive("\r\n").map(line).collect::<String>().into();
    }
    answer.json(|all| {
        for list in ["kinds", "mixins", "actions"] {
            let types = all.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            types.filter(|one| one["term"] == term).for_each(&json);
        }
    });
}

/// Takes a type away from the query interface.
pub(crate) fn hidden(asked: &Asked, answer: &mut Answer, term: &str) {
    described(asked, answer, term, |_| String::new(), |_| {});
    if asked.path.ends_with("/-/") && asked.method == "GET" {
        answer.json(|all| {
            for list in ["kinds", "mixins", "actions"] {
                if let Some(types) = all.get_mut(list).and_then(Value::as_array_mut) {
                    types.retain(|one| one["term"] != term);
                }
            }
        });
    }
}

/// Changes how text shows a type, and leaves its JSON.
fn in_text(asked: &Asked, answer: &mut Answer, term: &str, old: &str, new: &str) {
    described(asked, answer, term, |line| line.replace(old, new), |_| {});
}

/// Whether an answer shows an entity of a Kind.
pub(crate) fn shows(asked: &Asked, kind: &str) -> bool {
    asked.method == "GET" && asked.path.starts_with(&format!("/{kind}/")) && !asked.path.ends_with('/')
}

/// Whether a request makes an entity of a Kind.
pub(crate) fn makes(asked: &Asked, kind: &str) -> bool {
    asked.method == "POST" && asked.path == format!("/{kind}/") && asked.query.is_empty()
}

/// The path of what an answer says was made.
pub(crate) fn made(answer: &Answer) -> Option<String> {
    let location = answer.headers.get("location")?.to_str().unwrap();
    location[location.find("://")? + 3..].split_once('/').map(|(_, path)| format!("/{path}"))
}

/// Nothing is wrong with the server itself.
#[test]
fn a_right_server() {
    let report = infrastructure_of(&Server::shared(), Fault::none());
    assert_eq!(ids(&report), BTreeSet::new(), "{}", report.table());
    for id in ["INF-01", "INF-06", "INF-13", "INF-14", "INF-17", "R0302", "R0305"] {
        assert_eq!(outcome(&report, id), Outcome::Passed, "{id}");
    }
}

#[test]
fn a_kind_with_another_parent() {
    found_in_infrastructure(&["INF-02"], |asked, answer| {
        let parent = "http://schemas.ogf.org/occi/core#link";
        let text = |line: &str| line.replace("core#resource", "core#link");
        described(asked, answer, "storage", text, |kind| kind["parent"] = parent.into());
    });
}

fn is_of_a_kind(asked: &Asked) -> bool {
    asked.path == "/-/" && asked.text().contains("class=\"kind\"")
}

/// A client is told that a Kind is gone, and it may be.
#[test]
fn kinds_that_clients_remove() {
    static GONE: Mutex<bool> = Mutex::new(false);
    let answered = |asked: &mut Asked| {
        let is_removal = asked.method == "DELETE" && is_of_a_kind(asked);
        is_removal.then(|| Answer::empty(200))
    };
    let report = infrastructure_of(&Server::shared(), Fault::in_requests(answered));
    assert_eq!(ids(&report), ["INF-02"].into());
    let removed = |asked: &mut Asked| {
        let changes = matches!(&*asked.method, "DELETE" | "POST") && is_of_a_kind(asked);
        if changes {
            *GONE.lock().unwrap() = asked.method == "DELETE";
        }
        changes.then(|| Answer::empty(200))
    };
    let hide = |asked: &Asked, answer: &mut Answer| {
        if *GONE.lock().unwrap() {
            hidden(asked, answer, "compute");
        }
    };
    let report = infrastructure_of(&Server::shared(), Fault::in_both(removed, hide));
    assert_eq!(ids(&report), ["INF-02"].into());
    assert!(report.left.iter().any(|left| left.contains("infrastructure#compute")), "{:?}", report.left);
}

#[test]
fn attributes_that_are_declared_otherwise() {
    found_in_infrastructure(&["INF-04"], |asked, answer| {
        in_text(asked, answer, "compute", "occi.compute.state{immutable}", "occi.compute.state");
    });
    found_in_infrastructure(&["INF-04"], |asked, answer| {
        in_text(
            asked,
            answer,
            "storage",
            "occi.storage.size{required}",
            "occi.storage.size{immutable required}",
        );
    });
    found_in_infrastructure(&["INF-04"], |asked, answer| {
        in_text(asked, answer, "networkinterface", " occi.networkinterface.mac", "");
    });
    found_in_infrastructure(&["INF-04"], |asked, answer| {
        let json = |kind: &mut Value| kind["attributes"]["occi.network.vlan"]["type"] = "string".into();
        described(asked, answer, "network", str::to_owned, json);
    });
    found_in_infrastructure(&["INF-04"], |asked, answer| {
        let pattern = json!({"type": "string", "enum": ["active", "inactive", "paused", "error"]});
        let json = |kind: &mut Value| {
            kind["attributes"]["occi.compute.state"]["pattern"] = pattern.clone();
        };
        described(asked, answer, "compute", str::to_owned, json);
    });
}

/// It can be done, but is not described as an action of the Kind.
#[test]
fn actions_that_are_not_described() {
    found_in_infrastructure(&["INF-05"], |asked, answer| {
        let offline = "http://schemas.ogf.org/occi/infrastructure/storage/action#offline";
        in_text(asked, answer, "storage", offline, "");
    });
    found_in_infrastructure(&["INF-05"], |asked, answer| {
        in_text(asked, answer, "suspend", "; attributes=\"method\"", "");
    });
    found_in_infrastructure(&["INF-05"], |asked, answer| {
        in_text(asked, answer, "restart", "\"method\"", "\"method{required} delay{required}\"");
    });
    found_in_infrastructure(&["INF-05"], |asked, answer| {
        let json = |action: &mut Value| {
            action["attributes"]["method"]["pattern"] =
                json!({"type": "string", "enum": ["graceful", "off"]});
        };
        described(asked, answer, "stop", str::to_owned, json);
    });
}

#[test]
fn mixins_that_are_described_otherwise() {
    // The name that OCCI 1.1 has in one of its tables.
    found_in_infrastructure(&["INF-07"], |asked, answer| {
        let text = |line: &str| line.replace("Category: ipnetwork;", "Category: ipnetworking;");
        described(asked, answer, "ipnetwork", text, |mixin| mixin["term"] = "ipnetworking".into());
    });
    found_in_infrastructure(&["INF-08"], |asked, answer| {
        in_text(asked, answer, "ipnetworkinterface", " occi.networkinterface.gateway", "");
    });
    found_in_infrastructure(&["INF-18"], |asked, answer| {
        described(asked, answer, "ssh_key", str::to_owned, |mixin| mixin["applies"] = json!([]));
    });
    found_in_infrastructure(&["INF-19"], |asked, answer| {
        in_text(asked, answer, "user_data", "userdata{required}", "userdata{immutable required}");
    });
}

#[test]
fn entities_of_what_cannot_be_discovered() {
    found_in_infrastructure(&["INF-01"], |asked, answer| {
        if shows(asked, "storage") && answer.is("text/plain") {
            let line = "Category: cdmi; scheme=\"http://schemas.ogf.org/occi/infrastructure/storage#\"; class=\"mixin\"\r\n";
            answer.body = (line.to_owned() + &answer.text()).into();
        }
    });
}

#[test]
fn entities_of_another_kind() {
    found_in_infrastructure(&["INF-03"], |asked, answer| {
        if shows(asked, "network") && answer.is("text/plain") {
            answer.replace("infrastructure#\"; class=\"kind\"", "core#\"; class=\"kind\"");
        }
    });
    found_in_infrastructure(&["INF-03"], |asked, answer| {
        if shows(asked, "storagelink") {
            answer.json(|link| link["kind"] = "http://schemas.ogf.org/occi/core#link".into());
        }
    });
}

#[test]
fn attributes_that_are_missing_on_entities() {
    found_in_infrastructure(&["INF-04"], |asked, answer| {
        if shows(asked, "networkinterface") {
            answer.lines(|line| !line.contains("occi.networkinterface.mac="));
        }
    });
    found_in_infrastructure(&["INF-04"], |asked, answer| {
        if shows(asked, "storagelink") {
            answer.replace("occi.storagelink.state=\"inactive\"", "occi.storagelink.state=\"detached\"");
        }
    });
}

/// The provider picks a size, and does not say which.
#[test]
fn storage_of_no_size() {
    static MADE: Paths = Mutex::new(BTreeSet::new());
    let with_size = |asked: &mut Asked| {
        if makes(asked, "storage") && !asked.text().contains("occi.storage.size") {
            asked.append("X-OCCI-Attribute: occi.storage.size=1.0\r\n");
            asked.headers.insert("x-no-size", "yes".parse().unwrap());
        }
        None
    };
    let without = |asked: &Asked, answer: &mut Answer| {
        if asked.header("x-no-size") == "yes" {
            MADE.lock().unwrap().extend(made(answer));
        }
        if MADE.lock().unwrap().contains(&asked.path) {
            answer.lines(|line| !line.contains("occi.storage.size"));
        }
    };
    let report = infrastructure_of(&Server::shared(), Fault::in_both(with_size, without));
    assert_eq!(ids(&report), ["INF-04"].into());
}

#[test]
fn mixins_without_their_attributes() {
    found_in_infrastructure(&["INF-07"], |asked, answer| {
        if shows(asked, "network") {
            answer.lines(|line| !line.contains("occi.network.gateway="));
        }
    });
    found_in_infrastructure(&["INF-08"], |asked, answer| {
        if shows(asked, "networkinterface") {
            answer.lines(|line| !line.contains("occi.networkinterface.address="));
        }
    });
}

/// What is done to a request.
type Change = fn(&mut Asked) -> Option<Answer>;

/// The Mixin is not looked at, and the rest is done.
fn ignored(asked: &mut Asked, kind: &str, term: &str, attribute: &str) {
    if makes(asked, kind) && asked.text().contains(&format!("Category: {term};")) {
        asked.lines(|line| !line.starts_with(&format!("Category: {term};")) && !line.contains(attribute));
    }
}

#[test]
fn mixins_on_what_they_are_not_for() {
    let faults: [(&str, Change); 4] = [
        ("INF-07", |asked| {
            ignored(asked, "compute", "ipnetwork", "occi.network.");
            None
        }),
        ("INF-08", |asked| {
            ignored(asked, "network", "ipnetworkinterface", "occi.networkinterface.");
            None
        }),
        ("INF-18", |asked| {
            ignored(asked, "network", "ssh_key", "occi.credentials.");
            None
        }),
        ("INF-19", |asked| {
            ignored(asked, "storage", "user_data", "occi.compute.userdata");
            None
        }),
    ];
    for (clause, fault) in faults {
        let report = infrastructure_of(&Server::shared(), Fault::in_requests(fault));
        assert_eq!(ids(&report), [clause].into());
    }
}

/// Whether a line is kept.
type Keep = fn(&str) -> bool;

/// A server that takes keys and user data, which libvirt's test driver cannot: it is told by the lines that it shows of them.
fn with_credentials(attributes: Keep) -> Report {
    static GIVEN: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
    static SHOWN: Mutex<Option<Keep>> = Mutex::new(None);
    fn is_theirs(line: &str) -> bool {
        [
            "Category: ssh_key;",
            "Category: user_data;",
            "X-OCCI-Attribute: occi.credentials",
            "X-OCCI-Attribute: occi.compute.userdata",
        ]
        .iter()
        .any(|theirs| line.starts_with(theirs))
    }
    let taken = |asked: &mut Asked| {
        let lines: String = asked.text().split_inclusive("\r\n").filter(|line| is_theirs(line)).collect();
        if asked.method == "POST" && asked.path.starts_with("/compute/") && !lines.is_empty() {
            asked.lines(|line| !is_theirs(line));
            asked.headers.insert("x-given", lines.replace("\r\n", "|").parse().unwrap());
        }
        None
    };
    let told = |asked: &Asked, answer: &mut Answer| {
        let mut given = GIVEN.lock().unwrap();
        let lines = asked.header("x-given").replace('|', "\r\n");
        if !lines.is_empty() {
            given.push((made(answer).unwrap_or_else(|| asked.path.clone()), lines));
        }
        let shown = SHOWN.lock().unwrap().unwrap();
        for (_, lines) in given.iter().filter(|(path, _)| *path == asked.path && shows(asked, "compute")) {
            let (types, values): (Vec<_>, Vec<_>) =
                lines.split_inclusive("\r\n").partition(|line| line.starts_with("Category"));
            let values = values.into_iter().filter(|line| shown(line));
            answer.body = (types.concat() + &answer.text() + &values.collect::<String>()).into();
        }
    };
    *SHOWN.lock().unwrap() = Some(attributes);
    infrastructure_of(&Server::shared(), Fault::in_both(taken, told))
}

#[test]
fn keys_and_user_data_that_are_not_shown() {
    let report = with_credentials(|_| true);
    assert_eq!(ids(&report), BTreeSet::new(), "{}", report.table());
    assert_eq!(ids(&with_credentials(|line| !line.contains("publickey"))), ["INF-18"].into());
    assert_eq!(ids(&with_credentials(|line| !line.contains("userdata"))), ["INF-19"].into());
}

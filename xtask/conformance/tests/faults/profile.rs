//! Faults against the Compute Resource Templates Profile.

use std::collections::BTreeMap;
use std::sync::Mutex;

use occi_conformance::Outcome;
use serde_json::{Value, json};

use crate::infrastructure::{described, hidden, made, makes, shows};
use crate::proxy::{Answer, Asked, Fault};
use crate::server::Server;
use crate::{found_in, found_in_infrastructure, ids, infrastructure_of, outcome};

/// Changes what is claimed.
fn claims(answer: &mut Answer, change: impl Fn(&str) -> String) {
    if let Some(server) = answer.headers.get("server") {
        let claimed = change(server.to_str().unwrap());
        answer.headers.insert("server", claimed.parse().unwrap());
    }
}

fn without_claims(server: &str) -> String {
    server.split(' ').filter(|word| !word.starts_with("OCCI-CRTP")).collect::<Vec<_>>().join(" ")
}

#[test]
fn errors_without_the_claim() {
    found_in(&["R0401"], |_, answer| {
        if answer.status >= 400 {
            claims(answer, without_claims);
        }
    });
}

/// All that must be offered is.
#[test]
fn nothing_is_claimed() {
    found_in(&["R0401"], |_, answer| claims(answer, without_claims));
}

#[test]
fn claims_of_no_version() {
    found_in(&["R0402"], |_, answer| claims(answer, |server| server.replace("OCCI-CRTP/1.1", "OCCI-CRTP")));
}

#[test]
fn claims_of_another_token() {
    found_in(&["R0403"], |_, answer| {
        claims(answer, |server| server.replace("OCCI-CRTP/1.1", "OCCI-CRTP-BASE/1.1"));
    });
}

#[test]
fn claims_of_another_version() {
    found_in(&["R0405"], |_, answer| {
        claims(answer, |server| server.replace("OCCI-CRTP/1.1", "OCCI-CRTP/2.0"));
    });
}

#[test]
fn the_extended_claim_without_all_templates() {
    found_in_infrastructure(&["R0404"], |asked, answer| hidden(asked, answer, "mem_medium"));
}

#[test]
fn templates_that_are_missing() {
    found_in_infrastructure(&["R0306", "R0404"], |asked, answer| hidden(asked, answer, "small"));
    found_in_infrastructure(&["R0307", "R0404"], |asked, answer| hidden(asked, answer, "medium"));
    found_in_infrastructure(&["R0308", "R0404"], |asked, answer| hidden(asked, answer, "large"));
}

/// A template of other values than its name says; they are given as they are described.
fn with_cores(asked: &Asked, answer: &mut Answer, term: &str) {
    described(asked, answer, term, str::to_owned, |template: &mut Value| {
        template["attributes"]["occi.compute.cores"]["default"] = json!(3);
    });
}

#[test]
fn templates_of_other_values() {
    found_in_infrastructure(&["R0308"], |asked, answer| with_cores(asked, answer, "large"));
    found_in_infrastructure(&["R0309"], |asked, answer| with_cores(asked, answer, "mem_small"));
    found_in_infrastructure(&["R0310"], |asked, answer| with_cores(asked, answer, "mem_medium"));
    found_in_infrastructure(&["R0311"], |asked, answer| with_cores(asked, answer, "mem_large"));
}

#[test]
fn values_that_clients_change() {
    found_in_infrastructure(&["R0308"], |asked, answer| {
        let text = |line: &str| line.replace("occi.compute.memory{immutable}", "occi.compute.memory");
        described(asked, answer, "large", text, |_| {});
    });
}

#[test]
fn templates_that_leave_something_open() {
    found_in_infrastructure(&["R0304", "R0308"], |asked, answer| {
        let text = |line: &str| line.replace(" occi.compute.ephemeral_storage.size{immutable}", "");
        described(asked, answer, "large", text, |_| {});
    });
}

#[test]
fn templates_for_another_kind() {
    found_in_infrastructure(&["R0301"], |asked, answer| {
        described(asked, answer, "large", str::to_owned, |template| {
            template["applies"] = json!(["http://schemas.ogf.org/occi/infrastructure#network"]);
        });
    });
}

/// Nothing of what needs a compute is to be seen then.
#[test]
fn the_kind_is_not_described() {
    let hide = |asked: &Asked, answer: &mut Answer| hidden(asked, answer, "compute");
    let report = infrastructure_of(&Server::shared(), Fault::in_answers(hide));
    assert!(ids(&report).contains("R0301"), "{}", report.table());
    assert!(matches!(outcome(&report, "R0305"), Outcome::NotApplicable(_)));
}

/// Two that are named at once are both taken.
#[test]
fn two_templates_at_once() {
    static BOTH: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let one = |asked: &mut Asked| {
        let text = asked.text();
        let medium = text.split_inclusive("\r\n").find(|line| line.starts_with("Category: medium;"));
        if let Some(medium) = medium.filter(|_| makes(asked, "compute") && text.contains("Category: small;"))
        {
            asked.headers.insert("x-both", medium.trim_end().parse().unwrap());
            asked.lines(|line| line != medium);
        }
        None
    };
    let both = |asked: &Asked, answer: &mut Answer| {
        let mut shown = BOTH.lock().unwrap();
        if let Some(path) = made(answer).filter(|_| !asked.header("x-both").is_empty()) {
            shown.insert(path, asked.header("x-both") + "\r\n");
        }
        if let Some(line) = shown.get(&asked.path).filter(|_| shows(asked, "compute")) {
            answer.body = (line.clone() + &answer.text()).into();
        }
    };
    let report = infrastructure_of(&Server::shared(), Fault::in_both(one, both));
    assert_eq!(ids(&report), ["INF-17", "R0302"].into(), "{}", report.table());
}

/// The disk is of another size than the template says.
#[test]
fn a_template_that_sizes_in_part() {
    found_in_infrastructure(&["R0305"], |asked, answer| {
        if shows(asked, "compute") {
            answer.replace("ephemeral_storage.size=10.0", "ephemeral_storage.size=5.0");
        }
    });
}

/// It is claimed by a server that has nothing of it.
#[test]
fn a_claim_without_templates() {
    let extensions = tempfile::tempdir().unwrap();
    let server = Server::start(extensions.path(), "");
    let claim = |_: &Asked, answer: &mut Answer| claims(answer, |server| format!("{server} OCCI-CRTP/1.1"));
    let report = infrastructure_of(&server, Fault::in_answers(claim));
    assert_eq!(ids(&report), ["R0301", "R0303", "R0306", "R0307", "R0308"].into(), "{}", report.table());
}

//! Which version is spoken. That every answer names it in `Server` is watched by `observe`.

use super::{Check, check};
use crate::session::Session;
use crate::verdict::Verdict;

pub(super) const CHECKS: &[Check] = &[
    check(&["HTTP-11", "H11-29"], newer_clients_are_told),
    check(&["HTTP-11"], known_clients_are_served),
    check(&["HTTP-10"], every_method_names_the_version),
];

fn ask(s: &Session, agent: &str) -> Verdict<crate::answer::Answer> {
    s.client.get("-/").only("User-Agent", Some(agent)).send()
}

fn newer_clients_are_told(s: &mut Session) -> Verdict {
    for agent in ["some-client/1.0 OCCI/1.3", "OCCI/2.0 (linux)"] {
        ask(s, agent)?.is(&[501])?;
    }
    Ok(())
}

fn known_clients_are_served(s: &mut Session) -> Verdict {
    for agent in ["some-client/4.3 (linux) OCCI/1.1", "some-client/1.0 OCCI/1.2"] {
        ask(s, agent)?.is(&[200])?;
    }
    Ok(())
}

/// Also the answers that say little else; `observe` looks at them.
fn every_method_names_the_version(s: &mut Session) -> Verdict {
    for method in ["HEAD", "OPTIONS", "PATCH", "CONFORM"] {
        s.client.request(method, "-/").send()?;
    }
    Ok(())
}

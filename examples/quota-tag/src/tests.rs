//! The extension against a host in memory. That two requests at once do not exceed a budget together is the end-to-end test's.

use super::*;
use occi_sdk::Fault;
use occi_sdk::testing::{Entity, Host};

const QUOTA: &str = "http://example.com/occi/quota#quota";

fn host() -> Host<Quota> {
    let host = Host::new();
    configure(&host);
    host
}

fn configure(host: &Host<Quota>) {
    host.configure("books", "computes=3 cores=8 memory=4");
    host.configure("toys", "cores=2");
}

/// A compute as the host shows it to a Mixin.
fn compute(host: &Host<Quota>, budget: &str, cores: i64, memory: f64) -> Entity {
    host.resource("http://schemas.ogf.org/occi/infrastructure#compute")
        .with(Claim::BUDGET, budget)
        .with(Claim::CORES, cores)
        .with(Claim::MEMORY, memory)
}

#[track_caller]
fn is_refused(outcome: Result<()>, code: &str, attribute: &str) {
    let fault = outcome.unwrap_err();
    assert!(fault.is(code), "{fault:?}");
    assert_eq!(fault.attribute.as_deref(), Some(attribute), "{fault:?}");
}

#[test]
fn computes_are_counted_until_they_go() {
    let host = host();
    let [mut one, mut two, mut three, mut four] = [(); 4].map(|()| compute(&host, "books", 2, 1.0));
    for compute in [&mut one, &mut two, &mut three] {
        host.associate(compute, QUOTA).unwrap();
    }
    is_refused(host.associate(&mut four, QUOTA), Fault::CONFLICT, Claim::BUDGET);
    host.dissociate(&mut two, QUOTA).unwrap();
    host.dissociate(&mut two, QUOTA).unwrap();
    host.associate(&mut four, QUOTA).unwrap();
    is_refused(host.associate(&mut two, QUOTA), Fault::CONFLICT, Claim::BUDGET);
}

#[test]
fn what_a_compute_has_is_limited() {
    let host = host();
    let mut one = compute(&host, "books", 6, 1.0);
    host.associate(&mut one, QUOTA).unwrap();
    is_refused(host.associate(&mut compute(&host, "books", 3, 1.0), QUOTA), Fault::CONFLICT, Claim::CORES);
    is_refused(host.associate(&mut compute(&host, "books", 2, 3.1), QUOTA), Fault::CONFLICT, Claim::MEMORY);
    let mut two = compute(&host, "books", 2, 3.0);
    host.associate(&mut two, QUOTA).unwrap();

    is_refused(host.update(&mut two, [(Claim::CORES, 3)]), Fault::CONFLICT, Claim::CORES);
    host.update(&mut one, [(Claim::CORES, 5)]).unwrap();
    host.update(&mut two, [(Claim::CORES, 3)]).unwrap();
}

#[test]
fn refusals_are_counted_and_refuse_also_where_they_are_not() {
    let host = host();
    let ask = |cores| host.associate(&mut compute(&host, "books", cores, 1.0), QUOTA);
    ask(8).unwrap();
    assert_eq!(host.counted("refusals"), 0);
    is_refused(ask(1), Fault::CONFLICT, Claim::CORES);
    host.fail("metrics.count", Fault::unavailable("nobody counts"));
    is_refused(ask(2), Fault::CONFLICT, Claim::CORES);
    assert_eq!(host.counted("refusals"), 1);
}

#[test]
fn a_compute_that_changes_its_budget_leaves_the_other() {
    let host = host();
    let mut one = compute(&host, "books", 8, 1.0);
    host.associate(&mut one, QUOTA).unwrap();
    is_refused(host.update(&mut one, [(Claim::BUDGET, "toys")]), Fault::CONFLICT, Claim::CORES);
    let mut two = compute(&host, "books", 1, 1.0);
    is_refused(host.associate(&mut two, QUOTA), Fault::CONFLICT, Claim::CORES);
    host.update(&mut one, [(Claim::CORES, 2)]).unwrap();
    host.update(&mut one, [(Claim::BUDGET, "toys")]).unwrap();
    two = compute(&host, "books", 8, 1.0);
    host.associate(&mut two, QUOTA).unwrap();
}

#[test]
fn a_budget_that_is_not_set_is_named_with_those_that_are() {
    let host = host();
    let fault = host.associate(&mut compute(&host, "book", 1, 1.0), QUOTA).unwrap_err();
    assert_eq!(
        fault,
        Fault::invalid("there is no budget book; name one of these: default, books, toys").on(Claim::BUDGET)
    );
    host.configure("broken", "cores: 8");
    assert!(host.associate(&mut compute(&host, "broken", 1, 1.0), QUOTA).unwrap_err().is(Fault::FAILED));
}

#[test]
fn the_default_budget_has_no_limits_until_some_are_set() {
    let host = host();
    host.associate(&mut compute(&host, "default", 1000, 1000.0), QUOTA).unwrap();
    host.configure("default", "cores=1001");
    host.associate(&mut compute(&host, "default", 1, 1.0), QUOTA).unwrap();
    is_refused(host.associate(&mut compute(&host, "default", 1, 1.0), QUOTA), Fault::CONFLICT, Claim::CORES);
}

#[test]
fn what_fails_takes_nothing() {
    let host = host();
    for call in ["config.get", "keyvalue.open", "keyvalue.get", "keyvalue.list-keys", "keyvalue.set"] {
        host.fail(call, Fault::failed("the store cannot be read now"));
        let outcome = host.associate(&mut compute(&host, "books", 8, 1.0), QUOTA);
        assert!(outcome.unwrap_err().is(Fault::FAILED), "{call}");
    }
    host.associate(&mut compute(&host, "books", 8, 1.0), QUOTA).unwrap();
}

#[test]
fn a_call_that_comes_twice_counts_once() {
    let host = Host::crashing();
    configure(&host);
    let mut one = compute(&host, "books", 5, 1.0);
    host.associate(&mut one, QUOTA).unwrap();
    host.update(&mut one, [(Claim::CORES, 8)]).unwrap();
    host.dissociate(&mut one, QUOTA).unwrap();
    host.associate(&mut compute(&host, "books", 8, 1.0), QUOTA).unwrap();
}

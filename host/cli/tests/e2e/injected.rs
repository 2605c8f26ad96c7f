//! Every call of libvirt that fails, in every operation: whatever the client is answered, store and hypervisor agree afterwards,
//! and nothing is left that nobody knows of.
//!
//! On the imitation each call fails in each way, but that only one of three is late. On QEMU it is one of five calls in one way, and
//! where something moves between two one of three, for the time that it takes; with `OCCI_TEST_ROUNDS` it is each call in each round,
//! in four of them in each way.

use crate::agreement::{ACROSS, Before, MOVES, Move, OPERATIONS, Operation, Stage};
use crate::http::Answer;
use crate::nodes::{OTHER, reached_nodes};
use crate::server::GuestSystem;
use crate::wire::{Fault, Wire};
use occi_services::service;
use std::sync::PoisonError;

const FAULTS: [Fault; 4] = [Fault::Refused, Fault::Late, Fault::LostBefore, Fault::LostAfter];

/// Fails one call after the other, but for those that have no fault, until there is none left that could; how many that were.
fn each_call(
    stage: &Stage,
    wire: &Wire,
    prepare: fn(&Stage, &mut Before),
    fault: impl Fn(u32) -> Option<Fault>,
    attempt: impl Fn(&Before) -> Attempt,
    afterwards: impl Fn(&Before, bool, &str),
) -> u32 {
    let mut failed = 0;
    for (number, fault) in (0..).filter_map(|number| Some((number, fault(number)?))) {
        let mut before = stage.prepare();
        prepare(stage, &mut before);
        let (Attempt { is_done, is_trouble, said }, was_due) = wire.fail(number, fault, || attempt(&before));
        let said = format!("call {number} {fault:?}: {said}");
        // What libvirt refuses by no reason that is known is the server's trouble, and not the client's.
        assert!(!is_trouble || fault == Fault::Refused, "{said}");
        if !was_due {
            assert!(is_done, "{said}");
        }
        stage.agrees(&said);
        // Of several steps one that is refused may leave another state: that is the answer, with the reason in it.
        if fault != Fault::Refused || !is_done {
            afterwards(&before, is_done, &said);
        }
        stage.holds(&before, &said);
        stage.clear(&said);
        if !was_due {
            break;
        }
        failed += 1;
    }
    failed
}

/// What became of an operation, and what was said of it.
struct Attempt {
    is_done: bool,
    /// Whether a client was told that it is the server's trouble.
    is_trouble: bool,
    said: String,
}

impl Attempt {
    fn of(name: &str, answer: &Answer) -> Self {
        let is_trouble = answer.status == 500;
        Self { is_done: answer.status < 300, is_trouble, said: format!("{name}: {answer}") }
    }
}

/// Fails each call of one operation in turn; how many that were.
fn fail_each(
    stage: &Stage,
    wire: &Wire,
    operation: &Operation,
    of: &str,
    fault: impl Fn(u32) -> Option<Fault>,
) -> u32 {
    let name = format!("{}{of}", operation.name);
    let attempt = |before: &Before| Attempt::of(&name, &(operation.ask)(stage, before).send());
    each_call(stage, wire, operation.prepare, fault, attempt, |before, is_done, said| {
        if is_done {
            stage.has_led(operation, before, said);
        } else if operation.again {
            // What was refused has left nothing that is in its own way.
            let answer = (operation.ask)(stage, before).send();
            assert!(answer.status < 300, "again: {answer}\nafter {said}");
            stage.has_led(operation, before, said);
        }
    })
}

/// Fails each call of each operation in turn.
fn sweep(stage: &Stage, wire: &Wire, fault: impl Fn(u32) -> Option<Fault>) {
    let mut failed = 0;
    let operations = OPERATIONS.iter().filter(|operation| stage.boots() || operation.is_imitated);
    for (number, operation) in (0..).zip(operations) {
        let began = std::time::Instant::now();
        let calls = fail_each(stage, wire, operation, "", |call| fault(number + call));
        eprintln!("{}: {calls} calls failed, in {:.1?}", operation.name, began.elapsed());
        failed += calls;
    }
    eprintln!("{failed} calls of {} operations failed", OPERATIONS.len());
    assert!(failed as usize > 2 * OPERATIONS.len());
}

fn on_the_imitation(fault: Fault) {
    let Some(uri) = service("OCCI_TEST_LIBVIRT_TEST_URI") else { return };
    let wire = Wire::new(&uri);
    let stage = Stage::new(Some(wire.uri.clone()), &[], "", "", "disk = \"tiny.qcow2\"", |images| {
        std::fs::write(images.join("tiny.qcow2"), "").unwrap();
    });
    // Those take as long as they are late.
    let every = if fault == Fault::Late { sampled(3) } else { 1 };
    sweep(&stage, &wire, |call| call.is_multiple_of(every).then_some(fault));
}

#[test]
fn calls_that_are_refused() {
    on_the_imitation(Fault::Refused);
}

#[test]
fn calls_that_are_late() {
    on_the_imitation(Fault::Late);
}

#[test]
fn connections_that_break_before_a_call() {
    on_the_imitation(Fault::LostBefore);
}

#[test]
fn connections_that_break_after_a_call() {
    on_the_imitation(Fault::LostAfter);
}

/// How often each operation is swept, where that is said.
fn said() -> Option<u32> {
    std::env::var("OCCI_TEST_ROUNDS").ok().map(|rounds| rounds.parse().unwrap())
}

/// One of how many calls fails: of all where it is said how often.
fn sampled(every: u32) -> u32 {
    said().map_or(every, |_| 1)
}

/// One way after the other in which a call fails, another one for each in every round; one of so many calls where it is not said how
/// often.
fn rounds(every: u32) -> impl Iterator<Item = impl Fn(u32) -> Option<Fault>> {
    (0..said().unwrap_or(1)).map(move |round| {
        move |call: u32| {
            let fails = call.is_multiple_of(sampled(every));
            fails.then(|| FAULTS[(round + call) as usize % FAULTS.len()])
        }
    })
}

#[test]
fn calls_on_qemu() {
    let Some(system) = GuestSystem::find() else { return };
    let wire = Wire::new(&system.uri);
    let stage = Stage::on_qemu(&system, Some(wire.uri.clone()), &[&system.uri], "");
    rounds(5).for_each(|fault| sweep(&stage, &wire, fault));
}

/// Each node's calls, as far as it is asked anything.
#[test]
fn calls_of_what_moves() {
    let Some(system) = GuestSystem::find() else { return };
    let Some(other) = service("OCCI_TEST_OTHER_QEMU_URI") else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let sockets = tempfile::tempdir().unwrap();
    let (north, south) = (Wire::new(&system.uri), Wire::new(&other));
    let nodes = reached_nodes(&north.uri, &south.uri, &format!("unix://{}", sockets.path().display()));
    let more = format!("reconcile-seconds = 1\n{nodes}");
    let stage = Stage::on_qemu(&system, None, &[&system.uri, &other], &more);
    for fault in rounds(3) {
        for (which, wire) in [("north", &north), ("south", &south)] {
            for Move { name, prepare, what, .. } in MOVES {
                let attempt = |before: &Before| {
                    let (is_done, said) = stage.moves(what(before));
                    Attempt { is_done, is_trouble: false, said: format!("{name}, {which}: {said}") }
                };
                let failed = each_call(&stage, wire, *prepare, &fault, attempt, |_, _, _| {});
                eprintln!("{name}: {failed} calls of {which} failed");
            }
            let failed = fail_each(&stage, wire, &ACROSS, &format!(", {which}"), &fault);
            eprintln!("{}: {failed} calls of {which} failed", ACROSS.name);
        }
    }
}

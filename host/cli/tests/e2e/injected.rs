//! Every call of libvirt that fails, in every operation: whatever the client is answered, store and hypervisor agree afterwards,
//! and nothing is left that nobody knows of.
//!
//! On the imitation each call fails in each way. On QEMU, and where something moves between two, it is one of three calls in one way, for
//! the time that it takes; with `OCCI_TEST_ROUNDS` it is each call in each round, in four of them in each way.

use crate::agreement::{ACROSS, Before, MOVES, OPERATIONS, Stage};
use crate::http::Answer;
use crate::nodes::{OTHER, reached_nodes};
use crate::server::GuestSystem;
use crate::wire::{Fault, Wire};
use std::sync::PoisonError;

const FAULTS: [Fault; 4] = [Fault::Refused, Fault::Late, Fault::LostBefore, Fault::LostAfter];

/// Fails one call after the other, but for those that have no fault, until there is none left that could; how many that were.
fn each_call(
    stage: &Stage,
    wire: &Wire,
    prepare: fn(&Stage, &Before),
    fault: impl Fn(u32) -> Option<Fault>,
    attempt: impl Fn(&Before) -> Attempt,
) -> u32 {
    let mut failed = 0;
    for (number, fault) in (0..).filter_map(|number| Some((number, fault(number)?))) {
        let before = stage.prepare();
        prepare(stage, &before);
        let (Attempt { is_done, is_trouble, said }, was_due) = wire.fail(number, fault, || attempt(&before));
        let said = format!("call {number} {fault:?}: {said}");
        // What libvirt refuses by no reason that is known is the server's trouble, and not the client's.
        assert!(!is_trouble || fault == Fault::Refused, "{said}");
        if !was_due {
            assert!(is_done, "{said}");
        }
        stage.agrees(&said);
        stage.clear();
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

/// Fails each call of each operation in turn.
fn sweep(stage: &Stage, wire: &Wire, fault: impl Fn(u32) -> Option<Fault>) {
    let mut failed = 0;
    for (number, (name, prepare, operation)) in (0..).zip(OPERATIONS) {
        failed += each_call(
            stage,
            wire,
            *prepare,
            |call| fault(number + call),
            |before| Attempt::of(name, &operation(stage, before).send()),
        );
    }
    eprintln!("{failed} calls of {} operations failed", OPERATIONS.len());
    assert!(failed as usize > 3 * OPERATIONS.len());
}

fn on_the_imitation(fault: Fault) {
    let Ok(uri) = std::env::var("OCCI_TEST_LIBVIRT_TEST_URI") else {
        eprintln!("SKIPPED: no OCCI_TEST_LIBVIRT_TEST_URI; `cargo xtask test` sets it");
        return;
    };
    let wire = Wire::new(&uri);
    let stage = Stage::new(Some(wire.uri.clone()), "", "", "disk = \"tiny.qcow2\"", |images| {
        std::fs::write(images.join("tiny.qcow2"), "").unwrap();
    });
    sweep(&stage, &wire, |_| Some(fault));
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

/// One way after the other in which a call fails, another one for each in every round.
fn rounds() -> impl Iterator<Item = impl Fn(u32) -> Option<Fault>> {
    let rounds = std::env::var("OCCI_TEST_ROUNDS").ok().map(|rounds| rounds.parse().unwrap());
    (0..rounds.unwrap_or(1)).map(move |round| {
        move |call: u32| {
            let fails = rounds.is_some() || call.is_multiple_of(3);
            fails.then(|| FAULTS[(round + call) as usize % FAULTS.len()])
        }
    })
}

#[test]
fn calls_on_qemu() {
    let Some(system) = GuestSystem::find() else { return };
    let wire = Wire::new(&system.uri);
    let stage = Stage::on_qemu(&system, Some(wire.uri.clone()), "");
    rounds().for_each(|fault| sweep(&stage, &wire, fault));
}

/// Each node's calls, as far as it is asked anything.
#[test]
fn calls_of_what_moves() {
    let Some(system) = GuestSystem::find() else { return };
    let Ok(other) = std::env::var("OCCI_TEST_OTHER_QEMU_URI") else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let sockets = tempfile::tempdir().unwrap();
    let (north, south) = (Wire::new(&system.uri), Wire::new(&other));
    let nodes = reached_nodes(&north.uri, &south.uri, &format!("unix://{}", sockets.path().display()));
    let stage = Stage::on_qemu(&system, None, &format!("reconcile-seconds = 1\n{nodes}"));
    for fault in rounds() {
        for (which, wire) in [("north", &north), ("south", &south)] {
            for (name, prepare, what) in MOVES {
                let failed = each_call(&stage, wire, *prepare, &fault, |before| {
                    let (is_done, said) = stage.moves(what(before));
                    Attempt { is_done, is_trouble: false, said: format!("{name}, {which}: {said}") }
                });
                eprintln!("{name}: {failed} calls of {which} failed");
            }
            let (name, prepare, operation) = ACROSS;
            let failed = each_call(&stage, wire, prepare, &fault, |before| {
                Attempt::of(&format!("{name}, {which}"), &operation(&stage, before).send())
            });
            eprintln!("{name}: {failed} calls of {which} failed");
        }
    }
}

//! Every call of libvirt that fails, in every operation: whatever the client is answered, store and hypervisor agree afterwards,
//! and nothing is left that nobody knows of.

use crate::agreement::{OPERATIONS, Stage};
use crate::wire::{Fault, Wire};

/// Fails each call of each operation in turn.
fn sweep(fault: Fault) {
    let Ok(uri) = std::env::var("OCCI_TEST_LIBVIRT_TEST_URI") else {
        eprintln!("SKIPPED: no OCCI_TEST_LIBVIRT_TEST_URI; `cargo xtask test` sets it");
        return;
    };
    let (before, daemon) = uri.split_once("socket=").unwrap();
    let wire = Wire::new(daemon.to_owned());
    let uri = format!("{before}socket={}", wire.socket());
    let stage = Stage::new(uri, "", "", "disk = \"tiny.qcow2\"", |images| {
        std::fs::write(images.join("tiny.qcow2"), "").unwrap();
    });
    let mut failed = 0;
    for (name, prepare, operation) in OPERATIONS {
        for number in 0.. {
            let before = stage.prepare();
            prepare(&stage, &before);
            let (answer, was_due) = wire.fail(number, fault, || operation(&stage, &before).send());
            let said = format!("{name}, call {number}: {answer}");
            // What libvirt refuses by no reason that is known is the server's trouble, and not the client's.
            assert!(answer.status != 500 || fault == Fault::Refused, "{said}");
            if !was_due {
                assert!(answer.status < 300, "{said}");
            }
            stage.agrees(&said);
            stage.clear();
            if !was_due {
                break;
            }
            failed += 1;
        }
    }
    eprintln!("{failed} calls of {} operations failed by {fault:?}", OPERATIONS.len());
    assert!(failed > 3 * OPERATIONS.len());
}

#[test]
fn calls_that_are_refused() {
    sweep(Fault::Refused);
}

#[test]
fn calls_that_are_late() {
    sweep(Fault::Late);
}

#[test]
fn connections_that_break_before_a_call() {
    sweep(Fault::LostBefore);
}

#[test]
fn connections_that_break_after_a_call() {
    sweep(Fault::LostAfter);
}

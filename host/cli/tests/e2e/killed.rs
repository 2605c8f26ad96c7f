//! Somebody is killed in the middle of every operation on QEMU: the server, libvirtd, or the machine's QEMU. Afterwards store and
//! hypervisor agree, and nothing is left that nobody knows of.
//!
//! `OCCI_TEST_ROUNDS` says how often each of them is killed in each operation, once by default, each time at another moment.

use crate::agreement::{Before, OPERATIONS, Stage};
use crate::qemu::{domain, processes};
use crate::server::GuestSystem;
use occi_services::service;
use rustix::process::{Signal, kill_process};
use std::path::Path;
use std::time::Duration;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Server,
    Libvirtd,
    Machine,
}

impl Victim {
    /// Whether there was anybody to kill.
    fn kill(self, stage: &Stage, daemon: &str, before: &Before) -> bool {
        let kill = |words: &str| {
            let killed = processes(words).into_iter().map(|process| kill_process(process, Signal::KILL));
            // One may have ended just now.
            killed.flatten().count() > 0
        };
        match self {
            Self::Server => {
                stage.server.send_kill();
                true
            }
            Self::Libvirtd => kill(&format!("--pid-file {daemon}")),
            Self::Machine => kill(&format!("guest={}", domain(&before.compute))),
        }
    }
}

#[test]
fn in_the_middle_of_every_operation() {
    let Some(system) = GuestSystem::find() else { return };
    let Some(uri) = service("OCCI_TEST_FRAGILE_QEMU_URI") else { return };
    let rounds = std::env::var("OCCI_TEST_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    let socket = uri.split_once("socket=").unwrap().1;
    // As libvirtd.sh names it.
    let daemon = format!("{}/libvirtd.pid", Path::new(socket).parent().unwrap().display());
    let mut stage = Stage::on_qemu(&system, Some(uri.clone()), &[&uri], "");
    // Each time at another moment of what takes some hundred milliseconds.
    let mut moments = (0_u64..).map(|number| Duration::from_millis(number * 89 % 350));
    // One after the other, as they share the daemon.
    for victim in [Victim::Server, Victim::Libvirtd, Victim::Machine] {
        let (mut times, mut interrupted, mut failed) = (0, 0, 0);
        let operations = std::iter::repeat_n(OPERATIONS, rounds).flatten();
        for operation in operations.filter(|operation| victim != Victim::Machine || operation.has_power) {
            let name = operation.name;
            let mut before = stage.prepare();
            (operation.prepare)(&stage, &mut before);
            let moment = moments.next().unwrap();
            let (answer, is_interrupted) = std::thread::scope(|scope| {
                let request = (operation.ask)(&stage, &before);
                let answer = scope.spawn(move || request.try_send());
                std::thread::sleep(moment);
                let is_under_way = !answer.is_finished();
                let is_killed = victim.kill(&stage, &daemon, &before);
                (answer.join().unwrap(), is_under_way && is_killed)
            });
            times += 1;
            interrupted += usize::from(is_interrupted);
            let is_done = answer.as_ref().is_ok_and(|answer| answer.status < 300);
            let said = answer.map_or_else(|error| error.to_string(), |answer| answer.to_string());
            failed += usize::from(!is_done);
            let said = format!("{name}, killed {victim:?} after {moment:?}: {said}");
            if victim == Victim::Server {
                stage.server.kill_and_restart();
            }
            stage.agrees(&said);
            // A machine may have been killed after it was what it should be.
            if is_done && victim != Victim::Machine {
                stage.has_led(operation, &before, &said);
            }
            stage.holds(&before, &said);
            stage.clear(&said);
        }
        eprintln!(
            "{victim:?}: of {times} operations {interrupted} were under way when it was killed, and {failed} not done"
        );
        assert!(interrupted > 0, "each kill of the {victim:?} came when all was over");
    }
}

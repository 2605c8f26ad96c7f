//! Somebody is killed in the middle of every operation on QEMU: the server, libvirtd, or the machine's QEMU. Afterwards store and
//! hypervisor agree, and nothing is left that nobody knows of.
//!
//! `OCCI_TEST_ROUNDS` says how often each of them is killed in each operation, once by default, each time at another moment.

use crate::agreement::{Before, OPERATIONS, Stage};
use crate::qemu::processes;
use crate::server::GuestSystem;
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
    fn kill(self, stage: &Stage, daemon: &str, before: &Before) {
        let kill = |words: &str| {
            for process in processes(words) {
                // It may have ended just now.
                _ = kill_process(process, Signal::KILL);
            }
        };
        match self {
            Self::Server => stage.server.send_kill(),
            Self::Libvirtd => kill(&format!("--pid-file {daemon}")),
            Self::Machine => kill(&format!("guest=occi-{}", before.compute.rsplit('/').next().unwrap())),
        }
    }
}

#[test]
fn in_the_middle_of_every_operation() {
    let Some(system) = GuestSystem::find() else { return };
    let Ok(uri) = std::env::var("OCCI_TEST_FRAGILE_QEMU_URI") else {
        eprintln!("SKIPPED: no OCCI_TEST_FRAGILE_QEMU_URI; `cargo xtask test` sets it");
        return;
    };
    let rounds = std::env::var("OCCI_TEST_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    let socket = uri.split_once("socket=").unwrap().1;
    // As libvirtd.sh names it.
    let daemon = format!("{}/libvirtd.pid", Path::new(socket).parent().unwrap().display());
    let mut stage = Stage::on_qemu(&system, Some(uri), "");
    // Each time at another moment of what takes some hundred milliseconds.
    let mut moments = (0_u64..).map(|number| Duration::from_millis(number * 89 % 700));
    // One after the other, as they share the daemon.
    for victim in [Victim::Server, Victim::Libvirtd, Victim::Machine] {
        let mut failed = 0;
        for (name, prepare, operation) in std::iter::repeat_n(OPERATIONS, rounds).flatten() {
            let before = stage.prepare();
            prepare(&stage, &before);
            let moment = moments.next().unwrap();
            let answer = std::thread::scope(|scope| {
                let request = operation(&stage, &before);
                let answer = scope.spawn(move || request.try_send());
                std::thread::sleep(moment);
                victim.kill(&stage, &daemon, &before);
                answer.join().unwrap()
            });
            let is_done = answer.as_ref().is_ok_and(|answer| answer.status < 300);
            let said = answer.map_or_else(|error| error.to_string(), |answer| answer.to_string());
            failed += usize::from(!is_done);
            let said = format!("{name}, killed {victim:?} after {moment:?}: {said}");
            if victim == Victim::Server {
                stage.server.kill_and_restart();
            }
            stage.agrees(&said);
            stage.clear();
        }
        let times = rounds * OPERATIONS.len();
        eprintln!("{victim:?} was killed in {times} operations, of which {failed} were not done");
    }
}

//! Somebody is killed in the middle of every operation on QEMU: the server, libvirtd, or the machine's QEMU; and in the middle of what
//! moves between two. Afterwards store and hypervisor agree, and nothing is left that nobody knows of.
//!
//! `OCCI_TEST_ROUNDS` says how often each of them is killed in each operation, once by default, each time at another moment.

use crate::agreement::{Before, MOVES, Move, OPERATIONS, Stage};
use crate::nodes::{OTHER, reached_nodes};
use crate::qemu::{domain, processes};
use crate::server::GuestSystem;
use occi_services::service;
use rustix::process::{Signal, kill_process};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// For those on the daemon that is killed.
static FRAGILE: Mutex<()> = Mutex::new(());

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Server,
    Libvirtd,
    Machine,
}

impl Victim {
    /// Whether there was anybody to kill. `daemon` is where libvirtd is reached.
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
            Self::Libvirtd => {
                let socket = daemon.split_once("socket=").unwrap().1;
                // As libvirtd.sh names it.
                let file = Path::new(socket).with_file_name("libvirtd.pid");
                kill(&format!("--pid-file {}", file.display()))
            }
            Self::Machine => kill(&format!("guest={}", domain(&before.compute))),
        }
    }
}

fn rounds() -> usize {
    std::env::var("OCCI_TEST_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

/// Each time another one of what takes so many milliseconds.
fn moments(of: u64) -> impl Iterator<Item = Duration> {
    (0_u64..).map(move |number| Duration::from_millis(number * 89 % of))
}

#[test]
fn in_the_middle_of_every_operation() {
    let Some(system) = GuestSystem::find() else { return };
    let Some(uri) = service("OCCI_TEST_FRAGILE_QEMU_URI") else { return };
    let _alone = FRAGILE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stage = Stage::on_qemu(&system, Some(uri.clone()), &[&uri], "");
    let mut moments = moments(350);
    // One after the other, as they share the daemon.
    for victim in [Victim::Server, Victim::Libvirtd, Victim::Machine] {
        let (mut times, mut interrupted, mut failed) = (0, 0, 0);
        let operations = std::iter::repeat_n(OPERATIONS, rounds()).flatten();
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
                let is_killed = victim.kill(&stage, &uri, &before);
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

/// In either direction: the daemon is where something comes from, and where it goes to.
#[test]
fn in_the_middle_of_every_move() {
    let Some(system) = GuestSystem::find() else { return };
    let Some(fragile) = service("OCCI_TEST_FRAGILE_QEMU_URI") else { return };
    let Some(other) = service("OCCI_TEST_OTHER_QEMU_URI") else { return };
    let _alone = [&FRAGILE, &OTHER].map(|daemon| daemon.lock().unwrap_or_else(PoisonError::into_inner));
    let sockets = tempfile::tempdir().unwrap();
    let nodes = reached_nodes(&fragile, &other, &format!("unix://{}", sockets.path().display()));
    let stage =
        Stage::on_qemu(&system, None, &[&fragile, &other], &format!("reconcile-seconds = 1\n{nodes}"));
    // Which node is asked first takes some of that.
    let mut moments = moments(500).skip(1);
    for victim in [Victim::Libvirtd, Victim::Machine] {
        let (mut times, mut interrupted, mut failed) = (0, 0, 0);
        let moves = MOVES.iter().filter(|moves| victim != Victim::Machine || moves.has_power);
        let moves = moves.flat_map(|moves| [(moves, false), (moves, true)]).cycle();
        for (Move { name, prepare, what, .. }, goes_back) in moves.take(rounds() * 2 * MOVES.len()) {
            let mut before = stage.prepare();
            prepare(&stage, &mut before);
            if goes_back {
                let (is_done, said) = stage.moves(what(&before));
                assert!(is_done, "{said}");
            }
            let moment = moments.next().unwrap();
            let ((is_done, said), is_interrupted) = std::thread::scope(|scope| {
                let moved = scope.spawn(|| stage.moves(what(&before)));
                std::thread::sleep(moment);
                let is_under_way = !moved.is_finished();
                let is_killed = victim.kill(&stage, &fragile, &before);
                (moved.join().unwrap(), is_under_way && is_killed)
            });
            times += 1;
            interrupted += usize::from(is_interrupted);
            failed += usize::from(!is_done);
            let said = format!("{name}, killed {victim:?} after {moment:?}: {said}");
            stage.agrees(&said);
            stage.holds(&before, &said);
            stage.clear(&said);
        }
        eprintln!(
            "{victim:?}: of {times} moves {interrupted} were under way when it was killed, and {failed} not done"
        );
        assert!(interrupted > 0, "each kill of the {victim:?} came when all was over");
    }
}

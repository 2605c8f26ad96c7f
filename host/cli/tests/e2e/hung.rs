//! Machines whose QEMU hangs.

use crate::occi::body;
use crate::server::{Options, Server};
use occi_services::service;
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::time::Duration;

/// What runs a machine, held still until this is dropped.
struct Still(Pid);

impl Still {
    fn of(compute: &str) -> Self {
        let name = format!("occi-{}", compute.rsplit('/').next().unwrap());
        let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        let runs = |process: &PathBuf| {
            let command = std::fs::read_to_string(process.join("cmdline")).unwrap_or_default();
            command.contains("qemu") && command.contains(&name)
        };
        let process = processes.into_iter().find(runs).expect("a process that runs the machine");
        let process = process.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let still = Self(Pid::from_raw(process).unwrap());
        kill_process(still.0, Signal::STOP).unwrap();
        still
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        // It may have ended.
        let _gone = kill_process(self.0, Signal::CONT);
    }
}

/// A machine that hangs costs its own calls alone. In libvirt before 10.0 calls that share a connection with one that waits
/// are forgotten for five seconds each, now and then.
#[test]
fn a_machine_that_hangs() {
    let Some(uri) = service("OCCI_TEST_QEMU_URI") else { return };
    let config = "[sandbox]\ntimeout-ms = 100000\n[hypervisor]\nlong-seconds = 90\n".to_owned();
    let server = Server::with(Options { hypervisor: Some(uri), config, ..Options::default() });
    let [hung, other] = [(), ()].map(|()| server.create("compute", &[]));
    let storages = [(), ()].map(|()| server.create("storage", &["occi.storage.size=0.1"]));
    let link = server.link("storagelink", &hung, &storages[0]);
    server.act(&hung, "start", &[]).is(200);
    std::thread::scope(|scope| {
        let still = Still::of(&hung);
        let waiting = scope.spawn(|| server.delete(&link).try_send());
        for _ in 0..100 {
            let link = server.link("storagelink", &other, &storages[1]);
            server.delete(&link).answers(200);
        }
        assert!(!waiting.is_finished(), "the others took as long as the one that hangs");
        drop(still);
    });
    server.delete("/").answers(200);
}

/// It can be switched off, whatever hangs on it; and until then it costs nobody else a start, a network or a volume.
#[test]
fn one_that_hangs_can_be_switched_off() {
    let Some(uri) = service("OCCI_TEST_QEMU_URI") else { return };
    let config = "[hypervisor]\nlong-seconds = 16\n".to_owned();
    let server = Server::with(Options { hypervisor: Some(uri), config, ..Options::default() });
    let [hung, paused, other] = [(); 3].map(|()| server.create("compute", &[]));
    let network = server.create("network", &[]);
    let storage = server.create("storage", &["occi.storage.size=0.1"]);
    let link = server.link("storagelink", &hung, &storage);
    server.act(&network, "up", &[]).is(200);
    for compute in [&hung, &paused] {
        server.act(compute, "start", &[]).is(200);
    }
    server.act(&paused, "suspend", &[]).is(200);
    std::thread::scope(|scope| {
        let _still = [&hung, &paused].map(|compute| Still::of(compute));
        let larger = body(&[], &["occi.storage.size=0.2"]);
        let resize = scope.spawn(|| server.post(&storage).text(larger).answers(504));
        std::thread::sleep(Duration::from_secs(1));
        let resume = scope.spawn(|| _ = server.act(&paused, "start", &[]).is(504));
        std::thread::sleep(Duration::from_secs(1));
        server.act(&other, "start", &[]).is(200);
        server.act(&network, "down", &[]).is(200);
        server.act(&other, "stop", &["method=poweroff"]).is(200);
        server.act(&other, "start", &[]).is(200);
        // Both calls are given up, and hang still.
        resize.join().unwrap();
        resume.join().unwrap();
        server.act(&hung, "stop", &["method=poweroff"]).is(200);
        server.delete(&paused).answers(200);
        // With what is attached to it, whose own deletion hangs.
        server.act(&hung, "start", &[]).is(200);
        let _still = Still::of(&hung);
        let deletion = scope.spawn(|| server.delete(&link).try_send());
        std::thread::sleep(Duration::from_secs(1));
        assert!(!deletion.is_finished());
        deletion.join().unwrap().unwrap().is(504);
        server.delete(&hung).answers(200);
    });
    server.delete("/").answers(200);
}

/// What clients have asked of it who have long left does not keep it from being switched off; nor does what the last run
/// has left undone.
#[test]
fn one_that_hangs_waits_for_nobody_who_has_left() {
    let Some(uri) = service("OCCI_TEST_QEMU_URI") else { return };
    let config = "[hypervisor]\nlong-seconds = 16\n".to_owned();
    let mut server = Server::with(Options { hypervisor: Some(uri), config, ..Options::default() });
    let [hung, other] = [(); 2].map(|()| server.create("compute", &[]));
    let suspend = |server: &Server, compute: &str| {
        let action = crate::occi::action("compute", "suspend");
        server.post(&format!("{compute}?action=suspend")).text(body(&[&action], &[]))
    };
    for compute in [&hung, &other] {
        server.act(compute, "start", &[]).is(200);
    }
    let _still = [&hung, &other].map(|compute| Still::of(compute));
    for _ in 0..6 {
        suspend(&server, &hung).leave_after(Duration::from_millis(500));
    }
    // Behind all six the client would not wait so long.
    server.act(&hung, "stop", &["method=poweroff"]).is(200);
    suspend(&server, &other).leave_after(Duration::from_millis(500));
    server.kill();
    server.begin();
    server.delete(&other).answers(200);
    server.delete("/").answers(200);
}

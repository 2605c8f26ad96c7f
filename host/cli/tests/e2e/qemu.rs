//! A server on QEMU whose machines boot a system that does what a script says; and the operator of that hypervisor.

use crate::occi::{body, kind};
use crate::server::{GuestSystem, Options, Server};
use rustix::process::Pid;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The Mixin by which a system is given a script.
pub(crate) const USER_DATA: &str =
    "Category: user_data; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute#\"; class=\"mixin\"";

/// How long it may take until clients see what has happened at the hypervisor, on a busy machine.
const SOON: Duration = Duration::from_secs(10);

pub(crate) struct Qemu {
    pub(crate) server: Server,
    uri: String,
}

impl Qemu {
    /// None where there is no QEMU to test with.
    pub(crate) fn start() -> Option<Self> {
        let system = GuestSystem::find()?;
        let (config, uri) = (system.boot(), system.uri);
        let server = Server::with(Options { config, hypervisor: Some(uri.clone()), ..Options::default() });
        Some(Self { server, uri })
    }

    /// A compute whose system does what a script says, once it is up; it has not been started.
    pub(crate) fn compute(&self, script: &str) -> String {
        let script = format!("occi.compute.userdata={:?}", format!("#!/bin/sh\n{script}\n"));
        let asked = body(&[&kind("compute"), USER_DATA], &["occi.compute.memory=0.125", &script]);
        self.server.post("/compute/").text(asked).answers(201).location()
    }

    /// The same, and it is up.
    pub(crate) fn running(&self, script: &str) -> String {
        let compute = self.compute(script);
        self.server.act(&compute, "start", &[]).is(200);
        self.boots(&compute, 1);
        compute
    }

    /// The same, and its system hears nothing of its power button.
    pub(crate) fn deaf(&self) -> String {
        let compute = self.running("echo deaf; echo; sleep 100000");
        self.server.prints(&compute, "OCCI guest runs: deaf");
        compute
    }

    /// Waits until a system is up for the time of that number.
    #[track_caller]
    pub(crate) fn boots(&self, compute: &str, times: usize) {
        let times_up = self.says(compute, "OCCI guest up", times);
        assert_eq!(times_up, times);
    }

    /// Waits until a system has said something so often, or oftener; how often it has.
    #[track_caller]
    pub(crate) fn says(&self, compute: &str, words: &str, times: usize) -> usize {
        let began = Instant::now();
        loop {
            let printed = self.server.get(&format!("{compute}/console?lines=10000")).answers(200).body;
            let said = printed.matches(words).count();
            if said >= times {
                return said;
            }
            assert!(began.elapsed() < GuestSystem::PATIENCE, "{words:?} {said} times:\n{printed}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// State and message of a compute.
    pub(crate) fn state(&self, compute: &str) -> (String, String) {
        let shown = self.server.get(compute).answers(200);
        let value = |name: &str| shown.attribute(name).unwrap_or_default().trim_matches('"').to_owned();
        (value("occi.compute.state"), value("occi.compute.state.message"))
    }

    /// Waits until a compute is seen in a state with a message, and says how long that took.
    #[track_caller]
    pub(crate) fn is_soon(&self, compute: &str, since: &str, (state, message): (&str, &str)) {
        let began = Instant::now();
        loop {
            let seen = self.state(compute);
            if seen.0 == state && seen.1 == message {
                eprintln!("{} ms from {since} until the compute is {state}", began.elapsed().as_millis());
                return;
            }
            assert!(began.elapsed() < SOON, "{} s after {since}: {seen:?}", SOON.as_secs());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What virsh prints.
    #[track_caller]
    pub(crate) fn virsh(&self, arguments: &[&str]) -> String {
        virsh(&self.uri, arguments)
    }
}

/// What virsh prints at a hypervisor.
#[track_caller]
pub(crate) fn virsh(uri: &str, arguments: &[&str]) -> String {
    let output = Command::new("virsh").args(["-q", "--connect", uri]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The name of what an entity has at the hypervisor.
pub(crate) fn domain(path: &str) -> String {
    format!("occi-{}", path.rsplit('/').next().unwrap())
}

/// The process that runs the machine of a compute; none where it has no power.
pub(crate) fn process(compute: &str) -> Option<Pid> {
    match *processes(&format!("guest={},", domain(compute))) {
        [] => None,
        [process] => Some(process),
        ref several => panic!("{compute} runs in {several:?}"),
    }
}

/// The processes of this machine that were begun with words like these.
pub(crate) fn processes(words: &str) -> Vec<Pid> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let is_meant = |folder: &Path| {
        let line = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains(words)
    };
    let found = all.map(|entry| entry.path()).filter(|folder| is_meant(folder));
    found.filter_map(|folder| Pid::from_raw(folder.file_name()?.to_str()?.parse().ok()?)).collect()
}

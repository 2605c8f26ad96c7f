//! Every test, with the services that some need: a libvirt daemon of our own and a system for its machines to boot.
//! Tests find them by the environment variables below. Those that lack one are skipped, and counted at the end.

use std::env;
use std::num::NonZero;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::Result;
use occi_builder::Code;

use crate::guest_system::GuestSystem;
use crate::libvirtd::Libvirtd;
use crate::skipped::{self, Skipped};
use crate::workspace::Workspace;
use crate::{Consent, c, conformance, guests, javascript, openvswitch, prerequisites, python, running};

/// What has nothing of the host in it.
const APART: [&str; 9] = [
    "occi-conformance",
    "occi-sdk",
    "occi-sdk-derive",
    "extensions",
    "infrastructure",
    "note",
    "quota-tag",
    "attacker",
    "exhibit-0-1-0",
];

/// How many tests of one program run at once.
const THREADS: &str = "RUST_TEST_THREADS";

/// All tests; a failed one is the exit code, and on demand a skipped one.
pub(crate) fn run(
    workspace: &Workspace,
    consent: Consent,
    no_skips: bool,
    arguments: &[String],
) -> Result<ExitCode> {
    let skipped = Skipped::new(workspace)?;
    // This program's own tests are built as it is itself, without optimisation.
    let mut own = workspace.cargo();
    own.args(["test", "--package", "xtask"]).args(arguments);
    let own = running::to_the_end(&mut own)?;

    // Two selections: what one asks of a dependency is not asked for the other's too, so Wasmtime is built once for
    // the server and for its tests.
    let mut tests = workspace.cargo();
    tests.args(["test", "--release", "--no-fail-fast", "--workspace", "--exclude=xtask"]);
    tests.args(APART.map(|package| format!("--exclude={package}")));
    tests.args(arguments).env("OCCI_TEST_EXTENSIONS", workspace.extensions());
    tests.env(skipped::VARIABLE, skipped.file());
    if env::var_os(THREADS).is_none() {
        // They wait for machines and daemons for a third of the time.
        let processors = thread::available_parallelism().map_or(2, NonZero::get);
        tests.env(THREADS, (processors + processors / 2).to_string());
    }
    let all = match Services::start(workspace, consent) {
        Ok(services) => services.run(&mut tests)?,
        Err(reason) => {
            eprintln!(
                "******** SKIPPED: the tests on QEMU and on a libvirt daemon. Reason: {reason:#} ********"
            );
            running::to_the_end(&mut tests)?
        }
    };
    // After the server, which the suite's own tests ask. Extensions, built for this machine, run against the SDK's
    // stand-in for the host.
    let mut apart = workspace.cargo();
    apart
        .args(["test", "--release", "--no-fail-fast"])
        .args(APART.map(|package| format!("--package={package}")))
        .args(arguments)
        // The suite's own tests wait for servers more than they compute.
        .env(THREADS, "4");
    let apart = running::to_the_end(&mut apart)?;
    let mut codes = vec![all, apart, own];
    // A test's name says that not everything is wanted.
    if arguments.is_empty() {
        codes.push(conformance::test_ours(workspace)?);
        codes.push(c::test(workspace, &guests::folders(workspace, Code::C)?)?);
        codes.push(javascript::test(workspace, &guests::folders(workspace, Code::JavaScript)?)?);
        codes.push(python::test(workspace, &guests::folders(workspace, Code::Python)?)?);
    }
    let is_skipped = skipped.tell()?;
    let last = if no_skips && is_skipped { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    codes.push(last);
    Ok(codes.into_iter().find(|code| *code != ExitCode::SUCCESS).unwrap_or(ExitCode::SUCCESS))
}

/// One command with the services that tests get.
pub(crate) fn with(workspace: &Workspace, consent: Consent, command: &[String]) -> Result<ExitCode> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut command = Command::new(program);
    command.args(arguments).env("OCCI_TEST_EXTENSIONS", workspace.extensions());
    Services::start(workspace, consent)?.run(&mut command)
}

/// What tests on real machines need, as long as this value lives.
struct Services {
    libvirtd: Libvirtd,
    /// For tests with several hypervisors.
    other: Libvirtd,
    /// For tests that kill it.
    fragile: Libvirtd,
    system: GuestSystem,
}

impl Services {
    fn start(workspace: &Workspace, consent: Consent) -> Result<Self> {
        let system = prerequisites::machines(workspace, consent)?;
        let start = |name, switch| Libvirtd::start(workspace, name, switch);
        Ok(Self {
            libvirtd: start("libvirtd", openvswitch::unpacked(workspace))?,
            other: start("other-libvirtd", None)?,
            fragile: start("fragile-libvirtd", None)?,
            system,
        })
    }

    fn run(&self, command: &mut Command) -> Result<ExitCode> {
        command
            .env("OCCI_TEST_QEMU_URI", self.libvirtd.qemu_uri())
            .env("OCCI_TEST_LIBVIRT_TEST_URI", self.libvirtd.test_uri())
            .env("OCCI_TEST_OTHER_QEMU_URI", self.other.qemu_uri())
            .env("OCCI_TEST_OTHER_LIBVIRT_TEST_URI", self.other.test_uri())
            .env("OCCI_TEST_FRAGILE_QEMU_URI", self.fragile.qemu_uri())
            .env("OCCI_TEST_KERNEL", &self.system.kernel)
            .env("OCCI_TEST_INITRD", &self.system.initrd);
        let [bridge, switch] = self.libvirtd.bridges();
        command.envs(bridge.map(|bridge| ("OCCI_TEST_BRIDGE", bridge)));
        command.envs(switch.map(|switch| ("OCCI_TEST_OPENVSWITCH", switch)));
        running::to_the_end(command)
    }
}

//! Every test, with the services that some need: a libvirt daemon of our own and a system for its machines to boot.
//! Tests find them by the environment variables below, and do without where these are not set.

use std::process::ExitCode;

use anyhow::Result;

use crate::guest_system::GuestSystem;
use crate::libvirtd::Libvirtd;
use crate::workspace::Workspace;
use crate::{Consent, guests, prerequisites, running};

pub(crate) fn run(workspace: &Workspace, consent: Consent, arguments: &[String]) -> Result<ExitCode> {
    let mut tests = workspace.cargo();
    tests.args(["test", "--release", "--workspace", "--exclude", "xtask"]);
    for package in guests::packages(workspace)? {
        tests.args(["--exclude", &package]);
    }
    tests.args(arguments);

    // Alive until the tests have ended.
    let _libvirtd = match services(workspace, consent) {
        Ok((libvirtd, system)) => {
            tests
                .env("OCCI_TEST_QEMU_URI", libvirtd.qemu_uri())
                .env("OCCI_TEST_LIBVIRT_TEST_URI", libvirtd.test_uri())
                .env("OCCI_TEST_KERNEL", &system.kernel)
                .env("OCCI_TEST_INITRD", &system.initrd);
            Some(libvirtd)
        }
        Err(reason) => {
            eprintln!("******** SKIPPED: the tests on QEMU and on a libvirt daemon. Reason: {reason:#} ********");
            None
        }
    };

    // This program's own tests are built as it is itself, without optimisation.
    let mut own = workspace.cargo();
    own.args(["test", "--package", "xtask"]).args(arguments);
    let own = running::to_the_end(&mut own)?;
    let all = running::to_the_end(&mut tests)?;
    Ok(if all == ExitCode::SUCCESS { own } else { all })
}

fn services(workspace: &Workspace, consent: Consent) -> Result<(Libvirtd, GuestSystem)> {
    let system = prerequisites::machines(workspace, consent)?;
    Ok((Libvirtd::start(workspace)?, system))
}

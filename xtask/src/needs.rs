//! What each part of the project needs from the machine: a table. Each row tells how one sees that it is there, what
//! it is for, and which Debian packages bring it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use occi_builder::{Code, c, javascript, python};

use crate::packages::on_path;

/// A part of the project that needs something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// The server and its tests.
    Host,
    /// Extensions in Rust, which are WebAssembly.
    Guests,
    /// Extensions in C.
    GuestsInC,
    /// Extensions in JavaScript.
    GuestsInJavaScript,
    /// Extensions in Python.
    GuestsInPython,
    /// Machines that really boot: tests and the demonstration on QEMU.
    Machines,
    /// Load for the benchmark.
    Load,
    /// The fuzz targets.
    Fuzzing,
}

/// What the extensions need that servers load by default.
pub(crate) const EXTENSIONS: &[Need] = &[Need::Guests, Need::GuestsInC];

/// What those and the server need.
pub(crate) const BUILD: &[Need] = &[Need::Host, Need::Guests, Need::GuestsInC];

/// What those and all other extensions need.
pub(crate) const TEST: &[Need] =
    &[Need::Host, Need::Guests, Need::GuestsInC, Need::GuestsInJavaScript, Need::GuestsInPython];

/// What extensions in a language need.
pub(crate) fn of(code: Code) -> &'static [Need] {
    match code {
        Code::Rust => &[Need::Guests],
        Code::C => &[Need::GuestsInC],
        Code::JavaScript => &[Need::GuestsInJavaScript],
        Code::Python => &[Need::GuestsInPython],
        Code::None => &[],
    }
}

/// Something that a machine has or lacks.
pub(crate) struct Thing {
    pub(crate) for_: Need,
    pub(crate) why: &'static str,
    pub(crate) packages: &'static [&'static str],
    pub(crate) there: fn() -> bool,
}

/// All of it. Rust's toolchain for extensions is not here but in the builder, since there is more than one way to it.
pub(crate) const THINGS: &[Thing] = &[
    Thing {
        for_: Need::Host,
        why: "Rust links with a C compiler",
        packages: &["gcc", "libc6-dev"],
        there: || on_path("cc"),
    },
    Thing {
        for_: Need::Host,
        why: "the build finds libvirt with it",
        packages: &["pkg-config"],
        there: || on_path("pkg-config"),
    },
    Thing {
        for_: Need::Host,
        why: "the server speaks to hypervisors through libvirt",
        packages: &["libvirt-dev"],
        there: || succeeds("pkg-config", &["--exists", "libvirt"]),
    },
    Thing {
        for_: Need::Host,
        why: "the examples of docs/http.md are run with it",
        packages: &["curl"],
        there: || on_path("curl"),
    },
    Thing {
        for_: Need::GuestsInC,
        why: "extensions in C are built with it: compiler, linker, C library and what the compiler calls",
        packages: c::DEBIAN,
        there: || c::Toolchain::find().is_some(),
    },
    Thing {
        for_: Need::GuestsInJavaScript,
        why: "extensions in JavaScript are built by tools that run in Node, which npm fetches",
        packages: javascript::DEBIAN,
        there: || javascript::Toolchain::find().is_some(),
    },
    Thing {
        for_: Need::GuestsInPython,
        why: "extensions in Python are built by tools that run in it, installed in an environment of their own",
        packages: python::DEBIAN,
        there: || python::Toolchain::find().is_some(),
    },
    Thing {
        for_: Need::Machines,
        why: "a libvirt daemon of our own, started and stopped by each run",
        packages: &["libvirt-daemon"],
        there: || on_path("libvirtd"),
    },
    Thing {
        for_: Need::Machines,
        why: "libvirt's driver for QEMU",
        packages: &["libvirt-daemon-driver-qemu"],
        there: qemu_driver,
    },
    Thing {
        for_: Need::Machines,
        why: "virsh, the proof from libvirt itself",
        packages: &["libvirt-clients"],
        there: || on_path("virsh"),
    },
    Thing {
        for_: Need::Machines,
        why: "the machines that boot",
        packages: &["qemu-system-x86"],
        there: || on_path("qemu-system-x86_64"),
    },
    Thing {
        for_: Need::Machines,
        why: "libvirt makes disk images with it",
        packages: &["qemu-utils"],
        there: || on_path("qemu-img"),
    },
    Thing {
        for_: Need::Machines,
        why: "addresses on libvirt's networks",
        packages: &["dnsmasq-base"],
        there: || on_path("dnsmasq"),
    },
    Thing {
        for_: Need::Machines,
        why: "libvirt's networks keep apart with it",
        packages: &["iptables"],
        there: || on_path("iptables"),
    },
    Thing {
        for_: Need::Machines,
        why: "libvirt reads what the machine is with it",
        packages: &["dmidecode"],
        there: || on_path("dmidecode"),
    },
    Thing {
        for_: Need::Fuzzing,
        why: "libFuzzer, which comes with its crate as C++, is built with it",
        packages: &["g++"],
        there: || on_path("c++"),
    },
    Thing { for_: Need::Load, why: "the benchmark's load", packages: &["wrk"], there: || on_path("wrk") },
];

fn qemu_driver() -> bool {
    // /usr/lib64/libvirt, /usr/lib/libvirt, or Debian's /usr/lib/ARCHITECTURE/libvirt.
    let below =
        std::fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    [PathBuf::from("/usr/lib64"), PathBuf::from("/usr/lib")]
        .into_iter()
        .chain(below)
        .any(|folder| folder.join("libvirt/connection-driver/libvirt_driver_qemu.so").is_file())
}

fn succeeds(program: impl AsRef<Path>, arguments: &[&str]) -> bool {
    Command::new(program.as_ref())
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

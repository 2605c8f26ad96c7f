//! What the operator decides about the hypervisor.

use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::image::DiskFormat;

/// Where the hypervisor is and what every object on it gets.
#[derive(Debug, Clone)]
pub struct HypervisorConfig {
    /// libvirt's URI: `qemu:///system`, `test:///default`, or one of these through another transport.
    pub uri: String,
    /// How the processors of a machine are run.
    pub domain_type: DomainType,
    /// The name of the storage pool that holds the volumes; made where it does not exist.
    pub pool: String,
    /// The folder of that pool, on the hypervisor's host.
    pub volumes: PathBuf,
    /// Whether all hypervisors of the server have that folder.
    pub shares_volumes: bool,
    /// How volumes are written for which nobody says so.
    pub format: DiskFormat,
    /// The folder, on the hypervisor's host, where what a machine prints to its serial console is kept as
    /// `<entity id>.log`.
    pub console: Option<PathBuf>,
    /// The kernel that machines boot; without one they boot from their first volume.
    pub boot: Option<Boot>,
    /// Virtual CPUs of a machine whose plan names no number.
    pub cores: u32,
    /// Memory in bytes of a machine whose plan names none.
    pub memory: u64,
    /// Whether a network with a gateway reaches the outside by address translation; else every network is isolated.
    pub translate: bool,
    /// How long what machines use is told to those who ask, before it is read again.
    pub survey_age: Duration,
    /// How long a caller waits for a call that is quick by nature.
    pub short: Call,
    /// The same for calls that take seconds: start, destroy, save, attach and their like.
    pub long: Call,
}

/// Limits of one class of calls.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// After so long the caller is told 'timeout'; the call itself cannot be broken off.
    pub patience: Duration,
    /// How many run at the same time.
    pub at_once: usize,
}

/// How the processors of a machine are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainType {
    /// By the hardware where a guest is seen to boot on it, else by emulation.
    Auto,
    /// By the hardware.
    Kvm,
    /// By emulation.
    Qemu,
}

/// A kernel to boot, as files on the hypervisor's host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// The kernel image.
    pub kernel: PathBuf,
    /// The initial RAM file system.
    pub initrd: Option<PathBuf>,
    /// The kernel's command line.
    pub cmdline: Option<String>,
}

impl HypervisorConfig {
    /// The file with what an entity's machine prints, where that is kept.
    pub(super) fn console_log(&self, entity: Uuid) -> Option<PathBuf> {
        Some(self.console.as_ref()?.join(entity.to_string()).with_extension("log"))
    }
}

impl Default for HypervisorConfig {
    fn default() -> Self {
        Self {
            uri: "test:///default".into(),
            domain_type: DomainType::Auto,
            pool: "occi".into(),
            volumes: "/var/lib/occi/volumes".into(),
            shares_volumes: false,
            format: DiskFormat::Qcow2,
            console: None,
            boot: None,
            cores: 1,
            memory: 512 << 20,
            translate: true,
            survey_age: Duration::from_secs(5),
            short: Call { patience: Duration::from_secs(15), at_once: 4 },
            // A libvirt daemon has 20 workers; machines that hang must not have them all.
            long: Call { patience: Duration::from_mins(2), at_once: 12 },
        }
    }
}

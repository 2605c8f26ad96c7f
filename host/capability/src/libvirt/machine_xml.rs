//! What a machine should be, and the words in which libvirt is told.
//!
//! What is attached to a machine is written in `device`.

use std::io;

use uuid::Uuid;

use super::config::{Boot, HypervisorConfig};
use super::connection::Driver;
use super::error::{Error, Result};
use super::image::Image;
use super::resize::Size;
use super::xml::{self, Xml, leaf, node, text};
use super::{name, seed};

/// What a machine should be. What is not set takes the operator's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachinePlan {
    /// Virtual CPUs.
    pub cores: Option<u32>,
    /// Memory in bytes; the hypervisor rounds up to KiB.
    pub memory: Option<u64>,
    /// The weight in the hypervisor's CPU scheduling, relative to other machines.
    pub shares: Option<u32>,
    /// `x86_64` or `i686`.
    pub architecture: Option<String>,
    /// The fully qualified name that the guest system should use.
    pub hostname: Option<String>,
    /// A title for people who look at the hypervisor.
    pub title: Option<String>,
    /// What its system begins as; a machine that has one keeps it where this is none.
    pub image: Option<Image>,
    /// A disk for what need not last, in bytes.
    pub scratch: Option<u64>,
    /// Files that its system is told when it boots, by their names.
    pub seed: Vec<(String, Vec<u8>)>,
    /// Whether it is known to be there, so that none is made where it is not: it has just gone to another hypervisor.
    pub is_there: bool,
}

impl MachinePlan {
    /// Whether it can be a machine at all; what this hypervisor makes of it is seen when it is defined.
    pub(super) fn check(&self) -> Result<()> {
        if self.cores == Some(0) {
            return Err(Error::Invalid("a machine needs at least one core".into()));
        }
        if self.memory == Some(0) {
            return Err(Error::Invalid("a machine needs memory".into()));
        }
        if self.shares == Some(0) {
            return Err(Error::Invalid("the share of a machine must be at least 1".into()));
        }
        if self.scratch == Some(0) {
            return Err(Error::Invalid("a disk needs a size above zero".into()));
        }
        seed::check(&self.seed)?;
        match self.architecture.as_deref() {
            None | Some("x86_64" | "i686") => {}
            Some(other) => {
                return Err(Error::Invalid(format!(
                    "the architecture {other:?} is not one of x86_64 and i686"
                )));
            }
        }
        match self.hostname.as_deref() {
            Some(hostname) if !is_hostname(hostname) => Err(Error::Invalid(format!(
                "{:?} is not a host name: use letters, digits and hyphens, in labels of at most 63 with dots between, at most 253 in all",
                xml::line(hostname)
            ))),
            None | Some(_) => Ok(()),
        }
    }
}

/// RFC 1123 §2.1. Also what keeps other settings out of the text that carries the name to the guest.
fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// CPUs that may be added while a machine runs, its first ones included.
const CORES: u32 = 16;

/// What is plugged into a running machine has so many KiB or a multiple of it: Linux takes memory in such blocks.
pub(super) const MEMORY_MODULE: u64 = 128 << 10;
/// How many times it can be plugged, and how much in all, in KiB.
const MODULES: &str = "16";
const PLUGGABLE: u64 = 64 << 20;
/// A machine with less, in KiB, cannot be given more while it runs: that it could costs Linux 64 MiB, for devices which cannot
/// reach the places where more would come.
const ROOMY: u64 = 1 << 20;

/// What `plan` asks for.
pub(super) fn size(plan: &MachinePlan, config: &HypervisorConfig) -> Size {
    let memory = plan.memory.unwrap_or(config.memory).div_ceil(1024);
    Size { cores: plan.cores.unwrap_or(config.cores).max(1), memory }
}

/// What runs a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Processors {
    /// Nothing: libvirt's test driver.
    Imitated,
    /// QEMU by itself.
    Emulated,
    /// QEMU by KVM.
    Hardware,
}

/// The definition of a machine. `disks` are the elements of its disks and interfaces, `boots_from` whether one of them says
/// that the machine boots from it.
pub(super) fn definition(
    entity: Uuid,
    plan: &MachinePlan,
    config: &HypervisorConfig,
    processors: Processors,
    (devices, boots_from): (&str, bool),
) -> Result<String> {
    let id = entity.to_string();
    let driver = match processors {
        Processors::Imitated => Driver::Test,
        Processors::Emulated | Processors::Hardware => Driver::Qemu,
    };
    let Size { cores, memory } = size(plan, config);
    let (most, all) = (cores.max(CORES), memory.to_string());
    xml::document(|xml| {
        node(xml, "domain", &[("type", domain_type(processors))], |xml| {
            text(xml, "name", &[], &name::of(entity))?;
            text(xml, "uuid", &[], &id)?;
            if let Some(title) = plan.title.as_deref().map(xml::line).filter(|title| !title.is_empty()) {
                text(xml, "title", &[], &title)?;
            }
            xml::mark(xml, entity, &[])?;
            let grows = driver == Driver::Qemu && memory >= ROOMY;
            if grows {
                let most = memory.saturating_add(PLUGGABLE).to_string();
                text(xml, "maxMemory", &[("slots", MODULES), ("unit", "KiB")], &most)?;
            }
            text(xml, "memory", &[("unit", "KiB")], &all)?;
            text(xml, "vcpu", &[("current", &cores.to_string())], &most.to_string())?;
            if let Some(shares) = plan.shares {
                node(xml, "cputune", &[], |xml| text(xml, "shares", &[], &shares.to_string()))?;
            }
            if let Some(hostname) = &plan.hostname {
                // Where cloud-init looks for a name when there is no other source of it.
                let told = format!("ds=nocloud;i={id};h={hostname}");
                node(xml, "sysinfo", &[("type", "smbios")], |xml| {
                    node(xml, "system", &[], |xml| text(xml, "entry", &[("name", "serial")], &told))
                })?;
            }
            let boot = plan.image.as_ref().map_or(config.boot.as_ref(), |image| image.boot.as_ref());
            node(xml, "os", &[], |xml| system(xml, plan, boot, driver, boots_from))?;
            // Without ACPI nobody in the guest hears of the power button, nor of a device that comes.
            node(xml, "features", &[], |xml| {
                leaf(xml, "acpi", &[])?;
                leaf(xml, "apic", &[])
            })?;
            cpu(xml, processors, grows.then_some((most, &all)))?;
            if driver == Driver::Qemu {
                // As it was when its guest system panicked, for whoever looks into it, until it is started or powered off.
                text(xml, "on_crash", &[], "preserve")?;
            }
            node(xml, "devices", &[], |xml| {
                if driver == Driver::Qemu {
                    console(xml, config, entity)?;
                    // Through it the guest system says that it has panicked. Both architectures have it.
                    leaf(xml, "panic", &[("model", "isa")])?;
                    // Through it the guest system says now and then how much of its memory it uses.
                    node(xml, "memballoon", &[("model", "virtio")], |xml| {
                        leaf(xml, "stats", &[("period", "10")])
                    })?;
                }
                xml.get_mut().extend_from_slice(devices.as_bytes());
                Ok(())
            })
        })
    })
}

/// libvirt's description of a machine as a hypervisor takes it that runs machines in this way.
pub(super) fn as_run_by(description: &str, processors: Processors) -> String {
    ["test", "qemu", "kvm"].iter().fold(description.to_owned(), |description, other| {
        let (other, wanted) = (domain(other), domain(domain_type(processors)));
        description.replacen(&other, &wanted, 1)
    })
}

fn domain(of_type: &str) -> String {
    format!("<domain type='{of_type}'")
}

fn domain_type(processors: Processors) -> &'static str {
    match processors {
        Processors::Imitated => "test",
        Processors::Emulated => "qemu",
        Processors::Hardware => "kvm",
    }
}

/// The CPUs' model, and where memory can be plugged, the node for it with all that there is: so many CPUs, so much memory in KiB.
fn cpu(xml: &mut Xml, processors: Processors, node_of: Option<(u32, &str)>) -> io::Result<()> {
    let model: &[_] = if processors == Processors::Hardware { &[("mode", "host-model")] } else { &[] };
    match node_of {
        None if model.is_empty() => Ok(()),
        None => leaf(xml, "cpu", model),
        Some((cpus, memory)) => {
            let cpus = format!("0-{}", cpus - 1);
            let cell = [("id", "0"), ("cpus", &*cpus), ("memory", memory), ("unit", "KiB")];
            node(xml, "cpu", model, |xml| node(xml, "numa", &[], |xml| leaf(xml, "cell", &cell)))
        }
    }
}

fn system(
    xml: &mut Xml,
    plan: &MachinePlan,
    boot: Option<&Boot>,
    driver: Driver,
    boots_from: bool,
) -> io::Result<()> {
    let architecture = plan.architecture.as_deref().unwrap_or("x86_64");
    match driver {
        Driver::Test => text(xml, "type", &[("arch", architecture)], "hvm")?,
        // Its one bus takes devices while the machine runs, with no port to be set aside for each.
        Driver::Qemu => text(xml, "type", &[("arch", architecture), ("machine", "pc")], "hvm")?,
    }
    match (boot, driver) {
        (Some(boot), Driver::Qemu) => {
            text(xml, "kernel", &[], &boot.kernel.to_string_lossy())?;
            if let Some(initrd) = &boot.initrd {
                text(xml, "initrd", &[], &initrd.to_string_lossy())?;
            }
            if let Some(cmdline) = &boot.cmdline {
                text(xml, "cmdline", &[], &xml::line(cmdline))?;
            }
        }
        // The two ways to say it do not go together.
        (None, Driver::Qemu) | (_, Driver::Test) if boots_from => {}
        (None, Driver::Qemu) | (_, Driver::Test) => leaf(xml, "boot", &[("dev", "hd")])?,
    }
    if plan.hostname.is_some() {
        leaf(xml, "smbios", &[("mode", "sysinfo")])?;
    }
    Ok(())
}

/// A serial line that people can talk over, and that is written down where the operator wants it.
fn console(xml: &mut Xml, config: &HypervisorConfig, entity: Uuid) -> io::Result<()> {
    node(xml, "serial", &[("type", "pty")], |xml| {
        if let Some(file) = config.console_log(entity) {
            leaf(xml, "log", &[("file", &file.to_string_lossy()), ("append", "on")])?;
        }
        leaf(xml, "target", &[("port", "0")])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(plan: &MachinePlan, config: &HypervisorConfig, processors: Processors) -> String {
        definition(Uuid::from_u128(1), plan, config, processors, ("<disk/>", false)).unwrap()
    }

    #[test]
    fn a_plan_is_written_whole() {
        let plan = MachinePlan {
            cores: Some(2),
            memory: Some(1 << 30),
            shares: Some(512),
            architecture: Some("i686".into()),
            hostname: Some("web.example.org".into()),
            title: Some("<web>".into()),
            ..MachinePlan::default()
        };
        let xml = written(&plan, &HypervisorConfig::default(), Processors::Imitated);
        for part in [
            "<domain type=\"test\">",
            "<title>&lt;web&gt;</title>",
            "<memory unit=\"KiB\">1048576</memory>",
            "<vcpu current=\"2\">16</vcpu>",
            "<shares>512</shares>",
            "ds=nocloud;i=00000000-0000-0000-0000-000000000001;h=web.example.org",
            "<type arch=\"i686\">hvm</type>",
            "<devices><disk/></devices>",
        ] {
            assert!(xml.contains(part), "{part} is not in {xml}");
        }
    }

    #[test]
    fn what_is_not_set_takes_the_operators_default() {
        let config = HypervisorConfig { cores: 3, memory: 4096, ..HypervisorConfig::default() };
        let xml = written(&MachinePlan::default(), &config, Processors::Emulated);
        assert!(xml.contains("<vcpu current=\"3\">16</vcpu>"), "{xml}");
        assert!(xml.contains("<memory unit=\"KiB\">4</memory>"), "{xml}");
    }

    #[test]
    fn a_guest_system_that_panics_can_say_so() {
        let says = |architecture: &str, processors| {
            let plan = MachinePlan { architecture: Some(architecture.into()), ..MachinePlan::default() };
            let xml = written(&plan, &HypervisorConfig::default(), processors);
            (xml.contains("<panic model=\"isa\"/>"), xml.contains("<on_crash>preserve</on_crash>"))
        };
        for architecture in ["x86_64", "i686"] {
            assert_eq!(says(architecture, Processors::Emulated), (true, true));
            assert_eq!(says(architecture, Processors::Hardware), (true, true));
            assert_eq!(says(architecture, Processors::Imitated), (false, false), "it has no guest systems");
        }
    }

    #[test]
    fn the_console_of_a_machine_is_kept_under_its_entity() {
        let config = HypervisorConfig { console: Some("/consoles".into()), ..HypervisorConfig::default() };
        let xml = written(&MachinePlan::default(), &config, Processors::Emulated);
        assert!(xml.contains("file=\"/consoles/00000000-0000-0000-0000-000000000001.log\""), "{xml}");
    }

    #[test]
    fn a_plan_that_can_be_no_machine_is_invalid() {
        let plan = MachinePlan::default;
        for wrong in [
            MachinePlan { cores: Some(0), ..plan() },
            MachinePlan { memory: Some(0), ..plan() },
            MachinePlan { shares: Some(0), ..plan() },
            MachinePlan { architecture: Some("vax".into()), ..plan() },
            MachinePlan { hostname: Some("a;s=http://evil/".into()), ..plan() },
            MachinePlan { hostname: Some("-a".into()), ..plan() },
            MachinePlan { hostname: Some(String::new()), ..plan() },
            MachinePlan { hostname: Some("a..b".into()), ..plan() },
        ] {
            assert_eq!(wrong.check().map_err(|error| error.code()), Err("invalid"), "{wrong:?}");
        }
        assert_eq!(plan().check(), Ok(()));
    }
}

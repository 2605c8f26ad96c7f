//! What a machine that runs can have at once of its new definition: more CPUs, and other memory. What its system does not
//! take it has from its next start.

use virt::domain::Domain;
use virt::sys;

use super::connection::{Driver, Live};
use super::error::Result;
use super::machine_xml::MEMORY_MODULE;
use super::xml::{self, node, text};

/// What a machine is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Virtual CPUs.
    pub(super) cores: u32,
    /// Memory in KiB.
    pub(super) memory: u64,
}

impl Size {
    /// Whether a machine that runs has another, so that something can be done about it.
    pub(super) fn differs(self, live: &Live, domain: &Domain) -> bool {
        live.driver == Driver::Qemu
            && domain.is_active().is_ok_and(|active| active)
            && (self.has_more_cores(domain) || domain.get_info().is_ok_and(|info| info.memory != self.memory))
    }

    fn has_more_cores(self, domain: &Domain) -> bool {
        domain.get_vcpus_flags(sys::VIR_DOMAIN_VCPU_LIVE).is_ok_and(|present| present < self.cores)
    }

    /// Gives a running machine what it can have. libvirt says what it cannot.
    pub(super) fn apply(self, domain: &Domain) {
        if self.has_more_cores(domain)
            && let Err(error) = domain.set_vcpus_flags(self.cores, sys::VIR_DOMAIN_VCPU_LIVE)
        {
            tracing::debug!(%error, cores = self.cores, "a running machine has its new CPUs from its next start");
        }
        if let Err(error) = self.apply_memory(domain) {
            tracing::debug!(%error, memory = self.memory, "a running machine has its new memory from its next start");
        }
    }

    /// Its system gives back what it is to have less; what it is to have more than there ever was is plugged, in whole modules.
    fn apply_memory(self, domain: &Domain) -> Result<()> {
        let info = domain.get_info()?;
        if info.memory == self.memory {
            return Ok(());
        }
        let plugged = self.memory.saturating_sub(info.max_mem) / MEMORY_MODULE * MEMORY_MODULE;
        if plugged > 0 {
            domain.attach_device_flags(&module(plugged)?, sys::VIR_DOMAIN_AFFECT_LIVE)?;
        }
        let wanted = self.memory.min(info.max_mem + plugged);
        if wanted != info.memory {
            domain.set_memory_flags(wanted, sys::VIR_DOMAIN_MEM_LIVE)?;
        }
        Ok(())
    }
}

fn module(size: u64) -> Result<String> {
    xml::document(|xml| {
        node(xml, "memory", &[("model", "dimm")], |xml| {
            node(xml, "target", &[], |xml| {
                text(xml, "size", &[("unit", "KiB")], &size.to_string())?;
                text(xml, "node", &[], "0")
            })
        })
    })
}

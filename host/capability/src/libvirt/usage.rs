//! Who uses a volume or a network.
//!
//! libvirt deletes the one and takes down the other under a running machine without a word, so it is asked first.
//! Machines that are not ours count too: an operator may have lent them one of ours.

use virt::domain::Domain;
use virt::error::ErrorNumber;
use virt::sys;

use super::connection::{Driver, Live};
use super::device::{Device, Devices};
use super::error::Result;

/// Which machines matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// All, by what they are defined with and by what they run with.
    All,
    /// Those that have power, by what they run with.
    Running,
}

/// The first machine with a device that `uses` something, and that device's name as the machine sees it. `name` is
/// what such a device mentions.
pub(super) fn user(
    live: &Live,
    among: Among,
    name: &str,
    uses: impl Fn(&Device) -> bool,
) -> Result<Option<(Domain, String)>> {
    let only = match among {
        Among::All => 0,
        Among::Running => sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE,
    };
    let descriptions: &[_] = match (live.driver, among) {
        // It plugs and unplugs in the definition alone (`attachment`), so a running machine would be seen to use what
        // was detached from it until it stops.
        (Driver::Test, _) => &[sys::VIR_DOMAIN_XML_INACTIVE],
        (Driver::Qemu, Among::All) => &[0, sys::VIR_DOMAIN_XML_INACTIVE],
        (Driver::Qemu, Among::Running) => &[0],
    };
    for domain in live.connect.list_all_domains(only)? {
        for flags in descriptions {
            let description = match domain.get_xml_desc(*flags) {
                Ok(description) => description,
                // It went while we looked, and what it used is free.
                Err(error) if error.code() == ErrorNumber::NoDomain => break,
                Err(error) => return Err(error.into()),
            };
            // Most machines do not mention it, and reading them all would take long where there are many.
            if !description.contains(name) {
                continue;
            }
            if let Some(device) = Devices::read(description)?.all().iter().find(|device| uses(device)) {
                let device = device.target.clone().unwrap_or_default();
                return Ok(Some((domain, device)));
            }
        }
    }
    Ok(None)
}

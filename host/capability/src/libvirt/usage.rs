//! Who uses a volume or a network.
//!
//! libvirt deletes the one and takes down the other under a running machine without a word, so it is asked first.
//! Machines that are not ours count too: an operator may have lent them one of ours.

use std::collections::HashSet;

use uuid::Uuid;
use virt::domain::Domain;
use virt::error::ErrorNumber;
use virt::sys;

use super::connection::{Driver, Live};
use super::device::{Device, Devices};
use super::error::Result;
use super::{name, saved};

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
    mut uses: impl FnMut(&Device) -> bool,
) -> Result<Option<(Domain, String)>> {
    first(live, among, name, |_, device| uses(device))
}

/// The names of all machines with a device that `uses` something.
pub(super) fn users(live: &Live, name: &str, uses: impl Fn(&Device) -> bool) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    first(live, Among::All, name, |domain, device| {
        if uses(device) {
            // One that went while we looked uses nothing any more.
            found.extend(domain.get_name());
        }
        // To see them all.
        false
    })?;
    Ok(found)
}

fn first(
    live: &Live,
    among: Among,
    name: &str,
    mut uses: impl FnMut(&Domain, &Device) -> bool,
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
    // The name of the device in a description that uses it.
    let mut used = |domain: &Domain, description: String| -> Result<Option<String>> {
        // Most machines do not mention it, and reading them all would take long where there are many.
        if !description.contains(name) {
            return Ok(None);
        }
        let devices = Devices::read(description)?;
        let device = devices.all().iter().find(|device| uses(domain, device));
        Ok(device.map(|device| device.target.clone().unwrap_or_default()))
    };
    for domain in live.connect.list_all_domains(only)? {
        for flags in descriptions {
            let description = match domain.get_xml_desc(*flags) {
                Ok(description) => description,
                // It went while we looked, and what it used is free.
                Err(error) if error.code() == ErrorNumber::NoDomain => break,
                Err(error) => return Err(error.into()),
            };
            if let Some(device) = used(&domain, description)? {
                return Ok(Some((domain, device)));
            }
        }
    }
    if (live.driver, among) == (Driver::Qemu, Among::All) {
        // What a machine had when it was saved it needs to be restored, even if its definition has it no more.
        for domain in live.connect.list_all_domains(sys::VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)? {
            // It was restored, or went, while we looked.
            let Ok(saved) = saved::description(&domain) else { continue };
            if let Some(device) = used(&domain, saved)? {
                return Ok(Some((domain, device)));
            }
        }
    }
    Ok(None)
}

/// The hardware addresses of all interfaces to the network of an entity.
pub(super) fn hardware_addresses(live: &Live, network: Uuid) -> Result<HashSet<String>> {
    let named = name::of(network);
    let mut found = HashSet::new();
    let collect = |device: &Device| {
        if device.network.as_ref() == Some(&named) {
            found.extend(device.mac.clone());
        }
        // To see them all.
        false
    };
    user(live, Among::All, &named, collect)?;
    Ok(found)
}

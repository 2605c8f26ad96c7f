//! The bridges of the hypervisor's host that networks may be joined to.

use anyhow::{bail, ensure};
use occi_capability::Bridges;
use occi_capability::libvirt::{HostBridge, Vlans};
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bridge {
    pub(crate) name: String,
    pub(crate) device: String,
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) vlan: Option<u16>,
    #[serde(default)]
    pub(crate) openvswitch: bool,
}

/// Whether they can be told apart, and are what Linux and libvirt can have.
pub(super) fn check(bridges: &[Bridge]) -> anyhow::Result<()> {
    let mut names = BTreeSet::new();
    for Bridge { name, device, vlan, openvswitch, .. } in bridges {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        ensure!(
            name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(inner),
            "`hypervisor.bridge.name`: {name:?} is not of a to z, 0 to 9, `-` and `_`, a letter first, at most 63 characters"
        );
        ensure!(names.insert(name), "`hypervisor.bridge`: there are two by the name `{name}`");
        // As the kernel has it.
        let is_device = (1..=15).contains(&device.len())
            && device.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '/' | ':'))
            && !matches!(&**device, "." | "..");
        ensure!(
            is_device,
            "`hypervisor.bridge.device` of `{name}`: {device:?} is no name of a device, such as br0"
        );
        match vlan {
            Some(_) if *openvswitch => bail!(
                "`hypervisor.bridge.vlan` of `{name}` is for a bridge that carries one VLAN; one of Open vSwitch tags what networks \
                 ask for, so leave it out"
            ),
            Some(vlan) => {
                ensure!((1..=4094).contains(vlan), "`hypervisor.bridge.vlan` of `{name}` must be 1 to 4094");
            }
            None => {}
        }
    }
    Ok(())
}

impl super::Hypervisor {
    /// Those that are on offer.
    pub(crate) fn bridges(&self) -> Bridges {
        let lent = |bridge: &Bridge| {
            let vlans = match bridge.vlan {
                _ if bridge.openvswitch => Vlans::Switches,
                Some(vlan) => Vlans::Carries(vlan),
                None => Vlans::Unknown,
            };
            let (name, device) = (bridge.name.clone(), bridge.device.clone());
            (HostBridge { name, device, vlans }, bridge.title.clone())
        };
        Bridges::new(self.bridge.iter().map(lent).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_bridge_that_cannot_be_is_refused() {
        let parse = |bridge: &str| Config::parse(&format!("[[hypervisor.bridge]]\n{bridge}"));
        parse("name = \"public\"\ndevice = \"br0\"\nvlan = 42").unwrap();
        parse("name = \"public\"\ndevice = \"ovs-br0.7\"\nopenvswitch = true\ntitle = \"Out\"").unwrap();
        for (bridge, says) in [
            ("name = \"public\"", "device"),
            ("name = \"Public\"\ndevice = \"br0\"", "a to z"),
            ("name = \"\"\ndevice = \"br0\"", "a to z"),
            ("name = \"public\"\ndevice = \"a/b\"", "no name of a device"),
            ("name = \"public\"\ndevice = \"\"", "no name of a device"),
            ("name = \"public\"\ndevice = \"sixteen-letters-\"", "no name of a device"),
            ("name = \"public\"\ndevice = \"br0\"\nvlan = 4095", "1 to 4094"),
            ("name = \"public\"\ndevice = \"br0\"\nvlan = 42\nopenvswitch = true", "leave it out"),
            (
                "name = \"a\"\ndevice = \"br0\"\n[[hypervisor.bridge]]\nname = \"a\"\ndevice = \"br1\"",
                "two by the name",
            ),
        ] {
            let error = parse(bridge).unwrap_err().to_string();
            assert!(error.contains(says), "{bridge}: {error}");
        }
    }
}

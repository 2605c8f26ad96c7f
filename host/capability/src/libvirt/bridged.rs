//! Networks that are joined to a bridge of the hypervisor's host, whose wire others share.
//!
//! libvirt only plugs machines in there: it has no address on such a network, and gives none out. So neither do we, as
//! who else is on the wire, with which addresses, is not known here.

use std::io;

use super::error::{Error, Result};
use super::xml::{Xml, leaf, node};

/// A bridge of the hypervisor's host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostBridge {
    /// The name under which it is offered.
    pub name: String,
    /// The device.
    pub device: String,
    /// What it does with VLANs.
    pub vlans: Vlans,
}

/// What a bridge does with VLANs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vlans {
    /// Nothing that is known: frames go out as they come in.
    Unknown,
    /// All that is on it is in this one, as it is joined to an interface of its host that tags what goes out.
    Carries(u16),
    /// It is Open vSwitch's, and tags by itself.
    Switches,
}

impl HostBridge {
    /// The id by which it is to tag what a network with that one sends; none where nothing is to be tagged here.
    pub(super) fn tag(&self, vlan: Option<u16>) -> Result<Option<u16>> {
        let name = &self.name;
        match (self.vlans, vlan) {
            (_, None) => Ok(None),
            (Vlans::Switches, Some(id)) => Ok(Some(id)),
            (Vlans::Carries(carried), Some(id)) if id == carried => Ok(None),
            (Vlans::Carries(carried), Some(id)) => Err(Error::Invalid(format!(
                "the bridge {name} carries the VLAN {carried} and not {id}: ask for {carried}, or leave the id out"
            ))),
            (Vlans::Unknown, Some(id)) => Err(Error::Invalid(format!(
                "the bridge {name} tags nothing, so it cannot keep the VLAN {id} apart: leave the id out, or choose a bridge that \
                 carries that VLAN"
            ))),
        }
    }

    /// What the definition of a network says that is joined to it.
    pub(super) fn describe(&self, xml: &mut Xml, tag: Option<u16>) -> io::Result<()> {
        leaf(xml, "forward", &[("mode", "bridge")])?;
        leaf(xml, "bridge", &[("name", &self.device)])?;
        if self.vlans == Vlans::Switches {
            leaf(xml, "virtualport", &[("type", "openvswitch")])?;
        }
        tag.map_or(Ok(()), |tag| node(xml, "vlan", &[], |xml| leaf(xml, "tag", &[("id", &tag.to_string())])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bridge(vlans: Vlans) -> HostBridge {
        HostBridge { name: "public".into(), device: "br0".into(), vlans }
    }

    #[test]
    fn a_vlan_is_tagged_by_who_can() {
        for (vlans, asked, expected) in [
            (Vlans::Unknown, None, Ok(None)),
            (Vlans::Unknown, Some(42), Err("invalid")),
            (Vlans::Carries(42), None, Ok(None)),
            (Vlans::Carries(42), Some(42), Ok(None)),
            (Vlans::Carries(42), Some(7), Err("invalid")),
            (Vlans::Switches, None, Ok(None)),
            (Vlans::Switches, Some(42), Ok(Some(42))),
        ] {
            let tag = bridge(vlans).tag(asked);
            assert_eq!(tag.map_err(|error| error.code()), expected, "{vlans:?} {asked:?}");
        }
    }

    #[test]
    fn the_definition_names_the_device() {
        let written = |vlans, tag| {
            super::super::xml::document(|xml| node(xml, "n", &[], |xml| bridge(vlans).describe(xml, tag)))
        };
        let plain = "<n><forward mode=\"bridge\"/><bridge name=\"br0\"/></n>";
        assert_eq!(written(Vlans::Unknown, None).as_deref(), Ok(plain));
        let tagged =
            plain.replace("</n>", "<virtualport type=\"openvswitch\"/><vlan><tag id=\"42\"/></vlan></n>");
        assert_eq!(written(Vlans::Switches, Some(42)), Ok(tagged));
    }
}

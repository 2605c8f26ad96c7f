//! What a network should be, and the words in which libvirt is told.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use uuid::Uuid;

use super::bridged::HostBridge;
use super::config::HypervisorConfig;
use super::error::{Error, Result};
use super::name;
use super::reservation::{self, Reservation};
use super::xml::{self, Xml, leaf, node, text};

/// What a network should be. What is not set takes the operator's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkPlan {
    /// The 802.1q id, 1 to 4094.
    pub vlan: Option<u16>,
    /// The address of the network in CIDR notation, such as '192.168.7.0/24'.
    pub address: Option<String>,
    /// The gateway's address within it.
    pub gateway: Option<String>,
    /// Whether machines are given addresses by DHCP.
    pub dhcp: bool,
    /// The bridge of the hypervisor's host that it is joined to, where others give out the addresses; else it has one of its own.
    pub bridge: Option<HostBridge>,
    /// A title for people who look at the hypervisor.
    pub title: Option<String>,
}

/// The addresses of a network, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Addresses {
    /// The host's own on the network's bridge: the gateway, where there is one.
    host: IpAddr,
    prefix: u8,
    /// The first and the last that DHCP gives out.
    range: Option<(IpAddr, IpAddr)>,
    gateway: bool,
}

impl Addresses {
    /// Whether an interface can have that address.
    fn have_room(self, address: Ipv4Addr) -> bool {
        match self.host {
            IpAddr::V4(host) => host != address && reservation::is_host(address, host, self.prefix.into()),
            IpAddr::V6(_) => false,
        }
    }
}

impl NetworkPlan {
    /// Whether it can be a network at all, and its addresses where it has any.
    pub(super) fn check(&self) -> Result<Option<Addresses>> {
        if let Some(vlan) = self.vlan
            && !(1..=4094).contains(&vlan)
        {
            return Err(Error::Invalid(format!("the VLAN id {vlan} is not between 1 and 4094")));
        }
        let Some(address) = &self.address else {
            return match (&self.gateway, self.dhcp) {
                (None, false) => Ok(None),
                (Some(_), _) => Err(Error::Invalid("a gateway needs the network's address".into())),
                (None, true) => Err(Error::Invalid("DHCP needs the network's address".into())),
            };
        };
        let (first, prefix) = cidr(address)?;
        let bits = width(first);
        // One address for the host, one for a machine, and in IPv4 the two that stand for the network and for all.
        if prefix == 0 || u32::from(prefix) + 2 > bits {
            return Err(Error::Invalid(format!(
                "{address} has no room for a gateway and machines: use a prefix from 1 to {}",
                bits - 2
            )));
        }
        let span = u128::MAX >> (128 - (bits - u32::from(prefix)));
        let base = number(first) & !span;
        let (low, high) = (base + 1, base + span - 1);
        let host = match &self.gateway {
            None => low,
            Some(gateway) => match gateway.parse::<IpAddr>() {
                Ok(parsed) if width(parsed) == bits && (low..=high).contains(&number(parsed)) => {
                    number(parsed)
                }
                Ok(_) | Err(_) => {
                    return Err(Error::Invalid(format!(
                        "the gateway {:?} is not the address of a host within {address}",
                        xml::line(gateway)
                    )));
                }
            },
        };
        // The longer stretch beside the host's own address. Of a large network its beginning is enough: libvirt takes a
        // range whose addresses differ in their last 16 bits alone.
        let range = self.dhcp.then(|| {
            let (from, to) = if high - host >= host - low { (host + 1, high) } else { (low, host - 1) };
            let rest = from | 0xffff;
            let is_short = to > rest && rest - from < 0x8000;
            let from = if is_short { rest + 1 } else { from };
            (of_number(from, bits), of_number(to.min(from | 0xffff), bits))
        });
        Ok(Some(Addresses { host: of_number(host, bits), prefix, range, gateway: self.gateway.is_some() }))
    }
}

/// The definition of a network. Its VLAN id is kept with the mark: a bridge of its own keeps a network from the others
/// as the tag would, and there is no wire for the tag to be seen on. On a bridge of its host's there is one.
pub(super) fn definition(
    entity: Uuid,
    plan: &NetworkPlan,
    kept: &[Reservation],
    config: &HypervisorConfig,
) -> Result<String> {
    let addresses = plan.check()?;
    let tag = plan.bridge.as_ref().map(|bridge| bridge.tag(plan.vlan)).transpose()?.flatten();
    let addresses = addresses.filter(|_| plan.bridge.is_none());
    if let Some(Reservation { address, .. }) =
        kept.iter().find(|held| !addresses.is_some_and(|addresses| addresses.have_room(held.address)))
    {
        return Err(Error::Conflict(format!(
            "an interface has the address {address} of the network: change or delete that first"
        )));
    }
    let vlan = plan.vlan.map(|vlan| vlan.to_string());
    let title = plan.title.as_deref().map(xml::line);
    xml::document(|xml| {
        node(xml, "network", &[], |xml| {
            text(xml, "name", &[], &name::of(entity))?;
            text(xml, "uuid", &[], &entity.to_string())?;
            let more = [("title", &title), ("vlan", &vlan)];
            let more: Vec<_> =
                more.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
            xml::mark(xml, entity, &more)?;
            if let Some(bridge) = &plan.bridge {
                return bridge.describe(xml, tag);
            }
            if config.translate && addresses.is_some_and(|addresses| addresses.gateway) {
                leaf(xml, "forward", &[("mode", "nat")])?;
            }
            leaf(xml, "bridge", &[("name", &name::bridge(entity)), ("stp", "on"), ("delay", "0")])?;
            addresses.map_or(Ok(()), |addresses| addressing(xml, addresses, kept))
        })
    })
}

fn addressing(xml: &mut Xml, addresses: Addresses, kept: &[Reservation]) -> io::Result<()> {
    let Addresses { host, prefix, range, gateway: _ } = addresses;
    let family = if host.is_ipv4() { "ipv4" } else { "ipv6" };
    let attributes = [("family", family), ("address", &host.to_string()), ("prefix", &prefix.to_string())];
    node(xml, "ip", &attributes.map(|(key, value)| (key, value)), |xml| {
        if range.is_none() && kept.is_empty() {
            return Ok(());
        }
        node(xml, "dhcp", &[], |xml| {
            if let Some((start, end)) = range {
                leaf(xml, "range", &[("start", &start.to_string()), ("end", &end.to_string())])?;
            }
            for Reservation { mac, address } in kept {
                leaf(xml, "host", &[("mac", mac), ("ip", &address.to_string())])?;
            }
            Ok(())
        })
    })
}

fn cidr(text: &str) -> Result<(IpAddr, u8)> {
    text.split_once('/')
        .and_then(|(address, prefix)| Some((address.parse::<IpAddr>().ok()?, prefix.parse::<u8>().ok()?)))
        .filter(|(address, prefix)| u32::from(*prefix) <= width(*address))
        .ok_or_else(|| {
            Error::Invalid(format!(
                "{:?} is not an address in CIDR notation, such as 192.168.7.0/24",
                xml::line(text)
            ))
        })
}

/// Bits of an address.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn of_number(number: u128, bits: u32) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if bits == Ipv4Addr::BITS => Ipv4Addr::from_bits(number).into(),
        Ok(_) | Err(_) => Ipv6Addr::from_bits(number).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libvirt::Vlans;

    fn plan(address: &str, gateway: &str) -> NetworkPlan {
        NetworkPlan {
            address: Some(address.into()),
            gateway: (!gateway.is_empty()).then(|| gateway.into()),
            dhcp: true,
            ..NetworkPlan::default()
        }
    }

    fn check(plan: &NetworkPlan, host: &str, start: &str, end: &str) {
        let addresses = plan.check().unwrap().unwrap();
        let range = addresses.range.map(|(start, end)| (start.to_string(), end.to_string()));
        assert_eq!((addresses.host.to_string(), range), (host.into(), Some((start.into(), end.into()))));
    }

    #[test]
    fn dhcp_gives_out_the_longer_stretch_beside_the_gateway() {
        check(&plan("192.168.7.0/24", ""), "192.168.7.1", "192.168.7.2", "192.168.7.254");
        check(&plan("192.168.7.9/24", "192.168.7.1"), "192.168.7.1", "192.168.7.2", "192.168.7.254");
        check(&plan("192.168.7.0/24", "192.168.7.254"), "192.168.7.254", "192.168.7.1", "192.168.7.253");
        check(&plan("10.0.0.0/30", "10.0.0.2"), "10.0.0.2", "10.0.0.1", "10.0.0.1");
        check(&plan("10.0.0.0/8", "10.0.255.250"), "10.0.255.250", "10.1.0.0", "10.1.255.255");
        check(&plan("10.0.0.0/8", ""), "10.0.0.1", "10.0.0.2", "10.0.255.255");
        check(&plan("fd00::/64", "fd00::1"), "fd00::1", "fd00::2", "fd00::ffff");
    }

    #[test]
    fn a_plan_that_can_be_no_network_is_invalid() {
        let none = NetworkPlan::default;
        for wrong in [
            NetworkPlan { vlan: Some(0), ..none() },
            NetworkPlan { vlan: Some(4095), ..none() },
            NetworkPlan { dhcp: true, ..none() },
            NetworkPlan { gateway: Some("10.0.0.1".into()), ..none() },
            plan("10.0.0.0", ""),
            plan("10.0.0.0/33", ""),
            plan("10.0.0.0/31", ""),
            plan("0.0.0.0/0", ""),
            plan("::/0", ""),
            plan("fd00::/127", ""),
            plan("10.0.0.0/24", "10.0.1.1"),
            plan("10.0.0.0/24", "10.0.0.255"),
            plan("10.0.0.0/24", "10.0.0.0"),
            plan("10.0.0.0/24", "fd00::1"),
            plan("here", ""),
        ] {
            assert_eq!(wrong.check().map_err(|error| error.code()), Err("invalid"), "{wrong:?}");
        }
        assert_eq!(none().check(), Ok(None));
    }

    #[test]
    fn a_plan_is_written_whole() {
        let plan = NetworkPlan {
            vlan: Some(7),
            title: Some("<lan>".into()),
            ..plan("192.168.7.0/24", "192.168.7.1")
        };
        let kept = [Reservation { mac: "52:54:00:00:00:01".into(), address: Ipv4Addr::new(192, 168, 7, 9) }];
        let xml = definition(Uuid::from_u128(1), &plan, &kept, &HypervisorConfig::default()).unwrap();
        for part in [
            "title=\"&lt;lan&gt;\" vlan=\"7\"",
            "<forward mode=\"nat\"/>",
            "<ip family=\"ipv4\" address=\"192.168.7.1\" prefix=\"24\">",
            "<range start=\"192.168.7.2\" end=\"192.168.7.254\"/>",
            "<host mac=\"52:54:00:00:00:01\" ip=\"192.168.7.9\"/>",
        ] {
            assert!(xml.contains(part), "{part} is not in {xml}");
        }
        // What an interface has stays in the network.
        let elsewhere =
            |network| NetworkPlan { address: Some(String::from(network)), ..NetworkPlan::default() };
        for other in [NetworkPlan::default(), elsewhere("10.0.0.0/24"), elsewhere("fd00::/64")] {
            let refused = definition(Uuid::from_u128(1), &other, &kept, &HypervisorConfig::default());
            assert_eq!(refused.map_err(|error| error.code()), Err("conflict"), "{other:?}");
        }
    }

    #[test]
    fn a_network_on_a_bridge_of_the_hosts_has_nothing_of_its_own() {
        let bridge = |vlans| Some(HostBridge { name: "public".into(), device: "br0".into(), vlans });
        let joined = NetworkPlan {
            vlan: Some(42),
            bridge: bridge(Vlans::Switches),
            ..plan("192.168.7.0/24", "192.168.7.1")
        };
        let write = |plan: &NetworkPlan, kept: &[Reservation]| {
            definition(Uuid::from_u128(1), plan, kept, &HypervisorConfig::default())
        };
        let xml = write(&joined, &[]).unwrap();
        assert!(xml.contains("<bridge name=\"br0\"/>") && xml.contains("<tag id=\"42\"/>"), "{xml}");
        assert!(!xml.contains("<ip") && !xml.contains("nat") && !xml.contains("stp"), "{xml}");
        // What cannot be is refused as on any network, and so is what an interface would lose by it.
        let refused = |plan, kept| write(&plan, kept).map_err(|error| error.code());
        assert_eq!(
            refused(NetworkPlan { bridge: bridge(Vlans::Unknown), ..joined.clone() }, &[]),
            Err("invalid")
        );
        assert_eq!(refused(NetworkPlan { address: None, ..joined.clone() }, &[]), Err("invalid"));
        let kept = [Reservation { mac: "52:54:00:00:00:01".into(), address: Ipv4Addr::new(192, 168, 7, 9) }];
        assert_eq!(refused(joined, &kept), Err("conflict"));
    }

    #[test]
    fn nothing_reaches_the_outside_where_the_operator_does_not_want_it() {
        let config = HypervisorConfig { translate: false, ..HypervisorConfig::default() };
        let xml = definition(Uuid::from_u128(1), &plan("10.0.0.0/24", "10.0.0.1"), &[], &config).unwrap();
        assert!(!xml.contains("<forward"), "{xml}");
    }
}

//! Addresses that a network's DHCP keeps for one interface each (libvirt's `<host>`).
//!
//! In IPv4: DHCP of IPv6 knows an interface by what its guest makes up (a DUID), which nobody knows before it asks.

use std::net::{IpAddr, Ipv4Addr};

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use uuid::Uuid;
use virt::network::Network as Bridge;
use virt::sys;

use super::connection::{Driver, Live};
use super::error::{Error, Result};
use super::xml::{self, attribute, leaf};
use super::{network, usage};

/// An address and the interface that it is kept for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reservation {
    pub(super) mac: String,
    pub(super) address: Ipv4Addr,
}

/// What one description of a network says of its addresses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The host's own address and the prefix, where the network has addresses.
    pub(super) own: Option<(Ipv4Addr, u32)>,
    /// The first and the last address that DHCP gives out.
    pub(super) range: Option<(Ipv4Addr, Ipv4Addr)>,
    pub(super) reservations: Vec<Reservation>,
}

/// Keeps an address of a network for an interface, or none any more.
pub(super) fn reserve(live: &Live, entity: Uuid, mac: &str, address: Option<&str>) -> Result<()> {
    let wanted = match address.map(str::parse) {
        None => None,
        Some(Ok(IpAddr::V4(address))) => Some(address),
        Some(Ok(IpAddr::V6(_))) => return Ok(()),
        Some(Err(_)) => {
            let given = xml::line(address.unwrap_or_default());
            return Err(Error::Invalid(format!("{given:?} is not an IP address, such as 192.168.7.9")));
        }
    };
    let bridge = network::find(live, entity)?;
    let is_active = bridge.is_active()?;
    let is_interfaces = |mac: &String| Ok(usage::hardware_addresses(live, entity)?.contains(mac));
    let change = |described, affects, is_now| {
        Side { bridge: &bridge, described, affects, is_now }.change(mac, wanted, &is_interfaces)
    };
    let (config, running) = (sys::VIR_NETWORK_UPDATE_AFFECT_CONFIG, sys::VIR_NETWORK_UPDATE_AFFECT_LIVE);
    match live.driver {
        // It shows one side only, and changes both by the same words.
        Driver::Test => change(0, if is_active { config | running } else { config }, false),
        // Each side by itself: a crash may have left them different.
        Driver::Qemu => {
            change(sys::VIR_NETWORK_XML_INACTIVE, config, false)?;
            if is_active { change(0, running, true) } else { Ok(()) }
        }
    }
}

/// What a network is from the next `up` on.
pub(super) fn defined(live: &Live, bridge: &Bridge) -> Result<Known> {
    let side = match live.driver {
        Driver::Test => 0,
        Driver::Qemu => sys::VIR_NETWORK_XML_INACTIVE,
    };
    Known::read(&bridge.get_xml_desc(side)?)
}

/// The same where the network may be gone, and its reservations with it.
pub(super) fn release(live: &Live, entity: Uuid, mac: &str) -> Result<()> {
    match reserve(live, entity, mac, None) {
        Err(Error::Missing(_)) => Ok(()),
        outcome => outcome,
    }
}

/// One of the descriptions of a network: the flags by which it is read, and by which it is changed.
struct Side<'a> {
    bridge: &'a Bridge,
    described: u32,
    affects: u32,
    /// Whether it may be about to become another: what that will have cannot be kept now, and is from the next `up` on.
    is_now: bool,
}

impl Side<'_> {
    fn change(
        &self,
        mac: &str,
        wanted: Option<Ipv4Addr>,
        is_interfaces: &impl Fn(&String) -> Result<bool>,
    ) -> Result<()> {
        let known = Known::read(&self.bridge.get_xml_desc(self.described)?)?;
        let wanted = match known.check(wanted) {
            Err(_) if self.is_now => None,
            checked => checked?,
        };
        if let Some(held) = known.holder_beside(mac, wanted) {
            if is_interfaces(&held.mac)? {
                return Err(Error::Conflict(format!("another interface has the address {}", held.address)));
            }
            tracing::info!(
                mac = held.mac,
                "the address {} was kept for an interface that is gone",
                held.address
            );
            self.update(sys::VIR_NETWORK_UPDATE_COMMAND_DELETE, held)?;
        }
        let present = known.reservations.iter().find(|held| held.mac.eq_ignore_ascii_case(mac));
        let (command, address) = match (present, wanted) {
            (None, None) => return Ok(()),
            (Some(held), Some(wanted)) if held.address == wanted => return Ok(()),
            (None, Some(wanted)) => (sys::VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, wanted),
            (Some(_), Some(wanted)) => (sys::VIR_NETWORK_UPDATE_COMMAND_MODIFY, wanted),
            (Some(held), None) => (sys::VIR_NETWORK_UPDATE_COMMAND_DELETE, held.address),
        };
        self.update(command, &Reservation { mac: mac.to_owned(), address })
    }

    fn update(&self, command: u32, Reservation { mac, address }: &Reservation) -> Result<()> {
        let entry = xml::document(|xml| leaf(xml, "host", &[("mac", mac), ("ip", &address.to_string())]))?;
        let section = sys::VIR_NETWORK_SECTION_IP_DHCP_HOST;
        Ok(self.bridge.update(command, section, -1, &entry, self.affects)?)
    }
}

impl Known {
    /// Read libvirt's description of a network.
    pub(super) fn read(description: &str) -> Result<Self> {
        let mut reader = Reader::from_str(description);
        let mut known = Self::default();
        let mut is_v4 = false;
        loop {
            match reader.read_event()? {
                Event::Start(element) | Event::Empty(element) => match element.name().0 {
                    "ip" => {
                        let own = own(&element)?;
                        is_v4 = own.is_some();
                        known.own = known.own.or(own);
                    }
                    "range" if is_v4 => known.range = known.range.or(range(&element)?),
                    "host" if is_v4 => known.reservations.extend(reservation(&element)?),
                    _ => {}
                },
                Event::Eof => return Ok(known),
                _ => {}
            }
        }
    }

    /// The address that is kept for an interface.
    pub(super) fn of(&self, mac: &str) -> Option<Ipv4Addr> {
        self.reservations.iter().find(|held| held.mac.eq_ignore_ascii_case(mac)).map(|held| held.address)
    }

    /// What can be kept of what is wanted: none on a network without such addresses.
    fn check(&self, wanted: Option<Ipv4Addr>) -> Result<Option<Ipv4Addr>> {
        let (Some(wanted), Some((own, prefix))) = (wanted, self.own) else { return Ok(None) };
        if !is_host(wanted, own, prefix) {
            return Err(Error::Invalid(format!(
                "{wanted} is not the address of a host within the network {own}/{prefix}"
            )));
        }
        if wanted == own {
            return Err(Error::Conflict(format!("{wanted} is the network's own address")));
        }
        Ok(Some(wanted))
    }

    /// For which other interface that address is kept.
    fn holder_beside(&self, mac: &str, wanted: Option<Ipv4Addr>) -> Option<&Reservation> {
        let is_others =
            |held: &&Reservation| wanted == Some(held.address) && !held.mac.eq_ignore_ascii_case(mac);
        self.reservations.iter().find(is_others)
    }
}

/// Whether an address is a host's within a network: neither the network's own name nor that of all its hosts.
pub(super) fn is_host(address: Ipv4Addr, of: Ipv4Addr, prefix: u32) -> bool {
    let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
    let number = address.to_bits() & hosts;
    (address.to_bits() | hosts) == (of.to_bits() | hosts) && number != 0 && number != hosts
}

fn own(element: &BytesStart<'_>) -> Result<Option<(Ipv4Addr, u32)>> {
    let address = attribute(element, "address")?.and_then(|address| address.parse().ok());
    let prefix = match (attribute(element, "prefix")?, attribute(element, "netmask")?) {
        (Some(prefix), _) => prefix.parse().ok(),
        (None, Some(netmask)) => netmask.parse().ok().map(|mask: Ipv4Addr| mask.to_bits().count_ones()),
        (None, None) => None,
    };
    Ok(address.zip(prefix).filter(|(_, prefix)| *prefix <= Ipv4Addr::BITS))
}

fn range(element: &BytesStart<'_>) -> Result<Option<(Ipv4Addr, Ipv4Addr)>> {
    let end = |key| Ok::<_, Error>(attribute(element, key)?.and_then(|address| address.parse().ok()));
    Ok(end("start")?.zip(end("end")?))
}

fn reservation(element: &BytesStart<'_>) -> Result<Option<Reservation>> {
    let (mac, address) = (attribute(element, "mac")?, attribute(element, "ip")?);
    let address = address.and_then(|address| address.parse().ok());
    let reservation = |(mac, address): (String, _)| Reservation { mac: mac.to_ascii_lowercase(), address };
    Ok(mac.zip(address).map(reservation))
}

/// The addresses that a network which is defined anew keeps: those that are there now, but for those of interfaces that are
/// gone without a word, as when an operator undefines their machine.
pub(super) fn of(live: &Live, entity: Uuid) -> Result<Vec<Reservation>> {
    match network::find(live, entity) {
        Ok(bridge) => {
            let mut kept = defined(live, &bridge)?.reservations;
            if !kept.is_empty() {
                let present = usage::hardware_addresses(live, entity)?;
                kept.retain(|held| present.contains(&held.mac));
            }
            Ok(kept)
        }
        Err(Error::Missing(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: &str = "<network><dns><host ip='10.0.0.77'/></dns>\
        <ip family='ipv6' address='fd00::1' prefix='64'><dhcp><host id='0:1' ip='fd00::5'/></dhcp></ip>\
        <ip address='10.0.0.1' netmask='255.255.255.0'><dhcp>\
        <range start='10.0.0.2' end='10.0.0.254'/><host mac='52:54:00:00:00:01' ip='10.0.0.9'/></dhcp></ip></network>";

    #[test]
    fn a_description_tells_addresses_and_what_is_kept() {
        let known = Known::read(NETWORK).unwrap();
        let held = Reservation { mac: "52:54:00:00:00:01".into(), address: Ipv4Addr::new(10, 0, 0, 9) };
        let expected = Known {
            own: Some((Ipv4Addr::new(10, 0, 0, 1), 24)),
            range: Some((Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 254))),
            reservations: vec![held],
        };
        assert_eq!(known, expected);
        assert_eq!(Known::read("<network/>").unwrap(), Known::default());
    }

    #[test]
    fn an_address_is_kept_for_one_interface_within_the_network() {
        let known = Known::read(NETWORK).unwrap();
        let check = |address: &str| known.check(Some(address.parse().unwrap())).map_err(|error| error.code());
        assert_eq!(check("10.0.0.8"), Ok(Some(Ipv4Addr::new(10, 0, 0, 8))));
        assert_eq!(check("10.0.0.1"), Err("conflict"));
        for elsewhere in ["10.0.1.8", "10.0.0.0", "10.0.0.255"] {
            assert_eq!(check(elsewhere), Err("invalid"), "{elsewhere}");
        }
        assert_eq!(Known::default().check(Some(Ipv4Addr::LOCALHOST)), Ok(None));
        let is_anothers =
            |mac: &str, wanted: &str| known.holder_beside(mac, Some(wanted.parse().unwrap())).is_some();
        assert!(is_anothers("52:54:00:00:00:02", "10.0.0.9"));
        assert!(!is_anothers("52:54:00:00:00:02", "10.0.0.8"));
        assert!(!is_anothers("52:54:00:00:00:01", "10.0.0.9"));
    }
}

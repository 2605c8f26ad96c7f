//! Addresses of IP networks.

use std::net::IpAddr;

/// A network in CIDR notation, such as `192.168.7.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    address: IpAddr,
    prefix: u32,
}

impl Cidr {
    /// What is written, or none where it is not in that notation.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        // Rust's numbers may have a sign, and zeros before them.
        let is_number = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || (prefix.len() > 1 && prefix.starts_with('0')) {
            return None;
        }
        let (address, prefix) = (address.parse().ok()?, prefix.parse().ok()?);
        (prefix <= width(address)).then_some(Self { address, prefix })
    }

    /// Whether machines can have its addresses: not those that stand for many hosts, or for the host itself.
    pub(crate) fn is_unicast(&self) -> bool {
        let first = self.address;
        let is_special = first.is_multicast() || first.is_loopback() || first.is_unspecified();
        // 240.0.0.0/4 is reserved (RFC 1112, section 4).
        !is_special && !matches!(first, IpAddr::V4(first) if first.octets()[0] >= 240)
    }

    /// Whether an address is one of a host within the network: of the same family, with the same prefix and, where
    /// the network has room for more than two, not the address of the network itself nor of all its hosts.
    pub(crate) fn has_host(&self, host: IpAddr) -> bool {
        let bits = width(self.address) - self.prefix;
        let hosts = u128::MAX.checked_shr(u128::BITS - bits).unwrap_or(0);
        let within =
            width(host) == width(self.address) && (number(host) | hosts) == (number(self.address) | hosts);
        let last = number(host) & hosts;
        within && (bits < 2 || (last != 0 && (last != hosts || host.is_ipv6())))
    }
}

/// Bits of an address.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_network_is_none() {
        for text in [
            "",
            "/",
            "192.168.7.0",
            "192.168.7.0/",
            "192.168.7.0/33",
            "192.168.7.0/+8",
            "192.168.7/24",
            "fd00::/129",
            "fd00::",
            "300.1.1.1/8",
            "10.0.0.0/8/8",
            " 10.0.0.0/8",
            "10.0.0.0/99999999999",
            "10.0.0.0/024",
        ] {
            assert_eq!(Cidr::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn machines_have_no_special_addresses() {
        for (network, expected) in [
            ("10.9.0.0/24", true),
            ("169.254.0.0/16", true),
            ("fd00::/64", true),
            ("127.0.0.0/8", false),
            ("224.0.0.0/24", false),
            ("240.0.0.0/8", false),
            ("0.0.0.0/8", false),
            ("::1/128", false),
            ("ff02::/64", false),
        ] {
            assert_eq!(Cidr::parse(network).unwrap().is_unicast(), expected, "{network}");
        }
    }

    #[test]
    fn a_host_is_within_its_network() {
        for (network, host, expected) in [
            ("192.168.7.0/24", "192.168.7.1", true),
            ("192.168.7.0/24", "192.168.7.254", true),
            ("192.168.7.0/24", "192.168.7.0", false),
            ("192.168.7.0/24", "192.168.7.255", false),
            ("192.168.7.0/24", "192.168.8.1", false),
            ("192.168.7.0/24", "fd00::1", false),
            // The notation may name a host of the network in place of its first address.
            ("192.168.7.9/24", "192.168.7.1", true),
            ("10.0.0.0/31", "10.0.0.0", true),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("fd00::/64", "fd00::1", true),
            ("fd00::/64", "fd00::ffff:ffff:ffff:ffff", true),
            ("fd00::/64", "fd00::", false),
            ("fd00::/64", "fd01::1", false),
            ("::/0", "fd01::1", true),
        ] {
            assert_eq!(
                Cidr::parse(network).unwrap().has_host(host.parse().unwrap()),
                expected,
                "{host} in {network}"
            );
        }
    }
}

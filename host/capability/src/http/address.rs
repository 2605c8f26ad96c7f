//! Which addresses are reached: those of the public internet, and what the operator adds to them. The others lead to
//! neighbours of this server, to the server itself, or to a cloud's metadata.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether it may be connected to.
pub(super) fn is_reached(address: IpAddr, granted: &[IpNet]) -> bool {
    let address = meant(address);
    granted.iter().any(|network| network.contains(&address)) || is_public(address)
}

/// The address that is meant by one of IPv6 that only wraps one of IPv4: a mapped one, or one for NAT64 (RFC 6052).
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    if NAT64.contains(&v6) {
        let [.., a, b, c, d] = v6.octets();
        return Ipv4Addr::new(a, b, c, d).into();
    }
    address
}

const NAT64: Ipv6Net = v6(0x0064_ff9b, 96);

/// Of IPv4, what is not public (the registry of special-purpose addresses, RFC 6890, and multicast).
const SPECIAL_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// Of IPv6, where all public addresses are.
const GLOBAL_V6: Ipv6Net = v6(0x2000_0000, 3);

/// Of these, what is not public, or wraps an address of IPv4 in a way that nobody needs (Teredo, 6to4).
const SPECIAL_V6: [Ipv6Net; 4] =
    [v6(0x2001_0000, 23), v6(0x2001_0db8, 32), v6(0x2002_0000, 16), v6(0x3fff_0000, 20)];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// A network by its first 32 bits.
const fn v6(start: u32, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_bits((start as u128) << 96), length)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !SPECIAL_V4.iter().any(|network| network.contains(&v4)),
        IpAddr::V6(v6) => GLOBAL_V6.contains(&v6) && !SPECIAL_V6.iter().any(|network| network.contains(&v6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_reached_by(address: &str, granted: &[&str]) -> bool {
        let granted: Vec<IpNet> = granted.iter().map(|network| network.parse().unwrap()).collect();
        is_reached(address.parse().unwrap(), &granted)
    }

    #[test]
    fn the_public_internet_is_reached() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert!(is_reached_by(address, &[]), "{address}");
        }
    }

    #[test]
    fn neighbours_this_server_and_metadata_are_not() {
        for address in [
            "0.0.0.0",
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1.1.1.1",
            "2002:7f00:1::",
            "2001::7f00:1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_reached_by(address, &[]), "{address}");
        }
    }

    #[test]
    fn what_the_operator_grants_is_reached_however_it_is_written() {
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"] {
            assert!(is_reached_by(address, &["10.1.0.0/16"]), "{address}");
            assert!(!is_reached_by(address, &["10.2.0.0/16"]), "{address}");
        }
        assert!(is_reached_by("::1", &["::1/128"]));
    }
}

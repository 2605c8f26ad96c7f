//! The addresses that a network's DHCP has given out for now, as libvirt tells them.
//!
//! The safe `virt` crate has no call for them, so this file calls libvirt's C functions.
#![allow(unsafe_code)]

use std::net::Ipv4Addr;
use std::ptr::{null, null_mut};

use virt::network::Network as Bridge;
use virt::sys;

use super::error::Result;
use super::events;
use super::reservation::Reservation;

/// Who has which address until its time runs out; in IPv4 alone, as with [`Reservation`], whose form it has.
pub(super) fn all(bridge: &Bridge) -> Result<Vec<Reservation>> {
    let mut first = null_mut();
    // SAFETY: the network is valid for as long as it is borrowed; no hardware address asks for all. Where it does not answer
    // -1, libvirt has written an array of so many leases, which are ours to free.
    let count = unsafe { sys::virNetworkGetDHCPLeases(bridge.as_ptr(), null(), &raw mut first, 0) };
    let Ok(count) = usize::try_from(count) else { return Err(virt::error::Error::last_error().into()) };
    let leases = Leases { first, count };
    // SAFETY: they are valid until they are freed, and nothing of them is kept.
    Ok(leases.all().filter_map(|lease| unsafe { read(&*lease) }).collect())
}

/// libvirt's array, freed with what it lists.
struct Leases {
    first: *mut sys::virNetworkDHCPLeasePtr,
    count: usize,
}

impl Leases {
    fn all(&self) -> impl Iterator<Item = sys::virNetworkDHCPLeasePtr> {
        // SAFETY: the array has so many places.
        (0..self.count).map(|place| unsafe { *self.first.add(place) })
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        // SAFETY: each lease is freed once, and so is the array, which libvirt has allocated as C does; it may be null.
        unsafe {
            self.all().for_each(|lease| sys::virNetworkDHCPLeaseFree(lease));
            libc::free(self.first.cast());
        }
    }
}

/// What one says; none where it is of IPv6.
///
/// # Safety
/// The lease is libvirt's: its texts are null or C strings that live as long as it does.
unsafe fn read(lease: &sys::virNetworkDHCPLease) -> Option<Reservation> {
    // SAFETY: the caller's promise.
    let (mac, address) = unsafe { (events::text(lease.mac)?, events::text(lease.ipaddr)?) };
    let address: Ipv4Addr = address.parse().ok()?;
    Some(Reservation { mac: mac.to_ascii_lowercase(), address })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn lease(mac: Option<&CStr>, address: &CStr) -> sys::virNetworkDHCPLease {
        let text = |text: &CStr| text.as_ptr().cast_mut();
        sys::virNetworkDHCPLease {
            iface: null_mut(),
            expirytime: 0,
            type_: 0,
            mac: mac.map_or(null_mut(), text),
            iaid: null_mut(),
            ipaddr: text(address),
            prefix: 24,
            hostname: null_mut(),
            clientid: null_mut(),
        }
    }

    #[test]
    fn what_is_told_is_read() {
        // SAFETY: all texts are constants.
        let read = |mac, address| unsafe { read(&lease(mac, address)) };
        let expected = Reservation { mac: "52:54:00:00:00:0a".into(), address: Ipv4Addr::new(10, 0, 0, 2) };
        assert_eq!(read(Some(c"52:54:00:00:00:0A"), c"10.0.0.2"), Some(expected));
        assert_eq!(read(Some(c"52:54:00:00:00:0A"), c"fd00::2"), None);
        assert_eq!(read(None, c"10.0.0.2"), None);
    }
}

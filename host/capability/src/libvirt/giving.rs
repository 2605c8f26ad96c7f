//! Addresses that are chosen for interfaces, of those that a network's DHCP gives out.
//!
//! What is chosen becomes a reservation as any other (`reservation`). DHCP gives a reserved address to nobody else, and takes
//! none from who has it: so one that somebody has for now is not chosen, be it a guest that asked without an address that
//! is kept for it, or one that has gone. Should one be given out in the very moment in which it is chosen, who has it is
//! refused it when he asks for it again.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use uuid::Uuid;
use virt::network::Network as Bridge;

use super::connection::{Driver, Live};
use super::error::{Error, Result};
use super::reservation::{self, Known, Reservation};
use super::{lease, network, usage};

/// The address that the network of an entity keeps for an interface from now on: the one that it keeps already, the one that
/// the interface has for now, or else the lowest that is free. None where the network gives none out.
pub(super) fn give(live: &Live, entity: Uuid, mac: &str) -> Result<Option<Ipv4Addr>> {
    let bridge = network::find(live, entity)?;
    let known = reservation::defined(live, &bridge)?;
    let Some(range) = known.range else { return Ok(None) };
    let address = match known.of(mac) {
        Some(address) => address,
        None => {
            let leased = leased(live, &bridge)?;
            choose(&Taken { known: &known, leased: &leased, mac }, range, || {
                usage::hardware_addresses(live, entity)
            })?
        }
    };
    reservation::reserve(live, entity, mac, Some(&address.to_string()))?;
    Ok(Some(address))
}

/// An address that nobody has, or that only those have who are not among the interfaces that are `present`.
fn choose(
    taken: &Taken<'_>,
    range: Range,
    present: impl FnOnce() -> Result<HashSet<String>>,
) -> Result<Ipv4Addr> {
    if let Some(address) = taken.had(range).or_else(|| taken.lowest(range, |_| true)) {
        return Ok(address);
    }
    // What is kept for interfaces that have gone without a word, and what was given to interfaces that have gone since.
    let present = present()?;
    taken.lowest(range, |holder| present.contains(holder)).ok_or_else(|| {
        Error::Conflict(format!(
            "the network has no free address between {} and {}: give it more addresses, or delete an interface",
            range.0, range.1
        ))
    })
}

/// The addresses that guests have for now; of a network that carries no traffic none.
fn leased(live: &Live, bridge: &Bridge) -> Result<Vec<Reservation>> {
    match live.driver {
        // It gives out nothing.
        Driver::Test => Ok(Vec::new()),
        Driver::Qemu if bridge.is_active()? => lease::all(bridge),
        Driver::Qemu => Ok(Vec::new()),
    }
}

/// The first and the last address that a network gives out.
type Range = (Ipv4Addr, Ipv4Addr);

/// What others than an interface have.
struct Taken<'a> {
    known: &'a Known,
    leased: &'a [Reservation],
    mac: &'a str,
}

impl Taken<'_> {
    /// What others have of whom it `counts`.
    fn by(&self, counts: impl Fn(&str) -> bool) -> HashSet<Ipv4Addr> {
        let held = self.known.reservations.iter().chain(self.leased);
        let others = held.filter(|held| held.mac != self.mac && counts(&held.mac));
        others.map(|held| held.address).chain(self.known.own.map(|(own, _)| own)).collect()
    }

    fn lowest(&self, (first, last): Range, counts: impl Fn(&str) -> bool) -> Option<Ipv4Addr> {
        let taken = self.by(counts);
        (first.to_bits()..=last.to_bits()).map(Ipv4Addr::from_bits).find(|address| !taken.contains(address))
    }

    /// What the interface has by DHCP already, as one that was there before somebody wanted to know its address.
    fn had(&self, (first, last): Range) -> Option<Ipv4Addr> {
        let taken = self.by(|_| true);
        let own = self.leased.iter().filter(|lease| lease.mac == self.mac).map(|lease| lease.address);
        own.filter(|address| (first..=last).contains(address)).find(|address| !taken.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(last: u8) -> Reservation {
        Reservation { mac: format!("52:54:00:00:00:{last:02x}"), address: Ipv4Addr::new(10, 0, 0, last) }
    }

    const RANGE: Range = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 6));

    fn chosen(reserved: &[u8], leased: &[u8], counts: impl Fn(&str) -> bool) -> Option<u8> {
        let known = Known {
            reservations: reserved.iter().copied().map(held).collect(),
            ..Known::read("<network><ip address='10.0.0.1' prefix='29'/></network>").unwrap()
        };
        let leased: Vec<_> = leased.iter().copied().map(held).collect();
        let taken = Taken { known: &known, leased: &leased, mac: "52:54:00:00:00:05" };
        taken.had(RANGE).or_else(|| taken.lowest(RANGE, counts)).map(|address| address.octets()[3])
    }

    #[test]
    fn the_lowest_that_nobody_has_is_chosen() {
        assert_eq!(chosen(&[], &[], |_| true), Some(2));
        assert_eq!(chosen(&[2, 4], &[], |_| true), Some(3));
        assert_eq!(chosen(&[2], &[3], |_| true), Some(4), "what a guest has");
        assert_eq!(chosen(&[2, 3], &[4, 6], |_| true), Some(5));
        assert_eq!(chosen(&[2, 3, 4], &[], |_| true), Some(5));
        assert_eq!(chosen(&[2, 3, 4, 6], &[], |_| true), Some(5));
    }

    #[test]
    fn what_an_interface_has_it_keeps() {
        assert_eq!(chosen(&[], &[5], |_| true), Some(5));
        // It is beyond what is given out, such as from before the network was another.
        let known = Known::default();
        let far = [Reservation { mac: "a".into(), address: Ipv4Addr::new(10, 0, 0, 9) }];
        assert_eq!(Taken { known: &known, leased: &far, mac: "a" }.had(RANGE), None);
    }

    #[test]
    fn a_full_network_has_none_but_those_of_interfaces_that_are_gone() {
        let known = Known { reservations: [2, 3, 4, 6].map(held).into(), ..Known::default() };
        let leased = [Reservation { mac: "52:54:00:00:00:07".into(), ..held(5) }];
        let taken = Taken { known: &known, leased: &leased, mac: "52:54:00:00:00:08" };
        assert_eq!(taken.lowest(RANGE, |_| true), None);
        assert_eq!(taken.lowest(RANGE, |holder| !holder.ends_with("07")), Some(Ipv4Addr::new(10, 0, 0, 5)));
        assert_eq!(taken.lowest(RANGE, |holder| !holder.ends_with("03")), Some(Ipv4Addr::new(10, 0, 0, 3)));
    }
}

//! `NetworkInterface`: an interface of a compute's machine on a network; and the Mixin ipnetworkinterface.
//!
//! What the client does not give, the device's name always among it, is made up. The network's DHCP keeps an address that
//! the client gives for the interface; where it is IPv6, or the network has none, the guest system has to take it by
//! itself. A static one must be given. A dynamic one that is not given is chosen where the network gives addresses out, and
//! kept in the same way; one that comes from another network is chosen anew. The gateway is for the guest system: a network's
//! DHCP names its own, which is shown beside an address that was chosen.

use crate::{IP_NETWORK_INTERFACE, ends, outcome};
use occi_sdk::entities::Entity;
use occi_sdk::machines::{Machine, Nic};
use occi_sdk::networks::Network;
use occi_sdk::{Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject};
use std::net::IpAddr;

const INTERFACE: &str = "occi.networkinterface.interface";
const MAC: &str = "occi.networkinterface.mac";
const ADDRESS: &str = "occi.networkinterface.address";
const GATEWAY: &str = "occi.networkinterface.gateway";
const ALLOCATION: &str = "occi.networkinterface.allocation";

pub(crate) struct NetworkInterface;

impl Lifecycle for NetworkInterface {
    fn create(subject: &Subject) -> Result<Change> {
        let (machine, network) = (ends::machine()?, network()?);
        let change = attach(&machine, &network, subject.text(MAC))?;
        let had = subject.text(ADDRESS).filter(|_| has_come(subject));
        match had.map_or(Ok(()), |had| machine.reserve_address(&network, Some(&had))) {
            // Another one is chosen here.
            Err(fault) if is_taken(&fault) => Ok(change.clear(ADDRESS).clear(GATEWAY)),
            kept => kept.map(|()| change),
        }
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        if ends::change(wanted) {
            ends::machine()?;
            return network().map(|_| Change::new());
        }
        if subject.text(MAC).is_some() && !wanted.has(MAC) {
            return Ok(Change::new());
        }
        let (machine, network) = (ends::machine()?, network()?);
        let Some(mac) = wanted.text(MAC) else {
            // A full update that leaves it out keeps what the interface has.
            return attach(&machine, &network, None);
        };
        machine.detach_network(&network)?;
        restore(subject, &machine, &network, Some(mac)).or_else(|fault| {
            // The old one comes back, so that nothing has happened.
            restore(subject, &machine, &network, subject.text(MAC))?;
            Err(fault)
        })
    }

    fn delete(_subject: &Subject) -> Result<()> {
        match (Machine::find(End::Source)?, Network::find(End::Target)?) {
            (Some(machine), Some(network)) => machine.detach_network(&network),
            (None, _) | (_, None) => Ok(()),
        }
    }
}

impl Observe for NetworkInterface {
    fn observe(subject: &Subject, _cause: Cause) -> Result<Change> {
        let Some(machine) = Machine::find(End::Source)? else { return Ok(outcome::gone("machine")) };
        let Some(network) = Network::find(End::Target)? else { return Ok(outcome::gone("network")) };
        ends::kept(restore(subject, &machine, &network, subject.text(MAC)))
    }
}

/// The network at the link's target.
fn network() -> Result<Network> {
    let refused = "the target has no network; name a network that this server holds";
    Network::find(End::Target)?.ok_or_else(|| Fault::invalid(refused).on(ends::TARGET))
}

/// Attach the interface, where it is not attached already, and say what it is.
fn attach(machine: &Machine, network: &Network, mac: Option<String>) -> Result<Change> {
    let Nic { device, mac: given } = machine.attach_network(network, mac.as_deref())?;
    // The client's spelling stays.
    let mac = mac.filter(|mac| mac.eq_ignore_ascii_case(&given)).unwrap_or(given);
    Ok(ends::present(machine)?.set(INTERFACE, device).set(MAC, mac))
}

/// The same with the address that the interface has.
fn restore(subject: &Subject, machine: &Machine, network: &Network, mac: Option<String>) -> Result<Change> {
    let change = attach(machine, network, mac)?;
    if subject.has_mixin(IP_NETWORK_INTERFACE) {
        return address(change, subject, machine, network, subject);
    }
    Ok(change)
}

/// The Mixin.
pub(crate) struct IpNetworkInterface;

impl Lifecycle for IpNetworkInterface {
    fn create(subject: &Subject) -> Result<Change> {
        apply(subject, subject)
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        if ends::change(wanted) {
            return check(subject).map(|()| Change::new());
        }
        apply(subject, &wanted.over(subject))
    }

    fn delete(_subject: &Subject) -> Result<()> {
        match (Machine::find(End::Source)?, Network::find(End::Target)?) {
            (Some(machine), Some(network)) => machine.reserve_address(&network, None),
            (None, _) | (_, None) => Ok(()),
        }
    }
}

/// Have the interface what its attributes ask for.
fn apply(subject: &Subject, of: &dyn Read) -> Result<Change> {
    check(of)?;
    address(Change::new(), subject, &ends::machine()?, &network()?, of)
}

/// Have the network keep the address that the interface has, or one that is chosen.
fn address(
    change: Change,
    subject: &Subject,
    machine: &Machine,
    network: &Network,
    of: &dyn Read,
) -> Result<Change> {
    let address = of.text(ADDRESS);
    if address.is_none() && is_dynamic(of) {
        return give(change, subject, machine, network, of);
    }
    machine.reserve_address(network, address.as_deref()).map_err(|fault| fault.on(ADDRESS))?;
    Ok(change)
}

/// Choose an address, and show it with the network's gateway, where it has one and the client has named no other.
fn give(
    change: Change,
    subject: &Subject,
    machine: &Machine,
    network: &Network,
    of: &dyn Read,
) -> Result<Change> {
    let Some(address) = machine.give_address(network).map_err(|fault| fault.on(ADDRESS))? else {
        // It may have had one.
        machine.reserve_address(network, None)?;
        return Ok(change);
    };
    let change = change.set(ADDRESS, address);
    if of.text(GATEWAY).is_some() {
        return Ok(change);
    }
    let target = subject.target().map(|target| Entity::find(&target)).transpose()?.flatten();
    Ok(match target.and_then(|network| network.text("occi.network.gateway")) {
        Some(gateway) => change.set(GATEWAY, gateway),
        None => change,
    })
}

/// Whether the link was at another network, which had chosen its address: it has a device already, as no client gives it one.
fn has_come(subject: &Subject) -> bool {
    subject.text(INTERFACE).is_some() && subject.has_mixin(IP_NETWORK_INTERFACE) && is_dynamic(subject)
}

fn is_dynamic(of: &dyn Read) -> bool {
    of.text(ALLOCATION).as_deref() != Some("static")
}

/// Whether the network has no room for an address: it is not in it, or another's.
fn is_taken(fault: &Fault) -> bool {
    fault.is(Fault::INVALID) || fault.is(Fault::CONFLICT)
}

/// Whether the addresses can be right.
fn check(of: &dyn Read) -> Result<()> {
    let (address, gateway) = (parse(of, ADDRESS)?, parse(of, GATEWAY)?);
    if address.is_none() && of.text(ALLOCATION).as_deref() == Some("static") {
        return Err(Fault::invalid("a static address must be given").on(ADDRESS));
    }
    if let (Some(address), Some(gateway)) = (address, gateway)
        && address.is_ipv4() != gateway.is_ipv4()
    {
        return Err(
            Fault::invalid("the address and its gateway are both of IPv4 or both of IPv6").on(GATEWAY)
        );
    }
    Ok(())
}

fn parse(of: &dyn Read, attribute: &str) -> Result<Option<IpAddr>> {
    let refused = |_| Fault::invalid("this is an IP address, such as 192.168.7.9 or fd00::9").on(attribute);
    of.text(attribute).map(|text| text.parse().map_err(refused)).transpose()
}

//! Network, the Mixin ipnetwork that gives it addresses, and those of bridges, which join it to what is outside.
//!
//! The VLAN ids 0 and 4095 are reserved: 0, which means no VLAN on the wire, is taken for that; 4095 is refused. A
//! label, or a title, is what people see at the hypervisor. Addresses, VLAN and bridge hold from the next `up` at the latest.

use crate::address::Cidr;
use crate::{IP_NETWORK, outcome};
use occi_sdk::networks::{self, Plan};
use occi_sdk::{Actions, Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject};

const VLAN: &str = "occi.network.vlan";
const LABEL: &str = "occi.network.label";
const TITLE: &str = "occi.core.title";
const ADDRESS: &str = "occi.network.address";
const GATEWAY: &str = "occi.network.gateway";
const ALLOCATION: &str = "occi.network.allocation";
/// The scheme of bridges: the term of each is the name by which the operator offers it.
const BRIDGES: &str = "http://example.org/occi/infrastructure/bridge#";

pub(crate) struct Network;

impl Lifecycle for Network {
    fn create(subject: &Subject) -> Result<Change> {
        define(subject, subject, None)?;
        Ok(Change::new().state("inactive"))
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        redefine(subject, &wanted.over(subject))
    }

    fn delete(_subject: &Subject) -> Result<()> {
        match networks::Network::find(End::Subject)? {
            Some(network) => network.remove(),
            None => Ok(()),
        }
    }
}

impl Actions for Network {
    fn act(subject: &Subject, action: &str, _parameters: &Attributes) -> Result<Change> {
        let Some(network) = networks::Network::find(End::Subject)? else {
            return Ok(outcome::gone("network"));
        };
        let step = match action {
            "up" => network.up(),
            "down" => network.down(),
            _ => Err(Fault::unsupported(format!("a network has no action {action}"))),
        };
        outcome::settle(subject, step, || present(&network))
    }
}

impl Observe for Network {
    fn observe(subject: &Subject, cause: Cause) -> Result<Change> {
        if cause == Cause::Recreate {
            let network = match define(subject, subject, None) {
                // What it was joined to is there no more.
                Err(fault) if fault.is(Fault::INVALID) => {
                    return Ok(Change::new().state("error").message(fault.message));
                }
                defined => defined?,
            };
            let step = match subject.state().as_deref() {
                Some("active") => network.up(),
                Some("error") => return Ok(Change::new()),
                _ => Ok(()),
            };
            return outcome::settle(subject, step, || present(&network));
        }
        let Some(network) = networks::Network::find(End::Subject)? else {
            return Ok(outcome::gone("network"));
        };
        if cause == Cause::Restart {
            // An update that a crash cut short may have reached the hypervisor and not the attributes.
            match define(subject, subject, None) {
                Err(fault) if fault.is(Fault::INVALID) => {
                    return Ok(present(&network)?.message(fault.message));
                }
                defined => drop(defined?),
            }
        }
        present(&network)
    }
}

/// A Mixin that says how the network is beyond its Kind: ipnetwork, whose attributes are the network's for as long as it has it,
/// or a bridge.
pub(crate) struct Part;

impl Lifecycle for Part {
    fn create(subject: &Subject) -> Result<Change> {
        // A new network was made with all of it.
        if subject.is_new() { Ok(Change::new()) } else { redefine(subject, subject) }
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        redefine(subject, &wanted.over(subject))
    }

    fn delete(subject: &Subject) -> Result<()> {
        // The whole network may be on its way out; then it must not come back.
        if networks::Network::find(End::Subject)?.is_none() {
            return Ok(());
        }
        match define(subject, subject, Some(subject.role())) {
            // Nor must it stay since what it was joined to is there no more.
            Err(fault) if subject.role() == IP_NETWORK && fault.is(Fault::INVALID) => Ok(()),
            defined => defined.map(drop),
        }
    }
}

/// Whether a role is that of a bridge.
pub(crate) fn is_bridge(role: &str) -> bool {
    role.starts_with(BRIDGES)
}

/// Define the network with everything that it shows, with these attributes and without one of its Mixins.
fn define(subject: &Subject, of: &dyn Read, without: Option<&str>) -> Result<networks::Network> {
    let mut plan = plan(of)?;
    let mixins = subject.mixins();
    let mut mixins = mixins.iter().map(String::as_str).filter(|mixin| Some(*mixin) != without);
    if mixins.clone().any(|mixin| mixin == IP_NETWORK) {
        plan = addressed(plan, of)?;
    }
    if let Some(bridge) = mixins.find_map(|mixin| mixin.strip_prefix(BRIDGES)) {
        plan = plan.bridge(bridge);
    }
    networks::Network::define(End::Subject, &plan)
}

/// Define it anew. One that is gone is not made again by the way: nobody would be told.
fn redefine(subject: &Subject, of: &dyn Read) -> Result<Change> {
    networks::Network::open(End::Subject)?;
    define(subject, of, None)?;
    Ok(Change::new())
}

fn present(network: &networks::Network) -> Result<Change> {
    let state = if network.active()? { "active" } else { "inactive" };
    Ok(Change::new().state(state).message(""))
}

/// What the Kind's attributes ask for.
fn plan(of: &dyn Read) -> Result<Plan> {
    let mut plan = Plan::new();
    match of.integer(VLAN).map(u16::try_from) {
        None | Some(Ok(0)) => {}
        Some(Ok(id @ 1..=4094)) => plan = plan.vlan(id),
        Some(_) => return Err(Fault::invalid("a VLAN has an id of 1 to 4094; 0 is no VLAN").on(VLAN)),
    }
    if let Some(title) = of.text(TITLE).or_else(|| of.text(LABEL)) {
        plan = plan.title(&title);
    }
    Ok(plan)
}

/// A plan with what the Mixin's attributes ask for.
fn addressed(mut plan: Plan, of: &dyn Read) -> Result<Plan> {
    let (address, gateway) = (of.text(ADDRESS), of.text(GATEWAY));
    let allocation = of.text(ALLOCATION);
    let Some(address) = address else {
        let without = "say first which addresses the network has, such as 192.168.7.0/24";
        return match (gateway, allocation.as_deref()) {
            (None, None | Some("static")) => Ok(plan),
            (Some(_), _) | (None, Some(_)) => Err(Fault::invalid(without).on(ADDRESS)),
        };
    };
    let cidr = Cidr::parse(&address);
    let refused =
        || Fault::invalid("an address of a network is in CIDR notation, such as 192.168.7.0/24").on(ADDRESS);
    let cidr = cidr.ok_or_else(refused)?;
    if !cidr.is_unicast() {
        let refused = format!(
            "machines cannot have the addresses of {address}; use a private network such as 10.0.0.0/24"
        );
        return Err(Fault::invalid(refused).on(ADDRESS));
    }
    plan = plan.address(&address);
    if let Some(gateway) = gateway {
        if !gateway.parse().is_ok_and(|gateway| cidr.has_host(gateway)) {
            let refused = format!("the gateway is not the address of a host within {address}");
            return Err(Fault::invalid(refused).on(GATEWAY));
        }
        plan = plan.gateway(&gateway);
    }
    if let Some(allocation) = allocation {
        plan = plan.dhcp(allocation == "dynamic");
    }
    Ok(plan)
}

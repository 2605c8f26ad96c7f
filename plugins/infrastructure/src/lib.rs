//! OCCI Infrastructure (GFD.224) on machines, volumes and networks.
//!
//! The manifest declares the Kinds, Mixins and actions; here is what they do. Each module is one Kind with its
//! Mixin, and says how the standard's words are taken where it leaves room. Three things hold for all:
//!
//! - After a step the hypervisor is asked what is there now, and its answer is the entity's state. A step that failed
//!   without an effect is a fault, and the entity stays as it is.
//! - What the hypervisor no longer has is in the state 'error', with a message that says so.
//! - Every call may come twice, and has its effect once.

mod address;
mod compute;
mod ends;
mod network;
mod networkinterface;
mod outcome;
mod placement;
mod seed;
mod size;
mod storage;
mod storagelink;

use compute::{Compute, Part};
use network::Network;
use networkinterface::{IpNetworkInterface, NetworkInterface};
use occi_sdk::machines::Machine;
use occi_sdk::{Actions, Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Result, Subject};
use placement::Placement;
use storage::{Format, Storage, Template};
use storagelink::StorageLink;

/// A term of OCCI Infrastructure as a type identifier.
macro_rules! infrastructure {
    ($term:literal) => {
        concat!("http://schemas.ogf.org/occi/infrastructure", $term)
    };
}

const COMPUTE: &str = infrastructure!("#compute");
const NETWORK: &str = infrastructure!("#network");
const STORAGE: &str = infrastructure!("#storage");
const NETWORK_INTERFACE: &str = infrastructure!("#networkinterface");
const STORAGE_LINK: &str = infrastructure!("#storagelink");
const IP_NETWORK: &str = infrastructure!("/network#ipnetwork");
const IP_NETWORK_INTERFACE: &str = infrastructure!("/networkinterface#ipnetworkinterface");
const OS_TEMPLATE: &str = infrastructure!("#os_tpl");
const STORAGE_FORMAT: &str = "http://example.org/occi/infrastructure#storage_format";
const STORAGE_TEMPLATE: &str = "http://example.org/occi/infrastructure#storage_tpl";
const SSH_KEY: &str = infrastructure!("/credentials#ssh_key");
const USER_DATA: &str = infrastructure!("/compute#user_data");
const PLACEMENT: &str = "http://example.org/occi/infrastructure#placement";
/// Not the standard's: that which all bridges depend on.
const BRIDGE: &str = "http://example.org/occi/infrastructure#bridge";

struct Infrastructure;

impl Lifecycle for Infrastructure {
    fn create(subject: &Subject) -> Result<Change> {
        match subject.role() {
            COMPUTE => Compute::create(subject),
            NETWORK => Network::create(subject),
            STORAGE => Storage::create(subject),
            NETWORK_INTERFACE => NetworkInterface::create(subject),
            STORAGE_LINK => StorageLink::create(subject),
            IP_NETWORK => network::Part::create(subject),
            IP_NETWORK_INTERFACE => IpNetworkInterface::create(subject),
            PLACEMENT => Placement::create(subject),
            // They say nothing by themselves: the template, or the bridge, that comes with them does.
            OS_TEMPLATE | BRIDGE => Ok(Change::new()),
            STORAGE_FORMAT => Format::create(subject),
            role if network::is_bridge(role) => network::Part::create(subject),
            role if Template::is(role) => Template::create(subject),
            _ => Part::create(subject),
        }
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        match subject.role() {
            COMPUTE => Compute::update(subject, wanted),
            NETWORK => Network::update(subject, wanted),
            STORAGE => Storage::update(subject, wanted),
            NETWORK_INTERFACE => NetworkInterface::update(subject, wanted),
            STORAGE_LINK => StorageLink::update(subject, wanted),
            IP_NETWORK => network::Part::update(subject, wanted),
            IP_NETWORK_INTERFACE => IpNetworkInterface::update(subject, wanted),
            PLACEMENT => Placement::update(subject, wanted),
            OS_TEMPLATE | BRIDGE => Ok(Change::new()),
            STORAGE_FORMAT => Format::update(subject, wanted),
            role if network::is_bridge(role) => network::Part::update(subject, wanted),
            role if Template::is(role) => Template::update(subject, wanted),
            _ => Part::update(subject, wanted),
        }
    }

    fn delete(subject: &Subject) -> Result<()> {
        match subject.role() {
            COMPUTE => Compute::delete(subject),
            NETWORK => Network::delete(subject),
            STORAGE => Storage::delete(subject),
            NETWORK_INTERFACE => NetworkInterface::delete(subject),
            STORAGE_LINK => StorageLink::delete(subject),
            IP_NETWORK => network::Part::delete(subject),
            IP_NETWORK_INTERFACE => IpNetworkInterface::delete(subject),
            PLACEMENT => Placement::delete(subject),
            BRIDGE => Ok(()),
            STORAGE_FORMAT => Format::delete(subject),
            role if network::is_bridge(role) => network::Part::delete(subject),
            role if Template::is(role) => Template::delete(subject),
            _ => Part::delete(subject),
        }
    }
}

impl Actions for Infrastructure {
    fn act(subject: &Subject, action: &str, parameters: &Attributes) -> Result<Change> {
        match subject.role() {
            COMPUTE => Compute::act(subject, action, parameters),
            NETWORK => Network::act(subject, action, parameters),
            STORAGE => Storage::act(subject, action, parameters),
            role => Err(Fault::unsupported(format!("{role} has no action {action}"))),
        }
    }
}

impl Observe for Infrastructure {
    fn observe(subject: &Subject, cause: Cause) -> Result<Change> {
        let seen = match subject.role() {
            COMPUTE => Compute::observe(subject, cause),
            NETWORK => Network::observe(subject, cause),
            STORAGE => Storage::observe(subject, cause),
            NETWORK_INTERFACE => NetworkInterface::observe(subject, cause),
            STORAGE_LINK => StorageLink::observe(subject, cause),
            PLACEMENT => Placement::observe(subject, cause),
            _ => Ok(Change::new()),
        };
        match seen {
            // It will be asked again when the hypervisor is back.
            Err(fault)
                if (fault.is(Fault::UNAVAILABLE) || fault.is(Fault::TIMEOUT))
                    && Machine::is_away(End::Subject) =>
            {
                Ok(outcome::unknown(subject.role() == COMPUTE))
            }
            seen => seen,
        }
    }
}

occi_sdk::export!(Infrastructure: lifecycle, actions, observe);

#[cfg(test)]
mod tests;

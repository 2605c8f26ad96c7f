//! Volumes and networks at a machine, each for one entity: the subject of the call, usually a link.
//!
//! QEMU plugs and unplugs while the machine runs. libvirt's test driver cannot: there the definition is written anew
//! with the device in it or without, which shows at once in the definition and at the next start in the machine.

use std::iter;

use uuid::Uuid;
use virt::domain::Domain;
use virt::sys;

use super::connection::{Driver, Live};
use super::device::{self, Device, Devices};
use super::error::{Error, Result};
use super::machine::{Machine, find};
use super::volume::Place;
use super::worker::{Hold, Lane};
use super::{Attached, giving, name, network, reservation, usage, xml};

/// A network interface of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// The device's name as the machine sees it, such as 'eth0'.
    pub device: String,
    /// The hardware address, such as '52:54:00:12:34:56'.
    pub mac: String,
}

impl Machine {
    /// Attach the volume of an entity; the device's name as the machine sees it, such as 'vdb'. Attaching what is
    /// attached already answers its device.
    pub async fn attach_volume(&self, attachment: Uuid, volume: Uuid) -> Result<String> {
        let (place, entity) = (Place::of(self.hypervisor.config()), self.entity);
        let handovers = self.hypervisor.handovers().clone();
        self.rewire(Hold::Using(entity, volume), move |live, view| {
            let kept = place.find(live, volume);
            let named = kept.as_ref().map_or_else(|_| name::of(volume), |kept| kept.name.clone());
            let comes = view.running.as_ref().is_some_and(|running| running.of(attachment).is_none());
            let _handover = comes.then(|| handovers.take(live, entity, [&*named].into_iter())).transpose()?;
            if let Some((side, present)) = view.find(attachment) {
                if !present.is_of_volume(volume) {
                    return Err(elsewhere("volume"));
                }
                view.attach(live, attachment, &side.movable(present))?;
                return Ok(present.target.clone().unwrap_or_default());
            }
            if view.sides().iter().flat_map(|side| side.all()).any(|device| device.is_of_volume(volume)) {
                return Err(Error::Conflict(
                    "the machine has that volume already, through another link".into(),
                ));
            }
            let kept = kept?;
            let target = device::free_target(&view.sides())?;
            let disk = device::disk(attachment, place.pool(), &kept.name, kept.format.as_str(), &target)?;
            view.attach(live, attachment, &disk)?;
            Ok(target)
        })
        .await
    }

    /// Detach the volume that was attached for this entity. Succeeds where it is not attached. Where the machine itself is
    /// about to go, the volume is free by that: nothing is asked of a machine that may hang, and should it stay after all, it
    /// is as it was.
    pub async fn detach_volume(&self, attachment: Uuid, volume: Uuid, machine_goes: bool) -> Result<()> {
        if machine_goes {
            return Ok(());
        }
        let meant = move |device: &Device| device.is_of_volume(volume);
        self.unplug(attachment, meant).await?;
        self.rewire(Hold::Using(self.entity, volume), move |live, view| view.detach(live, attachment, meant))
            .await
    }

    /// Attach an interface to the network of an entity, with the given hardware address or one that is made for it.
    /// Attaching what is attached already answers the interface.
    pub async fn attach_network(&self, attachment: Uuid, network: Uuid, mac: Option<&str>) -> Result<Nic> {
        let made = name::mac(attachment);
        let mac = mac.map_or_else(|| Ok(made.clone()), hardware_address)?;
        let is_chosen = mac != made;
        // Of two that choose the same, one comes second.
        let hold = if is_chosen { Hold::Choosing } else { Hold::Using };
        self.rewire(hold(self.entity, network), move |live, view| {
            if let Some((side, present)) = view.find(attachment) {
                if present.network.as_ref() != Some(&name::of(network)) {
                    return Err(elsewhere("network"));
                }
                view.attach(live, attachment, &side.movable(present))?;
                return Ok(Nic { device: present.interface(), mac: present.mac.clone().unwrap_or_default() });
            }
            network::find(live, network)?;
            if is_chosen && usage::hardware_addresses(live, network)?.contains(&mac) {
                return Err(Error::Conflict(format!(
                    "another interface in that network has the hardware address {mac}"
                )));
            }
            let slot = device::free_slot(&view.sides())?;
            let interface = device::interface(attachment, slot, network, &mac)?;
            view.attach(live, attachment, &interface)?;
            Ok(Nic { device: format!("eth{slot}"), mac: mac.clone() })
        })
        .await
    }

    /// Take away the interface to a network that was attached for this entity, and the address that is kept for it. Succeeds
    /// where there is none. Where the machine itself is about to go, the interface goes with it.
    pub async fn detach_network(&self, attachment: Uuid, network: Uuid, machine_goes: bool) -> Result<()> {
        let named = name::of(network);
        let meant = move |device: &Device| device.network.as_ref() == Some(&named);
        let hold = if machine_goes {
            Hold::Nothing
        } else {
            self.unplug(attachment, meant.clone()).await?;
            Hold::Using(self.entity, network)
        };
        self.rewire(hold, move |live, view| {
            // Before the interface, without which nobody knows whose the address is.
            if let Some((_, Device { mac: Some(mac), .. })) =
                view.find(attachment).filter(|(_, found)| meant(found))
            {
                reservation::release(live, network, mac)?;
            }
            if machine_goes { Ok(()) } else { view.detach(live, attachment, &meant) }
        })
        .await
    }

    /// Have a network's DHCP keep an address for the interface that was attached for this entity; none for none any
    /// more. Does nothing on a network without IPv4 addresses, or with an address of IPv6.
    pub async fn reserve_address(
        &self,
        attachment: Uuid,
        network: Uuid,
        address: Option<String>,
    ) -> Result<()> {
        // Of two that want the same, one comes second.
        self.rewire(Hold::Choosing(self.entity, network), move |live, view| {
            let mac = view.find(attachment).and_then(|(_, device)| device.mac.as_deref());
            match (mac, &address) {
                (Some(mac), _) => reservation::reserve(live, network, mac, address.as_deref()),
                (None, None) => Ok(()),
                (None, Some(_)) => Err(Error::Missing("the machine has no such interface".into())),
            }
        })
        .await
    }

    /// Have a network's DHCP keep an address that is chosen here for the interface that was attached for this entity; the one
    /// that it keeps already, where it does. None where the network gives none out; 'conflict' where none is free.
    pub async fn give_address(&self, attachment: Uuid, network: Uuid) -> Result<Option<String>> {
        // Of two for which the same would be chosen, one comes second.
        self.rewire(Hold::Choosing(self.entity, network), move |live, view| {
            match view.find(attachment).and_then(|(_, device)| device.mac.as_deref()) {
                Some(mac) => Ok(giving::give(live, network, mac)?.map(|address| address.to_string())),
                None => Err(Error::Missing("the machine has no such interface".into())),
            }
        })
        .await
    }

    /// Change what the machine has of the volume or network of an entity.
    async fn rewire<T: Send + 'static>(
        &self,
        hold: Hold,
        work: impl Fn(&Live, &View) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (hypervisor, entity) = (self.hypervisor.clone(), self.entity);
        self.call(Lane::Long, hold, move |live| {
            let done = work(live, &View::of(live, find(live, entity)?)?);
            hypervisor.surveyor().is_rewired(entity);
            done
        })
        .await
    }
}

/// The devices of a machine as it is defined, and as it runs where that can differ.
struct View {
    domain: Domain,
    defined: Devices,
    running: Option<Devices>,
}

impl View {
    fn of(live: &Live, domain: Domain) -> Result<Self> {
        let defined = Devices::defined(&domain)?;
        let running = match live.driver {
            Driver::Test => None,
            Driver::Qemu if domain.is_active()? => Some(Devices::running(&domain)?),
            Driver::Qemu => None,
        };
        Ok(Self { domain, defined, running })
    }

    fn sides(&self) -> Vec<&Devices> {
        iter::once(&self.defined).chain(&self.running).collect()
    }

    fn find(&self, attachment: Uuid) -> Option<(&Devices, &Device)> {
        self.sides().into_iter().find_map(|side| Some((side, side.of(attachment)?)))
    }

    /// Attach a device wherever it is not: a crash may have left it on one side.
    fn attach(&self, live: &Live, attachment: Uuid, device: &str) -> Result<()> {
        let lacks = |side: &Devices| side.of(attachment).is_none();
        let define = lacks(&self.defined);
        let plug = self.running.as_ref().is_some_and(lacks);
        if !define && !plug {
            return Ok(());
        }
        match live.driver {
            Driver::Test => redefine(live, &self.defined.with(device)),
            Driver::Qemu => {
                let mut sides = sys::VIR_DOMAIN_AFFECT_CURRENT;
                if define {
                    sides |= sys::VIR_DOMAIN_AFFECT_CONFIG;
                }
                if plug {
                    sides |= sys::VIR_DOMAIN_AFFECT_LIVE;
                }
                self.domain.attach_device_flags(device, sides)?;
                if !define {
                    tracing::info!(%attachment, "a running machine had lost a device, and has it again");
                }
                Ok(())
            }
        }
    }

    /// Detach a device from what is defined, if it is the one that is `meant`. A machine that runs has let it go before.
    fn detach(&self, live: &Live, attachment: Uuid, meant: impl Fn(&Device) -> bool) -> Result<()> {
        let Some(device) = self.defined.of(attachment).filter(|device| meant(device)) else { return Ok(()) };
        match live.driver {
            Driver::Test => redefine(live, &self.defined.without(device)),
            Driver::Qemu => {
                let text = self.defined.text(device);
                Ok(self.domain.detach_device_flags(text, sys::VIR_DOMAIN_AFFECT_CONFIG).map(drop)?)
            }
        }
    }
}

/// All that is attached to a machine for entities.
pub(super) fn all(live: &Live, domain: Domain, machine: Uuid) -> Result<Vec<Attached>> {
    let view = View::of(live, domain)?;
    let of_side = |devices: &Devices, live: bool| -> Vec<Attached> {
        let attached = |device: &Device| {
            let to = device.volume.as_ref().or(device.network.as_ref())?.clone();
            Some(Attached { machine, attachment: device.attachment?, to, live })
        };
        devices.all().iter().filter_map(attached).collect()
    };
    let mut found = of_side(&view.defined, false);
    found.extend(view.running.iter().flat_map(|running| of_side(running, true)));
    Ok(found)
}

fn redefine(live: &Live, description: &str) -> Result<()> {
    tracing::debug!("this hypervisor plugs no devices: the machine's definition is written anew instead");
    Domain::define_xml(&live.connect, description)?;
    Ok(())
}

fn elsewhere(what: &str) -> Error {
    Error::Conflict(format!("another {what} is attached for this link already: detach it first"))
}

/// Six octets, of which the first does not make it an address of many, and all together not one of nobody.
fn hardware_address(text: &str) -> Result<String> {
    let octet = |text: &str| match text.len() {
        2 if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => u8::from_str_radix(text, 16).ok(),
        _ => None,
    };
    let octets: Option<Vec<u8>> = text.split(':').map(octet).collect();
    match octets.as_deref() {
        Some(octets @ [first, _, _, _, _, _]) if first & 1 == 0 && octets != [0; 6] => {
            Ok(text.to_ascii_lowercase())
        }
        Some(_) | None => Err(Error::Invalid(format!(
            "{:?} is not the hardware address of one interface: write six octets, the first of them even, such as 52:54:00:12:34:56",
            xml::line(text)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_checked_and_written_one_way() {
        assert_eq!(hardware_address("52:54:00:AB:cd:01").as_deref(), Ok("52:54:00:ab:cd:01"));
        for wrong in [
            "",
            "52:54:00:ab:cd",
            "52:54:00:ab:cd:01:02",
            "53:54:00:ab:cd:01",
            "00:00:00:00:00:00",
            "5:54:00:ab:cd:01",
            "+2:54:00:ab:cd:01",
            "52-54-00-ab-cd-01",
        ] {
            assert_eq!(hardware_address(wrong).map_err(|error| error.code()), Err("invalid"), "{wrong}");
        }
    }
}

//! The devices in libvirt's description of a machine: finding those that belong to an attachment, and writing new
//! ones.
//!
//! A device carries the id of the entity that it was attached for in its alias, the one name that libvirt keeps for
//! us on every driver.

use std::io;
use std::ops::Range;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use uuid::Uuid;
use virt::domain::Domain;
use virt::sys;

use super::error::{Error, Result};
use super::name;
use super::own_disk::Own;
use super::xml::{self, Xml, leaf, node, text};

/// The devices that one description of a machine lists.
#[derive(Debug)]
pub(super) struct Devices {
    description: String,
    found: Vec<Device>,
    /// Where the next one goes.
    end: usize,
}

/// A disk, an interface, or another device that stays with the machine when its plan changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Device {
    place: Range<usize>,
    /// The bus address that libvirt gave it, a part of that.
    address: Option<Range<usize>>,
    /// The entity that it was attached for; none on one that is not ours.
    pub(super) attachment: Option<Uuid>,
    /// The number of an interface of ours.
    slot: Option<u8>,
    /// The name of the volume behind a disk.
    pub(super) volume: Option<String>,
    /// The name of the network behind an interface.
    pub(super) network: Option<String>,
    /// The disk's name as the machine sees it.
    pub(super) target: Option<String>,
    /// The hardware address of an interface.
    pub(super) mac: Option<String>,
    /// Which of the machine's own disks it is.
    pub(super) own: Option<Own>,
    /// Whether the copy that is being made of a disk is the same as it is; none where none is.
    pub(super) mirror: Option<bool>,
}

impl Device {
    /// An interface's name as the machine sees it.
    pub(super) fn interface(&self) -> String {
        format!("eth{}", self.slot.unwrap_or_default())
    }

    /// Whether it is the volume of an entity.
    pub(super) fn is_of_volume(&self, entity: Uuid) -> bool {
        self.volume.as_deref().and_then(name::of_volume).is_some_and(|(of, _)| of == entity)
    }

    /// The name by which libvirt knows a device of ours.
    pub(super) fn alias(&self) -> String {
        let id = self.attachment.map(|id| id.to_string()).unwrap_or_default();
        self.slot.map_or_else(|| ours(&id), |slot| ours(&format!("{slot}-{id}")))
    }
}

impl Devices {
    /// Those of a machine as it is defined.
    pub(super) fn defined(domain: &Domain) -> Result<Self> {
        Self::read(domain.get_xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?)
    }

    /// Those of a machine as it runs.
    pub(super) fn running(domain: &Domain) -> Result<Self> {
        Self::read(domain.get_xml_desc(0)?)
    }

    /// Find the devices in libvirt's description of a machine.
    pub(super) fn read(description: String) -> Result<Self> {
        let (found, end) = scan(&description)?;
        Ok(Self { description, found, end })
    }

    /// The device that was attached for this entity.
    pub(super) fn of(&self, attachment: Uuid) -> Option<&Device> {
        self.found.iter().find(|device| device.attachment == Some(attachment))
    }

    /// One of the machine's own disks.
    pub(super) fn own(&self, own: Own) -> Option<&Device> {
        self.found.iter().find(|device| device.own == Some(own))
    }

    /// The disk that its system is on.
    pub(super) fn system(&self) -> Option<&Device> {
        self.own(Own::System)
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Device] {
        &self.found
    }

    /// The names of the volumes among them.
    pub(super) fn volumes(&self) -> impl Iterator<Item = &str> {
        self.found.iter().filter_map(|device| device.volume.as_deref())
    }

    /// What was attached for entities and is not in another description, to be attached there.
    pub(super) fn lacking_in(&self, other: &Self) -> impl Iterator<Item = String> {
        self.found
            .iter()
            .filter(|device| device.attachment.is_some_and(|attachment| other.of(attachment).is_none()))
            .map(|device| self.movable(device))
    }

    /// The device as libvirt wrote it.
    pub(super) fn text(&self, device: &Device) -> &str {
        &self.description[device.place.clone()]
    }

    /// The device as it can be attached to another description, where something else may have its bus address.
    pub(super) fn movable(&self, device: &Device) -> String {
        let Range { start, end } = device.place;
        let address = device.address.clone().unwrap_or(end..end);
        [&self.description[start..address.start], &self.description[address.end..end]].concat()
    }

    /// The whole description with one device more.
    pub(super) fn with(&self, device: &str) -> String {
        let (before, after) = self.description.split_at(self.end);
        [before, device, after].concat()
    }

    /// The whole description without this device.
    pub(super) fn without(&self, device: &Device) -> String {
        let Range { start, end } = device.place;
        [&self.description[..start], &self.description[end..]].concat()
    }
}

/// A disk for a volume. A guest finds it by the attachment's id under `/dev/disk/by-id/`, as much of it as fits.
pub(super) fn disk(attachment: Uuid, pool: &str, volume: &str, format: &str, target: &str) -> Result<String> {
    let id = attachment.to_string();
    xml::document(|xml| {
        node(xml, "disk", &[("type", "volume"), ("device", "disk")], |xml| {
            leaf(xml, "driver", &[("name", "qemu"), ("type", format)])?;
            leaf(xml, "source", &[("pool", pool), ("volume", volume)])?;
            leaf(xml, "target", &[("dev", target), ("bus", "virtio")])?;
            text(xml, "serial", &[], &id)?;
            alias(xml, &id)
        })
    })
}

/// A disk that the machine has by itself. The one that its system is on is the first that it boots from.
pub(super) fn own_disk(own: Own, pool: &str, volume: &str, format: &str, target: &str) -> Result<String> {
    xml::document(|xml| {
        node(xml, "disk", &[("type", "volume"), ("device", "disk")], |xml| {
            leaf(xml, "driver", &[("name", "qemu"), ("type", format)])?;
            leaf(xml, "source", &[("pool", pool), ("volume", volume)])?;
            leaf(xml, "target", &[("dev", target), ("bus", "virtio")])?;
            if own == Own::Seed {
                leaf(xml, "readonly", &[])?;
            }
            text(xml, "serial", &[], own.word())?;
            if own == Own::System {
                leaf(xml, "boot", &[("order", "1")])?;
            }
            alias(xml, own.word())
        })
    })
}

/// An interface to a network.
pub(super) fn interface(attachment: Uuid, slot: u8, network: Uuid, mac: &str) -> Result<String> {
    xml::document(|xml| {
        node(xml, "interface", &[("type", "network")], |xml| {
            leaf(xml, "mac", &[("address", mac)])?;
            leaf(xml, "source", &[("network", &name::of(network))])?;
            leaf(xml, "model", &[("type", "virtio")])?;
            alias(xml, &format!("{slot}-{attachment}"))
        })
    })
}

/// libvirt keeps aliases that begin with 'ua-' and makes up the others.
fn alias(xml: &mut Xml, rest: &str) -> io::Result<()> {
    leaf(xml, "alias", &[("name", &ours(rest))])
}

fn ours(rest: &str) -> String {
    format!("ua-{rest}")
}

/// The entity for which the device with this alias was attached; none where it is not ours.
pub(super) fn attachment(alias: &str) -> Option<Uuid> {
    named(alias).1
}

/// The number of an interface and the entity, as an alias of ours says them.
fn named(alias: &str) -> (Option<u8>, Option<Uuid>) {
    let ours = alias.strip_prefix("ua-").unwrap_or_default();
    let (slot, id) = match ours.split_once('-') {
        Some((slot, id)) if id.len() == 36 => (slot.parse().ok(), id),
        Some(_) | None => (None, ours),
    };
    (slot, Uuid::try_parse(id).ok())
}

/// The first disk name that none of these descriptions uses.
pub(super) fn free_target(descriptions: &[&Devices]) -> Result<String> {
    let all = || descriptions.iter().flat_map(|devices| devices.all());
    free_name(|name| all().any(|device| device.target.as_deref() == Some(name)))
}

/// The first disk name that is not taken.
pub(super) fn free_name(is_taken: impl Fn(&str) -> bool) -> Result<String> {
    ('a'..='z')
        .map(|letter| format!("vd{letter}"))
        .find(|name| !is_taken(name))
        .ok_or_else(|| Error::Conflict("the machine has no place for another disk: detach one first".into()))
}

/// The first interface number that none of these descriptions uses.
pub(super) fn free_slot(descriptions: &[&Devices]) -> Result<u8> {
    (0..=u8::MAX)
        .find(|slot| {
            !descriptions.iter().flat_map(|devices| devices.all()).any(|device| device.slot == Some(*slot))
        })
        .ok_or_else(|| {
            Error::Conflict("the machine has no place for another interface: detach one first".into())
        })
}

/// The devices, and where the list of them ends.
fn scan(description: &str) -> Result<(Vec<Device>, usize)> {
    let mut reader = Reader::from_str(description);
    reader.config_mut().expand_empty_elements = true;
    let (mut found, mut open, mut depth, mut listed) = (Vec::new(), None::<Device>, 0_usize, false);
    loop {
        let before = position(&reader)?;
        match reader.read_event()? {
            Event::Start(element) => {
                depth += 1;
                match (depth, &mut open) {
                    (2, _) => listed = element.name().0 == "devices",
                    (3, None) if listed && stays(element.name().0) => {
                        open = Some(Device { place: before..before, ..Device::default() });
                    }
                    (4, Some(device)) if element.name().0 == "address" => {
                        device.address = Some(before..before);
                    }
                    (4, Some(device)) => detail(device, &element)?,
                    _ => {}
                }
            }
            Event::End(element) => {
                if let (4, Some(Device { address: Some(address), .. }), "address") =
                    (depth, &mut open, element.name().0)
                {
                    address.end = position(&reader)?;
                }
                if depth == 2 && listed {
                    // `<devices/>` has no inside where another could go.
                    return match description.get(before..) {
                        Some(rest) if rest.starts_with("</devices") => Ok((found, before)),
                        Some(_) | None => Err(unreadable("its list of devices is empty")),
                    };
                }
                if depth == 3
                    && let Some(mut device) = open.take()
                {
                    device.place.end = position(&reader)?;
                    found.push(device);
                }
                depth = depth.saturating_sub(1);
            }
            Event::Eof => return Err(unreadable("it lists no devices")),
            _ => {}
        }
    }
}

fn stays(element: &str) -> bool {
    matches!(element, "disk" | "interface" | "filesystem" | "hostdev")
}

fn detail(device: &mut Device, element: &BytesStart<'_>) -> Result<()> {
    let attribute = |key| xml::attribute(element, key);
    match element.name().0 {
        "source" => {
            device.volume = attribute("volume")?;
            device.network = attribute("network")?;
        }
        "target" => device.target = attribute("dev")?,
        "mac" => device.mac = attribute("address")?,
        "mirror" => device.mirror = Some(attribute("ready")?.as_deref() == Some("yes")),
        "alias" => {
            let name = attribute("name")?.unwrap_or_default();
            (device.slot, device.attachment) = named(&name);
            device.own = name.strip_prefix("ua-").and_then(Own::of);
        }
        _ => {}
    }
    Ok(())
}

fn position(reader: &Reader<&[u8]>) -> Result<usize> {
    usize::try_from(reader.buffer_position()).map_err(|_| unreadable("it is too long"))
}

fn unreadable(why: &str) -> Error {
    Error::Failed(format!("the hypervisor's description of a machine cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Uuid = Uuid::from_u128(0xa);
    const OTHER: Uuid = Uuid::from_u128(0xb);

    fn machine(devices: &str) -> Devices {
        Devices::read(format!(
            "<domain type='test'><name>n</name><metadata><x:devices xmlns:x='u'/></metadata><devices>\
             <emulator>/q</emulator>{devices}<memballoon model='none'/></devices></domain>"
        ))
        .unwrap()
    }

    #[test]
    fn what_is_written_is_found_again() {
        let disk = disk(LINK, "occi", &name::of(Uuid::from_u128(1)), "qcow2", "vdb").unwrap();
        let interface = interface(OTHER, 3, Uuid::from_u128(2), "52:54:00:00:00:01").unwrap();
        let devices = machine(&format!("{disk}\n{interface}"));

        let found = devices.of(LINK).unwrap();
        assert_eq!(found.volume.as_deref(), Some("occi-00000000-0000-0000-0000-000000000001"));
        assert_eq!(found.target.as_deref(), Some("vdb"));
        assert_eq!(devices.text(found), disk);
        assert!(disk.contains(&format!("\"{}\"", found.alias())));
        assert_eq!(attachment(&found.alias()), Some(LINK));

        let found = devices.of(OTHER).unwrap();
        assert_eq!(found.network.as_deref(), Some("occi-00000000-0000-0000-0000-000000000002"));
        assert_eq!(found.mac.as_deref(), Some("52:54:00:00:00:01"));
        assert_eq!(found.interface(), "eth3");
        assert!(interface.contains(&format!("\"{}\"", found.alias())));
        assert_eq!(attachment(&found.alias()), Some(OTHER));
        assert_eq!(["net0", "ua-", "ua-web", "ua-1-web", ""].map(attachment), [None; 5]);
        let texts: String = devices.all().iter().map(|device| devices.text(device)).collect();
        assert_eq!(texts, disk + &interface);
    }

    #[test]
    fn devices_are_added_and_taken_away_in_place() {
        let first = disk(LINK, "occi", &name::of(Uuid::from_u128(1)), "qcow2", "vda").unwrap();
        let second = disk(OTHER, "occi", &name::of(Uuid::from_u128(2)), "qcow2", "vdb").unwrap();
        let both = Devices::read(machine(&first).with(&second)).unwrap();
        let texts: String = both.all().iter().map(|device| both.text(device)).collect();
        assert_eq!(texts, format!("{first}{second}"));
        let rest = Devices::read(both.without(both.of(LINK).unwrap())).unwrap();
        assert_eq!(rest.all().len(), 1);
        assert_eq!(rest.text(&rest.all()[0]), second);
    }

    #[test]
    fn a_device_is_attached_elsewhere_at_another_bus_address() {
        let written = |address: &str| {
            format!("<disk><target dev='vda'/>{address}<alias name='ua-{LINK}'/><x><address/></x></disk>")
        };
        for address in
            ["<address type='pci' slot='0x03'/>", "<address type='pci'><zpci uid='1'/></address>", ""]
        {
            let devices = machine(&written(address));
            let device = devices.of(LINK).unwrap();
            assert_eq!(devices.text(device), written(address));
            assert_eq!(devices.movable(device), written(""));
            assert_eq!(devices.lacking_in(&machine("")).collect::<Vec<_>>(), [written("")]);
        }
    }

    #[test]
    fn details_of_what_is_inside_a_device_are_not_its_own() {
        let devices = machine(
            "<disk type='volume'><source pool='p' volume='v'/><backingStore><source volume='other'/></backingStore>\
             <target dev='vdc'/><alias name='virtio-disk0'/></disk>",
        );
        assert_eq!(devices.all().len(), 1);
        assert_eq!(devices.all()[0].volume.as_deref(), Some("v"));
        assert_eq!(devices.all()[0].attachment, None);
    }

    #[test]
    fn free_places_are_those_that_no_description_uses() {
        let one = machine("<disk><target dev='vda'/></disk><interface><alias name='ua-0-x'/></interface>");
        let two = machine("<disk><target dev='vdb'/></disk>");
        assert_eq!(free_target(&[&one, &two]).as_deref(), Ok("vdc"));
        let taken = interface(LINK, 0, OTHER, "52:54:00:00:00:01").unwrap();
        assert_eq!(free_slot(&[&machine(&taken), &two]), Ok(1));
    }

    #[test]
    fn a_machine_has_26_disks_at_most() {
        let all = ('a'..='z')
            .fold(String::new(), |all, c| all + "<disk><target dev='vd" + &c.to_string() + "'/></disk>");
        assert_eq!(free_target(&[&machine(&all)]).map_err(|e| e.code()), Err("conflict"));
    }

    #[test]
    fn descriptions_that_cannot_be_read_are_errors() {
        for wrong in
            ["", "<domain>", "<domain/>", "<domain><devices/></domain>", "<domain><devices></x>", "&"]
        {
            assert!(Devices::read(wrong.into()).is_err(), "{wrong}");
        }
    }
}

//! Names and addresses that are derived from an entity's id: the same ones each time, so that what was made before
//! a crash is found after it, and so that an extension can name nothing that belongs to another entity.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::image::DiskFormat;

/// The prefix of everything that is ours.
const PREFIX: &str = "occi-";

/// The characters of such a name.
pub(super) const LENGTH: usize = PREFIX.len() + 36;

/// The name of an entity's machine or network, and what the name of its volume begins with.
pub(super) fn of(entity: Uuid) -> String {
    format!("{PREFIX}{entity}")
}

/// The entity that an object of this name belongs to; none where the object is not ours.
pub(super) fn entity(name: &str) -> Option<Uuid> {
    let id = name.strip_prefix(PREFIX)?;
    let entity = Uuid::try_parse(id).ok()?;
    // Only the spelling that we write: `{…}`, upper case and the like are somebody else's.
    (of(entity) == name).then_some(entity)
}

/// Behind the name of a volume that is raw.
const RAW: &str = ".raw";

/// The name of an entity's volume, which says how it is written.
pub(super) fn volume(entity: Uuid, format: DiskFormat) -> String {
    match format {
        DiskFormat::Qcow2 => of(entity),
        DiskFormat::Raw => of(entity) + RAW,
    }
}

/// The entity whose volume has this name, and how it is written; none where it is none of ours.
pub(super) fn of_volume(name: &str) -> Option<(Uuid, DiskFormat)> {
    match name.strip_suffix(RAW) {
        Some(name) => Some((entity(name)?, DiskFormat::Raw)),
        None => Some((entity(name)?, DiskFormat::Qcow2)),
    }
}

/// The name of a network's bridge. Linux allows 15 characters, so it carries a digest: ids that a client chose may
/// differ in their last digits alone.
pub(super) fn bridge(network: Uuid) -> String {
    let digest = Sha256::digest(network.as_bytes());
    digest[..6].iter().fold(String::from("ob-"), |name, byte| name + &format!("{byte:02x}"))
}

/// The hardware address of an attachment for which nobody chose one, under the prefix that QEMU's guests have.
pub(super) fn mac(attachment: Uuid) -> String {
    let digest = Sha256::digest(attachment.as_bytes());
    format!("52:54:00:{:02x}:{:02x}:{:02x}", digest[0], digest[1], digest[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_entity() {
        let id = Uuid::from_u128(7);
        assert_eq!(entity(&of(id)), Some(id));
        for format in DiskFormat::ALL {
            assert_eq!(of_volume(&volume(id, format)), Some((id, format)));
        }
        assert_eq!(entity(&volume(id, DiskFormat::Raw)), None);
        assert_eq!(of_volume(&format!("{}.raw.raw", of(id))), None);
    }

    #[test]
    fn names_of_others_lead_nowhere() {
        for name in [
            "test",
            "occi-",
            "occi-1",
            "occi-00000000000000000000000000000007",
            "occi-{00000000-0000-0000-0000-000000000007}",
            "occi-0000000A-0000-0000-0000-000000000007",
        ] {
            assert_eq!(entity(name), None, "{name}");
        }
    }

    #[test]
    fn bridges_fit_and_differ_where_ids_nearly_agree() {
        let (one, two) = (bridge(Uuid::from_u128(1)), bridge(Uuid::from_u128(2)));
        assert_ne!(one, two);
        assert!(one.len() <= 15, "{one}");
    }

    #[test]
    fn hardware_addresses_are_unicast_and_stay() {
        let id = Uuid::from_u128(3);
        assert_eq!(mac(id), mac(id));
        assert!(mac(id).starts_with("52:54:00:"));
    }
}

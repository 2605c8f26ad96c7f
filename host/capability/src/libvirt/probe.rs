//! Whether the hardware really runs a guest.
//!
//! That libvirt offers KVM proves little: there are hosts, most of them guests themselves, where KVM opens and makes
//! CPUs, and yet a system does not get through its first second, since in some modes each instruction is imitated. So
//! a guest of our own is booted. It goes through the modes that every system goes through, works a while in each, and
//! then says that it was here. On hardware that takes milliseconds beside the firmware's start.

use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use uuid::Uuid;
use virt::domain::Domain;
use virt::error::ErrorNumber;
use virt::storage_vol::StorageVol;
use virt::stream::Stream;
use virt::sys;

use super::config::DomainType;
use super::connection::Live;
use super::error::Result;
use super::volume::Place;
use super::xml::{self, leaf, node, text};

/// How long the guest may take. It has needed 0.6 s under emulation, so hardware that is worth having needs less.
const PATIENCE: Duration = Duration::from_secs(3);

/// How machines are run where the operator leaves it open: found out once, when it is needed.
#[derive(Debug, Default)]
pub(super) struct Found(Mutex<Option<DomainType>>);

impl Found {
    /// The answer; others who need it wait while it is found.
    pub(super) fn get(&self, live: &Live, place: &Place) -> DomainType {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = *found {
            return found;
        }
        let answer = match offered(live).and_then(|offered| Ok(offered && boots(live, place, "kvm")?)) {
            Ok(true) => DomainType::Kvm,
            Ok(false) => DomainType::Qemu,
            Err(error) => {
                tracing::warn!(%error, "whether a guest runs on the hardware cannot be found out");
                DomainType::Qemu
            }
        };
        match answer {
            DomainType::Kvm => tracing::info!("machines run on the hardware, by KVM"),
            DomainType::Qemu | DomainType::Auto => {
                tracing::warn!(
                    "no guest was seen to run on the hardware: machines are emulated, which is slow"
                );
            }
        }
        *found.insert(answer)
    }
}

fn offered(live: &Live) -> Result<bool> {
    Ok(live.connect.get_capabilities()?.contains("<domain type='kvm'"))
}

/// Whether the guest boots when it is run in this way.
pub(super) fn boots(live: &Live, place: &Place, domain_type: &str) -> Result<bool> {
    // Others may be probing in the same pool.
    let name = format!("occi-probe-{}", Uuid::new_v4());
    let disk = place.upload(live, &name, &boot_sector())?;
    let answer = run(live, place, &name, domain_type);
    disk.delete(0)?;
    answer
}

fn run(live: &Live, place: &Place, name: &str, domain_type: &str) -> Result<bool> {
    let description = description(place, name, domain_type)?;
    // Not defined, and gone with the connection: nothing is left whatever becomes of us.
    let domain = match Domain::create_xml(&live.connect, &description, sys::VIR_DOMAIN_START_AUTODESTROY) {
        Ok(domain) => domain,
        Err(error) => {
            tracing::debug!(%error, "a guest does not start on the hardware");
            return Ok(false);
        }
    };
    let began = Instant::now();
    let mut here = false;
    while !here && began.elapsed() < PATIENCE {
        sleep(Duration::from_millis(50));
        here = match domain.get_state() {
            Ok((state, _)) => state == sys::VIR_DOMAIN_CRASHED,
            // The guest that gets to its end is kept; this one ended in QEMU.
            Err(error) if error.code() == ErrorNumber::NoDomain => return Ok(false),
            Err(error) => return Err(error.into()),
        };
    }
    domain.destroy()?;
    tracing::debug!(here, took = ?began.elapsed(), "probed the hardware");
    Ok(here)
}

/// A machine whose panic is the guest's sign: libvirt keeps it for us to look at.
fn description(place: &Place, name: &str, domain_type: &str) -> Result<String> {
    xml::document(|xml| {
        node(xml, "domain", &[("type", domain_type)], |xml| {
            text(xml, "name", &[], name)?;
            text(xml, "memory", &[("unit", "MiB")], "32")?;
            text(xml, "vcpu", &[], "1")?;
            node(xml, "os", &[], |xml| text(xml, "type", &[("arch", "x86_64"), ("machine", "pc")], "hvm"))?;
            text(xml, "on_crash", &[], "preserve")?;
            node(xml, "devices", &[], |xml| {
                node(xml, "disk", &[("type", "volume"), ("device", "disk")], |xml| {
                    leaf(xml, "driver", &[("name", "qemu"), ("type", "raw")])?;
                    leaf(xml, "source", &[("pool", place.pool()), ("volume", name)])?;
                    leaf(xml, "target", &[("dev", "hda"), ("bus", "ide")])
                })?;
                leaf(xml, "panic", &[("model", "isa")])
            })
        })
    })
}

/// The guest: a boot sector, which the firmware loads at 0x7c00.
fn boot_sector() -> [u8; 512] {
    let steps = REAL_MODE.iter().chain(PROTECTED_MODE).chain(LONG_MODE).chain(TABLES);
    let mut sector = [0; 512];
    let bytes = steps.flat_map(|(bytes, _)| bytes.iter().copied());
    for (place, byte) in sector.iter_mut().zip(bytes) {
        *place = byte;
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// Machine code with what it says in assembly.
type Code = &'static [(&'static [u8], &'static str)];

const REAL_MODE: Code = &[
    (&[0xfa], "cli"),
    (&[0x31, 0xc0], "xor ax, ax"),
    (&[0x8e, 0xd8], "mov ds, ax"),
    (&[0x0f, 0x01, 0x16, 0xb0, 0x7c], "lgdt [0x7cb0]"),
    (&[0x0f, 0x20, 0xc0], "mov eax, cr0"),
    (&[0x0c, 0x01], "or al, 1; protection"),
    (&[0x0f, 0x22, 0xc0], "mov cr0, eax"),
    (&[0xea, 0x17, 0x7c, 0x10, 0x00], "jmp 0x10:0x7c17"),
];

const PROTECTED_MODE: Code = &[
    (&[0xb0, 0x18], "mov al, 0x18"),
    (&[0x8e, 0xd8], "mov ds, eax"),
    (&[0x8e, 0xc0], "mov es, eax"),
    (&[0xb9, 0x00, 0x2d, 0x31, 0x01], "mov ecx, 20000000"),
    (&[0xe2, 0xfe], "loop self"),
    // Page tables that map the first 2 MiB to themselves.
    (&[0xbf, 0x00, 0x10, 0x00, 0x00], "mov edi, 0x1000"),
    (&[0x31, 0xc0], "xor eax, eax"),
    (&[0xb9, 0x00, 0x0c, 0x00, 0x00], "mov ecx, 0xc00"),
    (&[0xf3, 0xab], "rep stosd"),
    (&[0xc7, 0x05, 0x00, 0x10, 0x00, 0x00, 0x03, 0x20, 0x00, 0x00], "mov dword [0x1000], 0x2003"),
    (&[0xc7, 0x05, 0x00, 0x20, 0x00, 0x00, 0x03, 0x30, 0x00, 0x00], "mov dword [0x2000], 0x3003"),
    (&[0xc7, 0x05, 0x00, 0x30, 0x00, 0x00, 0x83, 0x00, 0x00, 0x00], "mov dword [0x3000], 0x83"),
    (&[0xb0, 0x20], "mov al, 0x20; physical address extension"),
    (&[0x0f, 0x22, 0xe0], "mov cr4, eax"),
    (&[0xb8, 0x00, 0x10, 0x00, 0x00], "mov eax, 0x1000"),
    (&[0x0f, 0x22, 0xd8], "mov cr3, eax"),
    (&[0xb9, 0x80, 0x00, 0x00, 0xc0], "mov ecx, 0xc0000080"),
    (&[0x0f, 0x32], "rdmsr"),
    (&[0x80, 0xcc, 0x01], "or ah, 1; long mode"),
    (&[0x0f, 0x30], "wrmsr"),
    (&[0x0f, 0x20, 0xc0], "mov eax, cr0"),
    (&[0x0f, 0xba, 0xe8, 0x1f], "bts eax, 31; paging"),
    (&[0x0f, 0x22, 0xc0], "mov cr0, eax"),
    (&[0xea, 0x7a, 0x7c, 0x00, 0x00, 0x08, 0x00], "jmp 0x08:0x7c7a"),
];

const LONG_MODE: Code = &[
    (&[0xb9, 0x00, 0x2d, 0x31, 0x01], "mov ecx, 20000000"),
    (&[0xe2, 0xfe], "loop self"),
    (&[0xb0, 0x01], "mov al, 1"),
    (&[0x66, 0xba, 0x05, 0x05], "mov dx, 0x505; the panic device"),
    (&[0xee], "out dx, al"),
    (&[0xf4], "hlt"),
    (&[0xeb, 0xfd], "jmp to hlt"),
];

const TABLES: Code = &[
    (&[0x90; 5], "up to 0x7c90"),
    (&[0; 8], "no segment"),
    (&[0x00, 0x00, 0x00, 0x00, 0x00, 0x9a, 0x20, 0x00], "0x08: code of 64 bits"),
    (&[0xff, 0xff, 0x00, 0x00, 0x00, 0x9a, 0xcf, 0x00], "0x10: code of 32 bits"),
    (&[0xff, 0xff, 0x00, 0x00, 0x00, 0x92, 0xcf, 0x00], "0x18: data"),
    (&[0x1f, 0x00, 0x90, 0x7c, 0x00, 0x00], "0x7cb0: the table's limit and place"),
];

impl Place {
    /// A volume with just these bytes, as they are.
    fn upload(&self, live: &Live, name: &str, bytes: &[u8]) -> Result<StorageVol> {
        let volume = self.create_raw(live, name, bytes.len())?;
        let stream = Stream::new(&live.connect, 0)?;
        volume.upload(&stream, 0, bytes.len() as u64, 0)?;
        let mut left = bytes;
        while !left.is_empty() {
            left = left.get(stream.send(left)?..).unwrap_or_default();
        }
        stream.finish()?;
        Ok(volume)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guests_parts_are_where_its_jumps_lead() {
        let length = |code: Code| code.iter().map(|(bytes, _)| bytes.len()).sum::<usize>();
        let real = length(REAL_MODE);
        let protected = real + length(PROTECTED_MODE);
        let long = protected + length(LONG_MODE);
        let pad = TABLES[0].0.len();
        assert_eq!(0x7c00 + real, 0x7c17);
        assert_eq!(0x7c00 + protected, 0x7c7a);
        assert_eq!(0x7c00 + long + pad, 0x7c90);
        assert_eq!(0x7c00 + long + length(TABLES) - 6, 0x7cb0);
        assert_eq!(boot_sector()[510..], [0x55, 0xaa]);
    }
}

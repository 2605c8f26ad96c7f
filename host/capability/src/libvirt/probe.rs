//! Whether the hardware really runs a guest.
//!
//! That libvirt offers KVM proves little: there are hosts, most of them guests themselves, where KVM opens and makes
//! CPUs, and yet a system does not get through its first second, since in some modes each instruction is imitated. So
//! a guest of our own is booted. It goes through the modes that every system goes through, works a while in each, and
//! then says that it was here. On hardware that takes milliseconds beside the firmware's start.

use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;
use virt::domain::Domain;
use virt::error::ErrorNumber;
use virt::storage_vol::StorageVol;
use virt::stream::Stream;
use virt::sys;

use super::config::DomainType;
use super::connection::{Driver, Live};
use super::error::Result;
use super::volume::Place;
use super::xml::{self, leaf, node, text};

/// How long the guest may take. It has needed 0.6 s under emulation, so hardware that is worth having needs less.
const PATIENCE: Duration = Duration::from_secs(3);

/// How the volumes are named that are made here, before the UUID of version 7 that tells when.
const PREFIX: &str = "occi-probe-";

/// A name for one.
pub(super) fn name() -> String {
    format!("{PREFIX}{}", Uuid::now_v7())
}

/// A volume that is older than this was left by a server that was killed: nobody probes for so long, and clocks of hosts
/// that share a pool differ by less.
const STALE: Duration = Duration::from_hours(1);

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
    place.sweep(live);
    // Others may be probing in the same pool. The name says when, for whoever finds it.
    let name = name();
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

/// Whether a volume was made here, and so long before `now` (since the Unix epoch) that nobody uses it any more.
fn is_stale(volume: &str, now: Duration) -> bool {
    let id = volume.strip_prefix(PREFIX).and_then(|id| Uuid::parse_str(id).ok());
    // Only version 7 has a time that is that of its making.
    let made = id.filter(|id| id.get_version_num() == 7).and_then(|id| id.get_timestamp());
    made.is_some_and(|made| {
        let (seconds, nanoseconds) = made.to_unix();
        Duration::new(seconds, nanoseconds).saturating_add(STALE) < now
    })
}

impl Place {
    /// Removes what servers have left that were killed while they probed. Where that fails, it is there a while longer.
    fn sweep(&self, live: &Live) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let swept = self.within(live, |pool| {
            for volume in pool.list_all_volumes(0)? {
                if volume.get_name().is_ok_and(|name| is_stale(&name, now)) {
                    // Another server may sweep at the same time.
                    _ = volume.delete(0);
                }
            }
            Ok(())
        });
        if let Err(error) = swept {
            tracing::debug!(%error, "what earlier probes have left was not looked for");
        }
    }

    /// A volume with just these bytes, as they are.
    pub(super) fn upload(&self, live: &Live, name: &str, bytes: &[u8]) -> Result<StorageVol> {
        let volume = self.create_raw(live, name, bytes.len())?;
        if live.driver == Driver::Test {
            // Its volumes hold nothing.
            return Ok(volume);
        }
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
    use super::super::{Hold, Hypervisor, HypervisorConfig, Lane};
    use super::*;
    use uuid::{NoContext, Timestamp};

    /// The name of a volume that was made so many seconds after the Unix epoch.
    fn made_at(seconds: u64) -> String {
        format!("{PREFIX}{}", Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)))
    }

    #[test]
    fn only_old_volumes_of_probes_are_stale() {
        let now = Duration::from_secs(1_700_000_000);
        assert!(is_stale(&made_at(now.as_secs() - 3700), now));
        for made in [now.as_secs() - 3500, now.as_secs(), now.as_secs() + 100_000] {
            assert!(!is_stale(&made_at(made), now));
        }
        let old = made_at(0).replace(PREFIX, "");
        let of_an_entity = format!("occi-{old}");
        let of_another_version = format!("{PREFIX}{}", Uuid::new_v4());
        for foreign in [&old, &of_an_entity, &of_another_version, "occi-probe-", "occi-probe-disk.img"] {
            assert!(!is_stale(foreign, now), "{foreign}");
        }
    }

    /// What a killed server left goes with the next probe; what is of others stays.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_probe_removes_what_killed_ones_left() {
        let config = HypervisorConfig {
            pool: format!("occi-test-{}", Uuid::new_v4()),
            volumes: "/occi-test-volumes".into(),
            ..HypervisorConfig::default()
        };
        let place = Place::of(&config);
        let hypervisor = Hypervisor::open(config).await.unwrap();
        let left = hypervisor.workers().call(Lane::Long, Hold::Nothing, move |live| {
            let kept = [format!("{PREFIX}{}", Uuid::now_v7()), "backup.img".to_owned()];
            let stale = made_at(1000);
            for name in kept.iter().chain([&stale]) {
                place.create_raw(live, name, 512)?;
            }
            place.sweep(live);
            let mut left = Vec::new();
            for volume in place.within(live, |pool| pool.list_all_volumes(0))? {
                left.push(volume.get_name()?);
            }
            left.sort();
            Ok((left, kept))
        });
        let (left, mut kept) = left.await.unwrap();
        kept.sort();
        assert_eq!(left, kept);
    }

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

//! The disks that a machine has by itself, beside what is attached to it: the one that its system is on, one for what need
//! not last, and one with what the system is to be told. Each is a volume that goes with the machine.

use uuid::Uuid;
use virt::domain::Domain;
use virt::error::ErrorNumber;
use virt::storage_vol::StorageVol;
use virt::sys;

use super::connection::{Driver, Live};
use super::device::{self, Device, Devices};
use super::error::{Error, Result};
use super::image::{DiskFormat, Image, ImageDisk};
use super::machine_xml::MachinePlan;
use super::side::{Mark, Side};
use super::volume::{FORMAT, Place, sectors};
use super::{name, saved, seed};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// What the machine boots from.
    System,
    /// What need not last.
    Scratch,
    /// What the system is to be told.
    Seed,
}

impl Own {
    const ALL: [Self; 3] = [Self::System, Self::Scratch, Self::Seed];

    /// In names, and where the machine's system finds it: `/dev/disk/by-id/virtio-WORD`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Scratch => "scratch",
            Self::Seed => "seed",
        }
    }

    /// The one by that word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.word() == word)
    }

    /// The volume behind it, with what tells it from others that the machine had or will have.
    fn volume(self, machine: Uuid, more: &str) -> String {
        let stem = format!("{}-{}", name::of(machine), self.word());
        if more.is_empty() { stem } else { format!("{stem}-{more}") }
    }
}

/// The machine whose own a volume of that name is.
pub(super) fn owner(volume: &str) -> Option<Uuid> {
    if Mark::of(volume).is_some() {
        return None;
    }
    let at = volume.char_indices().nth(name::LENGTH)?.0;
    let (machine, rest) = volume.split_at(at);
    let word = rest.strip_prefix('-')?;
    let is_own = Own::ALL.iter().any(|own| word.split(['-', '.']).next() == Some(own.word()));
    name::entity(machine).filter(|_| is_own)
}

/// Which of a machine's own disks a volume of that name is.
pub(super) fn kind_of(volume: &str) -> Option<Own> {
    owner(volume)?;
    Own::of(volume.get(name::LENGTH + 1..)?.split(['-', '.']).next()?)
}

/// The image that a machine began as, by the volume of its system.
pub(super) fn image(machine: Uuid, volume: &str) -> Option<String> {
    let name = volume.strip_prefix(&Own::System.volume(machine, ""))?.strip_prefix('-')?;
    Some(name.to_owned())
}

/// What becomes of a machine's own disks when it is defined.
pub(super) struct OwnDisks<'a> {
    live: &'a Live,
    place: &'a Place,
    machine: Uuid,
    /// All devices that it is to have, as libvirt is told.
    pub(super) devices: String,
    /// Whether it has a disk that its system is on.
    pub(super) has_system: bool,
    /// Volumes that were made for that.
    made: Vec<String>,
    /// Whether it may have had others, which it has no more.
    had_others: bool,
    /// The disk that came for what need not last, which a machine that runs can have at once.
    comes: Option<String>,
    /// The volume of that disk, and what it is to have at least.
    grows: Option<(String, u64)>,
}

impl<'a> OwnDisks<'a> {
    /// Makes what a machine needs by a plan and lacks; `present` is what it is now. Where that fails nothing is left of it.
    pub(super) fn make(
        live: &'a Live,
        place: &'a Place,
        machine: Uuid,
        plan: &MachinePlan,
        present: Option<(&Domain, &Devices)>,
    ) -> Result<Self> {
        let mut disks = Self {
            live,
            place,
            machine,
            devices: String::new(),
            has_system: false,
            made: Vec::new(),
            had_others: false,
            comes: None,
            grows: None,
        };
        match disks.settle(machine, plan, present) {
            Ok(()) => Ok(disks),
            Err(error) => {
                disks.undo();
                Err(error)
            }
        }
    }

    fn settle(
        &mut self,
        machine: Uuid,
        plan: &MachinePlan,
        present: Option<(&Domain, &Devices)>,
    ) -> Result<()> {
        let devices = present.map(|(_, devices)| devices);
        let held = |own| devices.and_then(|devices| devices.own(own));
        let text = |device: &Device| devices.map(|devices| devices.text(device)).unwrap_or_default();
        let mut taken: Vec<String> = devices
            .iter()
            .flat_map(|devices| devices.all())
            .filter_map(|device| device.target.clone())
            .collect();
        let mut own = String::new();

        let wanted = plan.image.as_ref().and_then(|image| Some((image, image.disk.as_ref()?)));
        match (wanted, held(Own::System)) {
            (None, None) => {}
            (None, Some(device)) => own.push_str(text(device)),
            (Some((image, _)), Some(device)) if image_of(machine, device).as_deref() == Some(&image.name) => {
                own.push_str(text(device));
            }
            (Some((image, disk)), held) => {
                check_off(present)?;
                let target = place_of(held, &mut taken)?;
                own.push_str(&self.system(machine, image, disk, &target)?);
            }
        }
        self.has_system = !own.is_empty();

        match (plan.scratch, held(Own::Scratch)) {
            (None, None) => {}
            (wanted, Some(device)) => {
                self.grows = device.volume.clone().zip(wanted);
                own.push_str(text(device));
            }
            (Some(bytes), None) => {
                let (volume, target) = (Own::Scratch.volume(machine, ""), take(&mut taken)?);
                self.volume(&volume, |place, live| {
                    place.make(live, &volume, sectors(bytes)?, DiskFormat::Qcow2).map(drop)
                })?;
                let disk = device::own_disk(Own::Scratch, self.place.pool(), &volume, FORMAT, &target)?;
                own.push_str(&disk);
                self.comes = Some(disk);
            }
        }

        let wanted = seed::digest(&plan.seed).map(|digest| Own::Seed.volume(machine, &digest));
        match (wanted, held(Own::Seed)) {
            (None, None) => {}
            (None, Some(_)) => {}
            (Some(volume), Some(device)) if device.volume.as_ref() == Some(&volume) => {
                own.push_str(text(device));
            }
            (Some(volume), held) => {
                let target = place_of(held, &mut taken)?;
                let content = seed::disk(&plan.seed)?;
                self.volume(&volume, |place, live| place.upload(live, &volume, &content).map(drop))?;
                own.push_str(&device::own_disk(
                    Own::Seed,
                    self.place.pool(),
                    &volume,
                    DiskFormat::Raw.as_str(),
                    &target,
                )?);
            }
        }

        self.had_others =
            devices.is_some_and(|devices| devices.all().iter().any(|device| device.own.is_some()));
        let others = devices.iter().flat_map(|devices| devices.all()).filter(|device| device.own.is_none());
        self.devices = own;
        others.for_each(|device| self.devices.push_str(text(device)));
        Ok(())
    }

    fn system(&mut self, machine: Uuid, image: &Image, disk: &ImageDisk, target: &str) -> Result<String> {
        let volume = Own::System.volume(machine, &image.name);
        self.volume(&volume, |place, live| place.begin_as(live, &volume, disk).map(drop))?;
        device::own_disk(Own::System, self.place.pool(), &volume, FORMAT, target)
    }

    /// Has a volume made. One that is there was left by a call that a crash cut short, and no machine has it.
    fn volume(&mut self, volume: &str, make: impl Fn(&Place, &Live) -> Result<()>) -> Result<()> {
        delete(self.live, self.place, volume)?;
        make(self.place, self.live)?;
        self.made.push(volume.to_owned());
        Ok(())
    }

    /// What was made is not needed after all.
    pub(super) fn undo(&self) {
        for volume in &self.made {
            if let Err(error) = delete(self.live, self.place, volume) {
                tracing::warn!(volume, %error, "a disk that no machine has stays until its machine is defined anew");
            }
        }
    }

    /// What the machine has no more goes, also what earlier calls have left that broke off. One that runs, or is to go on
    /// with its saved memory, needs what it began with: that goes when it is defined the next time.
    fn sweep(&self, domain: &Domain) -> Result<()> {
        let mut kept = vec![Devices::defined(domain)?];
        if domain.is_active()? {
            kept.push(Devices::running(domain)?);
        }
        if self.live.driver == Driver::Qemu && domain.has_managed_save(0)? {
            kept.push(Devices::read(saved::description(domain)?)?);
        }
        let is_kept = |volume: &str| {
            let volume = Mark::of(volume).unwrap_or(volume);
            kept.iter().any(|devices| devices.volumes().any(|kept| kept == volume))
        };
        let left = left(Side { live: self.live, place: self.place }, self.machine)?;
        left.iter()
            .filter(|volume| !is_kept(volume))
            .try_for_each(|volume| delete(self.live, self.place, volume))
    }

    /// The machine is defined: what it has no more goes, what it runs with follows where that is possible.
    pub(super) fn finish(&self, domain: &Domain) -> Result<()> {
        if self.had_others
            && let Err(error) = self.sweep(domain).or_else(|_| self.sweep(domain))
        {
            tracing::warn!(machine = %self.machine, %error, "disks that a machine has no more may stay");
        }
        let runs = self.live.driver == Driver::Qemu && domain.is_active()?;
        if let Some(disk) = self.comes.as_deref().filter(|_| runs) {
            // Else it has it from its next start on.
            if let Err(error) = domain.attach_device_flags(disk, sys::VIR_DOMAIN_AFFECT_LIVE) {
                tracing::info!(%error, "a running machine has a new disk from its next start");
            }
        }
        let Some((volume, bytes)) = &self.grows else { return Ok(()) };
        let bytes = sectors(*bytes)?;
        if self.live.driver == Driver::Test {
            // It resizes no volume: that holds nothing, and is made anew.
            if self
                .find(volume)
                .and_then(|found| Ok(found.get_info()?.capacity))
                .is_ok_and(|has| has >= bytes)
            {
                return Ok(());
            }
            delete(self.live, self.place, volume)?;
            return self.place.make(self.live, volume, bytes, DiskFormat::Qcow2).map(drop);
        }
        let found = self.find(volume)?;
        if found.get_info()?.capacity >= bytes {
            return Ok(());
        }
        if runs {
            // While a machine writes to it, only that machine's QEMU may touch it.
            let devices = Devices::running(domain)?;
            if let Some(target) = devices.own(Own::Scratch).and_then(|device| device.target.as_deref()) {
                domain.block_resize(target, bytes, sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES)?;
                return Ok(());
            }
        }
        Ok(found.resize(bytes, 0).map(drop)?)
    }

    fn find(&self, volume: &str) -> Result<StorageVol> {
        self.place.within(self.live, |pool| StorageVol::lookup_by_name(pool, volume))
    }
}

/// Deletes what a machine had by itself that is gone, and what calls have left that broke off. What cannot be deleted is no
/// reason to say that it is not: the log tells.
pub(super) fn discard(side: Side<'_>, machine: Uuid, devices: &Devices) -> Result<()> {
    let own = devices.all().iter().filter(|device| device.own.is_some());
    let mut own: Vec<_> = own.filter_map(|device| device.volume.clone()).collect();
    match left(side, machine).or_else(|_| left(side, machine)) {
        Ok(left) => own.extend(left),
        Err(error @ (Error::Unavailable(_) | Error::Timeout(_))) => return Err(error),
        Err(error) => tracing::error!(%machine, %error, "disks of a machine that is gone may stay"),
    }
    own.sort_unstable();
    own.dedup();
    for volume in own {
        match side.delete(&volume).or_else(|_| side.delete(&volume)) {
            // Who deletes it again begins here.
            Err(error @ (Error::Unavailable(_) | Error::Timeout(_))) => return Err(error),
            Err(error) => tracing::error!(volume, %error, "a disk of a machine that is gone stays"),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// The names of what a machine that may not be there has or had by itself, and of [marks](Mark) beside that.
pub(super) fn left(side: Side<'_>, machine: Uuid) -> Result<Vec<String>> {
    if !side.place.is_there(side.live)? {
        return Ok(Vec::new());
    }
    let mut left = Vec::new();
    for volume in side.place.within(side.live, |pool| pool.list_all_volumes(0))? {
        let name = volume.get_name()?;
        if owner(Mark::of(&name).unwrap_or(&name)) == Some(machine) {
            left.push(name);
        }
    }
    Ok(left)
}

/// Deletes what a machine that is not there had by itself.
pub(super) fn discard_left(side: Side<'_>, machine: Uuid) -> Result<()> {
    left(side, machine)?.iter().try_for_each(|volume| side.delete(volume))
}

/// Deletes a volume by its name. Succeeds where there is none.
pub(super) fn delete(live: &Live, place: &Place, volume: &str) -> Result<()> {
    let deleted = place.within(live, |pool| match StorageVol::lookup_by_name(pool, volume) {
        Ok(found) => found.delete(0),
        Err(error) if error.code() == ErrorNumber::NoStorageVolume => Ok(()),
        Err(error) => Err(error),
    });
    match deleted {
        // Somebody else was faster.
        Err(Error::Missing(_)) => Ok(()),
        deleted => deleted,
    }
}

fn image_of(machine: Uuid, device: &Device) -> Option<String> {
    image(machine, device.volume.as_deref()?)
}

/// The system of a machine changes only while nothing of it runs or is to run on.
fn check_off(present: Option<(&Domain, &Devices)>) -> Result<()> {
    let Some((domain, _)) = present else { return Ok(()) };
    if domain.is_active()? || domain.has_managed_save(0)? {
        return Err(Error::Conflict(
            "the machine's system is in use, and another image would take its place: stop the machine first"
                .into(),
        ));
    }
    Ok(())
}

/// The name for a disk that takes another's place, or a free one.
fn place_of(held: Option<&Device>, taken: &mut Vec<String>) -> Result<String> {
    held.and_then(|device| device.target.clone()).map_or_else(|| take(taken), Ok)
}

fn take(taken: &mut Vec<String>) -> Result<String> {
    let target = device::free_name(|name| taken.iter().any(|taken| taken == name))?;
    taken.push(target.clone());
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_says_whose_it_is() {
        let machine = Uuid::from_u128(7);
        let system = Own::System.volume(machine, "debian-12");
        assert_eq!(system, "occi-00000000-0000-0000-0000-000000000007-system-debian-12");
        assert_eq!(image(machine, &system).as_deref(), Some("debian-12"));
        assert_eq!(image(Uuid::from_u128(8), &system), None);
        for own in [system, Own::Scratch.volume(machine, ""), Own::Seed.volume(machine, "0a1b")] {
            assert_eq!(owner(&own), Some(machine), "{own}");
            assert_eq!(name::entity(&own), None, "{own}");
        }
        for foreign in [
            "",
            "disk.qcow2",
            &format!("{}.coming", Own::Scratch.volume(machine, "")),
            &name::of(machine),
            &format!("{}-backup", name::of(machine)),
            "ü".repeat(50).as_str(),
        ] {
            assert_eq!(owner(foreign), None, "{foreign}");
        }
    }
}

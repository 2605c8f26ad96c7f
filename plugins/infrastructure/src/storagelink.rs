//! `StorageLink`: a volume attached to a compute's machine.
//!
//! The hypervisor chooses the device, so `occi.storagelink.deviceid` is what it answers. The mount point is for the guest
//! system to use: it is shown and no more.

use crate::{ends, outcome};
use occi_sdk::machines::Machine;
use occi_sdk::volumes::Volume;
use occi_sdk::{Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject};

const DEVICE: &str = "occi.storagelink.deviceid";

pub(crate) struct StorageLink;

impl Lifecycle for StorageLink {
    fn create(_subject: &Subject) -> Result<Change> {
        let machine = ends::machine()?;
        attach(&machine, &volume()?)
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        if ends::change(wanted) {
            ends::machine()?;
            return volume().map(|_| Change::new());
        }
        if wanted.has(DEVICE) {
            return Err(Fault::unsupported("the hypervisor chooses the device; leave it out").on(DEVICE));
        }
        if subject.text(DEVICE).is_some() {
            return Ok(Change::new());
        }
        // A full update that leaves it out keeps what the volume has.
        attach(&ends::machine()?, &volume()?)
    }

    fn delete(_subject: &Subject) -> Result<()> {
        match (Machine::find(End::Source)?, Volume::find(End::Target)?) {
            (Some(machine), Some(volume)) => machine.detach_volume(&volume),
            (None, _) | (_, None) => Ok(()),
        }
    }
}

impl Observe for StorageLink {
    fn observe(_subject: &Subject, _cause: Cause) -> Result<Change> {
        let Some(machine) = Machine::find(End::Source)? else { return Ok(outcome::gone("machine")) };
        let Some(volume) = Volume::find(End::Target)? else { return Ok(outcome::gone("volume")) };
        ends::kept(attach(&machine, &volume))
    }
}

/// The volume at the link's target.
fn volume() -> Result<Volume> {
    let refused = "the target has no volume; name a storage that this server holds";
    Volume::find(End::Target)?.ok_or_else(|| Fault::invalid(refused).on(ends::TARGET))
}

/// Attach the volume, where it is not attached already, and say as what.
fn attach(machine: &Machine, volume: &Volume) -> Result<Change> {
    let device = machine.attach_volume(volume)?;
    Ok(ends::present(machine)?.set(DEVICE, device))
}

//! Storage: a volume.
//!
//! Its state says whether it is offered for use; the hypervisor knows no such state, so it is the entity's alone. A
//! volume grows with `occi.storage.size`, and does not shrink, since what is beyond the new end would be lost.

use crate::{outcome, size};
use occi_sdk::volumes::Volume;
use occi_sdk::{
    Actions, Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject, logging,
};

const SIZE: &str = "occi.storage.size";

pub(crate) struct Storage;

impl Lifecycle for Storage {
    fn create(subject: &Subject) -> Result<Change> {
        Volume::create(End::Subject, capacity(subject)?)?;
        Ok(Change::new().state("offline"))
    }

    fn update(_subject: &Subject, wanted: &Attributes) -> Result<Change> {
        if wanted.has(SIZE) {
            let volume = Volume::open(End::Subject)?;
            let (wanted, present) = (capacity(wanted)?, volume.capacity()?);
            if size::is_same(wanted, present) {
                return Ok(Change::new());
            }
            if wanted < present {
                let refused = "a storage can only grow; give no less than it has";
                return Err(Fault::invalid(refused).on(SIZE));
            }
            volume.resize(wanted)?;
        }
        Ok(Change::new())
    }

    fn delete(_subject: &Subject) -> Result<()> {
        match Volume::find(End::Subject)? {
            Some(volume) => volume.remove(),
            None => Ok(()),
        }
    }
}

impl Actions for Storage {
    fn act(_subject: &Subject, action: &str, _parameters: &Attributes) -> Result<Change> {
        let state = match action {
            "online" | "offline" => action,
            _ => return Err(Fault::unsupported(format!("a storage has no action {action}"))),
        };
        Ok(match Volume::find(End::Subject)? {
            Some(_) => Change::new().state(state).message(""),
            None => outcome::gone("volume"),
        })
    }
}

impl Observe for Storage {
    fn observe(subject: &Subject, cause: Cause) -> Result<Change> {
        if cause == Cause::Recreate {
            Volume::create(End::Subject, capacity(subject)?)?;
            logging::warn(&format!("the volume of {} was made again, and is empty", subject.location()));
            return Ok(Change::new());
        }
        let Some(volume) = Volume::find(End::Subject)? else { return Ok(outcome::gone("volume")) };
        let mut change = match subject.state().as_deref() {
            // It has come back, or never was away.
            Some("error") => Change::new().state("offline").message(""),
            _ => Change::new(),
        };
        // An update that a crash cut short may have reached the volume and not the attribute; it does not shrink.
        let present = volume.capacity()?;
        if !size::is_same(capacity(subject)?, present) {
            change = change.set(SIZE, size::gib(present));
        }
        Ok(change)
    }
}

/// How many bytes the attribute asks for.
fn capacity(of: &dyn Read) -> Result<u64> {
    let wanted =
        of.number(SIZE).ok_or_else(|| Fault::invalid("say how large it is to be, in GiB").on(SIZE))?;
    size::bytes(wanted, SIZE)
}

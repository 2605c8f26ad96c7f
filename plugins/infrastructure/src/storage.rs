//! Storage: a volume.
//!
//! - Its state says whether it is offered for use; the hypervisor knows no such state, so it is the entity's alone.
//! - A volume grows with `occi.storage.size`, and does not shrink, since what is beyond the new end would be lost.
//! - Its format is chosen when it is made (`storage_format`), and so is the template that it begins as a copy of.
//! - The actions that only OCCI 1.1 has are done when they are answered: `resize` is a changed size. `backup` and `snapshot` make a
//!   template of what is on the volume at that moment. It stands by itself; which of the two it was stands in its title.

use crate::{STORAGE_FORMAT, STORAGE_TEMPLATE, outcome, size};
use occi_sdk::volumes::Volume;
use occi_sdk::{
    Actions, Attributes, Cause, Change, End, Fault, Lifecycle, Observe, Read, Result, Subject, images,
    logging,
};

const SIZE: &str = "occi.storage.size";
/// The parameter of the action 'resize', which OCCI 1.1 has.
const NEW_SIZE: &str = "size";
const FORMAT: &str = "org.example.storage.format";
const TITLE: &str = "occi.core.title";
/// The scheme of storage templates: the term of each is the name of an image.
const TEMPLATES: &str = "http://example.org/occi/infrastructure/storage_tpl#";

pub(crate) struct Storage;

impl Lifecycle for Storage {
    fn create(subject: &Subject) -> Result<Change> {
        let mixins = subject.mixins();
        let image = mixins.iter().find_map(|mixin| mixin.strip_prefix(TEMPLATES));
        let volume = begin(subject, image)?;
        Ok(with_format(subject, &volume)?.state("offline"))
    }

    fn update(_subject: &Subject, wanted: &Attributes) -> Result<Change> {
        if wanted.has(SIZE) {
            grow(&Volume::open(End::Subject)?, wanted, SIZE)?;
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
    fn act(subject: &Subject, action: &str, parameters: &Attributes) -> Result<Change> {
        let Some(volume) = Volume::find(End::Subject)? else { return Ok(outcome::gone("volume")) };
        match action {
            "online" | "offline" => Ok(Change::new().state(action).message("")),
            "backup" | "snapshot" => {
                let title = subject.text(TITLE).unwrap_or_else(|| "storage".into());
                images::make_of_volume(&volume, &format!("{title} {action}"))?;
                Ok(Change::new())
            }
            "resize" => {
                let wanted = grow(&volume, parameters, NEW_SIZE)?;
                Ok(Change::new().set(SIZE, wanted))
            }
            _ => Err(Fault::unsupported(format!("a storage has no action {action}"))),
        }
    }
}

impl Observe for Storage {
    fn observe(subject: &Subject, cause: Cause) -> Result<Change> {
        if cause == Cause::Recreate {
            begin(subject, None)?;
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

/// How the volume of a storage is written.
pub(crate) struct Format;

impl Lifecycle for Format {
    fn create(subject: &Subject) -> Result<Change> {
        // A new storage was made so.
        if subject.is_new() { Ok(Change::new()) } else { keep_format(subject, subject) }
    }

    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        keep_format(subject, wanted)
    }

    fn delete(_subject: &Subject) -> Result<()> {
        Ok(())
    }
}

/// What a storage begins as.
pub(crate) struct Template;

impl Template {
    /// Whether a Mixin is one, or their root.
    pub(crate) fn is(mixin: &str) -> bool {
        mixin.starts_with(TEMPLATES) || mixin == STORAGE_TEMPLATE
    }
}

impl Lifecycle for Template {
    fn create(subject: &Subject) -> Result<Change> {
        if subject.is_new() {
            return Ok(Change::new());
        }
        Err(Fault::conflict(
            "a storage begins as a template when it is made, and not later: make another storage",
        ))
    }

    fn update(_subject: &Subject, _wanted: &Attributes) -> Result<Change> {
        Ok(Change::new())
    }

    fn delete(_subject: &Subject) -> Result<()> {
        Ok(())
    }
}

/// Have the volume of a storage made.
fn begin(subject: &Subject, image: Option<&str>) -> Result<Volume> {
    let (bytes, format) = (capacity(subject)?, subject.text(FORMAT));
    if format.is_none() && image.is_none() {
        return Volume::create(End::Subject, bytes);
    }
    Volume::create_as(End::Subject, bytes, format.as_deref(), image).map_err(|fault| {
        // The format is one of those that the manifest has.
        if fault.is(Fault::INVALID) { fault.on(SIZE) } else { fault }
    })
}

/// Show how the volume is written, where somebody wants to see it.
fn with_format(subject: &Subject, volume: &Volume) -> Result<Change> {
    let is_wanted = subject.has_mixin(STORAGE_FORMAT);
    Ok(if is_wanted { Change::new().set(FORMAT, volume.format()?) } else { Change::new() })
}

/// The format is what it was from the beginning.
fn keep_format(subject: &Subject, asked: &dyn Read) -> Result<Change> {
    let Some(volume) = Volume::find(End::Subject)? else { return Ok(outcome::gone("volume")) };
    let format = volume.format()?;
    if asked.text(FORMAT).is_some_and(|asked| asked != format) {
        let refused = format!("the storage is written as {format}, from its beginning on: make another one");
        return Err(Fault::denied(refused).on(FORMAT));
    }
    with_format(subject, &volume)
}

/// Have the volume grow to what one of these asks for, which is answered.
fn grow(volume: &Volume, asked: &dyn Read, attribute: &str) -> Result<f64> {
    let wanted = gib(asked, attribute)?;
    let (bytes, present) = (size::of_disk(wanted, attribute)?, volume.capacity()?);
    if size::is_same(bytes, present) {
        return Ok(wanted);
    }
    if bytes < present {
        return Err(Fault::invalid("a storage can only grow; give no less than it has").on(attribute));
    }
    volume.resize(bytes)?;
    Ok(wanted)
}

/// How many bytes the attribute asks for.
fn capacity(of: &dyn Read) -> Result<u64> {
    size::of_disk(gib(of, SIZE)?, SIZE)
}

fn gib(of: &dyn Read, attribute: &str) -> Result<f64> {
    of.number(attribute).ok_or_else(|| Fault::invalid("say how large it is to be, in GiB").on(attribute))
}

//! The fake of the capability `volumes`.

use super::world::{self, World, world};
use crate::{End, Fault, Result};

/// The volume of the entity with that id.
pub(crate) struct Volume(String);

impl Volume {
    pub(crate) fn create(of: End, bytes: u64) -> Result<Self> {
        world(|world| {
            world.enter("volume.create")?;
            Self::make(world, of, &world::Volume::new(bytes, None, None))
        })
    }

    pub(crate) fn create_as(of: End, bytes: u64, format: Option<&str>, image: Option<&str>) -> Result<Self> {
        world(|world| {
            world.enter("volume.create-as")?;
            if let Some(format) = format.filter(|format| !["qcow2", "raw"].contains(format)) {
                return Err(Fault::invalid(format!(
                    "a volume is written as qcow2 or raw, not as {format:?}"
                )));
            }
            match image.map(|image| world.volume_images.get(image)) {
                Some(None) => return Err(Fault::missing("there is no such image")),
                Some(Some(least)) if bytes < *least => {
                    return Err(Fault::invalid(format!("the image has {least} bytes")));
                }
                Some(Some(_)) | None => {}
            }
            Self::make(world, of, &world::Volume::new(bytes, format, image))
        })
    }

    fn make(world: &mut World, of: End, wanted: &world::Volume) -> Result<Self> {
        let id = world.id(of)?;
        let present = world.volumes.entry(id.clone()).or_insert_with(|| wanted.clone());
        if present.capacity == wanted.capacity && present.format == wanted.format {
            return Ok(Self(id));
        }
        let world::Volume { capacity, format, .. } = present;
        Err(Fault::conflict(format!("the volume exists as {format} with {capacity} bytes")))
    }

    pub(crate) fn open(of: End) -> Result<Self> {
        world(|world| {
            world.question("volume.open")?;
            let volume = Self(world.id(of)?);
            volume.find(world)?;
            Ok(volume)
        })
    }

    pub(crate) fn capacity(&self) -> Result<u64> {
        world(|world| {
            world.question("volume.capacity")?;
            Ok(self.find(world)?.capacity)
        })
    }

    pub(crate) fn format(&self) -> Result<String> {
        world(|world| {
            world.question("volume.format")?;
            Ok(self.find(world)?.format.clone())
        })
    }

    pub(crate) fn resize(&self, bytes: u64) -> Result<()> {
        world(|world| {
            world.enter("volume.resize")?;
            let capacity = &mut self.find(world)?.capacity;
            if bytes < *capacity {
                return Err(Fault::invalid(format!("the volume has {capacity} bytes and can only grow")));
            }
            *capacity = bytes;
            Ok(())
        })
    }

    pub(crate) fn remove(&self) -> Result<()> {
        world(|world| {
            world.enter("volume.remove")?;
            if world.machines.values().any(|machine| machine.disks.values().any(|disk| disk.volume == self.0))
            {
                return Err(Fault::conflict("a machine uses the volume"));
            }
            world.volumes.remove(&self.0);
            Ok(())
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.0
    }

    pub(super) fn find<'a>(&self, world: &'a mut World) -> Result<&'a mut world::Volume> {
        world.volumes.get_mut(&self.0).ok_or_else(|| Fault::missing("there is no such volume"))
    }
}

//! The fake of the capability `volumes`.

use super::world::{World, world};
use crate::{End, Fault, Result};

/// The volume of the entity with that id.
pub(crate) struct Volume(String);

impl Volume {
    pub(crate) fn create(of: End, bytes: u64) -> Result<Self> {
        world(|world| {
            world.enter("volume.create")?;
            let id = world.id(of)?;
            let capacity = *world.volumes.entry(id.clone()).or_insert(bytes);
            if capacity == bytes {
                Ok(Self(id))
            } else {
                Err(Fault::conflict(format!("the volume exists with {capacity} bytes")))
            }
        })
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
            Ok(*self.find(world)?)
        })
    }

    pub(crate) fn resize(&self, bytes: u64) -> Result<()> {
        world(|world| {
            world.enter("volume.resize")?;
            let capacity = self.find(world)?;
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

    fn find<'a>(&self, world: &'a mut World) -> Result<&'a mut u64> {
        world.volumes.get_mut(&self.0).ok_or_else(|| Fault::missing("there is no such volume"))
    }
}

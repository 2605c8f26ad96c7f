//! The fake of the capability `folder`.

use super::world::world;
use crate::Result;
use std::ops::Bound;

pub(crate) fn read(name: &str) -> Result<Option<Vec<u8>>> {
    world(|world| {
        world.question("folder.read")?;
        Ok(world.files.get(name).cloned())
    })
}

pub(crate) fn write(name: &str, content: &[u8]) -> Result<()> {
    world(|world| {
        world.enter("folder.write")?;
        world.files.insert(name.into(), content.into());
        Ok(())
    })
}

pub(crate) fn remove(name: &str) -> Result<()> {
    world(|world| {
        world.enter("folder.remove")?;
        world.files.remove(name);
        Ok(())
    })
}

pub(crate) fn names(after: Option<&str>) -> Result<Vec<String>> {
    world(|world| {
        world.question("folder.names")?;
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = world.files.range::<str, _>((behind, Bound::Unbounded));
        Ok(names.map(|(name, _)| name.clone()).collect())
    })
}

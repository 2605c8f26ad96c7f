//! The fake of the capability `images`.

use super::machines::Machine;
use super::volumes::Volume;
use super::world::world;
use crate::Result;

pub(crate) fn make(of: &Machine, title: &str) -> Result<String> {
    world(|world| {
        world.enter("images.make")?;
        of.find(world)?;
        let name = named(title);
        world.images.push(name.clone());
        Ok(name)
    })
}

pub(crate) fn make_of_volume(of: &Volume, title: &str) -> Result<String> {
    world(|world| {
        world.enter("images.make-of-volume")?;
        let bytes = of.find(world)?.capacity;
        let name = named(title);
        world.volume_images.insert(name.clone(), bytes);
        Ok(name)
    })
}

fn named(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

//! The fake of the capability `images`.

use super::machines::Machine;
use super::world::world;
use crate::Result;

pub(crate) fn make(of: &Machine, title: &str) -> Result<String> {
    world(|world| {
        world.enter("images.make")?;
        of.find(world)?;
        let name = title.to_lowercase().replace(' ', "-");
        world.images.push(name.clone());
        Ok(name)
    })
}

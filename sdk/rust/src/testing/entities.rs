//! The fake of the capability `entities`: what a test has placed is seen, of whatever Kind.

use super::types::Entity;
use super::world::world;
use crate::{Fault, Result};

pub(crate) fn find(location: &str) -> Result<Entity> {
    world(|world| {
        world.question("entities.find")?;
        let found = world.entities.iter().find(|entity| entity.location() == location).cloned();
        found.ok_or_else(|| Fault::missing(format!("there is nothing at {location}")))
    })
}

/// Those that are still to be listed, on one page.
pub(crate) struct Listing(Option<Vec<Entity>>);

impl Listing {
    pub(crate) fn members(category: &str) -> Result<Self> {
        Self::of("entities.members", |entity| {
            entity.kind == category || entity.mixins.iter().any(|mixin| mixin == category)
        })
    }

    pub(crate) fn links_from(of: &Entity) -> Result<Self> {
        Self::of("entities.links-from", |link| link.source == Some(of.location()))
    }

    pub(crate) fn links_to(of: &Entity) -> Result<Self> {
        Self::of("entities.links-to", |link| link.target == Some(of.location()))
    }

    fn of(call: &str, wanted: impl Fn(&Entity) -> bool) -> Result<Self> {
        world(|world| {
            world.question(call)?;
            Ok(Self(Some(world.entities.iter().filter(|entity| wanted(entity)).cloned().collect())))
        })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Vec<Entity>>> {
        world(|world| world.question("entities.next"))?;
        Ok(self.0.take())
    }
}

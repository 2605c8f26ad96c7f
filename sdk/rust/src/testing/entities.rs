//! The fake of the capability `entities`: what a test has placed is seen and linked, of whatever Kind. Links are made and ended
//! when the call has answered.

use super::types::Entity;
use super::world::{World, world};
use crate::{Attribute, Fault, Result};

/// How many links one call has made or ended at most.
const ORDERS: usize = 16;

/// What a call wants.
pub(super) enum Order {
    Link(Entity),
    Unlink(String),
}

pub(crate) fn find(location: &str) -> Result<Entity> {
    world(|world| {
        world.question("entities.find")?;
        let found = world.entities.iter().find(|entity| entity.location() == location).cloned();
        found.ok_or_else(|| Fault::missing(format!("there is nothing at {location}")))
    })
}

pub(crate) fn link(kind: &str, target: &str, attributes: &[Attribute]) -> Result<String> {
    world(|world| {
        world.enter("entities.link")?;
        let source = source(world)?;
        let found = world.entities.iter().find(|entity| entity.location() == target);
        match found {
            None => return Err(Fault::missing(format!("there is nothing at {target}"))),
            Some(found) if found.source.is_some() => {
                return Err(Fault::invalid("links lead to resources alone"));
            }
            Some(_) => {}
        }
        let mut link = Entity::new(kind, world.next());
        link.attributes.extend(attributes.iter().map(|given| (given.name.clone(), given.value.clone())));
        (link.source, link.target) = (Some(source), Some(target.into()));
        let location = link.location();
        world.orders.push(Order::Link(link));
        Ok(location)
    })
}

pub(crate) fn unlink(location: &str) -> Result<()> {
    world(|world| {
        world.enter("entities.unlink")?;
        let source = source(world)?;
        match world.entities.iter().find(|entity| entity.location() == location) {
            Some(found) if found.source.as_deref() != Some(&*source) => {
                return Err(Fault::invalid(format!("at {location} is no link that leaves {source}")));
            }
            Some(_) | None => world.orders.push(Order::Unlink(location.into())),
        }
        Ok(())
    })
}

/// What links leave that the call makes: its subject, where that is a resource.
fn source(world: &World) -> Result<String> {
    let subject = world.subject.as_ref().ok_or_else(|| Fault::denied("no call is under way"))?;
    if subject.source.is_some() {
        return Err(Fault::invalid("the call is about a link, and links leave resources alone"));
    }
    if world.orders.len() >= ORDERS {
        return Err(Fault::invalid(format!("one call has {ORDERS} links made or ended at most")));
    }
    Ok(subject.location())
}

/// Does what a call has asked for.
pub(super) fn carry_out(world: &mut World) {
    for order in std::mem::take(&mut world.orders) {
        match order {
            Order::Link(link) => world.entities.push(link),
            Order::Unlink(location) => world.entities.retain(|entity| entity.location() != location),
        }
    }
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

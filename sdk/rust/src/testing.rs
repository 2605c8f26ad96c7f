//! A host in memory, so that `cargo test` runs an extension natively.
//!
//! [`Host`] calls the extension as the server does and applies what it answers to an [`Entity`]. Machines, volumes
//! and networks follow the words of the contract and are gone with the test; [`Host::fail`] makes the next call of
//! one fail. What the server does with the manifest (checks of types, of required and immutable attributes, of the
//! states that an action allows) is not done here.
//!
//! Each thread has a world of its own, so tests that run side by side do not meet.

// What takes the place of the generated bindings.
pub(crate) mod clocks;
pub(crate) mod config;
pub(crate) mod entities;
pub(crate) mod extensions;
pub(crate) mod folder;
pub(crate) mod http;
pub(crate) mod images;
pub(crate) mod keyvalue;
pub(crate) mod logging;
pub(crate) mod machines;
pub(crate) mod metrics;
pub(crate) mod networks;
pub(crate) mod random;
pub(crate) mod types;
pub(crate) mod volumes;

mod world;

pub use extensions::Installed;
pub use types::Entity;
pub use world::{Disk, Interface, Machine, Network, Usage, Volume, Wishes};

use crate::http::{Request, Response};
use crate::logging::Level;
use crate::{Actions, Attributes, Cause, Change, Fault, Lifecycle, Observe, Result, Subject};
use std::marker::PhantomData;
use std::time::Duration;
use world::{World, world};

/// A host with one extension, `T`.
pub struct Host<T> {
    calls: u8,
    // The world is the thread's, so the handle must stay there.
    extension: PhantomData<(T, *const ())>,
}

impl<T> Host<T> {
    /// A host whose hypervisor holds nothing yet. It takes the place of the thread's earlier one.
    #[allow(clippy::new_without_default, reason = "it has an effect on the thread")]
    pub fn new() -> Self {
        world(|world| *world = World::default());
        Self { calls: 1, extension: PhantomData }
    }

    /// A host that crashes once in each operation after the extension has answered, and calls again with the same
    /// operation.
    pub fn crashing() -> Self {
        Self { calls: 2, ..Self::new() }
    }

    /// A resource of that Kind that does not exist yet.
    pub fn resource(&self, kind: &str) -> Entity {
        Entity::new(kind, world(World::next))
    }

    /// A link of that Kind that does not exist yet.
    pub fn link(&self, kind: &str, source: &Entity, target: &Entity) -> Entity {
        Entity { source: Some(source.location()), target: Some(target.location()), ..self.resource(kind) }
    }

    /// Set what the extension finds in its configuration.
    pub fn configure(&self, key: &str, value: &str) {
        world(|world| world.config.insert(key.into(), value.into()));
    }

    /// Play all servers that the extension asks by HTTP; without that each is denied.
    pub fn serve(&self, server: fn(&Request) -> Result<Response>) {
        world(|world| world.server = Some(server));
    }

    /// The requests by HTTP since the last time of asking.
    pub fn requests(&self) -> Vec<Request> {
        world(|world| std::mem::take(&mut world.requests))
    }

    /// Set the clocks: the time since 1970. They begin there, and stand still.
    pub fn set_time(&self, time: Duration) {
        world(|world| world.time = time);
    }

    /// Let the next call of a capability fail with that fault. Calls are named as in [`Host::calls`].
    pub fn fail(&self, call: &str, fault: Fault) {
        world(|world| world.faults.push((call.into(), fault)));
    }

    /// The calls of capabilities since the last time of asking, such as `machine.start`. Mere questions
    /// (`machine.state`, `volume.capacity`) and the opening of what is there are not among them.
    pub fn calls(&self) -> Vec<String> {
        world(|world| std::mem::take(&mut world.calls))
    }

    /// The messages logged since the last time of asking, with how much each matters.
    pub fn log(&self) -> Vec<(Level, String)> {
        world(|world| std::mem::take(&mut world.log))
    }

    /// Forget every machine, volume and network, as a driver does that lives and dies with its process.
    pub fn forget(&self) {
        world(|world| {
            world.machines.clear();
            world.volumes.clear();
            world.networks.clear();
        });
    }

    /// Whether the hypervisor has not answered for a while, as the extension is told; let its calls fail as well.
    pub fn set_away(&self, is_away: bool) {
        world(|world| world.is_away = is_away);
    }

    /// The machine of an entity as it is now.
    pub fn machine(&self, of: &Entity) -> Option<Machine> {
        world(|world| world.machines.get(&of.id).cloned())
    }

    /// Change the machine of an entity behind the extension's back, as an operator or a breakdown does.
    pub fn meddle(&self, of: &Entity, change: impl FnOnce(&mut Machine)) {
        world(|world| {
            if let Some(machine) = world.machines.get_mut(&of.id) {
                change(machine);
            }
        });
    }

    /// The capacity of the volume of an entity, in bytes.
    pub fn volume(&self, of: &Entity) -> Option<u64> {
        self.volume_as(of).map(|volume| volume.capacity)
    }

    /// The volume of an entity as it is now.
    pub fn volume_as(&self, of: &Entity) -> Option<Volume> {
        world(|world| world.volumes.get(&of.id).cloned())
    }

    /// The names of the images for volumes that were made.
    pub fn volume_images(&self) -> Vec<String> {
        world(|world| world.volume_images.keys().cloned().collect())
    }

    /// The names of the images that were made of machines.
    pub fn images(&self) -> Vec<String> {
        world(|world| world.images.clone())
    }

    /// The network of an entity as it is now.
    pub fn network(&self, of: &Entity) -> Option<Network> {
        world(|world| world.networks.get(&of.id).cloned())
    }

    /// Have an entity seen by the capability `entities`, in place of one with the same id. What the extension changes of it
    /// later is seen once it is placed again.
    pub fn place(&self, entity: &Entity) {
        world(|world| {
            world.entities.retain(|known| known.id != entity.id);
            world.entities.push(entity.clone());
        });
    }

    /// The links that leave a resource: those that the test has placed, and those that the extension has asked for.
    pub fn links(&self, of: &Entity) -> Vec<Entity> {
        let source = Some(of.location());
        world(|world| world.entities.iter().filter(|link| link.source == source).cloned().collect())
    }

    /// The content of a file in the extension's folder.
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        world(|world| world.files.get(name).cloned())
    }

    /// What a counter has come to.
    pub fn counted(&self, counter: &str) -> u64 {
        world(|world| world.counters.get(counter).copied().unwrap_or_default())
    }

    /// What a gauge was set to last.
    pub fn gauge(&self, gauge: &str) -> Option<f64> {
        world(|world| world.gauges.get(gauge).copied())
    }

    /// Set what the machine of an entity uses while it has power. It need not be the extension's own.
    pub fn set_usage(&self, of: &Entity, usage: Usage) {
        world(|world| world.usages.insert(of.id.clone(), usage));
    }

    /// Set what is read of the machine of an entity while it has power, or of the device that is attached for a link, by the
    /// names of the contract. It need not be the extension's own.
    pub fn set_readings<'a>(&self, of: &Entity, readings: impl IntoIterator<Item = (&'a str, f64)>) {
        let readings = readings.into_iter().map(|(name, value)| (name.into(), value)).collect();
        world(|world| world.readings.insert(of.id.clone(), readings));
    }

    /// Have an extension installed, for which an entity stands. It takes the place of one for which the same stands.
    pub fn install(&self, extension: Installed) {
        world(|world| {
            world.extensions.retain(|known| known.entity != extension.entity);
            world.extensions.push(extension);
        });
    }

    /// The extension for which an entity stands.
    pub fn installed(&self, of: &Entity) -> Option<Installed> {
        world(|world| world.extensions.iter().find(|known| known.entity == of.id).cloned())
    }

    /// Call the extension on an entity in a role, as part of an operation, as the methods below do.
    pub fn call<R>(&self, entity: &Entity, role: &str, call: impl Fn(&Subject) -> Result<R>) -> Result<R> {
        self.call_as(&world(World::next), entity, role, call)
    }

    fn call_as<R>(
        &self,
        operation: &str,
        entity: &Entity,
        role: &str,
        call: impl Fn(&Subject) -> Result<R>,
    ) -> Result<R> {
        let subject = Subject::new(entity, operation, role);
        world(|world| world.subject = Some(entity.clone()));
        let mut answer = call(&subject);
        for _ in 1..self.calls {
            // What it has asked for was not committed.
            world(|world| world.orders.clear());
            answer = call(&subject);
        }
        world(|world| {
            world.subject = None;
            match &answer {
                Ok(_) => entities::carry_out(world),
                Err(_) => world.orders.clear(),
            }
        });
        answer
    }
}

impl<T: Lifecycle> Host<T> {
    /// Create an entity: one call for its Kind and one for each of its Mixins. After a fault they are all deleted.
    pub fn create(&self, entity: &mut Entity) -> Result<()> {
        for role in entity.roles() {
            world(|world| world.is_new = true);
            let outcome = self.call(entity, &role, T::create);
            world(|world| world.is_new = false);
            match outcome {
                Ok(change) => entity.apply(change),
                Err(fault) => {
                    self.delete(entity)?;
                    let source = Some(entity.location());
                    world(|world| world.entities.retain(|link| link.source != source));
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    /// Change attributes, by a call for the Kind and one for each Mixin.
    pub fn update(&self, entity: &mut Entity, wanted: impl Into<Attributes>) -> Result<()> {
        let wanted = wanted.into();
        let mut changes = Vec::new();
        for role in entity.roles() {
            changes.push(self.call(entity, &role, |subject| T::update(subject, &wanted))?);
        }
        entity.apply(Change { set: wanted.iter().cloned().collect(), ..Change::new() });
        for change in changes {
            entity.apply(change);
        }
        Ok(())
    }

    /// Add a Mixin.
    pub fn associate(&self, entity: &mut Entity, mixin: &str) -> Result<()> {
        let mut with = entity.clone().mixin(mixin);
        let change = self.call(&with, mixin, T::create)?;
        with.apply(change);
        *entity = with;
        Ok(())
    }

    /// Take a Mixin off.
    pub fn dissociate(&self, entity: &mut Entity, mixin: &str) -> Result<()> {
        self.call(entity, mixin, T::delete)?;
        entity.mixins.retain(|other| other != mixin);
        Ok(())
    }

    /// Delete an entity: one call for each Mixin, then one for the Kind.
    pub fn delete(&self, entity: &Entity) -> Result<()> {
        entity.roles().iter().rev().try_for_each(|role| self.call(entity, role, T::delete))
    }
}

impl<T: Actions> Host<T> {
    /// Invoke an action of the Kind.
    pub fn act(&self, entity: &mut Entity, action: &str, parameters: impl Into<Attributes>) -> Result<()> {
        let parameters = parameters.into();
        let change = self.call(entity, &entity.kind, |subject| T::act(subject, action, &parameters))?;
        entity.apply(change);
        Ok(())
    }
}

impl<T: Observe> Host<T> {
    /// Have an entity observed.
    pub fn observe(&self, entity: &mut Entity, cause: Cause) -> Result<()> {
        // Nobody's operation, so it has no name.
        let change = self.call_as("", entity, &entity.kind, |subject| T::observe(subject, cause))?;
        entity.apply(change);
        Ok(())
    }
}

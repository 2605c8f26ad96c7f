//! What calls may change at the hypervisor: the objects of their subject, and those of an end whose Kind the extension
//! defines.

use occi_extension::bindings::types::{End, Fault};
use occi_extension::{CallState, Lent};
use uuid::Uuid;
use wasmtime::component::Resource;

use crate::libvirt::{Error, Hypervisor, Machine, Network, Volume};
use crate::nodes::{Nodes, Wishes};

/// What an entity has at the hypervisor.
pub(crate) trait Object: Clone + Send + Sync + 'static {
    /// That of an entity there, whether it exists or not.
    fn at(hypervisor: &Hypervisor, entity: Uuid) -> Self;

    /// Whose it is.
    fn owner(&self) -> Uuid;

    /// Where it is.
    fn whereabouts(&self) -> &Hypervisor;

    /// 'missing' if there is none.
    fn check_exists(&self) -> impl Future<Output = Result<(), Error>> + Send;
}

macro_rules! object {
    ($type:ty, $of:ident) => {
        impl Object for $type {
            fn at(hypervisor: &Hypervisor, entity: Uuid) -> Self {
                hypervisor.$of(entity)
            }

            fn owner(&self) -> Uuid {
                self.entity()
            }

            fn whereabouts(&self) -> &Hypervisor {
                self.hypervisor()
            }

            async fn check_exists(&self) -> Result<(), Error> {
                self.exists().await
            }
        }
    };
}

object!(Machine, machine);
object!(Network, network);
object!(Volume, volume);

/// An object, if the call may change it.
pub(crate) fn may_change<T: Object>(state: &CallState, object: T) -> Result<T, Fault> {
    state.call().may_change(object.owner()).map(|()| object)
}

/// The hypervisor with the things of an entity that the call is about.
pub(crate) fn home(
    state: &CallState,
    of: End,
) -> wasmtime::Result<impl Future<Output = Result<(Hypervisor, Uuid), Fault>> + use<>> {
    let (nodes, entity) = (state.lent::<Nodes>()?, state.call().end(of));
    Ok(async move {
        let entity = entity?;
        Ok((nodes.of(entity).await?, entity))
    })
}

/// The object of an entity that the call is about; 'missing' where there is none.
pub(crate) fn open<T: Object>(
    state: &CallState,
    of: End,
) -> wasmtime::Result<impl Future<Output = Result<T, Fault>> + use<T>> {
    let (nodes, entity) = (state.lent::<Nodes>()?, state.call().end(of));
    Ok(async move {
        let entity = entity?;
        let object = T::at(&nodes.of(entity).await?, entity);
        let missing = match object.check_exists().await {
            Ok(()) => return Ok(object),
            Err(missing @ Error::Missing(_)) => missing,
            Err(error) => return Err(error.into()),
        };
        // An operator may have moved it.
        let elsewhere = nodes.elsewhere(entity, object.whereabouts()).await?.ok_or(missing)?;
        let object = T::at(&elsewhere, entity);
        object.check_exists().await?;
        Ok(object)
    })
}

/// Where an entity's things are to be.
pub(crate) struct Place {
    pub(crate) hypervisor: Hypervisor,
    pub(crate) entity: Uuid,
    /// Whether they are known to be there.
    pub(crate) is_there: bool,
}

/// The same, if the call may change them; where there are none yet, the one where they are to be.
pub(crate) fn place(
    state: &CallState,
    of: End,
    wishes: Wishes,
) -> wasmtime::Result<impl Future<Output = Result<Place, Fault>> + use<>> {
    let (nodes, call) = (state.lent::<Nodes>()?, state.call());
    let entity = call.end(of).and_then(|entity| call.may_change(entity).map(|()| entity));
    let is_new = of == End::Subject && state.subject().is_new;
    let wishes = Wishes { joined: call.joined.to_vec(), ..wishes };
    Ok(async move {
        let entity = entity?;
        let (hypervisor, is_there) = nodes.place(entity, is_new, &wishes).await?;
        Ok(Place { hypervisor, entity, is_there })
    })
}

/// The object behind a handle, if the call may change it.
pub(crate) fn ruled<T: Object>(
    state: &mut CallState,
    handle: &Resource<T>,
) -> wasmtime::Result<Result<T, Fault>> {
    let object = state.table().get(handle)?.clone();
    Ok(may_change(state, object))
}

/// The name of an object, if it is there.
pub(crate) async fn standing<T: Future<Output = Result<bool, Error>>>(
    what: &'static str,
    lent: &Lent,
    is_there: impl Fn(Hypervisor) -> T,
) -> Result<Option<&'static str>, Fault> {
    let Some(nodes) = lent.get::<Nodes>() else { return Ok(None) };
    for node in nodes.all() {
        if is_there(node.hypervisor().clone()).await? {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

//! What calls may change at the hypervisor: the objects of their subject, and those of an end whose Kind the extension
//! defines.

use occi_extension::bindings::types::Fault;
use occi_extension::{CallState, Lent};
use uuid::Uuid;
use wasmtime::component::Resource;

use crate::libvirt::{Error, Hypervisor, Machine, Network, Volume};

/// What an entity has at the hypervisor.
pub(crate) trait Object: Clone + Send + 'static {
    /// Whose it is.
    fn owner(&self) -> Uuid;
}

impl Object for Machine {
    fn owner(&self) -> Uuid {
        self.entity()
    }
}

impl Object for Network {
    fn owner(&self) -> Uuid {
        self.entity()
    }
}

impl Object for Volume {
    fn owner(&self) -> Uuid {
        self.entity()
    }
}

/// An object, if the call may change it.
pub(crate) fn may_change<T: Object>(state: &CallState, object: T) -> Result<T, Fault> {
    state.call().may_change(object.owner()).map(|()| object)
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
pub(crate) async fn standing(
    what: &'static str,
    lent: &Lent,
    is_there: impl AsyncFnOnce(&Hypervisor) -> Result<bool, Error>,
) -> Result<Option<&'static str>, Fault> {
    let Some(hypervisor) = lent.get::<Hypervisor>() else { return Ok(None) };
    Ok(is_there(&hypervisor).await?.then_some(what))
}

//! The fake of the capability `config`.

use super::world::world;
use crate::bindings::imports::wasi::config::store::Error;

pub(crate) fn get(key: &str) -> Result<Option<String>, Error> {
    world(|world| {
        world.question("config.get").map_err(|fault| Error::Io(fault.message))?;
        Ok(world.config.get(key).cloned())
    })
}

pub(crate) fn get_all() -> Result<Vec<(String, String)>, Error> {
    world(|world| {
        world.question("config.get-all").map_err(|fault| Error::Io(fault.message))?;
        Ok(world.config.clone().into_iter().collect())
    })
}

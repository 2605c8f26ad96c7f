//! From bytes to an extension that can serve, beside those who serve: on threads of its own, a few at a time.

use crate::catalogue::aside;
use crate::refused::Refused;
use occi_extension::{Extension, Loader};
use std::num::NonZero;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many threads compute at a time.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Prepares extensions.
pub(crate) struct Stager {
    loader: Arc<Loader>,
    places: Arc<Semaphore>,
}

impl Stager {
    /// Half of the processors are left to those who serve.
    pub(crate) fn new(loader: Arc<Loader>) -> Self {
        Self { loader, places: Arc::new(Semaphore::new((processors() / 2).max(1))) }
    }

    /// An extension that was checked, compiled and instantiated once.
    pub(crate) async fn stage(&self, bytes: Vec<u8>) -> Result<Arc<Extension>, Refused> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|error| Refused::Internal(error.to_string()))?;
        let loader = Arc::clone(&self.loader);
        let loaded = aside(move || {
            let _place = place;
            Ok(loader.load(&bytes)?)
        });
        let extension = Arc::new(loaded.await?);
        extension.probe().await.map_err(Refused::Probe)?;
        Ok(extension)
    }
}

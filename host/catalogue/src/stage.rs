//! From bytes to an extension that can serve, beside those who serve: on threads of its own, a few at a time.

use crate::refused::Refused;
use occi_extension::{Extension, Loader};
use std::num::NonZero;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Prepares extensions.
pub(crate) struct Stager {
    loader: Arc<Loader>,
    places: Arc<Semaphore>,
}

impl Stager {
    /// Half of the processors are left to those who serve.
    pub(crate) fn new(loader: Arc<Loader>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { loader, places: Arc::new(Semaphore::new((processors / 2).max(1))) }
    }

    /// An extension that was checked, compiled and instantiated once.
    pub(crate) async fn stage(&self, bytes: Vec<u8>) -> Result<Arc<Extension>, Refused> {
        let internal = |error: &dyn std::fmt::Display| Refused::Internal(error.to_string());
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|error| internal(&error))?;
        let loader = Arc::clone(&self.loader);
        let loaded = tokio::task::spawn_blocking(move || {
            let _place = place;
            loader.load(&bytes)
        });
        let extension = Arc::new(loaded.await.map_err(|error| internal(&error))??);
        extension.probe().await.map_err(Refused::Probe)?;
        Ok(extension)
    }
}

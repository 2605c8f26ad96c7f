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

/// Code of this size, in bytes, takes seconds to be compiled: it holds a language's engine.
const LARGE: usize = 2 << 20;

/// Prepares extensions.
pub(crate) struct Stager {
    loader: Arc<Loader>,
    /// For those that are large, and for the others, which do not wait for them.
    places: [Arc<Semaphore>; 2],
}

impl Stager {
    /// Half of the processors are left to those who serve, but for moments.
    pub(crate) fn new(loader: Arc<Loader>) -> Self {
        let places = [(processors() / 2).max(1), 1];
        Self { loader, places: places.map(|places| Arc::new(Semaphore::new(places))) }
    }

    /// An extension that was checked, compiled and instantiated once. What is compiled already waits for nobody.
    pub(crate) async fn stage(&self, bytes: Vec<u8>) -> Result<Arc<Extension>, Refused> {
        let loader = Arc::clone(&self.loader);
        let (bytes, is_ready) = aside(move || {
            let is_ready = loader.is_ready(&bytes);
            Ok((bytes, is_ready))
        })
        .await?;
        let [large, small] = &self.places;
        let places = if bytes.len() < LARGE { small } else { large };
        let place = if is_ready { None } else { Some(Arc::clone(places).acquire_owned().await) };
        let place = place.transpose().map_err(|error| Refused::Internal(error.to_string()))?;
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

//! From bytes to an extension that can serve, beside those who serve: on threads of its own, a few at a time.

use crate::catalogue::aside;
use crate::refused::Refused;
use occi_extension::{Extension, LoadError, Loader};
use std::num::NonZero;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many threads compute at a time.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Code of this size, in bytes, takes seconds to be compiled: it holds a language's engine.
const LARGE: usize = 2 << 20;

/// So many seconds of computing smaller code takes at most, as a rule.
const SOON: u64 = 1;

/// Prepares extensions.
pub(crate) struct Stager {
    loader: Arc<Loader>,
    /// For what is compiled soon: it waits for nothing that takes long.
    quick: Arc<Semaphore>,
    /// For what is small and is not.
    costly: Arc<Semaphore>,
    /// For what is large.
    large: Arc<Semaphore>,
}

impl Stager {
    /// Half of the processors are left to those who serve, but for moments.
    pub(crate) fn new(loader: Arc<Loader>) -> Self {
        let [quick, costly, large] =
            [1, 1, (processors() / 2).max(1)].map(|places| Arc::new(Semaphore::new(places)));
        Self { loader, quick, costly, large }
    }

    /// An extension that was checked, compiled and instantiated once. What is compiled already waits for nobody.
    pub(crate) async fn stage(&self, bytes: Vec<u8>) -> Result<Arc<Extension>, Refused> {
        let (loader, bytes) = (Arc::clone(&self.loader), Arc::<[u8]>::from(bytes));
        let looked_at = Arc::clone(&bytes);
        let extension = if aside(move || Ok(loader.is_ready(&looked_at))).await? {
            self.load(None, None, &bytes).await
        } else if bytes.len() >= LARGE {
            self.load(Some(&self.large), None, &bytes).await
        } else {
            match self.load(Some(&self.quick), Some(SOON), &bytes).await {
                Err(Refused::Load(LoadError::Costly { .. })) => {
                    self.load(Some(&self.costly), None, &bytes).await
                }
                outcome => outcome,
            }
        };
        let extension = extension?;
        extension.probe().await.map_err(Refused::Probe)?;
        Ok(extension)
    }

    /// Loads it at one of these places, where the compiler computes for so many seconds at most.
    async fn load(
        &self,
        places: Option<&Arc<Semaphore>>,
        most: Option<u64>,
        bytes: &Arc<[u8]>,
    ) -> Result<Arc<Extension>, Refused> {
        let place = match places {
            Some(places) => Some(Arc::clone(places).acquire_owned().await),
            None => None,
        };
        let place = place.transpose().map_err(|error| Refused::Internal(error.to_string()))?;
        let (loader, bytes) = (Arc::clone(&self.loader), Arc::clone(bytes));
        aside(move || {
            let _place = place;
            Ok(Arc::new(loader.load_within(most, &bytes)?))
        })
        .await
    }
}

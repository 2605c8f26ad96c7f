//! From bytes to an extension that can serve, beside those who serve: on threads of its own, a few at a time.

use crate::catalogue::aside;
use crate::refused::Refused;
use occi_extension::{Bounds, Extension, LoadError, Loader};
use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How often it is asked of who waits for a place whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);

/// A place, unless it is wanted no more before there is one.
async fn place(places: &Arc<Semaphore>, is_wanted: &IsWanted) -> Result<OwnedSemaphorePermit, Refused> {
    let mut place = pin!(Arc::clone(places).acquire_owned());
    loop {
        if let Ok(place) = timeout(LOOK, place.as_mut()).await {
            return place.map_err(|error| Refused::Internal(error.to_string()));
        }
        let is_wanted = Arc::clone(is_wanted);
        if !aside(move || Ok(is_wanted())).await? {
            return Err(LoadError::Unfinished("nobody wants it any more".into()).into());
        }
    }
}

/// How many threads compute at a time.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Code of this size, in bytes, takes seconds to be compiled: it holds a language's engine.
const LARGE: usize = 2 << 20;

/// So many seconds of computing code takes at most for each mebibyte of it, as a rule: `SOON` where it is small.
const SOON: u64 = 1;
const SOON_FOR_LARGE: u64 = 3;

type IsWanted = Arc<dyn Fn() -> bool + Send + Sync>;

/// Prepares extensions.
pub(crate) struct Stager {
    loader: Arc<Loader>,
    /// For what is compiled soon: it waits for nothing that takes long.
    quick: Arc<Semaphore>,
    /// For what is not.
    costly: Arc<Semaphore>,
    /// For what is large, and takes no longer than it should.
    large: Arc<Semaphore>,
}

impl Stager {
    /// Half of the processors are left to those who serve, but for moments.
    pub(crate) fn new(loader: Arc<Loader>) -> Self {
        let [quick, costly, large] =
            [1, 1, (processors() / 2).max(1)].map(|places| Arc::new(Semaphore::new(places)));
        Self { loader, quick, costly, large }
    }

    /// An extension that was checked, compiled and instantiated once. What is compiled already waits for nobody. The compiler
    /// ends early when the extension is wanted no more.
    pub(crate) async fn stage(
        &self,
        bytes: Vec<u8>,
        is_wanted: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Arc<Extension>, Refused> {
        let is_wanted: IsWanted = Arc::new(is_wanted);
        let (loader, bytes) = (Arc::clone(&self.loader), Arc::<[u8]>::from(bytes));
        let looked_at = Arc::clone(&bytes);
        let extension = if aside(move || Ok(loader.is_ready(&looked_at))).await? {
            self.load(None, None, &bytes, &is_wanted).await
        } else {
            let (lane, soon) = if bytes.len() >= LARGE {
                let mebibytes = u64::try_from(bytes.len() >> 20).unwrap_or(u64::MAX);
                (&self.large, mebibytes.saturating_mul(SOON_FOR_LARGE))
            } else {
                (&self.quick, SOON)
            };
            match self.load(Some(lane), Some(soon), &bytes, &is_wanted).await {
                Err(Refused::Load(LoadError::Costly { .. })) => {
                    self.load(Some(&self.costly), None, &bytes, &is_wanted).await
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
        is_wanted: &IsWanted,
    ) -> Result<Arc<Extension>, Refused> {
        let place = match places {
            Some(places) => Some(place(places, is_wanted).await?),
            None => None,
        };
        let (loader, bytes, is_wanted) = (Arc::clone(&self.loader), Arc::clone(bytes), Arc::clone(is_wanted));
        aside(move || {
            let _place = place;
            let bounds = Bounds { seconds: most, is_wanted: &*is_wanted };
            Ok(Arc::new(loader.load_within(bounds, &bytes)?))
        })
        .await
    }
}

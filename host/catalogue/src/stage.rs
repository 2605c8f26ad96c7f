//! From bytes to an extension that can serve, beside those who serve: on threads of its own, a few at a time.

use crate::catalogue::aside;
use crate::refused::Refused;
use crate::source::Source;
use occi_extension::{Bounds, Extension, LoadError, Loader, processors};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How often it is asked of who waits for a place whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);

/// A place, unless it is wanted no more before there is one.
async fn place(places: &Arc<Semaphore>, source: &Source) -> Result<OwnedSemaphorePermit, Refused> {
    let mut place = pin!(Arc::clone(places).acquire_owned());
    loop {
        if let Ok(place) = timeout(LOOK, place.as_mut()).await {
            return place.map_err(|error| Refused::Internal(error.to_string()));
        }
        let source = source.clone();
        if !aside(move || Ok(source.is_wanted())).await? {
            return Err(LoadError::Unfinished("nobody wants it any more".into()).into());
        }
    }
}

/// Code of this size, in bytes, takes seconds to be compiled: it holds a language's engine.
const LARGE: usize = 2 << 20;

/// So many seconds of computing code takes at most for each mebibyte of it, as a rule: `SOON` where it is small.
const SOON: u64 = 1;
const SOON_FOR_LARGE: u64 = 3;

/// Prepares extensions. What waits is not held in memory.
pub(crate) struct Stager {
    loader: Arc<Loader>,
    /// For what is compiled already.
    ready: Arc<Semaphore>,
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
        let [ready, quick, costly, large] =
            [processors(), 1, 1, (processors() / 2).max(1)].map(|places| Arc::new(Semaphore::new(places)));
        Self { loader, ready, quick, costly, large }
    }

    /// An extension that was checked, compiled and instantiated once. What is compiled already waits for no compiler, and that
    /// ends early when the extension is wanted no more.
    pub(crate) async fn stage(&self, source: &Source) -> Result<Arc<Extension>, Refused> {
        let extension = match self.load_ready(source).await? {
            Found::Ready(extension) => Ok(extension),
            Found::Code { size } => {
                let (lane, soon) = if size >= LARGE {
                    let mebibytes = u64::try_from(size >> 20).unwrap_or(u64::MAX);
                    (&self.large, mebibytes.saturating_mul(SOON_FOR_LARGE))
                } else {
                    (&self.quick, SOON)
                };
                match self.compile(lane, Some(soon), source).await {
                    Err(Refused::Load(LoadError::Costly { .. })) => {
                        self.compile(&self.costly, None, source).await
                    }
                    outcome => outcome,
                }
            }
        };
        let extension = extension?;
        extension.probe().await.map_err(Refused::Probe)?;
        Ok(extension)
    }

    /// Loads it where it need not be compiled.
    async fn load_ready(&self, source: &Source) -> Result<Found, Refused> {
        let place = place(&self.ready, source).await?;
        let (loader, source) = (Arc::clone(&self.loader), source.clone());
        aside(move || {
            let _place = place;
            let bytes = source.read()?;
            if loader.is_ready(&bytes) {
                Ok(Found::Ready(Arc::new(loader.load(&bytes)?)))
            } else {
                Ok(Found::Code { size: bytes.len() })
            }
        })
        .await
    }

    /// Loads it at one of these places, where the compiler computes for so many seconds at most.
    async fn compile(
        &self,
        places: &Arc<Semaphore>,
        most: Option<u64>,
        source: &Source,
    ) -> Result<Arc<Extension>, Refused> {
        let place = place(places, source).await?;
        let (loader, source) = (Arc::clone(&self.loader), source.clone());
        aside(move || {
            let _place = place;
            let bounds = Bounds { seconds: most, is_wanted: &|| source.is_wanted() };
            Ok(Arc::new(loader.load_within(bounds, &source.read()?)?))
        })
        .await
    }
}

/// What an extension is found to be before it is compiled.
enum Found {
    Ready(Arc<Extension>),
    /// So many bytes.
    Code {
        size: usize,
    },
}

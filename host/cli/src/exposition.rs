//! What is shown at `/metrics` beside the server's own figures: what extensions count and what came of their calls, how large the
//! store is, and what machines use.

mod readings;

use axum::body::Bytes;
use occi_capability::Figures;
use occi_capability::libvirt::{Hypervisor, Survey};
use occi_extension::Tallied;
use occi_operation::{Core, Refusal};
use prometheus::{IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Where all that is shown comes from.
pub(crate) struct Exposition {
    pub(crate) core: Arc<Core>,
    pub(crate) hypervisor: Hypervisor,
    pub(crate) figures: Arc<Figures>,
    /// The store's file.
    pub(crate) store: PathBuf,
    /// What was last written of what machines use. Many may ask, and it is written once for each survey.
    pub(crate) written: Mutex<Option<(Arc<Survey>, Bytes)>>,
}

#[async_trait::async_trait]
impl occi_server::Exposition for Exposition {
    async fn show(&self) -> Vec<Bytes> {
        let survey = self.hypervisor.survey().await;
        if let Err(error) = &survey {
            tracing::debug!(%error, "what machines use is not known");
        }
        let of_extensions = self.figures.render();
        let own = self.own(survey.is_ok());
        let mut pieces: Vec<Bytes> = [own, of_extensions].into_iter().filter_map(written).collect();
        if let Ok(survey) = survey {
            match self.of_machines(survey).await {
                Ok(text) => pieces.push(text),
                Err(refusal) => tracing::error!("what machines use cannot be shown: {refusal}"),
            }
        }
        pieces
    }
}

/// What cannot be written is left out: the rest is worth as much without it.
fn written(text: prometheus::Result<String>) -> Option<Bytes> {
    text.inspect_err(|error| tracing::error!(%error, "figures cannot be shown")).ok().map(Bytes::from)
}

impl Exposition {
    /// What is known without asking anybody.
    fn own(&self, hypervisor_answers: bool) -> prometheus::Result<String> {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str, value: i64| {
            let gauge = IntGauge::new(name, help)?;
            gauge.set(value);
            registry.register(Box::new(gauge))
        };
        gauge(
            "occi_hypervisor_up",
            "Whether the hypervisor says what machines use.",
            hypervisor_answers.into(),
        )?;
        if let Ok(file) = self.store.metadata() {
            let size = i64::try_from(file.len()).unwrap_or(i64::MAX);
            gauge("occi_store_bytes", "How large the file of the store is.", size)?;
        }
        let calls = Opts::new(
            "occi_calls_total",
            "Calls of an extension's version that serves, without observations, by what came of them.",
        );
        let calls = IntCounterVec::new(calls, &["extension", "outcome"])?;
        for extension in self.core.snapshot().extensions() {
            let Tallied { done, refused, failed } = extension.tally();
            for (outcome, count) in [("done", done), ("refused", refused), ("failed", failed)] {
                calls.with_label_values(&[&**extension.name(), outcome]).inc_by(count);
            }
        }
        registry.register(Box::new(calls))?;
        TextEncoder::new().encode_to_string(&registry.gather())
    }

    async fn of_machines(&self, survey: Arc<Survey>) -> Result<Bytes, Refusal> {
        let mut kept = self.written.lock().await;
        if let Some((of, text)) = &*kept
            && Arc::ptr_eq(of, &survey)
        {
            return Ok(text.clone());
        }
        let (core, read) = (Arc::clone(&self.core), Arc::clone(&survey));
        // Thousands of entities are looked up.
        let text = tokio::task::spawn_blocking(move || {
            let entities = core.entities(read.all().iter().map(|(entity, _)| *entity))?;
            Ok::<_, Refusal>(Bytes::from(readings::write(read.all(), &entities)))
        });
        let text = text.await.map_err(|error| Refusal::Internal(error.to_string()))??;
        *kept = Some((survey, text.clone()));
        Ok(text)
    }
}

//! What is shown at `/metrics` beside the server's own figures: what extensions count and what came of their calls, how large the
//! store is, and what machines use.

mod readings;

use axum::body::Bytes;
use occi_capability::libvirt::{Readings, Survey};
use occi_capability::{Figures, Nodes};
use occi_extension::Tallied;
use occi_operation::{Core, Refusal};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Where all that is shown comes from.
pub(crate) struct Exposition {
    pub(crate) core: Arc<Core>,
    pub(crate) nodes: Arc<Nodes>,
    pub(crate) figures: Arc<Figures>,
    /// The store's file.
    pub(crate) store: PathBuf,
    /// What was last written of what machines use. Many may ask, and it is written once for the same surveys.
    pub(crate) written: Mutex<Option<(Vec<Arc<Survey>>, Bytes)>>,
}

#[async_trait::async_trait]
impl occi_server::Exposition for Exposition {
    async fn show(&self) -> Vec<Bytes> {
        let mut asked = JoinSet::new();
        for (number, node) in self.nodes.all().iter().enumerate() {
            let hypervisor = node.hypervisor().clone();
            asked.spawn(async move { (number, hypervisor.survey().await) });
        }
        let mut surveys = asked.join_all().await;
        surveys.sort_by_key(|(number, _)| *number);
        let answers: Vec<bool> = surveys.iter().map(|(_, survey)| survey.is_ok()).collect();
        for (number, survey) in &surveys {
            if let Err(error) = survey {
                let node = self.nodes.all()[*number].name();
                tracing::debug!(node, %error, "what machines use is not known");
            }
        }
        let of_extensions = self.figures.render();
        let own = self.own(&answers);
        let mut pieces: Vec<Bytes> = [own, of_extensions].into_iter().filter_map(written).collect();
        let surveys: Vec<_> = surveys.into_iter().filter_map(|(_, survey)| survey.ok()).collect();
        if !surveys.is_empty() {
            match self.of_machines(surveys).await {
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
    fn own(&self, answers: &[bool]) -> prometheus::Result<String> {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str, value: i64| {
            let gauge = IntGauge::new(name, help)?;
            gauge.set(value);
            registry.register(Box::new(gauge))
        };
        let up = Opts::new("occi_hypervisor_up", "Whether the hypervisor says what machines use.");
        let up = IntGaugeVec::new(up, &["node"])?;
        for (node, answers) in self.nodes.all().iter().zip(answers) {
            up.with_label_values(&[node.name()]).set((*answers).into());
        }
        registry.register(Box::new(up))?;
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

    async fn of_machines(&self, surveys: Vec<Arc<Survey>>) -> Result<Bytes, Refusal> {
        let mut kept = self.written.lock().await;
        if let Some((of, text)) = &*kept
            && of.len() == surveys.len()
            && of.iter().zip(&surveys).all(|(one, other)| Arc::ptr_eq(one, other))
        {
            return Ok(text.clone());
        }
        let (core, read) = (Arc::clone(&self.core), surveys.clone());
        // Thousands of entities are looked up.
        let text = tokio::task::spawn_blocking(move || {
            let all: Vec<(Uuid, Readings)> = read.iter().flat_map(|survey| survey.all()).copied().collect();
            let entities = core.entities(all.iter().map(|(entity, _)| *entity))?;
            Ok::<_, Refusal>(Bytes::from(readings::write(&all, &entities)))
        });
        let text = text.await.map_err(|error| Refusal::Internal(error.to_string()))??;
        *kept = Some((surveys, text.clone()));
        Ok(text)
    }
}

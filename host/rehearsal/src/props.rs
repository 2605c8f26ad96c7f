//! What a scenario brings along, and what it is played on.

use crate::faults::Faults;
use crate::scenario::{Functions, Scenario};
use crate::servers::{Reached, Servers};
use crate::time::SetTime;
use async_trait::async_trait;
use occi_capability::{HttpStandIn, SeededRandom};
use occi_extension::{FaultInjection, Lent, TimeSource};
use occi_operation::Core;
use occi_server::Host;
use occi_store::Store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// What stands in for the world, as long as a scenario lasts.
pub struct Props {
    pub(crate) time: Arc<SetTime>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) servers: Arc<Servers>,
    random: Arc<SeededRandom>,
    store: Arc<dyn Store>,
    folder: TempDir,
    /// What the operator has set for the extension.
    pub settings: BTreeMap<String, String>,
    /// The files of other extensions that are to be there.
    pub with: Vec<PathBuf>,
}

impl Props {
    pub(crate) fn of(
        scenario: &Scenario,
        extension: Arc<str>,
        store: Arc<dyn Store>,
    ) -> Result<Self, String> {
        let beside = scenario.file.parent().map(PathBuf::from).unwrap_or_default();
        let folder = TempDir::new().map_err(|error| format!("a folder for the server: {error}"))?;
        Ok(Self {
            time: Arc::new(SetTime::new(scenario.time)),
            faults: Arc::new(Faults::of(extension)),
            servers: Arc::default(),
            random: Arc::new(SeededRandom::new(scenario.form.seed)),
            store,
            folder,
            settings: scenario.form.settings.clone(),
            with: scenario.form.with.iter().map(|file| beside.join(file)).collect(),
        })
    }

    /// What of it capabilities work with.
    pub fn lent(&self) -> Lent {
        let (servers, faults) = (Arc::clone(&self.servers), Arc::clone(&self.faults));
        Lent::new()
            .at(self.time())
            .failing(Arc::clone(&self.faults) as Arc<dyn FaultInjection>)
            .with(Arc::clone(&self.random))
            .with(Arc::new(HttpStandIn::new(Reached { servers, faults })))
    }

    /// The time that the scenario says it is.
    pub fn time(&self) -> Arc<dyn TimeSource> {
        Arc::clone(&self.time) as Arc<dyn TimeSource>
    }

    /// The server's own folder, which outlives a restart.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What outlives a restart, too.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
}

/// A server that runs, without connections. It ends when it is dropped.
pub struct Running {
    /// Its operations.
    pub core: Arc<Core>,
    /// How it is asked.
    pub host: Host,
}

/// Who can put a server together for a scenario. Why it could not is said in words for the extension's author.
#[async_trait(?Send)]
pub trait Stage {
    /// The name of the extension that is rehearsed.
    fn extension(&self) -> Arc<str>;

    /// The functions of its capabilities that can say no, by the capabilities' names.
    fn functions(&self) -> Functions;

    /// A store that is empty.
    fn store(&self) -> Result<Arc<dyn Store>, String>;

    /// Starts a server on the scenario's store, with the extension and those that are to be beside it.
    async fn start(&self, props: &Props) -> Result<Running, String>;
}

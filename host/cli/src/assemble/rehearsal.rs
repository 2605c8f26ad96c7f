//! A server for rehearsals: what a scenario brings along, and libvirt's imitation of a hypervisor, one for each start.

use super::{capabilities, folders, grants, hypervisors};
use crate::buckets::StoreBuckets;
use crate::config::Config;
use crate::ext;
use anyhow::{Context, bail};
use async_trait::async_trait;
use occi_capability::libvirt::{Hypervisor, HypervisorConfig};
use occi_capability::{Buckets, ConfigValues, Figures, Images, Nodes};
use occi_extension::{Capability, Compatibility, Loader, Outline, Settings};
use occi_operation::Core;
use occi_rehearsal::{Functions, Props, Running, Stage};
use occi_server::Host;
use occi_store::{Options, RedbStore, Store};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Where one extension is rehearsed.
pub(crate) struct Rehearsal {
    bytes: Vec<u8>,
    outline: Outline,
    functions: Functions,
    config: Config,
    folder: TempDir,
}

/// A host of virtual machines with nothing on it. From a file, every connection has one of its own.
const NODE: &str = "<node/>";
/// How many calls there are at once: those of one client, and observations.
const CALLS: u32 = 16;
/// For what a store of a scenario takes, in bytes.
const CACHE: usize = 1 << 20;

impl Rehearsal {
    /// Of an extension: a component with its manifest inside, or a manifest alone.
    pub(crate) fn of(bytes: Vec<u8>) -> anyhow::Result<Self> {
        let outline = Outline::read(&bytes)?;
        let folder = tempfile::tempdir().context("a folder for what is compiled")?;
        std::fs::write(folder.path().join("node.xml"), NODE).context("a file for the hypervisor")?;
        let mut rehearsal =
            Self { bytes, outline, functions: Functions::new(), config: Config::read(None)?, folder };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime")?;
        let nodes = runtime.block_on(rehearsal.nodes())?;
        let asks = |capability: &Arc<dyn Capability>| {
            rehearsal.outline.manifest.capabilities.iter().any(|asked| asked == capability.name())
        };
        let all = capabilities(&nodes);
        if let Some(capability) =
            all.iter().find(|capability| capability.is_for_administrators() && asks(capability))
        {
            bail!(
                "it asks for [capabilities.{}], of which there is none in a rehearsal; try it with a server",
                capability.name()
            );
        }
        let named = |capability: Arc<dyn Capability>| (capability.name(), capability.functions());
        rehearsal.functions = lendable(&nodes).map(named).collect();
        Ok(rehearsal)
    }

    /// What the extension says about itself.
    pub(crate) fn outline(&self) -> &Outline {
        &self.outline
    }

    async fn nodes(&self) -> anyhow::Result<Nodes> {
        let node = self.folder.path().join("node.xml");
        let config = HypervisorConfig {
            uri: format!("test://{}", node.display()),
            // The time of a scenario goes on while the machine's stands still, nearly.
            survey_age: Duration::ZERO,
            ..HypervisorConfig::default()
        };
        let hypervisor = Hypervisor::open(config).await.context("libvirt's imitation of a hypervisor")?;
        Ok(Nodes::from(hypervisor))
    }

    async fn put_together(&self, props: &Props) -> anyhow::Result<Running> {
        let nodes = Arc::new(self.nodes().await?);
        let settings = ConfigValues::from([(self.extension().to_string(), props.settings.clone())]);
        let lent = props
            .lent()
            .with(Arc::clone(&nodes))
            .with(Arc::new(Images::open(&self.folder.path().join("images"))?))
            .with(Arc::new(self.config.hypervisor.bridges()))
            .with(Arc::new(settings))
            .with(Arc::new(folders(&self.config, props.folder())))
            .with(Arc::new(Figures::default()))
            .with(Arc::new(Buckets::new(StoreBuckets::new(props.store()))));
        let capabilities: Vec<_> = lendable(&nodes).collect();
        let grants = grants(&self.config, &capabilities)?;
        let limits = self.config.sandbox.to_limits();
        // All that there is can be played, for whichever clients it is.
        let settings =
            Settings { calls: CALLS, limits, compatibility: Compatibility::Occi11, ..Settings::default() };
        let loader = Loader::new(settings, &self.folder.path().join("compiled"), capabilities, grants, lent)?
            .compiled_by(self.config.sandbox.compiler());
        let mut extensions = vec![Arc::new(loader.load(&self.bytes)?)];
        for file in &props.with {
            let other = loader.load(&ext::read(file)?).with_context(|| file.display().to_string())?;
            extensions.push(Arc::new(other));
        }
        let core = Core::start_at(props.time(), props.store(), extensions)?;
        core.renew_offers().await.context("the images")?;
        let events = hypervisors::events(&nodes);
        core.recover().await.context("the recovery after the last run")?;
        hypervisors::follow(events, &nodes, &core);
        let limits = self.config.limits.to_server();
        let host = Host::new(Arc::clone(&core), limits, self.config.listen, None);
        Ok(Running { core, host })
    }
}

/// All that can be lent without a catalogue of extensions.
fn lendable(nodes: &Nodes) -> impl Iterator<Item = Arc<dyn Capability>> {
    capabilities(nodes).into_iter().filter(|capability| !capability.is_for_administrators())
}

#[async_trait(?Send)]
impl Stage for Rehearsal {
    fn extension(&self) -> Arc<str> {
        Arc::clone(&self.outline.manifest.name)
    }

    fn functions(&self) -> Functions {
        self.functions.clone()
    }

    fn store(&self) -> Result<Arc<dyn Store>, String> {
        let options = Options { cache: CACHE, memo: CACHE, ..Options::default() };
        match RedbStore::in_memory(&options) {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn start(&self, props: &Props) -> Result<Running, String> {
        self.put_together(props).await.map_err(|error| format!("the server does not start: {error:#}"))
    }
}

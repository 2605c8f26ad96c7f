//! Where all parts are named and put together.

mod hypervisors;
mod reconcile;
mod rehearsal;

use crate::administration::Administered;
use crate::config::{Config, Quota};
use crate::control::{self, Control, Drained};
use crate::exposition::Exposition;
use crate::log::Feed;
use anyhow::{Context, anyhow, ensure};
use occi_capability::{
    Administrator, Clocks, Entities, Extensions, Figures, Folder, FolderQuota, Folders, Http, HttpGrants,
    ImageCatalogue, Images, Io, KeyValue, Logging, Machines, Metrics, Networks, Nodes, Random, Volumes,
};
use occi_catalogue::Prepared;
use occi_extension::{Capability, Grants, Lent, Loader, Settings};
use occi_operation::Core;
use occi_server::{Host, Metrics as ServerMetrics};
use occi_store::{Options, RedbStore, Store};
use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(crate) use rehearsal::Rehearsal;

/// Why the server ended.
pub(crate) enum Error {
    /// What it was told cannot be.
    Misconfigured(anyhow::Error),
    /// Something broke.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// Serves until it is told to stop. Its log can be followed by that feed.
pub(crate) fn run(config: &Config, log: Feed) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let outcome = runtime.block_on(serve(config, log));
    // Whatever does not end by itself has had its time.
    runtime.shutdown_timeout(LEAVING);
    outcome
}

/// How long threads may take to notice that the server has ended.
const LEAVING: Duration = Duration::from_secs(1);

async fn serve(config: &Config, log: Feed) -> Result<(), Error> {
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", config.listen))
        .map_err(Error::Misconfigured)?;
    let address = listener.local_addr().context("where the server listens")?;
    let for_metrics = listener_of_metrics(config).await.map_err(Error::Misconfigured)?;
    control::check(&config.data).map_err(Error::Misconfigured)?;
    let data = folder(&config.data).map_err(Error::Misconfigured)?;
    let store = open_store(&data.join(STORE)).map_err(Error::Misconfigured)?;
    let nodes = Arc::new(hypervisors::open(config, &data).await.map_err(Error::Misconfigured)?);

    let images = images(config, &data).map_err(Error::Misconfigured)?;
    let (administered, figures) = (Administered::default(), Arc::new(Figures::default()));
    let loader = loader(config, &data, &store, (&nodes, &images), &administered, &figures);
    let loader = loader.map_err(Error::Misconfigured)?;
    let folder = config.extensions_folder().map_err(Error::Misconfigured)?;
    let prepared = Prepared::new(Arc::new(loader), &*store, &folder, &data).await;
    let prepared = prepared
        .context("the extensions; choose another folder with --extensions")
        .map_err(Error::Misconfigured)?;
    let core = Core::start(Arc::clone(&store), prepared.extensions())
        .context("the extensions do not go together")?;
    core.set_allowances(config.quota.iter().map(Quota::to_allowance).collect());
    // Before anything is known to be of an image that is not.
    let changes = images.changes();
    core.renew_offers().await.context("the images and bridges")?;
    // From here on, so that nothing is missed which happens after an entity was asked during the recovery.
    let events = hypervisors::events(&nodes);
    let recovered = core.recover().await.context("the recovery after the last run")?;
    if recovered != occi_operation::Recovered::default() {
        tracing::info!(?recovered, "recovered from the last run");
    }
    hypervisors::follow(events, &nodes, &core);
    follow_images(changes, &core);
    let every = Duration::from_secs(config.hypervisor.reconcile_seconds);
    reconcile::begin(&core, Arc::clone(&nodes), every);
    let catalogue =
        prepared.serve(Arc::clone(&core), &store, |catalogue| administered.begin(catalogue)).await;
    let catalogue = catalogue.context("the extensions")?;
    let exposition = Exposition {
        core: Arc::clone(&core),
        nodes: Arc::clone(&nodes),
        figures: Arc::clone(&figures),
        store: data.join(STORE),
        written: tokio::sync::Mutex::default(),
    };
    let metrics = Arc::new(ServerMetrics::new(Arc::new(exposition)).context("the server's figures")?);
    let drained = Drained::open(&data, &nodes);
    let control = Control { nodes, drained, core: Arc::clone(&core), catalogue, figures, log };
    control.start(&data).map_err(Error::Misconfigured)?;

    let stop = CancellationToken::new();
    tokio::spawn({
        let (signal, stop) = (stop_signal()?, stop.clone());
        async move {
            signal.await;
            stop.cancel();
        }
    });
    say(&format!("listening on http://{address}\n"));
    let host = Host::new(core, config.limits.to_server(), address, config.url.clone());
    let beside = for_metrics.map(|(listener, address)| {
        tracing::info!("figures are at http://{address}/metrics");
        let (host, metrics, stop) = (host.clone(), Arc::clone(&metrics), stop.clone());
        tokio::spawn(occi_server::serve_metrics(host, metrics, listener, stop.cancelled_owned()))
    });
    let host = host.counted(metrics, config.shows_metrics());
    occi_server::serve(host, listener, stop.cancelled_owned()).await;
    if let Some(beside) = beside {
        beside.await.context("what serves the figures")?;
    }
    store.close().await.context("the store")?;
    tracing::info!("stopped");
    Ok(())
}

/// Where figures have an address of their own.
async fn listener_of_metrics(config: &Config) -> anyhow::Result<Option<(TcpListener, SocketAddr)>> {
    let Some(address) = config.metrics.listen else { return Ok(None) };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another address as `metrics.listen`"))?;
    let address = listener.local_addr().context("where figures are served")?;
    Ok(Some((listener, address)))
}

/// The name of the store's file in the server's folder.
const STORE: &str = "store.redb";

/// The server's own folder. Where it makes it, nobody else may enter; in any case nobody else may write there.
fn folder(path: &Path) -> anyhow::Result<PathBuf> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    let said = || format!("the data folder {}; choose another with --data", path.display());
    made.with_context(said)?;
    let mode = path.metadata().with_context(said)?.permissions().mode();
    ensure!(
        mode & 0o022 == 0,
        "others may write to the data folder {0}; take that from them with `chmod go-w {0}`, or choose another with --data",
        path.display()
    );
    path.canonicalize().with_context(said)
}

fn open_store(path: &Path) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(RedbStore::open(path, &Options::default())?))
}

fn loader(
    config: &Config,
    data: &Path,
    store: &Arc<dyn Store>,
    (nodes, images): (&Arc<Nodes>, &Arc<Images>),
    administered: &Administered,
    figures: &Arc<Figures>,
) -> anyhow::Result<Loader> {
    let capabilities = capabilities(nodes);
    let grants = grants(config, &capabilities)?;
    let settings = Settings {
        limits: config.sandbox.to_limits(),
        memory: config.sandbox.total_memory_mib << 20,
        compatibility: config.compatibility,
        ..Settings::default()
    };
    let lent = Lent::new()
        .with(Arc::clone(nodes))
        .with(Arc::clone(images))
        .with(Arc::new(config.hypervisor.bridges()))
        .with(Arc::new(config.settings.clone()))
        .with(Arc::new(http_grants(config)?))
        .with(Arc::new(folders(config, data)))
        .with(Arc::clone(figures))
        .with(Arc::new(Administrator::new(administered.clone())))
        .with(Arc::new(occi_capability::Buckets::new(crate::buckets::StoreBuckets::new(Arc::clone(store)))));
    let loader = Loader::new(settings, &data.join("compiled"), capabilities, grants, lent);
    Ok(loader.context("the sandboxes")?.compiled_by(config.sandbox.compiler()))
}

fn images(config: &Config, data: &Path) -> anyhow::Result<Arc<Images>> {
    let folder = config.hypervisor.images.clone().unwrap_or_else(|| data.join("images"));
    let images = Images::open(&folder).with_context(|| {
        format!("the folder of images {}; choose another as `hypervisor.images`", folder.display())
    })?;
    Ok(Arc::new(images))
}

/// The extensions' own folders, within the server's.
fn folders(config: &Config, data: &Path) -> Folders {
    let quota = FolderQuota { files: config.sandbox.folder_files, bytes: config.sandbox.folder_mib << 20 };
    Folders::new(data.join("folders"), quota)
}

/// All that there is to lend.
pub(crate) fn capabilities(nodes: &Nodes) -> Vec<Arc<dyn Capability>> {
    vec![
        Arc::new(Machines::new(nodes)),
        Arc::new(Volumes::new(nodes)),
        Arc::new(Networks::new(nodes)),
        Arc::new(ImageCatalogue::new(nodes)),
        Arc::new(Clocks),
        Arc::new(occi_capability::Config),
        Arc::new(Entities),
        Arc::new(Extensions),
        Arc::new(Folder),
        Arc::new(Http),
        Arc::new(KeyValue),
        Arc::new(Logging),
        Arc::new(Metrics),
        Arc::new(Random),
        Arc::new(Io),
    ]
}

/// What of it the configuration lets extensions have.
pub(crate) fn grants(config: &Config, capabilities: &[Arc<dyn Capability>]) -> anyhow::Result<Grants> {
    let lendable = capabilities.iter().filter(|capability| capability.needs_grant());
    let known: Vec<_> = lendable.map(|capability| capability.name()).collect();
    let granted = match &config.capabilities {
        Some(names) => names.clone(),
        None => known.iter().map(|&name| name.to_owned()).collect(),
    };
    if let Some(name) = granted.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(anyhow!("`capabilities` names `{name}`; this server has {}", known.join(", ")));
    }
    Ok(Grants {
        capabilities: granted.into_iter().collect(),
        key: "capabilities".into(),
        administrators: administrators(config),
    })
}

/// The extension that comes with the server to administer the others.
const ADMINISTRATOR: &str = "extensions";

/// The extensions that have power over others. Where strangers can reach the server, which asks nobody who he is, none has
/// it that the operator does not name.
fn administrators(config: &Config) -> BTreeSet<String> {
    match &config.administrators {
        Some(names) => names.iter().cloned().collect(),
        None if config.listen.ip().is_loopback() => [ADMINISTRATOR.to_owned()].into(),
        None => BTreeSet::new(),
    }
}

fn http_grants(config: &Config) -> anyhow::Result<HttpGrants> {
    let grant = |(name, http): (&String, &crate::config::Http)| {
        let grant = http.to_grant().with_context(|| format!("`http.{name}`"))?;
        Ok((name.clone(), Arc::new(grant)))
    };
    config.http.iter().map(grant).collect()
}

/// How long what has changed among images is left to change further: files that are copied come one after the other.
const SETTLING: Duration = Duration::from_millis(100);

/// Has the query interface show images as they come and go.
fn follow_images(mut changes: watch::Receiver<()>, core: &Arc<Core>) {
    let core = Arc::downgrade(core);
    tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            tokio::time::sleep(SETTLING).await;
            changes.mark_unchanged();
            let Some(core) = core.upgrade() else { return };
            if let Err(refusal) = core.renew_offers().await {
                tracing::error!("images are on offer as they were: {refusal}");
            }
        }
    });
}

/// Ready when the server is told to stop, by SIGTERM or Ctrl-C. Who then presses Ctrl-C does not want to wait: what was
/// not ended is recovered from at the next start.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("the signal SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("the signal SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            interrupt.recv().await;
            tracing::warn!("interrupted again, and ending at once");
            std::process::exit(1);
        });
    })
}

/// Writes a line for who started the server. That nobody reads it is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout();
    if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        tracing::debug!("nobody reads the standard output: {error}");
    }
}

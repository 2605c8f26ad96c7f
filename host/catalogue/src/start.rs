//! What serves first: what served when the host ended, as far as it is still there, and what has come since and contradicts
//! nothing. What else has changed in the folder meanwhile is followed once requests are served.

use crate::catalogue::{Catalogue, Entry, Known, Refusal};
use crate::file::{self, Copies};
use crate::follow::{self, InHand, Watch};
use crate::keeper;
use crate::record::{self, Record, Release, Said};
use crate::refused::Refused;
use crate::source::Source;
use crate::stage::Stager;
use crate::tending::Tending;
use occi_extension::{Extension, Loader, Outline, processors};
use occi_model::Mixin;
use occi_operation::{Core, Snapshot, has_entities_of, stored_tags};
use occi_store::{Batch, ReadView, Store, StoreError};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// Why there can be no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder cannot be used.
    #[error(transparent)]
    Folder(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What will serve, before there is a core for it.
pub struct Prepared {
    stager: Stager,
    folder: PathBuf,
    copies: Copies,
    staged: Copies,
    watch: Option<Watch>,
    known: Known,
    /// Those that the store does not know yet.
    new: Vec<Arc<Extension>>,
    extensions: Vec<Arc<Extension>>,
}

/// What is to be loaded.
struct Wanted {
    /// Where it is from, for messages.
    path: PathBuf,
    source: Source,
    digest: String,
    /// None of what is new.
    recorded: Option<(Arc<str>, Record)>,
}

/// What came of it.
struct Loaded {
    wanted: Wanted,
    outcome: Result<Arc<Extension>, Refused>,
}

impl Prepared {
    /// Reads a folder. `own` is one of the host's own.
    pub async fn new(
        loader: Arc<Loader>,
        store: &dyn Store,
        folder: &Path,
        own: &Path,
    ) -> Result<Self, StartError> {
        let view = store.read()?;
        let (records, tags) = (record::all(&*view)?, stored_tags(&*view)?);
        drop(view);
        let (copies, staged) = (Copies::open(own.join("extensions"))?, Copies::open(own.join("staged"))?);
        // Before anything is read, so that no change is missed.
        let watch = Watch::new(folder);
        let mut known = Known::default();
        let (removed, records): (BTreeMap<_, _>, _) =
            records.into_iter().partition(|(_, record)| record.is_removed);
        known.removed = removed.into_iter().map(|(name, record)| (name, record.said)).collect();
        let found = read_all(file::in_folder(folder)?, &mut known).await;
        let watch = watch.inspect_err(|error| {
            tracing::error!("the folder of extensions is not watched, only read now: {error}");
        });
        let wanted = wanted(records, found, &copies, folder, &mut known);
        let loaded = load_all(&loader, &copies, wanted).await;
        let loaded = probe_new(loaded, &known, &*store.read()?).await?;
        let mut prepared = Self {
            stager: Stager::new(loader),
            folder: folder.into(),
            copies,
            staged,
            watch: watch.ok(),
            known,
            new: Vec::new(),
            extensions: Vec::new(),
        };
        prepared.choose(loaded, &tags);
        Ok(prepared)
    }

    /// The extensions that serve first.
    pub fn extensions(&self) -> Vec<Arc<Extension>> {
        self.extensions.clone()
    }

    /// Notes in the store what serves, and follows the folder from now on. `core` was started with the extensions. Whoever
    /// must know the catalogue before anything comes or goes is told of it.
    pub async fn serve(
        self,
        core: Arc<Core>,
        store: &Arc<dyn Store>,
        tell: impl FnOnce(&Arc<Catalogue>),
    ) -> Result<Arc<Catalogue>, StartError> {
        let mut batch = Batch::new();
        for extension in &self.new {
            let Some(entry) = self.known.entries.get(extension.name()) else { continue };
            entry.record.put(&mut batch, extension.name())?;
        }
        if !batch.is_empty() {
            store.commit(batch).await?;
        }
        let Self { stager, folder, copies, staged, watch, known, .. } = self;
        let (known, changing) = (Mutex::new(known), tokio::sync::Mutex::default());
        let (news, tending) = (Arc::new(Notify::new()), Tending::new(Arc::clone(store)));
        let in_hand = InHand::default();
        let catalogue = Arc::new(Catalogue {
            core,
            stager,
            folder,
            copies,
            known,
            changing,
            news,
            staged,
            tending,
            in_hand,
        });
        catalogue.forget_ended().await?;
        catalogue.forget_copies().await;
        tell(&catalogue);
        follow::start(&catalogue, watch);
        keeper::start(&catalogue)?;
        Ok(catalogue)
    }

    /// Takes those that go together, and with what clients have defined; those that served before come first.
    fn choose(&mut self, loaded: Vec<Loaded>, tags: &[Mixin]) {
        let mut ready: Vec<(Wanted, Arc<Extension>)> = Vec::new();
        for Loaded { wanted, outcome } in loaded {
            let outcome = outcome.and_then(|extension| {
                let first = ready.iter().find(|(_, other)| other.name() == extension.name());
                match first {
                    Some((first, _)) => {
                        let other = file::name(&first.path).into();
                        Err(Refused::SameName { name: Arc::clone(extension.name()), other })
                    }
                    None => Ok(extension),
                }
            });
            match outcome {
                Ok(extension) => ready.push((wanted, extension)),
                Err(reason) => self.leave_out(wanted, reason),
            }
        }
        let (together, left) = that_go_together(ready, tags);
        for (wanted, extension) in together {
            let name = Arc::clone(extension.name());
            tracing::info!(name = &*name, version = %extension.version(), "extension");
            let record = match wanted.recorded {
                Some((_, record)) => record,
                None => {
                    self.new.push(Arc::clone(&extension));
                    let (file, current) = (file::name(&wanted.path), Release::of(&extension));
                    let said = Said::by(&extension);
                    Record { file, current, previous: None, said, is_enabled: true, is_removed: false }
                }
            };
            self.known.entries.insert(name, Entry::new(record, Some(Arc::clone(&extension))));
            self.extensions.push(extension);
        }
        for (wanted, reason) in left {
            self.leave_out(wanted, reason);
        }
    }

    fn leave_out(&mut self, wanted: Wanted, reason: Refused) {
        let Wanted { path, digest, recorded, .. } = wanted;
        tracing::error!(file = ?path, "not in service: {reason}");
        if let Some((name, record)) = recorded {
            let mut entry = Entry::new(record, None);
            entry.problem = Some(reason.to_string());
            self.known.entries.insert(name, entry);
        } else {
            self.known.refused.insert(path, Refusal { digest: Some(digest), reason, in_the_way: None });
        }
    }
}

async fn read_all(files: Vec<PathBuf>, known: &mut Known) -> Vec<file::Read> {
    let read = side_by_side(files, |path| {
        let read = file::Read::new(path.clone());
        (path, read)
    });
    let mut all = Vec::new();
    for (path, found) in read.await {
        match found {
            Ok(found) => all.push(found),
            Err(reason) => {
                tracing::error!(file = ?path, "not in service: {reason}");
                known.refused.insert(path, Refusal { digest: None, reason, in_the_way: None });
            }
        }
    }
    all
}

/// What is to be loaded: all that served, as it was, then what is new. A file with another version of what served waits:
/// what that one made may have to be brought over.
fn wanted(
    records: BTreeMap<Arc<str>, Record>,
    found: Vec<file::Read>,
    copies: &Copies,
    folder: &Path,
    known: &mut Known,
) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let served: HashSet<String> = records.values().map(|record| record.current.digest.clone()).collect();
    let names: HashSet<Arc<str>> = records.keys().chain(known.removed.keys()).cloned().collect();
    let files: HashSet<String> = records.values().map(|record| record.file.clone()).collect();
    for (name, record) in records {
        if !record.is_enabled {
            known.entries.insert(name, Entry::new(record, None));
            continue;
        }
        let digest = record.current.digest.clone();
        let source = match found.iter().find(|read| read.digest == digest) {
            Some(read) => Source::File(read.clone()),
            None => Source::Copy(copies.clone(), digest.clone()),
        };
        let path = folder.join(&record.file);
        wanted.push(Wanted { path, source, digest, recorded: Some((name, record)) });
    }
    for read in found {
        // One that takes another's file is not new either: that one is to go first.
        if served.contains(&read.digest) || files.contains(&file::name(&read.path)) {
            continue;
        }
        let outline = read.content().ok().and_then(|bytes| Outline::read(&bytes).ok());
        if outline.is_none_or(|outline| !names.contains(&outline.manifest.name)) {
            let (path, digest) = (read.path.clone(), read.digest.clone());
            wanted.push(Wanted { path, source: Source::File(read), digest, recorded: None });
        }
    }
    wanted
}

/// Loads them, and keeps copies of those that are new.
async fn load_all(loader: &Arc<Loader>, copies: &Copies, wanted: Vec<Wanted>) -> Vec<Loaded> {
    let (loader, copies) = (Arc::clone(loader), copies.clone());
    let load = move |wanted: &Wanted| {
        let bytes = wanted.source.read()?;
        if !loader.is_ready(&bytes) {
            tracing::info!(file = ?wanted.path, "an extension is compiled");
        }
        let extension = loader.load(&bytes)?;
        if wanted.recorded.is_none() {
            copies.keep(&wanted.digest, &Source::Given(bytes))?;
        }
        Ok(Arc::new(extension))
    };
    side_by_side(wanted, move |wanted| Loaded { outcome: load(&wanted), wanted }).await
}

/// Tries those that are new, as when they come later. One with entities is left to who follows the folder: an earlier version
/// has made them, and they may have to be brought over. So is one that takes a scheme of one that does not serve.
async fn probe_new(
    loaded: Vec<Loaded>,
    known: &Known,
    view: &dyn ReadView,
) -> Result<Vec<Loaded>, StoreError> {
    let failed = loaded.iter().filter(|loaded| loaded.outcome.is_err());
    let failed = failed.filter_map(|loaded| Some(&loaded.wanted.recorded.as_ref()?.1));
    let asleep = known.entries.values().map(|entry| &entry.record).chain(failed);
    let asleep = asleep.map(|record| &record.said).chain(known.removed.values());
    let asleep: Vec<_> = asleep.cloned().collect();
    let mut probed = Vec::with_capacity(loaded.len());
    for Loaded { wanted, mut outcome } in loaded {
        if let (Ok(extension), None) = (&outcome, &wanted.recorded) {
            let takes_a_scheme = asleep.iter().any(|said| said.scheme_taken_by(extension).is_some());
            if takes_a_scheme || has_entities_of(view, extension)? {
                continue;
            }
            if let Err(error) = extension.probe().await {
                outcome = Err(Refused::Probe(error));
            }
        }
        probed.push(Loaded { wanted, outcome });
    }
    Ok(probed)
}

/// Does the same with all of them, in their order. On as few threads as work at a time: each that has loaded an extension
/// keeps megabytes for the next one.
async fn side_by_side<I: Send + 'static, O: Send + 'static>(
    all: Vec<I>,
    work: impl Fn(I) -> O + Send + Sync + 'static,
) -> Vec<O> {
    let (places, work) = (Arc::new(Semaphore::new(processors())), Arc::new(work));
    let mut working = JoinSet::new();
    for (number, one) in all.into_iter().enumerate() {
        let (place, work) = (Arc::clone(&places).acquire_owned().await, Arc::clone(&work));
        working.spawn_blocking(move || {
            let _place = place;
            (number, work(one))
        });
    }
    let mut done = working.join_all().await;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

type Ready = (Wanted, Arc<Extension>);

/// As many as go together, the first before others. One may build on what a later one defines, so those that do not go
/// with the others yet are tried again.
fn that_go_together(ready: Vec<Ready>, tags: &[Mixin]) -> (Vec<Ready>, Vec<(Wanted, Refused)>) {
    let goes = |extensions: Vec<Arc<Extension>>| Snapshot::new(extensions, tags.to_vec()).map(drop);
    if goes(ready.iter().map(|(_, extension)| Arc::clone(extension)).collect()).is_ok() {
        return (ready, Vec::new());
    }
    let mut together: Vec<Ready> = Vec::new();
    let mut left = ready;
    loop {
        let mut refused = Vec::new();
        let tried = left.len();
        for (wanted, extension) in left {
            let mut all: Vec<_> = together.iter().map(|(_, extension)| Arc::clone(extension)).collect();
            all.push(Arc::clone(&extension));
            match goes(all) {
                Ok(()) => together.push((wanted, extension)),
                Err(error) => refused.push((wanted, extension, error)),
            }
        }
        if refused.len() == tried {
            let reason = |error| Refused::Replace(occi_operation::CannotReplace::Clash(error));
            return (
                together,
                refused.into_iter().map(|(wanted, _, error)| (wanted, reason(error))).collect(),
            );
        }
        left = refused.into_iter().map(|(wanted, extension, _)| (wanted, extension)).collect();
    }
}

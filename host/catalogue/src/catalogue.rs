//! What can be done with extensions, one thing after the other.

use crate::file::{self, Before, Copies};
use crate::record::{Listed, Listing, Record, RefusedFile, Release, Said, State};
use crate::refused::Refused;
use crate::source::Source;
use crate::stage::Stager;
use crate::tending::Tending;
use occi_extension::Extension;
use occi_operation::{Core, Replacement, Tried};
use occi_store::{Batch, Revision};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// All extensions of a host.
pub struct Catalogue {
    pub(crate) core: Arc<Core>,
    pub(crate) stager: Stager,
    /// The folder that says what serves.
    pub(crate) folder: PathBuf,
    pub(crate) copies: Copies,
    pub(crate) known: Mutex<Known>,
    /// One change at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Told when anything is known that was not.
    pub(crate) news: Arc<Notify>,
    /// Bytes that entities ask to have installed, until that is done.
    pub(crate) staged: Copies,
    pub(crate) tending: Tending,
}

/// What is known of extensions and of files.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) entries: BTreeMap<Arc<str>, Entry>,
    /// What those said that were removed and have left entities.
    pub(crate) removed: BTreeMap<Arc<str>, Said>,
    /// Files whose extensions are checked, compiled and tried now.
    pub(crate) preparing: BTreeSet<String>,
    /// By file.
    pub(crate) refused: BTreeMap<PathBuf, Refusal>,
}

/// An extension that is installed.
pub(crate) struct Entry {
    pub(crate) record: Record,
    /// Ready to serve; it does where it is switched on. None where it could not be loaded.
    pub(crate) current: Option<Arc<Extension>>,
    /// The one before, ready to serve again.
    pub(crate) previous: Option<Arc<Extension>>,
    /// Those before that one.
    pub(crate) older: Vec<Weak<Extension>>,
    pub(crate) problem: Option<String>,
    /// Whether its file is gone, and it only stays because it has entities.
    pub(crate) is_orphan: bool,
}

/// What there is to go back to.
struct WayBack {
    release: Release,
    ready: Option<Arc<Extension>>,
    file: String,
}

/// The name of one that does not serve, what is known of it, and it itself, where it is ready to serve.
type Asleep = (Arc<str>, Record, Option<Arc<Extension>>);

/// A file that is not in service.
pub(crate) struct Refusal {
    /// Of its content, where that could be read.
    pub(crate) digest: Option<String>,
    pub(crate) reason: Refused,
    /// The revision of the entity that is in its way, as far as there is one.
    pub(crate) in_the_way: Option<Revision>,
}

impl Catalogue {
    /// All extensions, and the files that are none.
    pub fn list(&self) -> Listing {
        let known = self.known();
        let refused = known.refused.iter().map(|(path, refusal)| RefusedFile {
            file: file::name(path),
            stage: refusal.reason.stage(),
            reason: refusal.reason.to_string(),
        });
        Listing {
            extensions: known.entries.iter().map(|(name, entry)| entry.listed(name)).collect(),
            refused: refused.collect(),
            preparing: known.preparing.iter().cloned().collect(),
        }
    }

    /// Installs an extension, or another version of one: its bytes become the file in the folder.
    pub async fn install(self: &Arc<Self>, bytes: Vec<u8>) -> Result<Listed, Refused> {
        self.install_from(Source::Given(bytes.into())).await
    }

    pub(crate) async fn install_from(self: &Arc<Self>, source: Source) -> Result<Listed, Refused> {
        let next = self.stager.stage(&source).await?;
        let tried = self.try_on(&next, &[]).await?;
        let this = Arc::clone(self);
        to_its_end(async move {
            let _changing = this.changing.lock().await;
            let file = this.file_for(&next).await?;
            this.write_and_serve(next, tried, file, source).await
        })
        .await
    }

    /// The file in the folder that an extension has, or would have.
    pub(crate) async fn file_for(&self, next: &Extension) -> Result<String, Refused> {
        let new = || format!("{}.{}", next.name(), if next.limits().is_some() { "wasm" } else { "toml" });
        let (file, is_in_use) = {
            let known = self.known();
            match known.entries.get(next.name()) {
                Some(entry) => (entry.record.file.clone(), false),
                None => (new(), known.is_in_use(&new())),
            }
        };
        if is_in_use || self.holds_another(&file, next.name()).await? {
            return Err(Refused::Occupied { name: Arc::clone(next.name()), path: self.folder.join(file) });
        }
        Ok(file)
    }

    /// Whether a file of the folder holds another extension than that of a name.
    async fn holds_another(&self, file: &str, name: &Arc<str>) -> Result<bool, Refused> {
        let (path, name) = (self.folder.join(file), Arc::clone(name));
        aside(move || Ok(file::holds_another(&path, &name))).await
    }

    /// Puts the version that served before into service again.
    pub async fn roll_back(self: &Arc<Self>, name: &str) -> Result<Listed, Refused> {
        self.roll_back_to(name, None).await
    }

    /// The same where that is still the one that is meant; nothing is done where that one serves.
    pub(crate) async fn roll_back_to(
        self: &Arc<Self>,
        name: &str,
        to: Option<&Release>,
    ) -> Result<Listed, Refused> {
        let Some(back) = self.way_back(name, to)? else { return self.found(name) };
        // It may have to be compiled, and nobody need wait for that.
        let next = self.ready(back.ready, &back.release).await?;
        let tried = self.try_on(&next, &[]).await?;
        let (this, name, to) = (Arc::clone(self), name.to_owned(), to.cloned());
        to_its_end(async move {
            let _changing = this.changing.lock().await;
            this.roll_back_now(&name, to.as_ref(), next, tried).await
        })
        .await
    }

    async fn roll_back_now(
        &self,
        name: &str,
        to: Option<&Release>,
        next: Arc<Extension>,
        tried: Tried,
    ) -> Result<Listed, Refused> {
        let Some(back) = self.way_back(name, to)? else { return self.found(name) };
        let is_meant = |next: &Arc<Extension>| Release::of(next) == back.release;
        let next = self.ready(Some(next).filter(is_meant).or(back.ready), &back.release).await?;
        if self.holds_another(&back.file, next.name()).await? {
            return Err(Refused::Occupied {
                name: Arc::clone(next.name()),
                path: self.folder.join(back.file),
            });
        }
        let listed = self.write_and_serve(next, tried, back.file, self.copy(&back.release)).await?;
        tracing::info!(extension = name, version = listed.version, "rolled back");
        Ok(listed)
    }

    /// None where it serves.
    fn way_back(&self, name: &str, to: Option<&Release>) -> Result<Option<WayBack>, Refused> {
        let known = self.known();
        let (name, entry) = known.entry(name)?;
        if to == Some(&entry.record.current) {
            return Ok(None);
        }
        let release = entry.record.previous.clone().ok_or_else(|| Refused::NoPrevious(Arc::clone(name)))?;
        if let Some(to) = to.filter(|to| **to != release) {
            return Err(Refused::OtherPrevious { name: Arc::clone(name), version: to.version.clone() });
        }
        let (ready, file) = (entry.previous.clone(), entry.record.file.clone());
        Ok(Some(WayBack { release, ready, file }))
    }

    /// A release ready to serve.
    pub(crate) async fn ready(
        &self,
        ready: Option<Arc<Extension>>,
        release: &Release,
    ) -> Result<Arc<Extension>, Refused> {
        match ready {
            Some(ready) => Ok(ready),
            None => self.stager.stage(&self.copy(release)).await,
        }
    }

    /// Switches an extension on.
    pub async fn enable(self: &Arc<Self>, name: &str) -> Result<Listed, Refused> {
        let Some((name, record, ready)) = self.asleep(name)? else { return self.found(name) };
        // It may have to be compiled, and nobody need wait for that.
        let next = self.ready(ready, &record.current).await?;
        let tried = self.check(&next, &[]).await?;
        let this = Arc::clone(self);
        to_its_end(async move {
            let _changing = this.changing.lock().await;
            this.enable_now(&name, next, tried).await
        })
        .await
    }

    async fn enable_now(&self, name: &str, next: Arc<Extension>, tried: Tried) -> Result<Listed, Refused> {
        let Some((name, record, ready)) = self.asleep(name)? else { return self.found(name) };
        let is_meant = |next: &Arc<Extension>| Release::of(next) == record.current;
        let next = self.ready(Some(next).filter(is_meant).or(ready), &record.current).await?;
        let record = Record { is_enabled: true, said: Said::by(&next), ..record };
        self.switch(&name, Some((Arc::clone(&next), tried)), Some(&record), false).await?;
        tracing::info!(extension = &*name, version = %next.version(), "enabled");
        self.changed(&name, |entry| {
            entry.current = Some(next);
            entry.record = record;
            if !entry.is_orphan {
                entry.problem = None;
            }
        })
    }

    /// An extension that does not serve; none where it does.
    fn asleep(&self, name: &str) -> Result<Option<Asleep>, Refused> {
        let known = self.known();
        let (name, entry) = known.entry(name)?;
        let asleep = (Arc::clone(name), entry.record.clone(), entry.current.clone());
        Ok((!entry.is_active()).then_some(asleep))
    }

    /// Switches an extension off, and keeps it installed. Where it has entities that is refused, unless they may stay, to
    /// be read only.
    pub async fn disable(self: &Arc<Self>, name: &str, leaves_entities: bool) -> Result<Listed, Refused> {
        let (this, name) = (Arc::clone(self), name.to_owned());
        to_its_end(async move {
            let _changing = this.changing.lock().await;
            this.disable_now(&name, leaves_entities).await
        })
        .await
    }

    async fn disable_now(&self, name: &str, leaves_entities: bool) -> Result<Listed, Refused> {
        let (name, record) = {
            let known = self.known();
            let (name, entry) = known.entry(name)?;
            if !entry.record.is_enabled {
                return Ok(entry.listed(name));
            }
            (Arc::clone(name), Record { is_enabled: false, ..entry.record.clone() })
        };
        if !leaves_entities {
            self.check_has_none(&name)?;
        }
        self.switch(&name, None, Some(&record), leaves_entities).await?;
        tracing::info!(extension = &*name, "disabled");
        self.changed(&name, |entry| entry.record = record)
    }

    /// Removes an extension and its file. Where it has entities that is refused, unless they may stay, to be read only.
    pub async fn remove(self: &Arc<Self>, name: &str, leaves_entities: bool) -> Result<(), Refused> {
        let (this, name) = (Arc::clone(self), name.to_owned());
        to_its_end(async move {
            let _changing = this.changing.lock().await;
            this.remove_now(&name, leaves_entities).await
        })
        .await
    }

    async fn remove_now(&self, name: &str, leaves_entities: bool) -> Result<(), Refused> {
        let (name, file) = {
            let known = self.known();
            let (name, entry) = known.entry(name)?;
            (Arc::clone(name), entry.record.file.clone())
        };
        let holds_another = |(other, entry): (&Arc<str>, &Entry)| *other != name && entry.record.file == file;
        let is_anothers =
            self.known().entries.iter().any(holds_another) || self.holds_another(&file, &name).await?;
        // Where the folder is away, the file would come back with it.
        let folder = self.folder.clone();
        aside(move || file::in_folder(&folder)).await?;
        self.take_out(&name, leaves_entities).await?;
        let path = self.folder.join(file);
        if is_anothers { Ok(()) } else { aside(move || file::remove(&path)).await }
    }

    /// Takes an extension out of service for good; its file is not looked at.
    pub(crate) async fn take_out(&self, name: &Arc<str>, leaves_entities: bool) -> Result<(), Refused> {
        if !leaves_entities {
            self.check_has_none(name)?;
        }
        let record = self.known().entries.get(name).map(|entry| entry.record.clone());
        let record = record.filter(|_| leaves_entities).map(|record| Record { is_removed: true, ..record });
        self.switch(name, None, record.as_ref(), leaves_entities).await?;
        tracing::info!(extension = &**name, "removed");
        {
            let mut known = self.known();
            known.entries.remove(name);
            known.removed.extend(record.map(|record| (Arc::clone(name), record.said)));
        }
        self.forget_ended().await?;
        self.forget_copies().await;
        Ok(())
    }

    /// The file first, so that a crash in the middle leaves what the next start follows; where the extension cannot
    /// serve, what was there is there again.
    async fn write_and_serve(
        &self,
        next: Arc<Extension>,
        tried: Tried,
        file: String,
        source: Source,
    ) -> Result<Listed, Refused> {
        let path = self.folder.join(&file);
        let written = (path.clone(), source.clone());
        let before = aside(move || {
            let (path, source) = written;
            let before = Before::of(&path)?;
            file::write(&path, &source.read()?).map(|()| before)
        })
        .await?;
        let served = self.serve(next, tried, file, source).await;
        if served.is_ok() {
            self.known().refused.remove(&path);
        }
        let is_served = served.is_ok();
        aside(move || if is_served { before.forget() } else { before.restore() }).await?;
        served
    }

    /// Puts an extension into service, whose bytes are in a file of the folder. Where it is switched off, it is only
    /// noted.
    pub(crate) async fn serve(
        &self,
        next: Arc<Extension>,
        tried: Tried,
        file: String,
        source: Source,
    ) -> Result<Listed, Refused> {
        let (name, current) = (Arc::clone(next.name()), Release::of(&next));
        let (copies, digest) = (self.copies.clone(), current.digest.clone());
        aside(move || copies.keep(&digest, &source)).await?;
        let said = Said::by(&next);
        let record = match self.known().entries.get(&name) {
            Some(entry) if entry.record.current == current => Record { file, ..entry.record.clone() },
            Some(entry) => {
                let (previous, is_enabled) = (Some(entry.record.current.clone()), entry.record.is_enabled);
                let said = if is_enabled { said } else { said.beside(&entry.record.said) };
                Record { file, current, previous, is_enabled, said, is_removed: false }
            }
            None => Record { file, current, previous: None, said, is_enabled: true, is_removed: false },
        };
        let serves = record.is_enabled.then(|| (Arc::clone(&next), tried));
        self.switch(&name, serves, Some(&record), false).await?;
        tracing::info!(extension = &*name, version = %next.version(), digest = %next.digest(), "installed");
        let listed = {
            let mut known = self.known();
            known.removed.remove(&name);
            let new = || Entry::new(record.clone(), None);
            let entry = known.entries.entry(Arc::clone(&name)).or_insert_with(new);
            entry.follow_with(record, next);
            entry.listed(&name)
        };
        self.tell_news();
        self.forget_copies().await;
        Ok(listed)
    }

    /// Switches what serves, and commits what is known of it with that.
    async fn switch(
        &self,
        name: &Arc<str>,
        next: Option<(Arc<Extension>, Tried)>,
        record: Option<&Record>,
        leaves_entities: bool,
    ) -> Result<(), Refused> {
        let (next, tried) = next.unzip();
        if let Some(next) = &next {
            self.check_leaves_all(next, &[])?;
        }
        let mut batch = Batch::new();
        match record {
            Some(record) => record.put(&mut batch, name)?,
            None => occi_store::delete_extension(&mut batch, name),
        }
        // What stands for extensions goes with the one that lets it.
        let _away = if next.is_none() { self.clear_away(name).await? } else { None };
        let left = next.as_ref().map(|next| self.attributes_left_to(next)).unwrap_or_default();
        let (name, tried, record) = (Arc::clone(name), tried.unwrap_or_default(), batch);
        let replacement = Replacement { name: Arc::clone(&name), next, leaves_entities, left, tried, record };
        let replaced = self.core.replace(replacement).await?;
        if replaced.migrated > 0 {
            tracing::info!(extension = &*name, entities = replaced.migrated, "brought over");
        }
        Ok(())
    }

    fn changed(&self, name: &Arc<str>, change: impl FnOnce(&mut Entry)) -> Result<Listed, Refused> {
        let listed = {
            let mut known = self.known();
            let entry = known.entries.get_mut(name);
            let entry = entry.ok_or_else(|| Refused::Internal(format!("{name} was removed meanwhile")))?;
            change(entry);
            entry.listed(name)
        };
        self.tell_news();
        Ok(listed)
    }

    fn copy(&self, release: &Release) -> Source {
        Source::Copy(self.copies.clone(), release.digest.clone())
    }

    fn found(&self, name: &str) -> Result<Listed, Refused> {
        let known = self.known();
        known.entry(name).map(|(name, entry)| entry.listed(name))
    }

    /// Removes the copies of what nobody goes back to any more. Not while anything else is changed, which may be about to need
    /// what it has just kept.
    pub(crate) async fn forget_copies(&self) {
        let records = |entry: &Entry| {
            let releases = std::iter::once(&entry.record.current).chain(&entry.record.previous);
            releases.map(|release| release.digest.clone()).collect::<Vec<_>>()
        };
        let kept: HashSet<String> = self.known().entries.values().flat_map(records).collect();
        let copies = self.copies.clone();
        let removed = aside(move || {
            copies.retain(&kept, Duration::ZERO);
            Ok(())
        });
        if let Err(error) = removed.await {
            tracing::warn!("extensions that are not used any more stay: {error}");
        }
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    pub(crate) fn entry(&self, name: &str) -> Result<(&Arc<str>, &Entry), Refused> {
        self.entries.get_key_value(name).ok_or_else(|| Refused::Unknown {
            name: name.to_owned(),
            known: self.entries.keys().map(ToString::to_string).collect(),
        })
    }

    /// Whether a file is one of an extension.
    fn is_in_use(&self, file: &str) -> bool {
        self.entries.values().any(|entry| entry.record.file == file)
    }
}

impl Entry {
    pub(crate) fn new(record: Record, current: Option<Arc<Extension>>) -> Self {
        Self { record, current, previous: None, older: Vec::new(), problem: None, is_orphan: false }
    }

    /// Another version is current, or the same one as it is now.
    fn follow_with(&mut self, record: Record, next: Arc<Extension>) {
        if self.record.current != record.current {
            let older = std::mem::replace(&mut self.previous, self.current.take());
            self.older.extend(older.as_ref().map(Arc::downgrade));
            // One that is back is none of those that end.
            self.older.retain(|older| older.strong_count() > 0 && older.as_ptr() != Arc::as_ptr(&next));
        }
        self.record = record;
        self.current = Some(next);
        (self.problem, self.is_orphan) = (None, false);
    }

    pub(crate) fn is_active(&self) -> bool {
        self.record.is_enabled && self.current.is_some()
    }

    pub(crate) fn listed(&self, name: &str) -> Listed {
        // Requests hold the snapshot that they began with, and that holds its extensions; we hold the last one ourselves.
        let previous = self.previous.iter().filter(|previous| Arc::strong_count(previous) > 1);
        let older = self.older.iter().filter(|older| older.strong_count() > 0);
        let (calls, failures) = self.current.as_ref().map_or((0, 0), |current| current.tally());
        let Said { publisher, capabilities, .. } = self.record.said.clone();
        Listed {
            name: name.to_owned(),
            version: self.record.current.version.clone(),
            digest: self.record.current.digest.clone(),
            publisher,
            capabilities,
            state: match (self.record.is_enabled, &self.current) {
                (true, Some(_)) => State::Active,
                (true, None) => State::Failed,
                (false, _) => State::Disabled,
            },
            file: self.record.file.clone(),
            previous: self.record.previous.as_ref().map(|previous| previous.version.clone()),
            draining: previous.count() + older.count(),
            problem: self.problem.clone(),
            calls,
            failures,
        }
    }
}

/// Works with files on a thread that may wait for them.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // The server ends, which is not the file's fault.
        Err(error) if error.is_cancelled() => std::future::pending().await,
        Err(error) => Err(Refused::Internal(error.to_string())),
    }
}

/// Does something to its end, whether or not somebody still waits for it.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<T, Refused> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) if error.is_cancelled() => std::future::pending().await,
        Err(error) => Err(Refused::Internal(error.to_string())),
    }
}

/// Whether a file of the folder is there.
pub(crate) fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

//! All extensions, and how one is put into service and taken out of it, one thing after the other.

use crate::file::{self, Before, Copies};
use crate::follow::InHand;
use crate::record::{Listed, Listing, Record, RefusedFile, Release, Said, State};
use crate::refused::Refused;
use crate::source::Source;
use crate::stage::Stager;
use crate::tending::{Tending, locked};
use occi_extension::{Extension, Tallied};
use occi_operation::{Core, Replacement, Tried};
use occi_store::{Batch, Revision};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
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
    pub(crate) in_hand: InHand,
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
    /// How often it was to be switched off, be it that it was so.
    pub(crate) switched_off: u64,
}

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
    pub(crate) async fn write_and_serve(
        &self,
        next: Arc<Extension>,
        tried: Arc<Tried>,
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
        tried: Arc<Tried>,
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
    pub(crate) async fn switch(
        &self,
        name: &Arc<str>,
        next: Option<(Arc<Extension>, Arc<Tried>)>,
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

    pub(crate) fn changed(
        &self,
        name: &Arc<str>,
        change: impl FnOnce(&mut Entry),
    ) -> Result<Listed, Refused> {
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

    pub(crate) fn copy(&self, release: &Release) -> Source {
        Source::Copy(self.copies.clone(), release.digest.clone())
    }

    pub(crate) fn found(&self, name: &str) -> Result<Listed, Refused> {
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
        locked(&self.known)
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
    pub(crate) fn is_in_use(&self, file: &str) -> bool {
        self.entries.values().any(|entry| entry.record.file == file)
    }
}

impl Entry {
    pub(crate) fn new(record: Record, current: Option<Arc<Extension>>) -> Self {
        Self {
            record,
            current,
            previous: None,
            older: Vec::new(),
            problem: None,
            is_orphan: false,
            switched_off: 0,
        }
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
        let Tallied { done, refused, failed: failures } =
            self.current.as_ref().map_or_else(Tallied::default, |current| current.tally());
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
            calls: done + refused + failures,
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

/// Whether a file of the folder is there.
pub(crate) fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

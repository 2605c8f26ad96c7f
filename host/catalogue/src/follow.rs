//! The folder's changes. A file counts when its writer has closed it or has given it its name, so that half of one is
//! never looked at; one that goes may only be on its way to another name. What nobody tells is looked for now and then:
//! changes behind links ([`Linked`]), and whether the folder is still the one that is watched.

use crate::catalogue::{Catalogue, Entry, Refusal, aside, is_there};
use crate::file;
use crate::linked::Linked;
use crate::operator::PATIENCE;
use crate::refused::Refused;
use crate::source::Source;
use crate::tending::locked;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use occi_extension::Extension;
use occi_model::Location;
use occi_operation::has_entities_of;
use occi_store::{Entities, Revision};
use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How long a file may be away while it gets another name or other content.
const AWAY: Duration = Duration::from_millis(200);

/// By how much the time of a file's change may be behind the clock: the kernel's tick.
const TICK: Duration = Duration::from_millis(20);

/// After so long, a file that was changed as the watch began was either told of, or changed just before.
const DOUBT: Duration = Duration::from_secs(1);

/// How often it is looked for what nobody tells.
const LOOK: Duration = Duration::from_secs(2);

/// What has happened in a folder since.
pub(crate) struct Watch {
    /// The folder that is watched; another may have its name by now.
    identity: Option<(u64, u64)>,
    /// Ends with this.
    _watcher: RecommendedWatcher,
    touched: UnboundedReceiver<Touched>,
    began: SystemTime,
}

/// What may have changed.
enum Touched {
    File(PathBuf),
    /// More than could be told.
    All,
}

impl Watch {
    pub(crate) fn new(folder: &Path) -> notify::Result<Self> {
        let (sender, touched) = unbounded_channel();
        // Before it is watched: one that comes after is noticed.
        let identity = identity(folder);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let told = match event {
                Ok(event) if event.need_rescan() => vec![Touched::All],
                Ok(event) if counts(&event) => event.paths.into_iter().map(Touched::File).collect(),
                Ok(_) => Vec::new(),
                Err(error) => {
                    tracing::warn!("the folder of extensions: {error}");
                    vec![Touched::All]
                }
            };
            for touched in told {
                // Nobody listens any more when the server ends.
                let _ = sender.send(touched);
            }
        })?;
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        let began = SystemTime::now();
        Ok(Self { identity, _watcher: watcher, touched, began })
    }
}

/// Why a file is looked at.
#[derive(Clone, Copy)]
enum Asked {
    /// Somebody has written it, be it what it was: what kept it out may be gone by now.
    Told,
    /// All are. What was written since a time is told when it is written to its end.
    Looked { told_since: Option<SystemTime> },
    /// What others are has changed.
    Again,
}

/// Why the folder is looked at.
enum Cause {
    Told(Vec<Touched>),
    /// Nobody may have told.
    Time,
    /// Files went, and may have come back by another name.
    Away,
}

fn identity(folder: &Path) -> Option<(u64, u64)> {
    folder.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// What is told next.
async fn told(watch: &mut Option<Watch>) -> Vec<Touched> {
    let Some(Watch { touched, .. }) = watch else { return std::future::pending().await };
    let Some(first) = touched.recv().await else {
        // Nobody watches any more, which is looked after at the next look.
        *watch = None;
        return vec![Touched::All];
    };
    let mut all = vec![first];
    while let Ok(more) = touched.try_recv() {
        all.push(more);
    }
    all
}

fn counts(event: &notify::Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Remove(_) => true,
        // What is not written is there at once.
        EventKind::Create(_) => event.paths.iter().any(|path| path.is_symlink()),
        _ => false,
    }
}

fn was_written_since(file: &Path, since: SystemTime) -> bool {
    let written = file.metadata().and_then(|metadata| metadata.modified());
    written.is_ok_and(|written| since < written && written <= SystemTime::now())
}

/// Until a file is not what was read any more.
async fn changed(read: &file::Read) {
    loop {
        sleep(LOOK).await;
        let looked_at = read.clone();
        if !aside(move || Ok(looked_at.is_still())).await.unwrap_or(true) {
            return;
        }
    }
}

/// Follows a folder for as long as the catalogue is there: first what is in it now.
pub(crate) fn start(catalogue: &Arc<Catalogue>, watch: Option<Watch>) {
    let (weak, began) = (Arc::downgrade(catalogue), watch.as_ref().map(|watch| watch.began));
    let looker = Weak::clone(&weak);
    tokio::spawn(async move {
        if let Some(began) = began {
            if let Some(catalogue) = looker.upgrade() {
                catalogue.take_up_all(Asked::Looked { told_since: Some(began - TICK) }).await;
            }
            tokio::time::sleep(DOUBT).await;
        }
        if let Some(catalogue) = looker.upgrade() {
            let told_since = began.map(|began| began + TICK);
            catalogue.follow_all(Asked::Looked { told_since }).await;
        }
    });
    tokio::spawn(follow(weak, watch));
}

async fn follow(catalogue: Weak<Catalogue>, mut watch: Option<Watch>) {
    let (mut gone, mut linked) = (BTreeSet::new(), Linked::default());
    let mut orphans: Option<JoinHandle<()>> = None;
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let cause = tokio::select! {
            touched = told(&mut watch) => Cause::Told(touched),
            () = sleep(AWAY), if !gone.is_empty() => Cause::Away,
            _ = look.tick() => Cause::Time,
        };
        let Some(catalogue) = catalogue.upgrade() else { return };
        let touched = match cause {
            Cause::Told(touched) => touched,
            Cause::Time => {
                if orphans.as_ref().is_none_or(JoinHandle::is_finished) {
                    let catalogue = Arc::clone(&catalogue);
                    orphans = Some(tokio::spawn(async move { catalogue.let_go_of_orphans().await }));
                }
                let all = renew(&mut watch, &catalogue.folder).then_some(Touched::All);
                let files = linked.changed(&catalogue.folder).await.into_iter().chain(catalogue.retried());
                all.into_iter().chain(files.map(Touched::File)).collect()
            }
            Cause::Away => {
                let gone = std::mem::take(&mut gone);
                tokio::spawn(async move { catalogue.let_go(gone).await });
                continue;
            }
        };
        let (mut files, mut all) = (BTreeSet::new(), None);
        for touched in touched {
            match touched {
                Touched::File(file) => drop(files.insert(file)),
                Touched::All => all = catalogue.files().await,
            }
        }
        files.extend(all.iter().flatten().cloned());
        let (there, away): (BTreeSet<_>, BTreeSet<_>) = files.into_iter().partition(|file| is_there(file));
        gone.retain(|file| !there.contains(file));
        gone.extend(away);
        let looked_at: Vec<_> = there.into_iter().filter_map(|file| catalogue.look_at(file)).collect();
        if let Some(all) = all {
            tokio::spawn(async move {
                for looked_at in looked_at {
                    // That it is over is enough.
                    let _ended = looked_at.await;
                }
                catalogue.let_go(catalogue.missing(&all)).await;
            });
        }
    }
}

/// Watches the folder that has the name now, where that is another than the one that is watched.
fn renew(watch: &mut Option<Watch>, folder: &Path) -> bool {
    if watch.as_ref().is_some_and(|watch| watch.identity == identity(folder)) {
        return false;
    }
    match Watch::new(folder) {
        Ok(next) => {
            tracing::info!(folder = %folder.display(), "the folder of extensions is followed from now on");
            *watch = Some(next);
            true
        }
        Err(error) => {
            // Said once.
            if watch.take().is_some() {
                tracing::error!("the folder of extensions is gone, and what it brought serves on: {error}");
            }
            false
        }
    }
}

/// The files that are being looked at, and whether they were touched since that began.
#[derive(Default)]
pub(crate) struct InHand(Mutex<HashMap<PathBuf, bool>>);

impl InHand {
    fn files(&self) -> MutexGuard<'_, HashMap<PathBuf, bool>> {
        locked(&self.0)
    }

    /// Notes that a file was touched; whether nobody looks at it now.
    fn begins(&self, file: &Path) -> bool {
        self.files().insert(file.to_owned(), true).is_none()
    }

    /// Whether it was touched since it was looked at; else it is in hand no more.
    fn is_to_be_looked_at(&self, file: &Path) -> bool {
        let mut files = self.files();
        match files.get_mut(file) {
            Some(is_touched) if *is_touched => std::mem::replace(is_touched, false),
            _ => {
                files.remove(file);
                false
            }
        }
    }
}

impl Catalogue {
    /// Makes what serves what the folder says.
    async fn follow_all(self: &Arc<Self>, asked: Asked) {
        if let Some(files) = self.take_up_all(asked).await {
            self.let_go(self.missing(&files)).await;
        }
    }

    /// The files that are spoken of and not among these.
    fn missing(&self, files: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        let known = self.known();
        let entries = known.entries.values().map(|entry| self.folder.join(&entry.record.file));
        entries.chain(known.refused.keys().cloned()).filter(|file| !files.contains(file)).collect()
    }

    /// The files that there are; none where the folder cannot be read.
    async fn files(&self) -> Option<BTreeSet<PathBuf>> {
        let folder = self.folder.clone();
        match aside(move || file::in_folder(&folder)).await {
            Ok(files) => Some(files.into_iter().collect()),
            Err(error) => {
                tracing::error!("the folder of extensions is not followed: {error}");
                None
            }
        }
    }

    /// Looks at all files, each by itself; those that there are.
    async fn take_up_all(self: &Arc<Self>, asked: Asked) -> Option<BTreeSet<PathBuf>> {
        let files = self.files().await?;
        let mut looked_at = JoinSet::new();
        for file in files.clone() {
            let catalogue = Arc::clone(self);
            looked_at.spawn(async move { catalogue.take_up(&file, asked).await });
        }
        looked_at.join_all().await;
        Some(files)
    }

    /// Looks at a file that is there.
    async fn take_up(self: &Arc<Self>, file: &Path, asked: Asked) {
        if file::is_extension(file) && self.take_up_one(file, asked).await {
            self.try_again();
        }
    }

    /// Has a file looked at by itself, once more where that goes on: one that takes long to be compiled, or to bring entities
    /// over, keeps back no other.
    fn look_at(self: &Arc<Self>, file: PathBuf) -> Option<JoinHandle<()>> {
        self.in_hand.begins(&file).then(|| {
            let catalogue = Arc::clone(self);
            tokio::spawn(async move {
                while catalogue.in_hand.is_to_be_looked_at(&file) {
                    catalogue.take_up(&file, Asked::Told).await;
                }
            })
        })
    }

    /// Has those files looked at again whose extensions waited for others to come or go.
    pub(crate) fn try_again(self: &Arc<Self>) {
        for file in self.refused_for(Refused::depends_on_others) {
            self.look_at(file);
        }
    }

    /// The files that were refused for such a reason.
    fn refused_for(&self, reason: impl Fn(&Refused) -> bool) -> Vec<PathBuf> {
        let known = self.known();
        let refused = known.refused.iter().filter(|(_, refusal)| reason(&refusal.reason));
        refused.map(|(file, _)| file.clone()).collect()
    }

    /// Whether it serves something else now.
    async fn take_up_one(&self, path: &Path, asked: Asked) -> bool {
        let wanted = path.to_owned();
        let told_since = if let Asked::Looked { told_since } = asked { told_since } else { None };
        let read = match aside(move || {
            // In this order: what is written while it is read has a later time.
            let read = file::Read::new(wanted.clone());
            let is_told = told_since.is_some_and(|since| was_written_since(&wanted, since));
            if is_told { Ok(None) } else { read.map(Some) }
        })
        .await
        {
            Ok(Some(read)) => read,
            Ok(None) => return false,
            Err(_) if !is_there(path) => return false,
            Err(reason) => {
                self.refuse(path, None, reason);
                return false;
            }
        };
        if self.is_followed(&read) {
            return false;
        }
        {
            let mut known = self.known();
            let is_of_this = |refusal: &&Refusal| refusal.digest.as_ref() == Some(&read.digest);
            match (known.refused.get(path).filter(is_of_this), asked) {
                (Some(refusal), Asked::Looked { .. }) if !refusal.reason.passes() => return false,
                (Some(_), _) => {}
                // It has changed since it was refused, and who was told of that looks at it.
                (None, Asked::Again) => return false,
                (None, _) => drop(known.refused.remove(path)),
            }
            known.preparing.insert(file::name(path));
        }
        let taken_up = self.take_up_content(&read).await;
        self.known().preparing.remove(&file::name(path));
        match taken_up {
            Ok(has_changed) => {
                self.known().refused.remove(path);
                has_changed
            }
            Err(reason) => {
                let looked_at = read.clone();
                // Where it went or changed meanwhile, that is told, and nobody wants to know.
                if aside(move || Ok(looked_at.is_still())).await.unwrap_or_default() {
                    self.refuse(path, Some(read.digest), reason);
                }
                false
            }
        }
    }

    /// Whether a file says what is so already.
    fn is_followed(&self, read: &file::Read) -> bool {
        let file::Read { path, digest, .. } = read;
        let (file, mut known) = (file::name(path), self.known());
        let is_it = |entry: &&mut Entry| {
            let is_ready = entry.current.is_some() || !entry.record.is_enabled;
            is_ready && entry.record.file == file && entry.record.current.digest == *digest
        };
        let Some(entry) = known.entries.values_mut().find(is_it) else { return false };
        entry.is_orphan = false;
        if entry.problem.take().is_some() {
            self.news.notify_one();
        }
        known.refused.remove(path);
        true
    }

    async fn take_up_content(&self, read: &file::Read) -> Result<bool, Refused> {
        let source = Source::File(read.clone());
        let next = self.stager.stage(&source).await?;
        let (end, mut tried) = (Instant::now() + PATIENCE, Arc::default());
        loop {
            let before = {
                let _changing = self.changing.lock().await;
                self.in_its_way(read, &next).await?
            };
            let Some(in_its_way) = before else { return Ok(false) };
            tried = tokio::select! {
                // What serves goes on where the new one cannot.
                tried = self.try_on(&next, &in_its_way, tried) => tried?,
                () = changed(read) => return Ok(false),
            };
            let _changing = self.changing.lock().await;
            match self.in_its_way(read, &next).await? {
                None => return Ok(false),
                Some(still) if still != in_its_way => {}
                Some(_) => {
                    for name in in_its_way {
                        // The file held another extension until now.
                        self.take_out(&name, false).await?;
                    }
                    let (next, tried, file) = (Arc::clone(&next), Arc::clone(&tried), file::name(&read.path));
                    match self.serve(next, tried, file, source.clone()).await {
                        Err(refused) if refused.is_busy() && Instant::now() < end => {}
                        outcome => return outcome.map(|_| true),
                    }
                }
            }
        }
    }

    /// The extensions that a file held until now; none where nothing is to be done about it. Not while anything else is changed.
    async fn in_its_way(
        &self,
        read: &file::Read,
        next: &Extension,
    ) -> Result<Option<Vec<Arc<str>>>, Refused> {
        let looked_at = read.clone();
        if !aside(move || Ok(looked_at.is_still())).await? {
            // It was changed meanwhile, which will be told as well.
            return Ok(None);
        }
        if self.is_followed(read) {
            // It is there because an operator has installed it.
            return Ok(None);
        }
        let (path, file, known) = (&read.path, file::name(&read.path), self.known());
        let other = known.entries.get(next.name()).map(|entry| self.folder.join(&entry.record.file));
        if let Some(other) = other.filter(|other| *other != *path && is_there(other)) {
            return Err(Refused::SameName {
                name: Arc::clone(next.name()),
                other: file::name(&other).into(),
            });
        }
        let entries = known.entries.iter();
        let by_file = entries.filter(|(name, entry)| entry.record.file == file && *name != next.name());
        Ok(Some(by_file.map(|(name, _)| Arc::clone(name)).collect()))
    }

    /// Files are gone, and with them what they held.
    async fn let_go(self: &Arc<Self>, files: BTreeSet<PathBuf>) {
        // Another file may hold what one of these held, so that nothing need go.
        let names: Vec<_> = files.iter().map(|path| file::name(path)).collect();
        let takes_over = |reason: &Refused| matches!(reason, Refused::SameName { other, .. } if names.contains(&file::name(other)));
        for file in self.refused_for(takes_over) {
            self.take_up_one(&file, Asked::Again).await;
        }
        for path in files.into_iter().filter(|path| !is_there(path)) {
            let _changing = self.changing.lock().await;
            let file = file::name(&path);
            let held = {
                let mut known = self.known();
                known.refused.remove(&path);
                let mut entries = known.entries.iter();
                entries.find(|(_, entry)| entry.record.file == file).map(|(name, _)| Arc::clone(name))
            };
            let Some(name) = held else { continue };
            if let Err(reason) = self.take_out(&name, false).await {
                if let Some(entry) = self.known().entries.get_mut(&name) {
                    let stays = if entry.is_active() { "serves on" } else { "is kept" };
                    let problem = format!("its file is gone, and it {stays}: {reason}");
                    tracing::error!(extension = &*name, "{problem}");
                    entry.problem = Some(problem);
                    entry.is_orphan = true;
                }
                self.news.notify_one();
            }
        }
        // Be it that an operator has removed it.
        self.try_again();
    }

    /// What kept extensions whose files are gone may be gone by now.
    async fn let_go_of_orphans(self: &Arc<Self>) {
        let orphans: Vec<_> = {
            let known = self.known();
            let orphans = known.entries.iter().filter(|(_, entry)| entry.is_orphan);
            orphans.map(|(name, entry)| (Arc::clone(name), self.folder.join(&entry.record.file))).collect()
        };
        for (name, file) in orphans {
            if !self.has_entities(&name) && self.check_removal(&name, false).await.is_ok() {
                self.let_go([file].into()).await;
            }
        }
    }

    /// Whether a client may still be kept from losing something: also where that cannot be read.
    fn has_entities(&self, name: &Arc<str>) -> bool {
        let snapshot = self.core.snapshot();
        let extension = snapshot.extensions().iter().find(|extension| extension.name() == name);
        let has_any = |extension| has_entities_of(&*self.tending.store.read()?, extension);
        extension.is_some_and(|extension| has_any(extension).unwrap_or(true))
    }

    /// Files that may be taken now: those that could not be read, and those in whose way an entity was that is another by
    /// now, or gone, or a client's Mixin that is gone.
    fn retried(&self) -> Vec<PathBuf> {
        let (known, snapshot) = (self.known(), self.core.snapshot());
        let may_be_taken = |refusal: &Refusal| {
            let in_the_way = refusal.reason.such_as().map(|entity| self.revision_of(entity));
            refusal.digest.is_none()
                || in_the_way.is_some_and(|now| now != refusal.in_the_way)
                || refusal.reason.tag().is_some_and(|(id, location)| !snapshot.has_tag(id, location))
        };
        let retried = known.refused.iter().filter(|(_, refusal)| may_be_taken(refusal));
        retried.map(|(file, _)| file.clone()).collect()
    }

    /// The revision of an entity; none where it is not there, or that cannot be read.
    fn revision_of(&self, entity: &Location) -> Option<Revision> {
        let view = self.tending.store.read().ok()?;
        let tenants = occi_store::tenants(&*view).ok()?;
        tenants.iter().find_map(|tenant| {
            let found = Entities::new(&*view, tenant).find_by_path(entity).ok()?;
            found.map(|stored| stored.revision)
        })
    }

    fn refuse(&self, path: &Path, digest: Option<String>, reason: Refused) {
        let in_the_way = reason.such_as().and_then(|entity| self.revision_of(entity));
        let mut known = self.known();
        let was = known.refused.get(path).map(|refusal| refusal.reason.to_string());
        if was != Some(reason.to_string()) {
            tracing::error!(file = ?path, "not in service: {reason}");
        }
        known.refused.insert(path.to_owned(), Refusal { digest, reason, in_the_way });
    }
}

//! What an operator asks for. A version is tried before anything waits, then put in its place while nothing else is changed; what
//! has begun by then is done to its end, whether or not somebody still waits for it.

use crate::catalogue::{Catalogue, Entry, aside};
use crate::file;
use crate::record::{Listed, Record, Release, Said};
use crate::refused::Refused;
use crate::source::Source;
use occi_extension::Extension;
use occi_operation::Tried;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// For so long a moment is waited for in which no request is under way for what a version brings over.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// What there is to go back to.
struct WayBack {
    release: Release,
    ready: Option<Arc<Extension>>,
    file: String,
}

/// What is known of one that does not serve, it itself, where it is ready to, and how often it was switched off.
type Asleep = (Record, Option<Arc<Extension>>, u64);

impl Catalogue {
    /// Installs an extension, or another version of one: its bytes become the file in the folder.
    pub async fn install(self: &Arc<Self>, bytes: Vec<u8>) -> Result<Listed, Refused> {
        self.install_from(Source::Given(bytes.into())).await
    }

    pub(crate) async fn install_from(self: &Arc<Self>, source: Source) -> Result<Listed, Refused> {
        let next = self.stager.stage(&source).await?;
        let was = self.release(next.name());
        self.in_its_place(&next, false, |this, next, tried| {
            let (was, source) = (was.clone(), source.clone());
            async move {
                this.check_not_overtaken(&next, was.as_ref())?;
                let file = this.file_for(&next).await?;
                this.write_and_serve(next, tried, file, source).await
            }
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
        self.in_its_place(
            &next,
            false,
            |this, next, tried| async move { this.roll_back_now(next, tried).await },
        )
        .await
    }

    async fn roll_back_now(&self, next: Arc<Extension>, tried: Arc<Tried>) -> Result<Listed, Refused> {
        let name = &*Arc::clone(next.name());
        let Some(back) = self.way_back(name, Some(&Release::of(&next)))? else { return self.found(name) };
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

    /// Tries a version, and then puts it in its place, be it by several attempts, for one of which no request is in its way.
    async fn in_its_place<F: Future<Output = Result<Listed, Refused>> + Send + 'static>(
        self: &Arc<Self>,
        next: &Arc<Extension>,
        is_switched_on: bool,
        attempt: impl Fn(Arc<Self>, Arc<Extension>, Arc<Tried>) -> F,
    ) -> Result<Listed, Refused> {
        let (end, mut tried) = (Instant::now() + PATIENCE, Arc::default());
        loop {
            tried = if is_switched_on {
                self.check(next, &[], tried).await?
            } else {
                self.try_on(next, &[], tried).await?
            };
            let this = Arc::clone(self);
            let attempt = attempt(Arc::clone(self), Arc::clone(next), Arc::clone(&tried));
            let outcome = to_its_end(async move {
                let _changing = this.changing.lock().await;
                attempt.await
            });
            match outcome.await {
                Err(refused) if refused.is_busy() && Instant::now() < end => {}
                outcome => return outcome,
            }
        }
    }

    /// What is current under a name.
    fn release(&self, name: &str) -> Option<Release> {
        self.known().entries.get(name).map(|entry| entry.record.current.clone())
    }

    /// That an extension's current version is the same still, or already the one that is asked for.
    fn check_not_overtaken(&self, next: &Extension, was: Option<&Release>) -> Result<(), Refused> {
        match self.release(next.name()) {
            Some(now) if Some(&now) != was && now != Release::of(next) => {
                Err(Refused::Overtaken { name: Arc::clone(next.name()), version: now.version })
            }
            None if was.is_some() => Err(Refused::Removed(Arc::clone(next.name()))),
            _ => Ok(()),
        }
    }

    /// Switches an extension on.
    pub async fn enable(self: &Arc<Self>, name: &str) -> Result<Listed, Refused> {
        let Some((record, ready, switched_off)) = self.asleep(name)? else { return self.found(name) };
        // It may have to be compiled, and nobody need wait for that.
        let next = self.ready(ready, &record.current).await?;
        self.in_its_place(&next, true, |this, next, tried| async move {
            this.enable_now(next, tried, switched_off).await
        })
        .await
    }

    async fn enable_now(
        &self,
        next: Arc<Extension>,
        tried: Arc<Tried>,
        switched_off: u64,
    ) -> Result<Listed, Refused> {
        let name = Arc::clone(next.name());
        let Some((record, _, now)) = self.asleep(&name)? else { return self.found(&name) };
        if now != switched_off {
            return Err(Refused::SwitchedOff(name));
        }
        self.check_not_overtaken(&next, Some(&Release::of(&next)))?;
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
        let (_, entry) = known.entry(name)?;
        Ok((!entry.is_active()).then(|| (entry.record.clone(), entry.current.clone(), entry.switched_off)))
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
            let mut known = self.known();
            if let Some(entry) = known.entries.get_mut(name) {
                entry.switched_off += 1;
            }
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

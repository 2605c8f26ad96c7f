//! What entities that stand for extensions ask for: checked in the operation that asks, written down with its commit, and
//! carried out afterwards. An order says what shall be, not what is to be done, so that carrying it out twice does no harm.

use crate::catalogue::{Catalogue, aside};
use crate::record::{Listed, Release, Said, State};
use crate::refused::Refused;
use crate::source::Source;
use occi_extension::Extension;
use occi_operation::{CannotReplace, Replacement, Tried};
use occi_store::Batch;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// So many bytes may wait to be installed; those of refused requests do for a while, too.
const MOST_STAGED: u64 = 256 << 20;

/// So long it may take to try a version on all entities.
const TRIAL: Duration = Duration::from_mins(10);

/// So long it is tried while a request waits that asks for it.
const GLANCE: Duration = Duration::from_secs(2);

/// What is asked for.
#[derive(Debug)]
pub enum Wish {
    /// Bytes in service, as a new extension or as another version.
    Install(Vec<u8>),
    /// The version before.
    RollBack,
    /// To be switched on.
    Enable,
    /// To be switched off.
    Disable {
        /// Although it has entities.
        leaves_entities: bool,
    },
    /// To be gone.
    Remove,
}

/// What is written down of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub(crate) shall: Shall,
    /// Why it could not be carried out. It is not tried again.
    pub(crate) problem: Option<String>,
}

/// What shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shall {
    /// Those bytes serve, which are staged.
    Install(Release),
    /// That version serves, which is the one before.
    RollBack(Release),
    Enable,
    Disable {
        leaves_entities: bool,
    },
    Remove,
}

/// What was found to be possible.
#[derive(Debug)]
pub struct Agreed {
    /// The extension as it is; one that is not there yet as it will be.
    pub listed: Listed,
    /// What is to be written down; none where it is so already.
    pub order: Option<Order>,
}

impl Order {
    /// As it is written down.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Refused> {
        serde_json::to_vec(self).map_err(|error| Refused::Internal(error.to_string()))
    }

    /// As it was written down.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refused> {
        serde_json::from_slice(bytes).map_err(|error| Refused::Internal(error.to_string()))
    }

    /// Why it could not be carried out; none where it is still to be.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The version and the digest that shall serve, of bytes that are new here.
    pub fn brings(&self) -> Option<(&str, &str)> {
        match &self.shall {
            Shall::Install(release) => Some((&release.version, &release.digest)),
            _ => None,
        }
    }
}

impl Catalogue {
    /// An extension, if it is installed.
    pub fn find(&self, name: &str) -> Option<Listed> {
        self.known().entries.get(name).map(|entry| entry.listed(name))
    }

    /// Whether the extension `by` may have that for the extension of a name, or for a new one. Nothing that serves is
    /// changed; what is refused is refused in the words of [`Catalogue::install`] and the others.
    pub async fn agree(&self, by: &str, name: Option<&str>, wish: Wish) -> Result<Agreed, Refused> {
        if let (true, Wish::Disable { .. } | Wish::Remove) = (name == Some(by), &wish) {
            return Err(Refused::Itself(by.to_owned()));
        }
        match (wish, name) {
            (Wish::Install(bytes), name) => self.agree_to_install(name, bytes).await,
            (wish, Some(name)) => self.agree_to_switch(name, wish).await,
            (_, None) => Err(Refused::Internal("no extension is meant".into())),
        }
    }

    async fn agree_to_install(&self, name: Option<&str>, bytes: Vec<u8>) -> Result<Agreed, Refused> {
        let source = Source::Given(bytes.into());
        let next = self.stager.stage(&source).await?;
        if let Some(wanted) = name.filter(|name| *name != &**next.name()) {
            return Err(Refused::OtherName { given: Arc::clone(next.name()), wanted: wanted.to_owned() });
        }
        let file = self.file_for(&next).await?;
        let release = Release::of(&next);
        let (listed, is_so, is_enabled) = {
            let known = self.known();
            match known.entries.get(next.name()) {
                Some(entry) => {
                    let is_so =
                        entry.record.current == release && (entry.is_active() || !entry.record.is_enabled);
                    (entry.listed(next.name()), is_so, entry.record.is_enabled)
                }
                None => (to_be(&next, file), false, true),
            }
        };
        if is_so {
            return Ok(Agreed { listed, order: None });
        }
        if is_enabled {
            self.foresee(&next).await?;
        }
        let (staged, digest) = (self.staged.clone(), release.digest.clone());
        aside(move || {
            if staged.size() < MOST_STAGED { staged.keep(&digest, &source) } else { Err(Refused::Crowded) }
        })
        .await?;
        Ok(Agreed { listed, order: Some(Shall::Install(release).into()) })
    }

    async fn agree_to_switch(&self, name: &str, wish: Wish) -> Result<Agreed, Refused> {
        let (listed, current, previous, is_enabled, ready) = {
            let known = self.known();
            let (name, entry) = known.entry(name)?;
            let record = &entry.record;
            let ready = (entry.current.clone(), entry.previous.clone());
            (entry.listed(name), record.current.clone(), record.previous.clone(), record.is_enabled, ready)
        };
        let order = match wish {
            Wish::RollBack => {
                let previous = previous.ok_or_else(|| Refused::NoPrevious(name.into()))?;
                if is_enabled {
                    let next = self.ready(ready.1, &previous).await?;
                    self.foresee(&next).await?;
                }
                Some(Shall::RollBack(previous))
            }
            Wish::Enable if listed.state == State::Active => None,
            Wish::Enable => {
                let next = self.ready(ready.0, &current).await?;
                self.foresee(&next).await?;
                Some(Shall::Enable)
            }
            Wish::Disable { .. } if !is_enabled => None,
            Wish::Disable { leaves_entities } => {
                self.check_removal(name, leaves_entities).await?;
                Some(Shall::Disable { leaves_entities })
            }
            Wish::Remove => {
                self.check_removal(name, false).await?;
                Some(Shall::Remove)
            }
            Wish::Install(_) => return Err(Refused::Internal("bytes are not switched".into())),
        };
        Ok(Agreed { listed, order: order.map(Order::from) })
    }

    /// Makes it so. What is so already is no error.
    pub(crate) async fn carry_out(self: &Arc<Self>, name: &str, shall: &Shall) -> Result<(), Refused> {
        match shall {
            Shall::Install(release) => {
                let is_so = self
                    .find(name)
                    .is_some_and(|listed| listed.digest == release.digest && listed.state != State::Failed);
                if is_so {
                    return Ok(());
                }
                let source = Source::Copy(self.staged.clone(), release.digest.clone());
                self.install_from(source).await.map(drop)
            }
            Shall::RollBack(release) => self.roll_back_to(name, Some(release)).await.map(drop),
            Shall::Enable => self.enable(name).await.map(drop),
            Shall::Disable { leaves_entities } => self.disable(name, *leaves_entities).await.map(drop),
            Shall::Remove => match self.remove(name, false).await {
                Err(Refused::Unknown { .. }) => Ok(()),
                outcome => outcome,
            },
        }
    }

    /// Whether it could serve as things are now, once others that are in its way have gone; with what it makes of entities, of
    /// which some may be known.
    pub(crate) async fn check(
        &self,
        next: &Arc<Extension>,
        in_its_way: &[Arc<str>],
        tried: Arc<Tried>,
    ) -> Result<Arc<Tried>, Refused> {
        self.check_within(TRIAL, next, in_its_way, tried).await.map(Arc::new)
    }

    /// The same for a request, which does not wait until all entities are tried. Nothing may be against it yet.
    async fn foresee(&self, next: &Arc<Extension>) -> Result<(), Refused> {
        match self.check_within(GLANCE, next, &[], Arc::default()).await {
            Err(Refused::Replace(CannotReplace::Slow(_))) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    async fn check_within(
        &self,
        time: Duration,
        next: &Arc<Extension>,
        in_its_way: &[Arc<str>],
        tried: Arc<Tried>,
    ) -> Result<Tried, Refused> {
        self.check_leaves_all(next, in_its_way)?;
        let left = self.attributes_left_to(next);
        let (name, next) = (Arc::clone(next.name()), Some(Arc::clone(next)));
        let replacement =
            Replacement { name, next, leaves_entities: false, left, tried, record: Batch::new() };
        Ok(self.core.try_replacement(time, &replacement, in_its_way).await?)
    }

    /// The same for one that may be switched off, so that nothing is to be tried.
    pub(crate) async fn try_on(
        &self,
        next: &Arc<Extension>,
        in_its_way: &[Arc<str>],
        tried: Arc<Tried>,
    ) -> Result<Arc<Tried>, Refused> {
        let is_off = self.known().entries.get(next.name()).is_some_and(|entry| !entry.record.is_enabled);
        if is_off { Ok(tried) } else { self.check(next, in_its_way, tried).await }
    }

    /// Whether it could be taken out of service as things are now.
    pub(crate) async fn check_removal(&self, name: &str, leaves_entities: bool) -> Result<(), Refused> {
        if !leaves_entities {
            self.check_has_none(name)?;
        }
        let (left, tried, record) = Default::default();
        let replacement = Replacement { name: name.into(), next: None, leaves_entities, left, tried, record };
        self.core.try_replacement(TRIAL, &replacement, &[]).await?;
        Ok(())
    }
}

impl From<Shall> for Order {
    fn from(shall: Shall) -> Self {
        Self { shall, problem: None }
    }
}

/// One that is not there yet.
fn to_be(next: &Extension, file: String) -> Listed {
    let Release { version, digest } = Release::of(next);
    let Said { publisher, capabilities, .. } = Said::by(next);
    Listed {
        name: next.name().to_string(),
        version,
        digest,
        publisher,
        capabilities,
        state: State::Active,
        file,
        previous: None,
        draining: 0,
        problem: None,
        calls: 0,
        failures: 0,
    }
}

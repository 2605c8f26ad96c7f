//! Which entities a new version breaks, and whether it can bring them over. Nothing is changed by a trial.

use super::{Breaks, CannotReplace, Progress};
use crate::core::Core;
use crate::effect;
use crate::list::Walk;
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use occi_extension::{Call, CallError, Digest, Extension};
use occi_model::{AttributeName, CategoryId, Entity, Violation};
use occi_store::{Entities, MadeBy, Revision, Set, Stored};
use semver::Version;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

/// A new version against all entities that there are.
pub(super) struct Trial {
    core: Arc<Core>,
    was: Arc<Snapshot>,
    pub(super) after: Arc<Snapshot>,
    name: Arc<str>,
    /// None where the extension goes.
    next: Option<Arc<Extension>>,
    left: Arc<HashSet<AttributeName>>,
    /// The version that serves; none where it is back, and each entity was left by the one that made it.
    from: Option<Version>,
}

/// What a new version makes of entities, found while nobody waited for it.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    /// The new version, and the one that served.
    versions: Option<(Digest, Option<Digest>)>,
    made: HashMap<Uuid, (Revision, Entity)>,
    /// How often it was tried.
    times: u32,
}

impl Tried {
    /// How often it was tried again.
    pub(super) fn again(&self) -> u32 {
        self.times.saturating_sub(1)
    }
}

/// An entity that was brought over.
pub(super) struct Migrated {
    pub(super) before: Stored,
    pub(super) after: Entity,
}

/// How many entities are brought over at once, where as many calls may be.
const AT_ONCE: usize = 8;

/// How often the code may fail until no more entities are tried: each failure may take its whole time.
const FAILURES: usize = 3;

/// Entities change while others are tried, so those are tried again, until that takes no longer than this.
const SHORT: Duration = Duration::from_secs(1);

/// Why an entity is not brought over.
struct Unfit {
    reasons: Vec<String>,
    /// Whether the code failed, rather than say no or bring over what does not fit.
    is_failure: bool,
}

impl From<Vec<Violation>> for Unfit {
    fn from(violations: Vec<Violation>) -> Self {
        Self { reasons: said(&violations), is_failure: false }
    }
}

impl Trial {
    pub(super) fn new(
        core: &Arc<Core>,
        was: &Arc<Snapshot>,
        after: &Arc<Snapshot>,
        name: &Arc<str>,
        left: &Arc<HashSet<AttributeName>>,
    ) -> Self {
        let from = was.named(name).map(|old| old.version().clone());
        let (core, was, next) = (Arc::clone(core), Arc::clone(was), after.named(name).cloned());
        let (after, name, left) = (Arc::clone(after), Arc::clone(name), Arc::clone(left));
        Self { core, was, after, name, next, left, from }
    }

    /// Who knows what the entities are: those who serve, or, where the extension is back, those who will.
    fn known_by(&self) -> &Arc<Snapshot> {
        if self.from.is_some() { &self.was } else { &self.after }
    }

    /// Who has made what is brought over.
    pub(super) fn maker(&self) -> Option<MadeBy> {
        let next = self.next.as_ref()?;
        Some(MadeBy { name: next.name().to_string(), version: next.version().to_string() })
    }

    /// Tries all entities in that time, without locks, those that have changed since again, and waits until none has a request
    /// under way. What is left to do is little, or will never be less.
    pub(super) async fn all(&self, time: Duration, tried: &Tried) -> Result<Tried, CannotReplace> {
        let end = Instant::now() + time;
        let times = tried.times + 1;
        let (mut before, mut tried) = (usize::MAX, Tried { times, ..tried.clone() });
        loop {
            let broken = self.broken().await?;
            let new = broken.iter().filter(|stored| !self.has(&tried, stored)).count();
            if new > before / 2 {
                return Ok(tried);
            }
            let began = Instant::now();
            let ids: Vec<_> = broken.iter().map(|stored| stored.entity.id).collect();
            let migrated = self.migrate_until(broken, &tried, end, time).await?;
            let made = migrated
                .into_iter()
                .map(|Migrated { before, after }| (before.entity.id, (before.revision, after)));
            tried = Tried { versions: self.versions(), made: made.collect(), times };
            let idle = async {
                for id in ids {
                    drop(self.core.locks.lock([id]).await);
                }
            };
            if timeout_at(end, idle).await.is_err() || began.elapsed() < SHORT {
                return Ok(tried);
            }
            before = new;
        }
    }

    /// Whether an entity was tried as it is.
    fn has(&self, tried: &Tried, stored: &Stored) -> bool {
        let made = tried.made.get(&stored.entity.id).filter(|_| tried.versions == self.versions());
        made.is_some_and(|(revision, _)| *revision == stored.revision)
    }

    /// The new version, and the one that serves.
    fn versions(&self) -> Option<(Digest, Option<Digest>)> {
        let next = self.next.as_ref()?;
        Some((next.digest(), self.was.named(&self.name).map(|old| old.digest())))
    }

    /// All entities that do not fit.
    pub(super) async fn broken(&self) -> Result<Vec<Stored>, CannotReplace> {
        let view = self.core.read()?;
        let (was, after, name) = (Arc::clone(&self.was), Arc::clone(&self.after), Arc::clone(&self.name));
        let (knows, left) = (Arc::clone(self.known_by()), Arc::clone(&self.left));
        // It may take seconds where there are hundreds of thousands.
        let found = tokio::task::spawn_blocking(move || -> Result<Vec<Stored>, Refusal> {
            let mut broken = Vec::new();
            for tenant in occi_store::tenants(&*view)? {
                let mut walk = Walk::new(Set::All);
                while let Some(stored) = walk.next(Entities::new(&*view, &tenant))? {
                    let entity = &stored.entity;
                    if knows.is_of(entity, &name)
                        && !after.registry().breaches(was.registry(), &left, entity).is_empty()
                    {
                        broken.push(stored);
                    }
                }
            }
            Ok(broken)
        });
        let ended = |error| Refusal::Internal(format!("the entities could not be looked through: {error}"));
        Ok(found.await.map_err(ended)??)
    }

    /// That there is a way over for what does not fit.
    pub(super) fn check_way_over(&self, broken: &[Stored]) -> Result<(), CannotReplace> {
        let Some(first) = broken.first() else { return Ok(()) };
        match &self.next {
            Some(next) if next.has_migrate() => Ok(()),
            Some(_) => {
                let mut breaks = Breaks::new(false);
                for stored in broken {
                    breaks.note(&stored.entity.location, said(&self.breaches(&stored.entity)));
                }
                Err(CannotReplace::Breaks(breaks))
            }
            None => {
                let (entities, such_as) = (broken.len(), first.entity.location.clone());
                Err(CannotReplace::InUse { entities, such_as })
            }
        }
    }

    fn breaches(&self, entity: &Entity) -> Vec<Violation> {
        self.after.registry().breaches(self.was.registry(), &self.left, entity)
    }

    /// The entities as the new version has them, or all that cannot be brought over in that time. Those that were tried and
    /// have not changed since are as it has made them then.
    pub(super) async fn migrate(
        &self,
        broken: Vec<Stored>,
        tried: &Tried,
        within: Duration,
    ) -> Result<Vec<Migrated>, CannotReplace> {
        self.migrate_until(broken, tried, Instant::now() + within, within).await
    }

    async fn migrate_until(
        &self,
        broken: Vec<Stored>,
        tried: &Tried,
        end: Instant,
        within: Duration,
    ) -> Result<Vec<Migrated>, CannotReplace> {
        self.check_way_over(&broken)?;
        let Some(next) = &self.next else { return Ok(Vec::new()) };
        let mut breaks = Breaks::new(true);
        let (mut all, mut new) = (Vec::with_capacity(broken.len()), Vec::new());
        for before in broken {
            let made = tried.made.get(&before.entity.id).filter(|_| self.has(tried, &before));
            // Others may have been replaced meanwhile.
            match made.filter(|(_, after)| self.breaches(after).is_empty()) {
                Some((_, after)) => all.push(Migrated { after: after.clone(), before }),
                None => new.push(before),
            }
        }
        let (known, of) = (all.len(), new.len());
        let operation = Uuid::new_v4();
        let at_once = next.limits().map_or(AT_ONCE, |limits| limits.concurrency.min(AT_ONCE));
        let mut tasks = JoinSet::new();
        let mut left = new.into_iter();
        let mut failures = 0;
        loop {
            while tasks.len() < at_once
                && failures < FAILURES
                && let Some(before) = left.next()
            {
                let shown = Arc::clone(self.known_by());
                let (was, after, next) = (Arc::clone(&self.was), Arc::clone(&self.after), Arc::clone(next));
                let attributes = Arc::clone(&self.left);
                let from = self.from.clone().unwrap_or_else(|| left_by(&before, &self.name));
                tasks.spawn(async move {
                    let call =
                        |role: &_, now: &_| effect::call(shown.registry(), operation, role, now, false);
                    let migrated = one(&after, &next, &from, &before.entity, call).await.and_then(|now| {
                        let violations = after.registry().breaches(was.registry(), &attributes, &now);
                        if violations.is_empty() { Ok(now) } else { Err(violations.into()) }
                    });
                    (before, migrated)
                });
            }
            let Ok(ended) = timeout_at(end, tasks.join_next()).await else {
                breaks.leave_untried(left.len() + tasks.len(), "there was no more time");
                return Err(if breaks.is_empty() {
                    CannotReplace::Slow(Progress { brought: all.len() - known, of, within })
                } else {
                    CannotReplace::Breaks(breaks)
                });
            };
            let Some(ended) = ended else { break };
            match ended {
                Ok((before, Ok(after))) => all.push(Migrated { before, after }),
                Ok((before, Err(Unfit { reasons, is_failure }))) => {
                    failures += usize::from(is_failure);
                    breaks.note(&before.entity.location, reasons);
                }
                Err(error) => {
                    let message = format!("an entity could not be brought over: {error}");
                    return Err(Refusal::Internal(message).into());
                }
            }
        }
        breaks.leave_untried(left.len(), "its code failed again and again");
        if breaks.is_empty() { Ok(all) } else { Err(CannotReplace::Breaks(breaks)) }
    }
}

/// The version that left an entity when it went; the first where that is not known.
fn left_by(stored: &Stored, name: &str) -> Version {
    let made_by = stored.made_by.as_ref().filter(|made_by| made_by.name == name);
    made_by.and_then(|made_by| made_by.version.parse().ok()).unwrap_or(Version::new(0, 0, 0))
}

/// One entity as the new version makes it, or why it does not. It is shown as the old version left it.
async fn one(
    after: &Snapshot,
    next: &Extension,
    from: &Version,
    entity: &Entity,
    call: impl Fn(&CategoryId, &Entity) -> Call,
) -> Result<Entity, Unfit> {
    let mut now = entity.clone();
    for (role, _) in after.parts_of(entity, next.name()) {
        let outcome = next.migrate(call(&role, &now), from).await.map_err(|error| Unfit {
            reasons: vec![error.to_string()],
            is_failure: !matches!(error, CallError::Refused { .. }),
        })?;
        now = after.registry().apply(&now, outcome.change)?;
    }
    Ok(now)
}

fn said(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(ToString::to_string).collect()
}

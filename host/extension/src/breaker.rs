//! Holds the calls of an extension back that fails each time: what it costs to fail is then spent now and again only, and
//! its clients are told at once. It is tried later, and later still while it fails. One tenant's failures hold no other
//! tenant back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many calls fail one after the other before any is held back.
const FAILURES: u32 = 10;
/// How long calls are held back at first; twice as long after each trial that fails, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// The failures of one extension.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// The extension's name.
    extension: Arc<str>,
    /// How many tenants have any, so that the others need not wait for each other.
    failing: AtomicUsize,
    by_tenant: Mutex<HashMap<Arc<str>, Failures>>,
}

/// Failures with no success since.
#[derive(Debug)]
struct Failures {
    count: u32,
    pause: Duration,
    /// When the next call is let through; none as long as all are.
    until: Option<Instant>,
    /// One was let through, and nothing is known of it yet.
    is_tried: bool,
}

impl Breaker {
    pub(crate) fn new(extension: &Arc<str>) -> Self {
        Self { extension: Arc::clone(extension), failing: AtomicUsize::new(0), by_tenant: Mutex::default() }
    }

    /// Lets a call through, or says how long it would have to wait.
    pub(crate) fn admit(&self, tenant: &str, now: Instant) -> Result<(), Duration> {
        if self.failing.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let mut all = self.all();
        let Some(failures) = all.get_mut(tenant) else { return Ok(()) };
        match failures.until {
            Some(until) if now < until => Err(until - now),
            Some(_) => {
                // This one is the trial; the others wait for what comes of it.
                failures.until = Some(now + failures.pause);
                failures.is_tried = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A call that was let through has answered, or the extension failed.
    pub(crate) fn record(&self, tenant: &Arc<str>, has_failed: bool, now: Instant) {
        if !has_failed && self.failing.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut all = self.all();
        if has_failed {
            let none = Failures { count: 0, pause: FIRST, until: None, is_tried: false };
            let failures = all.entry(Arc::clone(tenant)).or_insert(none);
            failures.count = failures.count.saturating_add(1);
            let has_failed_trial = std::mem::take(&mut failures.is_tried);
            if has_failed_trial {
                failures.pause = (failures.pause * 2).min(LONGEST);
            }
            if has_failed_trial || failures.count == FAILURES {
                failures.until = Some(now + failures.pause);
                // Those that are held back are not logged each.
                tracing::warn!(
                    extension = &*self.extension,
                    tenant = &**tenant,
                    failures = failures.count,
                    "fails each time, and is not called for {} s",
                    failures.pause.as_secs()
                );
            }
        } else if all.remove(tenant).is_some_and(|failures| failures.until.is_some()) {
            tracing::info!(extension = &*self.extension, tenant = &**tenant, "answers again");
        }
        self.failing.store(all.len(), Ordering::Relaxed);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Arc<str>, Failures>> {
        self.by_tenant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_one_after_the_other_hold_back() {
        let (breaker, begin) = (Breaker::new(&"deeds".into()), Instant::now());
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let at = |seconds| begin + Duration::from_secs(seconds);
        for round in 0..2 {
            for _ in 0..FAILURES - 1 {
                breaker.record(&one, true, begin);
                assert_eq!(breaker.admit(&one, begin), Ok(()), "{round}");
            }
            // An answer between them, and it begins anew.
            breaker.record(&one, false, begin);
        }
        (0..FAILURES).for_each(|_| breaker.record(&one, true, begin));
        assert_eq!(breaker.admit(&one, begin), Err(FIRST));
        // Those that were under way and fail as well tell nothing new.
        (0..20).for_each(|_| breaker.record(&one, true, begin));
        assert_eq!(breaker.admit(&one, begin), Err(FIRST));
        assert_eq!(breaker.admit(&other, begin), Ok(()), "another tenant is not held back");
        breaker.record(&other, false, begin);
        // One is tried at a time, and later each time.
        let mut now = 1;
        for pause in [2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(breaker.admit(&one, at(now)), Ok(()));
            assert!(breaker.admit(&one, at(now)).is_err());
            breaker.record(&one, true, at(now));
            assert_eq!(breaker.admit(&one, at(now)), Err(Duration::from_secs(pause)));
            now += pause;
        }
        assert_eq!(breaker.admit(&one, at(now)), Ok(()));
        breaker.record(&one, false, at(now));
        assert_eq!(breaker.admit(&one, at(now)), Ok(()));
        assert!(breaker.all().is_empty());
    }
}

//! How much an extension may log over time, beside what one call may: its calls together must not fill the operator's disk.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many bytes at once, where it has logged little before.
const BURST: usize = 1 << 20;

/// In so much time it may log as much again, and in this one byte.
#[cfg(test)]
const REFILL: Duration = Duration::from_secs(16);
const BYTE: Duration = Duration::from_nanos(16_000_000_000 / (1 << 20));

/// What comes of wanting to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogGrant {
    /// It is logged.
    Granted,
    /// It is left out, and others before it were.
    LeftOut,
    /// It is left out, the first since the extension logged moderately.
    FirstLeftOut,
}

/// What an extension may still log.
#[derive(Debug)]
pub(crate) struct LogAllowance(Mutex<Left>);

#[derive(Debug)]
struct Left {
    bytes: usize,
    at: Instant,
    /// Whether it was said that something is left out.
    is_said: bool,
}

impl LogAllowance {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Left { bytes: BURST, at: Instant::now(), is_said: false }))
    }

    /// All of it or nothing.
    pub(crate) fn take(&self, wanted: usize) -> LogGrant {
        self.take_at(wanted, Instant::now())
    }

    fn take_at(&self, wanted: usize, now: Instant) -> LogGrant {
        let mut left = self.left();
        let passed = now.saturating_duration_since(left.at);
        let more = usize::try_from(passed.as_nanos() / BYTE.as_nanos()).unwrap_or(BURST);
        left.bytes = left.bytes.saturating_add(more).min(BURST);
        // What is over counts the next time.
        let over = passed.as_nanos() % BYTE.as_nanos();
        left.at =
            now.checked_sub(Duration::from_nanos(u64::try_from(over).unwrap_or_default())).unwrap_or(now);
        if left.bytes > BURST / 2 {
            left.is_said = false;
        }
        match left.bytes.checked_sub(wanted) {
            Some(rest) => {
                left.bytes = rest;
                LogGrant::Granted
            }
            None => left.leave_out(),
        }
    }

    /// Notes that something is left out for another reason.
    pub(crate) fn leave_out(&self) -> LogGrant {
        self.left().leave_out()
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Left {
    fn leave_out(&mut self) -> LogGrant {
        if std::mem::replace(&mut self.is_said, true) { LogGrant::LeftOut } else { LogGrant::FirstLeftOut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_left_out_and_said_once() {
        let (allowance, began) = (LogAllowance::new(), Instant::now());
        let take = |wanted, after| allowance.take_at(wanted, began + after);
        assert_eq!(take(BURST, Duration::ZERO), LogGrant::Granted);
        assert_eq!(take(1, Duration::ZERO), LogGrant::FirstLeftOut);
        assert_eq!(take(1, Duration::ZERO), LogGrant::LeftOut);
        let a_quarter = REFILL / 4;
        assert_eq!(take(BURST / 4 + 99, a_quarter), LogGrant::LeftOut, "it goes on");
        assert_eq!(take(BURST / 4, a_quarter), LogGrant::Granted);
        assert_eq!(take(99, a_quarter), LogGrant::LeftOut);
        // It was quiet for a while.
        assert_eq!(take(BURST, REFILL), LogGrant::FirstLeftOut);
        assert_eq!(take(BURST, REFILL * 9), LogGrant::Granted);
    }
}

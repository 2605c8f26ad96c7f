//! How much a guest may have. The host's limits are a ceiling; a manifest may ask for less, never for more.

use crate::budget::Budget;
use std::time::Duration;
use wasmtime::{CallHook, ResourceLimiter};

/// What one call may use, and what may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes, all memories of the component together.
    pub memory: usize,
    /// The guest's own computing time. It is counted in ticks of 10 ms, those that find it computing.
    pub deadline: Duration,
    /// The time on the clock for the whole call, what the host does for it included.
    pub timeout: Duration,
    /// How many calls of one extension may run at once. A few observations run beside them, and those that wait for
    /// something outside do not count.
    pub concurrency: usize,
    /// How many times the guest may call the host. What the engine does for it counts, too, such as to grow its memory.
    pub host_calls: u64,
    /// What its key-value data for one tenant may be, in keys.
    pub kept_keys: u64,
    /// The same in bytes of keys and values.
    pub kept_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            deadline: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
            concurrency: 64,
            host_calls: 100_000,
            kept_keys: 100_000,
            kept_bytes: 64 << 20,
        }
    }
}

impl Limits {
    /// The host's limits, narrowed to what a manifest asks for.
    pub(crate) fn narrowed(self, asked: Asked) -> Self {
        Self {
            memory: asked.memory.map_or(self.memory, |memory| memory.min(self.memory)),
            deadline: asked.deadline.map_or(self.deadline, |deadline| deadline.min(self.deadline)),
            timeout: asked.timeout.map_or(self.timeout, |timeout| timeout.min(self.timeout)),
            concurrency: asked.concurrency.map_or(self.concurrency, |calls| calls.min(self.concurrency)),
            host_calls: asked.host_calls.map_or(self.host_calls, |calls| calls.min(self.host_calls)),
            ..self
        }
    }
}

/// The limits that a manifest asks for; what it leaves out is the host's to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// See [`Limits::memory`].
    pub memory: Option<usize>,
    /// See [`Limits::deadline`].
    pub deadline: Option<Duration>,
    /// See [`Limits::timeout`].
    pub timeout: Option<Duration>,
    /// See [`Limits::concurrency`].
    pub concurrency: Option<usize>,
    /// See [`Limits::host_calls`].
    pub host_calls: Option<u64>,
}

/// How often one call may still call the host.
#[derive(Debug)]
pub(crate) struct HostCalls(u64);

/// The guest has called the host as often as it may.
#[derive(Debug, thiserror::Error)]
#[error("the host was called too often")]
pub(crate) struct TooManyHostCalls;

impl HostCalls {
    pub(crate) fn new(limit: u64) -> Self {
        Self(limit)
    }

    /// Counts what passes between guest and host.
    pub(crate) fn pass(&mut self, hook: CallHook) -> Result<(), TooManyHostCalls> {
        if matches!(hook, CallHook::CallingHost) {
            self.0 = self.0.checked_sub(1).ok_or(TooManyHostCalls)?;
        }
        Ok(())
    }
}

/// Counts what the memories and tables of one call take.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_left: usize,
    elements_left: usize,
    /// Whether the guest was refused memory or table space: what it does then, most likely a trap, comes of that.
    pub(crate) refused: bool,
    /// Whether that was for want of memory of the host's, and not of the call's own.
    pub(crate) is_host_full: bool,
    budget: Budget,
    /// Of the budget, in bytes.
    taken: usize,
}

/// Table elements of one component; each takes a pointer. Language runtimes that were tried need fewer.
pub(crate) const TABLE_ELEMENTS: usize = 100_000;

impl Limiter {
    pub(crate) fn new(memory: usize, budget: Budget) -> Self {
        let (refused, is_host_full) = (false, false);
        Self { memory_left: memory, elements_left: TABLE_ELEMENTS, refused, is_host_full, budget, taken: 0 }
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.budget.give_back(self.taken);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if more > self.memory_left {
            self.refused = true;
            return Ok(false);
        }
        if !self.budget.take(more) {
            self.refused = true;
            self.is_host_full = true;
            return Ok(false);
        }
        self.taken += more;
        self.memory_left -= more;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if more > self.elements_left {
            self.refused = true;
            return Ok(false);
        }
        self.elements_left -= more;
        Ok(true)
    }
}

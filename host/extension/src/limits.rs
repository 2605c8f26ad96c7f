//! How much a guest may have. The host's limits are a ceiling; a manifest may ask for less, never for more.

use std::time::Duration;
use wasmtime::ResourceLimiter;

/// What one call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes, all memories of the component together.
    pub memory: usize,
    /// The time that the guest itself may compute, counted in ticks of 10 ms.
    pub deadline: Duration,
    /// The time on the clock for the whole call, what the host does for it included.
    pub timeout: Duration,
    /// How many calls of one extension may run at once.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            deadline: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
            concurrency: 64,
        }
    }
}

impl Limits {
    /// The smaller of each.
    #[must_use]
    pub fn within(self, ceiling: Self) -> Self {
        Self {
            memory: self.memory.min(ceiling.memory),
            deadline: self.deadline.min(ceiling.deadline),
            timeout: self.timeout.min(ceiling.timeout),
            concurrency: self.concurrency.min(ceiling.concurrency),
        }
    }
}

/// Counts what the memories and tables of one call take.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_left: usize,
    elements_left: usize,
    /// Whether the guest was refused memory: what it does after that, most likely a trap, is this one's doing.
    pub(crate) memory_refused: bool,
}

/// Table elements of one component; each takes a pointer. Language runtimes that were tried need fewer.
pub(crate) const TABLE_ELEMENTS: usize = 100_000;

impl Limiter {
    pub(crate) fn new(memory: usize) -> Self {
        Self { memory_left: memory, elements_left: TABLE_ELEMENTS, memory_refused: false }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if more > self.memory_left {
            self.memory_refused = true;
            return Ok(false);
        }
        self.memory_left -= more;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if more > self.elements_left {
            self.memory_refused = true;
            return Ok(false);
        }
        self.elements_left -= more;
        Ok(true)
    }
}

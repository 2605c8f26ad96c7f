//! The memory of all sandboxes together. What one call may have is bounded elsewhere; many of them at once must not take
//! what the host and its neighbours need.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many bytes, to be taken and given back. Those of an extension are a part of the host's.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    left: Arc<AtomicUsize>,
    of: Option<Arc<AtomicUsize>>,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)), of: None }
    }

    /// A part of it, which others cannot use up alone.
    pub(crate) fn part(&self, bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)), of: Some(Arc::clone(&self.left)) }
    }

    /// Takes so many bytes, all or none.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        if !take(&self.left, bytes) {
            return false;
        }
        let is_granted = self.of.as_ref().is_none_or(|of| take(of, bytes));
        if !is_granted {
            self.left.fetch_add(bytes, Ordering::Relaxed);
        }
        is_granted
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
        if let Some(of) = &self.of {
            of.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

fn take(left: &AtomicUsize, bytes: usize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_what_is_not_there() {
        let all = Budget::new(100);
        let (one, other) = (all.part(60), all.part(60));
        assert!(one.take(60) && !one.take(1), "more than its part");
        assert!(!other.take(41), "more than there is");
        assert!(other.take(40) && !all.take(1));
        one.give_back(60);
        assert!(other.take(20) && !other.take(1) && one.take(40) && !one.take(1));
    }
}

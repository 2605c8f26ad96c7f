//! Which orders wait, in lines, in each of which they are carried out one after the other. Who does that is not known here.

use super::Waiting;
use crate::quotas::Owner;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long an order waits that could not be carried out; twice as long after each further failure.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest that it waits.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// All lines.
#[derive(Debug, Default)]
pub(super) struct Book {
    is_open: bool,
    lines: HashMap<Line, Queue>,
    /// The lines of which none is being carried out, by when one is to be.
    due: BTreeSet<(Instant, Line)>,
}

/// Whose orders are carried out one after the other: those of one extension at one resource. What one asks for in vain keeps
/// back no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) subject: Uuid,
    pub(super) owner: Owner,
}

/// The orders of one line.
#[derive(Debug)]
struct Queue {
    waiting: BTreeSet<Waiting>,
    due: Instant,
    /// How often the first could not be carried out.
    failures: u32,
    is_served: bool,
}

impl Book {
    /// Whether they are carried out from now on.
    pub(super) fn set_open(&mut self, is_open: bool) {
        self.is_open = is_open;
    }

    /// One more. It does not hurry those before it.
    pub(super) fn note(&mut self, line: Line, waiting: Waiting, now: Instant) {
        let queue = self.lines.entry(line).or_insert_with_key(|line| {
            self.due.insert((now, line.clone()));
            Queue { waiting: BTreeSet::new(), due: now, failures: 0, is_served: false }
        });
        queue.waiting.insert(waiting);
    }

    /// The next whose time has come. Until it is settled or put back, no other of its line is taken.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Line, Waiting)> {
        let (_, line) = self.due.first().filter(|(due, _)| self.is_open && *due <= now)?;
        let queue = self.lines.get_mut(line)?;
        let first = queue.waiting.first()?.clone();
        queue.is_served = true;
        let (_, line) = self.due.pop_first()?;
        Some((line, first))
    }

    /// Those of a line that come after one.
    pub(super) fn behind(&self, line: &Line, waiting: &Waiting) -> Vec<Waiting> {
        let queue = self.lines.get(line);
        queue
            .map(|queue| queue.waiting.iter().filter(|other| *other > waiting).cloned().collect())
            .unwrap_or_default()
    }

    /// That one is done with.
    pub(super) fn settled(&mut self, line: &Line, waiting: &Waiting, now: Instant) {
        let Some(queue) = self.lines.get_mut(line) else { return };
        queue.waiting.remove(waiting);
        if queue.waiting.is_empty() {
            self.lines.remove(line);
            return;
        }
        (queue.failures, queue.due, queue.is_served) = (0, now, false);
        self.due.insert((now, line.clone()));
    }

    /// That one could not be carried out now; how often that was so.
    pub(super) fn put_back(&mut self, line: &Line, now: Instant) -> u32 {
        let Some(queue) = self.lines.get_mut(line) else { return 0 };
        queue.due = now + FIRST_DELAY.saturating_mul(1 << queue.failures.min(16)).min(LONGEST_DELAY);
        (queue.failures, queue.is_served) = (queue.failures.saturating_add(1), false);
        self.due.insert((queue.due, line.clone()));
        queue.failures
    }

    /// All may be tried now.
    pub(super) fn hurry(&mut self, now: Instant) {
        for (line, queue) in self.lines.iter_mut().filter(|(_, queue)| !queue.is_served && queue.due > now) {
            self.due.remove(&(queue.due, line.clone()));
            queue.due = now;
            self.due.insert((now, line.clone()));
        }
    }

    /// When the next one's time comes.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().filter(|_| self.is_open).map(|(due, _)| *due)
    }

    /// Whether none is being carried out, and no one's time has come.
    pub(super) fn is_at_rest(&self, now: Instant) -> bool {
        self.next().is_none_or(|next| next > now) && !self.lines.values().any(|queue| queue.is_served)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_store::Revision;

    fn line(subject: u128, extension: &str) -> Line {
        Line { subject: Uuid::from_u128(subject), owner: ("t".into(), extension.into()) }
    }

    fn waiting(revision: u64, key: &str) -> Waiting {
        Waiting { revision: Revision(revision), key: key.into() }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn those_of_one_line_come_in_their_order_and_one_at_a_time() {
        let (mut book, now) = (Book::default(), Instant::now());
        let (one, other) = (line(1, "e"), line(1, "another"));
        for (revision, key) in [(2, "a"), (1, "c"), (1, "b"), (1, "b")] {
            book.note(one.clone(), waiting(revision, key), now);
        }
        assert_eq!(
            (book.take(now), book.next(), book.is_at_rest(now)),
            (None, None, true),
            "it is not open yet"
        );
        book.set_open(true);
        // Of the same resource, and of another extension.
        book.note(other.clone(), waiting(3, "z"), now + seconds(1));
        let now = now + seconds(1);
        for (revision, key, behind) in [(1, "b", 2), (1, "c", 1), (2, "a", 0)] {
            assert!(!book.is_at_rest(now));
            let (line, first) = book.take(now).unwrap();
            assert_eq!((&line, &first), (&one, &waiting(revision, key)));
            assert_eq!(book.behind(&line, &first).len(), behind);
            if revision == 1 && key == "b" {
                assert_eq!(book.take(now), Some((other.clone(), waiting(3, "z"))));
                assert_eq!(book.take(now), None, "each line has one under way");
                book.settled(&other, &waiting(3, "z"), now);
            }
            // Before any other that is due.
            book.settled(&one, &first, now);
        }
        assert!(book.is_at_rest(now) && book.lines.is_empty() && book.due.is_empty());
    }

    #[test]
    fn one_that_waits_keeps_back_those_behind_it_for_longer_and_longer() {
        let (mut book, mut now) = (Book::default(), Instant::now());
        let one = line(1, "e");
        book.set_open(true);
        book.note(one.clone(), waiting(1, "a"), now);
        for (nth, delay) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            assert_eq!(book.take(now), Some((one.clone(), waiting(1, "a"))));
            book.note(one.clone(), waiting(2, "b"), now);
            assert_eq!(usize::try_from(book.put_back(&one, now)), Ok(nth + 1));
            assert_eq!((book.next(), book.is_at_rest(now)), (Some(now + seconds(delay)), true));
            now += seconds(delay);
        }
        book.take(now).unwrap();
        book.put_back(&one, now);
        book.hurry(now);
        assert_eq!(book.take(now), Some((one.clone(), waiting(1, "a"))));
        book.settled(&one, &waiting(1, "a"), now);
        assert_eq!(book.take(now), Some((one.clone(), waiting(2, "b"))));
        assert_eq!(book.put_back(&one, now), 1, "it has failures of its own");
    }
}

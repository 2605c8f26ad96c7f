//! Which orders wait, in lines: one for each resource, whose orders are carried out one after the other. Who does that is not
//! known here.

use super::Waiting;
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
    lines: HashMap<Uuid, Line>,
    /// The resources of which none is being carried out, by when one is to be.
    due: BTreeSet<(Instant, Uuid)>,
}

/// The orders of one resource.
#[derive(Debug)]
struct Line {
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
    pub(super) fn note(&mut self, subject: Uuid, waiting: Waiting, now: Instant) {
        let line = self.lines.entry(subject).or_insert_with(|| {
            self.due.insert((now, subject));
            Line { waiting: BTreeSet::new(), due: now, failures: 0, is_served: false }
        });
        line.waiting.insert(waiting);
    }

    /// The next whose time has come. Until it is settled or put back, no other of its resource is taken.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Uuid, Waiting)> {
        let (due, subject) = *self.due.first().filter(|(due, _)| self.is_open && *due <= now)?;
        let line = self.lines.get_mut(&subject)?;
        let first = line.waiting.first()?.clone();
        line.is_served = true;
        self.due.remove(&(due, subject));
        Some((subject, first))
    }

    /// That one is done with.
    pub(super) fn settled(&mut self, subject: Uuid, waiting: &Waiting, now: Instant) {
        let Some(line) = self.lines.get_mut(&subject) else { return };
        line.waiting.remove(waiting);
        if line.waiting.is_empty() {
            self.lines.remove(&subject);
            return;
        }
        (line.failures, line.due, line.is_served) = (0, now, false);
        self.due.insert((now, subject));
    }

    /// That one could not be carried out now; how often that was so.
    pub(super) fn put_back(&mut self, subject: Uuid, now: Instant) -> u32 {
        let Some(line) = self.lines.get_mut(&subject) else { return 0 };
        line.due = now + FIRST_DELAY.saturating_mul(1 << line.failures.min(16)).min(LONGEST_DELAY);
        (line.failures, line.is_served) = (line.failures.saturating_add(1), false);
        self.due.insert((line.due, subject));
        line.failures
    }

    /// All may be tried now.
    pub(super) fn hurry(&mut self, now: Instant) {
        for (subject, line) in self.lines.iter_mut().filter(|(_, line)| !line.is_served && line.due > now) {
            self.due.remove(&(line.due, *subject));
            line.due = now;
            self.due.insert((now, *subject));
        }
    }

    /// When the next one's time comes.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().filter(|_| self.is_open).map(|(due, _)| *due)
    }

    /// Whether none is being carried out, and no one's time has come.
    pub(super) fn is_at_rest(&self, now: Instant) -> bool {
        self.next().is_none_or(|next| next > now) && !self.lines.values().any(|line| line.is_served)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_store::Revision;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn waiting(revision: u64, key: &str) -> Waiting {
        Waiting { revision: Revision(revision), key: key.into(), owner: ("t".into(), "e".into()) }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn those_of_one_resource_come_in_their_order_and_one_at_a_time() {
        let (mut book, now) = (Book::default(), Instant::now());
        for (revision, key) in [(2, "a"), (1, "c"), (1, "b"), (1, "b")] {
            book.note(ONE, waiting(revision, key), now);
        }
        assert_eq!(
            (book.take(now), book.next(), book.is_at_rest(now)),
            (None, None, true),
            "it is not open yet"
        );
        book.set_open(true);
        book.note(OTHER, waiting(3, "z"), now);
        for (revision, key) in [(1, "b"), (1, "c"), (2, "a")] {
            assert!(!book.is_at_rest(now));
            let (subject, first) = book.take(now).unwrap();
            assert_eq!((subject, &first), (ONE, &waiting(revision, key)));
            if revision == 2 {
                assert_eq!(book.take(now), Some((OTHER, waiting(3, "z"))));
                assert_eq!(book.take(now), None, "each resource has one under way");
                book.settled(OTHER, &waiting(3, "z"), now);
            }
            book.settled(ONE, &first, now);
        }
        assert!(book.is_at_rest(now) && book.lines.is_empty() && book.due.is_empty());
    }

    #[test]
    fn one_that_waits_keeps_back_those_behind_it_for_longer_and_longer() {
        let (mut book, mut now) = (Book::default(), Instant::now());
        book.set_open(true);
        book.note(ONE, waiting(1, "a"), now);
        for (nth, delay) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
            assert_eq!(book.take(now), Some((ONE, waiting(1, "a"))));
            book.note(ONE, waiting(2, "b"), now);
            assert_eq!(usize::try_from(book.put_back(ONE, now)), Ok(nth + 1));
            assert_eq!((book.next(), book.is_at_rest(now)), (Some(now + seconds(delay)), true));
            now += seconds(delay);
        }
        book.take(now).unwrap();
        book.put_back(ONE, now);
        book.hurry(now);
        assert_eq!(book.take(now), Some((ONE, waiting(1, "a"))));
        book.settled(ONE, &waiting(1, "a"), now);
        assert_eq!(book.take(now), Some((ONE, waiting(2, "b"))));
        assert_eq!(book.put_back(ONE, now), 1, "it has failures of its own");
    }
}

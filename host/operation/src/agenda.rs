//! Which entities are to be asked what they are now, why, and when. Questions of one entity that wait together are one,
//! and an entity is asked one question at a time. Who asks is not known here.

use crate::observer::Cause;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a question waits that could not be answered; twice as long after each further failure.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest that it waits.
const LONGEST_DELAY: Duration = Duration::from_mins(1);
/// No extension is asked again sooner, however soon it wants to be (`again` in the contract).
const SOONEST: Duration = Duration::from_secs(1);
/// None is asked later either: a time that can be reckoned with, and longer than any server runs.
const LATEST: Duration = Duration::from_hours(24 * 365 * 10);

/// All questions that wait.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: HashMap<Uuid, Entry>,
    /// The entities that are not being asked, by when they are to be.
    due: BTreeSet<(Instant, Uuid)>,
}

/// A question that waits, or is being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    /// Why it is asked.
    pub(crate) cause: Cause,
    due: Instant,
    /// How often it has not been answered.
    pub(crate) failures: u32,
}

/// The questions of one entity. Its extension's own wish is kept apart, since the answer to another question need not
/// repeat it.
#[derive(Debug, Default)]
struct Entry {
    news: Option<Question>,
    timer: Option<Question>,
    is_asked: bool,
}

impl Agenda {
    /// To be asked as soon as may be.
    pub(crate) fn note(&mut self, entity: Uuid, cause: Cause, now: Instant) {
        self.put(entity, Question { cause, due: now, failures: 0 });
    }

    /// To be asked when the extension wants to be. Of two wishes the earlier counts.
    pub(crate) fn note_later(&mut self, entity: Uuid, delay: Duration, now: Instant) {
        let due = self.time_of_wish(entity, delay, now);
        self.put(entity, Question { cause: Cause::Timer, due, failures: 0 });
    }

    /// When an entity is to be asked if the extension wants it after that delay: then, or earlier if it said so before.
    pub(crate) fn time_of_wish(&self, entity: Uuid, delay: Duration, now: Instant) -> Instant {
        let due = now + delay.clamp(SOONEST, LATEST);
        let waiting = self.entries.get(&entity).and_then(|entry| entry.timer);
        waiting.map_or(due, |waiting| waiting.due.min(due))
    }

    /// To be asked again, as it was asked in vain.
    pub(crate) fn put_back(&mut self, entity: Uuid, cause: Cause, failures: u32, now: Instant) {
        let delay = FIRST_DELAY.saturating_mul(1 << failures.min(16)).min(LONGEST_DELAY);
        self.put(entity, Question { cause, due: now + delay, failures: failures.saturating_add(1) });
    }

    /// The next question whose time has come. Until it is [`Agenda::done`], the entity is asked no other.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(Uuid, Question)> {
        let entity = self.due.first().filter(|(due, _)| *due <= now)?.1;
        self.change(entity, |entry| {
            let is_due = |slot: &&mut Option<Question>| slot.is_some_and(|question| question.due <= now);
            let question = [&mut entry.news, &mut entry.timer].into_iter().find(is_due)?.take()?;
            entry.is_asked = true;
            Some((entity, question))
        })
    }

    /// The entity may be asked the next question.
    pub(crate) fn done(&mut self, entity: Uuid) {
        self.change(entity, |entry| entry.is_asked = false);
    }

    /// When the next question's time comes.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Whether nobody is being asked, and no question's time has come.
    pub(crate) fn is_at_rest(&self, now: Instant) -> bool {
        self.next().is_none_or(|next| next > now) && !self.entries.values().any(|entry| entry.is_asked)
    }

    fn put(&mut self, entity: Uuid, question: Question) {
        self.change(entity, |entry| {
            let slot = match question.cause {
                Cause::Timer => &mut entry.timer,
                Cause::Event | Cause::Restart | Cause::Recreate => &mut entry.news,
            };
            *slot = Some(slot.map_or(question, |waiting| waiting.joined(question)));
        });
    }

    /// Changes an entity's entry and keeps its place in the order.
    fn change<T>(&mut self, entity: Uuid, change: impl FnOnce(&mut Entry) -> T) -> T {
        let entry = self.entries.entry(entity).or_default();
        if let Some(due) = entry.due() {
            self.due.remove(&(due, entity));
        }
        let answer = change(entry);
        if let Some(due) = entry.due() {
            self.due.insert((due, entity));
        } else if !entry.is_asked {
            self.entries.remove(&entity);
        }
        answer
    }
}

impl Question {
    /// The one question that stands for two: the stronger cause, the earlier time.
    fn joined(self, other: Self) -> Self {
        Self {
            cause: self.cause.max(other.cause),
            due: self.due.min(other.due),
            failures: self.failures.max(other.failures),
        }
    }
}

impl Entry {
    /// When it is the entity's turn; not while it is being asked.
    fn due(&self) -> Option<Instant> {
        let due = [self.news, self.timer].into_iter().flatten().map(|question| question.due).min();
        due.filter(|_| !self.is_asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTITY: Uuid = Uuid::from_u128(1);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// What is asked at that time, and is answered.
    fn asked(agenda: &mut Agenda, now: Instant) -> Vec<Cause> {
        let mut causes = Vec::new();
        while let Some((entity, question)) = agenda.take(now) {
            agenda.done(entity);
            causes.push(question.cause);
        }
        causes
    }

    #[test]
    fn the_stronger_cause_stays_whichever_comes_first() {
        let now = Instant::now();
        for (causes, stronger) in [
            ([Cause::Event, Cause::Restart], Cause::Restart),
            ([Cause::Restart, Cause::Event], Cause::Restart),
            ([Cause::Restart, Cause::Recreate], Cause::Recreate),
            ([Cause::Recreate, Cause::Event], Cause::Recreate),
        ] {
            let mut agenda = Agenda::default();
            for cause in causes {
                agenda.note(ENTITY, cause, now);
            }
            assert_eq!(asked(&mut agenda, now), [stronger], "{causes:?}");
        }
    }

    #[test]
    fn of_many_wishes_the_earlier_counts() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        for delay in [60, 5, 3600] {
            agenda.note_later(ENTITY, seconds(delay), now);
        }
        assert_eq!(agenda.time_of_wish(ENTITY, seconds(7), now), now + seconds(5));
        assert_eq!(agenda.time_of_wish(ENTITY, seconds(3), now), now + seconds(3));
        assert_eq!(agenda.next(), Some(now + seconds(5)));
        assert_eq!(asked(&mut agenda, now + seconds(4)), []);
        assert_eq!(asked(&mut agenda, now + seconds(7200)), [Cause::Timer]);
        assert!(agenda.entries.is_empty() && agenda.due.is_empty(), "who is not asked takes no memory");
    }

    #[test]
    fn no_wish_is_granted_within_a_second_nor_breaks_the_clock() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        agenda.note_later(ENTITY, Duration::ZERO, now);
        assert_eq!(agenda.next(), Some(now + seconds(1)));
        agenda.note_later(Uuid::from_u128(2), Duration::from_millis(u64::MAX), now);
        assert_eq!(asked(&mut agenda, now + seconds(1)), [Cause::Timer]);
    }

    #[test]
    fn an_event_does_not_take_the_extensions_wish_away() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        agenda.note_later(ENTITY, seconds(5), now);
        agenda.note(ENTITY, Cause::Event, now);
        assert_eq!(asked(&mut agenda, now), [Cause::Event]);
        assert_eq!(asked(&mut agenda, now + seconds(5)), [Cause::Timer]);
    }

    #[test]
    fn a_failure_is_tried_again_after_a_growing_delay() {
        let (mut agenda, mut now) = (Agenda::default(), Instant::now());
        agenda.note(ENTITY, Cause::Restart, now);
        for delay in [1, 2, 4, 8, 16, 32, 60, 60] {
            let (_, question) = agenda.take(now).unwrap();
            agenda.put_back(ENTITY, question.cause, question.failures, now);
            agenda.done(ENTITY);
            assert_eq!(agenda.next(), Some(now + seconds(delay)));
            now += seconds(delay);
        }
        // News do not wait for it, and do not forget what could not be done.
        agenda.put_back(ENTITY, Cause::Restart, 9, now);
        agenda.note(ENTITY, Cause::Event, now);
        assert_eq!(asked(&mut agenda, now), [Cause::Restart]);
    }

    #[test]
    fn an_entity_is_asked_one_question_at_a_time() {
        let (mut agenda, now) = (Agenda::default(), Instant::now());
        agenda.note(ENTITY, Cause::Event, now);
        assert!(agenda.take(now).is_some());
        agenda.note(ENTITY, Cause::Event, now);
        agenda.note(ENTITY, Cause::Event, now);
        assert_eq!((agenda.take(now), agenda.next()), (None, None));
        assert!(!agenda.is_at_rest(now), "it is being asked");
        agenda.done(ENTITY);
        assert!(!agenda.is_at_rest(now), "its next question waits");
        assert_eq!(asked(&mut agenda, now), [Cause::Event]);
        agenda.note_later(ENTITY, seconds(5), now);
        assert!(agenda.is_at_rest(now) && !agenda.is_at_rest(now + seconds(5)));
    }
}

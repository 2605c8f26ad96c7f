//! Which of the commits that wait make up the next group, so that they share one fsync.
//!
//! While a group is synced the next gathers. Of 64 clients who each wait for an answer before they ask again, half
//! would then be in one group and half in the next, and each would wait for two fsyncs. So the writer lingers for those
//! that it has just answered: as long as fewer wait than were there a moment ago, and for what a commit takes at most. So groups grow as
//! long as more come than are answered. One who is alone, or comes rarely, waits for nobody.

use crate::contract::{Batch, Revision};
use crate::error::StoreError;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A group is not made larger when it has so many bytes, so that one fsync never waits for a very long write.
const GROUP_BYTES: usize = 4 << 20;

/// The most that the writer lingers, which else is as long as a commit takes.
const LINGER_MOST: Duration = Duration::from_millis(2);

/// What the writer is asked for.
pub(super) enum Message {
    /// A commit, and its place among those that wait, which it gives up when it is taken.
    Commit(Request, OwnedSemaphorePermit),
    /// To do what waits, and end.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// A batch, and whom to tell of its outcome.
pub(super) struct Request {
    pub(super) batch: Batch,
    pub(super) answer: oneshot::Sender<Result<Revision, StoreError>>,
}

/// The writer's end of the queue.
pub(super) struct Intake {
    messages: Receiver<Message>,
    places: Arc<Semaphore>,
    /// The largest number of commits in a group.
    limit: usize,
    /// The next group, as far as it has come, and its size in bytes.
    group: Vec<Request>,
    bytes: usize,
    /// How many may come at once: those answered last, and those that waited meanwhile.
    hope: usize,
    linger: Duration,
    /// Who asked for the end.
    closing: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

impl Intake {
    pub(super) fn new(messages: Receiver<Message>, places: Arc<Semaphore>, limit: usize) -> Self {
        let (group, closing) = (Vec::new(), Vec::new());
        Self { messages, places, limit, group, bytes: 0, hope: 0, linger: Duration::ZERO, closing }
    }

    /// Waits for the next group; none when the store is to end and nothing waits any more.
    pub(super) fn group(&mut self) -> Option<Vec<Request>> {
        self.drain();
        while self.group.is_empty() {
            if !self.closing.is_empty() {
                return None;
            }
            self.take(self.messages.recv().ok()?);
            self.drain();
        }
        let until = Instant::now() + self.linger;
        while self.group.len() < self.hope.min(self.limit)
            && self.bytes < GROUP_BYTES
            && self.closing.is_empty()
        {
            match self.messages.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        self.bytes = 0;
        Some(std::mem::take(&mut self.group))
    }

    /// To be called when a group is done and before its commits are answered.
    pub(super) fn done(&mut self, answers: usize, took: Duration) {
        self.drain();
        self.hope = answers + self.group.len();
        self.linger = took.min(LINGER_MOST);
    }

    /// Who waits for the end.
    pub(super) fn into_closing(self) -> Vec<oneshot::Sender<Result<(), StoreError>>> {
        self.closing
    }

    /// Takes what is there and has room in the group.
    fn drain(&mut self) {
        while self.group.len() < self.limit && self.bytes < GROUP_BYTES {
            let Ok(message) = self.messages.try_recv() else { break };
            self.take(message);
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Commit(request, _place) => {
                self.bytes += request.batch.size();
                self.group.push(request);
            }
            Message::Close(answer) => {
                // Who waits for a place is told now; who has one is in the queue, or is too late.
                self.places.close();
                self.closing.push(answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    fn intake(limit: usize) -> (Sender<Message>, Arc<Semaphore>, Intake) {
        let (queue, messages) = channel();
        let places = Arc::new(Semaphore::new(100));
        (queue, places.clone(), Intake::new(messages, places, limit))
    }

    fn ask(queue: &Sender<Message>, places: &Arc<Semaphore>, bytes: usize) {
        let place = places.clone().try_acquire_owned().unwrap();
        let mut batch = Batch::new();
        batch.put("key", vec![0; bytes]);
        let (answer, _) = oneshot::channel();
        queue.send(Message::Commit(Request { batch, answer }, place)).unwrap();
    }

    #[test]
    fn who_waits_is_in_the_next_group_up_to_its_limits() {
        let (queue, places, mut intake) = intake(3);
        for _ in 0..4 {
            ask(&queue, &places, 1);
        }
        assert_eq!(intake.group().unwrap().len(), 3);
        assert_eq!(places.available_permits(), 99, "who is taken has given up a place");
        ask(&queue, &places, GROUP_BYTES);
        ask(&queue, &places, 1);
        assert_eq!(intake.group().unwrap().len(), 2, "the one that makes it too large is the last");
        assert_eq!(intake.group().unwrap().len(), 1);
    }

    #[test]
    fn who_was_answered_is_hoped_for_and_not_forever() {
        let (queue, places, mut intake) = intake(10);
        ask(&queue, &places, 1);
        assert_eq!(intake.group().unwrap().len(), 1);
        // One comes while the group of one is synced: two are at hand.
        ask(&queue, &places, 1);
        intake.done(1, Duration::from_secs(100));
        assert_eq!((intake.hope, intake.linger), (2, LINGER_MOST));
        assert_eq!(intake.group().unwrap().len(), 1, "nobody else came");
        intake.done(1, Duration::from_micros(400));
        assert_eq!((intake.hope, intake.linger), (1, Duration::from_micros(400)));
    }

    #[test]
    fn the_end_comes_when_nobody_waits() {
        let (queue, places, mut intake) = intake(1);
        ask(&queue, &places, 1);
        let (answer, _) = oneshot::channel();
        queue.send(Message::Close(answer)).unwrap();
        ask(&queue, &places, 1);
        assert!(intake.group().is_some());
        assert!(intake.group().is_some(), "one who has a place is answered");
        assert!(intake.group().is_none());
        assert!(places.try_acquire().is_err(), "there are no more places");
        assert_eq!(intake.into_closing().len(), 1);
    }
}

//! One hypervisor among others.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::libvirt::Hypervisor;

/// A hypervisor, and what the operator says of it.
#[derive(Debug)]
pub struct Node {
    pub(super) name: String,
    pub(super) labels: BTreeSet<String>,
    takes_new: AtomicBool,
    /// Where its QEMU is reached by that of another one.
    pub(super) reached_at: Option<String>,
    pub(super) hypervisor: Hypervisor,
    room: tokio::sync::Mutex<Option<Room>>,
}

/// How much memory a node had unclaimed when it was read, less what has been placed there since.
#[derive(Debug)]
struct Room {
    read: Instant,
    bytes: i128,
}

/// How long what a node has unclaimed is not read again: what is placed there meanwhile is known.
const ROOM_AGE: Duration = Duration::from_secs(10);

/// How long one that does not answer at once is waited for where something new is placed.
const PATIENCE: Duration = Duration::from_secs(2);

impl Node {
    /// One by that name, with labels that machines can ask for. Where it takes nothing new, what it has stays.
    pub fn new(name: String, labels: BTreeSet<String>, takes_new: bool, hypervisor: Hypervisor) -> Self {
        let (takes_new, room) = (AtomicBool::new(takes_new), tokio::sync::Mutex::default());
        Self { name, labels, takes_new, reached_at: None, hypervisor, room }
    }

    /// The same, whose QEMU is reached by another's there, such as `tcp://10.0.0.2`, and not by its host's name.
    #[must_use]
    pub fn reached_at(self, reached_at: Option<String>) -> Self {
        Self { reached_at, ..self }
    }

    /// What machines can ask for.
    pub fn labels(&self) -> &BTreeSet<String> {
        &self.labels
    }

    /// Whether something new may come to be there.
    pub fn takes_new(&self) -> bool {
        self.takes_new.load(Ordering::Relaxed)
    }

    /// Has it take nothing new any more, or again.
    pub fn set_takes_new(&self, takes_new: bool) {
        self.takes_new.store(takes_new, Ordering::Relaxed);
    }

    /// By which the operator knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is there.
    pub fn hypervisor(&self) -> &Hypervisor {
        &self.hypervisor
    }

    /// In bytes; none where it does not say soon, so that nothing is placed there.
    pub(super) async fn unclaimed(&self) -> Option<i128> {
        if self.hypervisor.is_away() {
            return None;
        }
        timeout(PATIENCE, async {
            // In turn, so that it is read once for all who ask.
            let mut room = self.room.lock().await;
            self.hypervisor.answers().await.ok()?;
            if let Some(known) = room.as_ref().filter(|room| room.read.elapsed() < ROOM_AGE) {
                return Some(known.bytes);
            }
            let bytes = self.hypervisor.unclaimed_memory().await.ok()?;
            *room = Some(Room { read: Instant::now(), bytes });
            Some(bytes)
        })
        .await
        .ok()?
    }

    /// Something has been placed there that takes so much.
    pub(super) async fn claim(&self, bytes: u64) {
        if let Some(room) = &mut *self.room.lock().await {
            room.bytes -= i128::from(bytes);
        }
    }
}

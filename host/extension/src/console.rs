//! The console of an entity: what a machine prints, and what is typed to it. A capability has them
//! ([`Capability::console`](crate::Capability::console)), and the host serves them to clients; no guest sees one.

use crate::bindings::types::Fault;
use bytes::Bytes;

/// The console of one entity, whether it can be reached or not.
#[async_trait::async_trait]
pub trait Console: Send + Sync + 'static {
    /// The last bytes that were printed, `most` at most, as they are; nothing where nothing was printed yet.
    async fn printed(&self, most: usize) -> Result<Vec<u8>, Fault>;

    /// Opens it for both ways, which one can have at a time: who comes second is told 'conflict', but with `take` whoever has
    /// it loses it.
    async fn open(&self, take: bool) -> Result<Box<dyn ConsoleLine>, Fault>;
}

/// An open console. To drop it closes it, and lets somebody else have it.
#[async_trait::async_trait]
pub trait ConsoleLine: Send + Sync + 'static {
    /// What was printed since, and was not read yet; waits where there is nothing. What a slow reader leaves unread beyond
    /// some 256 KiB is lost. Where the future is dropped nothing is.
    async fn read(&self) -> Result<Bytes, ConsoleEnd>;

    /// Types something. Waits for as long as the machine's side takes no more.
    async fn write(&self, typed: Bytes) -> Result<(), ConsoleEnd>;
}

/// Why an open console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleEnd {
    /// The machine has no power any more, or is gone.
    Off,
    /// Somebody else has taken it over.
    Taken,
    /// There is no way to it any more, as where the hypervisor is away.
    Lost,
}

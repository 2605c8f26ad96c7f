//! How a call gets to libvirt and back: off the async threads, a few at a time (`pool`), one at a time for each entity, over a
//! connection of its own (`connection`), and again over a fresh one where that has broken.
//!
//! What a call does is not known here.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, RwLock};
use tokio::time::timeout;
use uuid::Uuid;

use super::config::Call;
use super::connection::{Connections, Live};
use super::error::{Error, Result};
use super::events::Herald;
use super::pool::{Pool, Turn};

/// How long a call takes by its nature. Each class has its own workers, so that ten machines that are starting keep
/// nobody from looking at an eleventh.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lane {
    Short,
    Long,
}

/// What must not change while a call runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hold {
    /// It only looks.
    Nothing,
    /// The object of this entity.
    Entity(Uuid),
    /// The object of this entity, and that the object of the other one stays, which it comes to use or uses no more.
    Using(Uuid, Uuid),
    /// The same, and that nobody else comes to use the other one meanwhile.
    UsingAlone(Uuid, Uuid),
    /// The object of this entity, and that nobody is defined to use it.
    Unused(Uuid),
    /// The object of this entity, which begins to work with whatever it is defined to use.
    Starting(Uuid),
    /// The object of this entity, and that nobody begins to work with it.
    Idle(Uuid),
}

/// Entities share a lock where their ids agree in this many values; enough that two which are busy for seconds
/// seldom do.
const STRIPES: usize = 1024;

#[derive(Debug)]
pub(super) struct Workers {
    connections: Arc<Connections>,
    short: Class,
    long: Class,
    entities: Vec<Arc<Mutex<()>>>,
    /// Read by those who come to use an entity's object, written by those who must be sure of its users.
    uses: Vec<Arc<RwLock<()>>>,
    /// Read by those that start. One for all, since what a machine uses is known to libvirt alone.
    starts: Arc<RwLock<()>>,
}

#[derive(Debug)]
struct Class {
    patience: Duration,
    threads: Pool,
}

impl Class {
    fn new(name: &str, call: Call) -> Result<Self> {
        let threads = Pool::start(name, call.at_once)
            .map_err(|error| Error::Failed(format!("no thread for calls to the hypervisor: {error}")))?;
        Ok(Self { patience: call.patience, threads })
    }
}

impl Workers {
    pub(super) fn new(uri: String, short: Call, long: Call) -> Result<Self> {
        Ok(Self {
            connections: Arc::new(Connections::new(uri)),
            short: Class::new("libvirt-short", short)?,
            long: Class::new("libvirt-long", long)?,
            entities: (0..STRIPES).map(|_| Arc::default()).collect(),
            uses: (0..STRIPES).map(|_| Arc::default()).collect(),
            starts: Arc::default(),
        })
    }

    pub(super) fn herald(&self) -> &Herald {
        &self.connections.herald
    }

    /// Run `work`, and once more where the connection broke under it: it must have the effect of one call.
    pub(super) async fn call<T, W>(&self, lane: Lane, hold: Hold, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Live) -> Result<T> + Send + 'static,
    {
        self.run(lane, hold, 2, work).await
    }

    /// Run `work`, which would do more if it ran twice.
    pub(super) async fn call_once<T, W>(&self, lane: Lane, hold: Hold, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Live) -> Result<T> + Send + 'static,
    {
        self.run(lane, hold, 1, work).await
    }

    /// Open the connection where there is none that works.
    pub(super) async fn ensure(&self) -> Result<()> {
        let connections = Arc::clone(&self.connections);
        self.aside(Lane::Short, Hold::Nothing, move || connections.live().map(drop)).await
    }

    async fn run<T, W>(&self, lane: Lane, hold: Hold, attempts: u32, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Live) -> Result<T> + Send + 'static,
    {
        let connections = Arc::clone(&self.connections);
        self.aside(lane, hold, move || {
            let mut left = attempts;
            loop {
                left -= 1;
                match connections.with(&work) {
                    (_, true) if left > 0 => {}
                    (answer, _) => return answer,
                }
            }
        })
        .await
    }

    async fn aside<T, W>(&self, lane: Lane, hold: Hold, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce() -> Result<T> + Send + 'static,
    {
        let Class { patience, threads } = match lane {
            Lane::Short => &self.short,
            Lane::Long => &self.long,
        };
        let turn = Arc::new(Turn::default());
        let answer = timeout(*patience, async {
            let held = self.hold(hold).await;
            // The caller may give up; the work goes on, and what it holds stays held until it ends.
            let work = move || {
                let answer = work();
                drop(held);
                answer
            };
            threads.run(Arc::clone(&turn), work).await
        });
        match answer.await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(Error::Failed("a call to the hypervisor broke off; the log says why".into())),
            // What has not begun does not begin any more.
            Err(_elapsed) if turn.take() => Err(Error::Unavailable(format!(
                "the hypervisor is still busy with other requests after {} s, so this one was not begun: try again later",
                patience.as_secs_f32()
            ))),
            Err(_elapsed) => Err(Error::Timeout(format!(
                "the hypervisor did not answer within {} s",
                patience.as_secs_f32()
            ))),
        }
    }

    /// Wait until what `hold` names may be held, and hold it for as long as the answer lives. Each call takes the
    /// entity first, a use second and the starts last, so none waits for another that waits for it.
    async fn hold(&self, hold: Hold) -> Box<dyn Any + Send> {
        match hold {
            Hold::Nothing => Box::new(()),
            Hold::Entity(id) => Box::new(self.entity(id).lock_owned().await),
            Hold::Using(id, used) => {
                let entity = self.entity(id).lock_owned().await;
                Box::new((entity, self.use_of(used).read_owned().await))
            }
            Hold::UsingAlone(id, used) => {
                let entity = self.entity(id).lock_owned().await;
                Box::new((entity, self.use_of(used).write_owned().await))
            }
            Hold::Unused(id) => {
                let entity = self.entity(id).lock_owned().await;
                Box::new((entity, self.use_of(id).write_owned().await))
            }
            Hold::Starting(id) => {
                let entity = self.entity(id).lock_owned().await;
                Box::new((entity, Arc::clone(&self.starts).read_owned().await))
            }
            Hold::Idle(id) => {
                let entity = self.entity(id).lock_owned().await;
                let unused = self.use_of(id).write_owned().await;
                Box::new((entity, unused, Arc::clone(&self.starts).write_owned().await))
            }
        }
    }

    fn entity(&self, id: Uuid) -> Arc<Mutex<()>> {
        Arc::clone(&self.entities[stripe(id)])
    }

    fn use_of(&self, id: Uuid) -> Arc<RwLock<()>> {
        Arc::clone(&self.uses[stripe(id)])
    }
}

fn stripe(id: Uuid) -> usize {
    // The last bytes: random in the common versions, and the ones that differ where someone counts by hand.
    let [.., high, low] = id.into_bytes();
    usize::from(u16::from_be_bytes([high, low])) % STRIPES
}

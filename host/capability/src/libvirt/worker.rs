//! How a call gets to libvirt and back: off the async threads, a few at a time (`pool`), one at a time for each entity, over a
//! connection of its own (`connection`), and again over a fresh one where that has broken.
//!
//! What a call does is not known here.

use std::any::Any;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedRwLockWriteGuard, RwLock};
use tokio::time::{Instant, sleep, timeout, timeout_at};
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
    /// What brings something from one hypervisor to another, for a client who waits. One that does not answer keeps the workers of
    /// another from nothing else.
    Carry,
    /// The same for an operator, with disks of any size.
    Move,
}

/// What must not change while a call runs.
#[derive(Debug, Clone)]
pub(super) enum Hold {
    /// It only looks.
    Nothing,
    /// The object of this entity.
    Entity(Uuid),
    /// The object of this entity, and that the object of the other one stays, which it comes to use or uses no more.
    Using(Uuid, Uuid),
    /// The same, and that nobody else chooses something of the other one meanwhile that but one can have.
    Choosing(Uuid, Uuid),
    /// The object of this entity, and that nobody chooses something of it meanwhile.
    Redefining(Uuid),
    /// The object of this entity, and that nobody is defined to use it.
    Unused(Uuid),
    /// The object of this entity, and that nobody else comes to use any of these, with which it goes.
    Moving(Uuid, Vec<Uuid>),
    /// The object of this entity, which begins to work with whatever it is defined to use.
    Starting(Uuid),
    /// The object of this entity, and that nobody begins to work with it.
    Idle(Uuid),
}

/// Entities share a lock where their ids agree in this many values; enough that two which are busy for seconds
/// seldom do.
const STRIPES: usize = 1024;

/// A large disk takes hours; two of them at a time, as they take the network from all else.
const MOVES: Call = Call { patience: Duration::from_hours(24), at_once: 2 };

#[derive(Debug)]
pub(super) struct Workers {
    connections: Arc<Connections>,
    short: Class,
    long: Class,
    carries: Class,
    moves: Class,
    entities: Vec<Arc<Mutex<()>>>,
    /// Read by those who come to use an entity's object, written by those who must be sure of its users.
    uses: Vec<Arc<RwLock<()>>>,
    /// Taken by those who choose something of an entity's object.
    choices: Vec<Arc<Mutex<()>>>,
    /// Read by those that start. One for all, since what a machine uses is known to libvirt alone.
    starts: Arc<RwLock<()>>,
}

/// For so long nobody begins to share what somebody waits to have alone; and then, if that was in vain, everybody may for a
/// while: one that hangs must not keep back all others by those who wait for it. Each time it is twice as long, so that those who
/// take turns in sharing it cannot keep it for ever.
const SLICE: Duration = Duration::from_millis(250);
/// The longest that it is.
const LONGEST_SLICE: Duration = Duration::from_secs(4);

/// How long a caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// For as long as its lane has patience.
    Patiently,
    /// That long for the call to begin, and then until it ends.
    ToTheEnd,
}

/// What a call holds.
struct Held {
    /// Until the call ends, whether or not somebody still waits for it.
    lasting: Box<dyn Any + Send>,
    /// Until its caller is answered, or gives up: one that hangs holds it from others no longer.
    brief: Box<dyn Any + Send>,
}

impl Held {
    fn to_the_end(held: impl Any + Send) -> Self {
        Self { lasting: Box::new(held), brief: Box::new(()) }
    }

    fn and_briefly(self, held: impl Any + Send) -> Self {
        Self { brief: Box::new(held), ..self }
    }
}

#[derive(Debug)]
struct Class {
    /// How long what a call holds is waited for.
    holds: Duration,
    patience: Duration,
    threads: Pool,
}

impl Class {
    fn new(name: &str, call: Call, holds: Duration) -> Result<Self> {
        let threads = Pool::start(name, call.at_once)
            .map_err(|error| Error::Failed(format!("no thread for calls to the hypervisor: {error}")))?;
        Ok(Self { holds, patience: call.patience, threads })
    }
}

impl Workers {
    pub(super) fn new(uri: String, short: Call, long: Call) -> Result<Self> {
        Ok(Self {
            connections: Arc::new(Connections::new(uri)),
            short: Class::new("libvirt-short", short, short.patience)?,
            long: Class::new("libvirt-long", long, long.patience)?,
            carries: Class::new("libvirt-carry", long, long.patience)?,
            moves: Class::new("libvirt-move", MOVES, long.patience)?,
            entities: (0..STRIPES).map(|_| Arc::default()).collect(),
            uses: (0..STRIPES).map(|_| Arc::default()).collect(),
            choices: (0..STRIPES).map(|_| Arc::default()).collect(),
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

    /// Run `work` once, which reaches over to another hypervisor: the same is held there. Once it has begun it is waited for to its end.
    pub(super) async fn call_between<T, W>(&self, other: &Self, lane: Lane, hold: Hold, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Live) -> Result<T> + Send + 'static,
    {
        let connections = Arc::clone(&self.connections);
        self.wait(lane, self.hold_both(other, hold), Waits::ToTheEnd, move || connections.with(&work).0).await
    }

    /// Run `work` on this thread, within a call at another hypervisor.
    pub(super) fn at_once<T>(&self, work: impl FnOnce(&Live) -> Result<T>) -> Result<T> {
        self.connections.with(work).0
    }

    /// Open the connection where there is none that works.
    pub(super) async fn ensure(&self) -> Result<()> {
        let connections = Arc::clone(&self.connections);
        self.aside(Lane::Short, Hold::Nothing, move || connections.live().map(drop)).await
    }

    /// Run `work` with a connection that it may keep. Where the caller gives up, what it has made of that is dropped.
    pub(super) async fn apart<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(Live) -> Result<T> + Send + 'static,
    {
        let connections = Arc::clone(&self.connections);
        self.aside(Lane::Short, Hold::Nothing, move || work(connections.apart()?)).await
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
        self.wait(lane, self.hold(hold), Waits::Patiently, work).await
    }

    async fn wait<T, W>(
        &self,
        lane: Lane,
        held: impl Future<Output = Held>,
        waits: Waits,
        work: W,
    ) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce() -> Result<T> + Send + 'static,
    {
        let Class { holds, patience, threads } = match lane {
            Lane::Short => &self.short,
            Lane::Long => &self.long,
            Lane::Carry => &self.carries,
            Lane::Move => &self.moves,
        };
        let (end, seconds) = (Instant::now() + *patience, patience.as_secs_f32());
        let Ok(Held { lasting, brief }) = timeout(*holds, held).await else {
            return Err(Error::Unavailable(format!(
                "a call about this, or about what it uses, is not answered yet, so for {} s this one was not begun: try again later; a \
                 machine that hangs can be powered off",
                holds.as_secs_f32()
            )));
        };
        let turn = Arc::new(Turn::default());
        // The caller may give up; the work goes on.
        let work = move || {
            let answer = work();
            drop(lasting);
            answer
        };
        let mut run = pin!(threads.run(Arc::clone(&turn), work));
        let answer = match timeout_at(end, &mut run).await {
            Ok(answer) => answer,
            // What has not begun does not begin any more.
            Err(_elapsed) if turn.take() => {
                return Err(Error::Unavailable(format!(
                    "the hypervisor is still busy with other requests after {seconds} s, so this one was not begun: try again later"
                )));
            }
            Err(_elapsed) if waits == Waits::ToTheEnd => run.await,
            Err(_elapsed) => {
                return Err(Error::Timeout(format!("the hypervisor did not answer within {seconds} s")));
            }
        };
        drop(brief);
        answer.unwrap_or_else(|| {
            Err(Error::Failed("a call to the hypervisor broke off; the log says why".into()))
        })
    }

    async fn hold_both(&self, other: &Self, hold: Hold) -> Held {
        // In one order, as others may bring something the other way.
        let is_first = std::ptr::from_ref(self) < std::ptr::from_ref(other);
        let (first, second) = if is_first { (self, other) } else { (other, self) };
        let (first, second) = (first.hold(hold.clone()).await, second.hold(hold).await);
        Held {
            lasting: Box::new((first.lasting, second.lasting)),
            brief: Box::new((first.brief, second.brief)),
        }
    }

    /// Wait until what `hold` names may be held. Each call takes the entity first, a use second, and last what it holds
    /// briefly, so none waits for another that waits for it.
    async fn hold(&self, hold: Hold) -> Held {
        match hold {
            Hold::Nothing => Held::to_the_end(()),
            Hold::Entity(id) => Held::to_the_end(self.entity(id).lock_owned().await),
            Hold::Using(id, used) => {
                let entity = self.entity(id).lock_owned().await;
                Held::to_the_end((entity, self.use_of(used).read_owned().await))
            }
            Hold::Choosing(id, used) => {
                let entity = self.entity(id).lock_owned().await;
                let held = Held::to_the_end((entity, self.use_of(used).read_owned().await));
                held.and_briefly(Arc::clone(&self.choices[stripe(used)]).lock_owned().await)
            }
            Hold::Redefining(id) => {
                let held = Held::to_the_end(self.entity(id).lock_owned().await);
                held.and_briefly(Arc::clone(&self.choices[stripe(id)]).lock_owned().await)
            }
            Hold::Unused(id) => {
                let entity = self.entity(id).lock_owned().await;
                Held::to_the_end((entity, alone(self.use_of(id)).await))
            }
            Hold::Moving(id, used) => {
                let entity = self.entity(id).lock_owned().await;
                // In one order, and each once, as others do the same with some of them.
                let stripes: BTreeSet<usize> = used.into_iter().map(stripe).collect();
                let mut uses = Vec::new();
                for stripe in stripes {
                    uses.push(alone(Arc::clone(&self.uses[stripe])).await);
                }
                Held::to_the_end((entity, uses))
            }
            Hold::Starting(id) => {
                let held = Held::to_the_end(self.entity(id).lock_owned().await);
                held.and_briefly(Arc::clone(&self.starts).read_owned().await)
            }
            Hold::Idle(id) => {
                let entity = self.entity(id).lock_owned().await;
                let held = Held::to_the_end((entity, alone(self.use_of(id)).await));
                held.and_briefly(alone(Arc::clone(&self.starts)).await)
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

/// Waits to have alone what others share.
async fn alone(shared: Arc<RwLock<()>>) -> OwnedRwLockWriteGuard<()> {
    let mut slice = SLICE;
    loop {
        if let Ok(alone) = timeout(slice, Arc::clone(&shared).write_owned()).await {
            return alone;
        }
        sleep(SLICE).await;
        slice = (2 * slice).min(LONGEST_SLICE);
    }
}

fn stripe(id: Uuid) -> usize {
    // The last bytes: random in the common versions, and the ones that differ where someone counts by hand.
    let [.., high, low] = id.into_bytes();
    usize::from(u16::from_be_bytes([high, low])) % STRIPES
}

//! Several hypervisors as one: where each entity's things are, and where new ones come to be. A hypervisor among others is a node, in
//! libvirt's word.
//!
//! Where something is, is not stored: the nodes know what they have. They are asked once, and what they answered is
//! remembered until one of them tells of something that is remembered to be elsewhere. With one node nothing is asked.

mod choice;
mod meeting;
mod moving;
mod node;
mod spread;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;
use uuid::Uuid;

use self::choice::Candidate;
pub use self::choice::Wishes;
pub use self::node::Node;
use crate::libvirt::{Error, Hypervisor, Presence, Result};

/// All of them.
#[derive(Debug)]
pub struct Nodes {
    all: Vec<Node>,
    homes: Mutex<HashMap<Uuid, Home>>,
    /// How many moves are under way: what they have at two nodes is as it should be.
    moves: AtomicUsize,
}

/// Where an entity's things are known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    /// At the node of that number.
    At(usize),
    /// It has none, as it was refused before anything was made.
    Nowhere,
}

impl From<Hypervisor> for Nodes {
    fn from(hypervisor: Hypervisor) -> Self {
        Self::new(vec![Node::new("default".into(), BTreeSet::new(), true, hypervisor)])
    }
}

impl Nodes {
    /// In the order in which they are asked; of what is at several the first one's counts, unless a machine uses another's.
    pub fn new(all: Vec<Node>) -> Self {
        Self { all, homes: Mutex::default(), moves: AtomicUsize::new(0) }
    }

    /// In the same order.
    pub fn all(&self) -> &[Node] {
        &self.all
    }

    /// Whether everything at all of them is gone when this process ends.
    pub fn forgets(&self) -> bool {
        self.all.iter().all(|node| node.hypervisor.forgets())
    }

    /// The hypervisor with an entity's things; any where there are none. 'unavailable' where one does not answer that may have
    /// them.
    pub async fn of(&self, entity: Uuid) -> Result<Hypervisor> {
        Ok(match self.home(entity).await? {
            Some(home) => self.all[home].hypervisor.clone(),
            None => self.any()?.hypervisor.clone(),
        })
    }

    /// The hypervisor for an entity's things: where they are, or where they are to be; and whether they are known to be there, where
    /// there are several. One that is known to be `new` is looked for nowhere.
    pub async fn place(&self, entity: Uuid, new: bool, wishes: &Wishes) -> Result<(Hypervisor, bool)> {
        if let [only] = &*self.all {
            wishes.check_only(&only.labels)?;
            return Ok((only.hypervisor.clone(), false));
        }
        if new && let Some(Home::At(home)) = self.remembered(entity) {
            // Another thing of the same, in the same operation.
            return Ok((self.all[home].hypervisor.clone(), false));
        }
        let home = if new { None } else { self.home(entity).await? };
        if let Some(home) = home {
            return Ok((self.all[home].hypervisor.clone(), true));
        }
        let chosen = self.choose(wishes).await.inspect_err(|_| {
            if new {
                self.homes().insert(entity, Home::Nowhere);
            }
        })?;
        let node = &self.all[chosen];
        node.claim(wishes.memory).await;
        self.remember(entity, chosen);
        tracing::debug!(%entity, node = node.name, "placed");
        Ok((node.hypervisor.clone(), false))
    }

    /// The hypervisor with an entity's things, looked for anew, where it is another than the one that does not have them.
    pub async fn elsewhere(&self, entity: Uuid, than: &Hypervisor) -> Result<Option<Hypervisor>> {
        if self.all.len() == 1 {
            return Ok(None);
        }
        self.forget(entity);
        Ok(Some(self.of(entity).await?).filter(|found| !found.is(than)))
    }

    async fn choose(&self, wishes: &Wishes) -> Result<usize> {
        let mut candidates = Vec::new();
        for (number, node) in self.all.iter().enumerate().filter(|(_, node)| node.takes_new()) {
            let unclaimed = node.unclaimed().await;
            candidates.push(Candidate { number, labels: &node.labels, unclaimed });
        }
        wishes.choose(&candidates, &self.homes_of(wishes).await?)
    }

    /// Where those are of whom it matters. Of one that is nowhere nothing is to be near, nor apart from it.
    async fn homes_of(&self, wishes: &Wishes) -> Result<HashMap<Uuid, usize>> {
        let mut homes = HashMap::new();
        for entity in wishes.others() {
            if let Some(home) = self.home(entity).await? {
                homes.insert(entity, home);
            }
        }
        Ok(homes)
    }

    /// The name of the node of a hypervisor; nothing where it is none of these.
    pub fn name_of(&self, hypervisor: &Hypervisor) -> &str {
        self.number_of(hypervisor).map_or("", |number| &self.all[number].name)
    }

    /// Whether an entity's things may be at that node, as far as it is known.
    pub fn may_have(&self, node: &Node, entity: Uuid) -> bool {
        match self.remembered(entity) {
            Some(Home::At(home)) => std::ptr::eq(&raw const self.all[home], node),
            Some(Home::Nowhere) => false,
            None => true,
        }
    }

    /// Whether what is asked of an entity's things has not been answered for a while.
    pub fn is_away(&self, entity: Uuid) -> bool {
        self.all.iter().any(|node| node.hypervisor.is_away() && self.may_have(node, entity))
    }

    /// A node has told of an entity: it may have come there without our doing.
    pub fn heard_of(&self, node: &Node, entity: Uuid) {
        if !self.is_moving() && !self.may_have(node, entity) {
            self.forget(entity);
        }
    }

    /// An entity's things are gone.
    pub fn forget(&self, entity: Uuid) {
        self.homes().remove(&entity);
    }

    /// Where an entity's things are, by the node's number.
    async fn home(&self, entity: Uuid) -> Result<Option<usize>> {
        if self.all.len() == 1 {
            return Ok(Some(0));
        }
        match self.remembered(entity) {
            Some(Home::At(home)) => return Ok(Some(home)),
            Some(Home::Nowhere) => return Ok(None),
            None => {}
        }
        let mut asked = JoinSet::new();
        for (number, node) in self.all.iter().enumerate() {
            let hypervisor = node.hypervisor.clone();
            asked.spawn(async move {
                // Of one that is known to be away nobody waits to be told so again.
                let presence = if hypervisor.is_away() {
                    Err(Error::Unavailable("it is away".into()))
                } else {
                    hypervisor.presence(entity).await
                };
                (number, presence)
            });
        }
        let mut found = Vec::new();
        let mut silent = None;
        while let Some(answer) = asked.join_next().await {
            let Ok((number, presence)) = answer else { continue };
            match presence {
                Ok(Presence::Absent) => {}
                Ok(presence) => found.push((presence, number)),
                Err(error) => silent = Some((number, error)),
            }
            if found.last().is_some_and(|(presence, _)| *presence == Presence::InUse) {
                // No other has it, whatever those say that take their time.
                break;
            }
        }
        found.sort_by_key(|(presence, number)| (std::cmp::Reverse(*presence), *number));
        // What is one's alone no other has; but of volumes that all have one may be using this one.
        let is_sure = match found.first() {
            Some((Presence::InUse, _)) => true,
            Some((Presence::Idle, node)) => !self.all[*node].hypervisor.shares_volumes(),
            Some((Presence::Arrived | Presence::Coming | Presence::Absent, _)) | None => false,
        };
        if let Some((number, error)) = silent.filter(|_| !is_sure) {
            tracing::debug!(%entity, node = self.all[number].name, %error, "it may be there");
            return Err(Error::Unavailable(
                "a hypervisor that may have it cannot be reached now; try again later".into(),
            ));
        }
        let Some(&(presence, home)) = found.first() else { return Ok(None) };
        let mut is_settled = true;
        if !self.is_moving() {
            for (also, other) in &found[1..] {
                is_settled &= self.settle(entity, (home, presence), (*also, *other)).await?;
            }
            if matches!(presence, Presence::Coming | Presence::Arrived) {
                self.all[home].hypervisor.has_come(entity).await?;
            }
        }
        // Else it is looked at once more when it is asked for again, now and then at the latest.
        if is_settled {
            self.remember(entity, home);
        }
        Ok(Some(home))
    }

    /// Of what is at two nodes, as a server that was killed may leave it; whether it stays like that.
    async fn settle(
        &self,
        entity: Uuid,
        (home, at_home): (usize, Presence),
        (presence, other): (Presence, usize),
    ) -> Result<bool> {
        let (home, other) = (&self.all[home], &self.all[other]);
        // It may have moved while others were asked.
        if home.hypervisor.presence(entity).await? != at_home {
            return Ok(false);
        }
        match (at_home, presence) {
            // It came from there, and is in use here.
            (Presence::Arrived, Presence::Idle) => {
                other.hypervisor.volume(entity).remove().await?;
                return Ok(true);
            }
            // QEMU still has to see that it comes no more.
            (Presence::InUse, Presence::Arrived) => return Ok(false),
            _ => {}
        }
        let is_network = other.hypervisor.network(entity).is_there().await?;
        if presence == Presence::Coming || (presence == Presence::Idle && is_network) {
            other.hypervisor.withdraw(entity).await?;
            // One with power is not taken away.
            return Ok(other.hypervisor.presence(entity).await? == Presence::Absent);
        }
        // A network is joined to a bridge, or its machines are being moved.
        let is_shared = presence == Presence::Idle && other.hypervisor.shares_volumes();
        if !is_network && !is_shared {
            tracing::warn!(%entity, "its things are at the node {}, too; those at {} count", other.name, home.name);
        }
        Ok(true)
    }

    /// Carries a move out to its end, whether or not its caller waits for that.
    async fn to_the_end<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let moving = Moving::begin(self);
        let moved = tokio::spawn(async move {
            let moved = work.await;
            drop(moving);
            moved
        });
        let moved =
            moved.await.unwrap_or_else(|error| Err(Error::Failed(format!("a move broke off: {error}"))));
        // How far it came is known to the nodes.
        moved.inspect_err(|_| self.homes().clear())
    }

    fn is_moving(&self) -> bool {
        self.moves.load(Ordering::Relaxed) > 0
    }

    fn any(&self) -> Result<&Node> {
        let present = self.all.iter().find(|node| !node.hypervisor.is_away());
        present.or(self.all.first()).ok_or_else(|| Error::Unsupported("the server has no hypervisor".into()))
    }

    fn remembered(&self, entity: Uuid) -> Option<Home> {
        self.homes().get(&entity).copied()
    }

    fn remember(&self, entity: Uuid, home: usize) {
        self.homes().insert(entity, Home::At(home));
    }

    fn number_of(&self, hypervisor: &Hypervisor) -> Option<usize> {
        self.all.iter().position(|node| node.hypervisor.is(hypervisor))
    }

    fn homes(&self) -> MutexGuard<'_, HashMap<Uuid, Home>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A move that is under way.
struct Moving(Arc<Nodes>);

impl Moving {
    fn begin(nodes: &Arc<Nodes>) -> Self {
        nodes.moves.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(nodes))
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.0.moves.fetch_sub(1, Ordering::Relaxed);
    }
}

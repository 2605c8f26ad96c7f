//! Several hypervisors as one: where each entity's things are, and where new ones come to be. A hypervisor among others is a node, in
//! libvirt's word.
//!
//! Where something is, is not stored: the nodes know what they have. They are asked once, and what they answered is
//! remembered until one of them tells of something that is remembered to be elsewhere. With one node nothing is asked.

mod choice;
mod home;
mod meeting;
mod moving;
mod node;
mod spread;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;
use uuid::Uuid;

use self::choice::Candidate;
pub use self::choice::Wishes;
pub use self::node::Node;
use crate::libvirt::{Error, Hypervisor, Result};

/// All of them.
#[derive(Debug)]
pub struct Nodes {
    all: Vec<Node>,
    homes: Mutex<HashMap<Uuid, Home>>,
    /// What moves, once for each move: that it is at two nodes is as it should be.
    moving: Mutex<Vec<Uuid>>,
    /// What is in part alone where there is one node.
    partial: OnceCell<HashSet<Uuid>>,
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
        Self { all, homes: Mutex::default(), moving: Mutex::default(), partial: OnceCell::new() }
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
        if self.all.len() == 1 || self.remembered(entity) == Some(Home::Nowhere) {
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
        if !self.is_moving(entity) && !self.may_have(node, entity) {
            self.forget(entity);
        }
    }

    /// A node is back: something may be left there of what moved when it went.
    pub fn look_anew(&self) {
        if self.all.len() > 1 {
            let moving = self.moving();
            self.homes().retain(|entity, _| moving.contains(entity));
        }
    }

    /// An entity's things are gone.
    pub fn forget(&self, entity: Uuid) {
        self.homes().remove(&entity);
    }

    /// Carries a move of these out to its end, whether or not its caller waits for that, who does for so long at most.
    async fn to_the_end<T: Send + 'static>(
        self: &Arc<Self>,
        entities: Vec<Uuid>,
        patience: Duration,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let moving = Moving::begin(self, entities);
        let moved = tokio::spawn(async move {
            // How far one came that broke off is known to the nodes.
            work.await.inspect_err(|_| moving.entities.iter().for_each(|entity| moving.nodes.forget(*entity)))
        });
        match timeout(patience, moved).await {
            Ok(Ok(moved)) => moved,
            Ok(Err(error)) => Err(Error::Failed(format!("a move broke off: {error}"))),
            Err(_elapsed) => Err(Error::Timeout(format!(
                "it is brought from another hypervisor, which takes longer than {} s and goes on: try again later",
                patience.as_secs()
            ))),
        }
    }

    fn is_moving(&self, entity: Uuid) -> bool {
        self.moving().contains(&entity)
    }

    fn moving(&self) -> MutexGuard<'_, Vec<Uuid>> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
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
struct Moving {
    nodes: Arc<Nodes>,
    entities: Vec<Uuid>,
}

impl Moving {
    fn begin(nodes: &Arc<Nodes>, entities: Vec<Uuid>) -> Self {
        nodes.moving().extend_from_slice(&entities);
        Self { nodes: Arc::clone(nodes), entities }
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        let mut moving = self.nodes.moving();
        for entity in &self.entities {
            if let Some(at) = moving.iter().position(|moves| moves == entity) {
                moving.swap_remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libvirt::HypervisorConfig;

    /// A creation that was refused is undone also where a hypervisor does not answer.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_refused_is_looked_for_nowhere() {
        let open = async |uri: &str| {
            Hypervisor::open(HypervisorConfig { uri: uri.into(), ..HypervisorConfig::default() })
                .await
                .unwrap()
        };
        let (here, away) =
            (open("test:///default").await, open("test+unix:///default?socket=/no/such").await);
        let node = |name: &str, hypervisor: &Hypervisor| {
            Node::new(name.into(), BTreeSet::new(), true, hypervisor.clone())
        };
        let nodes = Nodes::new(vec![node("here", &here), node("away", &away)]);
        let (refused, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let wishes = Wishes { labels: BTreeSet::from(["tape".to_owned()]), ..Wishes::default() };
        let placed = nodes.place(refused, true, &wishes).await;
        assert_eq!(placed.map(drop).map_err(|error| error.code()), Err("conflict"));
        for _ in 0..2 {
            assert!(matches!(nodes.elsewhere(refused, &here).await, Ok(None)));
        }
        let elsewhere = nodes.elsewhere(other, &here).await;
        assert_eq!(elsewhere.map(drop).map_err(|error| error.code()), Err("unavailable"));
    }
}

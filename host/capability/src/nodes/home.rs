//! Where an entity's things are. A move that broke off may have left some at two nodes: what counts there is known by what has it, and
//! the rest is taken away.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{Home, Node, Nodes};
use crate::libvirt::{Error, Presence, Result};

/// How long the others are waited for where it is known already which one counts: they may have something that is left of a move.
const FOR_THE_REST: Duration = Duration::from_millis(500);

impl Nodes {
    /// Where an entity's things are, by the node's number.
    pub(super) async fn home(&self, entity: Uuid) -> Result<Option<usize>> {
        if let [only] = &*self.all {
            return self.only(only, entity).await.map(|()| Some(0));
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
        let mut end = None;
        loop {
            let answer = match end {
                None => asked.join_next().await,
                // No other has it, whatever those say that take their time.
                Some(end) => timeout_at(end, asked.join_next()).await.unwrap_or_default(),
            };
            let Some(answer) = answer else { break };
            let Ok((number, presence)) = answer else { continue };
            match presence {
                Ok(Presence::Absent) => {}
                Ok(presence) => found.push((presence, number)),
                Err(error) => silent = Some((number, error)),
            }
            if found.last().is_some_and(|(presence, _)| *presence == Presence::InUse) {
                end = end.or(Some(Instant::now() + FOR_THE_REST));
            }
        }
        found.sort_by_key(|(presence, number)| (std::cmp::Reverse(*presence), *number));
        // What is one's alone no other has; but of volumes that all have one may be using this one.
        let is_sure = match found.first() {
            Some((Presence::InUse, _)) => true,
            Some((Presence::Idle, node)) => !self.all[*node].hypervisor.shares_volumes(),
            Some(_) | None => false,
        };
        if let Some((number, error)) = silent.filter(|_| !is_sure) {
            tracing::debug!(%entity, node = self.all[number].name, %error, "it may be there");
            return Err(Error::Unavailable(
                "a hypervisor that may have it cannot be reached now; try again later".into(),
            ));
        }
        let Some(&(presence, home)) = found.first() else { return Ok(None) };
        if presence == Presence::Partial {
            return Err(in_part(&self.all[home], entity));
        }
        let has_come = matches!(presence, Presence::Coming | Presence::Arrived);
        let mut is_settled = true;
        if self.is_moving(entity) {
            is_settled = found.len() == 1 && !has_come;
        } else {
            for (also, other) in &found[1..] {
                is_settled &= self.settle(entity, (home, presence), (*also, *other)).await?;
            }
            if has_come {
                self.has_come(entity, home).await?;
            }
            if presence == Presence::Leaving && is_settled {
                // It has not come anywhere: libvirt leaves it paused, as nobody told it so.
                tracing::info!(%entity, node = self.all[home].name, "its migration broke off, and it goes on");
                self.all[home].hypervisor.machine(entity).start().await?;
            }
        }
        // Else it is looked at once more when it is asked for again, now and then at the latest.
        if is_settled {
            self.remember(entity, home);
        }
        Ok(Some(home))
    }

    /// Of the only node nothing is asked but once what a node that is one no more has left there in part.
    async fn only(&self, node: &Node, entity: Uuid) -> Result<()> {
        let partial = self.partial.get_or_try_init(|| node.hypervisor.partial()).await?;
        // The operator may have looked for the rest since.
        if partial.contains(&entity) && node.hypervisor.presence(entity).await? == Presence::Partial {
            return Err(in_part(node, entity));
        }
        Ok(())
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
            // It came from there, and counts here.
            (Presence::Arrived, Presence::Idle | Presence::Leaving)
            | (Presence::Coming, Presence::Leaving) => {
                other.hypervisor.forsake(entity).await?;
                return Ok(true);
            }
            // A migration of which libvirt was not told that it was done goes on at both. Of a volume QEMU still has to see that it
            // comes no more.
            (Presence::InUse, Presence::Arrived) => {
                if other.hypervisor.has_run(entity).await? {
                    return Err(twice(entity, home, other));
                }
                other.hypervisor.withdraw(entity).await?;
                return Ok(other.hypervisor.presence(entity).await? == Presence::Absent);
            }
            _ => {}
        }
        if home.hypervisor.is_marked(entity).await? && other.hypervisor.is_marked(entity).await? {
            // What came to the one is seen by both: they have one folder, and nobody said so.
            return Err(twice(entity, home, other));
        }
        let is_network = other.hypervisor.network(entity).is_there().await?;
        if matches!(presence, Presence::Partial | Presence::Coming)
            || (presence == Presence::Idle && is_network)
        {
            other.hypervisor.withdraw(entity).await?;
            // One with power is not taken away.
            return Ok(other.hypervisor.presence(entity).await? == Presence::Absent);
        }
        let is_left = matches!(presence, Presence::Idle | Presence::Leaving);
        let is_shared = is_left && other.hypervisor.shares_volumes();
        if is_shared {
            // Of a machine one has the power, or they are the same.
            other.hypervisor.forsake(entity).await?;
        } else if !is_network {
            // A network is joined to a bridge, or its machines are being moved.
            tracing::warn!(%entity, "its things are at the node {}, too; those at {} count", other.name, home.name);
        }
        Ok(true)
    }

    /// What is at a node, and counts, may have come from another one, where its machine's own disks may be.
    async fn has_come(&self, entity: Uuid, home: usize) -> Result<()> {
        let here = &self.all[home].hypervisor;
        if here.is_marked(entity).await? {
            // Nobody may detach what may still be there, too.
            for with in here.machine(entity).what_goes_along().await? {
                self.forget(with);
                Box::pin(self.home(with)).await?;
            }
            for node in self.all.iter().filter(|node| !node.hypervisor.is(here)) {
                node.hypervisor.leave(entity).await?;
            }
        }
        here.settle(entity).await
    }
}

fn in_part(node: &Node, entity: Uuid) -> Error {
    tracing::error!(%entity, "the node {} has a part of its things, and nobody has them whole", node.name);
    Error::Unavailable(
        "only a part of it has come to this hypervisor, and what it comes from is not there: have the operator look for that".into(),
    )
}

fn twice(entity: Uuid, home: &Node, other: &Node) -> Error {
    tracing::error!(%entity, "which of its things count, those at {} or at {}, is for the operator to say", home.name, other.name);
    Error::Unavailable("it is at two hypervisors, and which of them counts is for the operator to say".into())
}

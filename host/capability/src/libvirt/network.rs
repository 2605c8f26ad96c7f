//! Virtual networks: a bridge for each entity.

use uuid::Uuid;
use virt::error::ErrorNumber;
use virt::network::Network as Bridge;

use super::connection::Live;
use super::error::{self, Error, Result};
use super::network_xml::{self, NetworkPlan};
use super::usage::{self, Among};
use super::worker::{Hold, Lane};
use super::{Hypervisor, name, reservation};

/// The network of an entity, whether it exists or not.
#[derive(Debug, Clone)]
pub struct Network {
    hypervisor: Hypervisor,
    entity: Uuid,
}

impl Network {
    pub(super) fn new(hypervisor: Hypervisor, entity: Uuid) -> Self {
        Self { hypervisor, entity }
    }

    /// The entity whose network it is.
    pub fn entity(&self) -> Uuid {
        self.entity
    }

    /// Where it is.
    pub fn hypervisor(&self) -> &Hypervisor {
        &self.hypervisor
    }

    /// Define the network, or change its definition to the plan. One that carries traffic follows the plan when it
    /// comes up the next time. 'conflict' where an address that is kept for an interface would lie outside.
    pub async fn define(&self, plan: NetworkPlan) -> Result<()> {
        let entity = self.entity;
        let hypervisor = self.hypervisor.clone();
        self.call(Lane::Short, Hold::Redefining(entity), move |live| {
            let kept = reservation::of(live, entity)?;
            let description = network_xml::definition(entity, &plan, &kept, hypervisor.config())?;
            match Bridge::define_xml(&live.connect, &description) {
                Ok(_) => Ok(()),
                Err(error)
                    if matches!(error.code(), ErrorNumber::OperationFailed | ErrorNumber::NetworkExist) =>
                {
                    tracing::warn!(%entity, %error, "a network that is not ours is in the way");
                    Err(foreign(entity))
                }
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// 'missing' if there is none.
    pub async fn exists(&self) -> Result<()> {
        let entity = self.entity;
        // Behind what is still being done to it: a call that nobody waits for any more may yet make it.
        self.call(Lane::Short, Hold::Entity(entity), move |live| live.ask_for(entity, find).map(drop)).await
    }

    /// Whether there is one, behind what is still being done to it.
    pub async fn is_there(&self) -> Result<bool> {
        let entity = self.entity;
        self.call(Lane::Short, Hold::Entity(entity), move |live| error::is_there(find(live, entity))).await
    }

    /// Whether it is joined to a bridge of its host's, as it is defined; not where there is none.
    pub async fn is_bridged(&self) -> Result<bool> {
        let entity = self.entity;
        self.call(Lane::Short, Hold::Nothing, move |live| match find(live, entity) {
            Ok(network) => Ok(is_bridged(&network.get_xml_desc(0)?)),
            Err(Error::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    /// That no machine is defined to use it or, if it is the `running` ones alone that matter, that none of these does; else 'conflict'.
    pub async fn check_unused(&self, running: bool) -> Result<()> {
        let (entity, among) = (self.entity, if running { Among::Running } else { Among::All });
        self.call(Lane::Short, Hold::Nothing, move |live| check_unused(live, among, entity)).await
    }

    /// Whether it carries traffic.
    pub async fn active(&self) -> Result<bool> {
        let entity = self.entity;
        self.call(Lane::Short, Hold::Nothing, move |live| Ok(find(live, entity)?.is_active()?)).await
    }

    /// Have it carry traffic. Succeeds on an active network.
    pub async fn up(&self) -> Result<()> {
        let entity = self.entity;
        self.call(Lane::Long, Hold::Entity(entity), move |live| {
            let network = find(live, entity)?;
            match network.create() {
                Err(refused) if !network.is_active()? => Err(refused.into()),
                Ok(_) | Err(_) => Ok(()),
            }
        })
        .await
    }

    /// Have it carry none; 'conflict' while a running machine uses it. Succeeds on an inactive network.
    pub async fn down(&self) -> Result<()> {
        let entity = self.entity;
        self.call(Lane::Long, Hold::Idle(entity), move |live| {
            let network = find(live, entity)?;
            check_unused(live, Among::Running, entity)?;
            cut(&network)
        })
        .await
    }

    /// Take it down and forget its definition; 'conflict' while a machine uses it. Succeeds where there is none.
    pub async fn remove(&self) -> Result<()> {
        let entity = self.entity;
        self.call(Lane::Long, Hold::Unused(entity), move |live| {
            let removed = find(live, entity).and_then(|network| {
                check_unused(live, Among::All, entity)?;
                cut(&network)?;
                Ok(network.undefine()?)
            });
            error::gone(removed, || find(live, entity))
        })
        .await
    }

    async fn call<T: Send + 'static>(
        &self,
        lane: Lane,
        hold: Hold,
        work: impl Fn(&Live) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.hypervisor.workers().call(lane, hold, work).await
    }
}

/// The network of an entity.
pub(super) fn find(live: &Live, entity: Uuid) -> Result<Bridge> {
    match Bridge::lookup_by_uuid(&live.connect, entity) {
        Ok(network) if name::entity(&network.get_name()?) == Some(entity) => Ok(network),
        Ok(_) => Err(foreign(entity)),
        Err(error) if error.code() == ErrorNumber::NoNetwork => {
            Err(Error::Missing(format!("the hypervisor has no network for {entity}")))
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes it down and undefines it. Succeeds where there is none.
pub(super) fn discard(live: &Live, entity: Uuid) -> Result<()> {
    match find(live, entity) {
        Ok(network) => {
            cut(&network)?;
            Ok(network.undefine()?)
        }
        Err(Error::Missing(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// All networks of ours, and whether they carry traffic.
pub(super) fn all(live: &Live) -> Result<Vec<(Uuid, bool)>> {
    let mut networks = Vec::new();
    for network in live.connect.list_all_networks(0)? {
        let Some(entity) = name::entity(&network.get_name()?) else { continue };
        match network.is_active() {
            Ok(active) => networks.push((entity, active)),
            // It went while we looked.
            Err(error) if error.code() == ErrorNumber::NoNetwork => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(networks)
}

fn check_unused(live: &Live, among: Among, network: Uuid) -> Result<()> {
    if !used(live, among, network)? {
        return Ok(());
    }
    Err(Error::Conflict(match among {
        Among::Running => "a running machine uses the network: stop or detach it first".into(),
        Among::All => "a machine uses the network: detach it first".into(),
    }))
}

/// Whether a description of a network says that it is joined to a bridge of its host's.
pub(super) fn is_bridged(description: &str) -> bool {
    description.contains("<forward mode='bridge'")
}

/// Whether a machine is defined to use it.
pub(super) fn is_used(live: &Live, network: Uuid) -> Result<bool> {
    used(live, Among::All, network)
}

fn used(live: &Live, among: Among, network: Uuid) -> Result<bool> {
    let name = name::of(network);
    Ok(usage::user(live, among, &name, |device| device.network.as_ref() == Some(&name))?.is_some())
}

pub(super) fn cut(network: &Bridge) -> Result<()> {
    match network.destroy() {
        Err(refused) if network.is_active()? => Err(refused.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn foreign(entity: Uuid) -> Error {
    Error::Conflict(format!(
        "the hypervisor has a network with the name or the id of {entity} that is not of this service"
    ))
}

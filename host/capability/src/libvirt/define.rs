//! How a machine comes, changes and goes, with the disks that it has by itself.

use uuid::Uuid;
use virt::domain::Domain;
use virt::error::ErrorNumber;
use virt::sys;

use super::connection::Live;
use super::device::Devices;
use super::error::{self, Error, Result};
use super::machine::{Machine, cut, find, foreign};
use super::machine_xml::{self, MachinePlan};
use super::own_disk::{self, Own, OwnDisks};
use super::resize::Size;
use super::side::Side;
use super::volume::Place;
use super::worker::{Hold, Lane};
use super::{Hypervisor, local};

impl Machine {
    /// Define the machine, or change its definition to the plan. A machine that is defined already keeps its state
    /// and what is attached to it; one that runs follows the plan from its next start, and has more CPUs, other memory,
    /// and what need not last at once where its system takes them. 'conflict' where its system would begin anew and is in use.
    pub async fn define(&self, plan: MachinePlan) -> Result<()> {
        plan.check()?;
        let (hypervisor, entity) = (self.hypervisor.clone(), self.entity);
        let has_disks = plan.image.is_some() || plan.scratch.is_some() || !plan.seed.is_empty();
        let lane = if has_disks { Lane::Long } else { Lane::Short };
        let defined =
            self.call(lane, Hold::Entity(entity), move |live| define(live, &hypervisor, entity, &plan));
        let Some(size) = defined.await? else { return Ok(()) };
        self.change(Lane::Long, move |live| {
            size.apply(&find(live, entity)?);
            Ok(())
        })
        .await
    }

    /// The disk for what need not last as the machine sees it, such as `vdb`; none where it has none.
    pub async fn scratch(&self) -> Result<Option<String>> {
        let entity = self.entity;
        self.call(Lane::Short, Hold::Nothing, move |live| {
            let devices = Devices::defined(&find(live, entity)?)?;
            Ok(devices.own(Own::Scratch).and_then(|device| device.target.clone()))
        })
        .await
    }

    /// Destroy the machine and forget its definition, with the disks that it has by itself; volumes that are attached stay.
    /// Succeeds where there is none.
    pub async fn remove(&self) -> Result<()> {
        let (hypervisor, entity) = (self.hypervisor.clone(), self.entity);
        match self.cut_aside().await {
            Ok(()) | Err(Error::Missing(_)) => {}
            Err(error) => return Err(error),
        }
        self.change(Lane::Long, move |live| {
            let side = Side { live, place: &Place::of(hypervisor.config()) };
            let removed = find(live, entity).and_then(|domain| {
                cut(&domain)?;
                let devices = Devices::defined(&domain)?;
                // On a hypervisor elsewhere there is no such file here.
                if let Some(log) = hypervisor.config().console_log(entity) {
                    local::remove(&log, "the console log of a removed machine");
                }
                domain.undefine_flags(
                    sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
                )?;
                // Once nothing can be refused any more: a machine that stays keeps its disks.
                own_disk::discard(side, entity, &devices)
            });
            match removed {
                // A creation that was cut short may have left some.
                Err(Error::Missing(_)) => own_disk::discard_left(side, entity),
                removed => error::gone(removed, || find(live, entity)),
            }
        })
        .await
    }
}

/// Defines a machine; the size that a running one could have at once.
fn define(live: &Live, hypervisor: &Hypervisor, entity: Uuid, plan: &MachinePlan) -> Result<Option<Size>> {
    let (config, processors) = (hypervisor.config(), hypervisor.processors(live));
    let present = match find(live, entity) {
        Ok(domain) => Some((Devices::defined(&domain)?, domain)),
        Err(Error::Missing(_)) if plan.is_there => {
            return Err(Error::Conflict("the machine has just gone, or moved: try again".into()));
        }
        Err(Error::Missing(_)) => None,
        Err(error) => return Err(error),
    };
    let place = Place::of(config);
    let held = present.as_ref().map(|(devices, domain)| (domain, devices));
    let disks = OwnDisks::make(live, &place, entity, plan, held)?;
    let devices = (disks.devices.as_str(), disks.has_system);
    let defined = machine_xml::definition(entity, plan, config, processors, devices)
        .and_then(|xml| Domain::define_xml(&live.connect, &xml).map_err(taken(entity)));
    let domain = match defined {
        Ok(domain) => domain,
        Err(error) => {
            disks.undo();
            return Err(error);
        }
    };
    disks.finish(&domain)?;
    if present.is_none() {
        return Ok(None);
    }
    Ok(Some(machine_xml::size(plan, config)).filter(|size| size.differs(live, &domain)))
}

/// libvirt refuses a definition whose name or id another machine has.
fn taken(entity: Uuid) -> impl FnOnce(virt::error::Error) -> Error {
    move |error| match error.code() {
        ErrorNumber::OperationFailed | ErrorNumber::DomExist => {
            tracing::warn!(%entity, %error, "a machine that is not ours is in the way");
            foreign(entity)
        }
        _ => error.into(),
    }
}

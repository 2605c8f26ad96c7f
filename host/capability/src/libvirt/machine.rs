//! The life of a machine: how it comes and goes is in `define`, what is attached to it in `attachment`,
//! what its guest system is asked in `power_button`.
//!
//! libvirt refuses a step from a state that does not allow it. So a step is tried first, and the state is looked at
//! only where it was refused, whatever the refusal says (the drivers do not agree on it): the usual case costs no
//! question, and nothing can change between question and step.

use std::fmt;

use uuid::Uuid;
use virt::domain::Domain;
use virt::domain_snapshot::DomainSnapshot;
use virt::error::ErrorNumber;
use virt::sys;

use super::attachment;
use super::connection::{Driver, Live};
use super::device::Devices;
use super::error::{self, Error, Result};
use super::image::DiskFormat;
use super::worker::{Hold, Lane};
use super::{Attached, Found, Hypervisor, name, reason, saved, xml};

/// The machine of an entity, whether it exists or not.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(super) hypervisor: Hypervisor,
    pub(super) entity: Uuid,
}

/// What a machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its CPUs run.
    Running,
    /// Its CPUs stand still and its memory is in place.
    Paused,
    /// Its memory is on disk.
    Saved,
    /// It has no power.
    Off,
    /// Its guest system, or the process that ran it, has died.
    Crashed,
}

impl State {
    /// The contract's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Paused => "paused",
            State::Saved => "saved",
            State::Off => "off",
            State::Crashed => "crashed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Machine {
    pub(super) fn new(hypervisor: Hypervisor, entity: Uuid) -> Self {
        Self { hypervisor, entity }
    }

    /// The entity whose machine it is.
    pub fn entity(&self) -> Uuid {
        self.entity
    }

    /// Where it is.
    pub fn hypervisor(&self) -> &Hypervisor {
        &self.hypervisor
    }

    /// 'missing' if there is none.
    pub async fn exists(&self) -> Result<()> {
        let entity = self.entity;
        match self.look(move |live| live.ask_for(entity, find).map(drop)).await {
            // Behind what is still being done to it: a call that nobody waits for any more may yet make it.
            Err(Error::Missing(_)) => {
                self.change(Lane::Short, move |live| live.ask_for(entity, find).map(drop)).await
            }
            answer => answer,
        }
    }

    /// Whether there is one, behind what is still being done to it.
    pub async fn is_there(&self) -> Result<bool> {
        let entity = self.entity;
        self.call(Lane::Short, Hold::Entity(entity), move |live| error::is_there(find(live, entity))).await
    }

    /// What it is doing.
    pub async fn state(&self) -> Result<State> {
        let entity = self.entity;
        self.look(move |live| state(&find(live, entity)?)).await
    }

    /// Why it is in that state, in the hypervisor's words, such as 'destroyed'.
    pub async fn reason(&self) -> Result<String> {
        let entity = self.entity;
        self.look(move |live| {
            let (state, number) = find(live, entity)?.get_state()?;
            Ok(reason::word(state, number).to_owned())
        })
        .await
    }

    /// Start, resume or restore, whichever leads to 'running'. Succeeds on a running machine.
    pub async fn start(&self) -> Result<()> {
        let entity = self.entity;
        let handovers = self.hypervisor.handovers().clone();
        let restored = self.call(Lane::Long, Hold::Starting(entity), move |live| {
            let domain = find(live, entity)?;
            let is_saved = live.driver == Driver::Qemu && domain.has_managed_save(0)?;
            let (before, _) = domain.get_state()?;
            if before == sys::VIR_DOMAIN_CRASHED {
                // What its guest system was when it died is given up.
                cut(&domain)?;
            }
            let _handover = if matches!(before, sys::VIR_DOMAIN_SHUTOFF | sys::VIR_DOMAIN_CRASHED) {
                // One that comes back has those that it was saved with, and others only when it runs.
                let saved = is_saved.then(|| saved::description(&domain).and_then(Devices::read));
                let devices = saved.and_then(Result::ok).map_or_else(|| Devices::defined(&domain), Ok)?;
                Some(handovers.take(live, entity, devices.volumes())?)
            } else {
                None
            };
            let Err(refused) = domain.create() else { return Ok(is_saved) };
            match domain.get_state()? {
                (sys::VIR_DOMAIN_RUNNING | sys::VIR_DOMAIN_BLOCKED, _) => {}
                (sys::VIR_DOMAIN_PAUSED, _) => drop(domain.resume()?),
                (sys::VIR_DOMAIN_PMSUSPENDED, _) => drop(domain.pm_wakeup(0)?),
                _ => return Err(refused.into()),
            }
            Ok(false)
        });
        // The devices in a saved image are those of the day it was saved.
        if restored.await? { self.settle().await } else { Ok(()) }
    }

    /// Take the power away. Succeeds on a machine that is off; memory that was saved is dropped.
    pub async fn power_off(&self) -> Result<()> {
        let entity = self.entity;
        self.cut_aside().await?;
        self.change(Lane::Long, move |live| {
            let domain = find(live, entity)?;
            cut(&domain)?;
            if domain.has_managed_save(0)? {
                domain.managed_save_remove(0)?;
            }
            Ok(())
        })
        .await
    }

    /// Press the reset button.
    pub async fn reset(&self) -> Result<()> {
        let entity = self.entity;
        self.once(Lane::Long, move |live| {
            let domain = find(live, entity)?;
            step(&domain, None, domain.reset())
        })
        .await
    }

    /// Stop the CPUs and keep the memory in place. Succeeds on a paused machine.
    pub async fn pause(&self) -> Result<()> {
        let entity = self.entity;
        self.change(Lane::Long, move |live| {
            let domain = find(live, entity)?;
            step(&domain, Some(State::Paused), domain.suspend())
        })
        .await
    }

    /// Write the memory to disk and stop. Succeeds on a saved machine.
    pub async fn save(&self) -> Result<()> {
        let (entity, handovers) = (self.entity, self.hypervisor.handovers().clone());
        self.change(Lane::Long, move |live| {
            let domain = find(live, entity)?;
            let _handover = handovers.begin(live, Devices::running(&domain)?.volumes())?;
            step(&domain, Some(State::Saved), domain.managed_save(0))
        })
        .await
    }

    /// Keep the present state of the machine and its disks under a name. An older one of that name gives way.
    pub async fn snapshot(&self, name: &str) -> Result<()> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        if name.is_empty() || name.len() > 64 || name.starts_with(['.', ' ', '-']) || !name.chars().all(fits)
        {
            return Err(Error::Invalid(format!(
                "{:?} names no snapshot: use 1 to 64 letters, digits, '-', '_', '.' and spaces, a letter or digit first",
                xml::line(name)
            )));
        }
        let (entity, name) = (self.entity, name.to_owned());
        self.once(Lane::Long, move |live| {
            let domain = find(live, entity)?;
            let devices = Devices::defined(&domain)?;
            let is_raw = |volume: &str| matches!(name::of_volume(volume), Some((_, DiskFormat::Raw)));
            if devices.volumes().any(is_raw) {
                return Err(Error::Conflict(
                    "the machine has a raw volume, in which no snapshot can be kept: detach it, or use one of the format qcow2".into(),
                ));
            }
            // The older one is good until there is a newer one, so that the two take turns with the name.
            let other = format!("{name}~");
            let (older, free) = match (snapshot(&domain, &name)?, snapshot(&domain, &other)?) {
                (None, older) => (older, &name),
                (older, None) => (older, &other),
                // The last time it could not be deleted.
                (Some(one), Some(two)) => {
                    let (stale, older, free) =
                        if one.is_current(0)? { (two, one, &other) } else { (one, two, &name) };
                    stale.delete(0)?;
                    (Some(older), free)
                }
            };
            let description = xml::document(|xml| {
                xml::node(xml, "domainsnapshot", &[], |xml| xml::text(xml, "name", &[], free))
            })?;
            DomainSnapshot::create_xml(&domain, &description, 0)?;
            Ok(older.map_or(Ok(()), |older| older.delete(0))?)
        })
        .await
    }

    /// Take the power away beside whatever else is still being done: a call that hangs ends by it. It does not say that the
    /// machine is off when it answers, as what came before may be carried out after.
    pub(super) async fn cut_aside(&self) -> Result<()> {
        let entity = self.entity;
        self.call(Lane::Long, Hold::Nothing, move |live| cut(&find(live, entity)?)).await
    }

    async fn look<T: Send + 'static>(&self, work: impl Fn(&Live) -> Result<T> + Send + 'static) -> Result<T> {
        self.call(Lane::Short, Hold::Nothing, work).await
    }

    pub(super) async fn change(
        &self,
        lane: Lane,
        work: impl Fn(&Live) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.call(lane, Hold::Entity(self.entity), work).await
    }

    pub(super) async fn once<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl Fn(&Live) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.hypervisor.workers().call_once(lane, Hold::Entity(self.entity), work).await
    }

    pub(super) async fn call<T: Send + 'static>(
        &self,
        lane: Lane,
        hold: Hold,
        work: impl Fn(&Live) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.hypervisor.workers().call(lane, hold, work).await
    }
}

/// The domain of an entity.
pub(super) fn find(live: &Live, entity: Uuid) -> Result<Domain> {
    match Domain::lookup_by_uuid(&live.connect, entity) {
        Ok(domain) if name::entity(&domain.get_name()?) == Some(entity) => Ok(domain),
        Ok(_) => Err(foreign(entity)),
        Err(error) if error.code() == ErrorNumber::NoDomain => {
            Err(Error::Missing(format!("the hypervisor has no machine for {entity}")))
        }
        Err(error) => Err(error.into()),
    }
}

/// The snapshot of a machine by that name, if it has one.
fn snapshot(domain: &Domain, name: &str) -> Result<Option<DomainSnapshot>> {
    match DomainSnapshot::lookup_by_name(domain, name, 0) {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(error) if error.code() == ErrorNumber::NoDomainSnapshot => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// All machines of ours, and what is attached to them.
pub(super) fn all(live: &Live) -> Result<(Vec<Found>, Vec<Attached>)> {
    let (mut machines, mut attachments) = (Vec::new(), Vec::new());
    for domain in live.connect.list_all_domains(0)? {
        let Some(entity) = name::entity(&domain.get_name()?) else { continue };
        match look(live, domain, entity) {
            Ok((found, attached)) => {
                machines.push(found);
                attachments.extend(attached);
            }
            // It went while we looked.
            Err(Error::Missing(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((machines, attachments))
}

fn look(live: &Live, domain: Domain, machine: Uuid) -> Result<(Found, Vec<Attached>)> {
    let cores = domain.get_vcpus_flags(sys::VIR_DOMAIN_VCPU_CONFIG)?;
    let found = Found { machine, state: state(&domain)?, cores };
    Ok((found, attachment::all(live, domain, machine)?))
}

pub(super) fn state(domain: &Domain) -> Result<State> {
    Ok(match domain.get_state()? {
        // One that is shutting down runs until it is off.
        (sys::VIR_DOMAIN_RUNNING | sys::VIR_DOMAIN_BLOCKED | sys::VIR_DOMAIN_SHUTDOWN, _) => State::Running,
        (sys::VIR_DOMAIN_PAUSED | sys::VIR_DOMAIN_PMSUSPENDED, _) => State::Paused,
        (sys::VIR_DOMAIN_CRASHED, _) => State::Crashed,
        (sys::VIR_DOMAIN_SHUTOFF, reason) if reason.cast_unsigned() == sys::VIR_DOMAIN_SHUTOFF_CRASHED => {
            State::Crashed
        }
        _ if domain.has_managed_save(0)? => State::Saved,
        _ => State::Off,
    })
}

/// Take the power away where there is power.
pub(super) fn cut(domain: &Domain) -> Result<()> {
    match domain.destroy() {
        Err(refused) if domain.is_active()? => Err(refused.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The answer to a step that needs a machine with power. One that was refused because it had been taken before, so
/// that the machine is in the wanted state, has succeeded.
pub(super) fn step<T>(
    domain: &Domain,
    wanted: Option<State>,
    answer: Result<T, virt::error::Error>,
) -> Result<()> {
    let Err(refused) = answer else { return Ok(()) };
    match state(domain)? {
        state if Some(state) == wanted => Ok(()),
        State::Running | State::Paused => Err(refused.into()),
        state @ (State::Saved | State::Off | State::Crashed) => {
            Err(Error::Conflict(format!("the machine is {state}: start it first")))
        }
    }
}

pub(super) fn foreign(entity: Uuid) -> Error {
    Error::Conflict(format!(
        "the hypervisor has a machine with the name or the id of {entity} that is not of this service"
    ))
}

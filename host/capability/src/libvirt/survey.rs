//! What all machines use, read at once, kept for some seconds, and told to however many ask: so that what it costs the
//! hypervisor depends on neither who asks nor how often. Where nobody asks, nothing is read.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use uuid::Uuid;
use virt::domain::Domain;
use virt::sys;

use super::connection::{Driver, Live};
use super::device::Devices;
use super::error::{Error, Result};
use super::readings::{self, DeviceName, Measure, Readings};
use super::stats;
use super::worker::{Hold, Lane};
use super::{Hypervisor, attachment, machine, name};

/// How long one waits for a survey that is under way: Prometheus gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// How old a survey may be where a newer one takes its time: then it is told all the same.
const STALE: Duration = Duration::from_mins(1);

/// No more are remembered between two surveys: then all are looked at.
const REWIRED: usize = 100_000;

/// libvirt answers in messages of 32 MiB at most, and a machine with many devices takes some KiB of one.
const AT_ONCE: usize = 250;

/// What was read of the machines that have power, and of what is attached to them, at one time.
#[derive(Debug, Default)]
pub struct Survey {
    /// In the order of the entities.
    of: Vec<(Uuid, Readings)>,
}

impl Survey {
    /// What was read for an entity: of its machine, or of the device that is attached for it.
    pub fn of(&self, entity: Uuid) -> Option<&Readings> {
        let place = self.of.binary_search_by_key(&entity, |(id, _)| *id).ok()?;
        Some(&self.of[place].1)
    }

    /// All of it, in the order of the entities.
    pub fn all(&self) -> &[(Uuid, Readings)] {
        &self.of
    }
}

/// The last survey, and the one that is under way.
#[derive(Debug)]
pub(super) struct Surveyor {
    told: watch::Sender<Told>,
    /// Alive for as long as a survey is under way, whether or not somebody still waits for it.
    under_way: Arc<Mutex<Weak<()>>>,
    attached: Arc<Attached>,
}

#[derive(Debug, Clone, Default)]
struct Told {
    last: Option<(Instant, Arc<Survey>)>,
    /// Why there was no newer one.
    failed: Option<Error>,
}

impl Told {
    fn within(&self, age: Duration) -> Option<Arc<Survey>> {
        self.last.as_ref().filter(|(when, _)| when.elapsed() < age).map(|(_, survey)| Arc::clone(survey))
    }
}

impl Surveyor {
    pub(super) fn new() -> Self {
        Self { told: watch::Sender::default(), under_way: Arc::default(), attached: Arc::default() }
    }

    /// Something of what is attached to a machine is another by now.
    pub(super) fn is_rewired(&self, machine: Uuid) {
        let mut rewired = lock(&self.attached.rewired);
        if rewired.len() < REWIRED {
            rewired.insert(machine);
        }
    }
}

impl Hypervisor {
    /// What all machines use, as it was some seconds ago. 'unavailable' where the hypervisor does not answer soon.
    pub async fn survey(&self) -> Result<Arc<Survey>> {
        self.survey_within(self.config().survey_age).await
    }

    /// The same, no older than that when it is asked for.
    pub(super) async fn survey_within(&self, age: Duration) -> Result<Arc<Survey>> {
        let mut told = self.surveyor().told.subscribe();
        if let Some(fresh) = told.borrow_and_update().within(age) {
            return Ok(fresh);
        }
        self.begin_survey();
        let is_told = timeout(PATIENCE, told.changed()).await.is_ok_and(|told| told.is_ok());
        let told = told.borrow();
        match (&told.failed, &told.last) {
            (Some(error), _) if is_told => Err(error.clone()),
            (_, Some((_, survey))) if is_told => Ok(Arc::clone(survey)),
            _ => told.within(STALE).ok_or_else(|| {
                Error::Unavailable(format!(
                    "the hypervisor has not said within {} s what its machines use: try again later",
                    PATIENCE.as_secs()
                ))
            }),
        }
    }

    /// What is read for an entity: of its machine or, where it is a link that leaves `source`, of the device that is attached
    /// for it to that one's. Nothing where that has no power, or had none some seconds ago; 'missing' where there is neither.
    pub async fn readings(&self, entity: Uuid, source: Option<Uuid>) -> Result<Readings> {
        if let Some(readings) = self.survey().await?.of(entity) {
            return Ok(*readings);
        }
        self.workers()
            .call(Lane::Short, Hold::Nothing, move |live| {
                let missing = match machine::find(live, entity) {
                    Err(missing @ Error::Missing(_)) => missing,
                    found => return found.map(drop),
                };
                let Some(source) = source else { return Err(missing) };
                let attached = match machine::find(live, source) {
                    Ok(domain) => attachment::all(live, domain, source)?,
                    Err(Error::Missing(_)) => Vec::new(),
                    Err(error) => return Err(error),
                };
                if attached.iter().any(|found| found.attachment == entity) {
                    return Ok(());
                }
                Err(Error::Missing(format!(
                    "the hypervisor has no machine for {entity}, and no device that is attached for it"
                )))
            })
            .await?;
        Ok(Readings::default())
    }

    /// Begins a survey, unless one is under way: of a hypervisor that hangs, nothing more is asked.
    fn begin_survey(&self) {
        let mut under_way = lock(&self.surveyor().under_way);
        if under_way.strong_count() > 0 {
            return;
        }
        let token = Arc::new(());
        *under_way = Arc::downgrade(&token);
        let hypervisor = self.clone();
        tokio::spawn(async move {
            let surveyor = hypervisor.surveyor();
            let flight = Flight {
                told: surveyor.told.clone(),
                under_way: Arc::clone(&surveyor.under_way),
                attached: Arc::clone(&surveyor.attached),
                _token: token,
            };
            let carry_out = move |live: &Live| flight.carry_out(live);
            let survey = hypervisor.workers().call(Lane::Long, Hold::Nothing, carry_out);
            if let Err(error) = survey.await {
                tracing::debug!(%error, "the machines could not be surveyed");
                surveyor.told.send_modify(|told| told.failed = Some(error));
            }
        });
    }
}

/// A survey that is under way.
struct Flight {
    told: watch::Sender<Told>,
    under_way: Arc<Mutex<Weak<()>>>,
    attached: Arc<Attached>,
    /// What says that it is.
    _token: Arc<()>,
}

impl Flight {
    /// It tells of itself, as it may be that nobody waits for the call any more.
    fn carry_out(&self, live: &Live) -> Result<()> {
        let survey = Arc::new(survey(live, &self.attached)?);
        // Who is told of this one and wants a newer must not wait for this one.
        *lock(&self.under_way) = Weak::new();
        self.told.send_replace(Told { last: Some((Instant::now(), survey)), failed: None });
        Ok(())
    }
}

/// For whom the devices of machines are attached, as far as it is known. It stands in the description of a machine, and to read
/// each of them at each survey would take longer than all else.
#[derive(Debug, Default)]
struct Attached {
    known: Mutex<HashMap<Uuid, Wiring>>,
    /// Those of which something else is attached since it was read.
    rewired: Mutex<HashSet<Uuid>>,
}

/// The devices of a machine in one run, and the entity for which each is attached.
#[derive(Debug)]
struct Wiring {
    run: u32,
    devices: Vec<(DeviceName, Option<Uuid>)>,
}

impl Wiring {
    fn is_of(&self, run: u32, devices: &[readings::Device]) -> bool {
        self.run == run
            && self.devices.iter().map(|(name, _)| name).eq(devices.iter().map(|found| &found.name))
    }

    /// As the description of the machine says it.
    fn read(run: u32, devices: &[readings::Device], domain: &Domain) -> Result<Self> {
        let described = Devices::running(domain)?;
        let of = |name: &DeviceName| {
            described
                .all()
                .iter()
                .find(|device| {
                    device.mac.is_some() == name.is_interface && device.target.as_ref() == Some(&name.target)
                })
                .and_then(|device| device.attachment)
        };
        let devices = devices.iter().map(|found| (found.name.clone(), of(&found.name))).collect();
        Ok(Self { run, devices })
    }
}

fn survey(live: &Live, attached: &Attached) -> Result<Survey> {
    let domains = live.connect.list_all_domains(sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE)?;
    let ours = |domain: Domain| {
        let entity = domain.get_name().ok().and_then(|name| name::entity(&name))?;
        Some((entity, domain))
    };
    let domains = domains.into_iter().filter_map(ours);
    let mut of = match live.driver {
        Driver::Test => domains.filter_map(|(entity, domain)| Some((entity, imitated(&domain)?))).collect(),
        Driver::Qemu => told(&domains.collect(), attached)?,
    };
    of.sort_unstable_by_key(|(entity, _)| *entity);
    Ok(Survey { of })
}

/// Of the test driver's machines: how large they are. Nothing computes there, reads or sends, and what it says of that it has
/// made up.
fn imitated(domain: &Domain) -> Option<Readings> {
    // It went, or went off, while we looked.
    let info = domain.get_info().ok().filter(|info| info.state != sys::VIR_DOMAIN_SHUTOFF)?;
    let mut readings = Readings::default();
    readings.add(Measure::Vcpus, info.nr_virt_cpu.into());
    readings.add(Measure::Memory, stats::unsigned(info.memory.saturating_mul(1 << 10)));
    Some(readings)
}

/// Of all these machines, and of what is attached to them.
fn told(domains: &HashMap<Uuid, Domain>, attached: &Attached) -> Result<Vec<(Uuid, Readings)>> {
    // Before anything is looked at: what is told from here on may come after we looked.
    let rewired = std::mem::take(&mut *lock(&attached.rewired));
    let mut known = lock(&attached.known);
    let is_overfull = rewired.len() >= REWIRED;
    known.retain(|machine, _| !is_overfull && domains.contains_key(machine) && !rewired.contains(machine));
    let mut of = Vec::new();
    let all: Vec<_> = domains.values().collect();
    for some in all.chunks(AT_ONCE) {
        for stats::Told { machine, run, figures } in told_of(some)? {
            let Some(read) = readings::read(&figures) else { continue };
            of.push((machine, read.whole));
            if read.devices.is_empty() {
                continue;
            }
            if !known.get(&machine).is_some_and(|wiring| wiring.is_of(run, &read.devices)) {
                let Some(domain) = domains.get(&machine) else { continue };
                match Wiring::read(run, &read.devices, domain) {
                    Ok(wiring) => drop(known.insert(machine, wiring)),
                    Err(error) => {
                        costs_itself_alone(error)?;
                        continue;
                    }
                }
            }
            let wired = known.get(&machine).map_or(&[][..], |wiring| &wiring.devices);
            let attached = wired.iter().zip(&read.devices);
            of.extend(attached.filter_map(|((_, entity), found)| Some(((*entity)?, found.readings))));
        }
    }
    Ok(of)
}

/// What libvirt tells of these machines. Where it fails at one of them it says nothing of all.
fn told_of(domains: &[&Domain]) -> Result<Vec<stats::Told>> {
    match (stats::of(domains), domains) {
        (Ok(told), _) => Ok(told),
        (Err(error), [_]) => costs_itself_alone(error).map(|()| Vec::new()),
        (Err(error @ (Error::Unavailable(_) | Error::Timeout(_))), _) => Err(error),
        (Err(_), _) => {
            let (one, other) = domains.split_at(domains.len() / 2);
            let mut told = told_of(one)?;
            told.extend(told_of(other)?);
            Ok(told)
        }
    }
}

/// A machine that cannot be read, or went while we looked, is left out; but not because nobody answers.
fn costs_itself_alone(error: Error) -> Result<()> {
    if matches!(error, Error::Unavailable(_) | Error::Timeout(_)) {
        return Err(error);
    }
    tracing::debug!(%error, "a machine, or its devices, cannot be read");
    Ok(())
}

/// Nothing can be half-done under these locks, so one that a panic has poisoned is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The hypervisor: machines, volumes and networks, through libvirt.
//!
//! Each object belongs to one entity, bears its id as UUID, and a name derived from it; what does not, is somebody
//! else's and is left alone. The methods are those of the contract (`wit/machines.wit` and its neighbours) and mean
//! what is written there: the host may call again after a crash, and both calls together have the effect of one.
//! Which entity a caller may reach is not decided here.
//!
//! To read first: [`Machine`], then `worker` (how a call gets to libvirt and back).

mod attachment;
mod bridged;
mod carry;
mod config;
mod connection;
mod console;
mod define;
mod device;
mod error;
mod events;
mod giving;
mod handover;
mod host_file;
mod image;
mod lease;
mod load;
mod local;
mod machine;
mod machine_xml;
mod meter;
mod migrate;
mod name;
mod network;
mod network_move;
mod network_xml;
mod own_disk;
mod place;
mod pool;
mod power_button;
mod presence;
mod probe;
mod qcow2;
mod readings;
mod reason;
mod relocate;
mod reservation;
mod resize;
mod saved;
mod seed;
mod side;
mod stats;
mod survey;
mod unplug;
mod usage;
mod volume;
mod worker;
mod xml;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use uuid::Uuid;

pub use self::attachment::Nic;
pub use self::bridged::{HostBridge, Vlans};
pub use self::config::{Boot, Call, DomainType, HypervisorConfig};
use self::connection::{Driver, Live};
pub use self::console::{Console, Ended, Line};
pub use self::error::{Error, Result};
pub use self::events::{Event, Events};
use self::handover::Handovers;
pub use self::image::{DiskCopy, DiskFormat, Image, ImageDisk};
pub use self::machine::{Machine, State};
pub use self::machine_xml::MachinePlan;
use self::machine_xml::Processors;
pub use self::meter::Usage;
pub use self::network::Network;
pub use self::network_xml::NetworkPlan;
pub use self::presence::Presence;
pub use self::readings::{Measure, Readings};
pub use self::relocate::{BRIEFLY, Moved};
pub use self::survey::Survey;
use self::survey::Surveyor;
pub use self::volume::Volume;
use self::worker::{Hold, Lane, Workers};

/// How long an opening waits for a hypervisor that does not answer.
const FIRST: Duration = Duration::from_secs(5);

/// How often it is looked whether the hypervisor answers, and how often while it does not.
const LOOK: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A daemon that is restarted is back sooner; one that does not answer for so long is away.
const AWAY: Duration = Duration::from_secs(5);

/// A hypervisor. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Hypervisor(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: HypervisorConfig,
    workers: Workers,
    handovers: Handovers,
    /// What `DomainType::Auto` comes to.
    found: probe::Found,
    surveyor: Surveyor,
    is_away: AtomicBool,
}

/// Everything of ours at the hypervisor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Machines as they are now.
    pub machines: Vec<Found>,
    /// The volumes of entities.
    pub volumes: Vec<FoundVolume>,
    /// The disks that machines have by themselves.
    pub own_disks: Vec<OwnDisk>,
    /// Networks, and whether they carry traffic.
    pub networks: Vec<(Uuid, bool)>,
    /// What is attached to the machines; to one that runs, once as it is defined and once as it runs.
    pub attachments: Vec<Attached>,
    /// What came from another hypervisor, or is coming, and may still be there.
    pub arrivals: Vec<Arrival>,
}

impl Inventory {
    /// The entities of which something is there.
    pub fn entities(&self) -> impl Iterator<Item = Uuid> {
        let machines = self.machines.iter().map(|found| found.machine);
        let volumes = self.volumes.iter().map(|found| found.volume);
        let own_disks = self.own_disks.iter().map(|disk| disk.machine);
        machines.chain(volumes).chain(self.networks.iter().map(|(network, _)| *network)).chain(own_disks)
    }
}

/// A machine that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its entity.
    pub machine: Uuid,
    /// What it is doing.
    pub state: State,
    /// How many virtual CPUs its definition gives it, from its next start at the latest.
    pub cores: u32,
}

/// A volume of an entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundVolume {
    /// Its entity.
    pub volume: Uuid,
    /// Its name at the hypervisor.
    pub name: String,
    /// In bytes.
    pub capacity: u64,
}

/// A volume that goes with its machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnDisk {
    /// The machine's entity.
    pub machine: Uuid,
    /// The name of the volume at the hypervisor.
    pub name: String,
    /// In bytes.
    pub capacity: u64,
}

/// A volume, or a machine with what it has by itself, that came from another hypervisor, or is coming, and may still be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival {
    /// Its name at the hypervisor.
    pub name: String,
    /// Whether all of it is here.
    pub is_whole: bool,
}

/// A volume or a network that a machine has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attached {
    /// The machine's entity.
    pub machine: Uuid,
    /// The entity that it was attached for.
    pub attachment: Uuid,
    /// The name of the volume or network at the hypervisor.
    pub to: String,
    /// Whether the running machine has it; else the next start brings it.
    pub live: bool,
}

impl Hypervisor {
    /// Connect. A URI that is of no use is 'invalid'; a daemon that is not there is waited for, and until it comes
    /// every call is 'unavailable'. Must be called within a Tokio runtime, which then keeps the connection.
    pub async fn open(config: HypervisorConfig) -> Result<Self> {
        events::start_loop()?;
        let workers = Workers::new(config.uri.clone(), config.short, config.long)?;
        let hypervisor = Self(Arc::new(Inner {
            config,
            workers,
            handovers: Handovers::default(),
            found: probe::Found::default(),
            surveyor: Surveyor::new(),
            is_away: AtomicBool::new(false),
        }));
        // One that does not answer is waited for in the background.
        match tokio::time::timeout(FIRST, hypervisor.0.workers.ensure()).await {
            Ok(Ok(()) | Err(Error::Unavailable(_) | Error::Timeout(_))) | Err(_) => {}
            Ok(Err(error)) => return Err(error),
        }
        hypervisor.prepare();
        tokio::spawn(keep(Arc::downgrade(&hypervisor.0), hypervisor.0.workers.herald().clone()));
        Ok(hypervisor)
    }

    /// Whether everything at the hypervisor is gone when this process ends.
    pub fn forgets(&self) -> bool {
        // `test+unix:///` and `test://host/` live in a daemon.
        self.0.config.uri.starts_with("test:///")
    }

    /// What happens from now on.
    pub fn events(&self) -> Events {
        self.0.workers.herald().listen()
    }

    /// By which libvirt finds it.
    pub fn uri(&self) -> &str {
        &self.0.config.uri
    }

    /// Whether all hypervisors have its folder of volumes.
    pub fn shares_volumes(&self) -> bool {
        self.0.config.shares_volumes
    }

    /// After so long a client is told that what may take seconds is not done yet.
    pub fn patience(&self) -> Duration {
        self.0.config.long.patience
    }

    /// Whether it is that one.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether it has not answered for some seconds.
    pub fn is_away(&self) -> bool {
        self.0.is_away.load(Ordering::Relaxed)
    }

    /// Whether the hypervisor answers now.
    pub async fn answers(&self) -> Result<()> {
        self.0.workers.ensure().await
    }

    /// The machine of an entity, whether it exists or not.
    pub fn machine(&self, entity: Uuid) -> Machine {
        Machine::new(self.clone(), entity)
    }

    /// The volume of an entity, whether it exists or not.
    pub fn volume(&self, entity: Uuid) -> Volume {
        Volume::new(self.clone(), entity)
    }

    /// The network of an entity, whether it exists or not.
    pub fn network(&self, entity: Uuid) -> Network {
        Network::new(self.clone(), entity)
    }

    /// Everything of ours, each in the order of the ids.
    pub async fn inventory(&self) -> Result<Inventory> {
        let place = volume::Place::of(&self.0.config);
        self.0
            .workers
            .call(Lane::Long, Hold::Nothing, move |live| {
                let (machines, attachments) = machine::all(live)?;
                let networks = network::all(live)?;
                let mut inventory =
                    Inventory { machines, networks, attachments, ..volume::all(live, &place)? };
                inventory.machines.sort_unstable_by_key(|found| found.machine);
                inventory.volumes.sort_unstable();
                inventory.own_disks.sort_unstable();
                inventory.networks.sort_unstable();
                inventory.attachments.sort_unstable();
                inventory.arrivals.sort_unstable();
                Ok(inventory)
            })
            .await
    }

    /// Do in the background what the first machine would have to wait for.
    fn prepare(&self) {
        let hypervisor = self.clone();
        tokio::spawn(async move {
            let inner = Arc::clone(&hypervisor.0);
            let prepared = inner.workers.call(Lane::Long, Hold::Nothing, move |live| {
                if live.driver == Driver::Qemu
                    && let Some(folder) = &hypervisor.config().console
                    && let Err(error) = std::fs::create_dir_all(folder)
                {
                    tracing::warn!(folder = %folder.display(), %error, "the folder for consoles cannot be made");
                }
                hypervisor.processors(live);
                Ok(())
            });
            if let Err(error) = prepared.await {
                tracing::debug!(%error, "the hypervisor is not prepared");
            }
        });
    }

    /// How machines are run on this connection.
    fn processors(&self, live: &Live) -> Processors {
        let wanted = match (live.driver, self.config().domain_type) {
            (Driver::Test, _) => return Processors::Imitated,
            (Driver::Qemu, DomainType::Auto) => self.0.found.get(live, &volume::Place::of(self.config())),
            (Driver::Qemu, wanted @ (DomainType::Kvm | DomainType::Qemu)) => wanted,
        };
        if wanted == DomainType::Kvm { Processors::Hardware } else { Processors::Emulated }
    }

    fn config(&self) -> &HypervisorConfig {
        &self.0.config
    }

    fn workers(&self) -> &Workers {
        &self.0.workers
    }

    fn handovers(&self) -> &Handovers {
        &self.0.handovers
    }

    fn surveyor(&self) -> &Surveyor {
        &self.0.surveyor
    }
}

/// Open the connection again when it breaks, so that events come even while nobody calls, and tell when the hypervisor goes
/// away and comes back.
async fn keep(inner: std::sync::Weak<Inner>, herald: events::Herald) {
    let mut wait = LOOK_AGAIN;
    let mut silent: Option<Instant> = None;
    loop {
        // Not every loss is told: look now and then.
        _ = tokio::time::timeout(wait, herald.broken()).await;
        let Some(inner) = inner.upgrade() else { return };
        let asked = Instant::now();
        match inner.workers.call(Lane::Short, Hold::Nothing, |live| Ok(live.connect.get_lib_version()?)).await
        {
            Ok(_) => {
                wait = LOOK;
                silent = None;
                if inner.is_away.swap(false, Ordering::Relaxed) {
                    // Also of one that was silent over a connection that has not broken.
                    herald.tell(Event::Missed);
                }
            }
            Err(error) => {
                wait = LOOK_AGAIN;
                let since = *silent.get_or_insert(asked);
                if since.elapsed() >= AWAY && !inner.is_away.swap(true, Ordering::Relaxed) {
                    tracing::error!(uri = inner.config.uri, %error, "the hypervisor is away");
                    herald.tell(Event::Away);
                }
            }
        }
    }
}

//! The driver against a libvirt daemon that goes away and comes back. `cargo xtask test` sets the environment; without
//! it these tests say that they were skipped.
//!
//! The daemon belongs to all tests, so it stays; what comes and goes is a door between it and the driver.
#![cfg(feature = "libvirt")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "these are tests, their helpers included")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use occi_capability::libvirt::{Event, Hypervisor, HypervisorConfig, MachinePlan, State};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// A socket that leads to the daemon's while it is open. Closing it breaks the connections that went through.
struct Door {
    path: PathBuf,
    daemon: PathBuf,
    open: Option<JoinHandle<()>>,
}

impl Door {
    fn open(&mut self) {
        let (listener, daemon) = (UnixListener::bind(&self.path).unwrap(), self.daemon.clone());
        self.open = Some(tokio::spawn(async move {
            let mut through = tokio::task::JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = UnixStream::connect(&daemon).await.unwrap();
                through.spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
            }
        }));
    }

    async fn close(&mut self) {
        std::fs::remove_file(&self.path).unwrap();
        let open = self.open.take().unwrap();
        open.abort();
        _ = open.await;
    }
}

/// A driver behind a door, for libvirt's test driver in the daemon.
async fn behind_a_door(folder: &Path) -> Option<(Hypervisor, Door)> {
    let uri = occi_services::service("OCCI_TEST_LIBVIRT_TEST_URI")?;
    let (uri, daemon) = uri.split_once("?socket=").unwrap();
    let mut door = Door { path: folder.join("door"), daemon: daemon.into(), open: None };
    door.open();
    let config = HypervisorConfig {
        uri: format!("{uri}?socket={}", door.path.display()),
        pool: format!("occi-test-{}", Uuid::new_v4()),
        volumes: folder.join("volumes"),
        ..HypervisorConfig::default()
    };
    Some((Hypervisor::open(config).await.unwrap(), door))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_outlives_the_connection() {
    let folder = TempDir::new().unwrap();
    let Some((hypervisor, mut door)) = behind_a_door(folder.path()).await else { return };
    assert!(!hypervisor.forgets());
    let (machine, volume) = (hypervisor.machine(Uuid::new_v4()), hypervisor.volume(Uuid::new_v4()));
    machine.define(MachinePlan::default()).await.unwrap();
    machine.start().await.unwrap();
    volume.create(1 << 20).await.unwrap();
    machine.attach_volume(Uuid::new_v4(), volume.entity()).await.unwrap();

    door.close().await;
    door.open();
    // The driver may have knocked while the door was closed; then it tries again a moment later.
    let began = Instant::now();
    while machine.state().await.is_err_and(|error| error.code() == "unavailable") {
        assert!(began.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(machine.state().await, Ok(State::Running));
    assert_eq!(volume.capacity().await, Ok(1 << 20));
    machine.remove().await.unwrap();
    volume.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_told_that_the_daemon_is_away_and_find_it_when_it_is_back() {
    let folder = TempDir::new().unwrap();
    let Some((hypervisor, mut door)) = behind_a_door(folder.path()).await else { return };
    let machine = hypervisor.machine(Uuid::new_v4());
    machine.define(MachinePlan::default()).await.unwrap();

    door.close().await;
    for _ in 0..3 {
        let asked = Instant::now();
        assert_eq!(machine.start().await.map_err(|error| error.code()), Err("unavailable"));
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    }
    door.open();
    let began = Instant::now();
    while machine.start().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(50)).await;
    }
    machine.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_again_though_nobody_calls() {
    let folder = TempDir::new().unwrap();
    let Some((hypervisor, mut door)) = behind_a_door(folder.path()).await else { return };
    let machine = hypervisor.machine(Uuid::new_v4());
    machine.define(MachinePlan::default()).await.unwrap();
    let mut events = hypervisor.events();
    door.close().await;
    door.open();
    let missed =
        timeout(Duration::from_secs(10), async { while events.next().await != Some(Event::Missed) {} });
    missed.await.unwrap();
    machine.start().await.unwrap();
    let changed = timeout(Duration::from_secs(10), async {
        while events.next().await != Some(Event::Changed(machine.entity())) {}
    });
    changed.await.unwrap();
    machine.remove().await.unwrap();
}

//! The connection: where it leads, and how calls share it.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn a_uri_that_is_of_no_use_is_invalid_and_a_daemon_that_is_away_is_waited_for() {
    let open = async |uri: &str| {
        Hypervisor::open(HypervisorConfig { uri: uri.into(), ..HypervisorConfig::default() }).await
    };
    for wrong in ["", "nonsense", "qmu:///system", "xen:///system", "test:///no/such/file.xml"] {
        assert_eq!(open(wrong).await.map(drop).map_err(|error| error.code()), Err("invalid"), "{wrong}");
    }
    let away = open("test+unix:///default?socket=/no/such/socket").await.unwrap();
    assert!(!away.forgets());
    let started = Instant::now();
    assert_eq!(code(away.machine(id(1)).state().await), Err("unavailable"));
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn hypervisors_within_the_process_forget() {
    assert!(private().await.hypervisor.forgets());
    let config = HypervisorConfig { volumes: "/occi-test-volumes".into(), ..HypervisorConfig::default() };
    assert!(Hypervisor::open(config).await.unwrap().forgets());
}

#[tokio::test(flavor = "multi_thread")]
async fn long_calls_keep_nobody_from_looking() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    hypervisor.machine(id(1)).define(MachinePlan::default()).await.unwrap();
    let busy: Vec<_> = (0..10)
        .map(|number| {
            let hypervisor = hypervisor.clone();
            tokio::spawn(async move {
                let work = |_: &connection::Live| {
                    std::thread::sleep(Duration::from_millis(300));
                    Ok(())
                };
                hypervisor.workers().call(Lane::Long, Hold::Entity(id(50 + number)), work).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    let started = Instant::now();
    hypervisor.machine(id(1)).state().await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(250), "{:?}", started.elapsed());
    for busy in busy {
        busy.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gives_up_leaves_the_entity_to_the_call_that_still_runs() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let slow = {
        let hypervisor = hypervisor.clone();
        tokio::spawn(async move {
            let work = |_: &connection::Live| {
                std::thread::sleep(Duration::from_millis(500));
                Ok(())
            };
            hypervisor.workers().call(Lane::Long, Hold::Entity(id(1)), work).await
        })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    slow.abort();
    let started = Instant::now();
    hypervisor.machine(id(1)).define(MachinePlan::default()).await.unwrap();
    assert!(started.elapsed() > Duration::from_millis(300), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_is_a_timeout() {
    let mut config = HypervisorConfig { uri: "test:///default".into(), ..HypervisorConfig::default() };
    config.short.patience = Duration::from_millis(50);
    let hypervisor = Hypervisor::open(config).await.unwrap();
    let work = |_: &connection::Live| {
        std::thread::sleep(Duration::from_millis(300));
        Ok(())
    };
    assert_eq!(code(hypervisor.workers().call(Lane::Short, Hold::Nothing, work).await), Err("timeout"));
}

/// Whoever has only waited for others must not think that something was begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_turn_never_came_was_not_begun() {
    let mut config = HypervisorConfig { uri: "test:///default".into(), ..HypervisorConfig::default() };
    config.long = Call { patience: Duration::from_millis(200), at_once: 1 };
    let hypervisor = Hypervisor::open(config).await.unwrap();
    let (entered, enters) = std::sync::mpsc::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let left = std::sync::Mutex::new(left);
    let first = {
        let hypervisor = hypervisor.clone();
        tokio::spawn(async move {
            let work = move |_: &connection::Live| {
                entered.send(()).unwrap();
                _ = left.lock().unwrap().recv();
                Ok(())
            };
            hypervisor.workers().call(Lane::Long, Hold::Nothing, work).await
        })
    };
    enters.recv().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let work = {
        let done = Arc::clone(&done);
        move |_: &connection::Live| {
            done.store(true, Ordering::Relaxed);
            Ok(())
        }
    };
    assert_eq!(code(hypervisor.workers().call(Lane::Long, Hold::Nothing, work).await), Err("unavailable"));
    assert_eq!(code(first.await.unwrap()), Err("timeout"));
    leave.send(()).unwrap();
    hypervisor.workers().call(Lane::Long, Hold::Nothing, |_| Ok(())).await.unwrap();
    assert!(!done.load(Ordering::Relaxed));
}

/// One that hangs where something comes from, or goes to, keeps the others from nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_carried_keeps_nobody_else() {
    let mut config = HypervisorConfig { uri: "test:///default".into(), ..HypervisorConfig::default() };
    config.long = Call { patience: Duration::from_millis(200), at_once: 1 };
    let hypervisor = Hypervisor::open(config).await.unwrap();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let (leaves, left) = (Arc::new(leave), std::sync::Mutex::new(left));
    let (entered, enters) = std::sync::mpsc::channel();
    let carried = {
        let (hypervisor, leaves) = (hypervisor.clone(), Arc::clone(&leaves));
        tokio::spawn(async move {
            let work = move |_: &connection::Live| {
                entered.send(()).unwrap();
                _ = left.lock().unwrap().recv();
                Ok(())
            };
            let carried = hypervisor.workers().call(Lane::Carry, Hold::Entity(id(1)), work).await;
            drop(leaves);
            carried
        })
    };
    enters.recv().unwrap();
    hypervisor.workers().call(Lane::Long, Hold::Nothing, |_| Ok(())).await.unwrap();
    // An operator's move, which may take a day, does not wait so long for its beginning.
    let moves = hypervisor.workers().call(Lane::Move, Hold::Entity(id(1)), |_| Ok(()));
    let moved = timeout(Duration::from_secs(10), moves).await;
    assert_eq!(moved.map(code), Ok(Err("unavailable")));
    leaves.send(()).unwrap();
    _ = carried.await.unwrap();
}

/// The guest that tells hardware from what only looks like it must boot where a guest can boot at all.
#[tokio::test(flavor = "multi_thread")]
async fn the_probes_guest_boots_under_emulation() {
    let Some(uri) = occi_services::service("OCCI_TEST_QEMU_URI") else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let config = HypervisorConfig {
        uri,
        domain_type: DomainType::Qemu,
        pool: "occi-test-probe".into(),
        volumes: folder.path().join("pool"),
        ..HypervisorConfig::default()
    };
    let hypervisor = Hypervisor::open(config).await.unwrap();
    let place = volume::Place::of(hypervisor.config());
    let workers = hypervisor.workers();
    let boots = workers.call(Lane::Long, Hold::Nothing, move |live| probe::boots(live, &place, "qemu"));
    assert_eq!(boots.await, Ok(true));
    let left = workers.call(Lane::Long, Hold::Nothing, move |live| {
        let domains = live.connect.list_all_domains(0)?;
        let names: Result<Vec<_>, _> = domains.iter().map(Domain::get_name).collect();
        Ok((
            names?.iter().any(|name| name.starts_with("occi-probe")),
            live.pool(|_| unreachable!())?.list_volumes()?,
        ))
    });
    assert_eq!(left.await, Ok((false, Vec::new())));
}

/// Sockets and hosts are no business of clients.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_to_the_hypervisor_is_not_told() {
    let uri = "test+unix:///default?socket=/nowhere/occi-secret-socket".into();
    let hypervisor = Hypervisor::open(HypervisorConfig { uri, ..HypervisorConfig::default() }).await.unwrap();
    let error = hypervisor.machine(id(1)).state().await.unwrap_err();
    assert_eq!(error, Error::away());
    assert!(!error.to_string().contains("secret"));
}

//! The driver against libvirt's own imitation of a hypervisor, which needs no daemon.
//!
//! What only QEMU can show is in `tests/qemu.rs`.

use std::io::Write;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use tokio::time::timeout;
use virt::domain::Domain;
use virt::sys;

use super::*;

/// A hypervisor that no other test shares: a private one belongs to the connection that opened it.
struct Private {
    hypervisor: Hypervisor,
    _node: NamedTempFile,
}

async fn private() -> Private {
    let mut node = NamedTempFile::new().unwrap();
    node.write_all(b"<node><cpu><mhz>1000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>2</sockets><cores>4</cores><threads>1</threads></cpu><memory>8388608</memory></node>").unwrap();
    let config = HypervisorConfig {
        uri: format!("test:///{}", node.path().display()),
        volumes: "/occi-test-volumes".into(),
        ..HypervisorConfig::default()
    };
    Private { hypervisor: Hypervisor::open(config).await.unwrap(), _node: node }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0xdead_beef << 96 | number)
}

fn code<T>(answer: Result<T>) -> Result<T, &'static str> {
    answer.map_err(|error| error.code())
}

/// The definition that libvirt holds.
async fn definition(machine: &Machine) -> String {
    let entity = machine.entity;
    machine
        .call(Lane::Short, Hold::Nothing, move |live| {
            Ok(machine::find(live, entity)?.get_xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)?)
        })
        .await
        .unwrap()
}

/// Do something at the hypervisor that is not our doing.
async fn outside<T: Send + 'static>(
    hypervisor: &Hypervisor,
    work: impl Fn(&connection::Live) -> Result<T> + Send + 'static,
) -> T {
    hypervisor.workers().call(Lane::Short, Hold::Nothing, work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_goes_through_its_life_and_each_step_may_be_repeated() {
    let private = private().await;
    let machine = private.hypervisor.machine(id(1));
    assert_eq!(code(machine.state().await), Err("missing"));
    assert_eq!(code(machine.start().await), Err("missing"));
    for _ in 0..2 {
        machine.define(MachinePlan::default()).await.unwrap();
    }
    assert_eq!(machine.state().await, Ok(State::Off));

    for (step, wanted) in [
        ("start", State::Running),
        ("pause", State::Paused),
        ("start", State::Running),
        ("save", State::Saved),
        ("start", State::Running),
        ("shutdown", State::Off),
        ("start", State::Running),
        ("power off", State::Off),
        ("start", State::Running),
        ("save", State::Saved),
        ("power off", State::Off),
    ] {
        for _ in 0..2 {
            match step {
                "start" => machine.start().await,
                "pause" => machine.pause().await,
                "save" => machine.save().await,
                "shutdown" => machine.shutdown(Duration::from_secs(5)).await,
                _ => machine.power_off().await,
            }
            .unwrap_or_else(|error| panic!("{step}: {error}"));
            assert_eq!(machine.state().await, Ok(wanted), "after {step}");
        }
    }
    for _ in 0..2 {
        machine.remove().await.unwrap();
    }
    assert_eq!(code(machine.exists().await), Err("missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_of_a_state_is_the_hypervisors() {
    let private = private().await;
    let machine = private.hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    machine.start().await.unwrap();
    assert_eq!(machine.reason().await.as_deref(), Ok("booted"));
    machine.power_off().await.unwrap();
    assert_eq!(machine.reason().await.as_deref(), Ok("destroyed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_the_state_does_not_allow_is_a_conflict() {
    let private = private().await;
    let machine = private.hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    assert_eq!(code(machine.pause().await), Err("conflict"));
    assert_eq!(code(machine.save().await), Err("conflict"));
    assert_eq!(code(machine.reset().await), Err("conflict"));
    machine.start().await.unwrap();
    machine.pause().await.unwrap();
    assert_eq!(code(machine.shutdown(Duration::from_secs(5)).await), Err("conflict"));
    machine.save().await.unwrap();
    assert_eq!(code(machine.shutdown(Duration::from_secs(5)).await), Err("conflict"));
    assert_eq!(code(machine.pause().await), Err("conflict"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_machine_restarts_and_is_snapshot() {
    let private = private().await;
    let machine = private.hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    machine.start().await.unwrap();
    machine.reboot().await.unwrap();
    machine.reset().await.unwrap();
    for _ in 0..2 {
        machine.snapshot("before upgrade").await.unwrap();
    }
    assert_eq!(machine.state().await, Ok(State::Running));
    for wrong in ["", "../x", ".x", "a\0b", &"x".repeat(65)] {
        assert_eq!(code(machine.snapshot(wrong).await), Err("invalid"), "{wrong:?}");
    }
    machine.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_plan_keeps_the_state_and_what_is_attached() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, volume, network) =
        (hypervisor.machine(id(1)), hypervisor.volume(id(2)), hypervisor.network(id(3)));
    machine.define(MachinePlan { cores: Some(1), ..MachinePlan::default() }).await.unwrap();
    volume.create(1 << 20).await.unwrap();
    network.define(NetworkPlan::default()).await.unwrap();
    network.up().await.unwrap();
    machine.start().await.unwrap();
    let target = machine.attach_volume(id(4), id(2)).await.unwrap();
    let nic = machine.attach_network(id(5), id(3), None).await.unwrap();

    machine
        .define(MachinePlan { cores: Some(3), hostname: Some("web".into()), ..MachinePlan::default() })
        .await
        .unwrap();

    assert_eq!(machine.state().await, Ok(State::Running));
    let defined = definition(&machine).await;
    assert!(defined.contains("current='3'"), "{defined}");
    assert_eq!(machine.attach_volume(id(4), id(2)).await, Ok(target));
    assert_eq!(machine.attach_network(id(5), id(3), None).await, Ok(nic));
    assert_eq!(defined.matches("<disk").count(), 1, "{defined}");
    assert_eq!(defined.matches("<interface").count(), 1, "{defined}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_are_found_again_and_free_their_places() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    for running in [false, true] {
        if running {
            machine.start().await.unwrap();
        }
        assert_eq!(code(machine.attach_volume(id(11), id(21)).await), Err("missing"));
        for volume in [21, 22] {
            hypervisor.volume(id(volume)).create(512).await.unwrap();
        }
        assert_eq!(machine.attach_volume(id(11), id(21)).await.as_deref(), Ok("vda"));
        assert_eq!(machine.attach_volume(id(12), id(22)).await.as_deref(), Ok("vdb"));
        assert_eq!(machine.attach_volume(id(11), id(21)).await.as_deref(), Ok("vda"));
        // One volume is not two disks, and one link is not two attachments.
        assert_eq!(code(machine.attach_volume(id(13), id(21)).await), Err("conflict"));
        assert_eq!(code(machine.attach_volume(id(11), id(22)).await), Err("conflict"));
        assert_eq!(code(hypervisor.volume(id(21)).remove().await), Err("conflict"));
        for _ in 0..2 {
            machine.detach_volume(id(11), id(21)).await.unwrap();
        }
        assert_eq!(machine.attach_volume(id(14), id(21)).await.as_deref(), Ok("vda"));
        for (attachment, volume) in [(12, 22), (14, 21)] {
            // Another volume is not the one that is attached.
            machine.detach_volume(id(attachment), id(99)).await.unwrap();
            assert!(machine.attach_volume(id(attachment), id(volume)).await.is_ok());
            machine.detach_volume(id(attachment), id(volume)).await.unwrap();
        }
        // The test driver runs a machine with the disks that it was started with.
        if running {
            machine.power_off().await.unwrap();
        }
        for volume in [21, 22] {
            hypervisor.volume(id(volume)).remove().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interfaces_have_the_address_that_was_asked_for_or_one_of_their_own() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    assert_eq!(code(machine.attach_network(id(11), id(21), None).await), Err("missing"));
    hypervisor.network(id(21)).define(NetworkPlan::default()).await.unwrap();

    let made = machine.attach_network(id(11), id(21), None).await.unwrap();
    assert_eq!((made.device.as_str(), &made.mac), ("eth0", &name::mac(id(11))));
    let chosen = machine.attach_network(id(12), id(21), Some("52:54:00:AA:BB:CC")).await.unwrap();
    assert_eq!((chosen.device.as_str(), chosen.mac.as_str()), ("eth1", "52:54:00:aa:bb:cc"));
    assert_eq!(machine.attach_network(id(12), id(21), None).await, Ok(chosen));

    machine.detach_network(id(11), id(21)).await.unwrap();
    machine.detach_network(id(11), id(21)).await.unwrap();
    let again = machine.attach_network(id(13), id(21), None).await.unwrap();
    assert_eq!(again.device, "eth0");
    assert_eq!(code(machine.attach_network(id(14), id(21), Some("no")).await), Err("invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_keeps_addresses_for_interfaces() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, other, network) =
        (hypervisor.machine(id(1)), hypervisor.machine(id(2)), hypervisor.network(id(3)));
    let plan = |address: &str| NetworkPlan { address: Some(address.into()), ..NetworkPlan::default() };
    network.define(plan("10.1.0.0/24")).await.unwrap();
    for (machine, link) in [(&machine, id(11)), (&other, id(12))] {
        machine.define(MachinePlan::default()).await.unwrap();
        machine.attach_network(link, id(3), None).await.unwrap();
    }
    let address = |text: &str| Some(text.to_owned());
    let kept = || {
        outside(hypervisor, |live| {
            let found = reservation::of(live, id(3))?;
            Ok(found.into_iter().map(|held| (held.mac, held.address.to_string())).collect::<Vec<_>>())
        })
    };
    assert_eq!(code(machine.reserve_address(id(19), id(3), address("10.1.0.9")).await), Err("missing"));
    for is_up in [false, true] {
        if is_up {
            network.up().await.unwrap();
        }
        for wanted in ["10.1.0.9", "10.1.0.9", "10.1.0.10"] {
            machine.reserve_address(id(11), id(3), address(wanted)).await.unwrap();
            assert_eq!(kept().await, [(name::mac(id(11)), wanted.to_owned())]);
        }
        let refused =
            [("10.1.0.10", "conflict"), ("10.1.0.1", "conflict"), ("10.2.0.9", "invalid"), ("x", "invalid")];
        for (wanted, expected) in refused {
            assert_eq!(
                code(other.reserve_address(id(12), id(3), address(wanted)).await),
                Err(expected),
                "{wanted}"
            );
        }
        other.reserve_address(id(12), id(3), address("fd00::9")).await.unwrap();
        // A new definition keeps them, and is refused where it has no room for them.
        network.define(plan("10.1.0.0/16")).await.unwrap();
        assert_eq!(code(network.define(plan("10.9.0.0/24")).await), Err("conflict"));
        assert_eq!(code(network.define(NetworkPlan::default()).await), Err("conflict"));
        assert_eq!(kept().await, [(name::mac(id(11)), "10.1.0.10".to_owned())]);
        machine.reserve_address(id(11), id(3), None).await.unwrap();
        assert_eq!(kept().await, []);
    }
    machine.reserve_address(id(11), id(3), address("10.1.0.9")).await.unwrap();
    machine.detach_network(id(11), id(3)).await.unwrap();
    assert_eq!(kept().await, [], "what is detached has no address");
    network.down().await.unwrap();
    network.define(NetworkPlan::default()).await.unwrap();
    // A network without addresses leaves them to the guest system.
    other.reserve_address(id(12), id(3), address("10.1.0.9")).await.unwrap();
    assert_eq!(kept().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_machine_is_given_devices_and_loses_them() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    for volume in [21, 22] {
        hypervisor.volume(id(volume)).create(512).await.unwrap();
    }
    machine.attach_volume(id(11), id(21)).await.unwrap();
    machine.start().await.unwrap();
    machine.save().await.unwrap();
    assert_eq!(machine.attach_volume(id(12), id(22)).await.as_deref(), Ok("vdb"));
    assert_eq!(machine.attach_volume(id(11), id(21)).await.as_deref(), Ok("vda"));
    machine.detach_volume(id(11), id(21)).await.unwrap();
    assert_eq!(machine.state().await, Ok(State::Saved));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_attach_to_one_machine_at_once_and_none_is_lost() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    hypervisor.machine(id(1)).define(MachinePlan::default()).await.unwrap();
    let attaching: Vec<_> = (0..8)
        .map(|number| {
            let hypervisor = hypervisor.clone();
            tokio::spawn(async move {
                hypervisor.volume(id(100 + number)).create(512).await?;
                hypervisor.machine(id(1)).attach_volume(id(200 + number), id(100 + number)).await
            })
        })
        .collect();
    let mut targets = Vec::new();
    for attached in attaching {
        targets.push(attached.await.unwrap().unwrap());
    }
    targets.sort();
    assert_eq!(targets, ["vda", "vdb", "vdc", "vdd", "vde", "vdf", "vdg", "vdh"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_grows_and_does_not_shrink() {
    let private = private().await;
    let volume = private.hypervisor.volume(id(2));
    assert_eq!(code(volume.capacity().await), Err("missing"));
    assert_eq!(code(volume.resize(1024).await), Err("missing"));
    for _ in 0..2 {
        volume.create(1000).await.unwrap();
    }
    assert_eq!(volume.capacity().await, Ok(1024));
    assert_eq!(code(volume.create(4096).await), Err("conflict"));
    for _ in 0..2 {
        volume.resize(1 << 20).await.unwrap();
    }
    assert_eq!(volume.capacity().await, Ok(1 << 20));
    assert_eq!(code(volume.resize(512).await), Err("invalid"));
    assert_eq!(code(volume.create(0).await), Err("invalid"));
    for _ in 0..2 {
        volume.remove().await.unwrap();
    }
    assert_eq!(code(volume.exists().await), Err("missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_an_operator_stopped_is_started_again() {
    let private = private().await;
    let volume = private.hypervisor.volume(id(2));
    volume.create(512).await.unwrap();
    outside(&private.hypervisor, |live| {
        let pool = virt::storage_pool::StoragePool::lookup_by_name(&live.connect, "occi")?;
        Ok(pool.destroy()?)
    })
    .await;
    private.hypervisor.volume(id(3)).create(512).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_in_use_stays() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, network) = (hypervisor.machine(id(1)), hypervisor.network(id(3)));
    assert_eq!(code(network.active().await), Err("missing"));
    let plan = NetworkPlan {
        vlan: Some(7),
        address: Some("10.1.0.0/24".into()),
        dhcp: true,
        ..NetworkPlan::default()
    };
    for _ in 0..2 {
        network.define(plan.clone()).await.unwrap();
    }
    assert_eq!(network.active().await, Ok(false));
    for _ in 0..2 {
        network.up().await.unwrap();
    }
    assert_eq!(network.active().await, Ok(true));
    network.define(plan).await.unwrap();
    assert_eq!(network.active().await, Ok(true), "after a new definition");

    machine.define(MachinePlan::default()).await.unwrap();
    machine.attach_network(id(5), id(3), None).await.unwrap();
    machine.start().await.unwrap();
    assert_eq!(code(network.down().await), Err("conflict"));
    assert_eq!(code(network.remove().await), Err("conflict"));
    machine.power_off().await.unwrap();
    for _ in 0..2 {
        network.down().await.unwrap();
    }
    assert_eq!(network.active().await, Ok(false));
    // The machine needs it when it starts again.
    assert_eq!(code(network.remove().await), Err("conflict"));
    machine.detach_network(id(5), id(3)).await.unwrap();
    network.up().await.unwrap();
    for _ in 0..2 {
        network.remove().await.unwrap();
    }
    assert_eq!(code(network.exists().await), Err("missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_holds_what_is_ours() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    assert_eq!(hypervisor.inventory().await, Ok(Inventory::default()));
    foreign_machine(hypervisor, "test", id(77)).await;
    hypervisor.machine(id(2)).define(MachinePlan::default()).await.unwrap();
    hypervisor.machine(id(1)).define(MachinePlan::default()).await.unwrap();
    hypervisor.machine(id(1)).start().await.unwrap();
    hypervisor.volume(id(3)).create(512).await.unwrap();
    hypervisor.network(id(4)).define(NetworkPlan::default()).await.unwrap();
    hypervisor.machine(id(2)).attach_volume(id(5), id(3)).await.unwrap();
    let found = |machine, state| Found { machine, state, cores: 1 };
    let inventory = Inventory {
        machines: vec![found(id(1), State::Running), found(id(2), State::Off)],
        volumes: vec![(id(3), 512)],
        networks: vec![(id(4), false)],
        attachments: vec![Attached { machine: id(2), attachment: id(5), to: name::of(id(3)), live: false }],
    };
    assert_eq!(hypervisor.inventory().await, Ok(inventory));
}

async fn foreign_machine(hypervisor: &Hypervisor, name: &'static str, id: Uuid) {
    outside(hypervisor, move |live| {
        let xml = format!(
            "<domain type='test'><name>{name}</name><uuid>{id}</uuid><memory>1024</memory><os><type>hvm</type></os></domain>"
        );
        Ok(Domain::define_xml(&live.connect, &xml).map(drop)?)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_left_alone() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    // One has the id of an entity and another name, the other the name and another id.
    foreign_machine(hypervisor, "theirs", id(1)).await;
    foreign_machine(hypervisor, Box::leak(name::of(id(2)).into_boxed_str()), id(99)).await;
    for machine in [hypervisor.machine(id(1)), hypervisor.machine(id(2))] {
        assert_eq!(code(machine.define(MachinePlan::default()).await), Err("conflict"));
    }
    assert_eq!(code(hypervisor.machine(id(1)).remove().await), Err("conflict"));
    hypervisor.machine(id(2)).remove().await.unwrap();
    outside(hypervisor, |live| {
        for id in [id(1), id(99)] {
            Domain::lookup_by_uuid(&live.connect, id)?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_without_us_is_told() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, network) = (hypervisor.machine(id(1)), hypervisor.network(id(2)));
    foreign_machine(hypervisor, "theirs", id(9)).await;
    let mut events = hypervisor.events();
    machine.define(MachinePlan::default()).await.unwrap();
    network.define(NetworkPlan::default()).await.unwrap();
    outside(hypervisor, |live| {
        Domain::lookup_by_uuid(&live.connect, id(9))?.create()?;
        Domain::lookup_by_uuid(&live.connect, id(1))?.create()?;
        Ok(())
    })
    .await;
    // That they were defined, and that another's machine starts, is nobody's news.
    let mut next = async || timeout(Duration::from_secs(5), events.next()).await.unwrap();
    assert_eq!(next().await, Some(Event::Changed(id(1))));
    outside(hypervisor, |live| {
        virt::network::Network::lookup_by_uuid(&live.connect, id(2))?.create()?;
        Ok(())
    })
    .await;
    assert_eq!(next().await, Some(Event::Changed(id(2))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_too_slow_is_told_to_look_at_everything() {
    let herald = events::Herald::new();
    let mut events = herald.listen();
    for _ in 0..10_000 {
        herald.tell(Event::Changed(id(1)));
    }
    assert_eq!(events.next().await, Some(Event::Missed));
    drop(herald);
    while let Some(event) = events.next().await {
        assert_eq!(event, Event::Changed(id(1)));
    }
}

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

/// The guest that tells hardware from what only looks like it must boot where a guest can boot at all.
#[tokio::test(flavor = "multi_thread")]
async fn the_probes_guest_boots_under_emulation() {
    let Ok(uri) = std::env::var("OCCI_TEST_QEMU_URI") else {
        eprintln!("SKIPPED: no OCCI_TEST_QEMU_URI; `cargo xtask test` sets it");
        return;
    };
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

/// A file that stays behind is the operator's to see; the machine is gone, and so the client is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_console_log_cannot_be_removed_is_removed() {
    let folder = tempfile::TempDir::new().unwrap();
    let console = folder.path().to_path_buf();
    // No file can be removed at the path of a folder.
    std::fs::create_dir(console.join(format!("{}.log", id(70)))).unwrap();
    std::fs::write(console.join(format!("{}.log", id(71))), "hello").unwrap();
    let config = HypervisorConfig { console: Some(console.clone()), ..HypervisorConfig::default() };
    let hypervisor = Hypervisor::open(config).await.unwrap();
    for entity in [id(70), id(71)] {
        let machine = hypervisor.machine(entity);
        machine.define(MachinePlan::default()).await.unwrap();
        for _ in 0..2 {
            machine.remove().await.unwrap();
        }
        assert_eq!(code(machine.exists().await), Err("missing"));
    }
    assert!(!console.join(format!("{}.log", id(71))).exists());
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

/// To remove a volume it matters who is defined to use it, and not who is just starting.
#[tokio::test(flavor = "multi_thread")]
async fn a_volume_goes_while_machines_start() {
    let private = private().await;
    let hypervisor = private.hypervisor.clone();
    let (volume, other) = (hypervisor.volume(id(80)), hypervisor.volume(id(81)));
    for volume in [&volume, &other] {
        volume.create(1 << 20).await.unwrap();
    }
    let ((begun, begins), (go, gate)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let starting = tokio::spawn(async move {
        let start = move |_: &connection::Live| {
            begun.send(()).unwrap();
            gate.recv().unwrap();
            Ok(())
        };
        hypervisor.workers().call(Lane::Long, Hold::Starting(id(82)), start).await
    });
    begins.recv().unwrap();
    timeout(Duration::from_secs(10), volume.remove()).await.expect("it waits for the start").unwrap();
    // A running machine's volume is resized by that machine: who starts is waited for.
    let (mut resize, later) = (Box::pin(other.resize(2 << 20)), Duration::from_millis(100));
    assert!(timeout(later, &mut resize).await.is_err());
    go.send(()).unwrap();
    starting.await.unwrap().unwrap();
    resize.await.unwrap();
}

//! The driver against QEMU, with a system that really boots. `cargo xtask test` sets the environment; without it these
//! tests say that they were skipped.
//!
//! The guest system says on its console that it is up, and which disks and interfaces it sees whenever that changes.
#![cfg(feature = "libvirt")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "these are tests, their helpers included")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use occi_capability::libvirt::{
    Boot, DomainType, Event, Hypervisor, HypervisorConfig, Inventory, Machine, MachinePlan, Measure,
    NetworkPlan, State, Usage,
};
use occi_services::service;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// How long a guest may take for anything, under emulation on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

struct Qemu {
    hypervisor: Hypervisor,
    pool: String,
    uri: String,
    consoles: TempDir,
    _volumes: TempDir,
}

impl Qemu {
    /// A hypervisor for one test; none, which is counted, where there is no QEMU.
    async fn open(domain_type: DomainType) -> Option<Self> {
        let uri = service("OCCI_TEST_QEMU_URI")?;
        let (kernel, initrd) = (service("OCCI_TEST_KERNEL")?, service("OCCI_TEST_INITRD")?);
        let (consoles, volumes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let boot = Boot {
            kernel: kernel.into(),
            initrd: Some(initrd.into()),
            cmdline: Some("console=ttyS0 quiet panic=1".into()),
        };
        // Tests run side by side, each with a pool of its own.
        let pool = format!("occi-test-{}", Uuid::new_v4());
        let config = HypervisorConfig {
            uri: uri.clone(),
            domain_type,
            pool: pool.clone(),
            volumes: volumes.path().join("pool"),
            console: Some(consoles.path().into()),
            boot: Some(boot),
            memory: 96 << 20,
            ..HypervisorConfig::default()
        };
        let hypervisor = Hypervisor::open(config).await.unwrap();
        Some(Self { hypervisor, pool, uri, consoles, _volumes: volumes })
    }

    fn console(&self, machine: &Machine) -> PathBuf {
        self.consoles.path().join(format!("{}.log", machine.entity()))
    }

    /// Wait until the guest has said something so often.
    async fn says(&self, machine: &Machine, words: &str, times: usize) {
        let began = Instant::now();
        loop {
            let said = std::fs::read(self.console(machine)).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            if said.matches(words).count() >= times {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the guest did not say {words:?} {times} times; it said:\n{said}"
            );
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn started(&self, plan: MachinePlan) -> Machine {
        let machine = self.hypervisor.machine(Uuid::new_v4());
        machine.define(plan).await.unwrap();
        machine.start().await.unwrap();
        self.says(&machine, "OCCI guest up", 1).await;
        machine
    }

    /// Nothing is left at the hypervisor that this test has made.
    async fn is_clean_of(&self, entities: &[Uuid]) {
        let Inventory { machines, volumes, networks, .. } = self.hypervisor.inventory().await.unwrap();
        let left =
            machines.iter().map(|found| &found.machine).chain(volumes.iter().map(|found| &found.volume));
        let left: Vec<_> =
            left.chain(networks.iter().map(|(id, _)| id)).filter(|id| entities.contains(id)).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn code<T>(answer: Result<T, occi_capability::libvirt::Error>) -> Result<T, &'static str> {
    answer.map_err(|error| error.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_boots_sees_its_devices_come_and_go_and_shuts_down() {
    let Some(qemu) = Qemu::open(DomainType::Qemu).await else { return };
    let hypervisor = &qemu.hypervisor;
    let machine = qemu
        .started(MachinePlan { hostname: Some("web.example.org".into()), ..MachinePlan::default() })
        .await;
    qemu.says(&machine, "OCCI guest up: web.example.org", 1).await;
    assert_eq!(machine.state().await, Ok(State::Running));
    machine.start().await.unwrap();

    let (volume, disk) = (hypervisor.volume(Uuid::new_v4()), Uuid::new_v4());
    volume.create(64 << 20).await.unwrap();
    volume.create(64 << 20).await.unwrap();
    assert_eq!(code(volume.create(32 << 20).await), Err("conflict"));
    assert_eq!(machine.attach_volume(disk, volume.entity()).await.as_deref(), Ok("vda"));
    assert_eq!(machine.attach_volume(disk, volume.entity()).await.as_deref(), Ok("vda"));
    qemu.says(&machine, "vda=67108864", 1).await;
    assert_eq!(code(volume.remove().await), Err("conflict"));
    volume.resize(128 << 20).await.unwrap();
    assert_eq!(volume.capacity().await, Ok(128 << 20));
    qemu.says(&machine, "vda=134217728", 1).await;
    assert_eq!(code(volume.resize(64 << 20).await), Err("invalid"));

    let (network, interface) = (hypervisor.network(Uuid::new_v4()), Uuid::new_v4());
    network.define(NetworkPlan::default()).await.unwrap();
    assert_eq!(
        code(machine.attach_network(interface, network.entity(), None).await),
        Err("conflict"),
        "it is down"
    );
    network.up().await.unwrap();
    let nic = machine.attach_network(interface, network.entity(), None).await.unwrap();
    assert_eq!(machine.attach_network(interface, network.entity(), None).await, Ok(nic.clone()));
    assert_eq!(nic.device, "eth0");
    qemu.says(&machine, &format!("eth0={}", nic.mac), 1).await;
    assert_eq!(code(network.down().await), Err("conflict"));

    machine.detach_network(interface, network.entity(), false).await.unwrap();
    machine.detach_volume(disk, volume.entity(), false).await.unwrap();
    qemu.says(&machine, "sees disks: none; network interfaces: none", 2).await;
    network.down().await.unwrap();

    machine.shutdown(PATIENCE).await.unwrap();
    qemu.says(&machine, "OCCI guest: powering off", 1).await;
    assert_eq!(machine.state().await, Ok(State::Off));
    assert_eq!(machine.reason().await.as_deref(), Ok("shutdown"));

    volume.resize(256 << 20).await.unwrap();
    assert_eq!(volume.capacity().await, Ok(256 << 20));
    let console = qemu.console(&machine);
    assert!(console.exists());
    for _ in 0..2 {
        machine.remove().await.unwrap();
        volume.remove().await.unwrap();
        network.remove().await.unwrap();
    }
    assert!(!console.exists());
    qemu.is_clean_of(&[machine.entity(), volume.entity(), network.entity()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_paused_saved_restored_and_restarted() {
    let Some(qemu) = Qemu::open(DomainType::Qemu).await else { return };
    let hypervisor = &qemu.hypervisor;
    let machine = hypervisor.machine(Uuid::new_v4());
    machine.define(MachinePlan { shares: None, ..MachinePlan::default() }).await.unwrap();
    let (first, second) = (hypervisor.volume(Uuid::new_v4()), hypervisor.volume(Uuid::new_v4()));
    let (first_link, second_link) = (Uuid::new_v4(), Uuid::new_v4());
    for (volume, link) in [(&first, first_link), (&second, second_link)] {
        volume.create(1 << 20).await.unwrap();
        machine.attach_volume(link, volume.entity()).await.unwrap();
    }
    machine.start().await.unwrap();
    qemu.says(&machine, "sees disks: vda=1048576 vdb=1048576", 1).await;

    for _ in 0..2 {
        machine.pause().await.unwrap();
        assert_eq!(machine.state().await, Ok(State::Paused));
    }
    machine.start().await.unwrap();
    assert_eq!(machine.state().await, Ok(State::Running));

    for _ in 0..2 {
        machine.save().await.unwrap();
        assert_eq!(machine.state().await, Ok(State::Saved));
    }
    // The memory refers to them, and cannot be restored without them.
    assert_eq!(code(machine.detach_volume(second_link, second.entity(), false).await), Err("conflict"));
    assert_eq!(code(second.remove().await), Err("conflict"));
    // What is attached meanwhile is there.
    let third = hypervisor.volume(Uuid::new_v4());
    third.create(2 << 20).await.unwrap();
    machine.attach_volume(Uuid::new_v4(), third.entity()).await.unwrap();
    machine.start().await.unwrap();
    assert_eq!(machine.state().await, Ok(State::Running));
    qemu.says(&machine, "sees disks: vda=1048576 vdb=1048576 vdc=2097152; ", 1).await;
    machine.detach_volume(second_link, second.entity(), false).await.unwrap();
    qemu.says(&machine, "sees disks: vda=1048576 vdc=2097152; ", 1).await;
    qemu.says(&machine, "OCCI guest up", 1).await;

    machine.snapshot("now").await.unwrap();
    machine.snapshot("now").await.unwrap();
    machine.reset().await.unwrap();
    qemu.says(&machine, "OCCI guest up", 2).await;
    qemu.says(&machine, "OCCI guest sees", 4).await;
    // Its power button is pressed, and what begins anew is told by libvirt.
    machine.restart(PATIENCE).await.unwrap();
    assert_eq!(machine.state().await, Ok(State::Running));
    qemu.says(&machine, "OCCI guest up", 3).await;

    machine.power_off().await.unwrap();
    machine.power_off().await.unwrap();
    assert_eq!(machine.state().await, Ok(State::Off));
    machine.remove().await.unwrap();
    for volume in [&first, &second, &third] {
        volume.remove().await.unwrap();
    }
    qemu.is_clean_of(&[machine.entity(), first.entity(), second.entity(), third.entity()]).await;
}

/// Each power-on counts anew, and a guest looks at the partitions of a disk by itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_uses_is_counted_while_it_has_power() {
    let Some(qemu) = Qemu::open(DomainType::Qemu).await else { return };
    let machine = qemu.started(MachinePlan::default()).await;
    let (volume, disk) = (qemu.hypervisor.volume(Uuid::new_v4()), Uuid::new_v4());
    let (network, interface) = (qemu.hypervisor.network(Uuid::new_v4()), Uuid::new_v4());
    let booted = machine.usage().await.unwrap();
    assert!(booted.cpu_time > Duration::ZERO, "{booted:?}");
    assert_eq!(booted, Usage { cpu_time: booted.cpu_time, memory: 96 << 20, ..Usage::default() });

    volume.create(16 << 20).await.unwrap();
    machine.attach_volume(disk, volume.entity()).await.unwrap();
    network.define(NetworkPlan::default()).await.unwrap();
    network.up().await.unwrap();
    machine.attach_network(interface, network.entity(), None).await.unwrap();
    qemu.says(&machine, "vda=16777216", 1).await;
    let began = Instant::now();
    let with_disk = loop {
        let usage = machine.usage().await.unwrap();
        if usage.disk_read > 0 || began.elapsed() > PATIENCE {
            break usage;
        }
        sleep(Duration::from_millis(200)).await;
    };
    assert!(with_disk.disk_read > 0, "{with_disk:?}");
    assert!(with_disk.cpu_time > booted.cpu_time, "{with_disk:?} after {booted:?}");

    // The same of all machines at once, and of each device for the link that it is attached for.
    let survey = qemu.hypervisor.survey().await.unwrap();
    let read = |of: Uuid, measure| survey.of(of).and_then(|readings| readings.get(measure));
    let seconds = read(machine.entity(), Measure::CpuSeconds).unwrap();
    assert!(seconds >= with_disk.cpu_time.as_secs_f64(), "{seconds} s after {with_disk:?}");
    let bytes = Some(f64::from(u32::try_from(with_disk.disk_read).unwrap()));
    for (of, memory) in [(machine.entity(), Some(f64::from(96 << 20))), (disk, None)] {
        assert!(read(of, Measure::DiskRead) >= bytes);
        assert_eq!(read(of, Measure::Memory), memory);
    }
    assert!(read(interface, Measure::NetworkReceived).is_some());
    assert_eq!(read(interface, Measure::DiskRead), None);

    machine.detach_volume(disk, volume.entity(), false).await.unwrap();
    assert_eq!(machine.usage().await.unwrap().disk_read, 0, "it goes with the device");
    machine.power_off().await.unwrap();
    assert_eq!(machine.usage().await, Ok(Usage::default()));
    machine.start().await.unwrap();
    let again = machine.usage().await.unwrap();
    assert!(again.cpu_time < with_disk.cpu_time, "{again:?} after {with_disk:?}");
    machine.remove().await.unwrap();
    assert_eq!(code(machine.usage().await), Err("missing"));
    volume.remove().await.unwrap();
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_plan_reaches_a_running_guest_at_its_next_start_and_more_cores_at_once() {
    let Some(qemu) = Qemu::open(DomainType::Qemu).await else { return };
    let machine = qemu.started(MachinePlan::default()).await;
    machine
        .define(MachinePlan { cores: Some(3), memory: Some(128 << 20), ..MachinePlan::default() })
        .await
        .unwrap();
    assert_eq!(machine.state().await, Ok(State::Running));
    let connect = virt::connect::Connect::open(Some(&qemu.uri)).unwrap();
    let domain = virt::domain::Domain::lookup_by_uuid(&connect, machine.entity()).unwrap();
    assert_eq!(domain.get_info().unwrap().nr_virt_cpu, 3);
    assert_eq!(domain.get_info().unwrap().max_mem, 96 << 10);
    machine.power_off().await.unwrap();
    assert_eq!(domain.get_info().unwrap().max_mem, 128 << 10);
    machine.remove().await.unwrap();
}

/// libvirt may have been made anew, and the folder be that of before.
#[tokio::test(flavor = "multi_thread")]
async fn a_volume_stands_though_its_pool_is_not_defined() {
    let Some(qemu) = Qemu::open(DomainType::Qemu).await else { return };
    let volume = qemu.hypervisor.volume(Uuid::new_v4());
    assert_eq!(volume.is_there().await, Ok(false));
    volume.create(1 << 20).await.unwrap();
    let connect = virt::connect::Connect::open(Some(&qemu.uri)).unwrap();
    let pool = virt::storage_pool::StoragePool::lookup_by_name(&connect, &qemu.pool).unwrap();
    pool.destroy().unwrap();
    pool.undefine().unwrap();
    assert_eq!(volume.is_there().await, Ok(true));
    volume.remove().await.unwrap();
    assert_eq!(volume.is_there().await, Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_ends_by_itself_is_told() {
    let Some(qemu) = Qemu::open(DomainType::Qemu).await else { return };
    let machine = qemu.started(MachinePlan::default()).await;
    let mut events = qemu.hypervisor.events();
    let connect = virt::connect::Connect::open(Some(&qemu.uri)).unwrap();
    virt::domain::Domain::lookup_by_uuid(&connect, machine.entity()).unwrap().destroy().unwrap();
    let told = timeout(Duration::from_secs(10), async {
        // Other tests' machines are told of too.
        while events.next().await != Some(Event::Changed(machine.entity())) {}
    });
    told.await.unwrap();
    assert_eq!(machine.state().await, Ok(State::Off));
    machine.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_with_addresses_comes_up_and_goes_down() {
    let Some(qemu) = Qemu::open(DomainType::Qemu).await else { return };
    let network = qemu.hypervisor.network(Uuid::new_v4());
    let plan = NetworkPlan {
        vlan: Some(7),
        address: Some("10.77.0.0/24".into()),
        gateway: Some("10.77.0.1".into()),
        dhcp: true,
        title: Some("lan".into()),
        bridge: None,
    };
    network.define(plan.clone()).await.unwrap();
    network.define(plan.clone()).await.unwrap();
    let (machine, interface) = (qemu.hypervisor.machine(Uuid::new_v4()), Uuid::new_v4());
    machine.define(MachinePlan::default()).await.unwrap();
    machine.attach_network(interface, network.entity(), None).await.unwrap();
    let reserve = |address: &str| {
        let address = (!address.is_empty()).then(|| address.to_owned());
        machine.reserve_address(interface, network.entity(), address)
    };
    reserve("10.77.0.9").await.unwrap();
    for active in [true, false] {
        for _ in 0..2 {
            if active { network.up().await } else { network.down().await }.unwrap();
            assert_eq!(network.active().await, Ok(active));
            reserve("10.77.0.10").await.unwrap();
        }
        assert_eq!(code(reserve("10.77.0.1").await), Err("conflict"));
        let elsewhere = NetworkPlan { address: Some("10.78.0.0/24".into()), gateway: None, ..plan.clone() };
        assert_eq!(code(network.define(elsewhere.clone()).await), Err("conflict"));
        reserve("").await.unwrap();
        network.define(elsewhere).await.unwrap();
        network.define(plan.clone()).await.unwrap();
    }
    reserve("10.77.0.9").await.unwrap();
    machine.remove().await.unwrap();
    network.remove().await.unwrap();
}

/// Each of many that ask at once is given an address of its own, before the network is up and after.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_given_to_one_interface_each() {
    let Some(qemu) = Qemu::open(DomainType::Qemu).await else { return };
    let network = qemu.hypervisor.network(Uuid::new_v4());
    let plan = NetworkPlan { address: Some("10.76.0.0/28".into()), dhcp: true, ..NetworkPlan::default() };
    network.define(plan.clone()).await.unwrap();
    let mut machines = Vec::new();
    for number in 0..3 {
        let machine = qemu.hypervisor.machine(Uuid::new_v4());
        machine.define(MachinePlan::default()).await.unwrap();
        for _ in 0..if number == 2 { 3 } else { 5 } {
            let interface = Uuid::new_v4();
            machine.attach_network(interface, network.entity(), None).await.unwrap();
            machines.push((machine.clone(), interface));
        }
    }
    let give = |(machine, interface): &(Machine, Uuid)| {
        let (machine, interface, network) = (machine.clone(), *interface, network.entity());
        tokio::spawn(async move { machine.give_address(interface, network).await })
    };
    let mut all = Vec::new();
    for half in [&machines[..7], &machines[7..]] {
        let asked: Vec<_> = half.iter().map(give).collect();
        for asked in asked {
            all.push(asked.await.unwrap().unwrap().unwrap());
        }
        network.up().await.unwrap();
    }
    for (asked, given) in machines.iter().zip(&all) {
        assert_eq!(give(asked).await.unwrap().unwrap().as_ref(), Some(given));
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 13);
    let machine = machines[0].0.clone();
    let one_more = (machine, Uuid::new_v4());
    one_more.0.attach_network(one_more.1, network.entity(), None).await.unwrap();
    assert_eq!(code(give(&one_more).await.unwrap()), Err("conflict"));
    // What it is from the next `up` on counts, and what it is now is left as it is.
    for (machine, interface) in &machines {
        machine.reserve_address(*interface, network.entity(), None).await.unwrap();
    }
    network.define(NetworkPlan { address: Some("10.75.0.0/28".into()), ..plan }).await.unwrap();
    assert_eq!(give(&one_more).await.unwrap().unwrap().as_deref(), Some("10.75.0.2"));
    network.down().await.unwrap();
    network.up().await.unwrap();
    assert_eq!(give(&one_more).await.unwrap().unwrap().as_deref(), Some("10.75.0.2"));
    for (machine, _) in &machines {
        machine.remove().await.unwrap();
    }
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_boots_where_it_is_found_out_how_to_run_it() {
    let Some(qemu) = Qemu::open(DomainType::Auto).await else { return };
    let machine = qemu.started(MachinePlan::default()).await;
    machine.remove().await.unwrap();
}

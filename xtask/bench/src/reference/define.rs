//! Defines machines with the calls that the measured server makes for a creation: a look-up, since the machine may be there
//! already, and the definition; at QEMU also a look whether it runs. At libvirt's test driver as fast as it takes them.

use anyhow::{Context, Result, anyhow, ensure};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;
use virt::connect::Connect;
use virt::domain::Domain;

/// libvirt's test driver in this process.
pub(crate) const TEST: &str = "test:///default";

pub(crate) fn open(uri: &str) -> Result<Connect> {
    virt::error::clear_error_callback();
    Connect::open(Some(uri)).with_context(|| format!("libvirt at {uri}"))
}

/// How many machines a second, by so many threads on one connection.
pub(crate) fn rate(threads: usize, time: Duration) -> Result<f64> {
    let connect = &open(TEST)?;
    let began = Instant::now();
    let defined = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(move || define(connect, began + time))).collect();
        let counts =
            workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a thread broke"))?);
        counts.sum::<Result<u32>>()
    })?;
    Ok(f64::from(defined) / began.elapsed().as_secs_f64())
}

fn define(connect: &Connect, end: Instant) -> Result<u32> {
    let mut defined = 0;
    while Instant::now() < end {
        one(connect, Uuid::now_v7(), definition)?;
        defined += 1;
    }
    Ok(defined)
}

/// How many machines a second, where there are no others and so many are made; they are gone afterwards.
pub(crate) fn some(connect: &Connect, threads: usize, count: u16) -> Result<f64> {
    let began = Instant::now();
    let machines = thread::scope(|scope| {
        let some = |thread| {
            (thread..count.into())
                .step_by(threads)
                .map(|_| one(connect, Uuid::now_v7(), definition))
                .collect()
        };
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || some(thread))).collect();
        let made = workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a thread broke"))?);
        made.collect::<Result<Vec<Vec<Domain>>>>()
    })?;
    let took = began.elapsed();
    for machine in machines.iter().flatten() {
        machine.undefine().context("a machine cannot be removed")?;
    }
    Ok(f64::from(count) / took.as_secs_f64())
}

/// A machine at QEMU, which writes what it prints into that folder; how long that took.
pub(crate) fn on_qemu(connect: &Connect, consoles: &Path) -> Result<(Domain, Duration)> {
    let began = Instant::now();
    let machine = one(connect, Uuid::now_v7(), |id| definition_for_qemu(id, consoles))?;
    ensure!(!machine.is_active().context("a machine cannot be looked at")?, "a machine runs by itself");
    Ok((machine, began.elapsed()))
}

/// The machine of the measurement, at libvirt's test driver.
pub(crate) fn machine(connect: &Connect, id: Uuid) -> Result<Domain> {
    one(connect, id, definition)
}

fn one(connect: &Connect, id: Uuid, definition: impl Fn(Uuid) -> String) -> Result<Domain> {
    ensure!(Domain::lookup_by_uuid(connect, id).is_err(), "the machine is there before it was defined");
    Domain::define_xml(connect, &definition(id)).context("a machine cannot be defined")
}

/// What the measured server writes for the machine of the measurement.
fn definition(id: Uuid) -> String {
    format!(
        r#"<domain type="test"><name>occi-{id}</name><uuid>{id}</uuid><title>A machine</title><metadata><occi:entity xmlns:occi="urn:occi:extension:0.1" id="{id}"/></metadata><memory unit="b">1073741824</memory><vcpu current="2">16</vcpu><os><type arch="x86_64">hvm</type><boot dev="hd"/></os><features><acpi/><apic/></features><devices></devices></domain>"#
    )
}

/// The same for a machine that QEMU emulates.
fn definition_for_qemu(id: Uuid, consoles: &Path) -> String {
    let console = consoles.join(id.to_string()).with_extension("log");
    let console = console.display();
    format!(
        r#"<domain type="qemu"><name>occi-{id}</name><uuid>{id}</uuid><title>A machine</title><metadata><occi:entity xmlns:occi="urn:occi:extension:0.1" id="{id}"/></metadata><maxMemory slots="16" unit="KiB">68157440</maxMemory><memory unit="KiB">1048576</memory><vcpu current="2">16</vcpu><os><type arch="x86_64" machine="pc">hvm</type><boot dev="hd"/></os><features><acpi/><apic/></features><cpu><numa><cell id="0" cpus="0-15" memory="1048576" unit="KiB"/></numa></cpu><on_crash>preserve</on_crash><devices><serial type="pty"><log file="{console}" append="on"/><target port="0"/></serial><panic model="isa"/><memballoon model="virtio"><stats period="10"/></memballoon></devices></domain>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_capability::libvirt::{DomainType, Hypervisor, HypervisorConfig, MachinePlan};

    /// The machine that libvirt has after our definition is the one that it has after the server's.
    fn compare(config: HypervisorConfig, definition: impl Fn(Uuid) -> String) {
        let (uri, runtime) = (config.uri.clone(), crate::reference::runtime().unwrap());
        let (theirs, ours) = (Uuid::new_v4(), Uuid::new_v4());
        // The test driver's machines are one set for the whole process.
        let (connect, hypervisor) = runtime.block_on(async {
            let hypervisor = Hypervisor::open(config).await.unwrap();
            let plan = MachinePlan {
                cores: Some(2),
                memory: Some(1 << 30),
                title: Some("A machine".into()),
                ..MachinePlan::default()
            };
            hypervisor.machine(theirs).define(plan).await.unwrap();
            (open(&uri).unwrap(), hypervisor)
        });
        one(&connect, ours, definition).unwrap();
        let held = |id: Uuid| {
            let domain = Domain::lookup_by_uuid(&connect, id).unwrap();
            let held = domain.get_xml_desc(virt::sys::VIR_DOMAIN_XML_INACTIVE).unwrap();
            domain.undefine().unwrap();
            held.replace(&id.to_string(), "ID")
        };
        assert_eq!(held(theirs), held(ours));
        drop(hypervisor);
    }

    #[test]
    fn the_definition_is_the_servers() {
        compare(HypervisorConfig { uri: TEST.into(), ..HypervisorConfig::default() }, definition);
    }

    #[test]
    fn the_definition_for_qemu_is_the_servers() {
        let Some(uri) = occi_services::service("OCCI_TEST_QEMU_URI") else { return };
        let folder = tempfile::tempdir().unwrap();
        let console = Some(folder.path().to_owned());
        let config =
            HypervisorConfig { uri, console, domain_type: DomainType::Qemu, ..HypervisorConfig::default() };
        compare(config, |id| definition_for_qemu(id, folder.path()));
    }
}

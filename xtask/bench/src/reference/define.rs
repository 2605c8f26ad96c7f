//! Defines machines at libvirt's test driver as fast as it takes them, with the calls that the measured server makes for
//! a creation: a look-up, since the machine may be there already, and the definition.

use anyhow::{Context, Result, anyhow, ensure};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;
use virt::connect::Connect;
use virt::domain::Domain;

/// How many machines a second, by so many threads on one connection.
pub(crate) fn rate(threads: usize, time: Duration) -> Result<f64> {
    virt::error::clear_error_callback();
    let connect = &Connect::open(Some("test:///default")).context("libvirt's test driver")?;
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
        let id = Uuid::now_v7();
        ensure!(Domain::lookup_by_uuid(connect, id).is_err(), "the machine is there before it was defined");
        Domain::define_xml(connect, &definition(id)).context("a machine cannot be defined")?;
        defined += 1;
    }
    Ok(defined)
}

/// What the measured server writes for the machine of the measurement.
fn definition(id: Uuid) -> String {
    format!(
        r#"<domain type="test"><name>occi-{id}</name><uuid>{id}</uuid><title>A machine</title><metadata><occi:entity xmlns:occi="urn:occi:extension:0.1" id="{id}"/></metadata><memory unit="b">1073741824</memory><vcpu current="2">16</vcpu><os><type arch="x86_64">hvm</type><boot dev="hd"/></os><features><acpi/><apic/></features><devices></devices></domain>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use occi_capability::libvirt::{Hypervisor, HypervisorConfig, MachinePlan};

    /// The machine that libvirt has after our definition is the one that it has after the server's.
    #[test]
    fn the_definition_is_the_servers() {
        let runtime = crate::reference::runtime().unwrap();
        let (theirs, ours) = (Uuid::from_u128(0xa), Uuid::from_u128(0xb));
        // The driver's machines are one set for the whole process.
        let connect = runtime.block_on(async {
            let config = HypervisorConfig { uri: "test:///default".into(), ..HypervisorConfig::default() };
            let hypervisor = Hypervisor::open(config).await.unwrap();
            let plan = MachinePlan {
                cores: Some(2),
                memory: Some(1 << 30),
                title: Some("A machine".into()),
                ..MachinePlan::default()
            };
            hypervisor.machine(theirs).define(plan).await.unwrap();
            Connect::open(Some("test:///default")).unwrap()
        });
        Domain::define_xml(&connect, &definition(ours)).unwrap();
        let held = |id: Uuid| {
            let domain = Domain::lookup_by_uuid(&connect, id).unwrap();
            domain.get_xml_desc(virt::sys::VIR_DOMAIN_XML_INACTIVE).unwrap().replace(&id.to_string(), "ID")
        };
        assert_eq!(held(theirs), held(ours));
    }
}

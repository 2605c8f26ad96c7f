//! Figures: what machines use, and what the extension counts for the operator. The capability `metrics`.
//!
//! What is counted has a name that the manifest declares:
//!
//! ```toml
//! [capabilities.metrics]
//! counters = ["queries"]
//! gauges = ["backlog"]
//! ```
//!
//! It counts at once, whether or not the operation is committed, and once more where the host calls again; and begins anew with
//! the server's process. So it is for the operator to look at: what must hold is kept in [`crate::keyvalue`].

use crate::fault::{Result, found};
use crate::outside::metrics as outside;
use crate::subject::End;
use std::collections::BTreeMap;
use std::time::Duration;

/// Add to a counter; 'denied' where the manifest does not declare it.
pub fn count(counter: &str, by: u64) -> Result<()> {
    outside::count(counter, by)
}

/// Set a gauge; 'denied' where the manifest does not declare it, 'invalid' where the value is not finite.
pub fn gauge(gauge: &str, value: f64) -> Result<()> {
    outside::gauge(gauge, value)
}

/// What was read some seconds ago of the machine of an entity, its disks and interfaces summed up; or, where the subject is a
/// link, of the device that is attached for it. By names as Prometheus has them, with their units: `cpu_seconds_total`, `vcpus`,
/// `memory_bytes`, `disk_read_bytes_total` and others, which the contract lists (`wit/metrics.wit`). What the hypervisor does not
/// tell is left out, and all is where the machine has no power. What ends in `_total` is counted since it has power.
///
/// 'missing' where there is neither, 'unavailable' where the hypervisor does not answer. The host reads all machines at once, so
/// to ask costs next to nothing.
pub fn readings(of: End) -> Result<BTreeMap<String, f64>> {
    let readings = outside::readings(of)?;
    Ok(readings.into_iter().map(|reading| (reading.name, reading.value)).collect())
}

/// What a machine uses, as it was when it was read. One that has no power uses nothing: all is zero, and begins anew with its
/// next start. What a device has done goes with the device.
pub struct Usage(outside::Usage);

impl Usage {
    /// That of the machine of an entity; 'missing' if there is none.
    pub fn read(of: End) -> Result<Self> {
        outside::Usage::read(of).map(Self)
    }

    /// That of the machine of an entity, or none.
    pub fn find(of: End) -> Result<Option<Self>> {
        found(Self::read(of))
    }

    /// What its CPUs have computed since it has power, all of them together.
    pub fn cpu_time(&self) -> Duration {
        Duration::from_millis(self.0.cpu_time())
    }

    /// Bytes of memory that it has now.
    pub fn memory(&self) -> u64 {
        self.0.memory()
    }

    /// Bytes that it has read from its disks since it has power.
    pub fn disk_read(&self) -> u64 {
        self.0.disk_read()
    }

    /// Bytes that it has written to its disks since it has power.
    pub fn disk_written(&self) -> u64 {
        self.0.disk_written()
    }

    /// Bytes that have come to its interfaces since it has power.
    pub fn network_received(&self) -> u64 {
        self.0.network_received()
    }

    /// Bytes that its interfaces have sent since it has power.
    pub fn network_sent(&self) -> u64 {
        self.0.network_sent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::{Machine, Plan};
    use crate::testing::{self, Host};
    use crate::{Cause, Change, Fault, Observe, Subject};

    struct Meter;

    impl Observe for Meter {
        fn observe(_subject: &Subject, _cause: Cause) -> Result<Change> {
            count("looks", 1)?;
            let Some(usage) = Usage::find(End::Subject)? else { return Ok(Change::new()) };
            gauge("memory", f64::from(u32::try_from(usage.memory()).unwrap_or(u32::MAX)))?;
            let figures = [
                usage.cpu_time().as_secs(),
                usage.disk_read(),
                usage.disk_written(),
                usage.network_received(),
                usage.network_sent(),
            ];
            Ok(Change::new().set("used", figures.map(|figure| figure.to_string()).join(" ")))
        }
    }

    #[test]
    fn a_test_says_what_is_used_and_sees_what_is_counted() {
        let host = Host::<Meter>::new();
        let mut machine = host.resource("http://example.com/occi#machine");
        let look = |machine: &mut _| host.observe(machine, Cause::Timer);
        look(&mut machine).unwrap();
        assert_eq!((host.counted("looks"), host.gauge("memory"), machine.get("used")), (1, None, None));

        // One that another extension has made.
        let used = testing::Usage {
            cpu_time: Duration::from_secs(5),
            memory: 64,
            disk_read: 4,
            disk_written: 3,
            network_received: 2,
            network_sent: 1,
        };
        host.set_usage(&machine, used);
        look(&mut machine).unwrap();
        assert_eq!((host.counted("looks"), host.gauge("memory")), (2, Some(64.0)));
        assert_eq!(machine.get("used"), Some("5 4 3 2 1".into()));

        // Without power it uses nothing.
        host.call(&machine, &machine.kind, |_| Machine::define(End::Subject, &Plan::new())).unwrap();
        look(&mut machine).unwrap();
        assert_eq!((host.gauge("memory"), machine.get("used")), (Some(0.0), Some("0 0 0 0 0".into())));
        host.call(&machine, &machine.kind, |_| Machine::open(End::Subject)?.start()).unwrap();
        look(&mut machine).unwrap();
        assert_eq!(machine.get("used"), Some("5 4 3 2 1".into()));
        assert_eq!(host.counted("nothing"), 0);
    }

    #[test]
    fn a_test_says_what_is_read_of_machines_and_devices() {
        let host = Host::<Meter>::new();
        let (machine, volume) = (
            host.resource("http://example.com/occi#machine"),
            host.resource("http://example.com/occi#volume"),
        );
        let link = host.link("http://example.com/occi#link", &machine, &volume);
        let read =
            |of: End| host.call(&link, &link.kind, |_| Ok(readings(of)?.into_iter().collect::<Vec<_>>()));
        let is_missing = |of: End| read(of).is_err_and(|fault| fault.is(Fault::MISSING));
        assert!(is_missing(End::Subject) && is_missing(End::Source));

        host.set_readings(&machine, [("cpu_seconds_total", 1.5), ("vcpus", 2.0)]);
        host.set_readings(&link, [("disk_reads_total", 3.0)]);
        let of_machine = vec![("cpu_seconds_total".into(), 1.5), ("vcpus".into(), 2.0)];
        assert_eq!(read(End::Source).unwrap(), of_machine);
        assert_eq!(read(End::Subject).unwrap(), [("disk_reads_total".into(), 3.0)]);
        assert!(is_missing(End::Target));

        // One of the extension's own is there, and without power there is nothing to be read.
        host.call(&machine, &machine.kind, |_| Machine::define(End::Subject, &Plan::new())).unwrap();
        assert_eq!(read(End::Source).unwrap(), []);
        host.call(&machine, &machine.kind, |_| Machine::open(End::Subject)?.start()).unwrap();
        assert_eq!(read(End::Source).unwrap(), of_machine);

        host.fail("metrics.readings", Fault::unavailable("not now"));
        assert!(read(End::Source).unwrap_err().is(Fault::UNAVAILABLE));
    }

    #[test]
    fn each_call_can_fail() {
        let host = Host::<Meter>::new();
        let mut machine = host.resource("http://example.com/occi#machine");
        host.set_usage(&machine, testing::Usage::default());
        for call in ["metrics.count", "metrics.read", "metrics.gauge"] {
            host.fail(call, Fault::unavailable("not now"));
            let refused = host.observe(&mut machine, Cause::Timer).unwrap_err();
            assert!(refused.is(Fault::UNAVAILABLE), "{call}");
        }
        assert_eq!(host.counted("looks"), 2, "what is counted stays so");
        let unset = host.call(&machine, &machine.kind, |_| gauge("memory", f64::NAN)).unwrap_err();
        assert!(unset.is(Fault::INVALID));
        assert_eq!(host.gauge("memory"), None);
    }
}

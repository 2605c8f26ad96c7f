//! What is measured of a machine and of its devices, as libvirt tells it.

use super::stats::Value;
use virt::sys;

/// Something that is measured, in the unit that its name ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// What its CPUs have computed since it has power, all of them together.
    CpuSeconds,
    /// CPUs that it has now.
    Vcpus,
    /// Memory that it has now.
    Memory,
    /// What of it the guest system uses, and could not have back at once.
    MemoryUsed,
    /// Bytes from its disks since it has power.
    DiskRead,
    /// Bytes to its disks.
    DiskWritten,
    /// How often it has read.
    DiskReads,
    /// How often it has written.
    DiskWrites,
    /// Bytes that have come to its interfaces since it has power.
    NetworkReceived,
    /// Bytes that its interfaces have sent.
    NetworkTransmitted,
    /// Packets that have come.
    NetworkPacketsReceived,
    /// Packets that were sent.
    NetworkPacketsTransmitted,
}

use Measure::{
    CpuSeconds, DiskRead, DiskReads, DiskWrites, DiskWritten, Memory, MemoryUsed, NetworkPacketsReceived,
    NetworkPacketsTransmitted, NetworkReceived, NetworkTransmitted, Vcpus,
};

impl Measure {
    /// All there are, in the order of their declaration.
    pub const ALL: [Self; 12] = [
        CpuSeconds,
        Vcpus,
        Memory,
        MemoryUsed,
        DiskRead,
        DiskWritten,
        DiskReads,
        DiskWrites,
        NetworkReceived,
        NetworkTransmitted,
        NetworkPacketsReceived,
        NetworkPacketsTransmitted,
    ];

    /// Its name, as Prometheus has it: with its unit, and at last 'total' where it is counted.
    pub fn name(self) -> &'static str {
        match self {
            CpuSeconds => "cpu_seconds_total",
            Vcpus => "vcpus",
            Memory => "memory_bytes",
            MemoryUsed => "memory_used_bytes",
            DiskRead => "disk_read_bytes_total",
            DiskWritten => "disk_written_bytes_total",
            DiskReads => "disk_reads_total",
            DiskWrites => "disk_writes_total",
            NetworkReceived => "network_received_bytes_total",
            NetworkTransmitted => "network_transmitted_bytes_total",
            NetworkPacketsReceived => "network_received_packets_total",
            NetworkPacketsTransmitted => "network_transmitted_packets_total",
        }
    }

    /// What it is, in a few words.
    pub fn help(self) -> &'static str {
        match self {
            CpuSeconds => "What its CPUs have computed since it has power.",
            Vcpus => "CPUs that it has now.",
            Memory => "Memory that it has now.",
            MemoryUsed => "Memory that the guest system uses and could not have back at once.",
            DiskRead => "Bytes read from its disks since it has power.",
            DiskWritten => "Bytes written to its disks since it has power.",
            DiskReads => "How often its disks were read since it has power.",
            DiskWrites => "How often its disks were written since it has power.",
            NetworkReceived => "Bytes that its interfaces have received since it has power.",
            NetworkTransmitted => "Bytes that its interfaces have transmitted since it has power.",
            NetworkPacketsReceived => "Packets that its interfaces have received since it has power.",
            NetworkPacketsTransmitted => "Packets that its interfaces have transmitted since it has power.",
        }
    }

    /// Whether it only grows, until it begins anew.
    pub fn is_counted(self) -> bool {
        !matches!(self, Vcpus | Memory | MemoryUsed)
    }
}

/// What was read of a machine, or of a device of it. What the hypervisor does not tell is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Readings([Option<f64>; Measure::ALL.len()]);

impl Readings {
    /// One of them.
    pub fn get(&self, measure: Measure) -> Option<f64> {
        self.0[measure as usize]
    }

    /// All that are there.
    pub fn iter(&self) -> impl Iterator<Item = (Measure, f64)> {
        Measure::ALL.into_iter().zip(self.0).filter_map(|(measure, value)| Some((measure, value?)))
    }

    /// A reading more of one measure: what devices do is summed up. libvirt has -1 for what it does not know.
    pub(super) fn add(&mut self, measure: Measure, value: f64) {
        if value >= 0.0 {
            *self.0[measure as usize].get_or_insert(0.0) += value;
        }
    }

    pub(super) fn add_all(&mut self, others: &Self) {
        for (measure, value) in others.iter() {
            self.add(measure, value);
        }
    }
}

/// What was read of one machine.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    /// All of it together.
    pub(super) whole: Readings,
    pub(super) devices: Vec<Device>,
}

/// What was read of one device.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Device {
    pub(super) name: DeviceName,
    pub(super) readings: Readings,
}

/// How libvirt tells a machine's devices apart.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct DeviceName {
    pub(super) is_interface: bool,
    /// That of a disk as the machine sees it, that of an interface on the hypervisor's host.
    pub(super) target: String,
    /// The file behind a disk.
    path: String,
}

/// A nanosecond, in seconds.
const NANO: f64 = 1e-9;
/// A KiB, in bytes.
const KIB: f64 = 1024.0;

/// What libvirt's figures of a machine say; none where it has no power any more.
pub(super) fn read(figures: &[(String, Value)]) -> Option<Read> {
    let number = |name: &str| match &figures.iter().find(|(known, _)| known == name)?.1 {
        Value::Number(number) => Some(*number),
        Value::Text(_) => None,
    };
    if number("state.state") == Some(sys::VIR_DOMAIN_SHUTOFF.into()) {
        return None;
    }
    let mut read = Read::default();
    let mut add = |measure, value: Option<f64>| {
        if let Some(value) = value {
            read.whole.add(measure, value);
        }
    };
    add(CpuSeconds, number("cpu.time").map(|time| time * NANO));
    add(Vcpus, number("vcpu.current"));
    add(Memory, number("balloon.current").map(|size| size * KIB));
    // What is cached for files the guest system would give back at once, where it says how much that is.
    let spare = number("balloon.usable").or_else(|| number("balloon.unused"));
    let used = number("balloon.available").zip(spare).map(|(all, spare)| (all - spare) * KIB);
    add(MemoryUsed, used);
    for (name, value) in figures {
        let (list, is_interface) = match name.split_once('.') {
            Some(("block", rest)) => (rest, false),
            Some(("net", rest)) => (rest, true),
            _ => continue,
        };
        // 'block.count' has no second point.
        let Some((place, of)) = list.split_once('.') else { continue };
        let Ok(place) = place.parse::<usize>() else { continue };
        note(&mut read.devices, is_interface, place, of, value);
    }
    read.devices.retain(|device| !device.name.target.is_empty());
    for device in &read.devices {
        read.whole.add_all(&device.readings);
    }
    Some(read)
}

/// Notes what is told of the disk, or interface, at a place of libvirt's list of them. One after the other is told of.
fn note(devices: &mut Vec<Device>, is_interface: bool, place: usize, of: &str, value: &Value) {
    let before = devices.iter().filter(|device| device.name.is_interface == is_interface).count();
    if place == before {
        let name = DeviceName { is_interface, ..DeviceName::default() };
        devices.push(Device { name, ..Device::default() });
    }
    let mut those = devices.iter_mut().filter(|device| device.name.is_interface == is_interface);
    let Some(device) = those.nth(place) else { return };
    let measure = match (is_interface, of, value) {
        (_, "name", Value::Text(name)) => {
            device.name.target.clone_from(name);
            return;
        }
        (false, "path", Value::Text(path)) => {
            device.name.path.clone_from(path);
            return;
        }
        (false, "rd.bytes", _) => DiskRead,
        (false, "rd.reqs", _) => DiskReads,
        (false, "wr.bytes", _) => DiskWritten,
        (false, "wr.reqs", _) => DiskWrites,
        (true, "rx.bytes", _) => NetworkReceived,
        (true, "rx.pkts", _) => NetworkPacketsReceived,
        (true, "tx.bytes", _) => NetworkTransmitted,
        (true, "tx.pkts", _) => NetworkPacketsTransmitted,
        _ => return,
    };
    if let Value::Number(value) = value {
        device.readings.add(measure, *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: &str) -> Vec<(String, Value)> {
        let value = |text: &str| text.parse().map_or_else(|_| Value::Text(text.into()), Value::Number);
        let split = |line: &str| line.trim().split_once('=').map(|(name, text)| (name.into(), value(text)));
        lines.lines().filter_map(split).collect()
    }

    fn shown(readings: &Readings) -> Vec<(&'static str, f64)> {
        readings.iter().map(|(measure, value)| (measure.name(), value)).collect()
    }

    /// As `virsh domstats` prints it of a machine of QEMU with two disks and an interface.
    const RUNNING: &str = "
        state.state=1
        state.reason=1
        cpu.time=2500000000
        cpu.user=1200000000
        cpu.system=300000000
        balloon.current=98304
        balloon.maximum=98304
        balloon.available=81920
        balloon.unused=40960
        balloon.usable=61440
        vcpu.current=2
        vcpu.maximum=16
        vcpu.0.state=1
        vcpu.0.time=2400000000
        net.count=1
        net.0.name=vnet3
        net.0.rx.bytes=1000
        net.0.rx.pkts=10
        net.0.rx.errs=0
        net.0.tx.bytes=2000
        net.0.tx.pkts=20
        block.count=2
        block.0.name=vda
        block.0.path=/volumes/occi-1
        block.0.rd.reqs=3
        block.0.rd.bytes=4096
        block.0.rd.times=77
        block.0.wr.reqs=1
        block.0.wr.bytes=512
        block.1.name=vdb
        block.1.path=/volumes/occi-2
        block.1.rd.reqs=5
        block.1.rd.bytes=10000
        block.1.wr.reqs=0
        block.1.wr.bytes=0";

    #[test]
    fn a_machine_is_read_in_base_units_and_its_devices_are_summed_up() {
        let read = read(&told(RUNNING)).unwrap();
        let expected = [
            ("cpu_seconds_total", 2.5),
            ("vcpus", 2.0),
            ("memory_bytes", f64::from(96 << 20)),
            ("memory_used_bytes", f64::from(20 << 20)),
            ("disk_read_bytes_total", 14096.0),
            ("disk_written_bytes_total", 512.0),
            ("disk_reads_total", 8.0),
            ("disk_writes_total", 1.0),
            ("network_received_bytes_total", 1000.0),
            ("network_transmitted_bytes_total", 2000.0),
            ("network_received_packets_total", 10.0),
            ("network_transmitted_packets_total", 20.0),
        ];
        assert_eq!(shown(&read.whole), expected);
        let names: Vec<_> =
            read.devices.iter().map(|device| (&*device.name.target, &*device.name.path)).collect();
        assert_eq!(names, [("vnet3", ""), ("vda", "/volumes/occi-1"), ("vdb", "/volumes/occi-2")]);
        assert_eq!(
            shown(&read.devices[2].readings),
            [
                ("disk_read_bytes_total", 10000.0),
                ("disk_written_bytes_total", 0.0),
                ("disk_reads_total", 5.0),
                ("disk_writes_total", 0.0)
            ]
        );
        assert_eq!(read.devices[0].readings.get(NetworkReceived), Some(1000.0));
        assert_eq!(read.devices[0].readings.get(CpuSeconds), None);
    }

    #[test]
    fn what_is_not_told_is_not_there() {
        let only = |lines: &str| shown(&read(&told(lines)).unwrap().whole);
        assert_eq!(only("state.state=3"), [], "libvirt's test driver");
        // One to which something is being done: its disks have names alone. The guest system says nothing of its memory.
        let busy = "state.state=1\nvcpu.current=1\nballoon.current=1\nblock.count=1\nblock.0.name=vda";
        assert_eq!(only(busy), [("vcpus", 1.0), ("memory_bytes", 1024.0)]);
        assert_eq!(read(&told(busy)).unwrap().devices.len(), 1);
        let unknown = "block.count=1\nblock.0.name=vda\nblock.0.rd.bytes=-1\nblock.0.wr.bytes=7";
        assert_eq!(only(unknown), [("disk_written_bytes_total", 7.0)]);
        let unused = "balloon.available=4\nballoon.unused=1";
        assert_eq!(only(unused), [("memory_used_bytes", 3072.0)]);
        assert_eq!(only("cpu.time=x\nvcpu.current=y"), []);
        assert_eq!(read(&told("state.state=5\nvcpu.current=2")), None, "it has no power any more");
    }

    #[test]
    fn places_that_cannot_be_are_nobodys() {
        let read =
            read(&told("block.7.name=vda\nblock.x.name=vdb\nnet.0.rx.bytes=1\nblock.count=9")).unwrap();
        assert_eq!(read.devices, []);
        assert_eq!(read.whole, Readings::default());
    }

    #[test]
    fn each_name_says_its_unit_and_whether_it_is_counted() {
        for (place, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(measure as usize, place);
            assert_eq!(measure.name().ends_with("_total"), measure.is_counted(), "{measure:?}");
        }
    }
}

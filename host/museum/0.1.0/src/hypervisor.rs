//! Machines, volumes and networks.

use crate::Report;
use crate::bindings::occi::extension::types::{End, Fault};
use crate::bindings::occi::extension::{machines, networks, volumes};

const GIB: u64 = 1 << 30;

/// All that there is, of the subject's own.
pub(crate) fn tour(report: &mut Report) -> Result<(), Fault> {
    let network = network(report)?;
    let volume = report.answer("volume.create", volumes::Volume::create(End::Subject, GIB))?;
    report.answer("volume.open", volumes::Volume::open(End::Subject))?;
    report.answer("volume.resize", volume.resize(2 * GIB))?;
    report.say("volume.capacity", volume.capacity()?);

    let machine = report.answer("machine.define", machines::Machine::define(End::Subject, &plan()))?;
    report.answer("machine.open", machines::Machine::open(End::Subject))?;
    report.say("machine.attach-volume", machine.attach_volume(&volume)?);
    // One subject has one attachment.
    report.answer("machine.detach-volume", machine.detach_volume(&volume))?;
    let nic = report
        .answer("machine.attach-network", machine.attach_network(&network, Some("52:54:00:00:00:07")))?;
    report.say("nic", format_args!("{} {}", nic.device(), nic.mac()));
    _ = report.answer("machine.reserve-address", machine.reserve_address(&network, Some("192.168.7.9")));
    network.up()?;
    life(report, &machine)?;
    report.answer("machine.detach-network", machine.detach_network(&network))?;
    report.answer("machine.remove", machine.remove())?;
    report.answer("volume.remove", volume.remove())?;
    report.answer("network.down", network.down())?;
    report.answer("network.remove", network.remove())?;
    Ok(())
}

fn network(report: &mut Report) -> Result<networks::Network, Fault> {
    let plan = networks::Plan::new();
    plan.vlan(7);
    plan.address("192.168.7.0/24");
    plan.gateway("192.168.7.1");
    plan.dhcp(true);
    plan.title("an exhibit");
    let network = report.answer("network.define", networks::Network::define(End::Subject, &plan))?;
    report.answer("network.open", networks::Network::open(End::Subject))?;
    report.answer("network.up", network.up())?;
    report.say("network.active", network.active()?);
    Ok(network)
}

fn plan() -> machines::Plan {
    let plan = machines::Plan::new();
    plan.cores(2);
    plan.memory(GIB);
    plan.shares(100);
    plan.architecture("x86_64");
    plan.hostname("exhibit.example.com");
    plan.title("an exhibit");
    plan
}

fn life(report: &mut Report, machine: &machines::Machine) -> Result<(), Fault> {
    report.say("machine.state", machine.state()?);
    report.answer("machine.start", machine.start())?;
    report.say("machine.reason", machine.reason()?);
    report.answer("machine.pause", machine.pause())?;
    report.answer("machine.start", machine.start())?;
    report.answer("machine.snapshot", machine.snapshot("first"))?;
    report.answer("machine.save", machine.save())?;
    report.answer("machine.start", machine.start())?;
    _ = report.answer("machine.reboot", machine.reboot());
    _ = report.answer("machine.reset", machine.reset());
    report.answer("machine.start", machine.start())?;
    report.answer("machine.shutdown", machine.shutdown(1000))?;
    report.answer("machine.power-off", machine.power_off())?;
    Ok(())
}

/// What a link's ends have, which is nothing.
pub(crate) fn ends(report: &mut Report) {
    _ = report.answer("source", machines::Machine::open(End::Source));
    _ = report.answer("target", volumes::Volume::open(End::Target));
}

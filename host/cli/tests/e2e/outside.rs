//! What happens to computes on QEMU without the server's doing: by their guest systems, by an operator, by the kernel.

use crate::qemu::{Qemu, domain, process};
use rustix::process::{Signal, kill_process};

const DESTROYED: (&str, &str) = ("inactive", "the machine is off (destroyed)");
const GONE: (&str, &str) = ("error", "the hypervisor has no such machine");

/// INF-04: `occi.compute.state` and its message follow a system that powers itself off.
#[test]
fn a_system_that_powers_itself_off() {
    let Some(qemu) = Qemu::start() else { return };
    let compute = qemu.running("echo by myself; echo; sleep 1; poweroff -f");
    qemu.server.prints(&compute, "OCCI guest runs: by myself");
    qemu.is_soon(
        &compute,
        "a second before the system powers off",
        ("inactive", "the machine is off (shutdown)"),
    );
    assert_eq!(process(&compute), None);
    assert_eq!(qemu.server.get(&compute).answers(200).actions(), ["start"]);
    qemu.server.delete(&compute).answers(200);
}

/// INF-04: and a machine that an operator destroys.
#[test]
fn a_machine_that_is_destroyed() {
    let Some(qemu) = Qemu::start() else { return };
    let compute = qemu.running("true");
    qemu.virsh(&["destroy", &domain(&compute)]);
    qemu.is_soon(&compute, "virsh destroy", DESTROYED);
    qemu.server.act(&compute, "start", &[]).is(200);
    qemu.boots(&compute, 2);
    qemu.server.delete(&compute).answers(200);
}

/// INF-04: and one that an operator undefines: at once where it is off, and when it has ended where it runs.
#[test]
fn a_machine_that_is_undefined() {
    let Some(qemu) = Qemu::start() else { return };
    let (off, on) = (qemu.compute("true"), qemu.running("true"));
    qemu.virsh(&["undefine", &domain(&off)]);
    qemu.is_soon(&off, "virsh undefine", GONE);
    qemu.virsh(&["undefine", &domain(&on)]);
    qemu.server.act(&on, "suspend", &[]).is(200);
    qemu.server.act(&on, "start", &[]).is(200);
    assert_eq!(qemu.state(&on).0, "active", "it runs on");
    qemu.virsh(&["destroy", &domain(&on)]);
    qemu.is_soon(&on, "virsh destroy of an undefined one", GONE);
    for compute in [&off, &on] {
        qemu.server.act(compute, "start", &[]).is(200);
        assert_eq!(qemu.state(compute), (GONE.0.to_owned(), GONE.1.to_owned()), "it is not made again");
        qemu.server.delete(compute).answers(200);
    }
}

/// INF-04: and one whose process is killed; it can be started again.
#[test]
fn a_machine_whose_process_is_killed() {
    let Some(qemu) = Qemu::start() else { return };
    let compute = qemu.running("true");
    kill_process(process(&compute).unwrap(), Signal::KILL).unwrap();
    qemu.is_soon(&compute, "the kill", ("error", "the machine is crashed (crashed)"));
    assert_eq!(qemu.server.get(&compute).answers(200).actions(), ["start", "stop"]);
    // It has no power that could be taken away.
    let answer = qemu.server.act(&compute, "stop", &[]).is(409);
    assert!(answer.body.contains("start it, or delete it"), "{answer}");
    qemu.server.act(&compute, "start", &[]).is(200);
    qemu.boots(&compute, 2);
    assert_eq!(qemu.state(&compute).0, "active");
    qemu.server.delete(&compute).answers(200);
}

//! Guest systems that panic.

use crate::occi::body;
use crate::qemu::{Qemu, domain, process};
use crate::server::eventually;

const PANICKED: (&str, &str) =
    ("error", "the guest system panicked, and the machine stands still: start it, or power it off");

/// A script by which a system panics a second after it was up.
const PANIC: &str = "sleep 1; echo c >/proc/sysrq-trigger";

/// INF-04, and the state diagram's way from active to error: the compute says that its system has panicked. It can be started,
/// stopped and deleted.
#[test]
fn a_system_that_panics_is_seen() {
    let Some(mut qemu) = Qemu::start() else { return };
    let compute = qemu.running(PANIC);
    qemu.is_soon(&compute, "a second before the panic", PANICKED);
    assert_eq!(qemu.virsh(&["domstate", "--reason", &domain(&compute)]), "crashed (panicked)");
    assert_eq!(qemu.server.get(&compute).answers(200).actions(), ["start", "stop"]);
    // As it is for whoever looks into it.
    let before = process(&compute);
    assert!(before.is_some());
    for method in ["graceful", "acpioff"] {
        let answer = qemu.server.act(&compute, "stop", &[&format!("method={method:?}")]).is(409);
        assert!(answer.body.contains("poweroff"), "{answer}");
    }
    qemu.server.kill_and_restart();
    assert_eq!(qemu.state(&compute), (PANICKED.0.to_owned(), PANICKED.1.to_owned()));

    let answer = qemu.server.act(&compute, "start", &[]).is(200);
    assert_eq!(answer.attribute("occi.compute.state"), Some("\"active\""), "{answer}");
    assert_ne!(process(&compute), before);
    for (times, parameters) in [(2, &[][..]), (3, &["method=\"poweroff\""])] {
        qemu.boots(&compute, times);
        qemu.is_soon(&compute, "a second before the panic", PANICKED);
        qemu.server.act(&compute, "stop", parameters).is(200);
        assert_eq!(qemu.state(&compute), ("inactive".into(), "the machine is off (destroyed)".into()));
        assert_eq!(process(&compute), None);
        qemu.server.act(&compute, "start", &[]).is(200);
    }
    qemu.boots(&compute, 4);
    qemu.is_soon(&compute, "a second before the panic", PANICKED);
    qemu.server.delete(&compute).answers(200);
    assert_eq!(process(&compute), None);
    assert_eq!(qemu.server.at_hypervisor("machines", &compute, "state"), None);
}

/// A machine that was defined before there were panic devices goes on as it did: its kernel begins anew (`panic=1`). It has one from
/// its next definition on.
#[test]
fn a_machine_without_a_panic_device_goes_on() {
    let Some(qemu) = Qemu::start() else { return };
    let compute = qemu.compute(PANIC);
    let definition = qemu.virsh(&["dumpxml", "--inactive", &domain(&compute)]);
    let mut older = definition;
    for newer in ["<panic model='isa'/>", "<on_crash>preserve</on_crash>"] {
        assert!(older.contains(newer), "{older}");
        older = older.replace(newer, "");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, older).unwrap();
    qemu.virsh(&["define", file.path().to_str().unwrap()]);
    let has_device = || qemu.virsh(&["dumpxml", "--inactive", &domain(&compute)]).contains("<panic");
    assert!(!has_device());

    // A start with what its system is told is a definition, so an operator starts it.
    qemu.virsh(&["start", &domain(&compute)]);
    qemu.says(&compute, "OCCI guest up", 3);
    assert_eq!(qemu.state(&compute).0, "active");

    qemu.server.post(&compute).text(body(&[], &["occi.core.title=\"newer\""])).answers(200);
    assert!(has_device());
    qemu.server.act(&compute, "restart", &["method=\"cold\""]).is(200);
    eventually("its panic is seen", || qemu.state(&compute).1 == PANICKED.1);
    qemu.server.delete(&compute).answers(200);
}

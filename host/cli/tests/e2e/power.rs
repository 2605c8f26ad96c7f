//! How computes on QEMU are stopped and restarted: what their guest systems hear, and what becomes of those that do not listen.

use crate::qemu::{Qemu, domain, process};
use rustix::process::Pid;

const OFF: (&str, &str) = ("inactive", "the machine is off (shutdown)");

fn is(seen: &(String, String), (state, message): (&str, &str)) -> bool {
    (seen.0.as_str(), seen.1.as_str()) == (state, message)
}

/// INF-05: `stop` with the methods `graceful` and `acpioff`: the system hears its power button, and shuts down by itself.
#[test]
fn a_system_that_listens_shuts_down() {
    let Some(qemu) = Qemu::start() else { return };
    let compute = qemu.running("true");
    for method in ["acpioff", "graceful"] {
        qemu.server.act(&compute, "stop", &[&format!("method={method:?}")]).is(200);
        assert!(is(&qemu.state(&compute), OFF), "{method}: {:?}", qemu.state(&compute));
        qemu.server.prints(&compute, "OCCI guest: powering off");
        assert_eq!(process(&compute), None);
        if method == "acpioff" {
            qemu.server.act(&compute, "start", &[]).is(200);
            qemu.boots(&compute, 2);
        }
    }
    qemu.server.delete(&compute).answers(200);
}

/// INF-05: `stop` with the methods `graceful` and `acpioff` asks and does no more: a system that does not listen runs on, and the
/// client is told so.
#[test]
fn a_system_that_does_not_listen_runs_on() {
    let Some(qemu) = Qemu::start() else { return };
    let computes = ["graceful", "acpioff"].map(|method| (method, qemu.deaf()));
    std::thread::scope(|scope| {
        for (method, compute) in &computes {
            let qemu = &qemu;
            scope.spawn(move || {
                let before = process(compute);
                let answer = qemu.server.act(compute, "stop", &[&format!("method={method:?}")]).is(409);
                for said in ["did not shut down within 25 s", "it runs on", "poweroff"] {
                    assert!(answer.body.contains(said), "{method}: {answer}");
                }
                assert_eq!(qemu.state(compute).0, "active");
                assert_eq!(qemu.virsh(&["domstate", &domain(compute)]), "running");
                assert!(before.is_some() && process(compute) == before);
            });
        }
    });
    qemu.server.delete("/").answers(200);
}

/// INF-05: `stop` without a method insists.
#[test]
fn a_stop_without_a_method_takes_the_power_of_a_system_that_does_not_listen() {
    let Some(qemu) = Qemu::start() else { return };
    let compute = qemu.deaf();
    let answer = qemu.server.act(&compute, "stop", &[]).is(200);
    assert_eq!(answer.attribute("occi.compute.state"), Some("\"inactive\""), "{answer}");
    assert_eq!(qemu.state(&compute).1, "the machine is off (destroyed)");
    assert_eq!(process(&compute), None);
    qemu.server.delete(&compute).answers(200);
}

/// INF-05: after `restart` the system has booted again, by each method; only a cold one takes the power away.
#[test]
fn a_restarted_system_boots_again() {
    let Some(qemu) = Qemu::start() else { return };
    let compute = qemu.running("true");
    let mut before = process(&compute).unwrap();
    for (times, method) in (2..).zip([Some("graceful"), Some("warm"), None, Some("cold")]) {
        // What it does last, when it listens to its power button.
        qemu.says(&compute, "OCCI guest sees disks", times - 1);
        let method = method.map(|method| format!("method={method:?}"));
        let answer =
            qemu.server.act(&compute, "restart", &method.as_deref().into_iter().collect::<Vec<_>>()).is(200);
        assert_eq!(answer.attribute("occi.compute.state"), Some("\"active\""), "{method:?}: {answer}");
        qemu.boots(&compute, times);
        let after: Pid = process(&compute).unwrap();
        let is_cold = method.as_deref() == Some("method=\"cold\"");
        assert_eq!(after != before, is_cold, "{method:?}: {before:?}, then {after:?}");
        before = after;
    }
    qemu.server.delete(&compute).answers(200);
}

/// INF-05: a graceful `restart` that the system does not do is told to the client, and the compute runs on; a cold one asks nobody.
#[test]
fn a_system_that_does_not_restart_runs_on() {
    let Some(qemu) = Qemu::start() else { return };
    let computes = [Some("graceful"), None].map(|method| (method, qemu.deaf()));
    std::thread::scope(|scope| {
        for (method, compute) in &computes {
            let qemu = &qemu;
            scope.spawn(move || {
                let before = process(compute);
                let method = method.map(|method| format!("method={method:?}"));
                let parameters: Vec<_> = method.as_deref().into_iter().collect();
                let answer = qemu.server.act(compute, "restart", &parameters).is(409);
                for said in ["did not restart within 25 s", "it runs on", "cold"] {
                    assert!(answer.body.contains(said), "{method:?}: {answer}");
                }
                assert_eq!(qemu.state(compute).0, "active");
                assert_eq!(qemu.virsh(&["domstate", &domain(compute)]), "running");
                assert!(before.is_some() && process(compute) == before);
            });
        }
    });
    let (_, compute) = &computes[0];
    qemu.server.act(compute, "restart", &["method=\"cold\""]).is(200);
    qemu.boots(compute, 2);
    qemu.server.delete("/").answers(200);
}

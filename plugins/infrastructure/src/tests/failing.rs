//! Computes whose guest systems do not listen, or fail, and steps that do.

use super::*;

#[test]
fn a_guest_system_that_does_not_listen_runs_on_unless_the_method_is_left_open() {
    let cloud = Cloud::new();
    for way in ["graceful", "acpioff"] {
        let mut compute = running(&cloud);
        cloud.meddle(&compute, |machine| machine.deaf = true);
        let before = compute.clone();
        let fault = cloud.act(&mut compute, "stop", method(way)).unwrap_err();
        assert_eq!(fault.code, "conflict");
        assert!(fault.message.contains("poweroff"), "{}", fault.message);
        assert_eq!(compute, before);
        assert_eq!(cloud.machine(&compute).unwrap().state, "running");
    }
    let mut compute = running(&cloud);
    cloud.meddle(&compute, |machine| machine.deaf = true);
    cloud.act(&mut compute, "stop", none()).unwrap();
    assert_eq!(state(&compute), ("inactive", "the machine is off (destroyed)"));
}

#[test]
fn a_guest_system_that_does_not_restart_runs_on() {
    let cloud = Cloud::new();
    for with in [none(), method("graceful"), method("warm")] {
        let mut compute = running(&cloud);
        cloud.meddle(&compute, |machine| machine.deaf = true);
        let before = compute.clone();
        let fault = cloud.act(&mut compute, "restart", with).unwrap_err();
        assert_eq!(fault.code, "conflict");
        assert!(fault.message.contains("cold"), "{}", fault.message);
        assert_eq!(compute, before);
        cloud.act(&mut compute, "restart", method("cold")).unwrap();
        assert_eq!(state(&compute), ("active", "the machine is running (booted)"));
    }
}

#[test]
fn a_cold_restart_takes_the_power_away_and_gives_it_again() {
    let cloud = Cloud::new();
    let mut compute = running(&cloud);
    cloud.calls();
    cloud.act(&mut compute, "restart", method("cold")).unwrap();
    assert_eq!(cloud.calls(), ["machine.power-off", "machine.start"]);
    assert_eq!(state(&compute), ("active", "the machine is running (booted)"));
    // One that cannot be started again is off.
    cloud.fail("machine.start", Fault::failed("no memory is left"));
    cloud.act(&mut compute, "restart", method("cold")).unwrap();
    assert_eq!(state(&compute), ("inactive", "no memory is left"));
}

/// A compute whose guest system has panicked.
fn panicked(cloud: &Cloud) -> Entity {
    let mut compute = running(cloud);
    cloud.meddle(&compute, |it| (it.state, it.reason) = ("crashed".into(), "panicked".into()));
    cloud.observe(&mut compute, Cause::Event).unwrap();
    assert_eq!(compute.state.as_deref(), Some("error"));
    cloud.calls();
    compute
}

#[test]
fn a_machine_whose_guest_system_panicked_is_started_stopped_and_deleted() {
    let cloud = Cloud::new();
    let mut compute = panicked(&cloud);
    cloud.act(&mut compute, "start", none()).unwrap();
    assert_eq!(state(&compute), ("active", "the machine is running (booted)"));
    for with in [none(), method("poweroff")] {
        let mut compute = panicked(&cloud);
        cloud.act(&mut compute, "stop", with).unwrap();
        assert_eq!(cloud.calls(), ["machine.power-off"], "nobody is asked who cannot hear");
        assert_eq!(state(&compute), ("inactive", "the machine is off (destroyed)"));
    }
    for way in ["graceful", "acpioff"] {
        let mut compute = panicked(&cloud);
        let fault = cloud.act(&mut compute, "stop", method(way)).unwrap_err();
        assert_eq!(fault.code, "conflict");
        assert!(fault.message.contains("poweroff"), "{}", fault.message);
        assert_eq!(cloud.calls(), [""; 0]);
    }
    cloud.delete(&compute).unwrap();
    assert!(cloud.machine(&compute).is_none());
}

#[test]
fn a_step_that_fails_without_an_effect_changes_nothing() {
    let cloud = Cloud::new();
    for (call, action, with) in [
        ("machine.start", "start", none()),
        ("machine.power-off", "stop", method("poweroff")),
        ("machine.shutdown", "stop", none()),
        ("machine.restart", "restart", none()),
        ("machine.power-off", "restart", method("cold")),
        ("machine.pause", "suspend", none()),
        ("machine.save", "suspend", method("hibernate")),
        ("images.make", "save", none()),
    ] {
        let mut compute = if action == "start" { compute(&cloud) } else { running(&cloud) };
        let before = (compute.clone(), cloud.machine(&compute));
        cloud.fail(call, Fault::unavailable("the hypervisor does not answer"));
        assert_eq!(refusal(cloud.act(&mut compute, action, with)), pair("unavailable", ""), "{call}");
        assert_eq!((compute.clone(), cloud.machine(&compute)), before, "{call}");
    }
}

#[test]
fn a_step_that_breaks_the_machine_leads_to_error_and_says_why() {
    // The diagram: start, stop and suspend may end in 'error'.
    let cloud = Cloud::new();
    let mut compute = running(&cloud);
    cloud.meddle(&compute, |machine| machine.state = "crashed".into());
    cloud.fail("machine.pause", Fault::failed("the machine broke down"));
    cloud.act(&mut compute, "suspend", none()).unwrap();
    assert_eq!(state(&compute), ("error", "the machine broke down"));
}

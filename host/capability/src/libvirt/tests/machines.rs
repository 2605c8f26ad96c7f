//! A machine's life.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_goes_through_its_life_and_each_step_may_be_repeated() {
    let private = private().await;
    let machine = private.hypervisor.machine(id(1));
    assert_eq!(code(machine.state().await), Err("missing"));
    assert_eq!(code(machine.start().await), Err("missing"));
    for _ in 0..2 {
        machine.define(MachinePlan::default()).await.unwrap();
    }
    assert_eq!(machine.state().await, Ok(State::Off));

    for (step, wanted) in [
        ("start", State::Running),
        ("pause", State::Paused),
        ("start", State::Running),
        ("save", State::Saved),
        ("start", State::Running),
        ("shutdown", State::Off),
        ("start", State::Running),
        ("power off", State::Off),
        ("start", State::Running),
        ("save", State::Saved),
        ("power off", State::Off),
    ] {
        for _ in 0..2 {
            match step {
                "start" => machine.start().await,
                "pause" => machine.pause().await,
                "save" => machine.save().await,
                "shutdown" => machine.shutdown(Duration::from_secs(5)).await,
                _ => machine.power_off().await,
            }
            .unwrap_or_else(|error| panic!("{step}: {error}"));
            assert_eq!(machine.state().await, Ok(wanted), "after {step}");
        }
    }
    for _ in 0..2 {
        machine.remove().await.unwrap();
    }
    assert_eq!(code(machine.exists().await), Err("missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_of_a_state_is_the_hypervisors() {
    let private = private().await;
    let machine = private.hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    machine.start().await.unwrap();
    assert_eq!(machine.reason().await.as_deref(), Ok("booted"));
    machine.power_off().await.unwrap();
    assert_eq!(machine.reason().await.as_deref(), Ok("destroyed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_the_state_does_not_allow_is_a_conflict() {
    let private = private().await;
    let machine = private.hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    assert_eq!(code(machine.pause().await), Err("conflict"));
    assert_eq!(code(machine.save().await), Err("conflict"));
    assert_eq!(code(machine.reset().await), Err("conflict"));
    assert_eq!(code(machine.restart(Duration::from_secs(5)).await), Err("conflict"));
    machine.start().await.unwrap();
    machine.pause().await.unwrap();
    assert_eq!(code(machine.shutdown(Duration::from_secs(5)).await), Err("conflict"));
    assert_eq!(code(machine.restart(Duration::from_secs(5)).await), Err("conflict"));
    machine.save().await.unwrap();
    assert_eq!(code(machine.shutdown(Duration::from_secs(5)).await), Err("conflict"));
    assert_eq!(code(machine.pause().await), Err("conflict"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_machine_restarts_and_is_snapshot() {
    let private = private().await;
    let machine = private.hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    machine.start().await.unwrap();
    machine.reboot().await.unwrap();
    machine.restart(Duration::from_secs(5)).await.unwrap();
    machine.reset().await.unwrap();
    for _ in 0..2 {
        machine.snapshot("before upgrade").await.unwrap();
    }
    assert_eq!(machine.state().await, Ok(State::Running));
    for wrong in ["", "../x", ".x", "a\0b", &"x".repeat(65)] {
        assert_eq!(code(machine.snapshot(wrong).await), Err("invalid"), "{wrong:?}");
    }
    machine.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_plan_keeps_the_state_and_what_is_attached() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, volume, network) =
        (hypervisor.machine(id(1)), hypervisor.volume(id(2)), hypervisor.network(id(3)));
    machine.define(MachinePlan { cores: Some(1), ..MachinePlan::default() }).await.unwrap();
    volume.create(1 << 20).await.unwrap();
    network.define(NetworkPlan::default()).await.unwrap();
    network.up().await.unwrap();
    machine.start().await.unwrap();
    let target = machine.attach_volume(id(4), id(2)).await.unwrap();
    let nic = machine.attach_network(id(5), id(3), None).await.unwrap();

    machine
        .define(MachinePlan { cores: Some(3), hostname: Some("web".into()), ..MachinePlan::default() })
        .await
        .unwrap();

    assert_eq!(machine.state().await, Ok(State::Running));
    let defined = definition(&machine).await;
    assert!(defined.contains("current='3'"), "{defined}");
    assert_eq!(machine.attach_volume(id(4), id(2)).await, Ok(target));
    assert_eq!(machine.attach_network(id(5), id(3), None).await, Ok(nic));
    assert_eq!(defined.matches("<disk").count(), 1, "{defined}");
    assert_eq!(defined.matches("<interface").count(), 1, "{defined}");
}

/// A file that stays behind is the operator's to see; the machine is gone, and so the client is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_console_log_cannot_be_removed_is_removed() {
    let folder = tempfile::TempDir::new().unwrap();
    let console = folder.path().to_path_buf();
    // No file can be removed at the path of a folder.
    std::fs::create_dir(console.join(format!("{}.log", id(70)))).unwrap();
    std::fs::write(console.join(format!("{}.log", id(71))), "hello").unwrap();
    let config = HypervisorConfig { console: Some(console.clone()), ..HypervisorConfig::default() };
    let hypervisor = Hypervisor::open(config).await.unwrap();
    for entity in [id(70), id(71)] {
        let machine = hypervisor.machine(entity);
        machine.define(MachinePlan::default()).await.unwrap();
        for _ in 0..2 {
            machine.remove().await.unwrap();
        }
        assert_eq!(code(machine.exists().await), Err("missing"));
    }
    assert!(!console.join(format!("{}.log", id(71))).exists());
}

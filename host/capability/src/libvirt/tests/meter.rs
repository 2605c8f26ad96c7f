//! What machines use. The test driver makes its figures up, so what they are is QEMU's to show.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_uses_something_while_it_has_power() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let machine = hypervisor.machine(id(1));
    assert_eq!(code(machine.usage().await), Err("missing"));
    machine.define(MachinePlan { memory: Some(64 << 20), ..MachinePlan::default() }).await.unwrap();
    assert_eq!(machine.usage().await, Ok(Usage::default()));

    machine.start().await.unwrap();
    let bare = machine.usage().await.unwrap();
    assert!(bare.cpu_time > Duration::ZERO, "{bare:?}");
    assert_eq!(bare, Usage { cpu_time: bare.cpu_time, memory: 64 << 20, ..Usage::default() });
    machine.pause().await.unwrap();
    assert_eq!(machine.usage().await.unwrap().memory, 64 << 20);
    machine.save().await.unwrap();
    assert_eq!(machine.usage().await, Ok(Usage::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_device_counts_what_it_has_done() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    hypervisor.volume(id(2)).create(512).await.unwrap();
    machine.attach_volume(id(12), id(2)).await.unwrap();
    machine.start().await.unwrap();
    let disk = machine.usage().await.unwrap();
    assert!(disk.disk_read > 0 && disk.disk_written > 0, "{disk:?}");
    assert_eq!((disk.network_received, disk.network_sent), (0, 0));

    machine.power_off().await.unwrap();
    let network = hypervisor.network(id(3));
    network.define(NetworkPlan::default()).await.unwrap();
    network.up().await.unwrap();
    machine.attach_network(id(13), id(3), None).await.unwrap();
    machine.start().await.unwrap();
    let both = machine.usage().await.unwrap();
    assert!(both.disk_read > 0 && both.network_received > 0 && both.network_sent > 0, "{both:?}");
}

//! What links attach to machines.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn attachments_are_found_again_and_free_their_places() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    for running in [false, true] {
        if running {
            machine.start().await.unwrap();
        }
        assert_eq!(code(machine.attach_volume(id(11), id(21)).await), Err("missing"));
        for volume in [21, 22] {
            hypervisor.volume(id(volume)).create(512).await.unwrap();
        }
        assert_eq!(machine.attach_volume(id(11), id(21)).await.as_deref(), Ok("vda"));
        assert_eq!(machine.attach_volume(id(12), id(22)).await.as_deref(), Ok("vdb"));
        assert_eq!(machine.attach_volume(id(11), id(21)).await.as_deref(), Ok("vda"));
        // One volume is not two disks, and one link is not two attachments.
        assert_eq!(code(machine.attach_volume(id(13), id(21)).await), Err("conflict"));
        assert_eq!(code(machine.attach_volume(id(11), id(22)).await), Err("conflict"));
        assert_eq!(code(hypervisor.volume(id(21)).remove().await), Err("conflict"));
        for _ in 0..2 {
            machine.detach_volume(id(11), id(21), false).await.unwrap();
        }
        assert_eq!(machine.attach_volume(id(14), id(21)).await.as_deref(), Ok("vda"));
        for (attachment, volume) in [(12, 22), (14, 21)] {
            // Another volume is not the one that is attached.
            machine.detach_volume(id(attachment), id(99), false).await.unwrap();
            assert!(machine.attach_volume(id(attachment), id(volume)).await.is_ok());
            machine.detach_volume(id(attachment), id(volume), false).await.unwrap();
        }
        // The test driver runs a machine with the disks that it was started with.
        if running {
            machine.power_off().await.unwrap();
        }
        for volume in [21, 22] {
            hypervisor.volume(id(volume)).remove().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interfaces_have_the_address_that_was_asked_for_or_one_of_their_own() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    assert_eq!(code(machine.attach_network(id(11), id(21), None).await), Err("missing"));
    hypervisor.network(id(21)).define(NetworkPlan::default()).await.unwrap();

    let made = machine.attach_network(id(11), id(21), None).await.unwrap();
    assert_eq!((made.device.as_str(), &made.mac), ("eth0", &name::mac(id(11))));
    let chosen = machine.attach_network(id(12), id(21), Some("52:54:00:AA:BB:CC")).await.unwrap();
    assert_eq!((chosen.device.as_str(), chosen.mac.as_str()), ("eth1", "52:54:00:aa:bb:cc"));
    assert_eq!(machine.attach_network(id(12), id(21), None).await, Ok(chosen));

    machine.detach_network(id(11), id(21), false).await.unwrap();
    machine.detach_network(id(11), id(21), false).await.unwrap();
    let again = machine.attach_network(id(13), id(21), None).await.unwrap();
    assert_eq!(again.device, "eth0");
    assert_eq!(code(machine.attach_network(id(14), id(21), Some("no")).await), Err("invalid"));

    // An address is one interface's in a network, and may be another's in the next.
    let other = hypervisor.machine(id(2));
    other.define(MachinePlan::default()).await.unwrap();
    hypervisor.network(id(22)).define(NetworkPlan::default()).await.unwrap();
    for (machine, attachment) in [(&machine, 14), (&other, 15)] {
        for taken in [name::mac(id(13)), "52:54:00:aa:bb:cc".into()] {
            let refused = machine.attach_network(id(attachment), id(21), Some(&taken)).await;
            assert_eq!(code(refused), Err("conflict"), "{taken}");
        }
    }
    other.attach_network(id(15), id(22), Some("52:54:00:aa:bb:cc")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_machine_is_given_devices_and_loses_them() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let machine = hypervisor.machine(id(1));
    machine.define(MachinePlan::default()).await.unwrap();
    for volume in [21, 22] {
        hypervisor.volume(id(volume)).create(512).await.unwrap();
    }
    machine.attach_volume(id(11), id(21)).await.unwrap();
    machine.start().await.unwrap();
    machine.save().await.unwrap();
    assert_eq!(machine.attach_volume(id(12), id(22)).await.as_deref(), Ok("vdb"));
    assert_eq!(machine.attach_volume(id(11), id(21)).await.as_deref(), Ok("vda"));
    machine.detach_volume(id(11), id(21), false).await.unwrap();
    assert_eq!(machine.state().await, Ok(State::Saved));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_attach_to_one_machine_at_once_and_none_is_lost() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    hypervisor.machine(id(1)).define(MachinePlan::default()).await.unwrap();
    let attaching: Vec<_> = (0..8)
        .map(|number| {
            let hypervisor = hypervisor.clone();
            tokio::spawn(async move {
                hypervisor.volume(id(100 + number)).create(512).await?;
                hypervisor.machine(id(1)).attach_volume(id(200 + number), id(100 + number)).await
            })
        })
        .collect();
    let mut targets = Vec::new();
    for attached in attaching {
        targets.push(attached.await.unwrap().unwrap());
    }
    targets.sort();
    assert_eq!(targets, ["vda", "vdb", "vdc", "vdd", "vde", "vdf", "vdg", "vdh"]);
}

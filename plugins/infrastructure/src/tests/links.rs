//! `NetworkInterface` with ipnetworkinterface, and `StorageLink`.

use super::*;

const INTERFACE: &str = "occi.networkinterface.interface";
const MAC: &str = "occi.networkinterface.mac";
const ADDRESS: &str = "occi.networkinterface.address";
const GATEWAY: &str = "occi.networkinterface.gateway";
const DEVICE: &str = "occi.storagelink.deviceid";

#[test]
fn an_interface_shows_the_device_and_the_address_that_it_was_given() {
    // INF-03, INF-04: both have multiplicity 1, and the client gives neither.
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let (compute, network) = (compute(&cloud), network(&cloud));
        let mut link = cloud.link(NETWORK_INTERFACE, &compute, &network);
        cloud.create(&mut link).unwrap();
        assert_eq!(link.get(INTERFACE), Some("eth0".into()));
        assert_eq!(link.get(MAC), Some("52:54:00:00:00:00".into()));
        assert_eq!(state(&link), ("inactive", ""));
        assert_eq!(cloud.machine(&compute).unwrap().interfaces[&link.id].network, network.id);
    }
}

#[test]
fn the_hardware_address_is_the_clients_where_it_gives_one() {
    let cloud = Cloud::new();
    let (compute, network) = (running(&cloud), network(&cloud));
    let mut link = cloud.link(NETWORK_INTERFACE, &compute, &network).with(MAC, "52:54:00:AA:BB:CC");
    cloud.create(&mut link).unwrap();
    assert_eq!(link.get(MAC), Some("52:54:00:AA:BB:CC".into()));
    assert_eq!(state(&link), ("active", ""));

    cloud.update(&mut link, [(MAC, "52:54:00:11:22:33")]).unwrap();
    assert_eq!(link.get(MAC), Some("52:54:00:11:22:33".into()));
    assert_eq!(cloud.machine(&compute).unwrap().interfaces[&link.id].mac, "52:54:00:11:22:33");

    cloud.fail("machine.attach-network", Fault::failed("the slot is taken"));
    assert_eq!(refusal(cloud.update(&mut link, [(MAC, "52:54:00:44:55:66")])), pair("failed", ""));
    assert_eq!(
        cloud.machine(&compute).unwrap().interfaces[&link.id].mac,
        "52:54:00:11:22:33",
        "it is as it was"
    );
}

#[test]
fn an_interface_goes_with_its_link() {
    let cloud = Cloud::crashing();
    let (compute, network) = (compute(&cloud), network(&cloud));
    let mut first = cloud.link(NETWORK_INTERFACE, &compute, &network);
    let mut second = cloud.link(NETWORK_INTERFACE, &compute, &network);
    cloud.create(&mut first).unwrap();
    cloud.create(&mut second).unwrap();
    assert_eq!(second.get(INTERFACE), Some("eth1".into()), "a machine may be on a network twice");
    cloud.delete(&first).unwrap();
    let machine = cloud.machine(&compute).unwrap();
    assert_eq!(machine.interfaces.keys().collect::<Vec<_>>(), [&second.id]);
    cloud.forget();
    cloud.delete(&second).unwrap();
}

#[test]
fn a_storage_link_shows_the_device() {
    // INF-03, INF-04
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let (compute, storage) = (running(&cloud), storage(&cloud));
        let mut link = cloud
            .link(STORAGE_LINK, &compute, &storage)
            .with("occi.storagelink.mountpoint", "/data")
            .with(DEVICE, "sdq");
        cloud.create(&mut link).unwrap();
        assert_eq!(link.get(DEVICE), Some("vdb".into()));
        assert_eq!(state(&link), ("active", ""));
        assert_eq!(cloud.machine(&compute).unwrap().disks[&link.id].volume, storage.id);

        cloud.update(&mut link, [("occi.storagelink.mountpoint", "/srv")]).unwrap();
        assert_eq!(refusal(cloud.update(&mut link, [(DEVICE, "vdz")])), pair("unsupported", DEVICE));
        cloud.delete(&link).unwrap();
        assert!(cloud.machine(&compute).unwrap().disks.is_empty());
        cloud.delete(&link).unwrap();
        cloud.forget();
        cloud.delete(&link).unwrap();
    }
}

#[test]
fn an_end_of_another_kind_is_refused_by_name() {
    let cloud = Cloud::new();
    let (compute, network, storage) = (compute(&cloud), network(&cloud), storage(&cloud));
    for (kind, source, target, wrong) in [
        (NETWORK_INTERFACE, &network, &network, "occi.core.source"),
        (NETWORK_INTERFACE, &storage, &network, "occi.core.source"),
        (NETWORK_INTERFACE, &compute, &storage, "occi.core.target"),
        (NETWORK_INTERFACE, &compute, &compute, "occi.core.target"),
        (STORAGE_LINK, &network, &storage, "occi.core.source"),
        (STORAGE_LINK, &compute, &network, "occi.core.target"),
    ] {
        let mut link = cloud.link(kind, source, target);
        assert_eq!(refusal(cloud.create(&mut link)), pair("invalid", wrong));
    }
    let mut foreign = cloud.link(NETWORK_INTERFACE, &compute, &network);
    foreign.target = Some("http://elsewhere.example/network/1".into());
    assert_eq!(refusal(cloud.create(&mut foreign)), pair("invalid", "occi.core.target"));
    let machine = cloud.machine(&compute).unwrap();
    assert!(machine.interfaces.is_empty() && machine.disks.is_empty());
}

#[test]
fn a_link_follows_its_machine() {
    // Its states are driven by the server, says the diagram.
    let cloud = Cloud::new();
    let (mut compute, network, storage) = (compute(&cloud), network(&cloud), storage(&cloud));
    for mut link in
        [cloud.link(NETWORK_INTERFACE, &compute, &network), cloud.link(STORAGE_LINK, &compute, &storage)]
    {
        cloud.create(&mut link).unwrap();
        for (action, expected) in
            [("start", "active"), ("suspend", "inactive"), ("start", "active"), ("stop", "inactive")]
        {
            cloud.act(&mut compute, action, none()).unwrap();
            cloud.observe(&mut link, Cause::Event).unwrap();
            assert_eq!(state(&link), (expected, ""), "after {action}");
        }
    }
}

#[test]
fn a_forgotten_attachment_is_made_again() {
    let cloud = Cloud::new();
    let (mut compute, mut network, mut storage) = (running(&cloud), network(&cloud), storage(&cloud));
    let mut interface = cloud.link(NETWORK_INTERFACE, &compute, &network).with(MAC, "52:54:00:AA:BB:CC");
    let mut disk = cloud.link(STORAGE_LINK, &compute, &storage);
    cloud.create(&mut interface).unwrap();
    cloud.create(&mut disk).unwrap();
    let before = (interface.clone(), disk.clone(), cloud.machine(&compute));
    cloud.forget();
    for entity in [&mut compute, &mut network, &mut storage, &mut interface, &mut disk] {
        cloud.observe(entity, Cause::Recreate).unwrap();
    }
    assert_eq!((interface, disk, cloud.machine(&compute)), before);
}

#[test]
fn a_link_without_one_of_its_ends_is_an_error() {
    for cause in [Cause::Event, Cause::Timer, Cause::Restart, Cause::Recreate] {
        for kind in [NETWORK_INTERFACE, STORAGE_LINK] {
            let cloud = Cloud::new();
            let mut compute = compute(&cloud);
            let (target, thing) = match kind {
                STORAGE_LINK => (storage(&cloud), "volume"),
                _ => (network(&cloud), "network"),
            };
            let mut link = cloud.link(kind, &compute, &target);
            cloud.create(&mut link).unwrap();
            cloud.forget();
            cloud.observe(&mut link, cause).unwrap();
            assert_eq!(state(&link), ("error", "the hypervisor has no such machine"));
            cloud.observe(&mut compute, Cause::Recreate).unwrap();
            cloud.observe(&mut link, cause).unwrap();
            assert_eq!(state(&link), ("error", format!("the hypervisor has no such {thing}").as_str()));
        }
    }
}

#[test]
fn a_link_whose_device_the_machine_has_not_is_not_active() {
    let cloud = Cloud::new();
    let (compute, network, storage) = (running(&cloud), network(&cloud), storage(&cloud));
    for (mut link, attach) in [
        (cloud.link(NETWORK_INTERFACE, &compute, &network), "machine.attach-network"),
        (cloud.link(STORAGE_LINK, &compute, &storage), "machine.attach-volume"),
    ] {
        cloud.create(&mut link).unwrap();
        cloud.fail(attach, Fault::conflict("another has it"));
        cloud.observe(&mut link, Cause::Event).unwrap();
        assert_eq!(state(&link), ("inactive", "another has it"));
        cloud.observe(&mut link, Cause::Timer).unwrap();
        assert_eq!(state(&link), ("active", ""));
        cloud.fail(attach, Fault::unavailable("the hypervisor is away"));
        assert!(cloud.observe(&mut link, Cause::Event).is_err());
        assert_eq!(state(&link), ("active", ""), "nobody knows");
    }
}

#[test]
fn the_addresses_of_an_interface_are_checked() {
    // INF-08
    let cloud = Cloud::new();
    let (compute, network) = (compute(&cloud), network(&cloud));
    let name = |term: &str| format!("occi.networkinterface.{term}");
    for (address, gateway, allocation, wrong) in [
        ("", "", "dynamic", ""),
        ("192.168.7.9", "", "static", ""),
        ("192.168.7.9", "192.168.7.1", "dynamic", ""),
        ("fd00::9", "fd00::1", "static", ""),
        ("", "", "static", "address"),
        ("192.168.7.0/24", "", "static", "address"),
        ("nine", "", "dynamic", "address"),
        ("192.168.7.9", "gate", "static", "gateway"),
        ("192.168.7.9", "fd00::1", "static", "gateway"),
    ] {
        let mut link = cloud.link(NETWORK_INTERFACE, &compute, &network).mixin(IP_NETWORK_INTERFACE);
        for (term, value) in [("address", address), ("gateway", gateway), ("allocation", allocation)] {
            if !value.is_empty() {
                link = link.with(&name(term), value);
            }
        }
        let answer = cloud.create(&mut link);
        if wrong.is_empty() {
            answer.unwrap();
            assert_eq!(
                refusal(cloud.update(&mut link, [(name("address").as_str(), "nowhere")])),
                pair("invalid", &name("address"))
            );
            cloud.delete(&link).unwrap();
        } else {
            assert_eq!(refusal(answer), pair("invalid", &name(wrong)), "{address} {gateway} {allocation}");
            assert!(
                !cloud.machine(&compute).unwrap().interfaces.contains_key(&link.id),
                "nothing is left of it"
            );
        }
    }
}

#[test]
fn an_address_is_kept_for_its_interface_alone() {
    // INF-08
    let cloud = Cloud::new();
    let (mut compute, mut network) = (compute(&cloud), network(&cloud));
    let kept = |cloud: &Cloud, compute: &Entity, link: &Entity| {
        cloud.machine(compute).unwrap().interfaces[&link.id].address.clone()
    };
    let link = |cloud: &Cloud| {
        cloud
            .link(NETWORK_INTERFACE, &compute, &network)
            .mixin(IP_NETWORK_INTERFACE)
            .with(ADDRESS, "192.168.7.9")
    };
    let mut first = link(&cloud);
    cloud.create(&mut first).unwrap();
    assert_eq!(kept(&cloud, &compute, &first).as_deref(), Some("192.168.7.9"));
    let mut second = link(&cloud);
    assert_eq!(refusal(cloud.create(&mut second)), pair("conflict", ADDRESS));
    cloud.update(&mut first, [(ADDRESS, "192.168.7.10")]).unwrap();
    cloud.update(&mut first, [(MAC, "52:54:00:aa:bb:cc")]).unwrap();
    assert_eq!(kept(&cloud, &compute, &first).as_deref(), Some("192.168.7.10"));

    cloud.forget();
    for entity in [&mut compute, &mut network, &mut first] {
        cloud.observe(entity, Cause::Recreate).unwrap();
    }
    assert_eq!(kept(&cloud, &compute, &first).as_deref(), Some("192.168.7.10"));
    cloud.dissociate(&mut first, IP_NETWORK_INTERFACE).unwrap();
    assert_eq!(kept(&cloud, &compute, &first), None);
}

/// A network that gives out addresses.
fn lan(cloud: &Cloud, address: &str, gateway: &str) -> Entity {
    let mut network = cloud
        .resource(NETWORK)
        .mixin(IP_NETWORK)
        .with("occi.network.address", address)
        .with("occi.network.gateway", gateway)
        .with("occi.network.allocation", "dynamic");
    cloud.create(&mut network).unwrap();
    cloud.place(&network);
    network
}

#[test]
fn an_address_that_is_not_given_is_chosen_and_shown() {
    // INF-08: its attributes are exposed.
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let (mut compute, mut network) = (compute(&cloud), lan(&cloud, "10.0.0.0/29", "10.0.0.1"));
        let kept =
            |of: &Entity, link: &Entity| cloud.machine(of).unwrap().interfaces[&link.id].address.clone();
        let mut links: Vec<_> = (0..5)
            .map(|_| cloud.link(NETWORK_INTERFACE, &compute, &network).mixin(IP_NETWORK_INTERFACE))
            .collect();
        for (link, expected) in
            links.iter_mut().zip(["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"])
        {
            cloud.create(link).unwrap();
            assert_eq!(link.get(ADDRESS), Some(expected.into()));
            assert_eq!(link.get(GATEWAY), Some("10.0.0.1".into()));
            assert_eq!(kept(&compute, link).as_deref(), Some(expected));
        }
        let mut other = cloud.link(NETWORK_INTERFACE, &compute, &network).mixin(IP_NETWORK_INTERFACE);
        assert_eq!(refusal(cloud.create(&mut other)), pair("conflict", ADDRESS), "the network is full");
        // What goes makes room, and the client's own gateway stays.
        cloud.delete(&links[1]).unwrap();
        let mut other = other.with(GATEWAY, "10.0.0.6");
        cloud.create(&mut other).unwrap();
        assert_eq!(other.get(ADDRESS), Some("10.0.0.3".into()));
        assert_eq!(other.get(GATEWAY), Some("10.0.0.6".into()));

        // Another hardware address, and a hypervisor that forgets, leave it as it is.
        let link = &mut links[0];
        cloud.update(link, [(MAC, "52:54:00:aa:bb:cc")]).unwrap();
        assert_eq!(kept(&compute, link).as_deref(), Some("10.0.0.2"));
        cloud.forget();
        for entity in [&mut compute, &mut network, link] {
            cloud.observe(entity, Cause::Recreate).unwrap();
        }
        assert_eq!(kept(&compute, link).as_deref(), Some("10.0.0.2"));
        cloud.dissociate(link, IP_NETWORK_INTERFACE).unwrap();
        assert_eq!(kept(&compute, link), None);
    }
}

#[test]
fn an_address_is_chosen_where_the_network_gives_them_out() {
    let cloud = Cloud::new();
    let (compute, mut network) = (compute(&cloud), lan(&cloud, "10.0.0.0/29", "10.0.0.1"));
    cloud.update(&mut network, [("occi.network.allocation", "static")]).unwrap();
    let mut link = cloud.link(NETWORK_INTERFACE, &compute, &network).mixin(IP_NETWORK_INTERFACE);
    cloud.create(&mut link).unwrap();
    assert_eq!((link.get(ADDRESS), link.get(GATEWAY)), (None, None));
    // As soon as it does.
    cloud.update(&mut network, [("occi.network.allocation", "dynamic")]).unwrap();
    cloud.observe(&mut link, Cause::Timer).unwrap();
    assert_eq!(link.get(ADDRESS), Some("10.0.0.2".into()));

    let elsewhere = lan(&cloud, "fd00::/64", "fd00::1");
    let mut link = cloud.link(NETWORK_INTERFACE, &compute, &elsewhere).mixin(IP_NETWORK_INTERFACE);
    cloud.create(&mut link).unwrap();
    assert_eq!(link.get(ADDRESS), None, "IPv6");
}

#[test]
fn a_link_that_comes_from_another_network_is_given_another_address() {
    let cloud = Cloud::new();
    let compute = compute(&cloud);
    let networks = ["10.0.0", "10.1.0"].map(|net| lan(&cloud, &format!("{net}.0/29"), &format!("{net}.1")));
    let [mut first, mut other] = networks
        .each_ref()
        .map(|network| cloud.link(NETWORK_INTERFACE, &compute, network).mixin(IP_NETWORK_INTERFACE));
    cloud.create(&mut first).unwrap();
    cloud.create(&mut other).unwrap();
    cloud.delete(&first).unwrap();
    // The host in memory holds no addresses against a network, so it is another interface that has it.
    first.target = Some(networks[1].location());
    let mut first = first.with(ADDRESS, "10.1.0.2");
    let before = first.clone();
    cloud.create(&mut first).unwrap();
    assert_eq!(first.get(ADDRESS), Some("10.1.0.3".into()));
    assert_eq!(first.get(GATEWAY), Some("10.1.0.1".into()));
    cloud.delete(&first).unwrap();
    // What nobody has there, such as what the client names with the network, is kept.
    let mut named = before.clone().with(ADDRESS, "10.1.0.5");
    cloud.create(&mut named).unwrap();
    assert_eq!(named.get(ADDRESS), Some("10.1.0.5".into()));
    cloud.delete(&named).unwrap();
    // One that is to be static is the client's to choose.
    let mut fixed = before.with("occi.networkinterface.allocation", "static");
    assert_eq!(refusal(cloud.create(&mut fixed)), pair("conflict", ADDRESS));
}

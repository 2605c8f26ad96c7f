//! Networks and the addresses that they keep.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_network_keeps_addresses_for_interfaces() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, other, network) =
        (hypervisor.machine(id(1)), hypervisor.machine(id(2)), hypervisor.network(id(3)));
    let plan = |address: &str| NetworkPlan { address: Some(address.into()), ..NetworkPlan::default() };
    network.define(plan("10.1.0.0/24")).await.unwrap();
    for (machine, link) in [(&machine, id(11)), (&other, id(12))] {
        machine.define(MachinePlan::default()).await.unwrap();
        machine.attach_network(link, id(3), None).await.unwrap();
    }
    let address = |text: &str| Some(text.to_owned());
    let kept = || {
        outside(hypervisor, |live| {
            let found = reservation::of(live, id(3))?;
            Ok(found.into_iter().map(|held| (held.mac, held.address.to_string())).collect::<Vec<_>>())
        })
    };
    assert_eq!(code(machine.reserve_address(id(19), id(3), address("10.1.0.9")).await), Err("missing"));
    for is_up in [false, true] {
        if is_up {
            network.up().await.unwrap();
        }
        for wanted in ["10.1.0.9", "10.1.0.9", "10.1.0.10"] {
            machine.reserve_address(id(11), id(3), address(wanted)).await.unwrap();
            assert_eq!(kept().await, [(name::mac(id(11)), wanted.to_owned())]);
        }
        let refused =
            [("10.1.0.10", "conflict"), ("10.1.0.1", "conflict"), ("10.2.0.9", "invalid"), ("x", "invalid")];
        for (wanted, expected) in refused {
            assert_eq!(
                code(other.reserve_address(id(12), id(3), address(wanted)).await),
                Err(expected),
                "{wanted}"
            );
        }
        other.reserve_address(id(12), id(3), address("fd00::9")).await.unwrap();
        // A new definition keeps them, and is refused where it has no room for them.
        network.define(plan("10.1.0.0/16")).await.unwrap();
        assert_eq!(code(network.define(plan("10.9.0.0/24")).await), Err("conflict"));
        assert_eq!(code(network.define(NetworkPlan::default()).await), Err("conflict"));
        assert_eq!(kept().await, [(name::mac(id(11)), "10.1.0.10".to_owned())]);
        machine.reserve_address(id(11), id(3), None).await.unwrap();
        assert_eq!(kept().await, []);
    }
    machine.reserve_address(id(11), id(3), address("10.1.0.9")).await.unwrap();
    machine.detach_network(id(11), id(3), false).await.unwrap();
    assert_eq!(kept().await, [], "what is detached has no address");
    network.down().await.unwrap();
    network.define(NetworkPlan::default()).await.unwrap();
    // A network without addresses leaves them to the guest system.
    other.reserve_address(id(12), id(3), address("10.1.0.9")).await.unwrap();
    assert_eq!(kept().await, []);
}

/// INF-08: each of many that ask at once is given an address of its own, and asking again answers the same.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_given_to_one_interface_each() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let network = hypervisor.network(id(3));
    let plan =
        |address: &str, dhcp| NetworkPlan { address: Some(address.into()), dhcp, ..NetworkPlan::default() };
    network.define(plan("10.1.0.0/28", true)).await.unwrap();
    let machine = |number: u128| (hypervisor.machine(id(100 + number)), id(200 + number));
    let give = async |number| {
        let (machine, link) = machine(number);
        machine.give_address(link, id(3)).await
    };
    for number in 0..14 {
        let (machine, link) = machine(number);
        machine.define(MachinePlan::default()).await.unwrap();
        assert_eq!(code(give(number).await), Err("missing"));
        machine.attach_network(link, id(3), None).await.unwrap();
    }
    let asked: Vec<_> = (0..13)
        .map(|number| {
            let (machine, link) = machine(number);
            tokio::spawn(async move { machine.give_address(link, id(3)).await })
        })
        .collect();
    let mut given = Vec::new();
    for asked in asked {
        given.push(asked.await.unwrap().unwrap().unwrap());
    }
    let mut all: Vec<std::net::Ipv4Addr> = given.iter().map(|given| given.parse().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (2..15).map(|last| std::net::Ipv4Addr::new(10, 1, 0, last)).collect::<Vec<_>>());
    for is_up in [false, true] {
        if is_up {
            network.up().await.unwrap();
        }
        assert_eq!(give(4).await.unwrap().as_ref(), Some(&given[4]));
        assert_eq!(code(give(13).await), Err("conflict"), "the network is full");
    }
    // What is detached, is given another address, or is gone without a word, makes room.
    machine(5).0.detach_network(id(205), id(3), false).await.unwrap();
    assert_eq!(give(13).await.unwrap().as_ref(), Some(&given[5]));
    machine(13).0.reserve_address(id(213), id(3), None).await.unwrap();
    assert_eq!(give(13).await.unwrap().as_ref(), Some(&given[5]));
    let (other, link) = machine(5);
    other.attach_network(link, id(3), None).await.unwrap();
    outside(hypervisor, |live| Ok(machine::find(live, id(106))?.undefine()?)).await;
    assert_eq!(give(5).await.unwrap().as_ref(), Some(&given[6]));
}

/// Where the network gives out no addresses, or none of IPv4, none is kept.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_where_a_network_gives_nothing_out() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, network) = (hypervisor.machine(id(1)), hypervisor.network(id(3)));
    network.define(NetworkPlan::default()).await.unwrap();
    machine.define(MachinePlan::default()).await.unwrap();
    machine.attach_network(id(11), id(3), None).await.unwrap();
    for (address, dhcp) in [(None, false), (Some("10.1.0.0/24"), false), (Some("fd00::/64"), true)] {
        let address = address.map(str::to_owned);
        network.define(NetworkPlan { address, dhcp, ..NetworkPlan::default() }).await.unwrap();
        assert_eq!(machine.give_address(id(11), id(3)).await, Ok(None));
    }
}

/// An operator undefines a machine: its interface is gone, and its address free.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_goes_with_its_interface() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (lost, other, network) =
        (hypervisor.machine(id(1)), hypervisor.machine(id(2)), hypervisor.network(id(3)));
    let plan = |address: &str| NetworkPlan { address: Some(address.into()), ..NetworkPlan::default() };
    network.define(plan("10.1.0.0/24")).await.unwrap();
    other.define(MachinePlan::default()).await.unwrap();
    other.attach_network(id(12), id(3), None).await.unwrap();
    for is_elsewhere in [true, false] {
        lost.define(MachinePlan::default()).await.unwrap();
        lost.attach_network(id(11), id(3), None).await.unwrap();
        let address = Some("10.1.0.9".to_owned());
        lost.reserve_address(id(11), id(3), address.clone()).await.unwrap();
        assert_eq!(code(other.reserve_address(id(12), id(3), address.clone()).await), Err("conflict"));
        outside(hypervisor, |live| Ok(machine::find(live, id(1))?.undefine()?)).await;
        if is_elsewhere {
            network.define(plan("10.2.0.0/24")).await.unwrap();
            network.define(plan("10.1.0.0/24")).await.unwrap();
        } else {
            other.reserve_address(id(12), id(3), address).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_in_use_stays() {
    let private = private().await;
    let Private { hypervisor, .. } = &private;
    let (machine, network) = (hypervisor.machine(id(1)), hypervisor.network(id(3)));
    assert_eq!(code(network.active().await), Err("missing"));
    let plan = NetworkPlan {
        vlan: Some(7),
        address: Some("10.1.0.0/24".into()),
        dhcp: true,
        ..NetworkPlan::default()
    };
    for _ in 0..2 {
        network.define(plan.clone()).await.unwrap();
    }
    assert_eq!(network.active().await, Ok(false));
    for _ in 0..2 {
        network.up().await.unwrap();
    }
    assert_eq!(network.active().await, Ok(true));
    network.define(plan).await.unwrap();
    assert_eq!(network.active().await, Ok(true), "after a new definition");

    machine.define(MachinePlan::default()).await.unwrap();
    machine.attach_network(id(5), id(3), None).await.unwrap();
    machine.start().await.unwrap();
    assert_eq!(code(network.down().await), Err("conflict"));
    assert_eq!(code(network.remove().await), Err("conflict"));
    machine.power_off().await.unwrap();
    for _ in 0..2 {
        network.down().await.unwrap();
    }
    assert_eq!(network.active().await, Ok(false));
    // The machine needs it when it starts again.
    assert_eq!(code(network.remove().await), Err("conflict"));
    machine.detach_network(id(5), id(3), false).await.unwrap();
    network.up().await.unwrap();
    for _ in 0..2 {
        network.remove().await.unwrap();
    }
    assert_eq!(code(network.exists().await), Err("missing"));
}

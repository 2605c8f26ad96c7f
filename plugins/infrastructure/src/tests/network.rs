//! Network and ipnetwork.

use super::*;

#[test]
fn a_network_goes_up_and_down() {
    // INF-05, the state diagram.
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let mut network = network(&cloud);
        assert_eq!(state(&network), ("inactive", ""));
        cloud.act(&mut network, "up", none()).unwrap();
        assert_eq!(state(&network), ("active", ""));
        assert!(cloud.network(&network).unwrap().active);
        cloud.act(&mut network, "down", none()).unwrap();
        assert_eq!(state(&network), ("inactive", ""));
        assert!(!cloud.network(&network).unwrap().active);
        assert_eq!(refusal(cloud.act(&mut network, "sideways", none())), pair("unsupported", ""));
        cloud.delete(&network).unwrap();
        assert!(cloud.network(&network).is_none());
        cloud.delete(&network).unwrap();
    }
}

#[test]
fn vlan_label_and_title_reach_the_network() {
    // INF-04
    let cloud = Cloud::new();
    let mut network = cloud.resource(NETWORK).with("occi.network.vlan", 42).with("occi.network.label", "red");
    cloud.create(&mut network).unwrap();
    let held = cloud.network(&network).unwrap();
    assert_eq!((held.vlan, held.title.as_deref()), (Some(42), Some("red")));

    cloud.act(&mut network, "up", none()).unwrap();
    cloud.update(&mut network, [("occi.core.title", "Red")]).unwrap();
    cloud.update(&mut network, [("occi.network.vlan", 0)]).unwrap();
    let held = cloud.network(&network).unwrap();
    assert_eq!((held.vlan, held.title.as_deref(), held.active), (None, Some("Red"), true));

    for reserved in [4095, -1, 65_578] {
        assert_eq!(
            refusal(cloud.update(&mut network, [("occi.network.vlan", reserved)])),
            pair("invalid", "occi.network.vlan")
        );
    }
}

#[test]
fn a_network_in_use_neither_goes_down_nor_away() {
    let cloud = Cloud::new();
    let (mut compute, mut network) = (running(&cloud), network(&cloud));
    cloud.act(&mut network, "up", none()).unwrap();
    let mut link = cloud.link(NETWORK_INTERFACE, &compute, &network);
    cloud.create(&mut link).unwrap();
    let before = network.clone();
    assert_eq!(refusal(cloud.act(&mut network, "down", none())), pair("conflict", ""));
    assert_eq!(refusal(cloud.delete(&network)), pair("conflict", ""));
    assert_eq!(network, before);

    cloud.act(&mut compute, "stop", none()).unwrap();
    cloud.act(&mut network, "down", none()).unwrap();
    assert_eq!(refusal(cloud.delete(&network)), pair("conflict", ""), "it is still attached");
    cloud.delete(&link).unwrap();
    cloud.delete(&network).unwrap();
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let cloud = Cloud::new();
    let mut network = network(&cloud);
    let before = network.clone();
    cloud.fail("network.up", Fault::failed("the bridge cannot be made"));
    assert_eq!(refusal(cloud.act(&mut network, "up", none())), pair("failed", ""));
    assert_eq!(network, before);
}

#[test]
fn addresses_reach_the_network_from_the_start() {
    // INF-07
    let cloud = Cloud::crashing();
    let mut network = cloud
        .resource(NETWORK)
        .mixin(IP_NETWORK)
        .with("occi.network.address", "192.168.7.0/24")
        .with("occi.network.gateway", "192.168.7.1")
        .with("occi.network.allocation", "dynamic");
    cloud.create(&mut network).unwrap();
    let held = cloud.network(&network).unwrap();
    assert_eq!(held.address.as_deref(), Some("192.168.7.0/24"));
    assert_eq!(held.gateway.as_deref(), Some("192.168.7.1"));
    assert_eq!(held.dhcp, Some(true));

    cloud.update(&mut network, [("occi.network.allocation", "static")]).unwrap();
    assert_eq!(cloud.network(&network).unwrap().dhcp, Some(false));
    cloud.update(&mut network, [("occi.network.vlan", 7)]).unwrap();
    let held = cloud.network(&network).unwrap();
    assert_eq!(
        (held.vlan, held.address.as_deref()),
        (Some(7), Some("192.168.7.0/24")),
        "neither forgets the other"
    );
    cloud.delete(&network).unwrap();
    assert!(cloud.network(&network).is_none(), "the end of the Mixin does not bring the network back");
    cloud.delete(&network).unwrap();
    assert!(cloud.network(&network).is_none());
}

#[test]
fn a_network_gains_and_loses_its_addresses_with_the_mixin() {
    // INF-07
    let cloud = Cloud::new();
    let mut network = network(&cloud).with("occi.network.vlan", 7).with("occi.network.address", "fd00::/64");
    cloud.act(&mut network, "up", none()).unwrap();
    cloud.associate(&mut network, IP_NETWORK).unwrap();
    assert_eq!(cloud.network(&network).unwrap().address.as_deref(), Some("fd00::/64"));
    cloud.dissociate(&mut network, IP_NETWORK).unwrap();
    let held = cloud.network(&network).unwrap();
    assert_eq!((held.address, held.vlan, held.active), (None, Some(7), true));
}

#[test]
fn addresses_that_cannot_be_are_refused_by_name() {
    let cloud = Cloud::new();
    for (address, gateway, allocation, wrong) in [
        ("192.168.7.0", "", "", "occi.network.address"),
        ("192.168.7.0/33", "", "", "occi.network.address"),
        ("here/8", "", "", "occi.network.address"),
        ("", "192.168.7.1", "", "occi.network.address"),
        ("", "", "dynamic", "occi.network.address"),
        ("192.168.7.0/24", "192.168.8.1", "", "occi.network.gateway"),
        ("192.168.7.0/24", "192.168.7.255", "", "occi.network.gateway"),
        ("192.168.7.0/24", "fd00::1", "", "occi.network.gateway"),
        ("192.168.7.0/24", "gate", "", "occi.network.gateway"),
    ] {
        let mut network = cloud.resource(NETWORK).mixin(IP_NETWORK);
        for (name, value) in [("address", address), ("gateway", gateway), ("allocation", allocation)] {
            if !value.is_empty() {
                network = network.with(&format!("occi.network.{name}"), value);
            }
        }
        assert_eq!(
            refusal(cloud.create(&mut network)),
            pair("invalid", wrong),
            "{address} {gateway} {allocation}"
        );
        assert!(cloud.network(&network).is_none());
    }
}

#[test]
fn an_observed_network_is_what_the_hypervisor_says() {
    let cloud = Cloud::new();
    for cause in [Cause::Event, Cause::Timer, Cause::Restart] {
        let mut network = network(&cloud);
        cloud.act(&mut network, "up", none()).unwrap();
        let mut seen = network.clone();
        seen.state = Some("inactive".into());
        cloud.observe(&mut seen, cause).unwrap();
        assert_eq!(state(&seen), ("active", ""));
        cloud.forget();
        cloud.observe(&mut network, cause).unwrap();
        assert_eq!(state(&network), ("error", "the hypervisor has no such network"));
    }
    let mut lost = network(&cloud);
    cloud.forget();
    cloud.act(&mut lost, "up", none()).unwrap();
    assert_eq!(state(&lost), ("error", "the hypervisor has no such network"));
    assert_eq!(refusal(cloud.update(&mut lost, [("occi.network.vlan", 2)])), pair("missing", ""));
}

#[test]
fn a_forgotten_network_is_made_again_in_its_state() {
    for (before, active) in [("inactive", false), ("active", true), ("error", false)] {
        let cloud = Cloud::crashing();
        let mut network =
            cloud.resource(NETWORK).mixin(IP_NETWORK).with("occi.network.address", "10.0.0.0/8");
        cloud.create(&mut network).unwrap();
        network.state = Some(before.into());
        cloud.forget();
        cloud.observe(&mut network, Cause::Recreate).unwrap();
        let held = cloud.network(&network).unwrap();
        assert_eq!((held.active, held.address.as_deref()), (active, Some("10.0.0.0/8")));
        assert_eq!(network.state.as_deref(), Some(before));
    }
}

const PUBLIC: &str = "http://example.org/occi/infrastructure/bridge#public";

#[test]
fn a_network_is_joined_to_a_bridge_and_parted_from_it() {
    for cloud in [Cloud::new(), Cloud::crashing()] {
        let mut network = cloud
            .resource(NETWORK)
            .mixin(IP_NETWORK)
            .mixin(BRIDGE)
            .mixin(PUBLIC)
            .with("occi.network.address", "10.0.0.0/24")
            .with("occi.network.vlan", 42);
        cloud.create(&mut network).unwrap();
        cloud.act(&mut network, "up", none()).unwrap();
        let at = |network: &Entity| {
            let held = cloud.network(network).unwrap();
            (held.bridge, held.address, held.vlan)
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(at(&network), (text("public"), text("10.0.0.0/24"), Some(42)));
        // Neither forgets the other.
        cloud.dissociate(&mut network, IP_NETWORK).unwrap();
        assert_eq!(at(&network), (text("public"), None, Some(42)));
        cloud.associate(&mut network, IP_NETWORK).unwrap();
        cloud.update(&mut network, [("occi.network.vlan", 7)]).unwrap();
        cloud.dissociate(&mut network, PUBLIC).unwrap();
        assert_eq!(at(&network), (None, text("10.0.0.0/24"), Some(7)));
        cloud.associate(&mut network, PUBLIC).unwrap();
        assert_eq!(at(&network).0, text("public"));
        cloud.forget();
        cloud.observe(&mut network, Cause::Recreate).unwrap();
        assert_eq!((at(&network).0, state(&network)), (text("public"), ("active", "")));
        cloud.act(&mut network, "down", none()).unwrap();
        cloud.delete(&network).unwrap();
        assert!(cloud.network(&network).is_none());
    }
}

#[test]
fn a_bridge_that_is_there_no_more_is_told_and_keeps_nothing_back() {
    let cloud = Cloud::new();
    let mut network = cloud.resource(NETWORK).mixin(IP_NETWORK).mixin(PUBLIC);
    cloud.create(&mut network).unwrap();
    let gone = || cloud.fail("network.define", Fault::invalid("there is no bridge public"));
    gone();
    assert_eq!(refusal(cloud.update(&mut network, [("occi.network.vlan", 7)])), pair("invalid", ""));
    gone();
    cloud.observe(&mut network, Cause::Restart).unwrap();
    assert_eq!(state(&network), ("inactive", "there is no bridge public"));
    cloud.observe(&mut network, Cause::Event).unwrap();
    assert_eq!(state(&network), ("inactive", ""));
    gone();
    cloud.observe(&mut network, Cause::Recreate).unwrap();
    assert_eq!(state(&network), ("error", "there is no bridge public"));
    gone();
    cloud.dissociate(&mut network, IP_NETWORK).unwrap();
    cloud.delete(&network).unwrap();
}

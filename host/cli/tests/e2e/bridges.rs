//! Networks that are joined to bridges of the hypervisor's host.

use crate::addresses::{join, mixin, told};
use crate::occi::{body, kind};
use crate::server::{GuestSystem, Options, Server};
use occi_services::service;
use serde_json::json;

const SCHEME: &str = "http://example.org/occi/infrastructure/bridge#";

fn bridge(name: &str) -> String {
    format!("Category: {name}; scheme=\"{SCHEME}\"; class=\"mixin\"")
}

/// A network on a bridge; its path.
fn joined(server: &Server, name: &str, attributes: &[&str]) -> String {
    server
        .post("/network/")
        .text(body(&[&kind("network"), &bridge(name)], attributes))
        .answers(201)
        .location()
}

const TWO: &str = "[[hypervisor.bridge]]
name = \"public\"
device = \"br0\"
title = \"The city's\"
[[hypervisor.bridge]]
name = \"lab\"
device = \"br1\"
vlan = 42
";

/// What the operator names is on offer, and is what networks can be joined to: each to one at most, and to another one later.
#[test]
fn a_network_is_on_one_bridge() {
    let mut server = Server::configured(TWO);
    let shown = server.get("/-/").answers(200).body;
    let line = shown.lines().find(|line| line.contains("Category: public;")).unwrap();
    assert!(line.contains("title=\"The city's\"") && line.contains("infrastructure#bridge"), "{line}");
    server.delete("/-/").text(bridge("public")).answers(403);
    let network = joined(&server, "public", &[]);
    server.act(&network, "up", &[]).is(200);
    assert_eq!(server.get("/mixin/bridge/public/").answers(200).locations(), std::slice::from_ref(&network));
    server.post(&network).text(body(&[&bridge("lab")], &[])).answers(200);
    let categories = server.get(&network).answers(200).body;
    assert!(
        categories.contains("Category: lab;") && !categories.contains("Category: public;"),
        "{categories}"
    );
    server.post("/compute/").text(body(&[&kind("compute"), &bridge("lab")], &[])).answers(400);
    server.post("/network/").text(body(&[&kind("network"), &bridge("none")], &[])).answers(400);

    // The operator takes it away: who is on it is told so, and can leave it, and go.
    let other = joined(&server, "lab", &[]);
    server.set_config("");
    server.restart();
    let shown = server.get(&network).answers(200);
    assert_eq!(shown.attribute("occi.network.state"), Some("\"error\""), "{shown}");
    assert!(shown.body.contains("there is no bridge lab"), "{shown}");
    let refused = server.post("/network/").text(body(&[&kind("network"), &bridge("lab")], &[])).answers(400);
    assert!(refused.body.contains("there is no bridge lab"), "{refused}");
    let location = format!("X-OCCI-Location: {network}\n");
    server.delete("/mixin/bridge/lab/").text(location).answers(200);
    server.delete(&other).answers(200);
    server.delete(&network).answers(200);
    assert_eq!(server.inspect()["networks"], json!([]));
}

/// INF-04: a VLAN is asked of a bridge that can keep it apart, else it is refused in words.
#[test]
fn a_vlan_is_for_a_bridge_that_has_it() {
    let server = Server::configured(TWO);
    let ask = |name: &str, vlan: u16| {
        let vlan = format!("occi.network.vlan={vlan}");
        server.post("/network/").text(body(&[&kind("network"), &bridge(name)], &[&vlan])).send()
    };
    let refused = ask("public", 42).is(400);
    assert!(refused.body.contains("the bridge public tags nothing"), "{refused}");
    let refused = ask("lab", 7).is(400);
    assert!(refused.body.contains("the bridge lab carries the VLAN 42 and not 7"), "{refused}");
    let network = ask("lab", 42).is(201).location();
    let refused = server.post(&network).text(body(&[], &["occi.network.vlan=7"])).answers(400);
    assert!(refused.body.contains("carries the VLAN 42"), "{refused}");
    server.post(&network).text(body(&[&bridge("public")], &[])).answers(400);
    let shown = server.get(&network).answers(200);
    assert_eq!(shown.attribute("occi.network.vlan"), Some("42"));
    assert!(shown.body.contains("Category: lab;"), "a refusal leaves no trace: {shown}");
    assert_eq!(server.inspect()["networks"].as_array().unwrap().len(), 1);
}

/// INF-07, INF-08: on a bridge the addresses are others' to give out. A network that leaves it has its own again; one that loses
/// both has none.
#[test]
fn addresses_on_a_bridge_are_others() {
    let server = Server::configured(TWO);
    let compute = server.create("compute", &[]);
    let ip = mixin("ipnetwork", "network");
    let plan = ["occi.network.address=\"10.41.0.0/24\"", "occi.network.allocation=\"dynamic\""];
    let asked = body(&[&kind("network"), &bridge("public"), &ip], &plan);
    let network = server.post("/network/").text(asked).answers(201).location();
    let shown = |interface: &str| {
        let answer = server.get(interface).answers(200);
        answer.attribute("occi.networkinterface.address").map(str::to_owned)
    };
    let interface = join(&server, &compute, &network, &[]).is(201).location();
    assert_eq!(shown(&interface), None);
    let static_ =
        ["occi.networkinterface.address=\"10.41.0.9\"", "occi.networkinterface.allocation=\"static\""];
    let fixed = join(&server, &compute, &network, &static_).is(201).location();
    let location = format!("X-OCCI-Location: {network}\n");
    server.delete("/mixin/bridge/public/").text(location).answers(200);
    let next = join(&server, &compute, &network, &[]).is(201).location();
    assert_eq!(shown(&next).as_deref(), Some("\"10.41.0.2\""));
    // What an interface has from the network would be lost.
    server.post(&network).text(body(&[&bridge("public")], &[])).answers(409);
    for interface in [&interface, &fixed, &next] {
        server.delete(interface).answers(200);
    }
    server.post(&network).text(body(&[&bridge("public")], &[])).answers(200);
    server.put(&network).text(body(&[&kind("network")], &[])).answers(200);
    let plain = join(&server, &compute, &network, &[]).is(201).location();
    assert_eq!(shown(&plain), None, "of the addresses that the network had nothing is left");
}

/// A server on QEMU whose host has a bridge; none where there is none to test with.
fn on_qemu(variable: &str, more: &str) -> Option<Server> {
    let system = GuestSystem::find()?;
    let device = service(variable)?;
    let bridge = format!("[[hypervisor.bridge]]\nname = \"public\"\ndevice = {device:?}\n{more}");
    let config = format!("{bridge}{}", system.boot());
    Some(Server::with(Options { hypervisor: Some(system.uri), config, ..Options::default() }))
}

/// A compute that runs on a network; its system has an address there, and asks for answers from another again and again.
fn speaks(server: &Server, network: &str, own: &str, other: &str) -> String {
    let script = format!(
        "#!/bin/sh
exec >/dev/ttyS0 2>&1
ip link set eth0 up
ip address add {own}/24 dev eth0
echo {own} asks {other}
while :; do ping -c 1 -W 1 {other} | sed -n 's/^64 bytes/{own} hears 64 bytes/p'; sleep 1; done &
"
    );
    let compute = told(server, &script);
    server.link("networkinterface", &compute, network);
    server.act(network, "up", &[]).is(200);
    server.act(&compute, "start", &[]).is(200);
    compute
}

/// Two networks on one bridge are one wire.
#[test]
fn guests_on_one_bridge_reach_each_other() {
    let Some(server) = on_qemu("OCCI_TEST_BRIDGE", "") else { return };
    let [one, other] = [(), ()].map(|()| joined(&server, "public", &[]));
    let first = speaks(&server, &one, "10.42.0.1", "10.42.0.2");
    let second = speaks(&server, &other, "10.42.0.2", "10.42.0.1");
    server.prints(&first, "10.42.0.1 hears 64 bytes from 10.42.0.2");
    server.prints(&second, "10.42.0.2 hears 64 bytes from 10.42.0.1");
    // It is plugged and unplugged while they run, as on any network.
    let plugged = server.link("networkinterface", &first, &one);
    server.prints(&first, "eth1=");
    server.delete(&plugged).answers(200);
    server.act(&one, "down", &[]).is(409);
    server.delete("/").answers(200);
}

/// INF-04: on a bridge of Open vSwitch a VLAN is on the wire: who is in another one hears nothing.
#[test]
fn vlans_on_one_switch_are_kept_apart() {
    let Some(server) = on_qemu("OCCI_TEST_OPENVSWITCH", "openvswitch = true\n") else { return };
    let [one, same, other] =
        ["42", "42", "43"].map(|vlan| joined(&server, "public", &[&format!("occi.network.vlan={vlan}")]));
    let far = speaks(&server, &other, "10.43.0.2", "10.43.0.1");
    server.prints(&far, "10.43.0.2 asks");
    let first = speaks(&server, &one, "10.43.0.1", "10.43.0.3");
    let second = speaks(&server, &same, "10.43.0.3", "10.43.0.1");
    server.prints(&first, "10.43.0.1 hears 64 bytes from 10.43.0.3");
    server.prints(&second, "10.43.0.3 hears 64 bytes from 10.43.0.1");
    let heard = server.get(&format!("{far}/console?lines=1000")).answers(200).body;
    assert!(!heard.contains("hears 64 bytes from"), "{heard}");
    // In the same VLAN it would.
    server.act(&far, "stop", &["method=\"poweroff\""]).is(200);
    server.act(&other, "down", &[]).is(200);
    server.post(&other).text(body(&[], &["occi.network.vlan=42"])).answers(200);
    server.act(&other, "up", &[]).is(200);
    server.act(&far, "start", &[]).is(200);
    server.prints(&far, "10.43.0.2 hears 64 bytes from 10.43.0.1");
    server.delete("/").answers(200);
}

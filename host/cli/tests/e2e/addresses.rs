//! Addresses that are chosen for interfaces, and how a guest system comes to them.

use crate::http::Answer;
use crate::occi::{body, kind};
use crate::server::{GuestSystem, Options, Server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;

/// A compute whose system runs a script when it boots.
pub(crate) fn told(server: &Server, script: &str) -> String {
    let script = format!("occi.compute.userdata={:?}", STANDARD.encode(script));
    let kinds = [&*kind("compute"), &mixin("user_data", "compute")];
    let asked = body(&kinds, &[&script, "occi.compute.memory=0.125"]);
    server.post("/compute/").text(asked).answers(201).location()
}

pub(crate) fn mixin(term: &str, of: &str) -> String {
    format!("Category: {term}; scheme=\"http://schemas.ogf.org/occi/infrastructure/{of}#\"; class=\"mixin\"")
}

/// A network that gives out addresses.
fn lan(server: &Server, address: &str, more: &[&str]) -> String {
    let address = format!("occi.network.address={address:?}");
    let attributes = [&[&*address, "occi.network.allocation=\"dynamic\""], more].concat();
    let asked = body(&[&kind("network"), &mixin("ipnetwork", "network")], &attributes);
    server.post("/network/").text(asked).answers(201).location()
}

pub(crate) fn join(server: &Server, compute: &str, network: &str, more: &[&str]) -> Answer {
    let ends = [format!("occi.core.source={compute:?}"), format!("occi.core.target={network:?}")];
    let attributes = [&[&*ends[0], &*ends[1]], more].concat();
    let kinds = [&*kind("networkinterface"), &mixin("ipnetworkinterface", "networkinterface")];
    server.post("/networkinterface/").text(body(&kinds, &attributes)).send()
}

/// An attribute of the interface at a path.
fn shown(server: &Server, interface: &str, term: &str) -> Option<String> {
    let answer = server.get(interface).answers(200);
    let value = answer.attribute(&format!("occi.networkinterface.{term}"))?;
    Some(value.trim_matches('"').to_owned())
}

/// INF-08: the interface shows what was chosen, as long as it is there, whatever becomes of the server.
#[test]
fn an_address_is_chosen_and_shown() {
    let mut server = Server::start();
    let compute = server.create("compute", &[]);
    let network = lan(&server, "10.31.0.0/29", &["occi.network.gateway=\"10.31.0.1\""]);
    let interfaces: Vec<_> =
        (0..5).map(|_| join(&server, &compute, &network, &[]).is(201).location()).collect();
    let all = |server: &Server| {
        let found = interfaces.iter().map(|interface| shown(server, interface, "address").unwrap());
        found.collect::<Vec<_>>()
    };
    let expected = ["10.31.0.2", "10.31.0.3", "10.31.0.4", "10.31.0.5", "10.31.0.6"];
    assert_eq!(all(&server), expected);
    assert_eq!(shown(&server, &interfaces[0], "gateway").as_deref(), Some("10.31.0.1"));
    assert_eq!(shown(&server, &interfaces[0], "allocation").as_deref(), Some("dynamic"));
    let refused = join(&server, &compute, &network, &[]).is(409);
    assert!(refused.body.contains("no free address"), "{refused}");
    assert_eq!(server.get("/networkinterface/").answers(200).locations().len(), 5);

    // libvirt's own driver forgets all with the server.
    server.kill_and_restart();
    assert_eq!(all(&server), expected);
    join(&server, &compute, &network, &[]).is(409);
    // Left out by a full update, it stays.
    let ends = [format!("occi.core.source={compute:?}"), format!("occi.core.target={network:?}")];
    let kinds = [&*kind("networkinterface"), &mixin("ipnetworkinterface", "networkinterface")];
    server.put(&interfaces[2]).text(body(&kinds, &[&ends[0], &ends[1]])).answers(200);
    assert_eq!(all(&server), expected);

    // It goes with the interface, and with the Mixin.
    server.delete(&interfaces[1]).answers(200);
    let next = join(&server, &compute, &network, &[]).is(201).location();
    assert_eq!(shown(&server, &next, "address").as_deref(), Some("10.31.0.3"));
    let location = format!("X-OCCI-Location: {}\n", interfaces[3]);
    server.delete("/mixin/ipnetworkinterface/").text(location.clone()).answers(200);
    assert_eq!(shown(&server, &interfaces[3], "address"), None);
    // Who wants one of those that are given out has it, and nobody else is given it.
    let wanted = ["occi.networkinterface.address=\"10.31.0.5\""];
    let chosen = join(&server, &compute, &network, &wanted).is(201).location();
    server.post("/mixin/ipnetworkinterface/").text(location.clone()).answers(409);
    server.delete(&chosen).answers(200);
    server.post("/mixin/ipnetworkinterface/").text(location).answers(200);
    assert_eq!(shown(&server, &interfaces[3], "address").as_deref(), Some("10.31.0.5"));
}

/// A link that is led to another network has an address there.
#[test]
fn another_network_gives_another_address() {
    let server = Server::start();
    let compute = server.create("compute", &[]);
    let one = lan(&server, "10.32.0.0/24", &["occi.network.gateway=\"10.32.0.1\""]);
    let other = lan(&server, "10.33.0.0/24", &["occi.network.gateway=\"10.33.0.254\""]);
    let interface = join(&server, &compute, &one, &[]).is(201).location();
    let target = format!("occi.core.target={other:?}");
    server.post(&interface).text(body(&[], &[&target])).answers(200);
    assert_eq!(shown(&server, &interface, "address").as_deref(), Some("10.33.0.1"));
    assert_eq!(shown(&server, &interface, "gateway").as_deref(), Some("10.33.0.254"));
    let next = join(&server, &compute, &one, &[]).is(201).location();
    assert_eq!(shown(&server, &next, "address").as_deref(), Some("10.32.0.2"), "it is free again");
    // What the client has said is to be static stays, or is refused.
    let static_ =
        ["occi.networkinterface.address=\"10.32.0.9\"", "occi.networkinterface.allocation=\"static\""];
    let fixed = join(&server, &compute, &one, &static_).is(201).location();
    server.post(&fixed).text(body(&[], &[&target])).answers(400);
    assert_eq!(shown(&server, &fixed, "address").as_deref(), Some("10.32.0.9"));
}

/// A hundred interfaces that come at once to one network have a hundred addresses.
fn a_hundred_at_once(server: &Server, address: &str) {
    let network = lan(server, address, &[]);
    let computes: Vec<_> = (0..20).map(|_| server.create("compute", &[])).collect();
    let interfaces: Vec<String> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..5)
            .flat_map(|_| &computes)
            .map(|compute| scope.spawn(|| join(server, compute, &network, &[]).is(201).location()))
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let addresses: BTreeSet<_> =
        interfaces.iter().map(|interface| shown(server, interface, "address").unwrap()).collect();
    assert_eq!(addresses.len(), 100, "{addresses:?}");
    server.delete("/").answers(200);
}

#[test]
fn no_two_are_given_one_address() {
    a_hundred_at_once(&Server::start(), "10.34.0.0/24");
}

#[test]
fn no_two_are_given_one_address_by_qemu() {
    let Some(server) = Server::on_qemu() else { return };
    a_hundred_at_once(&server, "10.35.0.0/24");
}

/// Asks by DHCP for each interface that the system sees, again and again.
const ASKS: &str = "#!/bin/sh
exec >/dev/ttyS0 2>&1
while :; do
    for nic in /sys/class/net/eth*; do
        ip link set ${nic##*/} up
        udhcpc -i ${nic##*/} -n -q -t 5 -s /bin/true
    done
    sleep 1
done &
";

/// What the guest system is given when it asks by DHCP is what the interface shows; also where it was plugged while it runs,
/// and where others had asked before.
#[test]
fn a_guest_system_has_the_address_that_is_shown() {
    let Some(system) = GuestSystem::find() else { return };
    let config = system.boot();
    let server = Server::with(Options { hypervisor: Some(system.uri), config, ..Options::default() });
    let network = lan(&server, "10.36.0.0/29", &[]);
    server.act(&network, "up", &[]).is(200);
    let machine = || told(&server, ASKS);
    let leased =
        |compute: &str, address: &str| server.prints(compute, &format!("lease of {address} obtained"));
    // One that nobody knows of has one by itself, so it is given to no other, and is what it has when it is asked for.
    let [first, second] = [machine(), machine()];
    let unknown = server.link("networkinterface", &first, &network);
    server.act(&first, "start", &[]).is(200);
    server.prints(&first, "lease of 10.36.0.");
    let begun = join(&server, &second, &network, &[]).is(201).location();
    server.act(&second, "start", &[]).is(200);
    let address = shown(&server, &begun, "address").unwrap();
    leased(&second, &address);
    let plugged = join(&server, &second, &network, &[]).is(201).location();
    leased(&second, &shown(&server, &plugged, "address").unwrap());
    let location = format!("X-OCCI-Location: {unknown}\n");
    server.post("/mixin/ipnetworkinterface/").text(location).answers(200);
    let known = shown(&server, &unknown, "address").unwrap();
    leased(&first, &known);
    let all: BTreeSet<_> = [&begun, &plugged, &unknown].map(|link| shown(&server, link, "address")).into();
    assert_eq!(all.len(), 3, "{all:?}");
    server.delete("/").answers(200);
}

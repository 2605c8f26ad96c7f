//! Devices and the guest systems of QEMU's machines. A machine with an empty disk has none, so it lets no device go.

use crate::http::Answer;
use crate::occi::{body, kind};
use crate::server::{Server, eventually};
use std::process::Command;
use std::time::Duration;

/// Whether a machine has what a link attached: as it is defined, and as it runs.
fn has(server: &Server, link: &str) -> (bool, bool) {
    let all = server.inspect();
    let attachments = all["attachments"].as_array().unwrap();
    let found = |live: bool| {
        attachments
            .iter()
            .any(|found| found["live"] == live && link.ends_with(found["link"].as_str().unwrap()))
    };
    (found(false), found(true))
}

/// CORE-42: a machine whose guest system does not let go of its interface, since there is none, goes all the same.
#[test]
fn a_machine_that_does_not_listen() {
    let Some(server) = Server::on_qemu() else { return };
    let [compute, network] = ["compute", "network"].map(|term| server.create(term, &[]));
    let link = server.link("networkinterface", &compute, &network);
    server.act(&network, "up", &[]).is(200);
    server.act(&compute, "start", &[]).is(200);
    // By itself the interface stays, as the guest system wants.
    let answer = server.delete(&link).answers(409);
    assert!(answer.body.contains("stop the machine first"), "{answer}");
    server.delete(&compute).answers(200);
    server.get(&link).answers(404);
    assert_eq!(server.at_hypervisor("machines", &compute, "state"), None);
    // The same with what it uses, which goes last.
    let [compute, other] = [(), ()].map(|()| server.create("compute", &[]));
    let storage = server.create("storage", &["occi.storage.size=1"]);
    server.link("storagelink", &compute, &storage);
    for (compute, target) in [(&compute, &network), (&other, &network)] {
        server.link("networkinterface", compute, target);
        server.act(compute, "start", &[]).is(200);
    }
    server.delete("/").answers(200);
    assert_eq!(server.get("/").answers(200).body, "");
    for (list, path) in
        [("machines", &compute), ("machines", &other), ("volumes", &storage), ("networks", &network)]
    {
        assert_eq!(server.at_hypervisor(list, path, "name"), None, "{path}");
    }
}

/// A guest system that lets no device go is no silent hypervisor, and keeps nobody else from it.
#[test]
fn guests_that_keep_their_devices_cost_nobody_else() {
    let Some(server) = Server::on_qemu() else { return };
    let machine = || {
        let (compute, storage) =
            (server.create("compute", &[]), server.create("storage", &["occi.storage.size=0.1"]));
        let link = server.link("storagelink", &compute, &storage);
        // There is no system on its disk.
        server.act(&compute, "start", &[]).is(200);
        (compute, link)
    };
    let machines: Vec<_> = (0..4).map(|_| machine()).collect();
    let network = server.create("network", &[]);
    server.act(&network, "up", &[]).is(200);
    let last = server.link("networkinterface", &machines[3].0, &network);
    let links = [&machines[0].1, &machines[1].1, &machines[2].1, &last];
    std::thread::scope(|scope| {
        let waiting = links.map(|link| scope.spawn(|| server.delete(link).answers(409)));
        let other = server.create("compute", &[]);
        // Nor from the network that one of them keeps.
        server.link("networkinterface", &other, &network);
        let title = body(&[], &["occi.core.title=\"lan\""]);
        server.post(&network).text(title).answers(200);
        assert!(waiting.iter().all(|answer| !answer.is_finished()));
        server.act(&other, "start", &[]).is(200);
        for answer in waiting {
            let answer = answer.join().unwrap();
            assert!(answer.body.contains("the guest system does not let the device go"), "{answer}");
        }
    });
    let (compute, link) = &machines[0];
    server.act(compute, "suspend", &[]).is(200);
    let answer = server.delete(link).answers(409);
    assert!(answer.body.contains("the machine is paused"), "{answer}");
    server.delete("/").answers(200);
}

/// Nor does a start wait for them.
#[test]
fn a_start_does_not_wait_for_what_a_guest_keeps() {
    let Some(mut server) = Server::on_qemu() else { return };
    let (compute, storage) =
        (server.create("compute", &[]), server.create("storage", &["occi.storage.size=0.1"]));
    let link = server.link("storagelink", &compute, &storage);
    server.act(&compute, "start", &[]).is(200);
    let deletion = server.delete(&link);
    std::thread::spawn(move || deletion.try_send());
    std::thread::sleep(std::time::Duration::from_secs(1));
    server.kill_and_restart();
    server.get(&link).answers(200);
    let is_decided = || server.log().contains("a deletion is not finished");
    assert!(!is_decided(), "{}", server.log());
    eventually("the guest has refused", is_decided);
    assert_eq!(has(&server, &link), (true, true));
    server.delete("/").answers(200);
}

/// What was refused does not happen later: a machine that is reset lets go what it was asked for before.
#[test]
fn a_device_that_goes_after_its_link_was_kept_comes_back() {
    let Some(server) = Server::on_qemu() else { return };
    let (compute, storage) =
        (server.create("compute", &[]), server.create("storage", &["occi.storage.size=0.1"]));
    let link = server.link("storagelink", &compute, &storage);
    server.act(&compute, "start", &[]).is(200);
    server.delete(&link).answers(409);
    let lost = || server.log().contains("had lost a device");
    assert!(!lost());
    let domain = format!("occi-{}", compute.rsplit('/').next().unwrap());
    let mut reset = Command::new("virsh");
    reset.args(["-q", "-c", &std::env::var("OCCI_TEST_QEMU_URI").unwrap(), "reset", &domain]);
    assert!(reset.status().unwrap().success());
    eventually("the reset takes it", lost);
    eventually("it is back", || has(&server, &link) == (true, true));
    let shown = server.get(&link).answers(200);
    assert_eq!(shown.attribute("occi.storagelink.state"), Some("\"active\""), "{shown}");
    server.delete(&compute).answers(200);
    server.delete(&storage).answers(200);
}

/// A machine is restored with what it was saved with, so that does not leave it meanwhile; what comes meanwhile is there.
#[test]
fn a_saved_machine_keeps_what_is_in_its_memory() {
    let Some(server) = Server::on_qemu() else { return };
    let compute = server.create("compute", &[]);
    let storages =
        ["0.1", "0.2"].map(|size| server.create("storage", &[&format!("occi.storage.size={size}")]));
    let old = server.link("storagelink", &compute, &storages[0]);
    server.act(&compute, "start", &[]).is(200);
    server.act(&compute, "suspend", &["method=hibernate"]).is(200);
    let answer = server.delete(&old).answers(409);
    assert!(answer.body.contains("saved with the device: start it first"), "{answer}");
    server.delete(&storages[0]).answers(409);
    let new = server.link("storagelink", &compute, &storages[1]);
    server.act(&compute, "start", &[]).is(200);
    assert_eq!([&old, &new].map(|link| has(&server, link)), [(true, true); 2]);
    // What came meanwhile may go meanwhile.
    server.act(&compute, "suspend", &["method=hibernate"]).is(200);
    let network = server.create("network", &[]);
    let interface = server.link("networkinterface", &compute, &network);
    server.delete(&interface).answers(200);
    server.act(&compute, "start", &[]).is(200);
    // Without power it lets all go.
    server.act(&compute, "stop", &["method=poweroff"]).is(200);
    server.delete(&old).answers(200);
    assert_eq!([&old, &new].map(|link| has(&server, link)), [(false, false), (true, false)]);
    server.delete("/").answers(200);
}

/// Its memory knows what is in its volumes, so nobody else writes to them meanwhile.
#[test]
fn nobody_has_the_volumes_of_a_saved_machine() {
    let Some(server) = Server::on_qemu() else { return };
    let [saved, other, running] = [(); 3].map(|()| server.create("compute", &[]));
    let storage = server.create("storage", &["occi.storage.size=0.1"]);
    server.link("storagelink", &saved, &storage);
    server.act(&running, "start", &[]).is(200);
    server.act(&saved, "start", &[]).is(200);
    server.act(&saved, "suspend", &["method=hibernate"]).is(200);
    server.link("storagelink", &other, &storage);
    let refused = |answer: Answer| {
        assert!(answer.is(409).body.contains("another one that is saved"));
    };
    refused(server.act(&other, "start", &[]));
    let ends = [format!("occi.core.source={running:?}"), format!("occi.core.target={storage:?}")];
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    refused(server.post("/storagelink/").text(body(&[&kind("storagelink")], &ends)).send());
    server.act(&saved, "start", &[]).is(200);
    server.act(&saved, "stop", &["method=poweroff"]).is(200);
    server.act(&other, "start", &[]).is(200);
    server.delete("/").answers(200);
}

/// What each would have of the other's comes when it can: neither waits for the other.
#[test]
fn two_that_are_saved_do_not_keep_each_other_so() {
    let Some(server) = Server::on_qemu() else { return };
    let computes = [(); 2].map(|()| server.create("compute", &[]));
    let storages = [(); 2].map(|()| server.create("storage", &["occi.storage.size=0.1"]));
    for (compute, storage) in computes.iter().zip(&storages) {
        server.link("storagelink", compute, storage);
        server.act(compute, "start", &[]).is(200);
    }
    for compute in &computes {
        server.act(compute, "suspend", &["method=hibernate"]).is(200);
    }
    let late: Vec<_> = computes
        .iter()
        .zip(storages.iter().rev())
        .map(|(compute, storage)| server.link("storagelink", compute, storage))
        .collect();
    for compute in &computes {
        server.act(compute, "start", &[]).is(200);
    }
    assert!(late.iter().all(|link| has(&server, link) == (true, false)));
    server.delete("/").answers(200);
}

/// Nor by a device that could not be plugged before, and is as soon as it can be.
#[test]
fn nobody_gets_them_later() {
    let Some(server) = Server::on_qemu() else { return };
    let [one, two] = [(); 2].map(|()| server.create("compute", &[]));
    let storage = server.create("storage", &["occi.storage.size=0.1"]);
    server.link("storagelink", &one, &storage);
    for compute in [&one, &two] {
        server.act(compute, "start", &[]).is(200);
    }
    server.act(&two, "suspend", &["method=hibernate"]).is(200);
    let link = server.link("storagelink", &two, &storage);
    server.act(&two, "start", &[]).is(200);
    assert_eq!(has(&server, &link), (true, false));
    server.act(&one, "suspend", &["method=hibernate"]).is(200);
    for method in ["suspend", "hibernate"] {
        server.act(&two, "suspend", &[&format!("method={method}")]).is(200);
        server.act(&two, "start", &[]);
        assert_eq!(has(&server, &link), (true, false), "after {method}");
    }
    server.act(&one, "start", &[]).is(200);
    server.delete("/").answers(200);
}

/// The same where both are asked for at once.
#[test]
fn of_one_that_is_saved_and_one_that_starts_one_has_the_volume() {
    let Some(server) = Server::on_qemu() else { return };
    let [one, two] = [(); 2].map(|()| server.create("compute", &[]));
    let storage = server.create("storage", &["occi.storage.size=0.1"]);
    for compute in [&one, &two] {
        server.link("storagelink", compute, &storage);
    }
    for delay in [0, 20, 50, 100, 200] {
        if !server.get(&one).answers(200).body.contains("compute.state=\"active\"") {
            server.act(&one, "start", &[]).is(200);
        }
        let (saved, started) = std::thread::scope(|scope| {
            let saved = scope.spawn(|| server.act(&one, "suspend", &["method=hibernate"]).status);
            std::thread::sleep(Duration::from_millis(delay));
            let started = server.act(&two, "start", &[]).status;
            (saved.join().unwrap(), started)
        });
        assert!(started == 409 || saved == 409, "after {delay} ms: saved {saved}, started {started}");
        if started == 200 {
            server.act(&two, "stop", &["method=poweroff"]).is(200);
        }
    }
    server.delete("/").answers(200);
}

/// A deletion that the guest system refuses leaves the interface its address (ipnetworkinterface ends before it is refused), and meanwhile.
#[test]
fn an_interface_that_stays_keeps_its_address() {
    let Some(server) = Server::on_qemu() else { return };
    let mixin = |term: &str, of: &str| {
        format!(
            "Category: {term}; scheme=\"http://schemas.ogf.org/occi/infrastructure/{of}#\"; class=\"mixin\""
        )
    };
    let lan =
        body(&[&kind("network"), &mixin("ipnetwork", "network")], &["occi.network.address=\"10.79.0.0/24\""]);
    let network = server.post("/network/").text(lan).answers(201).location();
    let [compute, other] = [(), ()].map(|()| server.create("compute", &[]));
    let ask = |compute: &str| {
        let ends = [format!("occi.core.source={compute:?}"), format!("occi.core.target={network:?}")];
        let (address, allocation) =
            ("occi.networkinterface.address=\"10.79.0.9\"", "occi.networkinterface.allocation=\"static\"");
        let kinds = [&*kind("networkinterface"), &mixin("ipnetworkinterface", "networkinterface")];
        server
            .post("/networkinterface/")
            .text(body(&kinds, &[&ends[0], &ends[1], address, allocation]))
            .send()
    };
    let interface = ask(&compute).is(201).location();
    server.act(&network, "up", &[]).is(200);
    server.act(&compute, "start", &[]).is(200);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.delete(&interface).answers(409));
        std::thread::sleep(std::time::Duration::from_secs(2));
        ask(&other).is(409);
        assert!(!waiting.is_finished());
    });
    ask(&other).is(409);
    server.act(&compute, "suspend", &[]).is(200);
    server.delete("/networkinterface/").answers(409);
    ask(&other).is(409);
    server.delete("/").answers(200);
}

/// What cannot be plugged when a machine is restored is seen at the link, and plugged as soon as it can be.
#[test]
fn what_came_to_a_saved_machine_is_there_as_soon_as_it_can_be() {
    let Some(server) = Server::on_qemu() else { return };
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    server.act(&compute, "start", &[]).is(200);
    server.act(&compute, "suspend", &["method=hibernate"]).is(200);
    let link = server.link("networkinterface", &compute, &network);
    server.act(&compute, "start", &[]).is(200);
    let shown = || server.get(&link).answers(200);
    let is = |state: &str| shown().attribute("occi.networkinterface.state") == Some(&*format!("{state:?}"));
    eventually("the link says that it is not there", || {
        is("inactive") && shown().attribute("occi.networkinterface.state.message").is_some()
    });
    assert_eq!(has(&server, &link), (true, false));
    // What is plugged meanwhile takes the place that the interface has in the definition.
    let storage = server.create("storage", &["occi.storage.size=0.1"]);
    server.link("storagelink", &compute, &storage);
    server.act(&network, "up", &[]).is(200);
    eventually("it is there", || is("active") && has(&server, &link) == (true, true));
    server.delete("/").answers(200);
}

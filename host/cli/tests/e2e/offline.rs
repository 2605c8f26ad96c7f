//! Storages that go online and offline, on QEMU: whether they are offered is the entity's alone, and takes nothing from a machine.

use crate::occi::{action, body};
use crate::qemu::{Qemu, domain};

/// INF-05: the actions of a storage by itself and with a compute that runs with it. What it is in use for is refused.
#[test]
fn a_storage_goes_online_and_offline() {
    let Some(qemu) = Qemu::start() else { return };
    let server = &qemu.server;
    let storage = server.create("storage", &["occi.storage.size=0.0625"]);
    let shows = |state: &str, next: &str| {
        let shown = server.get(&storage).answers(200);
        assert_eq!(shown.attribute("occi.storage.state"), Some(&*format!("{state:?}")), "{shown}");
        assert_eq!(shown.actions(), [next]);
    };
    let goes = |state: &str, next: &str| {
        server.act(&storage, state, &[]).is(200);
        shows(state, next);
        // No arrow leads from a state to itself.
        server.act(&storage, state, &[]).is(409);
    };
    shows("offline", "online");
    goes("online", "offline");
    goes("offline", "online");

    // A system sees it whatever the state says, and goes on to.
    let compute = qemu.running("while :; do sleep 1; [ -e /dev/vdb ] && { echo; echo disk $((40 + 2)); echo; break; }; done; while [ -e /dev/vdb ]; do sleep 1; done; echo gone $((40 + 3)); echo");
    let link = server.link("storagelink", &compute, &storage);
    assert_eq!(server.get(&link).answers(200).attribute("occi.storagelink.deviceid"), Some("\"vdb\""));
    server.prints(&compute, "OCCI guest runs: disk 42");
    let is_plugged = || {
        let disks = qemu.virsh(&["domblklist", &domain(&compute)]);
        disks.contains(&domain(&storage))
    };
    for (state, next) in [("online", "offline"), ("offline", "online"), ("online", "offline")] {
        goes(state, next);
        assert!(is_plugged());
        let shown = server.get(&link).answers(200);
        assert_eq!(shown.attribute("occi.storagelink.state"), Some("\"active\""), "{state}: {shown}");
    }
    // It does not shrink under anybody.
    server.post(&storage).text(body(&[], &["occi.storage.size=0.03125"])).answers(400);
    // A system that stands still lets it not go.
    server.act(&compute, "suspend", &[]).is(200);
    let answer = server.delete(&storage).answers(409);
    assert!(answer.body.contains("the machine is paused"), "{answer}");
    shows("online", "offline");
    server.act(&compute, "start", &[]).is(200);
    assert!(is_plugged());
    // On all of them: one that is there already keeps the others from it, too.
    let other = server.create("storage", &["occi.storage.size=0.0625"]);
    server.post("/storage/?action=online").text(action("storage", "online")).answers(409);
    let shown = server.get(&other).answers(200);
    assert_eq!(shown.attribute("occi.storage.state"), Some("\"offline\""));

    server.delete(&storage).answers(200);
    server.get(&link).answers(404);
    server.prints(&compute, "OCCI guest runs: gone 43");
    assert!(!is_plugged());
    server.delete("/").answers(200);
}

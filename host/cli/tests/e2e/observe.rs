//! What happens at the hypervisor by itself is seen by clients; by another client of it, such as an operator's virsh.

use crate::occi::body;
use crate::qemu::{domain, virsh};
use crate::server::{Options, Server, eventually};
use occi_services::service;

/// A server on a hypervisor that others can reach too; none where there is no such.
fn server() -> Option<(Server, String)> {
    let uri = service("OCCI_TEST_LIBVIRT_TEST_URI")?;
    Some((Server::with(Options { hypervisor: Some(uri.clone()), ..Options::default() }), uri))
}

fn state(server: &Server, path: &str) -> String {
    let term = path.split('/').nth(1).unwrap();
    let shown = server.get(path).answers(200);
    shown.attribute(&format!("occi.{term}.state")).unwrap().trim_matches('"').to_owned()
}

/// A machine that dies by itself, or is started by somebody else, is so in the next answers; its links follow.
#[test]
fn a_machine_that_dies_by_itself() {
    let Some((server, uri)) = server() else { return };
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let link = server.link("networkinterface", &compute, &network);
    server.act(&compute, "start", &[]).is(200);
    let tag = server.get(&compute).answers(200).header("etag");
    virsh(&uri, &["destroy", &domain(&compute)]);
    eventually("the compute is inactive", || state(&server, &compute) == "inactive");
    eventually("its link is inactive", || state(&server, &link) == "inactive");
    let shown = server.get(&compute).header("If-None-Match", &tag).answers(200);
    assert!(shown.attribute("occi.compute.state.message").unwrap().contains("destroyed"), "{shown}");
    assert_eq!(shown.actions(), ["start"]);
    virsh(&uri, &["start", &domain(&compute)]);
    eventually("the compute is active", || state(&server, &compute) == "active");
    // It can be gone altogether.
    virsh(&uri, &["destroy", &domain(&compute)]);
    virsh(&uri, &["undefine", &domain(&compute)]);
    eventually("the compute is in error", || state(&server, &compute) == "error");
    server.delete(&compute).answers(200);
    server.delete(&network).answers(200);
}

/// What an operator has undefined is not made again by a change, which would be without its devices, and is the entity's
/// again when the operator has defined it again.
#[test]
fn a_machine_that_is_gone_and_comes_back() {
    let Some((server, uri)) = server() else { return };
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    let link = server.link("networkinterface", &compute, &network);
    for (path, dump, undefine, define, change) in [
        (&compute, "dumpxml", "undefine", "define", "occi.compute.cores=2"),
        (&network, "net-dumpxml", "net-undefine", "net-define", "occi.network.vlan=2"),
    ] {
        let definition = virsh(&uri, &[dump, &domain(path)]);
        virsh(&uri, &[undefine, &domain(path)]);
        eventually("it is in error", || state(&server, path) == "error");
        let refused = server.post(path).text(body(&[], &[change])).answers(409);
        assert!(refused.body.contains("the hypervisor has no"), "{refused}");
        assert!(!virsh(&uri, &["list", "--all", "--name"]).contains(&domain(path)));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, definition).unwrap();
        virsh(&uri, &[define, file.path().to_str().unwrap()]);
        eventually("it is there again", || state(&server, path) == "inactive");
        server.post(path).text(body(&[], &[change])).answers(200);
    }
    let interfaces = virsh(&uri, &["domiflist", &domain(&compute)]);
    assert!(interfaces.contains(&domain(&network)), "{interfaces}");
    server.delete(&link).answers(200);
    server.delete(&compute).answers(200);
    server.delete(&network).answers(200);
}

/// What happened while the server was away is found out at its start.
#[test]
fn while_the_server_was_away() {
    let Some((mut server, uri)) = server() else { return };
    let (compute, network) = (server.create("compute", &[]), server.create("network", &[]));
    server.act(&compute, "start", &[]).is(200);
    server.act(&network, "up", &[]).is(200);
    server.stop();
    virsh(&uri, &["destroy", &domain(&compute)]);
    virsh(&uri, &["net-destroy", &domain(&network)]);
    server.begin();
    eventually("the compute is inactive", || state(&server, &compute) == "inactive");
    eventually("the network is inactive", || state(&server, &network) == "inactive");
    server.kill();
    virsh(&uri, &["start", &domain(&compute)]);
    server.begin();
    eventually("the compute is active", || state(&server, &compute) == "active");
    server.delete(&compute).answers(200);
    server.delete(&network).answers(200);
}

/// What nobody tells of is found by comparing, now and then; what is there without an entity is reported, and left alone.
#[test]
fn what_no_event_tells_of() {
    let Some(uri) = service("OCCI_TEST_LIBVIRT_TEST_URI") else { return };
    let pool = format!("occi-reconcile-{}", uuid::Uuid::new_v4());
    let config = format!("[hypervisor]\nreconcile-seconds = 1\npool = \"{pool}\"\nvolumes = \"/{pool}\"\n");
    let server = Server::with(Options { hypervisor: Some(uri.clone()), config, ..Options::default() });
    let storage = server.create("storage", &["occi.storage.size=1"]);
    virsh(&uri, &["vol-delete", &domain(&storage), "--pool", &pool]);
    eventually("the storage is in error", || state(&server, &storage) == "error");
    let stray = format!("occi-{}", uuid::Uuid::new_v4());
    virsh(&uri, &["vol-create-as", &pool, &stray, "1M"]);
    eventually("the log tells of it", || server.log().contains(&stray));
    assert!(virsh(&uri, &["vol-list", &pool]).contains(&stray), "it is left alone");
    virsh(&uri, &["vol-delete", &stray, "--pool", &pool]);
}

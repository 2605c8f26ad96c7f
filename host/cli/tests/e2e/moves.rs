//! What is moved to another hypervisor where something is in the way: the same folder at both, a call that takes its time, a copy that
//! is not whole, a file that is not there.

use crate::agreement::Stage;
use crate::nodes::{Content, OTHER, compute_at, node_of, nodes_of, reached_nodes};
use crate::occi::{body, kind};
use crate::qemu::{domain, virsh};
use crate::server::{GuestSystem, Options, Server, eventually};
use crate::wire::Wire;
use occi_services::service;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::PoisonError;
use std::time::Duration;
use uuid::Uuid;

const NORTH: &str = "org.example.placement.labels=\"ssd\"";
const SOUTH: &str = "org.example.placement.labels=\"tape\"";

/// Both QEMUs, if there are two.
fn both() -> Option<(GuestSystem, String)> {
    Some((GuestSystem::find()?, service("OCCI_TEST_OTHER_QEMU_URI")?))
}

fn takes_nothing_new(server: &Server, node: &str) {
    let (is_done, said) = server.node(&["drain", node]);
    assert!(is_done, "{said}");
}

/// What is in a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    all.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
}

/// A machine with a disk of its own and a volume, whose folder both nodes have, as by NFS.
#[test]
fn what_both_nodes_have_stays_where_it_is() {
    let Some((system, other)) = both() else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let (folder, sockets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let nodes = reached_nodes(&system.uri, &other, &format!("unix://{}", sockets.path().display()));
    let stage = |more: &str| {
        let volumes = folder.path().to_str().unwrap();
        let more = format!("reconcile-seconds = 1\n{more}\n{nodes}");
        let stage = Stage::on_qemu_within(&system, None, &[&system.uri, &other], volumes, &more);
        takes_nothing_new(&stage.server, "south");
        stage
    };

    // Nobody has said so, and nothing is lost.
    let forgotten = stage("");
    let mut before = forgotten.prepare();
    let pool = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let had = files(&pool);
    assert!(had.len() >= 3, "the system, what need not last, and a volume: {:?}", had.keys());
    for path in [&before.compute, &before.storage] {
        if path == &before.storage {
            forgotten.server.delete(&before.links[1]).answers(200);
        }
        let (is_done, said) = forgotten.moves(path);
        assert!(!is_done && said.contains("`hypervisor.shared-volumes = true`"), "{said}");
    }
    forgotten.start(&mut before);
    forgotten.server.prints(&before.compute, "OCCI guest up");
    let (is_done, said) = forgotten.moves(&before.compute);
    assert!(!is_done && said.contains("`hypervisor.shared-volumes = true`"), "{said}");
    forgotten.server.act(&before.compute, "stop", &["method=\"poweroff\""]).is(200);
    assert_eq!(files(&pool).keys().collect::<Vec<_>>(), had.keys().collect::<Vec<_>>());
    let volume = domain(&before.storage);
    assert!(files(&pool)[&volume] == had[&volume]);
    forgotten.clear("what was refused");
    assert_eq!(files(&pool).len(), 0);

    let shared = stage("shared-volumes = true");
    let mut before = shared.prepare();
    let mut pools = std::fs::read_dir(folder.path()).unwrap().map(|pool| pool.unwrap().path());
    let pool = pools.find(|folder| *folder != pool).unwrap();
    let had = files(&pool);
    let compute = before.compute.clone();
    let moves = |state: &str| {
        for to in ["south", "north"] {
            let (is_done, said) = shared.moves(&compute);
            assert!(is_done && said.contains(&format!("is at {to}")), "{state}: {said}");
            assert_eq!(nodes_of(&shared.server, "machines", &compute), [to], "{state}");
            assert_eq!(files(&pool).keys().collect::<Vec<_>>(), had.keys().collect::<Vec<_>>(), "{state}");
            shared.agrees(state);
        }
    };
    moves("off");
    shared.start(&mut before);
    moves("running");
    shared.server.node(&["resume", "south"]);
    let (is_done, said) = shared.server.node(&["drain", "north"]);
    assert!(is_done && said.contains("north is empty"), "{said}");
    shared.agrees("a drain");
    shared.server.act(&before.compute, "stop", &["method=\"graceful\""]).is(200);
    shared.clear("what was moved");
    assert_eq!(files(&pool).len(), 0);
}

/// It is said that both have them, and that is not so.
#[test]
fn what_the_other_node_does_not_have_is_not_sent_there() {
    let Some((system, other)) = both() else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let nodes = reached_nodes(&system.uri, &other, "tcp://127.0.0.1");
    let pool = format!("occi-moves-{}", Uuid::new_v4());
    // Within what each daemon has for itself.
    let config = format!(
        "[hypervisor]\npool = \"{pool}\"\nvolumes = \"/var/lib/occi/{pool}\"\ndomain-type = \"qemu\"\nshared-volumes = true\n{nodes}"
    );
    let server = Server::with(Options { config, ..Options::default() });
    takes_nothing_new(&server, "south");
    let compute = compute_at(&server, &[NORTH]).is(201).location();
    let storage = server.create("storage", &["occi.storage.size=0.0625"]);
    assert_eq!(node_of(&server, "volumes", &storage), "north");
    server.link("storagelink", &compute, &storage);
    for runs in [false, true] {
        if runs {
            server.act(&compute, "start", &[]).is(200);
        }
        let (is_done, said) = server.node(&["move", &compute, "south"]);
        assert!(!is_done && said.contains("does not see this folder of volumes"), "{said}");
        assert_eq!(nodes_of(&server, "machines", &compute), ["north"]);
        assert_eq!(nodes_of(&server, "volumes", &storage), ["north"]);
    }
    server.delete("/").answers(200);
}

#[test]
fn a_machine_goes_where_its_image_is() {
    let Some((system, other)) = both() else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let nodes = reached_nodes(&system.uri, &other, "tcp://127.0.0.1");
    let stage = Stage::on_qemu(&system, None, &[&system.uri, &other], &nodes);
    let mut before = stage.prepare();
    for file in ["tiny.qcow2", "vmlinuz"] {
        // Both read the same folder here, so it is away from both.
        let (there, away) = (stage.images().join(file), stage.images().join("away"));
        std::fs::rename(&there, &away).unwrap();
        let (is_done, said) = stage.moves(&before.compute);
        assert!(!is_done && said.contains(&format!("does not have {file}")), "{said}");
        std::fs::rename(&away, &there).unwrap();
        stage.agrees("what was refused");
    }
    let (is_done, said) = stage.moves(&before.compute);
    assert!(is_done, "{said}");
    stage.start(&mut before);
    stage.clear("what was moved");
}

/// QEMU copies what a volume is now, and nothing that was kept in it before.
#[test]
fn what_is_kept_in_a_volume_is_not_left_behind() {
    let Some((system, other)) = both() else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = format!("occi-moves-{}", Uuid::new_v4());
    let nodes = reached_nodes(&system.uri, &other, "tcp://127.0.0.1");
    let config = format!(
        "[hypervisor]\npool = \"{pool}\"\nvolumes = \"/var/lib/occi/{pool}\"\ndomain-type = \"qemu\"\n{nodes}"
    );
    let server = Server::with(Options { config, ..Options::default() });
    takes_nothing_new(&server, "south");
    let compute = compute_at(&server, &[NORTH]).is(201).location();
    let storage = server.create("storage", &["occi.storage.size=0.0625"]);
    server.link("storagelink", &compute, &storage);
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().to_str().unwrap();
    let volume = domain(&storage);
    let of_volume = |uri: &str, command: &str| virsh(uri, &[command, "--pool", &pool, &volume, file]);
    let snapshots = |arguments: &[&str]| {
        let said = Command::new("qemu-img").arg("snapshot").args(arguments).arg(file).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        String::from_utf8(said.stdout).unwrap()
    };
    of_volume(&system.uri, "vol-download");
    snapshots(&["-c", "kept"]);
    of_volume(&system.uri, "vol-upload");

    server.act(&compute, "start", &[]).is(200);
    let (is_done, said) = server.node(&["move", &compute, "south"]);
    assert!(!is_done && said.contains("snapshots of a machine that had it before"), "{said}");
    assert_eq!(nodes_of(&server, "volumes", &storage), ["north"]);
    server.act(&compute, "stop", &["method=\"poweroff\""]).is(200);
    let (is_done, said) = server.node(&["move", &compute, "south"]);
    assert!(is_done, "{said}");
    of_volume(&other, "vol-download");
    assert!(snapshots(&["-l"]).contains("kept"));
    server.delete("/").answers(200);
}

/// A client is told in time that it takes longer, and it comes to its end whatever is looked at meanwhile.
#[test]
fn a_volume_that_takes_long_to_come_comes_whole() {
    let Some((system, other)) = both() else { return };
    let _alone = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    let (pool, south) = (format!("occi-moves-{}", Uuid::new_v4()), Wire::new(&other));
    let nodes = reached_nodes(&system.uri, &south.uri, "tcp://127.0.0.1");
    let config = format!(
        "[hypervisor]\npool = \"{pool}\"\nvolumes = \"/var/lib/occi/{pool}\"\ndomain-type = \"qemu\"\nlong-seconds = 2\n\
         reconcile-seconds = 1\n{nodes}"
    );
    let server = Server::with(Options { config, ..Options::default() });
    let compute = compute_at(&server, &[SOUTH]).is(201).location();
    let storage = server.create("storage", &["occi.storage.size=0.0625"]);
    let here = compute_at(&server, &[NORTH]).is(201).location();
    let link = server.link("storagelink", &here, &storage);
    let content = Content::written(&system.uri, &pool, &storage);
    server.delete(&link).answers(200);

    // Some 45 messages.
    south.slow(Duration::from_millis(150));
    let ends = [format!("occi.core.source={compute:?}"), format!("occi.core.target={storage:?}")];
    let link =
        || server.post("/storagelink/").text(body(&[&kind("storagelink")], &[&ends[0], &ends[1]])).send();
    let told = link();
    assert!(told.status == 504 && told.body.contains("takes longer than 2 s and goes on"), "{told}");
    for _ in 0..5 {
        server.get(&storage).answers(200);
        assert_eq!(nodes_of(&server, "volumes", &storage).first().map(String::as_str), Some("north"));
        std::thread::sleep(Duration::from_millis(200));
    }
    eventually("it has come", || nodes_of(&server, "volumes", &storage) == ["south"]);
    south.slow(Duration::ZERO);
    content.is_at(&other);
    eventually("it can be linked", || link().status == 201);
    server.act(&compute, "start", &[]).is(200);
    server.act(&compute, "stop", &["method=\"poweroff\""]).is(200);
    server.delete("/").answers(200);
}

/// What a server left that was killed while something moved, at libvirt's test driver in two daemons.
#[test]
fn a_copy_that_is_not_whole_never_counts() {
    let both = (service("OCCI_TEST_LIBVIRT_TEST_URI"), service("OCCI_TEST_OTHER_LIBVIRT_TEST_URI"));
    let (Some(north), Some(south)) = both else { return };
    let pool = format!("occi-moves-{}", Uuid::new_v4());
    let of = |nodes: &str| format!("[hypervisor]\npool = \"{pool}\"\nvolumes = \"/{pool}\"\n{nodes}");
    let two = of(&reached_nodes(&north, &south, "tcp://127.0.0.1"));
    let mut server = Server::configured(&two);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    let name = domain(&storage);
    let filler = compute_at(&server, &[SOUTH]).is(201).location();
    let make = |name: &str| virsh(&south, &["vol-create-as", &pool, name, "1G"]);
    let lose = |uri: &str, name: &str| virsh(uri, &["vol-delete", name, "--pool", &pool]);
    let link = |server: &Server| {
        let ends = [format!("occi.core.source={filler:?}"), format!("occi.core.target={storage:?}")];
        server.post("/storagelink/").text(body(&[&kind("storagelink")], &[&ends[0], &ends[1]])).send()
    };
    // The disk of a machine there has had the pool be made.
    let seen = server.create("storage", &["occi.storage.size=1"]);
    let (is_done, said) = server.node(&["move", &seen, "south"]);
    assert!(is_done, "{said}");
    let coming = format!("{name}.coming");

    // The original counts, and the part of a copy goes.
    server.stop();
    make(&name);
    make(&coming);
    server.begin();
    eventually("it is at one node", || nodes_of(&server, "volumes", &storage) == ["north"]);
    let listed = virsh(&south, &["vol-list", &pool]);
    assert!(!listed.contains(&name));

    // Where there is none, a part does not take its place, also where no other node is known any more.
    server.stop();
    make(&name);
    make(&coming);
    lose(&north, &name);
    server.begin();
    let refused = link(&server);
    assert!(refused.status == 503 && refused.body.contains("only a part of it has come"), "{refused}");
    let arrivals = &server.inspect()["arrivals"];
    assert_eq!(arrivals, &json!([{ "node": "south", "name": name, "is_whole": false }]));
    server.stop();
    server.set_config(&of(&format!("uri = {south:?}\n")));
    server.begin();
    let refused = link(&server);
    assert!(refused.status == 503 && refused.body.contains("only a part of it has come"), "{refused}");

    // One that is whole does.
    server.stop();
    make(&format!("{name}.arrived"));
    server.set_config(&two);
    server.begin();
    assert_eq!(link(&server).status, 201);
    assert_eq!(node_of(&server, "volumes", &storage), "south");
    let listed = virsh(&south, &["vol-list", &pool]);
    assert!(!listed.contains(&format!("{name}.")), "no mark is left");
    server.delete("/").answers(200);
}

/// A machine that was migrated has written to its disks there, also where it is off by now, and its original is back.
#[test]
fn a_machine_counts_where_it_ran_last() {
    let both = (service("OCCI_TEST_LIBVIRT_TEST_URI"), service("OCCI_TEST_OTHER_LIBVIRT_TEST_URI"));
    let (Some(north), Some(south)) = both else { return };
    let pool = format!("occi-moves-{}", Uuid::new_v4());
    let nodes = reached_nodes(&north, &south, "tcp://127.0.0.1");
    let mut server =
        Server::configured(&format!("[hypervisor]\npool = \"{pool}\"\nvolumes = \"/{pool}\"\n{nodes}"));
    // The pool is there once something has come.
    let storage = server.create("storage", &["occi.storage.size=1"]);
    if node_of(&server, "volumes", &storage) == "north" {
        assert!(server.node(&["move", &storage, "south"]).0);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    for (mark, counts) in [("coming", "north"), ("arrived", "south")] {
        let compute = compute_at(&server, &[NORTH]).is(201).location();
        let name = domain(&compute);
        server.stop();
        std::fs::write(file.path(), virsh(&north, &["dumpxml", &name])).unwrap();
        virsh(&south, &["define", file.path().to_str().unwrap()]);
        virsh(&south, &["vol-create-as", &pool, &format!("{name}.{mark}"), "512"]);
        server.begin();
        eventually("it is where it counts alone", || nodes_of(&server, "machines", &compute) == [counts]);
        let listed = virsh(&south, &["vol-list", &pool]);
        assert!(!listed.contains(&name), "no mark is left");
        server.act(&compute, "start", &[]).is(200);
    }
    server.delete("/").answers(200);
}

//! OS templates: images that computes begin as, those of the operator's folder and those that computes are saved as.

use crate::http::Answer;
use crate::occi::{body, kind};
use crate::server::{GuestSystem, Options, Server, eventually};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SCHEME: &str = "http://example.org/occi/infrastructure/os_tpl#";

fn template(term: &str) -> String {
    format!("Category: {term}; scheme=\"{SCHEME}\"; class=\"mixin\"")
}

/// Whether the query interface has an OS template of that name.
fn is_on_offer(server: &Server, term: &str) -> bool {
    server.get("/-/").answers(200).body.contains(&format!("Category: {term}; scheme=\"{SCHEME}\""))
}

fn put(folder: &Path, name: &str, description: &str) {
    let draft = folder.join(format!("{name}.new"));
    std::fs::write(&draft, description).unwrap();
    std::fs::rename(draft, folder.join(format!("{name}.toml"))).unwrap();
}

/// A compute that begins as an image; its path.
fn begun_as(server: &Server, term: &str) -> String {
    let asked = body(&[&kind("compute"), &template(term)], &[]);
    server.post("/compute/").text(asked).answers(201).location()
}

/// INF-11, INF-12: what comes into the folder is on offer at once, what goes is not, and what a compute has stays known.
#[test]
fn images_come_and_go() {
    let mut server = Server::start();
    let folder = server.data().join("images");
    std::fs::write(folder.join("tiny.raw"), vec![0; 4096]).unwrap();
    put(&folder, "tiny", "title = \"Tiny\"\ndisk = \"tiny.raw\"\nformat = \"raw\"");
    put(&folder, "broken", "disc = \"tiny.raw\"");
    eventually("it is on offer", || is_on_offer(&server, "tiny"));
    let shown = server.get("/-/").answers(200).body;
    let line = shown.lines().find(|line| line.contains("Category: tiny;")).unwrap();
    assert!(line.contains("title=\"Tiny\"") && line.contains("infrastructure#os_tpl"), "{line}");
    assert!(!is_on_offer(&server, "broken") && server.log().contains("unknown field `disc`"));

    let compute = begun_as(&server, "tiny");
    let name = format!("occi-{}-system-tiny", compute.rsplit('/').next().unwrap());
    assert_eq!(server.inspect()["own_disks"][0]["name"], name.as_str());
    assert_eq!(server.get("/mixin/os_tpl/tiny/").answers(200).locations(), std::slice::from_ref(&compute));
    server.post("/compute/").text(body(&[&kind("compute"), &template("none")], &[])).answers(400);

    std::fs::remove_file(folder.join("tiny.toml")).unwrap();
    // Still known, and no longer to be had.
    eventually("it is gone", || {
        server.post("/compute/").text(body(&[&kind("compute"), &template("tiny")], &[])).send().status == 409
    });
    server.act(&compute, "start", &[]).is(200);
    server.restart();
    assert!(is_on_offer(&server, "tiny"), "a compute has it");
    server.act(&compute, "stop", &[]).is(200);
    server.delete(&compute).answers(200);
    assert_eq!(server.inspect()["own_disks"], serde_json::json!([]));
    put(&folder, "other", "");
    eventually("what nobody has is forgotten", || {
        !is_on_offer(&server, "tiny") && is_on_offer(&server, "other")
    });
    // INF-09, INF-16: one of the operator's is not for clients to remove.
    let answer = server.delete("/-/").text(template("other")).send();
    assert_eq!(answer.status, 403, "{answer}");
}

/// INF-13: another OS template takes the place of the one there is, while nothing of it runs.
#[test]
fn another_image_takes_its_place() {
    let server = Server::start();
    let folder = server.data().join("images");
    for name in ["one", "two"] {
        std::fs::write(folder.join(format!("{name}.qcow2")), "").unwrap();
        put(&folder, name, &format!("disk = \"{name}.qcow2\""));
        eventually("it is on offer", || is_on_offer(&server, name));
    }
    let compute = begun_as(&server, "one");
    let begins_as = |image: &str| {
        let own = server.inspect()["own_disks"].clone();
        let own = own.as_array().unwrap();
        own.len() == 1 && own[0]["name"].as_str().unwrap().ends_with(&format!("-system-{image}"))
    };
    assert!(begins_as("one"));
    server.act(&compute, "start", &[]).is(200);
    let answer = server.post(&compute).text(body(&[&template("two")], &[])).answers(409);
    assert!(answer.body.contains("stop the machine first"), "{answer}");
    assert!(begins_as("one"), "a refusal leaves no trace");
    server.act(&compute, "stop", &["method=\"poweroff\""]).is(200);
    server.post(&compute).text(body(&[&template("two")], &[])).answers(200);
    assert!(begins_as("two"));
    let shown = server.get(&compute).answers(200).body;
    assert!(shown.contains("Category: two;") && !shown.contains("Category: one;"), "{shown}");
}

/// INF-06, Q-24: the answer to `save` is the new OS template, from which others are made; whoever made it removes it.
#[test]
fn a_compute_is_saved_as_a_template() {
    let mut server = Server::start();
    let compute = server.create("compute", &["occi.core.title=\"Web server\""]);
    server.act(&compute, "start", &[]).is(200);
    let saved: Vec<_> = [
        server.act(&compute, "save", &["name=\"Before the upgrade\""]),
        server.act(&compute, "save", &["method=\"hot\"", "name=\"Before the upgrade\""]),
        server.act(&compute, "save", &["method=\"deferred\""]),
        server.act(&compute, "save", &["method=\"deffered\"", "name=\"q-59\""]),
    ]
    .iter()
    .map(new_template)
    .collect();
    assert_eq!(saved, ["before-the-upgrade", "before-the-upgrade-2", "web-server", "q-59"]);
    assert_eq!(server.get(&compute).answers(200).attribute("occi.compute.state"), Some("\"active\""));
    server.kill_and_restart();
    let second = begun_as(&server, "web-server");
    server.act(&second, "start", &[]).is(200);
    let answer = server.delete("/-/").text(template("web-server")).answers(409);
    assert!(answer.body.contains("1 entities began as"), "{answer}");
    server.delete(&second).answers(200);
    server.delete("/-/").text(template("web-server")).answers(200);
    assert!(!is_on_offer(&server, "web-server") && is_on_offer(&server, "q-59"));
    let left = std::fs::read_dir(server.data().join("images")).unwrap();
    let left: Vec<_> = left.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|file| !file.starts_with("web-server")), "{left:?}");
}

/// The term of the OS template that an answer renders.
fn new_template(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer}");
    let line = answer.body.lines().next().unwrap();
    assert!(line.contains(SCHEME) && line.contains("class=\"mixin\""), "{answer}");
    line.strip_prefix("Category: ").unwrap().split(';').next().unwrap().to_owned()
}

/// A server on QEMU with images whose systems boot; none where there is no QEMU to test with.
fn on_qemu() -> Option<(Server, TempDir)> {
    let GuestSystem { uri, kernel, initrd } = GuestSystem::find()?;
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    for (file, from) in [("vmlinuz", &kernel), ("initrd.gz", &initrd)] {
        std::fs::copy(from, images.join(file)).unwrap();
    }
    std::fs::write(images.join("disk.raw"), vec![0; 8 << 20]).unwrap();
    let description = format!(
        "title = \"Linux\"\ndisk = \"disk.raw\"\nformat = \"raw\"\nkernel = \"vmlinuz\"\ninitrd = \"initrd.gz\"\ncmdline = {:?}",
        GuestSystem::COMMAND_LINE
    );
    put(&images, "linux", &description);
    let path = folder.path().display();
    let config = format!(
        "[hypervisor]\ndomain-type = \"qemu\"\nimages = \"{path}/images\"\nconsoles = \"{path}/consoles\"\n\
         volumes = \"{path}/volumes\"\npool = \"occi-images-{}\"\n",
        uuid::Uuid::new_v4()
    );
    let server = Server::with(Options { hypervisor: Some(uri), config, ..Options::default() });
    Some((server, folder))
}

fn console(folder: &TempDir, compute: &str) -> PathBuf {
    folder.path().join("consoles").join(compute.rsplit('/').next().unwrap()).with_extension("log")
}

/// INF-06, INF-18, INF-19: a system boots from a copy of the image, is told what the client says, and a second begins as it was
/// saved.
#[test]
fn a_system_boots_as_the_template_says() {
    let Some((server, folder)) = on_qemu() else { return };
    let ssh_key = "Category: ssh_key; scheme=\"http://schemas.ogf.org/occi/infrastructure/credentials#\"; class=\"mixin\"";
    let user_data = "Category: user_data; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute#\"; class=\"mixin\"";
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKkhN3Uo0vW5X+a3 someone@example.org";
    let asked = body(
        &[&kind("compute"), &template("linux"), ssh_key, user_data],
        &[
            "occi.compute.hostname=\"web.example.org\"",
            "occi.compute.memory=0.125",
            &format!("occi.credentials.ssh.publickey=\"{key}\""),
            // A script in Base64: echo told $((40 + 2)).
            "occi.compute.userdata=\"IyEvYmluL3NoCmVjaG8gdG9sZCAkKCg0MCArIDIpKQo=\"",
        ],
    );
    let compute = server.post("/compute/").text(asked).answers(201).location();
    server.act(&compute, "start", &[]).is(200);
    for wanted in [
        "OCCI guest up: web.example.org",
        key,
        "OCCI guest runs: told 42",
        "boots its disk for the time number 1",
    ] {
        server.prints(&compute, wanted);
    }
    // It is copied while it runs.
    let name = new_template(&server.act(&compute, "save", &["name=\"booted once\""]));
    let second = begun_as(&server, &name);
    server.act(&second, "start", &[]).is(200);
    server.prints(&second, "boots its disk for the time number 2");
    let name = new_template(&server.act(&second, "save", &["method=\"deferred\""]));
    server.prints(&second, "boots its disk for the time number 3");
    let third = begun_as(&server, &name);
    server.act(&third, "start", &[]).is(200);
    server.prints(&third, "boots its disk for the time number 3");
    // The first knows nothing of it.
    server.act(&compute, "restart", &["method=\"cold\""]).is(200);
    server.prints(&compute, "boots its disk for the time number 2");
    for compute in [&compute, &second, &third] {
        server.delete(compute).answers(200);
        assert!(!console(&folder, compute).exists());
    }
    assert_eq!(server.inspect()["own_disks"], serde_json::json!([]));
    assert_eq!(std::fs::read_dir(folder.path().join("volumes")).unwrap().count(), 0);
}

//! Storage: its size and its format, what clients of OCCI 1.1 have beyond 1.2, and copies that others begin as.

use crate::http::Answer;
use crate::occi::{action, body, kind};
use crate::server::{GuestSystem, Options, Server, eventually};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// The switch by which what is for clients of OCCI 1.1 alone is there.
const OLDER: &str = "compatibility = \"1.1\"\n";

/// The scheme of what storages begin as.
const TEMPLATES: &str = "http://example.org/occi/infrastructure/storage_tpl#";

const FORMAT: &str =
    "Category: storage_format; scheme=\"http://example.org/occi/infrastructure#\"; class=\"mixin\"";

const GIB: u64 = 1 << 30;

fn template(term: &str) -> String {
    format!("Category: {term}; scheme=\"{TEMPLATES}\"; class=\"mixin\"")
}

fn size(answer: &Answer) -> &str {
    answer.attribute("occi.storage.size").unwrap()
}

/// The term of the template that an answer renders.
fn new_template(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer}");
    let line = answer.body.lines().next().unwrap();
    assert!(line.contains(TEMPLATES) && line.contains("class=\"mixin\""), "{answer}");
    line.strip_prefix("Category: ").unwrap().split(';').next().unwrap().to_owned()
}

fn is_shown(server: &Server, what: &str) -> bool {
    server.get("/-/").answers(200).body.contains(what)
}

/// What 1.2 has not is there for clients of 1.1 where the operator says so, and nowhere else (GFD.184 beside GFD.224).
#[test]
fn what_1_1_had_is_there_on_request() {
    let mut server = Server::start();
    let storage = server.create("storage", &["occi.storage.size=1"]);
    assert!(!is_shown(&server, "action#resize") && !is_shown(&server, "occi.compute.speed"));
    server.act(&storage, "resize", &["size=2"]).is(400);
    let with_speed = body(&[&kind("compute")], &["occi.compute.speed=2.5"]);
    server.post("/compute/").text(&with_speed).answers(400);

    server.set_config(OLDER);
    server.restart();
    for action in ["resize", "backup", "snapshot"] {
        assert!(is_shown(&server, &format!("storage/action#{action}")), "{action}");
    }
    let shown = server.get("/-/").accept("application/occi+json").answers(200).body;
    assert!(shown.contains("degraded"), "the states of 1.1 are known: {shown}");
    let compute = server.post("/compute/").text(&with_speed).answers(201).location();
    assert_eq!(server.get(&compute).answers(200).attribute("occi.compute.speed"), Some("2.5"));
    let offered = server.get(&storage).answers(200).body;
    assert!(offered.contains("?action=resize") && offered.contains("?action=backup"), "{offered}");

    // Without the switch it is as it was; what was noted stays with the entity, and keeps nobody from changing the rest.
    server.set_config("");
    server.restart();
    assert!(!is_shown(&server, "action#resize"));
    server.post(&compute).text(body(&[], &["occi.compute.cores=2"])).answers(200);
}

/// OCCI 1.1: `resize` is what a changed size is.
#[test]
fn resize_is_a_changed_size() {
    let quota = "[[quota]]\ncategory = \"http://schemas.ogf.org/occi/infrastructure#storage\"\n\
                 attribute = \"occi.storage.size\"\nmost = 4\n";
    let server = Server::configured(&format!("{OLDER}{quota}"));
    let storage = server.create("storage", &["occi.storage.size=1"]);
    server.act(&storage, "online", &[]).is(200);
    let answer = server.act(&storage, "resize", &["size=2.5"]);
    assert_eq!((answer.status, size(&answer)), (200, "2.5"), "{answer}");
    assert_eq!(answer.attribute("occi.storage.state"), Some("\"online\""));
    assert_eq!(server.at_hypervisor("volumes", &storage, "capacity"), Some((5 * GIB / 2).into()));
    for (size, said) in [("2", "can only grow"), ("0", "1 MiB"), ("\"large\"", "size")] {
        let answer = server.act(&storage, "resize", &[&format!("size={size}")]);
        assert!(answer.status == 400 && answer.body.contains(said), "{answer}");
    }
    server.act(&storage, "resize", &[]).is(400);
    // What a tenant may have at most is asked before anything is done.
    let other = server.create("storage", &["occi.storage.size=1"]);
    let answer = server.act(&other, "resize", &["size=1.75"]);
    assert!(answer.status == 409 && answer.body.contains("0.5 is left"), "{answer}");
    let all = body(&[&action("storage", "resize")], &["size=2.75"]);
    let answer = server.post("/storage/?action=resize").text(all).send();
    assert_eq!(answer.status, 409, "{answer}");
    assert_eq!(server.at_hypervisor("volumes", &other, "capacity"), Some(GIB.into()), "nothing was begun");
    assert_eq!(size(&server.get(&storage).answers(200)), "2.5");
    server.act(&other, "resize", &["size=1.5"]).is(200);
}

/// OCCI 1.1: the answer to `backup` and `snapshot` is what other storages begin as; whoever made it removes it.
#[test]
fn a_storage_is_kept_as_a_template() {
    let mut server = Server::configured(OLDER);
    let storage = server.create("storage", &["occi.core.title=\"Web data\"", "occi.storage.size=1.5"]);
    server.act(&storage, "online", &[]).is(200);
    let made: Vec<_> = ["backup", "snapshot", "backup"]
        .iter()
        .map(|action| new_template(&server.act(&storage, action, &[])))
        .collect();
    assert_eq!(made, ["web-data-backup", "web-data-snapshot", "web-data-backup-2"]);
    assert_eq!(server.get(&storage).answers(200).attribute("occi.storage.state"), Some("\"online\""));
    // No compute begins as one.
    let os_template = body(
        &[
            &kind("compute"),
            "Category: web-data-backup; scheme=\"http://example.org/occi/infrastructure/os_tpl#\"; class=\"mixin\"",
        ],
        &[],
    );
    server.post("/compute/").text(os_template).answers(400);

    // 1.2 has the templates, too. A new storage is as large as what it begins as, or larger.
    server.set_config("");
    server.kill_and_restart();
    let begun =
        |size: &[&str]| server.post("/storage/").text(body(&[&kind("storage"), &template(&made[0])], size));
    let second = begun(&[]).answers(201).location();
    assert_eq!(size(&server.get(&second).answers(200)), "1.5");
    let third = begun(&["occi.storage.size=2"]).answers(201).location();
    assert_eq!(server.at_hypervisor("volumes", &third, "capacity"), Some((2 * GIB).into()));
    server.post("/storage/").text(body(&[&kind("storage")], &[])).answers(400);
    // Not later, and not another one.
    server.post(&storage).text(body(&[&template(&made[1])], &[])).answers(409);
    server.post(&second).text(body(&[&template(&made[1])], &[])).answers(409);
    server.post(&third).text(body(&[], &["occi.storage.size=3"])).answers(200);

    let answer = server.delete("/-/").text(template(&made[0])).answers(409);
    assert!(answer.body.contains("2 entities began as"), "{answer}");
    for storage in [&second, &third] {
        server.delete(storage).answers(200);
    }
    server.delete("/-/").text(template(&made[0])).answers(200);
    assert!(!is_shown(&server, "web-data-backup;") && is_shown(&server, "web-data-snapshot;"));
}

/// What an operator puts there is on offer, and says how large it is; what is no image is not.
#[test]
fn images_for_volumes_are_on_offer() {
    let server = Server::configured(
        "[[quota]]\ncategory = \"http://schemas.ogf.org/occi/infrastructure#storage\"\nattribute = \"occi.storage.size\"\nmost = 0.25\n",
    );
    let folder = server.data().join("images");
    std::fs::write(folder.join("data.raw"), vec![0; 128 << 20]).unwrap();
    for (name, description) in [
        ("data", "title = \"Data\"\nuse = \"volume\"\ndisk = \"data.raw\"\nformat = \"raw\""),
        ("wrong", "use = \"volume\"\ndisk = \"data.raw\""),
    ] {
        std::fs::write(folder.join(name).with_extension("toml"), description).unwrap();
    }
    eventually("it is on offer", || is_shown(&server, "Category: data;"));
    assert!(!is_shown(&server, "Category: wrong;") && server.log().contains("it is no qcow2"));
    let asked = body(&[&kind("storage"), &template("data")], &[]);
    let storage = server.post("/storage/").text(&asked).answers(201).location();
    assert_eq!(size(&server.get(&storage).answers(200)), "0.125");
    // The size that comes with it counts, too.
    server.post("/storage/").text(&asked).answers(201);
    server.post("/storage/").text(&asked).answers(409);
    let answer = server.delete("/-/").text(template("data")).send();
    assert_eq!(answer.status, 409, "{answer}");
}

/// The format is chosen at the beginning, shown to whoever wants to see it, and stays.
#[test]
fn the_format_is_as_it_is_asked_for() {
    let server = Server::configured("[hypervisor]\nformat = \"raw\"\n");
    let made = |attributes: &[&str]| {
        server.post("/storage/").text(body(&[&kind("storage"), FORMAT], attributes)).answers(201).location()
    };
    let chosen = made(&["occi.storage.size=1", "org.example.storage.format=\"qcow2\""]);
    let left_open = made(&["occi.storage.size=1"]);
    let format = |storage: &str| {
        server.get(storage).answers(200).attribute("org.example.storage.format").map(str::to_owned)
    };
    assert_eq!(format(&chosen).as_deref(), Some("\"qcow2\""));
    assert_eq!(format(&left_open).as_deref(), Some("\"raw\""));
    let volumes = server.inspect()["volumes"].clone();
    let names: Vec<_> =
        volumes.as_array().unwrap().iter().map(|volume| volume["name"].as_str().unwrap()).collect();
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    assert!(names.contains(&format!("occi-{}", id(&chosen)).as_str()), "{names:?}");
    assert!(names.contains(&format!("occi-{}.raw", id(&left_open)).as_str()), "{names:?}");
    let answer = server.post(&chosen).text(body(&[], &["org.example.storage.format=\"raw\""])).send();
    assert!(answer.status == 403 && answer.body.contains("org.example.storage.format"), "{answer}");
    let wrong =
        body(&[&kind("storage"), FORMAT], &["occi.storage.size=1", "org.example.storage.format=\"vmdk\""]);
    server.post("/storage/").text(wrong).answers(400);
    for storage in [&chosen, &left_open] {
        server.delete(storage).answers(200);
    }
    assert_eq!(server.inspect()["volumes"], serde_json::json!([]));
}

/// A server on QEMU with a system to boot; none where there is no QEMU to test with.
struct Cloud {
    server: Server,
    folder: TempDir,
    uri: String,
    pool: String,
}

impl Cloud {
    fn new() -> Option<Self> {
        let guest = GuestSystem::find()?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let pool = format!("occi-storage-{}", uuid::Uuid::new_v4());
        let config = format!(
            "{OLDER}[hypervisor]\ndomain-type = \"qemu\"\nimages = \"{path}/images\"\nconsoles = \"{path}/consoles\"\n\
             volumes = \"{path}/volumes\"\npool = \"{pool}\"\n{}",
            guest.boot()
        );
        let uri = guest.uri;
        let server = Server::with(Options { hypervisor: Some(uri.clone()), config, ..Options::default() });
        Some(Self { server, folder, uri, pool })
    }

    /// A running compute whose system does what a script says, once it is up; its path.
    fn running(&self, script: &str) -> String {
        let server = &self.server;
        let user_data = "Category: user_data; scheme=\"http://schemas.ogf.org/occi/infrastructure/compute#\"; class=\"mixin\"";
        let script = format!("occi.compute.userdata={:?}", format!("#!/bin/sh\n{script}\n"));
        let asked = body(&[&kind("compute"), user_data], &["occi.compute.memory=0.125", &script]);
        let compute = server.post("/compute/").text(asked).answers(201).location();
        server.act(&compute, "start", &[]).is(200);
        server.prints(&compute, "OCCI guest up");
        compute
    }

    /// A storage in a format; its path.
    fn storage(&self, format: &str, size: f64) -> String {
        let attributes =
            [format!("occi.storage.size={size}"), format!("org.example.storage.format={format:?}")];
        let attributes: Vec<&str> = attributes.iter().map(String::as_str).collect();
        let asked = body(&[&kind("storage"), FORMAT], &attributes);
        self.server.post("/storage/").text(asked).answers(201).location()
    }

    /// The file of a storage.
    fn file(&self, storage: &str, format: &str) -> PathBuf {
        let suffix = if format == "raw" { ".raw" } else { "" };
        let id = storage.rsplit('/').next().unwrap();
        self.folder.path().join("volumes").join(format!("occi-{id}{suffix}"))
    }
}

/// What `qemu-img` says of a file: how it is written, and how many bytes a machine finds on it.
fn info(file: &PathBuf, format: &str) -> (String, u64) {
    let mut command = Command::new("qemu-img");
    let output = command.args(["info", "-U", "-f", format, "--output=json"]).arg(file).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    (said["format"].as_str().unwrap().to_owned(), said["virtual-size"].as_u64().unwrap())
}

fn device(answer: &Answer) -> String {
    answer.attribute("occi.storagelink.deviceid").unwrap().trim_matches('"').to_owned()
}

/// INF-03, INF-04: volumes in both formats have the bytes that they were asked to have, and the system sees as many, by the name that
/// the link tells; before it runs, while it runs, and when they grow.
#[test]
fn sizes_are_exact_to_the_byte_for_the_system_too() {
    let Some(cloud) = Cloud::new() else { return };
    let server = &cloud.server;
    let compute = cloud.running("echo ready");
    // A sector more than 8 MiB; and what is no whole number of sectors.
    for (size, bytes) in [(0.007_812_976_837_158_203, (8 << 20) + 512), (0.01, 10_737_664)] {
        for format in ["qcow2", "raw"] {
            let storage = cloud.storage(format, size);
            let file = cloud.file(&storage, format);
            assert_eq!(info(&file, format), (format.to_owned(), bytes), "{size}");
            let link = server.link("storagelink", &compute, &storage);
            let seen = device(&server.get(&link).answers(200));
            server.prints(&compute, &format!("{seen}={bytes}"));
            // Live, and then cold.
            server.act(&storage, "resize", &["size=0.03125"]).is(200);
            server.prints(&compute, &format!("{seen}={}", 32 << 20));
            assert_eq!(info(&file, format).1, 32 << 20);
            server.delete(&link).answers(200);
            server
                .post(&storage)
                .text(body(&[], &[&format!("occi.storage.size={}", 0.03125 + size)]))
                .answers(200);
            assert_eq!(info(&file, format).1, (32 << 20) + bytes);
            let link = server.link("storagelink", &compute, &storage);
            server.prints(
                &compute,
                &format!("{}={}", device(&server.get(&link).answers(200)), (32 << 20) + bytes),
            );
            server.delete(&link).answers(200);
            server.delete(&storage).answers(200);
            assert!(!file.exists());
        }
    }
    // Cold: it is there from the start on.
    let storage = cloud.storage("raw", 0.0625);
    server.act(&compute, "stop", &["method=poweroff"]).is(200);
    let link = server.link("storagelink", &compute, &storage);
    let seen = device(&server.get(&link).answers(200));
    server.act(&compute, "start", &[]).is(200);
    server.prints(&compute, &format!("{seen}={}", 64 << 20));
    server.delete("/").answers(200);
}

/// Two computes can be defined to have a storage, of which one runs with it: the second is refused, whichever way it would come to it.
#[test]
fn a_storage_is_used_by_one_compute_at_a_time() {
    let Some(server) = Server::on_qemu() else { return };
    for format in ["qcow2", "raw"] {
        let [one, two] = [(); 2].map(|()| server.create("compute", &[]));
        let format = format!("org.example.storage.format={format:?}");
        let asked = body(&[&kind("storage"), FORMAT], &["occi.storage.size=0.1", &format]);
        let storage = server.post("/storage/").text(asked).answers(201).location();
        server.link("storagelink", &one, &storage);
        server.act(&one, "start", &[]).is(200);
        let refused = |answer: Answer| {
            assert!(answer.is(409).body.contains("in use by another one that runs"));
        };
        // Live.
        server.act(&two, "start", &[]).is(200);
        let ends = [format!("occi.core.source={two:?}"), format!("occi.core.target={storage:?}")];
        let link = body(&[&kind("storagelink")], &[&ends[0], &ends[1]]);
        refused(server.post("/storagelink/").text(&link).send());
        // Cold.
        server.act(&two, "stop", &["method=poweroff"]).is(200);
        server.post("/storagelink/").text(&link).answers(201);
        refused(server.act(&two, "start", &[]));
        server.act(&one, "stop", &["method=poweroff"]).is(200);
        server.act(&two, "start", &[]).is(200);
        server.delete("/").answers(200);
    }
}

/// OCCI 1.1: what is on a volume at the moment of a backup is what another one begins with, in either format, and whether a system
/// writes to it or not.
#[test]
fn a_backup_has_what_was_there_then() {
    let Some(cloud) = Cloud::new() else { return };
    let server = &cloud.server;
    for format in ["qcow2", "raw"] {
        let storage = cloud.storage(format, 0.015_625);
        // A line is seen when the next one follows.
        let script = "while [ ! -e /dev/vdb ]; do sleep 1; done\necho first | dd of=/dev/vdb conv=fsync 2>/dev/null\necho wrote $((40 + 2)); echo\n\
                      i=0; while [ -e /dev/vdb ]; do i=$((i + 1)); echo $i | dd of=/dev/vdb seek=8 conv=fsync,notrunc 2>/dev/null; done";
        let compute = cloud.running(script);
        let link = server.link("storagelink", &compute, &storage);
        assert_eq!(device(&server.get(&link).answers(200)), "vdb");
        server.prints(&compute, "wrote 42");
        let live = new_template(&server.act(&storage, "backup", &[]));
        server.act(&compute, "stop", &["method=poweroff"]).is(200);
        let cold = new_template(&server.act(&storage, "snapshot", &[]));
        server.delete("/compute/").answers(200);
        server.delete(&storage).answers(200);

        let mut reads = String::new();
        for device in ["vdb", "vdc"] {
            write!(reads, "while [ ! -e /dev/{device} ]; do sleep 1; done; echo {device} has $(head -n 1 /dev/{device}); echo; ").unwrap();
        }
        let reader = cloud.running(&reads);
        for (made, size) in [(&live, "0.015625"), (&cold, "0.03125")] {
            let sizes =
                [format!("occi.storage.size={size}"), format!("org.example.storage.format={format:?}")];
            let asked = body(&[&kind("storage"), FORMAT, &template(made)], &[&sizes[0], &sizes[1]]);
            let copy = server.post("/storage/").text(asked).answers(201).location();
            let bytes = if size == "0.03125" { 32 << 20 } else { 16 << 20 };
            assert_eq!(info(&cloud.file(&copy, format), format), (format.to_owned(), bytes));
            let link = server.link("storagelink", &reader, &copy);
            server.prints(&reader, &format!("{} has first", device(&server.get(&link).answers(200))));
        }
        server.delete("/").answers(200);
        for made in [live, cold] {
            server.delete("/-/").text(template(&made)).answers(200);
        }
    }
    assert_eq!(std::fs::read_dir(cloud.folder.path().join("images")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(cloud.folder.path().join("volumes")).unwrap().count(), 0);
}

/// What a guest writes to a raw volume may look like another format, with a file of the host's behind it. Nobody reads that by it.
#[test]
fn a_raw_volume_is_not_what_it_looks_like() {
    let Some(cloud) = Cloud::new() else { return };
    let (server, storage) = (&cloud.server, cloud.storage("raw", 0.015_625));
    let file = cloud.file(&storage, "raw");
    let secret = cloud.folder.path().join("secret");
    std::fs::write(&secret, vec![b's'; 1 << 20]).unwrap();
    // As a guest could, had it power.
    let forged = cloud.folder.path().join("forged");
    let mut command = Command::new("qemu-img");
    command.args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).arg(&secret).arg(&forged).arg("1M");
    assert!(command.status().unwrap().success());
    let mut content = std::fs::read(&forged).unwrap();
    content.resize(16 << 20, 0);
    std::fs::write(&file, content).unwrap();
    // libvirt looks at all files anew.
    let mut command = Command::new("virsh");
    command.args(["-q", "-c", &cloud.uri, "pool-refresh", &cloud.pool]);
    assert!(command.status().unwrap().success());
    let shown = server.get(&storage).answers(200);
    assert_eq!(size(&shown), "0.015625");
    for (action, parameters) in [("backup", &[][..]), ("resize", &["size=0.03125"])] {
        let answer = server.act(&storage, action, parameters);
        assert!(answer.status == 409 && answer.body.contains("looks like qcow2"), "{answer}");
    }
    // A machine has it as it is, and with that both are possible.
    let compute = cloud.running("echo ready");
    let link = server.link("storagelink", &compute, &storage);
    let seen = device(&server.get(&link).answers(200));
    server.prints(&compute, &format!("{seen}={}", 16 << 20));
    let made = new_template(&server.act(&storage, "backup", &[]));
    server.act(&storage, "resize", &["size=0.03125"]).is(200);
    let copy = std::fs::read(cloud.folder.path().join("images").join(format!("{made}.qcow2"))).unwrap();
    assert!(!copy.windows(64).any(|window| window == [b's'; 64]), "what was the host's is in the copy");
    server.delete("/").answers(200);
    server.delete("/-/").text(template(&made)).answers(200);
}

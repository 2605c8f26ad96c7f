//! What is read of machines and of their devices: by an extension, and at `/metrics`.

use crate::exposition::figures;
use crate::http::Answer;
use crate::occi::{body, kind_id};
use crate::server::{GuestSystem, Options, PATIENCE, Server, eventually, extensions};
use occi_guest::Guest;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// All names that there are.
const NAMES: [&str; 12] = [
    "cpu_seconds_total",
    "vcpus",
    "memory_bytes",
    "memory_used_bytes",
    "disk_read_bytes_total",
    "disk_written_bytes_total",
    "disk_reads_total",
    "disk_writes_total",
    "network_received_bytes_total",
    "network_transmitted_bytes_total",
    "network_received_packets_total",
    "network_transmitted_packets_total",
];

/// A Mixin for whatever there is.
fn manifest() -> String {
    let attributes = NAMES.map(|name| format!("\"com.example.probe.{name}\" = {{ type = \"number\" }}\n"));
    let actions = ["own", "from", "to"].map(|term| {
        format!("[[mixin.action]]\nterm = \"{term}\"\nscheme = \"http://example.com/probe/action#\"\n")
    });
    format!(
        r#"
        [extension]
        name = "probe"
        version = "0.1.0"
        [capabilities.metrics]
        [[mixin]]
        term = "probe"
        scheme = "http://example.com/probe#"
        location = "/probe/"
        [mixin.attributes]
        {}{}"#,
        attributes.concat(),
        actions.concat()
    )
}

/// By the first letter of the action: what is read of the subject (`own`), of its source (`from`) or of its target (`to`) becomes
/// its attributes.
const BODY: &str = r#"
    (import "occi:extension/metrics@0.1.0" "readings" (func $readings (param i32 i32)))
    (import "occi:extension/types@0.1.0" "[resource-drop]entity" (func $done (param i32)))
    (data (i32.const 16) "com.example.probe.")
    (func (export "occi:extension/actions@0.1.0#act")
        (param i32 i32 i32 i32) (param $subject i32) (param $action i32) (param i32 i32 i32) (result i32)
        (local $of i32) (local $from i32) (local $left i32) (local $name i32) (local $to i32)
        (call $done (local.get $subject))
        (local.set $of (i32.load8_u (local.get $action)))
        (local.set $of (if (result i32) (i32.eq (local.get $of) (i32.const 111)) (then (i32.const 0))
            (else (if (result i32) (i32.eq (local.get $of) (i32.const 102)) (then (i32.const 1)) (else (i32.const 2))))))
        (call $readings (local.get $of) (i32.const 2048))
        (if (i32.load8_u (i32.const 2048)) (then
            (i32.store8 (i32.const 1024) (i32.const 1))
            (memory.copy (i32.const 1032) (i32.const 2052) (i32.const 28))
            (return (i32.const 1024))))
        (local.set $from (i32.load (i32.const 2052)))
        (local.set $left (i32.load (i32.const 2056)))
        (i32.store (i32.const 1032) (i32.const 49152))
        (i32.store (i32.const 1036) (local.get $left))
        (local.set $name (i32.const 32768))
        (local.set $to (i32.const 49152))
        (block $end (loop $next
            (br_if $end (i32.eqz (local.get $left)))
            (memory.copy (local.get $name) (i32.const 16) (i32.const 18))
            (memory.copy (i32.add (local.get $name) (i32.const 18))
                (i32.load (local.get $from)) (i32.load offset=4 (local.get $from)))
            (i32.store (local.get $to) (local.get $name))
            (i32.store offset=4 (local.get $to)
                (i32.add (i32.const 18) (i32.load offset=4 (local.get $from))))
            (i32.store8 offset=8 (local.get $to) (i32.const 2))
            (f64.store offset=16 (local.get $to) (f64.load offset=8 (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $name (i32.add (local.get $name) (i32.const 64)))
            (local.set $to (i32.add (local.get $to) (i32.const 24)))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br $next)))
        (i32.const 1024))
"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let probe = Guest {
        world: "import occi:extension/types@0.1.0; import occi:extension/metrics@0.1.0; \
                export occi:extension/actions@0.1.0;",
        body: BODY.into(),
        manifest: Some(manifest()),
    };
    std::fs::write(folder.path().join("probe.wasm"), probe.build()).unwrap();
    std::fs::copy(extensions().join("infrastructure.wasm"), folder.path().join("infrastructure.wasm"))
        .unwrap();
    folder
}

/// Puts the Mixin on what is there.
fn probe(server: &Server, paths: &[&str]) {
    let lines = paths.iter().map(|path| format!("X-OCCI-Location: {}{path}\n", server.base()));
    server.post("/probe/").text(lines.collect::<String>()).answers(200);
}

fn ask(server: &Server, path: &str, action: &str) -> Answer {
    let category =
        format!(r#"Category: {action}; scheme="http://example.com/probe/action#"; class="action""#);
    server.post(&format!("{path}?action={action}")).text(body(&[&category], &[])).send()
}

/// What the extension has read.
fn read(server: &Server, path: &str, action: &str) -> BTreeMap<&'static str, f64> {
    let answer = ask(server, path, action).is(200);
    let of = |name| Some((name, answer.attribute(&format!("com.example.probe.{name}"))?.parse().unwrap()));
    NAMES.into_iter().filter_map(of).collect()
}

#[test]
fn an_extension_reads_what_is_measured_of_a_machine_and_of_devices() {
    let folder = folder();
    let server = Server::of(&folder, "");
    let compute = server.create("compute", &["occi.compute.cores=2", "occi.compute.memory=0.5"]);
    let storage = server.create("storage", &["occi.storage.size=1"]);
    let link = server.link("storagelink", &compute, &storage);
    probe(&server, &[&compute, &storage, &link]);
    assert_eq!(read(&server, &compute, "own"), BTreeMap::new(), "it has no power");
    server.act(&compute, "start", &[]).is(200);
    // What libvirt's imitation of a hypervisor knows.
    let known = BTreeMap::from([("vcpus", 2.0), ("memory_bytes", f64::from(512 << 20))]);
    eventually("it is read again", || read(&server, &compute, "own") == known);
    assert_eq!(read(&server, &link, "from"), known);
    for (path, action, said) in
        [(&storage, "own", "no machine"), (&link, "to", "no machine"), (&compute, "from", "no source")]
    {
        let missing = ask(&server, path, action).is(409);
        assert!(missing.body.contains(said), "{path} {action}: {missing}");
    }
}

/// The same of a link alone, whose device has nothing to be read there.
#[test]
fn what_is_attached_for_a_link_is_not_missing() {
    let folder = folder();
    let server = Server::of(&folder, "");
    let [compute, network] = ["compute", "network"].map(|term| server.create(term, &[]));
    let interface = server.link("networkinterface", &compute, &network);
    probe(&server, &[&interface]);
    assert_eq!(read(&server, &interface, "own"), BTreeMap::new());
}

#[test]
fn a_running_guest_is_measured() {
    let Some(system) = GuestSystem::find() else { return };
    let folder = folder();
    let config = format!("[hypervisor]\ndomain-type = \"qemu\"\n{}", system.boot());
    let server = Server::with(Options {
        config,
        hypervisor: Some(system.uri),
        extensions: Some(folder.path().into()),
    });
    let compute = server.create("compute", &["occi.compute.cores=2", "occi.compute.memory=0.125"]);
    let storages = [(); 2].map(|()| server.create("storage", &["occi.storage.size=0.05"]));
    let disk = server.link("storagelink", &compute, &storages[0]);
    let network = server.create("network", &[]);
    server.act(&network, "up", &[]).is(200);
    let interface = server.link("networkinterface", &compute, &network);
    probe(&server, &[&compute, &disk, &interface]);
    server.act(&compute, "start", &[]).is(200);

    // A guest system looks at a disk that it finds.
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < 4 * PATIENCE, "{what}");
            std::thread::sleep(Duration::from_millis(500));
        }
    };
    let of_disk = || read(&server, &disk, "own");
    until("the guest reads its disk", &|| {
        of_disk().get("disk_read_bytes_total").is_some_and(|read| *read > 0.0)
    });
    let of_disk = of_disk();
    let names = |of: &BTreeMap<&'static str, f64>| of.keys().copied().collect::<Vec<_>>();
    assert_eq!(
        names(&of_disk),
        ["disk_read_bytes_total", "disk_reads_total", "disk_writes_total", "disk_written_bytes_total"]
    );
    let first = read(&server, &compute, "own");
    assert_eq!(first.get("memory_bytes"), Some(&f64::from(128 << 20)), "{first:?}");
    assert_eq!(first.get("vcpus"), Some(&2.0), "{first:?}");
    assert!(first["cpu_seconds_total"] > 0.0, "{first:?}");
    assert!(first["disk_read_bytes_total"] > 0.0, "{first:?}");
    let of_interface = read(&server, &interface, "own");
    assert_eq!(names(&of_interface).len(), 4, "{of_interface:?}");
    assert!(of_interface.keys().all(|name| name.starts_with("network_")), "{of_interface:?}");

    // Its driver tells what of its memory is used.
    until("memory is told", &|| {
        read(&server, &compute, "own").get("memory_used_bytes").is_some_and(|used| *used > 0.0)
    });
    until("it computes", &|| {
        read(&server, &compute, "own")["cpu_seconds_total"] > first["cpu_seconds_total"]
    });
    let second = read(&server, &compute, "own");
    assert!(second["memory_used_bytes"] < second["memory_bytes"], "{second:?}");

    // A disk more is counted to the machine, and each disk to its own link.
    let more = server.link("storagelink", &compute, &storages[1]);
    probe(&server, &[&more]);
    until("the guest reads the other", &|| {
        read(&server, &more, "own").get("disk_read_bytes_total").is_some_and(|read| *read > 0.0)
    });
    let third = read(&server, &compute, "own");
    assert!(third["disk_read_bytes_total"] > first["disk_read_bytes_total"], "{third:?} after {first:?}");

    // The same at the place where Prometheus reads it, all of one time.
    let shown = figures(&server);
    let shown = |path: &str, kind: &str, name: &str| {
        let (id, kind) = (path.rsplit('/').next().unwrap(), kind_id(kind));
        let labels = [("entity", id), ("kind", &*kind), ("tenant", "default")];
        shown.get(&format!("occi_entity_{name}"), &labels)
    };
    let [whole, one, other] = [(&compute, "compute"), (&disk, "storagelink"), (&more, "storagelink")]
        .map(|(path, kind)| shown(path, kind, "disk_read_bytes_total").unwrap());
    assert!((one + other - whole).abs() < 0.5, "{one} and {other} are {whole}");
    assert!(one > 0.0 && other > 0.0, "{one} {other}");
    let received = ["networkinterface", "compute"].map(|kind| {
        let path = if kind == "compute" { &compute } else { &interface };
        shown(path, kind, "network_received_bytes_total")
    });
    assert!(received[0].is_some() && received[0] == received[1], "{received:?}");

    // Another volume in the place of the one that went.
    eventually("the guest system lets it go", || server.delete(&more).send().status == 200);
    let again = server.link("storagelink", &compute, &storages[1]);
    probe(&server, &[&again]);
    until("the other link has what is read", &|| {
        read(&server, &again, "own").get("disk_read_bytes_total").is_some_and(|read| *read > 0.0)
    });
    server.act(&compute, "stop", &["method=\"poweroff\""]).is(200);
    eventually("nothing is read of what has no power", || {
        figures(&server).names("entity", compute.rsplit('/').next().unwrap()).is_empty()
    });
    server.delete("/").answers(200);
}

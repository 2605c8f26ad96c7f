//! A hypervisor that does not answer, and comes back.

use crate::server::{Options, Server};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between the server and libvirtd; nothing gets through while it holds.
struct Between {
    folder: tempfile::TempDir,
    holds: Arc<AtomicBool>,
}

impl Between {
    fn new(daemon: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let holds = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&holds);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = UnixStream::connect(&daemon) else { continue };
                let (Ok(to), Ok(from)) = (server.try_clone(), client.try_clone()) else { continue };
                for (from, to) in [(client, to), (server, from)] {
                    let held = Arc::clone(&held);
                    std::thread::spawn(move || pass(from, to, &held));
                }
            }
        });
        Self { folder, holds }
    }

    fn socket(&self) -> String {
        self.folder.path().join("socket").to_str().unwrap().to_owned()
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, held: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        while held.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _gone = to.shutdown(std::net::Shutdown::Both);
}

const NODE: &str = "<node><cpu><mhz>1000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes><sockets>2</sockets>\
    <cores>4</cores><threads>1</threads></cpu><memory>8388608</memory></node>";

/// A server whose hypervisor can be made to hang.
fn server() -> Option<(Between, Server)> {
    let Ok(uri) = std::env::var("OCCI_TEST_LIBVIRT_TEST_URI") else {
        eprintln!("SKIPPED: no OCCI_TEST_LIBVIRT_TEST_URI; `cargo xtask test` sets it");
        return None;
    };
    let (_, daemon) = uri.split_once("socket=").unwrap();
    let between = Between::new(daemon.to_owned());
    // Where libvirt's test driver reads what it has from a file, nobody else sees that.
    let node = between.folder.path().join("node.xml");
    std::fs::write(&node, NODE).unwrap();
    let hypervisor = Some(format!("test+unix://{}?socket={}", node.display(), between.socket()));
    let config = "[hypervisor]\nshort-seconds = 3\nlong-seconds = 6\n".to_owned();
    let server = Server::with(Options { config, hypervisor, ..Options::default() });
    Some((between, server))
}

/// libvirt carries out a call that nobody waits for any more. What it makes then has no entity, and goes without a restart.
#[test]
fn what_is_made_too_late_is_undone() {
    let Some((between, server)) = server() else { return };
    let kept = server.create("compute", &[]);
    between.holds.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let compute = crate::occi::kind("compute");
            scope.spawn(|| server.post("/compute/").text(compute).answers(504));
        }
        let update = crate::occi::body(&[], &["occi.compute.cores=7"]);
        scope.spawn(|| server.post(&kept).text(update).answers(504));
    });
    between.holds.store(false, Ordering::Relaxed);
    let id = kept.rsplit('/').next().unwrap();
    crate::server::eventually("what has no entity is gone, and the other is as it says", || {
        let found = server.inspect();
        let machines = found["machines"].as_array().unwrap();
        machines.len() == 1 && machines[0]["name"] == format!("occi-{id}") && machines[0]["cores"] == 1
    });
    assert_eq!(server.get(&kept).answers(200).attribute("occi.compute.cores"), Some("1"));
}

/// Longer than libvirt's own keep-alive would wait; several calls are under way.
#[test]
fn calls_that_hang_cost_themselves_alone() {
    let Some((between, server)) = server() else { return };
    server.create("compute", &[]);
    between.holds.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let compute = crate::occi::kind("compute");
            scope.spawn(|| server.post("/compute/").text(compute).answers(504));
        }
        std::thread::sleep(Duration::from_secs(22));
        server.note("meanwhile");
    });
    between.holds.store(false, Ordering::Relaxed);
    crate::server::eventually("it answers again", || {
        server.post("/compute/").text(crate::occi::kind("compute")).send().status == 201
    });
    assert_eq!(server.get("/note/").answers(200).locations().len(), 1);
}

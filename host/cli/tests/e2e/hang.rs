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

/// Longer than libvirt's own keep-alive would wait; several calls are under way.
#[test]
fn calls_that_hang_cost_themselves_alone() {
    let Ok(uri) = std::env::var("OCCI_TEST_LIBVIRT_TEST_URI") else {
        eprintln!("SKIPPED: no OCCI_TEST_LIBVIRT_TEST_URI; `cargo xtask test` sets it");
        return;
    };
    let (path, daemon) = uri.split_once("socket=").unwrap();
    let between = Between::new(daemon.to_owned());
    let hypervisor = Some(format!("{path}socket={}", between.socket()));
    let config = "[hypervisor]\nshort-seconds = 3\nlong-seconds = 6\n".to_owned();
    let server = Server::with(Options { config, hypervisor, ..Options::default() });
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

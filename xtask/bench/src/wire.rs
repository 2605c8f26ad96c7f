//! A wire between the server and libvirtd on which each call takes its time: what the server waits for, with nothing that
//! needs a processor.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Open as long as this value lives, and until those who are connected go.
pub(crate) struct Wire {
    /// By which it is used in the daemon's place.
    pub(crate) uri: String,
    is_slow: Arc<AtomicBool>,
    _folder: TempDir,
}

impl Wire {
    /// One to the daemon at a URI that names its socket. What goes to it is late by `delay` while the wire is slow.
    pub(crate) fn new(uri: &str, delay: Duration) -> Result<Self> {
        let (before, daemon) = uri.split_once("socket=").context("the URI names no socket")?;
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let socket = folder.path().join("socket");
        let listener = UnixListener::bind(&socket).context("cannot make a socket")?;
        let is_slow = Arc::<AtomicBool>::default();
        let (daemon, late) = (daemon.to_owned(), Arc::clone(&is_slow));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(daemon) = UnixStream::connect(&daemon) else { continue };
                let (Ok(calls), Ok(to)) = (client.try_clone(), daemon.try_clone()) else { continue };
                let late = Arc::clone(&late);
                thread::spawn(move || {
                    carry(calls, to, || {
                        if late.load(Ordering::Relaxed) {
                            thread::sleep(delay);
                        }
                    });
                });
                thread::spawn(move || carry(daemon, client, || {}));
            }
        });
        Ok(Self { uri: format!("{before}socket={}", socket.display()), is_slow, _folder: folder })
    }

    pub(crate) fn set_slow(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::Relaxed);
    }
}

/// A connection of libvirt's has one call under way, so what is read at once is one.
fn carry(mut from: UnixStream, mut to: UnixStream, wait: impl Fn()) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        wait();
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    for side in [from, to] {
        let _gone_already = side.shutdown(Shutdown::Both);
    }
}

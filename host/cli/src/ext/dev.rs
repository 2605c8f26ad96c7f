//! `occi ext dev`: what is in a folder, in a running server, again at each change; and what the server logs about it.

mod sources;

use super::build::{self, Made};
use super::{path, say};
use crate::client::{self, Log};
use crate::control::EXTENSIONS;
use hyper::Method;
use sources::Sources;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often files are looked at, and a server that has ended is looked for.
const PAUSE: Duration = Duration::from_millis(250);

/// Goes on until it is stopped. Only where there is no server, or no extension, to begin with does it end by itself.
pub(super) fn dev(data: &Path, folder: &Path) -> anyhow::Result<()> {
    client::ask(data, &Method::GET, EXTENSIONS, Vec::new())?;
    build::project(folder)?;
    let mut followed = BTreeSet::new();
    loop {
        let built = Sources::of(folder);
        if let Err(error) = renew(data, folder, &mut followed) {
            client::print(&format!("error: {error:#}\n"))?;
        }
        client::print("waiting for a change; Ctrl-C ends this\n")?;
        wait_for_other(&built, folder);
    }
}

/// Builds it and puts it into the server, whose log about it is shown from then on.
fn renew(data: &Path, folder: &Path, followed: &mut BTreeSet<String>) -> anyhow::Result<()> {
    let made = Made::of(folder)?;
    made.write(None)?;
    if !followed.contains(&made.name) {
        // Before it serves, so that nothing is missed.
        show_log(data.to_owned(), path(&made.name, "/log"))?;
        followed.insert(made.name);
    }
    say(data, &Method::POST, EXTENSIONS, made.bytes)
}

/// Returns when the sources are others than those that were built, and nobody is writing at them.
fn wait_for_other(built: &Sources, folder: &Path) {
    let mut before = Sources::of(folder);
    loop {
        std::thread::sleep(PAUSE);
        let now = Sources::of(folder);
        if now == before && now != *built {
            return;
        }
        before = now;
    }
}

/// Shows a log as it is written, beside all else, also of a server that ends and begins again.
fn show_log(data: PathBuf, path: String) -> anyhow::Result<()> {
    let mut log = Log::open(&data, &path)?;
    std::thread::spawn(move || {
        loop {
            while let Some(text) = log.next() {
                // Whoever read this is gone, and so is this program soon.
                let _unread = client::print(&text);
            }
            let _unread = client::print("the server has ended; its log is shown again when it runs\n");
            log = loop {
                std::thread::sleep(PAUSE);
                if let Ok(log) = Log::open(&data, &path) {
                    break log;
                }
            };
        }
    });
    Ok(())
}

//! An extension that is asked while another attacks the host: what the attacks cost those who ask.

use super::{NOTE, NOTES, Options, folder};
use crate::client;
use crate::figure::{Figure, Target, time};
use crate::load;
use anyhow::{Context, Result};
use std::cell::Cell;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

const ATTACKER: &str = "Category: attacker; scheme=\"http://example.com/hostile#\"; class=\"kind\"\n";
/// Each attacks on its own, in turns with an action that does nothing, so that it is not held back for good.
const ATTACKS: [&str; 8] =
    ["loop", "memory", "call-flood", "wait-for-many", "store-bomb", "log-flood", "recursion", "long-text"];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let folder = folder()?;
    let (data, extensions) = (folder.path().join("data"), folder.path().join("extensions"));
    fs::create_dir(&extensions).context("cannot make a folder")?;
    let test = options.extensions.with_file_name("test-extensions");
    for file in [options.extensions.join("note.wasm"), test.join("attacker.wasm")] {
        let name = file.file_name().context("a file")?;
        fs::copy(&file, extensions.join(name)).with_context(|| file.display().to_string())?;
    }
    let server = options.serve_only(&extensions, &data)?;
    let note = client::create(&format!("{}{NOTES}", server.url), NOTE)?;
    let attackers: Vec<String> = ATTACKS
        .iter()
        .map(|_| client::create(&format!("{}/attacker/", server.url), ATTACKER))
        .collect::<Result<_>>()?;
    let attacks = Cell::new(0);
    let run = || Ok(load::mixed(&note, NOTES, NOTE, options.seconds * 2, folder.path())?.1);
    let attacked = || {
        let (is_over, count) = (AtomicBool::new(false), AtomicU32::new(0));
        thread::scope(|scope| {
            for (attack, attacker) in ATTACKS.iter().zip(&attackers) {
                let (is_over, count) = (&is_over, &count);
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        for action in [attack, "calm"] {
                            invoke(attacker, action);
                        }
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let slow = run();
            is_over.store(true, Ordering::Relaxed);
            slow
        })
        .inspect(|_| attacks.set(attacks.get() + count.load(Ordering::Relaxed)))
    };
    let what =
        "99 of 100 requests answered within, while another extension attacks the host in eight ways at once";
    let pairs = options.compare(what, attacked, run)?;
    let what = format!("{what} ({} attacks; no request failed)", attacks.get());
    Ok(vec![Figure::ratio(&what, &pairs, time, Some(Target::AtMost(2.0)))])
}

/// Whatever comes of it.
fn invoke(attacker: &str, action: &str) {
    let body =
        format!("Category: {action}; scheme=\"http://example.com/hostile/action#\"; class=\"action\"\n");
    let url = format!("{attacker}?action={action}");
    let _refused = ureq::post(&url).header("Content-Type", "text/plain").send(&body);
}

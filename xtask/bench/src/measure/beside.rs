//! An extension that is asked while another attacks the host: what the attacks cost those who ask.

use super::{NOTE, NOTES, Options, folder};
use crate::client;
use crate::figure::{Figure, Pair, Target, median, time};
use crate::load;
use crate::process::Server;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

const ATTACKER: &str = "Category: attacker; scheme=\"http://example.com/hostile#\"; class=\"kind\"\n";
/// Those that take most of what all share. Each is in turns with an action that does nothing, so that it is not held back for good.
const ATTACKS: [&str; 12] = [
    "loop",
    "memory",
    "recursion",
    "call-flood",
    "wait-for-many",
    "store-bomb",
    "log-flood",
    "long-text",
    "many-attributes",
    "handle-leak",
    "random-bomb",
    "folder-bomb",
];

/// What one set of attacks costs.
struct Cost<'a> {
    attacks: &'a [&'a str],
    pairs: Vec<Pair>,
    count: u32,
}

impl Cost<'_> {
    fn figure(&self, how: &str, target: Option<Target>) -> Figure {
        let what = format!(
            "99 of 100 requests answered within, while another extension attacks the host {how} ({} attacks; no request failed)",
            self.count
        );
        Figure::ratio(&what, &self.pairs, time, target)
    }

    fn ratio(&self) -> f64 {
        median(&self.pairs.iter().map(Pair::ratio).collect::<Vec<_>>())
    }
}

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let folder = folder()?;
    let server = serve(options, folder.path())?;
    let note = client::create(&format!("{}{NOTES}", server.url), NOTE)?;
    let run = || Ok::<_, anyhow::Error>(load::mixed(&note, NOTES, NOTE, options.seconds, folder.path())?.1);
    let sets = ATTACKS.chunks(1).chain([&ATTACKS[..]]);
    let mut costs: Vec<_> = sets.map(|attacks| Cost { attacks, pairs: Vec::new(), count: 0 }).collect();
    for round in 1..=options.runs {
        let reference = run()?;
        for cost in &mut costs {
            let (ours, count) = attacked(&server, cost.attacks, run)?;
            cost.pairs.push(Pair { ours, reference });
            cost.count += count;
            eprintln!("    beside {}, run {round}: {:.2}", cost.attacks.join(", "), ours / reference);
        }
    }
    let together = costs.pop().context("all attacks together")?;
    let worst = costs.iter().max_by(|a, b| a.ratio().total_cmp(&b.ratio())).context("an attack")?;
    Ok(vec![
        worst.figure(
            &format!("in the worst of {} ways, `{}`", ATTACKS.len(), worst.attacks.join(", ")),
            Some(Target::AtMost(2.0)),
        ),
        together.figure(&format!("in these {} ways at once", ATTACKS.len()), None),
    ])
}

/// A server with notes and the attacker.
fn serve(options: &Options, folder: &Path) -> Result<Server> {
    let (data, extensions) = (folder.join("data"), folder.join("extensions"));
    fs::create_dir(&extensions).context("cannot make a folder")?;
    let test = options.extensions.with_file_name("test-extensions");
    for file in [options.extensions.join("note.wasm"), test.join("attacker.wasm")] {
        let name = file.file_name().context("a file")?;
        fs::copy(&file, extensions.join(name)).with_context(|| file.display().to_string())?;
    }
    options.serve_only(&extensions, &data)
}

/// What `run` answers while those attacks are made, and how many were.
fn attacked(server: &Server, attacks: &[&str], run: impl Fn() -> Result<f64>) -> Result<(f64, u32)> {
    let attackers: Vec<String> = attacks
        .iter()
        .map(|_| client::create(&format!("{}/attacker/", server.url), ATTACKER))
        .collect::<Result<_>>()?;
    let (is_over, count) = (AtomicBool::new(false), AtomicU32::new(0));
    let slow = thread::scope(|scope| {
        for (attack, attacker) in attacks.iter().zip(&attackers) {
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
    })?;
    Ok((slow, count.into_inner()))
}

/// Whatever comes of it.
fn invoke(attacker: &str, action: &str) {
    let body =
        format!("Category: {action}; scheme=\"http://example.com/hostile/action#\"; class=\"action\"\n");
    let url = format!("{attacker}?action={action}");
    let _refused = ureq::post(&url).header("Content-Type", "text/plain").send(&body);
}

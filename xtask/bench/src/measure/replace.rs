//! An extension is replaced while it is asked: what that costs those who ask, and how soon the new version answers.

use super::{NOTE, NOTES, Options, folder, variant};
use crate::client;
use crate::figure::{Figure, Target, time};
use crate::load;
use anyhow::{Context, Result, ensure};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often, under load.
const EACH: Duration = Duration::from_millis(250);
/// More than fit into a run.
const MANY: usize = 200;
/// How many arrivals of each sort.
const ARRIVALS: u32 = 21;
/// Nothing takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let mut figures = under_load(options)?;
    figures.extend(arrivals(options)?);
    Ok(figures)
}

/// Extensions in a folder of their own, one of which is replaced.
struct Replaced {
    folder: tempfile::TempDir,
    /// The component, before anything is changed in it.
    note: Vec<u8>,
    versions: Cell<u32>,
}

impl Replaced {
    fn new(options: &Options) -> Result<Self> {
        let folder = folder()?;
        let extensions = folder.path().join("extensions");
        fs::create_dir(&extensions).context("cannot make a folder")?;
        for file in ["infrastructure.wasm", "note.wasm"] {
            fs::copy(options.extensions.join(file), extensions.join(file)).context("an extension")?;
        }
        let note = fs::read(extensions.join("note.wasm")).context("the note's extension")?;
        Ok(Self { folder, note, versions: Cell::new(0) })
    }

    fn extensions(&self) -> PathBuf {
        self.folder.path().join("extensions")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A version that there was not before, under a title of four letters that discovery shows.
    fn version(&self, title: &str) -> Result<Vec<u8>> {
        self.versions.set(self.versions.get() + 1);
        let mut bytes = variant(&self.note, "title = \"Note\"", &format!("title = \"{title}\""))?;
        // A custom section that nobody reads: its id, its size, the length of its name, its name.
        let name = format!("version-{:04}", self.versions.get());
        let length = u8::try_from(name.len()).context("a short name")?;
        bytes.extend([0, length + 1, length]);
        bytes.extend(name.as_bytes());
        Ok(bytes)
    }
}

/// The slowest hundredth, with replacements and without: nine reads of a note, then one is created.
fn under_load(options: &Options) -> Result<Vec<Figure>> {
    let replaced = Replaced::new(options)?;
    let server = options.serve_only(&replaced.extensions(), &replaced.data())?;
    let note = client::create(&format!("{}{NOTES}", server.url), NOTE)?;
    let (requests, replacements) = (Cell::new(0.0), Cell::new(0));
    let run = || {
        let (count, slow) = load::mixed(&note, NOTES, NOTE, options.seconds * 2, replaced.folder.path())?;
        requests.set(requests.get() + count);
        Ok(slow)
    };
    let busy = || {
        let is_over = AtomicBool::new(false);
        let version = |number| {
            let title = format!("N{number:03}");
            Ok((replaced.version(&title)?, shown(&title)))
        };
        let versions: Vec<_> = (0..MANY).map(version).collect::<Result<_>>()?;
        let (extensions, discovery) = (replaced.extensions(), format!("{}/-/", server.url));
        thread::scope(|scope| {
            let replacing = scope.spawn(|| -> Result<u32> {
                let mut count = 0;
                for (version, shown) in versions.iter().take_while(|_| !is_over.load(Ordering::Relaxed)) {
                    put(&extensions, version)?;
                    thread::sleep(EACH);
                    count += u32::from(client::get(&discovery, "text/plain")?.body.contains(shown));
                }
                Ok(count)
            });
            let slow = run();
            is_over.store(true, Ordering::Relaxed);
            let count =
                replacing.join().map_err(|_| anyhow::anyhow!("the replacements ended abnormally"))??;
            replacements.set(replacements.get() + count);
            slow
        })
    };
    let what = "99 of 100 requests answered within, while their extension is replaced";
    let pairs = options.compare(what, busy, run)?;
    let what = format!(
        "{what} ({} times; {:.1} million requests by 64 clients, none failed)",
        replacements.get(),
        requests.get() / 1e6
    );
    Ok(vec![Figure::ratio(&what, &pairs, time, Some(Target::AtMost(1.5)))])
}

/// Puts a version into a folder, as a tool does that wants nobody to see half of it.
fn put(extensions: &Path, bytes: &[u8]) -> Result<()> {
    let (new, file) = (extensions.join(".new"), extensions.join("note.wasm"));
    fs::write(&new, bytes).and_then(|()| fs::rename(&new, &file)).context("cannot replace the extension")
}

/// From a file's arrival to the first answer that shows it.
fn arrivals(options: &Options) -> Result<Vec<Figure>> {
    let replaced = Replaced::new(options)?;
    let server = options.serve_only(&replaced.extensions(), &replaced.data())?;
    client::create(&format!("{}{NOTES}", server.url), NOTE)?;
    let (mut compiled, mut cached) = (Vec::new(), Vec::new());
    let titles = ["Nota", "Noto"];
    let known = [replaced.version(titles[0])?, replaced.version(titles[1])?];
    for (title, version) in titles.iter().zip(&known) {
        arrival(&replaced, &server.url, title, version)?;
    }
    for number in 0..ARRIVALS {
        let title = format!("N{number:03}");
        compiled.push(arrival(&replaced, &server.url, &title, &replaced.version(&title)?)?);
        let known_one = usize::from(number % 2 == 0);
        cached.push(arrival(&replaced, &server.url, titles[known_one], &known[known_one])?);
    }
    Ok(vec![
        Figure::alone(
            "From an extension's arrival to its first answer, compiled before",
            &cached,
            "ms",
            Some(Target::AtMost(200.0)),
        ),
        Figure::alone("The same, to be compiled (Rust)", &compiled, "ms", Some(Target::AtMost(500.0))),
    ])
}

/// What the query interface shows of a version with that title.
fn shown(title: &str) -> String {
    format!("title=\"{title}\"")
}

/// In milliseconds.
fn arrival(replaced: &Replaced, url: &str, title: &str, version: &[u8]) -> Result<f64> {
    let began = Instant::now();
    put(&replaced.extensions(), version)?;
    let shown = shown(title);
    while !client::get(&format!("{url}/-/"), "text/plain")?.body.contains(&shown) {
        ensure!(began.elapsed() < PATIENCE, "the new version does not answer");
        thread::sleep(Duration::from_millis(1));
    }
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

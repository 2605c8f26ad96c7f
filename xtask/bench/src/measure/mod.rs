//! The comparisons. Runs of ours and of the reference alternate, so that whatever else the machine does meets both.

mod beside;
mod call;
mod create;
mod languages;
mod list;
mod many;
mod own;
mod parallel;
mod read;
mod replace;
mod slow;
mod start;

use crate::client;
use crate::figure::{Figure, Pair, Target, rate};
use crate::load::{self, Request};
use crate::process::Server;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct Options {
    /// The server
    #[arg(long)]
    server: PathBuf,
    /// The folder with its extensions
    #[arg(long)]
    extensions: PathBuf,
    /// How many runs of each
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How long a run under load lasts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// QEMU by a libvirt daemon on this machine, in which machines are made and removed
    #[arg(long, value_name = "URI")]
    qemu: Option<String>,
    /// The same for libvirt's test driver by a daemon's socket
    #[arg(long, value_name = "URI")]
    test_driver: Option<String>,
    /// Only these
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Read,
    List,
    Note,
    Machine,
    Parallel,
    Own,
    Slow,
    Call,
    Start,
    Replace,
    Beside,
    Languages,
    Many,
}

/// How a part is measured.
type Measure = fn(&Options) -> Result<Vec<Figure>>;

/// All of it, or the parts that were asked for.
pub(crate) fn all(options: &Options) -> Result<Vec<Figure>> {
    let parts: [(Part, Measure); 13] = [
        (Part::Read, read::measure),
        (Part::List, list::measure),
        (Part::Call, call::measure),
        (Part::Note, create::notes),
        (Part::Machine, create::machines),
        (Part::Parallel, parallel::measure),
        (Part::Own, own::measure),
        (Part::Slow, slow::measure),
        (Part::Start, start::measure),
        (Part::Replace, replace::measure),
        (Part::Beside, beside::measure),
        (Part::Languages, languages::measure),
        (Part::Many, many::measure),
    ];
    let mut figures = Vec::new();
    for (part, measure) in parts {
        if options.only.is_empty() || options.only.contains(&part) {
            figures.extend(measure(options)?);
        }
    }
    Ok(figures)
}

impl Options {
    /// The server, with a folder of its own.
    fn serve(&self, data: &Path) -> Result<Server> {
        self.serve_only(&self.extensions, data)
    }

    fn serve_only(&self, extensions: &Path, data: &Path) -> Result<Server> {
        self.serve_with(extensions, data, &[])
    }

    /// On a hypervisor of which the configuration says more.
    fn serve_on(&self, uri: &str, config: &str, data: &Path) -> Result<Server> {
        let file = data.with_extension("toml");
        std::fs::write(&file, config).context("cannot write a configuration")?;
        let more = ["--config".as_ref(), file.as_ref(), "--hypervisor".as_ref(), uri.as_ref()];
        self.serve_with(&self.extensions, data, &more)
    }

    fn serve_with(&self, extensions: &Path, data: &Path, more: &[&OsStr]) -> Result<Server> {
        let arguments: [&OsStr; 7] = [
            "serve".as_ref(),
            "--listen".as_ref(),
            "127.0.0.1:0".as_ref(),
            "--data".as_ref(),
            data.as_ref(),
            "--extensions".as_ref(),
            extensions.as_ref(),
        ];
        Server::start(&self.server, &[&arguments, more].concat())
    }

    /// Has a URL of the server's asked for, and the same bytes of the bare server.
    fn compare_get(
        &self,
        what: &str,
        server: &Server,
        url: &str,
        accept: &str,
        least: f64,
    ) -> Result<Figure> {
        let folder = folder()?;
        let answer = tell(folder.path(), &client::get(url, accept)?)?;
        let reference = reference(&["answer".as_ref(), answer.as_ref()])?;
        let same = url.replace(&server.url, &reference.url);
        let request = Request { method: "GET", header: ("Accept", accept), body: "" };
        let run = |url: &str| load::rate(url, &request, self.seconds, folder.path());
        let what = format!("{what}, {accept}");
        let pairs = self.compare(&what, || run(url), || run(&same))?;
        Ok(Figure::ratio(&what, &pairs, rate, Some(Target::AtLeast(least))))
    }

    /// Runs both in turns; each begins as often as the other.
    fn compare(
        &self,
        what: &str,
        mut ours: impl FnMut() -> Result<f64>,
        mut reference: impl FnMut() -> Result<f64>,
    ) -> Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        for run in 1..=self.runs {
            let pair = if run.is_multiple_of(2) {
                let reference = reference()?;
                Pair { ours: ours()?, reference }
            } else {
                Pair { ours: ours()?, reference: reference()? }
            };
            eprintln!("    {what}, run {run}: {:.2}", pair.ratio());
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

/// One of the reference programs, all of which are in this one.
fn reference(arguments: &[&OsStr]) -> Result<Server> {
    Server::start(&itself()?, arguments)
}

fn itself() -> Result<PathBuf> {
    std::env::current_exe().context("where this program is")
}

fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().context("cannot make a folder")
}

/// An extension whose manifest says one word for another of the same length.
fn variant(component: &[u8], word: &str, other: &str) -> Result<Vec<u8>> {
    anyhow::ensure!(word.len() == other.len(), "words of one length");
    let section = b"occi:manifest";
    let at = component.windows(section.len()).rposition(|part| part == section).context("a manifest")?;
    let (code, manifest) = component.split_at(at);
    let manifest = std::str::from_utf8(manifest).context("a manifest is text")?;
    anyhow::ensure!(manifest.contains(word), "the manifest says nothing of {word}");
    Ok([code, manifest.replace(word, other).as_bytes()].concat())
}

/// Writes what a reference program needs to know.
fn tell(folder: &Path, value: &impl serde::Serialize) -> Result<PathBuf> {
    let file = folder.join("told.json");
    let json = serde_json::to_vec(value).context("JSON")?;
    std::fs::write(&file, json).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// The collection of virtual machines, and a description of one.
const MACHINES: &str = "/compute/";
const MACHINE: &str = "Category: compute; scheme=\"http://schemas.ogf.org/occi/infrastructure#\"; class=\"kind\"\n\
     X-OCCI-Attribute: occi.compute.cores=2\n\
     X-OCCI-Attribute: occi.compute.memory=1.0\n\
     X-OCCI-Attribute: occi.core.title=\"A machine\"\n";

/// The collection of notes, and a description of one.
const NOTES: &str = "/note/";
const NOTE: &str = "Category: note; scheme=\"http://example.com/occi/note#\"; class=\"kind\"\n\
     X-OCCI-Attribute: com.example.note.text=\"buy oat milk, and bread\"\n";

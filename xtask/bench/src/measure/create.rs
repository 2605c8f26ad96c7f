//! POST by 64 clients, each answer durable. Every run has servers and files of its own, so that all begin alike.

use super::{MACHINE, MACHINES, NOTE, NOTES, Options, folder, itself, reference, tell};
use crate::client;
use crate::figure::{Figure, Pair, Target, rate};
use crate::load::{self, Request};
use crate::reference::keep;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// Notes, whose extension uses no capability, against a bare program that stores the same rows.
pub(super) fn notes(options: &Options) -> Result<Vec<Figure>> {
    let rows = folder()?;
    let told = tell(rows.path(), &sample(options, rows.path(), NOTES, NOTE)?)?;
    let bare = || {
        let folder = folder()?;
        let data = folder.path().join("store.redb");
        let server = reference(&["keep".as_ref(), told.as_ref(), data.as_ref()])?;
        post(options, &server.url, NOTES, NOTE, folder.path())
    };
    let what = "POST of a note, 64 clients, durable";
    let pairs = options.compare(what, || ours(options, NOTES, NOTE), bare)?;
    Ok(vec![Figure::ratio(what, &pairs, rate, Some(Target::AtLeast(0.4)))])
}

/// Virtual machines on libvirt's test driver, against a program that only makes the same calls of libvirt.
pub(super) fn machines(options: &Options) -> Result<Vec<Figure>> {
    let mut threads = 2;
    let mut best = 0.0;
    for tried in [2, 4] {
        let rate = define(tried, 1)?;
        if rate > best {
            (threads, best) = (tried, rate);
        }
    }
    let what = "POST of a compute, 64 clients, durable";
    let mut at_once = Vec::new();
    let bare = || {
        at_once.push(define(threads, options.seconds)?);
        define(1, options.seconds)
    };
    let pairs = options.compare(what, || ours(options, MACHINES, MACHINE), bare)?;
    let more: Vec<Pair> =
        pairs.iter().zip(at_once).map(|(pair, reference)| Pair { reference, ..*pair }).collect();
    Ok(vec![
        Figure::ratio(what, &pairs, rate, Some(Target::AtLeast(0.6))),
        Figure::ratio(&format!("the same, against {threads} threads"), &more, rate, None),
    ])
}

fn ours(options: &Options, collection: &str, body: &str) -> Result<f64> {
    let folder = folder()?;
    let server = options.serve(&folder.path().join("data"))?;
    post(options, &server.url, collection, body, folder.path())
}

fn post(options: &Options, url: &str, collection: &str, body: &str, folder: &Path) -> Result<f64> {
    let request = Request { method: "POST", header: ("Content-Type", "text/plain"), body };
    load::rate(&format!("{url}{collection}"), &request, options.seconds, folder)
}

/// What the server's own store has when it holds one entity.
pub(super) fn sample(options: &Options, folder: &Path, collection: &str, body: &str) -> Result<keep::Rows> {
    let data = folder.join("sample");
    let server = options.serve(&data)?;
    let location = client::create(&format!("{}{collection}", server.url), body)?;
    server.stop()?;
    let id =
        location.rsplit('/').next().and_then(|id| id.parse().ok()).context("a location ends in an id")?;
    keep::Rows::read(&data.join("store.redb"), id)
}

fn define(threads: usize, seconds: u32) -> Result<f64> {
    let arguments = ["define".to_owned(), threads.to_string(), seconds.to_string()];
    let output = Command::new(itself()?).args(arguments).output().context("the reference cannot be run")?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().with_context(|| format!("no rate: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

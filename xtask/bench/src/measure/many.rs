//! A thousand extensions in one server: what each costs in memory, and how long discovery takes.

use super::{Options, folder, variant};
use crate::client;
use crate::figure::{Figure, Target};
use anyhow::{Context, Result};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const MANY: u16 = 1000;
/// After this time nothing of the start goes on any more.
const IDLE: Duration = Duration::from_secs(2);
const DISCOVERIES: usize = 21;

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let note = fs::read(options.extensions.join("note.wasm")).context("the note's extension")?;
    let folder = folder()?;
    let (data, extensions) = (folder.path().join("data"), folder.path().join("extensions"));
    fs::create_dir(&extensions).context("cannot make a folder")?;
    let put = |number| {
        let name = format!("n{number:03}");
        let file = extensions.join(&name).with_extension("wasm");
        fs::write(file, variant(&note, "note", &name)?).context("cannot write an extension")
    };
    put(0)?;
    let one = idle(options, &extensions, &data)?;
    eprintln!("    {MANY} extensions are compiled first");
    (1..MANY).try_for_each(put)?;
    options.serve_only(&extensions, &data)?.stop()?;

    let all = idle(options, &extensions, &data)?;
    let server = options.serve_only(&extensions, &data)?;
    let mut discoveries = Vec::new();
    for _ in 0..DISCOVERIES {
        let began = Instant::now();
        let answer = client::get(&format!("{}/-/", server.url), "text/plain")?;
        discoveries.push(began.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(answer.body.contains("/n999/"), "an extension is not there");
    }
    let each = (all - one) / f64::from(MANY - 1) / 1024.0;
    Ok(vec![
        Figure::alone(
            "Resident memory, each of 1,000 extensions",
            &[each],
            "KiB",
            Some(Target::AtMost(1024.0)),
        ),
        Figure::alone("Discovery of their Kinds", &discoveries, "ms", Some(Target::AtMost(50.0))),
    ])
}

/// Resident memory of a server that has nothing to do and has compiled before, in bytes.
fn idle(options: &Options, extensions: &std::path::Path, data: &std::path::Path) -> Result<f64> {
    options.serve_only(extensions, data)?.stop()?;
    let server = options.serve_only(extensions, data)?;
    thread::sleep(IDLE);
    let memory = server.memory()?;
    server.stop()?;
    Ok(memory)
}

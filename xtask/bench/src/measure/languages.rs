//! An update of an entity, one after the other, by extensions that do the same in several languages: each call has a fresh
//! instance, with that language's engine in it.

use super::{Options, folder};
use crate::client;
use crate::figure::Figure;
use anyhow::{Context, Result};
use std::fs;
use std::time::Instant;

/// Language, the extension's name, and how many updates make a figure.
const LANGUAGES: [(&str, &str, u32); 3] =
    [("C", "echo", 500), ("JavaScript", "mirror", 200), ("Python", "replica", 200)];
const WARM_UP: u32 = 20;

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    LANGUAGES.into_iter().map(|(language, name, updates)| update(options, language, name, updates)).collect()
}

fn update(options: &Options, language: &str, name: &str, updates: u32) -> Result<Figure> {
    let folder = folder()?;
    let (data, extensions) = (folder.path().join("data"), folder.path().join("extensions"));
    fs::create_dir(&extensions).context("cannot make a folder")?;
    let file = options.extensions.with_file_name("test-extensions").join(name).with_extension("wasm");
    fs::copy(&file, extensions.join(name).with_extension("wasm"))
        .with_context(|| format!("{}: `cargo xtask test` makes it", file.display()))?;
    let server = options.serve_only(&extensions, &data)?;
    let kind = format!("Category: {name}; scheme=\"http://example.com/{name}#\"; class=\"kind\"\n");
    let entity = client::create(&format!("{}/{name}/", server.url), &kind)?;
    let mut times = Vec::new();
    for number in 0..WARM_UP + updates {
        let body = format!("X-OCCI-Attribute: com.example.{name}.integer={number}\n");
        let began = Instant::now();
        let answer = ureq::post(&entity).header("Content-Type", "text/plain").send(&body);
        answer.with_context(|| format!("an update of {entity}"))?;
        if number >= WARM_UP {
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    let what = format!("An update over HTTP, durable, by an extension in {language}, in a fresh instance");
    Ok(Figure::alone(&what, &times, "ms", None))
}

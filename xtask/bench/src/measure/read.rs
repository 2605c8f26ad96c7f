//! GET of one entity, against a server that has nothing to do but to answer the same bytes.

use super::{MACHINE, MACHINES, Options, folder, reference, tell};
use crate::client;
use crate::figure::{Figure, Target, rate};
use crate::load::{self, Request};
use anyhow::Result;

const RENDERINGS: [&str; 3] = ["text/plain", "text/occi", "application/occi+json"];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let folder = folder()?;
    let server = options.serve(&folder.path().join("data"))?;
    let location = client::create(&format!("{}{MACHINES}", server.url), MACHINE)?;
    let mut figures = Vec::new();
    for accept in RENDERINGS {
        let answer = tell(folder.path(), &client::get(&location, accept)?)?;
        let reference = reference(&["answer".as_ref(), answer.as_ref()])?;
        let same = location.replace(&server.url, &reference.url);
        let request = Request { method: "GET", header: ("Accept", accept), body: "" };
        let run = |url: &str| load::rate(url, &request, options.seconds, folder.path());
        let what = format!("GET of one entity, {accept}");
        let pairs = options.compare(&what, || run(&location), || run(&same))?;
        figures.push(Figure::ratio(&what, &pairs, rate, Some(Target::AtLeast(0.75))));
    }
    Ok(figures)
}

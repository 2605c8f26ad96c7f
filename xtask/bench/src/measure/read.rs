//! GET of one entity, against a server that has nothing to do but to answer the same bytes.

use super::{MACHINE, MACHINES, Options, folder};
use crate::client;
use crate::figure::Figure;
use anyhow::Result;

const RENDERINGS: [&str; 3] = ["text/plain", "text/occi", "application/occi+json"];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let folder = folder()?;
    let server = options.serve(&folder.path().join("data"))?;
    let location = client::create(&format!("{}{MACHINES}", server.url), MACHINE)?;
    let of = "GET of one entity";
    RENDERINGS.iter().map(|accept| options.compare_get(of, &server, &location, accept, 0.75)).collect()
}

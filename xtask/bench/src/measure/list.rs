//! GET of a collection of 1,000 entities, against a server that has nothing to do but to answer the same bytes.

use super::{NOTE, NOTES, Options, folder};
use crate::client;
use crate::figure::Figure;
use anyhow::Result;

const MEMBERS: usize = 1000;
const RENDERINGS: [&str; 3] = ["text/plain", "text/uri-list", "application/occi+json"];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>> {
    let folder = folder()?;
    let server = options.serve(&folder.path().join("data"))?;
    let collection = format!("{}{NOTES}", server.url);
    for _ in 0..MEMBERS {
        client::create(&collection, NOTE)?;
    }
    let of = "GET of a collection of 1,000 entities";
    RENDERINGS.iter().map(|accept| options.compare_get(of, &server, &collection, accept, 0.5)).collect()
}

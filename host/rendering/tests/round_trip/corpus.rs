//! The seeds of the fuzz targets, which are the specification's own examples, as an ordinary test.

use crate::check;
use occi_rendering::{MediaType, parse};
use std::fs;
use std::path::Path;

/// Each seed of a target is read without complaint, and what was read holds what every request holds.
fn replay(target: &str, split: impl for<'a> Fn(&'a [u8]) -> (MediaType, Vec<(&'a str, &'a [u8])>, &'a [u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let (media_type, headers, body) = split(&bytes);
        if let Err(malformed) = parse(media_type, headers.iter().copied(), body) {
            panic!("{}: {malformed}", path.display());
        }
        check::request(media_type, &headers, body);
        seeds += 1;
    }
    assert!(seeds > 0, "{} holds no seeds", folder.display());
}

#[test]
fn text_plain() {
    replay("text_plain", |bytes| (MediaType::TextPlain, Vec::new(), bytes));
}

#[test]
fn text_occi() {
    replay("text_occi", |bytes| (MediaType::TextOcci, check::headers(bytes), b""));
}

#[test]
fn uri_list() {
    replay("uri_list", |bytes| (MediaType::UriList, Vec::new(), bytes));
}

#[test]
fn json() {
    replay("json", |bytes| (MediaType::OcciJson, Vec::new(), bytes));
}

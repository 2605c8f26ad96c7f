//! The corpora of the fuzz targets, as ordinary tests.

use crate::check;
use occi_rendering::{MediaType, negotiate, parse, parse_filter};
use std::fs;
use std::path::Path;

/// Every input of a target's corpus passes the target's check. Those called `.seed`, which are the specification's own
/// examples and what clients send, are also read without complaint; the others are what fuzzing has found.
fn replay(target: &str, check: impl Fn(&[u8]), is_read: impl Fn(&[u8]) -> Result<(), String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "seed") {
            is_read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            seeds += 1;
        }
        check(&bytes);
    }
    assert!(seeds > 0, "{} holds no seeds", folder.display());
}

fn body(target: &str, media_type: MediaType) {
    let is_read =
        |body: &[u8]| parse(media_type, [], body).map(drop).map_err(|malformed| malformed.to_string());
    replay(target, |body| check::request(media_type, &[], body), is_read);
}

#[test]
fn text_plain() {
    body("text_plain", MediaType::TextPlain);
}

#[test]
fn text_occi() {
    let is_read = |lines: &[u8]| {
        parse(MediaType::TextOcci, check::headers(lines), b"")
            .map(drop)
            .map_err(|malformed| malformed.to_string())
    };
    replay("text_occi", |lines| check::request(MediaType::TextOcci, &check::headers(lines), b""), is_read);
}

#[test]
fn uri_list() {
    body("uri_list", MediaType::UriList);
}

#[test]
fn json() {
    body("json", MediaType::OcciJson);
}

#[test]
fn filter() {
    let is_read = |lines: &[u8]| {
        let filter = parse_filter(check::headers(lines)).map_err(|malformed| malformed.to_string())?;
        if filter.is_empty() { Err("filters nothing".into()) } else { Ok(()) }
    };
    replay("filter", |lines| check::filter(&check::headers(lines)), is_read);
}

#[test]
fn negotiation() {
    let is_read = |lines: &[u8]| negotiate(check::values(lines)).map(drop).map_err(|error| error.to_string());
    replay("negotiation", |lines| check::negotiated(&check::values(lines)), is_read);
}

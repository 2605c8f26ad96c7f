//! What this crate promises of itself: no I/O, no async, no wire or stored form, and a head on every file.

use std::path::{Path, PathBuf};
use std::{fs, io};

fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_file_says_what_it_is() {
    let files = [sources(&root().join("src")).unwrap(), sources(&root().join("tests")).unwrap()].concat();
    assert!(files.len() > 15, "the sources are not where they were: {files:?}");
    for file in files {
        assert!(
            fs::read_to_string(&file).unwrap().starts_with("//! "),
            "{}: begin it with a `//!` line",
            file.display()
        );
    }
}

#[test]
fn the_model_does_no_io_and_knows_no_format() {
    let foreign = ["tokio", "serde", "wasmtime", "std::fs", "std::net", "std::io", "async fn"];
    for file in sources(&root().join("src")).unwrap() {
        let text = fs::read_to_string(&file).unwrap();
        for word in foreign {
            assert!(!text.contains(word), "{} uses {word}, which has no place in the model", file.display());
        }
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<_> = dependencies
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(
        names,
        ["regex", "thiserror", "uuid"],
        "each further dependency is for everyone who uses the model"
    );
}

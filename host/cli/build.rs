//! What `occi ext new` writes is in the binary: the templates, and of this repository the contract and the SDKs, without
//! their tests and tools.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The parts of the repository that an author's project needs.
const PARTS: [&str; 20] = [
    "Cargo.toml",
    "wit",
    "sdk/rust/Cargo.toml",
    "sdk/rust/README.md",
    "sdk/rust/src",
    "sdk/rust-derive/Cargo.toml",
    "sdk/rust-derive/src",
    "sdk/c/README.md",
    "sdk/c/include",
    "sdk/c/src",
    "sdk/javascript/README.md",
    "sdk/javascript/bin",
    "sdk/javascript/capabilities.d.ts",
    "sdk/javascript/index.d.ts",
    "sdk/javascript/package.json",
    "sdk/javascript/src",
    "sdk/javascript/testing.d.ts",
    "sdk/python/README.md",
    "sdk/python/pyproject.toml",
    "sdk/python/src",
];

fn main() -> io::Result<()> {
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let repository = own.join("../..");
    let parts: Vec<PathBuf> = PARTS.iter().map(|part| repository.join(part)).collect();
    let mut written = String::new();
    table(&mut written, "REPOSITORY", &repository, &parts)?;
    let templates = own.join("templates");
    table(&mut written, "TEMPLATES", &templates, std::slice::from_ref(&templates))?;
    println!("cargo::rerun-if-changed=build.rs");
    let made = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(made.join("carried.rs"), written)
}

/// The text of each file below some paths, by its path from a root.
fn table(written: &mut String, name: &str, root: &Path, paths: &[PathBuf]) -> io::Result<()> {
    let mut files = Vec::new();
    for path in paths {
        gather(path, &mut files)?;
    }
    let _never_fails = writeln!(written, "const {name}: [(&str, &str); {}] = [", files.len());
    for file in files {
        // As text, which is written as Rust writes it.
        let place = file.strip_prefix(root).unwrap_or(&file).to_string_lossy();
        let file = file.to_string_lossy();
        let _never_fails = writeln!(written, "    ({place:?}, include_str!({file:?})),");
        // A new file is seen with the one that names it, which must change as well. To name folders would be to build anew
        // whenever Python has written beside its modules.
        println!("cargo::rerun-if-changed={file}");
    }
    written.push_str("];\n");
    Ok(())
}

fn gather(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut within = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    within.sort();
    // Python's own notes, and those of its installer.
    let is_source = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name != "__pycache__" && !name.ends_with(".egg-info")
    };
    within.iter().filter(is_source).try_for_each(|path| gather(path, files))
}

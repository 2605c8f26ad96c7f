//! That what is published stays as it is, and that the exhibit uses all of it.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Never changed: another contract is another version.
const DIGEST: &str = "530d61a610ac3d381c1f358f69c4ddee8be6911cdc65cefe3ecef4a1a206d1ac";

fn frozen() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit/frozen/0.1.0")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[test]
fn what_is_published_is_as_it_was() {
    let mut hash = Sha256::new();
    for file in files(&frozen()) {
        hash.update(file.strip_prefix(frozen()).unwrap().to_str().unwrap());
        hash.update(fs::read(&file).unwrap());
    }
    let digest = hash.finalize().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    assert_eq!(digest, DIGEST);
}

/// Each function and method of the contract's own interfaces that the host serves.
#[test]
fn the_exhibit_uses_all_that_the_host_serves() {
    let code: String = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    for interface in ["types", "machines", "volumes", "networks", "entities", "folder"] {
        let text = fs::read_to_string(frozen().join(interface).with_extension("wit")).unwrap();
        let functions = text
            .lines()
            .filter_map(|line| line.trim().split_once(": "))
            .filter(|(_, rest)| rest.strip_prefix("static ").unwrap_or(rest).starts_with("func("));
        let mut count = 0;
        for (function, _) in functions {
            let function = function.replace('-', "_");
            let is_used =
                [format!(".{function}("), format!("::{function}(")].iter().any(|call| code.contains(call));
            assert!(is_used, "{interface}: nobody calls {function}");
            count += 1;
        }
        assert!(count > 3, "{interface}");
    }
}

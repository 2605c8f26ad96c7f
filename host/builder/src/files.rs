//! Files, read and written whole.

use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file so that whoever reads it sees the old one or the new one; leaves it alone if nothing changed.
pub fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(file).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, bytes)
        .and_then(|()| std::fs::rename(&fresh, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

pub(crate) fn bytes(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

pub(crate) fn text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_unchanged_file_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.wasm");
        replace(&file, b"same").expect("it is written");
        let before = fs::metadata(&file).expect("it is there").modified().expect("a time");
        replace(&file, b"same").expect("nothing to do");
        assert_eq!(fs::metadata(&file).expect("it is there").modified().expect("a time"), before);
        replace(&file, b"other").expect("it is written");
        assert_eq!(fs::read(&file).expect("it is there"), b"other");
    }
}

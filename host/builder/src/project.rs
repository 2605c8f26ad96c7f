//! What stands in a folder: a manifest.toml, and beside it a Cargo.toml where the code is in Rust, a world.wit where it is in
//! C, a package.json for JavaScript, an extension.py for Python; none of these is an extension without code.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{c, javascript, python, rust};

/// What stands for this repository beside an author's code: a folder with the SDK and the contract, laid out as here.
pub(crate) const HOME: &str = "occi";

/// The file that every extension has.
const MANIFEST: &str = "manifest.toml";

/// An extension as it stands in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The package's name in Rust, else the folder's.
    pub name: String,
    /// Its manifest.toml.
    pub manifest: PathBuf,
    /// What it is written in.
    pub code: Code,
}

/// What an extension is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A crate.
    Rust,
    /// A world and sources.
    C,
    /// A package for npm.
    JavaScript,
    /// A module.
    Python,
    /// The manifest alone.
    None,
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::JavaScript => "javascript",
            Self::Python => "python",
            Self::None => "none",
        })
    }
}

impl Project {
    /// The one in a folder, if there is one.
    pub fn in_folder(folder: &Path) -> Result<Option<Self>> {
        let manifest = folder.join(MANIFEST);
        let package = folder.join(rust::PACKAGE);
        match (manifest.is_file(), package.is_file()) {
            (true, true) => {
                Ok(Some(Self { name: rust::package_name(&package)?, manifest, code: Code::Rust }))
            }
            (true, false) => {
                // Such as `.`, which is no name yet.
                let whole = std::fs::canonicalize(folder)
                    .with_context(|| format!("cannot find {}", folder.display()))?;
                let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let code = if folder.join(c::WORLD).is_file() {
                    Code::C
                } else if folder.join(javascript::PACKAGE).is_file() {
                    Code::JavaScript
                } else if folder.join(python::ENTRY).is_file() {
                    Code::Python
                } else {
                    Code::None
                };
                Ok(Some(Self { name, manifest, code }))
            }
            (false, true) => bail!("{} has no {MANIFEST}, which every extension has", folder.display()),
            (false, false) => Ok(None),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("."))
    }
}

/// The folder with SDK and contract that belongs to what is in a folder: its own `occi`, or the nearest above that has both,
/// which is a checkout of this repository.
pub fn home_of(folder: &Path) -> Option<PathBuf> {
    let whole = std::fs::canonicalize(folder).ok()?;
    let candidates = std::iter::once(whole.join(HOME)).chain(whole.ancestors().map(Path::to_owned));
    candidates.into_iter().find(|home| home.join("wit/world.wit").is_file() && home.join("sdk").is_dir())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        root
    }

    #[test]
    fn what_is_beside_the_manifest_says_what_it_is_written_in() {
        let root = tree(&[
            ("infra/Cargo.toml", "[package]\nname = \"infrastructure\"\n"),
            ("infra/manifest.toml", ""),
            ("words/manifest.toml", ""),
            ("wires/manifest.toml", ""),
            ("wires/world.wit", ""),
            ("winds/manifest.toml", ""),
            ("winds/package.json", ""),
            ("winters/manifest.toml", ""),
            ("winters/extension.py", ""),
        ]);
        for (folder, name, code) in [
            ("infra", "infrastructure", Code::Rust),
            ("winds", "winds", Code::JavaScript),
            ("winters", "winters", Code::Python),
            ("wires", "wires", Code::C),
            ("words", "words", Code::None),
        ] {
            let project =
                Project::in_folder(&root.path().join(folder)).expect("it is read").expect("it is one");
            assert_eq!((project.name.as_str(), project.code), (name, code));
        }
    }

    #[test]
    fn a_folder_without_a_manifest_is_none_and_a_crate_without_one_is_refused() {
        let root = tree(&[("infra/Cargo.toml", "[package]\nname = \"infrastructure\"\n")]);
        assert_eq!(Project::in_folder(root.path()).expect("nothing is wrong"), None);
        let refused = Project::in_folder(&root.path().join("infra")).expect_err("no manifest");
        assert!(refused.to_string().contains("no manifest.toml"), "{refused}");
    }

    #[test]
    fn the_sdk_beside_the_code_goes_before_one_above() {
        let root = tree(&[("wit/world.wit", ""), ("sdk/c/x", ""), ("a/occi/wit/world.wit", ""), ("b/x", "")]);
        let root = root.path().canonicalize().expect("it is there");
        fs::create_dir(root.join("a/occi/sdk")).expect("a folder");
        assert_eq!(home_of(&root.join("a")), Some(root.join("a/occi")));
        assert_eq!(home_of(&root.join("b")), Some(root.clone()));
    }
}

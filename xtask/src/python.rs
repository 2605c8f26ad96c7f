//! What the Python SDK needs, installed below target/ in a virtual environment as its requirements.txt names it by version and
//! digest, and its tests with those of extensions in Python.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use occi_builder::python::{self, SDK, Toolchain};

use crate::workspace::Workspace;
use crate::{progress, running};

/// Makes sure that the SDK's tools are there; the answer is the interpreter that has them.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf> {
    Ok(Sdk::ready(workspace)?.python())
}

/// The SDK, with its tools installed.
struct Sdk {
    folder: PathBuf,
    environment: PathBuf,
}

impl Sdk {
    fn ready(workspace: &Workspace) -> Result<Self> {
        let sdk = Self {
            folder: workspace.root.join(SDK),
            environment: workspace.target.join("guests/python/environment"),
        };
        let requirements = sdk.folder.join("requirements.txt");
        let named = std::fs::read_to_string(&requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        let installed = sdk.environment.join("installed.txt");
        if !is_installed(&installed, &named) {
            let mut venv = Command::new(Toolchain::needed()?.python);
            venv.args(["-m", "venv", "--clear"]).arg(&sdk.environment);
            progress::step("Making an environment for the Python SDK", &mut venv)?;
            let mut pip = Command::new(sdk.python());
            pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]);
            pip.arg("--requirement").arg(&requirements);
            progress::step("Installing what the Python SDK needs (pip)", &mut pip)?;
            std::fs::write(&installed, named)
                .with_context(|| format!("cannot write {}", installed.display()))?;
        }
        Ok(sdk)
    }

    fn python(&self) -> PathBuf {
        self.environment.join("bin/python")
    }

    /// A module of Python's, the SDK's or one of its tools', run in a folder.
    fn module(&self, name: &str, folder: &Path) -> Command {
        let mut python = python::module(&self.python(), &self.folder, name);
        python.current_dir(folder).env("MYPYPATH", self.folder.join("src"));
        python.env("RUFF_CACHE_DIR", self.environment.join("ruff"));
        python.env("MYPY_CACHE_DIR", self.environment.join("mypy"));
        python
    }
}

/// The tests of the SDK, and of the extensions in these folders, with the formatting, lints and types of each. They run
/// against a host in memory.
pub(crate) fn test(workspace: &Workspace, folders: &[PathBuf]) -> Result<ExitCode> {
    let sdk = Sdk::ready(workspace)?;
    let settings = sdk.folder.join("pyproject.toml");
    let mut failed = ExitCode::SUCCESS;
    for folder in std::iter::once(&sdk.folder).chain(folders) {
        let mut format = sdk.module("ruff", folder);
        format.args(["format", "--check", "--quiet", "--config"]).arg(&settings);
        let mut lint = sdk.module("ruff", folder);
        lint.args(["check", "--quiet", "--config"]).arg(&settings);
        let mut types = sdk.module("mypy", folder);
        types.arg("--config-file").arg(&settings).arg(".");
        let mut tests = sdk.module("unittest", folder);
        tests.args(["discover", "--quiet", "--start-directory", "tests", "--top-level-directory", "."]);
        for mut each in [format, lint, types, tests] {
            let code = running::to_the_end(&mut each)?;
            if code != ExitCode::SUCCESS {
                failed = code;
            }
        }
    }
    Ok(failed)
}

/// Whether what is named was installed: the note of that is written last.
fn is_installed(note: &Path, named: &str) -> bool {
    std::fs::read_to_string(note).is_ok_and(|installed| installed == named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_once_and_when_others_are_named() {
        let root = tempfile::tempdir().expect("a folder");
        let note = root.path().join("installed.txt");
        assert!(!is_installed(&note, "tool==1"));
        std::fs::write(&note, "tool==1").expect("a note");
        assert!(is_installed(&note, "tool==1") && !is_installed(&note, "tool==2"));
    }
}

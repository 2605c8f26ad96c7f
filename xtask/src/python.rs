//! Extensions in Python: from a folder with an extension.py to a component that has its manifest inside.
//!
//! The SDK in sdk/python has a command of its own that does it, as its users have no Cargo; here it is called. The tools that
//! it needs are installed below target/, in a virtual environment, as its requirements.txt names them by version and digest.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::packages::path_of;
use crate::prerequisites::Unmet;
use crate::workspace::Workspace;
use crate::{progress, running};

/// The file by which a folder is known to hold an extension in Python.
pub(crate) const ENTRY: &str = "extension.py";

/// Debian's interpreter for the tools, and what makes an environment apart for them.
pub(crate) const DEBIAN: &[&str] = &["python3", "python3-venv"];

/// The SDK, below the workspace's root.
const SDK: &str = "sdk/python";

/// Fails where Python is older than the SDK's pyproject.toml says, or where Debian's python3-venv is not installed.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

/// Python on this machine.
#[derive(Debug)]
pub(crate) struct Toolchain {
    python: PathBuf,
}

impl Toolchain {
    pub(crate) fn find() -> Option<Self> {
        let python = path_of("python3")?;
        let mut probe = Command::new(&python);
        probe.args(["-c", PROBE]).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().ok()?.success().then_some(Self { python })
    }

    fn needed() -> Result<Self> {
        Self::find().ok_or_else(|| {
            let packages = DEBIAN.join(" ");
            Unmet::new(format!(
                "nothing here can build extensions in Python: `apt-get install {packages}`, where Python is 3.11 or later"
            ))
            .into()
        })
    }
}

/// The SDK, with its tools installed.
struct Sdk {
    folder: PathBuf,
    environment: PathBuf,
}

impl Sdk {
    fn ready(workspace: &Workspace) -> Result<Self> {
        let toolchain = Toolchain::needed()?;
        let sdk = Self {
            folder: workspace.root.join(SDK),
            environment: workspace.target.join("guests/python/environment"),
        };
        let requirements = sdk.folder.join("requirements.txt");
        let named = std::fs::read_to_string(&requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        let installed = sdk.environment.join("installed.txt");
        if !is_installed(&installed, &named) {
            let mut venv = Command::new(&toolchain.python);
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
        let source = self.folder.join("src");
        let mut python = Command::new(self.python());
        python.current_dir(folder).args(["-m", name]);
        python.env("PYTHONPATH", &source).env("MYPYPATH", &source);
        python.env("RUFF_CACHE_DIR", self.environment.join("ruff"));
        python.env("MYPY_CACHE_DIR", self.environment.join("mypy"));
        python
    }
}

/// Builds the extension in a folder; the answer is the component, with its manifest.
pub(crate) fn build(workspace: &Workspace, name: &str, folder: &Path) -> Result<PathBuf> {
    let sdk = Sdk::ready(workspace)?;
    let made = workspace.target.join("guests/python").join(name);
    std::fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
    let file = made.join("extension.wasm");
    let mut build = sdk.module("occi_extension", Path::new("."));
    build.arg("build").arg(folder).arg("--output").arg(&file);
    // Making a component takes ten seconds, so it is kept as long as it would be the same.
    build.arg("--cache").arg(&made);
    progress::step(&format!("Building {name} ({})", sdk.python().display()), &mut build)?;
    Ok(file)
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

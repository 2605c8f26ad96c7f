//! Extensions in Python: from a folder with an extension.py to a component that has its manifest inside.
//!
//! The SDK in sdk/python has a command of its own that does it; here it is called, by a Python in which the tools are installed
//! that it needs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::project::{Code, Project};
use crate::{Builder, Unmet, path_of};

/// The file by which a folder is known to hold an extension in Python.
pub(crate) const ENTRY: &str = "extension.py";

/// Debian's interpreter for the tools, and what makes an environment apart for them.
pub const DEBIAN: &[&str] = &["python3", "python3-venv"];

/// The SDK, below what [`Builder::home`] names.
pub const SDK: &str = "sdk/python";

/// Fails where Python is older than the SDK's pyproject.toml says, or where Debian's python3-venv is not installed.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

/// Fails where the tool that makes components is not installed.
const PROBE_TOOL: &str = "import componentize_py";

/// The environment of a project's own, which its README has an author make.
const ENVIRONMENT: &str = ".venv/bin/python";

/// Python on this machine.
#[derive(Debug)]
pub struct Toolchain {
    /// The interpreter.
    pub python: PathBuf,
}

impl Toolchain {
    /// The one on this machine, where it is recent enough.
    pub fn find() -> Option<Self> {
        let python = path_of("python3")?;
        passes(&python, PROBE).then_some(Self { python })
    }

    /// The same; the error says what brings it.
    pub fn needed() -> Result<Self> {
        Self::find().ok_or_else(|| {
            let packages = DEBIAN.join(" ");
            Unmet::new(format!(
                "nothing here can build extensions in Python: `apt-get install {packages}`, where Python is 3.11 or later"
            ))
            .into()
        })
    }
}

/// A module of Python's, the SDK's or one of its tools', run by an interpreter that need not know of the SDK.
pub fn module(python: &Path, sdk: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", name]).env("PYTHONPATH", sdk.join("src"));
    command
}

/// Builds a project; the answer is the component, with its manifest.
pub(crate) fn build(builder: &Builder<'_>, project: &Project) -> Result<PathBuf> {
    let sdk = builder.home(Code::Python)?.join(SDK);
    let python = match &builder.python {
        Some(python) => python.clone(),
        None => with_tool(project)?,
    };
    let made = builder.work_of(project)?;
    let file = made.join("extension.wasm");
    let mut build = module(&python, &sdk, "occi_extension");
    build.arg("build").arg(project.folder()).arg("--output").arg(&file);
    // Making a component takes ten seconds, so it is kept as long as it would be the same.
    build.arg("--cache").arg(&made);
    (builder.step)(&format!("Building {} ({})", project.name, python.display()), &mut build)?;
    Ok(file)
}

/// The Python in which the tool is installed: the project's own, or the one in use, which may be that of an environment.
fn with_tool(project: &Project) -> Result<PathBuf> {
    let own = std::path::absolute(project.folder())?.join(ENVIRONMENT);
    let python = if own.is_file() { own } else { Toolchain::needed()?.python };
    if passes(&python, PROBE_TOOL) {
        return Ok(python);
    }
    Err(Unmet::new(format!(
        "what the Python SDK needs is not installed for {}: `python3 -m venv .venv && .venv/bin/pip install -r requirements.txt` in {}",
        python.display(),
        project.folder().display()
    ))
    .into())
}

fn passes(python: &Path, probe: &str) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", probe]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_without_the_tool_is_told_what_installs_it() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join(ENVIRONMENT);
        std::fs::create_dir_all(own.parent().expect("a parent")).expect("a folder");
        let project =
            Project { name: "a".into(), manifest: folder.path().join("manifest.toml"), code: Code::Python };
        std::fs::write(&own, "#!/bin/sh\nexit 1\n").expect("a file");
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
        let refused = with_tool(&project).expect_err("no tool");
        assert!(
            refused.is::<Unmet>() && refused.to_string().contains("pip install -r requirements.txt"),
            "{refused}"
        );
    }
}

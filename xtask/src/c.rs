//! The native tests of extensions in C.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use occi_builder::c::sources;

use crate::workspace::Workspace;
use crate::{progress, running};

/// Runs those of these folders. Each file of an extension's folder `tests` is a program that includes what it
/// tests, and is built with this machine's own compiler; it says by its exit code whether all is well.
pub(crate) fn test(workspace: &Workspace, folders: &[PathBuf]) -> Result<ExitCode> {
    let mut failed = ExitCode::SUCCESS;
    for folder in folders {
        for source in sources(&folder.join("tests"))? {
            let shown = workspace.shown(&source).to_string();
            let program = tempfile::NamedTempFile::new().context("cannot make a file")?.into_temp_path();
            let mut compiler = Command::new("cc");
            compiler
                .args(["-std=c17", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-o"])
                .arg(&program)
                .arg(&source);
            progress::step(&format!("Building {shown}"), &mut compiler)?;
            eprintln!("==> Running {shown}");
            let code = running::to_the_end(&mut Command::new(&program))?;
            if code != ExitCode::SUCCESS {
                failed = code;
            }
        }
    }
    Ok(failed)
}

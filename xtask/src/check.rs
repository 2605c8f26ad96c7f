//! Formatting and lints.

use anyhow::Result;

use crate::progress;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut format = workspace.cargo();
    progress::step("Checking the formatting", format.args(["fmt", "--all", "--check"]))?;
    let mut lint = workspace.cargo();
    // The release profile, so that build scripts and macros are built once for this and for the server.
    lint.args(["clippy", "--release", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    progress::step("Checking the lints", &mut lint)?;
    Ok(())
}

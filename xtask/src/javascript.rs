//! What the JavaScript SDK needs, installed in its own folder as its package-lock.json names it, and its tests with those of
//! extensions in JavaScript. In an extension's folder nothing is installed but a link to the SDK.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::Result;
use occi_builder::javascript::{SDK, Toolchain};

use crate::workspace::Workspace;
use crate::{progress, running};

/// Makes sure that the SDK's tools are there; the answer is its folder.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf> {
    let sdk = workspace.root.join(SDK);
    if !is_installed(&sdk) {
        let mut npm = npm(&Toolchain::needed()?, &sdk);
        npm.args(["ci", "--no-audit", "--no-fund"]);
        progress::step("Installing what the JavaScript SDK needs (npm)", &mut npm)?;
    }
    Ok(sdk)
}

/// npm in a folder.
fn npm(toolchain: &Toolchain, folder: &Path) -> Command {
    let mut npm = Command::new(&toolchain.npm);
    npm.current_dir(folder);
    npm
}

/// The tests of the SDK, which hold the formatting of all JavaScript, too, and of the extensions in these folders. They run
/// in Node, against a host in memory.
pub(crate) fn test(workspace: &Workspace, folders: &[PathBuf]) -> Result<ExitCode> {
    let toolchain = Toolchain::needed()?;
    let sdk = install(workspace)?;
    let mut failed = running::to_the_end(npm(&toolchain, &sdk).arg("test"))?;
    for folder in folders {
        let mut link = npm(&toolchain, folder);
        link.args(["install", "--no-audit", "--no-fund"]);
        progress::step(&format!("Linking the SDK into {} (npm)", workspace.shown(folder)), &mut link)?;
        let code = running::to_the_end(npm(&toolchain, folder).args(["test", "--if-present"]))?;
        if code != ExitCode::SUCCESS {
            failed = code;
        }
    }
    Ok(failed)
}

/// Whether npm has installed what the lock file names: its own note of that is the younger one.
fn is_installed(folder: &Path) -> bool {
    let changed = |file: &str| -> Option<SystemTime> { folder.join(file).metadata().ok()?.modified().ok() };
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(named)) => installed >= named,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_once_and_when_others_are_named() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |file: &str, at: SystemTime| {
            let file = root.path().join(file);
            std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            std::fs::File::create(file).and_then(|file| file.set_modified(at)).expect("a file");
        };
        let (before, after) = (SystemTime::UNIX_EPOCH, SystemTime::now());
        write("package-lock.json", before);
        assert!(!is_installed(root.path()));
        write("node_modules/.package-lock.json", after);
        assert!(is_installed(root.path()));
        write("package-lock.json", after + std::time::Duration::from_secs(1));
        assert!(!is_installed(root.path()));
    }
}

//! Extensions in JavaScript: from a folder with a package.json to a component that has its manifest inside.
//!
//! The SDK in sdk/javascript has a command of its own that does it, as its users have no Cargo; here it is called. The tools
//! that it needs are installed in its own folder, as its package-lock.json names them; in the extension's none are.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::packages::path_of;
use crate::prerequisites::Unmet;
use crate::workspace::Workspace;
use crate::{progress, running};

/// The file by which a folder is known to hold an extension in JavaScript.
pub(crate) const PACKAGE: &str = "package.json";

/// Debian's engine for the tools, which are in JavaScript themselves, and what fetches them.
pub(crate) const DEBIAN: &[&str] = &["nodejs", "npm"];

/// The first version of Node that the SDK is tested with; its package.json says the same.
const OLDEST: (u32, u32) = (18, 20);

/// The SDK, below the workspace's root.
const SDK: &str = "sdk/javascript";

/// Node, and npm beside it.
#[derive(Debug)]
pub(crate) struct Toolchain {
    node: PathBuf,
    npm: PathBuf,
}

impl Toolchain {
    pub(crate) fn find() -> Option<Self> {
        let found = Self { node: path_of("node")?, npm: path_of("npm")? };
        let answer = Command::new(&found.node).arg("--version").output().ok()?;
        is_recent(&String::from_utf8_lossy(&answer.stdout)).then_some(found)
    }

    fn needed() -> Result<Self> {
        Self::find().ok_or_else(|| {
            let ((major, minor), packages) = (OLDEST, DEBIAN.join(" "));
            Unmet::new(format!(
                "nothing here can build extensions in JavaScript: `apt-get install {packages}`, or Node {major}.{minor} or later"
            ))
            .into()
        })
    }

    /// npm in a folder.
    fn npm(&self, folder: &Path) -> Command {
        let mut npm = Command::new(&self.npm);
        npm.current_dir(folder);
        npm
    }

    /// The SDK's folder, with its tools installed.
    fn sdk(&self, workspace: &Workspace) -> Result<PathBuf> {
        let sdk = workspace.root.join(SDK);
        if !is_installed(&sdk) {
            let mut npm = self.npm(&sdk);
            npm.args(["ci", "--no-audit", "--no-fund"]);
            progress::step("Installing what the JavaScript SDK needs (npm)", &mut npm)?;
        }
        Ok(sdk)
    }
}

/// Builds the extension in a folder; the answer is the component, with its manifest.
pub(crate) fn build(workspace: &Workspace, name: &str, folder: &Path) -> Result<PathBuf> {
    let toolchain = Toolchain::needed()?;
    let sdk = toolchain.sdk(workspace)?;
    let made = workspace.target.join("guests/javascript").join(name);
    std::fs::create_dir_all(&made).with_context(|| format!("cannot make {}", made.display()))?;
    let file = made.join("extension.wasm");
    let mut node = Command::new(&toolchain.node);
    node.arg(sdk.join("bin/occi-extension.js")).arg("build").arg(folder).arg("--output").arg(&file);
    // Making a component takes ten seconds, so it is kept as long as it would be the same.
    node.arg("--cache").arg(&made);
    progress::step(&format!("Building {name} ({})", toolchain.node.display()), &mut node)?;
    Ok(file)
}

/// The tests of the SDK, which hold the formatting of all JavaScript, too, and of the extensions in these folders. They run
/// in Node, against a host in memory.
pub(crate) fn test(workspace: &Workspace, folders: &[PathBuf]) -> Result<ExitCode> {
    let toolchain = Toolchain::needed()?;
    let sdk = toolchain.sdk(workspace)?;
    let mut failed = running::to_the_end(toolchain.npm(&sdk).arg("test"))?;
    for folder in folders {
        let mut link = toolchain.npm(folder);
        link.args(["install", "--no-audit", "--no-fund"]);
        progress::step(&format!("Linking the SDK into {} (npm)", workspace.shown(folder)), &mut link)?;
        let code = running::to_the_end(toolchain.npm(folder).args(["test", "--if-present"]))?;
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

/// Whether 'v20.19.2' is a version that will do.
fn is_recent(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_does_not_do() {
        assert!(is_recent("v18.20.4\n") && is_recent("v22.0.0"));
        assert!(!is_recent("v18.19.1") && !is_recent("v9.99.0") && !is_recent("no such thing"));
    }

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

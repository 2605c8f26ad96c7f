//! Extensions in JavaScript: from a folder with a package.json to a component that has its manifest inside.
//!
//! The SDK in sdk/javascript has a command of its own that does it; here it is called. The tools that it needs are those that npm
//! has installed, in the SDK's folder or above it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::project::{Code, Project};
use crate::{Builder, Unmet, path_of};

/// The file by which a folder is known to hold an extension in JavaScript.
pub(crate) const PACKAGE: &str = "package.json";

/// Debian's engine for the tools, which are in JavaScript themselves, and what fetches them.
pub const DEBIAN: &[&str] = &["nodejs", "npm"];

/// The SDK, below what [`Builder::home`] names.
pub const SDK: &str = "sdk/javascript";

/// The first version of Node that the SDK is tested with; its package.json says the same.
const OLDEST: (u32, u32) = (18, 20);

/// The tool that makes components, where npm has installed it.
const TOOL: &str = "node_modules/@bytecodealliance/componentize-js";

/// Node, and npm beside it.
#[derive(Debug)]
pub struct Toolchain {
    /// The engine.
    pub node: PathBuf,
    /// What installs packages.
    pub npm: PathBuf,
}

impl Toolchain {
    /// The one on this machine, where it is recent enough.
    pub fn find() -> Option<Self> {
        let found = Self { node: path_of("node")?, npm: path_of("npm")? };
        let answer = Command::new(&found.node).arg("--version").output().ok()?;
        is_recent(&String::from_utf8_lossy(&answer.stdout)).then_some(found)
    }

    /// The same; the error says what brings it.
    pub fn needed() -> Result<Self> {
        Self::find().ok_or_else(|| {
            let ((major, minor), packages) = (OLDEST, DEBIAN.join(" "));
            Unmet::new(format!(
                "nothing here can build extensions in JavaScript: `apt-get install {packages}`, or Node {major}.{minor} or later"
            ))
            .into()
        })
    }
}

/// Builds a project; the answer is the component, with its manifest.
pub(crate) fn build(builder: &Builder<'_>, project: &Project) -> Result<PathBuf> {
    let sdk = builder.home(Code::JavaScript)?.join(SDK);
    let toolchain = Toolchain::needed()?;
    if !has_tool(&sdk) {
        let what =
            format!("what the JavaScript SDK needs is not installed: `npm install` in {}", place(project));
        return Err(Unmet::new(what).into());
    }
    let made = builder.work_of(project)?;
    let file = made.join("extension.wasm");
    let mut node = Command::new(&toolchain.node);
    node.arg(sdk.join("bin/occi-extension.js")).arg("build").arg(project.folder()).arg("--output").arg(&file);
    // Making a component takes ten seconds, so it is kept as long as it would be the same.
    node.arg("--cache").arg(&made);
    let what = format!("Building {} ({})", project.name, toolchain.node.display());
    (builder.step)(&what, &mut node)?;
    Ok(file)
}

/// Whether Node finds the tool from the SDK's folder.
fn has_tool(sdk: &Path) -> bool {
    sdk.ancestors().any(|folder| folder.join(TOOL).is_dir())
}

fn place(project: &Project) -> std::path::Display<'_> {
    project.folder().display()
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
    fn tools_are_found_above_the_sdk_as_node_finds_them() {
        let root = tempfile::tempdir().expect("a folder");
        let sdk = root.path().join("occi").join(SDK);
        assert!(!has_tool(&sdk));
        std::fs::create_dir_all(root.path().join(TOOL)).expect("a folder");
        assert!(has_tool(&sdk));
    }
}

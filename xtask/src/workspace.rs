//! Where things are: the workspace's root, its target folder, and Cargo as every command here calls it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use occi_builder::rust::cargo;
use serde::Deserialize;

/// This workspace, as Cargo sees it.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    /// The workspace around the current folder.
    pub(crate) fn find() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version=1"])
            .output()
            .context("cannot run cargo")?;
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).context("cargo metadata is not as expected")?;
        Ok(Self { root: metadata.workspace_root, target: metadata.target_directory })
    }

    /// Cargo for the host, at the workspace's root, as the user calls it.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = cargo();
        cargo.current_dir(&self.root);
        cargo
    }

    /// Where finished programs are.
    pub(crate) fn release(&self) -> PathBuf {
        self.target.join("release")
    }

    /// Where finished extensions are: beside the server, which looks there by itself.
    pub(crate) fn extensions(&self) -> PathBuf {
        self.release().join("extensions")
    }

    /// Where those are that an operator installs by hand.
    pub(crate) fn optional_extensions(&self) -> PathBuf {
        self.release().join("optional-extensions")
    }

    /// Where finished extensions are that only tests load.
    pub(crate) fn test_extensions(&self) -> PathBuf {
        self.release().join("test-extensions")
    }

    /// A path as people read it: from the root where it is inside.
    pub(crate) fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

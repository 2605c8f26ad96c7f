//! `occi ext build`: from a folder with an author's code to one file that a server takes.

use super::file;
use crate::client;
use crate::config::Config;
use anyhow::{Context, ensure};
use occi_builder::{Builder, Project, home_of, replace};
use occi_extension::Outline;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of a project for what is made of it.
pub(super) const TARGET: &str = "target";

/// Builds what is in a folder, and makes the file where it passes all checks of a server.
pub(super) fn build(folder: &Path, output: Option<&Path>, config: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::read(config)?;
    let made = Made::of(folder)?;
    let refused = || format!("{} builds, but no server would take it", folder.display());
    let said = file::checked(&made.bytes, &config).with_context(refused)?;
    let file = made.write(output)?;
    // Not `./target`, in the folder that one is in.
    client::print(&format!("{}\n{said}", file.strip_prefix(".").unwrap_or(&file).display()))
}

/// What is in a folder.
pub(super) fn project(folder: &Path) -> anyhow::Result<Project> {
    Project::in_folder(folder)?.with_context(|| {
        format!(
            "{} has no manifest.toml: name the folder of an extension, or begin one with `occi ext new`",
            folder.display()
        )
    })
}

/// What was built.
pub(super) struct Made {
    pub(super) bytes: Vec<u8>,
    /// The extension's name.
    pub(super) name: String,
    folder: PathBuf,
}

impl Made {
    /// Compiles what is in a folder. What programs say meanwhile is on standard error.
    pub(super) fn of(folder: &Path) -> anyhow::Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder.join(TARGET), PathBuf::from);
        let builder = Builder {
            cargo_root: folder.to_owned(),
            home: home_of(folder),
            // From any folder in which a program runs.
            work: std::path::absolute(target)?.join("guests"),
            python: None,
            step: &step,
        };
        let bytes = builder.build(&[project(folder)?])?.pop().context("nothing was built")?;
        let name =
            Outline::read(&bytes).with_context(|| folder.join("manifest.toml").display().to_string())?;
        Ok(Self { bytes, name: name.manifest.name.to_string(), folder: folder.to_owned() })
    }

    /// Writes it to a file, or to the one of its name in the folder's own `target`; where it is then.
    pub(super) fn write(&self, output: Option<&Path>) -> anyhow::Result<PathBuf> {
        let usual = || self.folder.join(TARGET).join(&self.name).with_extension("wasm");
        let file = output.map_or_else(usual, Path::to_owned);
        if let Some(above) = file.parent() {
            std::fs::create_dir_all(above).with_context(|| format!("cannot make {}", above.display()))?;
        }
        replace(&file, &self.bytes)?;
        Ok(file)
    }
}

/// Runs a program, says before what it is for, and lets it say how it gets on.
fn step(what: &str, command: &mut Command) -> anyhow::Result<Vec<u8>> {
    // That nobody reads it is no reason to stop.
    let _unread = writeln!(std::io::stderr(), "==> {what}");
    let program = command.get_program().to_string_lossy().into_owned();
    let ended = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let ended = ended.with_context(|| format!("cannot run {program}"))?;
    ensure!(ended.status.success(), "{what}: failed ({})", ended.status);
    Ok(ended.stdout)
}
